//! The order of things on one MQTT connection: what goes out next, and what is on its way and not yet committed. Pure: `now` is an argument.
//!
//! Births first. Then, within the window, retransmissions that are due, urgent batches (alarms and losses), fresh batches (made since the
//! session began), and backlog. Backlog may take half of the window and fresh batches three quarters, so that an alarm never waits for either.
//! What the collector does not commit in time is sent again, for ever, ever more slowly: the journal alone decides what may be forgotten.

use davy_alarm::Instant;
use davy_wire::Ack;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How long a batch may be on its way before it is sent again, milliseconds: far above the time of a commit.
pub const RETRY_MS: u64 = 5_000;
/// Longest wait between two tries of one batch, milliseconds.
pub const RETRY_MAX_MS: u64 = 30_000;
/// Least time between two sets of births, milliseconds: hosts that ask for rebirths in a storm get one.
pub const REBIRTH_MS: u64 = 1_000;
/// How long to wait before batches that could not be read are looked for again, milliseconds.
const REWIND_MS: u64 = 60_000;
/// Fresh batches that may wait, in windows, before the older of them count as backlog.
const FRESH_WINDOWS: u64 = 4;
/// Urgent offsets looked at in one go.
const URGENT_LOOK: usize = 8;

/// What the session asks of the journal: all from memory.
pub trait Offsets {
    /// Next offset: every batch below it is on disk.
    fn synced(&self) -> u64;
    /// Urgent unacknowledged offsets from `from`, oldest first, at most `limit`.
    fn urgent(&self, from: u64, limit: usize) -> Vec<u64>;
    /// First unacknowledged offset from `from`.
    fn next_unacknowledged(&self, from: u64) -> Option<u64>;
}

/// What to publish next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    NodeBirth,
    /// Of the device at this position.
    DeviceBirth(usize),
    Batch {
        offset: u64,
        /// Backlog, or sent before.
        historical: bool,
    },
}

/// One connection's session.
#[derive(Debug)]
pub struct Session {
    window: usize,
    devices: usize,
    stream: u64,
    seq: u8,
    birth: Birth,
    born: Option<Instant>,
    rebirth: Option<Instant>,
    /// Batches from here on are fresh.
    live_from: u64,
    fresh: u64,
    urgent: u64,
    backlog: u64,
    rewind: Option<Instant>,
    flight: BTreeMap<u64, Flight>,
    heard: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Birth {
    Node,
    Device(usize),
    Done,
}

/// A batch on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    sent: Instant,
    due: Instant,
    tries: u32,
    urgent: bool,
}

impl Session {
    /// A new connection's session: births are next. `window` ≥ 1 batches may be on their way.
    pub fn new(window: usize, devices: usize, stream: u64) -> Self {
        Self {
            window: window.max(1),
            devices,
            stream,
            seq: 0,
            birth: Birth::Node,
            born: None,
            rebirth: None,
            live_from: 0,
            fresh: 0,
            urgent: 0,
            backlog: 0,
            rewind: None,
            flight: BTreeMap::new(),
            heard: None,
        }
    }

    /// What to publish next, if anything; it counts as on its way from now on.
    pub fn next(&mut self, now: Instant, journal: &impl Offsets) -> Option<Step> {
        if self.rebirth.is_some_and(|at| at <= now) && self.birth == Birth::Done {
            (self.rebirth, self.birth) = (None, Birth::Node);
        }
        match self.birth {
            Birth::Node => Some(self.bear_node(now, journal)),
            Birth::Device(device) => Some(self.bear_device(device)),
            Birth::Done => self.retry(now).or_else(|| self.first(now, journal)),
        }
    }

    /// The sequence number of the message that is published now.
    pub fn take_seq(&mut self) -> u8 {
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        seq
    }

    /// The collector committed these: drops them from the window and answers what the journal may acknowledge. Another stream's are ignored,
    /// and so is what is not on disk yet: nobody can have committed it.
    pub fn acknowledged(
        &mut self,
        ack: &Ack,
        synced: u64,
        now: Instant,
    ) -> Vec<RangeInclusive<u64>> {
        if ack.stream != self.stream {
            return Vec::new();
        }
        let last = synced.checked_sub(1);
        let clip = |range: &RangeInclusive<u64>| {
            last.filter(|last| range.start() <= last)
                .map(|last| *range.start()..=last.min(*range.end()))
        };
        let ranges: Vec<_> = ack.ranges.iter().filter_map(clip).collect();
        for range in &ranges {
            self.flight.retain(|offset, _| !range.contains(offset));
        }
        if !ranges.is_empty() {
            self.heard = Some(now);
            self.hasten();
        }
        ranges
    }

    /// A batch that was to be sent cannot be read. It leaves the window, and is looked for again later unless the journal gave it up.
    pub fn missing(&mut self, offset: u64, now: Instant) {
        self.flight.remove(&offset);
        self.rewind.get_or_insert(now.after(REWIND_MS));
    }

    /// A host asks for births. They come at once, but at most one set a second; what is on its way is sent again after them, for whoever asks for
    /// births did not understand it.
    pub fn request_rebirth(&mut self, now: Instant) {
        let earliest = self.born.map_or(now, |born| born.after(REBIRTH_MS));
        self.rebirth.get_or_insert(earliest.max(now));
    }

    /// Whether births are done and data flows.
    pub fn is_born(&self) -> bool {
        self.birth == Birth::Done
    }

    /// Whether the collector answers: it acknowledged something, and nothing has waited in vain since.
    pub fn is_heard(&self, now: Instant) -> bool {
        let silent = |flight: &Flight| flight.tries > 1 || now.since(flight.sent) >= RETRY_MS;
        self.heard
            .is_some_and(|heard| now.since(heard) < RETRY_MS || !self.flight.values().any(silent))
    }

    /// Whether this batch is on its way.
    pub fn is_in_flight(&self, offset: u64) -> bool {
        self.flight.contains_key(&offset)
    }

    /// Batches on their way.
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// When time next asks for a step.
    pub fn due(&self) -> Option<Instant> {
        let retry = self.flight.values().map(|flight| flight.due).min();
        [retry, self.rebirth, self.rewind]
            .into_iter()
            .flatten()
            .min()
    }

    fn bear_node(&mut self, now: Instant, journal: &impl Offsets) -> Step {
        if self.born.is_none() {
            (self.live_from, self.fresh) = (journal.synced(), journal.synced());
        }
        self.seq = 0;
        self.born = Some(now);
        for flight in self.flight.values_mut() {
            flight.due = now;
        }
        self.birth = if self.devices == 0 {
            Birth::Done
        } else {
            Birth::Device(0)
        };
        Step::NodeBirth
    }

    fn bear_device(&mut self, device: usize) -> Step {
        let next = device + 1;
        self.birth = if next < self.devices {
            Birth::Device(next)
        } else {
            Birth::Done
        };
        Step::DeviceBirth(device)
    }

    /// The batch that has waited too long: urgent ones first, then the oldest.
    fn retry(&mut self, now: Instant) -> Option<Step> {
        let due = self
            .flight
            .iter_mut()
            .filter(|(_, flight)| flight.due <= now);
        let (offset, flight) = due.min_by_key(|(offset, flight)| (!flight.urgent, **offset))?;
        flight.tries = flight.tries.saturating_add(1);
        flight.sent = now;
        let wait = RETRY_MS << flight.tries.saturating_sub(1).min(8);
        flight.due = now.after(wait.min(RETRY_MAX_MS));
        Some(Step::Batch {
            offset: *offset,
            historical: true,
        })
    }

    /// The batch to send for the first time.
    fn first(&mut self, now: Instant, journal: &impl Offsets) -> Option<Step> {
        if self.rewind.is_some_and(|at| at <= now) {
            (self.rewind, self.urgent, self.backlog) = (None, 0, 0);
        }
        let used = self.flight.len();
        let (window, half) = (self.window, (self.window / 2).max(1));
        if used < window
            && let Some(offset) = self.next_urgent(journal)
        {
            return Some(self.send(offset, true, offset < self.live_from, now));
        }
        if used < window - window / 4
            && let Some(offset) = self.next_fresh(journal)
        {
            return Some(self.send(offset, false, false, now));
        }
        if used < half
            && let Some(offset) = self.next_backlog(journal)
        {
            return Some(self.send(offset, false, true, now));
        }
        None
    }

    fn next_urgent(&mut self, journal: &impl Offsets) -> Option<u64> {
        loop {
            let waiting = journal.urgent(self.urgent, URGENT_LOOK);
            self.urgent = waiting.last()? + 1;
            let unsent = waiting
                .into_iter()
                .find(|offset| !self.flight.contains_key(offset));
            if let Some(offset) = unsent {
                self.urgent = offset + 1;
                return Some(offset);
            }
        }
    }

    /// When fresh batches come faster than they go, the older of them become backlog: the newest is what a person looks at.
    fn next_fresh(&mut self, journal: &impl Offsets) -> Option<u64> {
        let synced = journal.synced();
        let behind = self.window as u64 * FRESH_WINDOWS;
        if synced.saturating_sub(self.fresh) > behind {
            self.fresh = synced - self.window as u64;
        }
        let offset = self
            .unsent(self.fresh, journal)
            .filter(|offset| *offset < synced)?;
        self.fresh = offset + 1;
        Some(offset)
    }

    fn next_backlog(&mut self, journal: &impl Offsets) -> Option<u64> {
        let offset = self
            .unsent(self.backlog, journal)
            .filter(|offset| *offset < self.fresh)?;
        self.backlog = offset + 1;
        Some(offset)
    }

    /// First unacknowledged offset from `from` that is not on its way; skips at most a window.
    fn unsent(&self, from: u64, journal: &impl Offsets) -> Option<u64> {
        let mut offset = journal.next_unacknowledged(from)?;
        while self.flight.contains_key(&offset) {
            offset = journal.next_unacknowledged(offset + 1)?;
        }
        Some(offset)
    }

    fn send(&mut self, offset: u64, urgent: bool, historical: bool, now: Instant) -> Step {
        let flight = Flight {
            sent: now,
            due: now.after(RETRY_MS),
            tries: 1,
            urgent,
        };
        self.flight.insert(offset, flight);
        Step::Batch { offset, historical }
    }

    /// A collector that is back need not wait out the long pauses that its absence led to.
    fn hasten(&mut self) {
        for flight in self.flight.values_mut() {
            flight.due = flight.due.min(flight.sent.after(RETRY_MS));
        }
    }
}
