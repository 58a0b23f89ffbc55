//! A gateway's own journal as events: what it read and what people did, for another look at the same hours, by the same or another site file.
//!
//! A journal keeps a reading when it moved or a heartbeat was due, not every poll. So a reading holds until the next, as if it had been read again and
//! again, until the journal says that the point went stale or the gateway stopped. Between two kept readings a value may have moved by the point's `exception`
//! unseen; the value that a transition carries is taken as a reading, too.
//!
//! Records are put in the order of their times within a window; a wall clock that was set back counts as one that went on (invariant 7). One pass looks
//! ahead for what only shows afterwards (when polls had ended), one feeds judgement. Memory: the window, and those times.

mod act;
mod ahead;
mod feed;
mod timeline;

use super::error::ReplayError;
use super::line_in::Names as Ids;
use super::rehearsal::Rehearsal;
use crate::journal::{Act, Archive, Batch, Missing, Names, Record, Standing, Transition};
use act::is_act;
use ahead::Ahead;
use davy_alarm::{Cause, Condition, Instant, NoValue, Reading, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site, Subject};
use feed::{Event, Feed};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use timeline::{Timeline, time};

/// How much later than another a record may stand in the log than its time says, milliseconds: a batch is closed within a second or so.
const WINDOW_MS: u64 = 30_000;
/// Most ids told that the site file does not have.
const MOST_UNKNOWN: usize = 20;

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

/// Feeds a rehearsal from a journal.
#[derive(Debug)]
pub(super) struct JournalSource<'a> {
    site: Arc<Site>,
    archive: &'a Archive,
    span: Span,
    ids: Ids,
    has_points: Vec<bool>,
    ahead: Ahead,
    feed: Feed,
    /// The newest time of a record so far.
    newest: u64,
    /// Outputs whose latch was reset, by the record, since they last changed.
    reset: BTreeSet<usize>,
    /// Outputs that a test had on.
    tested: BTreeSet<usize>,
    /// The journal goes on after the span.
    is_beyond: bool,
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
            ids: Ids::of(site),
            site: site.clone(),
            archive,
            span,
            has_points,
            ahead: Ahead::default(),
            feed: Feed::new(site),
            newest: 0,
            reset: BTreeSet::new(),
            tested: BTreeSet::new(),
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
        let outputs = self.site.outputs.iter();
        let on = outputs.map(|output| standing.switched(&output.id).on);
        let ahead = self.look_ahead(begin, on.collect());
        self.ahead = ahead.map_err(ReplayError::Journal)?;
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
                self.feed.begin(std::mem::take(&mut self.ahead));
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
        let mut rehearsal = Rehearsal::new(self.site.clone(), &saved, &switched, base);
        // As at a start: of another site file's rules nobody would ever end what they suppressed.
        rehearsal.end_suppressions_without_a_rule();
        rehearsal
    }

    /// The latest reading of each point before the span; a start voids them.
    fn remember(&mut self, names: &Names, record: &Record) {
        match record {
            Record::Reading { point, reading } => {
                if let Some(point) = self.point(names, *point) {
                    self.feed.remember(point, *reading);
                }
            }
            Record::Started { .. } => self.feed.forget(),
            Record::Transition(_)
            | Record::Output { .. }
            | Record::Lost { .. }
            | Record::Proof(_)
            | Record::Reloaded(_)
            | Record::ClockSet { .. }
            | Record::Told(_)
            | Record::Act { .. } => {}
        }
    }

    fn take(&mut self, batch: &Batch, record: &Record, at: u64, recorded: &mut impl Recorded) {
        let names = &batch.names;
        match record {
            Record::Reading { point, reading } => match self.point(names, *point) {
                Some(point) => {
                    self.found.readings += 1;
                    self.feed.put(at, Event::Reading(point, *reading));
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
                    Some(output) => self.switched(output, *on, at),
                    None => self.unknown(Some(id)),
                }
            }
            Record::Act { act, actor, .. } => self.act(names, *act, actor, at),
            Record::Started { .. } => {
                self.found.starts += 1;
                self.feed.put(at, Event::Started);
            }
            // Replay judges by one file from beginning to end.
            Record::Lost { .. }
            | Record::ClockSet { .. }
            | Record::Told(_)
            | Record::Proof(_)
            | Record::Reloaded(_) => {}
        }
    }

    fn act(&mut self, names: &Names, act: Act, actor: &Arc<str>, at: u64) {
        let event = match act {
            Act::Silence => Event::Silence(actor.clone()),
            Act::ResetOutput(output) => {
                let id = names.outputs.get(output as usize);
                let Some(output) = id.and_then(|id| self.ids.output(id)) else {
                    return self.unknown(id);
                };
                self.reset.insert(output.0);
                Event::Reset(output, actor.clone())
            }
            Act::TestOutput { output, for_ms } => {
                let id = names.outputs.get(output as usize);
                let Some(output) = id.and_then(|id| self.ids.output(id)) else {
                    return self.unknown(id);
                };
                self.tested.insert(output.0);
                Event::Test(output, for_ms, actor.clone())
            }
        };
        self.found.acts += 1;
        self.feed.put(at, event);
    }

    /// A latching output that went off had been reset, if it is not recorded that it was.
    fn switched(&mut self, output: OutputIndex, on: bool, at: u64) {
        let was_tested = !on && self.tested.remove(&output.0);
        let is_told = self.reset.remove(&output.0) || was_tested;
        if !on && !is_told && self.site.outputs[output.0].latching {
            self.feed.put(at, Event::OutputOff(output));
        }
    }

    fn transition(&mut self, transition: &Transition, alarm: AlarmIndex, at: u64) {
        let judged = &self.site.alarms[alarm.0];
        // Silence is no reading; its end is one, which may have been no news to the journal.
        let tells = match judged.definition.condition {
            Condition::Stale { .. } => transition.cause == Cause::Clear,
            _ => matches!(transition.cause, Cause::Active | Cause::Clear),
        };
        if let (true, Subject::Point(point), Some(value)) =
            (tells, judged.subject, transition.value)
            && self.feed.is_polled(point, at)
        {
            let reading = match value {
                Ok(value) => Reading::measured(value, transition.time),
                Err(NoValue::NotYetRead) => return,
                Err(cause) => Reading::absent(cause, transition.time),
            };
            self.feed.put(at, Event::Reading(point, reading));
        }
        let is_manual = matches!(judged.subject, Subject::Manual(_))
            && matches!(transition.cause, Cause::Active | Cause::Clear);
        if is_calendar(judged, transition.cause) {
            self.feed
                .put(at, Event::Proof(alarm, transition.cause == Cause::Active));
        }
        if is_manual || is_act(transition) {
            self.found.acts += 1;
            self.feed
                .put(at, Event::Act(Box::new(transition.clone()), alarm));
        }
    }

    /// Feeds what happened by a time that no later record can come before.
    fn release(
        &mut self,
        until: u64,
        rehearsal: &mut Rehearsal,
        recorded: &mut impl Recorded,
    ) -> Result<(), ReplayError> {
        while self.feed.step(until, rehearsal) {
            recorded.stepped(rehearsal)?;
        }
        Ok(())
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

/// What the calendar says of a proof: no reading tells it.
fn is_calendar(judged: &davy_config::site::Alarm, cause: Cause) -> bool {
    judged.definition.condition == Condition::Unproved
        && matches!(cause, Cause::Active | Cause::Clear)
}
