//! What a bus owes its nodes beside their polls: which to ask next, what, and what the answer means. Does no I/O.
//!
//! Every [`ERRAND_EVERY`] a node that answers its polls gets a changed heartbeat, is asked how it does, has its wall clock set if that is off, and gives the events
//! that the record has not. Each is one exchange, between two polls. Of a backlog of events all but the first read wait for a moment in which no poll is due, and
//! end when the next round is: however long a backlog is, the heartbeat comes first.
//!
//! Nothing is written but the registers `Heartbeat` and `ClockSet`, and those only to a unit whose map was read and is known.

use super::clock::time_of;
use super::nodes::{Nodes, What};
use super::registers::{number_of, read, read_events, together, write};
use super::status::{self, Status};
use crate::acquire::{Fault, Request};
use davy_alarm::WallMs;
use davy_config::site::Device;
use davy_wire::node::{EVENT_WORDS, Event, Id, LEAST_SILENT_S};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// From one round with a node to the next.
pub(crate) const ERRAND_EVERY: Duration = Duration::from_secs(2);
/// A unit that does not answer as a node is asked again after this.
const STRANGE_EVERY: Duration = Duration::from_secs(60);
/// So many errands in a row that are not answered are a bad line; from then on the wait doubles, up to [`STRANGE_EVERY`].
const PATIENCE: u32 = 3;
const _: () = assert!(ERRAND_EVERY.as_secs() * 3 <= LEAST_SILENT_S as u64);
/// Events of one read: what a slow line carries in an eighth of a second.
const EVENTS_A_READ: u16 = 4;
/// A node's clock that is further off is set.
const CLOCK_OFF_MS: u64 = 1_000;
/// A clock that was set and is off again is left alone for so long: each setting is an event, and makes older ones give way.
const CLOCK_EVERY: Duration = Duration::from_secs(600);
/// 2024: a gateway whose clock is before it knows no time to tell.
const CLOCK_SANE_MS: i64 = 1_704_067_200_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// How it does, and where its ring stands.
    Look,
    Beat,
    Clock,
    /// Events up to this number, which it does not have yet.
    Collect {
        to: u32,
        is_first: bool,
    },
}

/// One node's.
#[derive(Debug)]
struct Errand {
    id: Arc<str>,
    /// Position of its device among the bus's stations.
    station: usize,
    step: Step,
    due: Instant,
    round: Instant,
    beat: u16,
    status: Status,
    /// When it said so: what its uptime is reckoned from.
    looked: WallMs,
    /// When its clock was last set.
    clock_set: Option<Instant>,
    /// Errands that it let go unanswered one after the other, though it answers its polls.
    unanswered: u32,
}

/// Those of one bus.
#[derive(Debug)]
pub(crate) struct Errands {
    nodes: Nodes,
    errands: Vec<Errand>,
}

impl Errands {
    /// `devices` are those of the bus's stations, in their order.
    pub(crate) fn new<'a>(
        nodes: Nodes,
        devices: impl Iterator<Item = &'a Device>,
        now: Instant,
    ) -> Self {
        let nodes_of = devices.enumerate().filter(|(_, device)| device.is_node);
        Self {
            errands: nodes_of
                .map(|(station, device)| Errand::new(&device.id, station, now))
                .collect(),
            nodes,
        }
    }

    /// Another site file: nodes that are still there go on.
    pub(crate) fn follow<'a>(&mut self, devices: impl Iterator<Item = &'a Device>, now: Instant) {
        let next = Self::new(self.nodes.clone(), devices, now);
        let mut before = std::mem::replace(&mut self.errands, next.errands);
        for errand in &mut self.errands {
            let known = before.iter().position(|known| known.id == errand.id);
            if let Some(known) = known.map(|known| before.swap_remove(known)) {
                let station = errand.station;
                *errand = Errand { station, ..known };
            }
        }
    }

    /// The node that is longest due; `is_idle` if no poll is. A backlog gives way to the round that follows it.
    pub(crate) fn next_due(&mut self, now: Instant, is_idle: bool) -> Option<usize> {
        let backlogs = self.errands.iter_mut().filter(|errand| errand.can_wait());
        backlogs
            .filter(|errand| now >= errand.round + ERRAND_EVERY)
            .for_each(|errand| errand.end_round(now));
        let due = self.errands.iter().enumerate();
        let due = due.filter(|(_, errand)| errand.due <= now && (is_idle || !errand.can_wait()));
        due.min_by_key(|(_, errand)| errand.due)
            .map(|(position, _)| position)
    }

    pub(crate) fn next_wake(&self) -> Option<Instant> {
        self.errands.iter().map(|errand| errand.due).min()
    }

    pub(crate) fn due(&self, position: usize) -> Instant {
        self.errands[position].due
    }

    pub(crate) fn station(&self, position: usize) -> usize {
        self.errands[position].station
    }

    /// What to ask it now.
    pub(crate) fn request(&self, position: usize, wall: WallMs) -> Request {
        let errand = &self.errands[position];
        match errand.step {
            Step::Look => read(Id::MapVersion, 0, status::length()),
            Step::Beat => write(Id::Heartbeat, 0, &[errand.beat]),
            Step::Clock => write(Id::ClockSet, 0, &words_of(wall.0)),
            Step::Collect { to, .. } => {
                let from = self.nodes.next(&errand.id).unwrap_or(to);
                read_events(from, together(from, to, EVENTS_A_READ).max(1))
            }
        }
    }

    /// It cannot be asked now: its device is silent, or a late answer may still come.
    pub(crate) fn pass(&mut self, position: usize, now: Instant) {
        self.errands[position].end_round(now);
    }

    /// What came of [`Errands::request`].
    pub(crate) fn take(
        &mut self,
        position: usize,
        outcome: Result<&[u16], Fault>,
        now: Instant,
        wall: WallMs,
    ) {
        let errand = &mut self.errands[position];
        let words = match outcome {
            Ok(words) => words,
            // A node that knows no such register, or refuses it, still has its other ones.
            Err(Fault::Exception(_)) if errand.step != Step::Look => &[],
            Err(Fault::Exception(1..=3)) => return errand.strange(now, &self.nodes),
            Err(Fault::Timeout | Fault::BadFrame) => return errand.unanswered(now),
            Err(_) => return errand.end_round(now),
        };
        errand.answered();
        match errand.step {
            Step::Look => match Status::of(words) {
                Some(status) => errand.looked(status, now, wall, &self.nodes),
                None => errand.strange(now, &self.nodes),
            },
            Step::Beat if errand.wants_clock(now, wall) => errand.step = Step::Clock,
            Step::Beat => errand.collect(now, &self.nodes),
            Step::Clock => {
                errand.clock_set = Some(now);
                errand.collect(now, &self.nodes);
            }
            Step::Collect { to, .. } => errand.collected(to, words, (now, wall), &self.nodes),
        }
    }
}

impl Errand {
    fn new(id: &str, station: usize, now: Instant) -> Self {
        Self {
            id: id.into(),
            station,
            step: Step::Look,
            due: now,
            round: now,
            // A gateway that starts again must not seem to stand still.
            beat: rand::random(),
            status: Status::default(),
            looked: WallMs(0),
            clock_set: None,
            unanswered: 0,
        }
    }

    /// Whether it may wait until no poll is due.
    const fn can_wait(&self) -> bool {
        matches!(
            self.step,
            Step::Collect {
                is_first: false,
                ..
            }
        )
    }

    fn end_round(&mut self, now: Instant) {
        self.step = Step::Look;
        self.due = now.max(self.round + ERRAND_EVERY);
        self.round = self.due;
    }

    /// Each costs the bus a time-out, and its device's next poll a question in another shape.
    fn unanswered(&mut self, now: Instant) {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered == PATIENCE {
            tracing::warn!(
                device = &*self.id,
                "answers its polls, and not what it is asked as a node: it gets its heartbeat more seldom, and its events are not collected"
            );
        }
        self.end_round(now);
        let doubled = self.unanswered.saturating_sub(PATIENCE - 1).min(5);
        let wait = (ERRAND_EVERY * (1 << doubled)).min(STRANGE_EVERY);
        if doubled > 0 {
            self.due = now + wait;
            self.round = self.due;
        }
    }

    fn answered(&mut self) {
        if std::mem::take(&mut self.unanswered) >= PATIENCE {
            tracing::info!(device = &*self.id, "answers as a node again");
        }
    }

    fn strange(&mut self, now: Instant, nodes: &Nodes) {
        if nodes.strange(&self.id) {
            tracing::warn!(
                device = &*self.id,
                "does not answer as a node of a known map: it gets no heartbeat, and its events are not collected"
            );
        }
        self.end_round(now);
        self.due = now + STRANGE_EVERY;
        self.round = self.due;
    }

    fn looked(&mut self, status: Status, now: Instant, wall: WallMs, nodes: &Nodes) {
        // One that started anew has no clock, whenever it was set.
        if status.boot_count != self.status.boot_count || status.uptime_ms < self.status.uptime_ms {
            self.clock_set = None;
        }
        (self.status, self.looked) = (status, wall);
        nodes.look(&self.id, status, wall);
        self.beat = self.beat.wrapping_add(1);
        (self.step, self.due) = (Step::Beat, now);
    }

    fn wants_clock(&self, now: Instant, wall: WallMs) -> bool {
        let is_lately = self
            .clock_set
            .is_some_and(|set| now.duration_since(set) < CLOCK_EVERY);
        let off_ms = wall.0.abs_diff(self.status.wall_ms);
        let is_off = self.status.time_quality == 0 || off_ms > CLOCK_OFF_MS;
        wall.0 >= CLOCK_SANE_MS && is_off && !is_lately
    }

    /// Goes on to the events, if there are any that the record has not.
    fn collect(&mut self, now: Instant, nodes: &Nodes) {
        let to = self.status.event_next;
        match nodes.next(&self.id) {
            // What waits at the node is lost later than what waits for a disk that does not keep up.
            Some(next) if next < to && nodes.take_events() => {
                let is_first = true;
                (self.step, self.due) = (Step::Collect { to, is_first }, now);
            }
            _ => self.end_round(now),
        }
    }

    fn collected(&mut self, to: u32, words: &[u16], (now, wall): (Instant, WallMs), nodes: &Nodes) {
        let from = nodes.next(&self.id).unwrap_or(to);
        let slots = words.as_chunks::<EVENT_WORDS>().0.iter();
        let slots = slots.zip(from..to);
        // A slot that bears a higher number was overwritten meanwhile: the next look tells where the ring begins now. One that bears a lower one, or none, was
        // never written as it should have been, and never will be.
        let there = slots.take_while(|(slot, number)| number_of(slot) <= *number);
        let told = there.map(|(slot, number)| {
            if number_of(slot) == number {
                self.event(*slot, wall)
            } else {
                What::Missed {
                    from: number,
                    to: number,
                }
            }
        });
        let told: Vec<What> = told.collect();
        let got = u32::try_from(told.len()).unwrap_or(0);
        nodes.tell(&self.id, told, wall);
        if got == 0 || from + got >= to || !nodes.take_events() {
            self.end_round(now);
        } else {
            let is_first = false;
            (self.step, self.due) = (Step::Collect { to, is_first }, now);
        }
    }

    /// One that cannot be read, of a newer firmware, is kept all the same, with the time of its collection.
    fn event(&self, words: [u16; EVENT_WORDS], wall: WallMs) -> What {
        let event = Event::from_words(&words);
        let (time, clock) = event.map_or((wall, super::EventClock::Before), |event| {
            time_of(&event, &self.status, self.looked)
        });
        What::Event { words, time, clock }
    }
}

/// Most significant first.
fn words_of(value: i64) -> [u16; 4] {
    let bits = value.cast_unsigned();
    [48, 32, 16, 0].map(|shift| (bits >> shift) as u16)
}

/// The exchanges of one round: look, heartbeat, look, and one read of events. The clock is set too seldom to count.
pub(crate) fn round(device: &Device) -> Vec<Request> {
    if !device.is_node {
        return Vec::new();
    }
    vec![
        read(Id::MapVersion, 0, status::length()),
        write(Id::Heartbeat, 0, &[0]),
        read_events(0, EVENTS_A_READ),
    ]
}

#[cfg(test)]
mod tests;
