//! A gateway's own journal as events: what it read and what people did, for another look at the same hours, by the same or another site file.
//!
//! A journal keeps a reading when it moved or a heartbeat was due, not every poll. So a reading holds until the next, as if it had been read again and
//! again, until the journal says that the point went stale or the gateway stopped. Between two kept readings a value may have moved by the point's `exception`
//! unseen; the value that a transition carries is taken as a reading, too. Silence is not in a journal, and so is not repeated.
//!
//! Records are put in the order of their times within a window; a wall clock that was set back counts as one that went on (invariant 7). One pass looks
//! ahead for what only shows afterwards (when polls had ended), one feeds judgement. Memory: the window, and those times.

use super::error::ReplayError;
use super::line_in::Names as Ids;
use super::rehearsal::{Act, Rehearsal, Target};
use crate::journal::{Archive, Batch, Missing, Names, Record, Standing, Transition};
use crate::judge::Ask;
use davy_alarm::{Action, Actor, Cause, Condition, Instant, NoValue, Reading, WallMs};
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, PointIndex, Site, Subject};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How much later than another a record may stand in the log than its time says, milliseconds: a batch is closed within a second or so.
const WINDOW_MS: u64 = 30_000;
/// A batch made so much before the one before it, milliseconds, was made by a clock that was set back.
const SET_BACK_MS: i64 = 5_000;
/// Most ids told that the site file does not have.
const MOST_UNKNOWN: usize = 20;
/// Shortest pause between two repeats of a reading that holds, milliseconds.
const REPEAT_MIN_MS: u64 = 500;

/// From when to when, both included; `None` = all there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<WallMs>,
    pub to: Option<WallMs>,
}

/// What the journal holds of the span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The first and the last time.
    pub times: Option<(WallMs, WallMs)>,
    pub readings: u64,
    pub acts: u64,
    pub starts: u64,
    pub missing: Missing,
    /// How often the wall clock was set back.
    pub set_back: u64,
    /// Points and alarms of the journal that the site file does not have.
    pub unknown: BTreeSet<String>,
}

/// Something recorded, at its place in monotonic time.
#[derive(Clone, Debug)]
enum Event {
    Reading(PointIndex, Reading),
    /// The reading that holds is read again.
    Again(PointIndex),
    /// A device without points answers, or does not: known by its alarm alone.
    Contact(AlarmIndex, bool),
    Act(Box<Transition>, AlarmIndex),
    /// A latched output that went off was reset by somebody.
    OutputOff(OutputIndex),
    Stopped,
    Started,
}

/// Wall-clock times as milliseconds since the span's beginning, which do not run backwards with the clock.
#[derive(Clone, Copy, Debug)]
struct Timeline {
    base: Option<i64>,
    made: i64,
    set_back: u64,
}

impl Timeline {
    const fn new(from: Option<WallMs>) -> Self {
        Self {
            base: match from {
                Some(from) => Some(from.0),
                None => None,
            },
            made: i64::MIN,
            set_back: 0,
        }
    }

    /// Follows the next batch of the log.
    fn follow(&mut self, made: WallMs) {
        if made.0.saturating_add(SET_BACK_MS) < self.made {
            if let Some(base) = &mut self.base {
                *base = base.saturating_add(made.0.saturating_sub(self.made));
                self.set_back += 1;
            }
            self.made = made.0;
        }
        self.made = self.made.max(made.0);
    }

    fn at(&mut self, time: WallMs) -> u64 {
        let base = *self.base.get_or_insert(time.0);
        u64::try_from(time.0.saturating_sub(base)).unwrap_or(0)
    }
}

/// What shows only afterwards: by point, when it was recorded as stale; by alarm of a device without points, when contact was lost and found; stops.
#[derive(Debug, Default)]
struct Ahead {
    stale: BTreeMap<usize, Vec<u64>>,
    contact: Vec<(u64, AlarmIndex, bool)>,
    /// When the gateway had stopped before each start: just after its last record.
    stopped: Vec<u64>,
}

/// A point's reading that holds.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    reading: Option<(Reading, u64)>,
    /// When the repeat that waits in the queue is due.
    waits: Option<u64>,
}

/// Feeds a rehearsal from a journal.
#[derive(Debug)]
pub(super) struct JournalSource<'a> {
    site: Arc<Site>,
    archive: &'a Archive,
    span: Span,
    ids: Ids,
    /// By point: milliseconds between two repeats, and from the last poll to the stale alarm.
    holds: Vec<(u64, u64)>,
    has_points: Vec<bool>,
    ahead: Ahead,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    /// Events by their number, which orders those of one time.
    events: BTreeMap<u64, Event>,
    number: u64,
    /// The newest time of a record so far.
    newest: u64,
    /// The journal goes on after the span.
    is_beyond: bool,
    held: Vec<Held>,
    found: Found,
}

/// What the feeding is told to, besides the rehearsal: every recorded transition and output of the span.
pub(super) trait Recorded {
    /// After each step: what the rehearsal told, and how to go on.
    fn stepped(&mut self, rehearsal: &mut Rehearsal) -> Result<(), ReplayError>;
    fn transition(&mut self, alarm: &str, transition: &Transition);
    fn output(&mut self, output: &str, on: bool, time: WallMs);
}

impl<'a> JournalSource<'a> {
    pub(super) fn new(site: &Arc<Site>, archive: &'a Archive, span: Span) -> Self {
        let mut has_points = vec![false; site.devices.len()];
        for point in &site.points {
            has_points[point.device.0] = true;
        }
        Self {
            holds: (0..site.points.len())
                .map(|point| hold(site, point))
                .collect(),
            held: vec![Held::default(); site.points.len()],
            ids: Ids::of(site),
            site: site.clone(),
            archive,
            span,
            has_points,
            ahead: Ahead::default(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            number: 0,
            newest: 0,
            is_beyond: false,
            found: Found::default(),
        }
    }

    /// Judges the span. `recorded` hears what the journal says happened.
    pub(super) fn run(mut self, recorded: &mut impl Recorded) -> Result<Found, ReplayError> {
        let (begin, mut standing) = self
            .archive
            .begin(self.span.from)
            .map_err(ReplayError::Journal)?;
        self.look_ahead(begin)?;
        let mut timeline = Timeline::new(self.span.from);
        let mut rehearsal: Option<Rehearsal> = None;
        let mut outcome = Ok(());
        let archive = self.archive;
        let visited = archive.each(begin, |batch| {
            timeline.follow(batch.made);
            match self.batch(
                batch,
                &mut timeline,
                &mut standing,
                &mut rehearsal,
                recorded,
            ) {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(()),
                Err(error) => {
                    outcome = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        self.found.missing = visited.map_err(ReplayError::Journal)?;
        outcome?;
        // Of what comes after the last record nothing is known.
        let end = self.found.times.map(|(_, last)| match self.span.to {
            Some(to) if self.is_beyond => to,
            _ => last,
        });
        let mut rehearsal = rehearsal.unwrap_or_else(|| self.rehearsal(&standing, WallMs(0)));
        if let Some(end) = end {
            let end = timeline.at(end);
            self.release(end, &mut rehearsal, recorded)?;
            rehearsal.pass(Instant(end).max(rehearsal.now()));
        }
        rehearsal.end();
        recorded.stepped(&mut rehearsal)?;
        self.found.set_back = timeline.set_back;
        Ok(self.found)
    }

    /// Finds when polls had ended.
    fn look_ahead(&mut self, begin: usize) -> Result<(), ReplayError> {
        let mut timeline = Timeline::new(self.span.from);
        let mut ahead = Ahead::default();
        let mut latest = 0;
        let archive = self.archive;
        let visited = archive.each(begin, |batch| {
            timeline.follow(batch.made);
            for record in &batch.records {
                let Some(time) = time(record).filter(|time| self.is_within(*time)) else {
                    continue;
                };
                let at = timeline.at(time);
                match record {
                    Record::Transition(transition) => {
                        self.note_ahead(&mut ahead, &batch.names, transition, at);
                    }
                    Record::Started { .. } if at > latest + 1 => ahead.stopped.push(latest + 1),
                    _ => {}
                }
                latest = latest.max(at);
            }
            self.goes_on(batch)
        });
        visited.map_err(ReplayError::Journal)?;
        ahead.contact.sort_unstable_by_key(|(at, ..)| *at);
        ahead
            .stale
            .values_mut()
            .for_each(|times| times.sort_unstable());
        self.ahead = ahead;
        Ok(())
    }

    fn note_ahead(&self, ahead: &mut Ahead, names: &Names, transition: &Transition, at: u64) {
        let Some(index) = self.alarm(names, transition.alarm) else {
            return;
        };
        let alarm = &self.site.alarms[index.0];
        let is_active = match transition.cause {
            Cause::Active => true,
            Cause::Clear => false,
            _ => return,
        };
        match (alarm.definition.condition, alarm.subject) {
            (Condition::Stale { .. }, Subject::Point(point)) if is_active => {
                ahead.stale.entry(point.0).or_default().push(at);
            }
            (Condition::CommsLost, Subject::Device(device)) if !self.has_points[device.0] => {
                let delay = if is_active {
                    alarm.definition.on_delay_ms
                } else {
                    alarm.definition.off_delay_ms
                };
                let began = at.saturating_sub(u64::from(delay));
                ahead.contact.push((began, index, !is_active));
            }
            _ => {}
        }
    }

    /// Takes one batch of the log; whether to go on.
    fn batch(
        &mut self,
        batch: &Batch,
        timeline: &mut Timeline,
        standing: &mut Standing,
        rehearsal: &mut Option<Rehearsal>,
        recorded: &mut impl Recorded,
    ) -> Result<bool, ReplayError> {
        for record in &batch.records {
            let Some(time) = time(record) else { continue };
            if self.span.from.is_some_and(|from| time < from) {
                standing.follow(&batch.names, record);
                self.remember(&batch.names, record);
                continue;
            }
            if !self.is_within(time) {
                self.is_beyond = true;
                continue;
            }
            let at = timeline.at(time);
            self.newest = self.newest.max(at);
            if rehearsal.is_none() {
                let base = WallMs(timeline.base.unwrap_or(time.0));
                *rehearsal = Some(self.rehearsal(standing, base));
                self.begin();
            }
            let times = self.found.times.get_or_insert((time, time));
            *times = (times.0.min(time), times.1.max(time));
            self.take(batch, record, at, recorded);
        }
        if let Some(rehearsal) = rehearsal {
            // By what was recorded, not by when it was written: a disk that failed is caught up with later.
            let until = self.newest.saturating_sub(WINDOW_MS);
            self.release(until, rehearsal, recorded)?;
        }
        Ok(self.goes_on(batch).is_continue())
    }

    /// The site as the journal left it before the span, by its ids.
    fn rehearsal(&self, standing: &Standing, base: WallMs) -> Rehearsal {
        let alarms = self.site.alarms.iter();
        let saved: Vec<_> = alarms.map(|alarm| standing.saved(&alarm.id)).collect();
        let outputs = self.site.outputs.iter();
        let switched: Vec<_> = outputs
            .map(|output| standing.switched(&output.id))
            .collect();
        Rehearsal::new(self.site.clone(), &saved, &switched, base)
    }

    /// What was read before the span holds at its beginning.
    fn begin(&mut self) {
        for point in 0..self.held.len() {
            if let Some((reading, _)) = self.held[point].reading.take() {
                self.put(0, Event::Reading(PointIndex(point), reading));
            }
        }
        for (at, alarm, answered) in std::mem::take(&mut self.ahead.contact) {
            self.put(at, Event::Contact(alarm, answered));
        }
        for at in std::mem::take(&mut self.ahead.stopped) {
            self.put(at, Event::Stopped);
        }
    }

    /// The latest reading of each point before the span; a start voids them.
    fn remember(&mut self, names: &Names, record: &Record) {
        match record {
            Record::Reading { point, reading } => {
                if let Some(point) = self.point(names, *point) {
                    self.held[point.0].reading = Some((*reading, 0));
                }
            }
            Record::Started { .. } => self.held.fill(Held::default()),
            Record::Transition(_) | Record::Output { .. } | Record::Lost { .. } => {}
        }
    }

    fn take(&mut self, batch: &Batch, record: &Record, at: u64, recorded: &mut impl Recorded) {
        let names = &batch.names;
        match record {
            Record::Reading { point, reading } => match self.point(names, *point) {
                Some(point) => {
                    self.found.readings += 1;
                    self.put(at, Event::Reading(point, *reading));
                }
                None => self.unknown(names.points.get(*point as usize)),
            },
            Record::Transition(transition) => {
                let id = names.alarms.get(transition.alarm as usize);
                if let Some(id) = id {
                    recorded.transition(id, transition);
                }
                match self.alarm(names, transition.alarm) {
                    Some(alarm) => self.transition(transition, alarm, at),
                    None => self.unknown(id),
                }
            }
            Record::Output { output, on, time } => {
                let Some(id) = names.outputs.get(*output as usize) else {
                    return;
                };
                recorded.output(id, *on, *time);
                match self.ids.output(id) {
                    Some(output) if !on && self.site.outputs[output.0].latching => {
                        self.put(at, Event::OutputOff(output));
                    }
                    Some(_) => {}
                    None => self.unknown(Some(id)),
                }
            }
            Record::Started { .. } => {
                self.found.starts += 1;
                self.put(at, Event::Started);
            }
            Record::Lost { .. } => {}
        }
    }

    fn transition(&mut self, transition: &Transition, alarm: AlarmIndex, at: u64) {
        let judged = &self.site.alarms[alarm.0];
        let tells = matches!(transition.cause, Cause::Active | Cause::Clear)
            && !matches!(judged.definition.condition, Condition::Stale { .. });
        if let (true, Subject::Point(point), Some(value)) =
            (tells, judged.subject, transition.value)
        {
            let reading = match value {
                Ok(value) => Reading::measured(value, transition.time),
                Err(NoValue::NotYetRead) => return,
                Err(cause) => Reading::absent(cause, transition.time),
            };
            self.put(at, Event::Reading(point, reading));
        }
        if is_act(transition) {
            self.found.acts += 1;
            self.put(at, Event::Act(Box::new(transition.clone()), alarm));
        }
    }

    fn put(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.queue.push(Reverse((at, self.number)));
        self.events.insert(self.number, event);
    }

    /// Feeds what happened by a time that no later record can come before.
    fn release(
        &mut self,
        until: u64,
        rehearsal: &mut Rehearsal,
        recorded: &mut impl Recorded,
    ) -> Result<(), ReplayError> {
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            if let Some(event) = self.events.remove(&number) {
                self.feed(event, at, rehearsal);
                recorded.stepped(rehearsal)?;
            }
        }
        Ok(())
    }

    fn feed(&mut self, event: Event, at: u64, rehearsal: &mut Rehearsal) {
        let now = Instant(at).max(rehearsal.now());
        match event {
            Event::Reading(point, reading) => {
                self.held[point.0].reading = Some((reading, at));
                self.read(point, &reading, now, rehearsal);
                self.repeat(point, at);
            }
            Event::Again(point) => self.again(point, at, now, rehearsal),
            Event::Contact(alarm, answered) => rehearsal.contact(alarm, answered, now),
            Event::Act(transition, alarm) => {
                rehearsal.pass(now);
                let id = self.site.alarms[alarm.0].id.clone();
                let occurrence = rehearsal.judge().alarm(alarm).occurrence();
                rehearsal.act(act(&transition, alarm, id, occurrence), now);
            }
            Event::OutputOff(output) => {
                rehearsal.pass(now);
                if rehearsal.judge().demand()[output.0] {
                    let id = self.site.outputs[output.0].id.clone();
                    rehearsal.act(reset(output, id), now);
                }
            }
            // From here on time passes for nobody.
            Event::Stopped => self.forget_readings(),
            Event::Started => {
                self.forget_readings();
                let stopped = rehearsal.now();
                rehearsal.restart(stopped, now.since(stopped));
            }
        }
    }

    fn forget_readings(&mut self) {
        self.held.iter_mut().for_each(|held| held.reading = None);
    }

    /// A device that is read answers, unless the reading says otherwise.
    fn read(&self, point: PointIndex, reading: &Reading, now: Instant, rehearsal: &mut Rehearsal) {
        let DeviceIndex(device) = self.site.points[point.0].device;
        let is_lost = matches!(reading.value(), Err(cause) if cause.is_comms_lost());
        rehearsal.contact(self.site.devices[device].comms_alarm, !is_lost, now);
        rehearsal.reading(point, reading, now);
    }

    fn again(&mut self, point: PointIndex, at: u64, now: Instant, rehearsal: &mut Rehearsal) {
        let held = &mut self.held[point.0];
        // An earlier repeat took its place.
        if held.waits != Some(at) {
            return;
        }
        held.waits = None;
        let Some((reading, read)) = held.reading else {
            return;
        };
        if self.next_repeat(point, read).is_some_and(|due| at >= due) {
            self.held[point.0].reading = Some((reading, at));
            self.read(point, &reading, now, rehearsal);
            self.repeat(point, at);
        } else {
            self.repeat(point, read);
        }
    }

    /// Sees to it that a reading is repeated when it should be: one repeat of a point waits at a time.
    fn repeat(&mut self, point: PointIndex, read: u64) {
        let Some(due) = self.next_repeat(point, read) else {
            return;
        };
        let waits = &mut self.held[point.0].waits;
        if waits.is_none_or(|waiting| due < waiting) {
            *waits = Some(due);
            self.put(due, Event::Again(point));
        }
    }

    /// When a reading is read again; `None` after the last poll before the point went stale.
    fn next_repeat(&self, point: PointIndex, read: u64) -> Option<u64> {
        let (every, until_stale) = self.holds[point.0];
        let due = read.saturating_add(every);
        let stale = self.ahead.stale.get(&point.0).and_then(|times| {
            let after = times.partition_point(|stale| *stale <= read);
            times.get(after)
        });
        match stale.map(|stale| stale.saturating_sub(until_stale)) {
            Some(last) if last <= read => None,
            Some(last) => Some(due.min(last)),
            None => Some(due),
        }
    }

    fn is_within(&self, time: WallMs) -> bool {
        self.span.from.is_none_or(|from| time >= from) && self.span.to.is_none_or(|to| time <= to)
    }

    /// A batch that begins well after the span's end holds nothing of it, and none behind it does.
    fn goes_on(&self, batch: &Batch) -> ControlFlow<()> {
        let window = i64::try_from(WINDOW_MS).unwrap_or(i64::MAX);
        let is_after = |time: WallMs| {
            self.span
                .to
                .is_some_and(|to| time.0 > to.0.saturating_add(window))
        };
        match batch.records.first().and_then(time) {
            Some(time) if is_after(time) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn point(&self, names: &Names, position: u32) -> Option<PointIndex> {
        self.ids.point(names.points.get(position as usize)?)
    }

    fn alarm(&self, names: &Names, position: u32) -> Option<AlarmIndex> {
        self.ids.alarm(names.alarms.get(position as usize)?)
    }

    fn unknown(&mut self, id: Option<&Arc<str>>) {
        if let Some(id) = id
            && self.found.unknown.len() < MOST_UNKNOWN
        {
            self.found.unknown.insert(id.to_string());
        }
    }
}

fn time(record: &Record) -> Option<WallMs> {
    Some(match record {
        Record::Reading { reading, .. } => reading.source_time(),
        Record::Transition(transition) => transition.time,
        Record::Output { time, .. } | Record::Started { time } => *time,
        Record::Lost { .. } => return None,
    })
}

/// How long a reading of a point may be held between repeats, and how long before a recorded stale alarm its last poll was.
fn hold(site: &Site, point: usize) -> (u64, u64) {
    let alarms = site.points[point].alarms.iter();
    let stale = alarms
        .map(|alarm| &site.alarms[alarm.0].definition)
        .find_map(|definition| match definition.condition {
            Condition::Stale { after_ms } => {
                Some((u64::from(after_ms), u64::from(definition.on_delay_ms)))
            }
            _ => None,
        });
    let (after, delay) = stale.unwrap_or((u64::MAX / 4, 0));
    ((after / 2).max(REPEAT_MIN_MS), after + delay)
}

/// Whether somebody's act led to a transition.
const fn is_act(transition: &Transition) -> bool {
    match transition.cause {
        Cause::Acknowledge
        | Cause::Reset
        | Cause::Shelve
        | Cause::Unshelve
        | Cause::OutOfService
        | Cause::InService
        | Cause::Suppress
        | Cause::Unsuppress => true,
        Cause::Active | Cause::Clear | Cause::ReAlarm | Cause::StepUp | Cause::ShelveExpired => {
            false
        }
    }
}

/// The act behind a recorded transition. Whoever acted was allowed to; an acknowledgement is of what is shown now, for other limits count otherwise.
fn act(transition: &Transition, alarm: AlarmIndex, id: String, occurrence: u32) -> Act {
    let person = transition.person.clone();
    let reason = person
        .as_ref()
        .is_some_and(|person| person.reason.is_some());
    let second = person
        .as_ref()
        .is_some_and(|person| person.second.is_some());
    let action = match transition.cause {
        Cause::Reset => Action::Reset,
        Cause::Shelve => Action::Shelve {
            minutes: minutes(transition),
            reason,
            second,
        },
        Cause::Unshelve => Action::Unshelve,
        Cause::OutOfService => Action::OutOfService { reason },
        Cause::InService => Action::InService,
        Cause::Suppress => Action::Suppress,
        Cause::Unsuppress => Action::Unsuppress,
        Cause::Acknowledge
        | Cause::Active
        | Cause::Clear
        | Cause::ReAlarm
        | Cause::StepUp
        | Cause::ShelveExpired => Action::Acknowledge {
            occurrence: Some(occurrence),
        },
    };
    let actor = Actor {
        remote: transition.command.is_some(),
        maintenance: true,
    };
    Act {
        target: Target::Alarm(id),
        action: action.name().to_owned(),
        ask: Ok(Ask::Alarm {
            alarm,
            action,
            actor,
            person: person.unwrap_or(crate::judge::Person {
                actor: "".into(),
                reason: None,
                second: None,
            }),
        }),
    }
}

/// How long a recorded shelving was to last, whole minutes.
fn minutes(transition: &Transition) -> u32 {
    let until = transition.shelved_until.unwrap_or(transition.time);
    let lasts = until
        .0
        .saturating_sub(transition.time.0)
        .saturating_add(30_000)
        / 60_000;
    u32::try_from(lasts.max(0)).unwrap_or(u32::MAX)
}

fn reset(output: OutputIndex, id: String) -> Act {
    let actor = Actor {
        remote: false,
        maintenance: true,
    };
    Act {
        target: Target::Output(id),
        action: Action::Reset.name().to_owned(),
        ask: Ok(Ask::ResetOutput { output, actor }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_an_hour_goes_on_here() {
        let mut timeline = Timeline::new(None);
        timeline.follow(WallMs(10_000_000));
        assert_eq!(timeline.at(WallMs(9_999_000)), 0);
        timeline.follow(WallMs(10_060_000));
        assert_eq!(timeline.at(WallMs(10_060_000)), 61_000);
        timeline.follow(WallMs(10_060_000 - 3_600_000));
        assert_eq!(timeline.at(WallMs(10_060_000 - 3_600_000)), 61_000);
        assert_eq!(timeline.at(WallMs(10_061_000 - 3_600_000)), 62_000);
        assert_eq!(timeline.set_back, 1);
        // A second of drift is no jump.
        timeline.follow(WallMs(10_059_000 - 3_600_000));
        assert_eq!(timeline.set_back, 1);
    }
}
