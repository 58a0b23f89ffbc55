//! The queue between a journal and a rehearsal: events in the order of their times, and readings that hold until the next.

use super::act::{act, manual, proof, reset, silence, test};
use super::ahead::Ahead;
use crate::journal::Transition;
use crate::replay::rehearsal::Rehearsal;
use davy_alarm::{Condition, Instant, Reading};
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, PointIndex, Site, Subject};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// Shortest pause between two repeats of a reading that holds, milliseconds.
const REPEAT_MIN_MS: u64 = 500;

/// Something recorded, at its place in monotonic time.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Reading(PointIndex, Reading),
    /// The reading that holds is read again.
    Again(PointIndex),
    /// A device without points answers, or does not.
    Contact(AlarmIndex, bool),
    /// An output's register is seen to hold this, or cannot be read.
    Feedback(OutputIndex, Option<bool>),
    Act(Box<Transition>, AlarmIndex),
    /// Somebody silenced the horn.
    Silence(Arc<str>),
    /// Somebody reset an output's latch.
    Reset(OutputIndex, Arc<str>),
    /// Somebody had an output on for so many milliseconds, to prove it.
    Test(OutputIndex, u32, Arc<str>),
    /// A proof fell due, or was given.
    Proof(AlarmIndex, bool),
    /// A latched output went off: in a journal that did not record it, somebody had reset it.
    OutputOff(OutputIndex),
    Stopped,
    Started,
}

/// A point's reading that holds.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    reading: Option<(Reading, u64)>,
    /// When the repeat that waits in the queue is due.
    waits: Option<u64>,
}

/// How readings of a point hold.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// Milliseconds between two repeats.
    every: u64,
    /// Milliseconds from the last poll to the stale alarm.
    until_stale: u64,
}

/// What waits to be judged.
#[derive(Debug)]
pub(super) struct Feed {
    site: Arc<Site>,
    /// By point.
    holds: Vec<Hold>,
    held: Vec<Held>,
    /// By point: when it was recorded as stale.
    stale: BTreeMap<usize, Vec<u64>>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    /// Events by their number, which orders those of one time.
    events: BTreeMap<u64, Event>,
    number: u64,
}

impl Feed {
    pub(super) fn new(site: &Arc<Site>) -> Self {
        let points = 0..site.points.len();
        Self {
            holds: points.map(|point| hold(site, point)).collect(),
            held: vec![Held::default(); site.points.len()],
            site: site.clone(),
            stale: BTreeMap::new(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            number: 0,
        }
    }

    /// A reading from before the span, which holds at its beginning.
    pub(super) fn remember(&mut self, point: PointIndex, reading: Reading) {
        self.held[point.0].reading = Some((reading, 0));
    }

    /// The gateway started before the span: nothing is read yet.
    pub(super) fn forget(&mut self) {
        self.held.fill(Held::default());
    }

    /// The span begins: what was read before holds, and what shows only afterwards takes its places.
    pub(super) fn begin(&mut self, ahead: Ahead) {
        self.stale = ahead.stale;
        for point in 0..self.held.len() {
            if let Some((reading, _)) = self.held[point].reading.take() {
                self.put(0, Event::Reading(PointIndex(point), reading));
            }
        }
        for (at, alarm, answered) in ahead.contact {
            self.put(at, Event::Contact(alarm, answered));
        }
        for (at, output, held) in ahead.feedback {
            self.put(at, Event::Feedback(output, held));
        }
        for at in ahead.stopped {
            self.put(at, Event::Stopped);
        }
    }

    pub(super) fn put(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.queue.push(Reverse((at, self.number)));
        self.events.insert(self.number, event);
    }

    /// Feeds the next event, if it happened by a time that no later record can come before; whether there was one.
    pub(super) fn step(&mut self, until: u64, rehearsal: &mut Rehearsal) -> bool {
        let next = self.queue.peek().copied();
        let Some(Reverse((at, number))) = next.filter(|Reverse((at, _))| *at <= until) else {
            return false;
        };
        self.queue.pop();
        if let Some(event) = self.events.remove(&number) {
            self.feed(event, at, rehearsal);
        }
        true
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
            Event::Feedback(output, held) => rehearsal.feedback(output, held, now),
            Event::Act(transition, alarm) => {
                rehearsal.pass(now);
                let id = self.site.alarms[alarm.0].id.clone();
                let occurrence = rehearsal.judge().alarm(alarm).occurrence();
                let is_manual = matches!(self.site.alarms[alarm.0].subject, Subject::Manual(_));
                let demanded = manual(&transition, alarm, id.clone()).filter(|_| is_manual);
                if let Some(act) = demanded.or_else(|| act(&transition, alarm, id, occurrence)) {
                    rehearsal.act(act, now);
                }
            }
            Event::Silence(actor) => rehearsal.act(silence(&actor), now),
            Event::Reset(output, actor) => self.reset(output, &actor, now, rehearsal),
            Event::Test(output, for_ms, actor) => {
                let id = self.site.outputs[output.0].id.clone();
                rehearsal.act(test(output, for_ms, id, &actor), now);
            }
            Event::Proof(alarm, overdue) => {
                let id = self.site.alarms[alarm.0].id.clone();
                rehearsal.act(proof(alarm, overdue, id), now);
            }
            Event::OutputOff(output) => {
                rehearsal.pass(now);
                if rehearsal.judge().demand()[output.0] {
                    self.reset(output, "", now, rehearsal);
                }
            }
            // What fell due by the last record had its time; from here on time passes for nobody.
            Event::Stopped => {
                rehearsal.pass(Instant(at.saturating_sub(1)).max(rehearsal.now()));
                self.forget_readings();
            }
            Event::Started => {
                self.forget_readings();
                let stopped = rehearsal.now();
                rehearsal.restart(stopped, now.since(stopped));
                rehearsal.end_suppressions_without_a_rule();
            }
        }
    }

    fn reset(&self, output: OutputIndex, actor: &str, now: Instant, rehearsal: &mut Rehearsal) {
        let id = self.site.outputs[output.0].id.clone();
        rehearsal.act(reset(output, id, actor), now);
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
        let due = read.saturating_add(self.holds[point.0].every);
        match self.last_poll(point, read) {
            Some(last) if last <= read => None,
            Some(last) => Some(due.min(last)),
            None => Some(due),
        }
    }

    /// Whether the point was polled at a time, as far as its next recorded stale alarm tells: what a timer does later says nothing of a poll.
    pub(super) fn is_polled(&self, point: PointIndex, at: u64) -> bool {
        self.last_poll(point, at).is_none_or(|last| last >= at)
    }

    /// The last poll before the point next went stale after a time, if it did.
    fn last_poll(&self, point: PointIndex, after: u64) -> Option<u64> {
        let times = self.stale.get(&point.0)?;
        let next = times.get(times.partition_point(|stale| *stale <= after))?;
        Some(next.saturating_sub(self.holds[point.0].until_stale))
    }
}

/// How long a reading of a point may be held between repeats, and how long before a recorded stale alarm its last poll was.
fn hold(site: &Site, point: usize) -> Hold {
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
    Hold {
        every: (after / 2).max(REPEAT_MIN_MS),
        until_stale: after + delay,
    }
}
