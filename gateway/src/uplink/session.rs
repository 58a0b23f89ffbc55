//! The order of things on one MQTT connection: what goes out next, and what is on its way and not yet committed. Pure: `now` is an argument.
//!
//! Births first. Then, within the window, retransmissions that are due, urgent batches (alarms and losses), fresh batches (made since the
//! session began), and backlog. Backlog has a limit of bytes a second if the site gives it one, with all that is sent again and is not urgent. Backlog may take half of the window and fresh batches three quarters, so that an alarm never waits for either.
//! What the collector does not commit in time is sent again, for ever, ever more slowly: the journal alone decides what may be forgotten.
//! To a host that commits nothing a batch is sent once a connection; it is delivered when the broker has answered a ping behind it.

use super::budget::Budget;
use davy_alarm::Instant;
use davy_config::site::Delivered;
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
/// Batches that may be between two pings.
const SENT_WINDOW: usize = 4096;

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
    /// Fresh batches were left to the backlog, and it is not through since.
    behind: bool,
    urgent: u64,
    backlog: u64,
    rewind: Option<Instant>,
    flight: BTreeMap<u64, Flight>,
    heard: Option<Instant>,
    delivered: Delivered,
    budget: Budget,
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
            behind: false,
            urgent: 0,
            backlog: 0,
            rewind: None,
            flight: BTreeMap::new(),
            heard: None,
            delivered: Delivered::Committed,
            budget: Budget::new(None),
        }
    }

    /// The same with so many bytes a second for backlog.
    pub fn with_backfill(self, bytes_s: Option<u32>) -> Self {
        let budget = Budget::new(bytes_s);
        Self { budget, ..self }
    }

    /// A batch went out as a message of so many bytes.
    pub fn spent(&mut self, offset: u64, historical: bool, bytes: usize, now: Instant) {
        let urgent = |flight: &Flight| flight.urgent;
        if historical && !self.flight.get(&offset).is_some_and(urgent) {
            self.budget.spend(bytes, now);
        }
    }

    /// As [`Session::new`], to a host that commits nothing: the window is then what may be between two pings.
    pub fn without_commits(devices: usize, stream: u64) -> Self {
        Self {
            delivered: Delivered::Sent,
            ..Self::new(SENT_WINDOW, devices, stream)
        }
    }

    /// The broker has these. Drops them from the window and answers what the journal may acknowledge.
    pub fn sent(&mut self, offsets: &[u64], now: Instant) -> Vec<RangeInclusive<u64>> {
        self.heard = Some(now);
        let mut gone = Vec::new();
        for offset in offsets {
            if self.flight.remove(offset).is_some() {
                gone.push(*offset..=*offset);
            }
        }
        gone
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

    /// The node is made of something else from now on: births come next, whatever was asked, and what is on its way goes again after them. What is on
    /// its way beyond a smaller window stays so; to a host that commits nothing `window` means nothing.
    pub fn bear_anew(&mut self, window: usize, devices: usize) {
        (self.devices, self.birth, self.rebirth) = (devices, Birth::Node, None);
        if self.delivered == Delivered::Committed {
            self.window = window.max(1);
        }
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

    /// Whether batches are made faster than they are committed: some that were made in this session wait for what is newer.
    pub const fn is_behind(&self) -> bool {
        self.behind
    }

    /// Batches on their way.
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// When time next asks for a step.
    pub fn due(&self) -> Option<Instant> {
        let commits = self.delivered == Delivered::Committed;
        let paid = self.budget.due();
        let due = self.flight.values().map(|flight| match paid {
            Some(paid) if !flight.urgent => paid.max(flight.due),
            _ => flight.due,
        });
        let retry = due.filter(|_| commits).min();
        [retry, self.rebirth, self.rewind, paid]
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
        // Whoever asked before this birth has it.
        self.rebirth = None;
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
        if self.delivered == Delivered::Sent {
            return None;
        }
        let paid = self.budget.has_room(now);
        let is_due = |flight: &Flight| flight.due <= now && (paid || flight.urgent);
        let due = (self.flight.iter_mut()).filter(|(_, flight)| is_due(flight));
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
        self.behind = self.behind && self.waiting(journal).is_some();
        if used < half
            && self.budget.has_room(now)
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
            self.behind = true;
        }
        let offset = self
            .unsent(self.fresh, journal)
            .filter(|offset| *offset < synced)?;
        self.fresh = offset + 1;
        Some(offset)
    }

    fn next_backlog(&mut self, journal: &impl Offsets) -> Option<u64> {
        let offset = self.waiting(journal)?;
        self.backlog = offset + 1;
        Some(offset)
    }

    /// The first batch that is not on its way although newer ones were sent.
    fn waiting(&self, journal: &impl Offsets) -> Option<u64> {
        self.unsent(self.backlog, journal)
            .filter(|offset| *offset < self.fresh)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const STREAM: u64 = 7;

    /// A journal in which every batch is one number.
    #[derive(Debug, Default)]
    struct Shelf {
        synced: u64,
        urgent: BTreeSet<u64>,
        acknowledged: BTreeSet<u64>,
    }

    impl Shelf {
        fn of(synced: u64, urgent: &[u64]) -> Self {
            Self {
                synced,
                urgent: urgent.iter().copied().collect(),
                acknowledged: BTreeSet::new(),
            }
        }

        fn acknowledge(&mut self, ranges: &[RangeInclusive<u64>]) {
            self.acknowledged.extend(ranges.iter().cloned().flatten());
        }
    }

    impl Offsets for Shelf {
        fn synced(&self) -> u64 {
            self.synced
        }

        fn urgent(&self, from: u64, limit: usize) -> Vec<u64> {
            let waiting = self.urgent.range(from..self.synced);
            waiting
                .filter(|at| !self.acknowledged.contains(at))
                .take(limit)
                .copied()
                .collect()
        }

        fn next_unacknowledged(&self, from: u64) -> Option<u64> {
            (from..self.synced).find(|at| !self.acknowledged.contains(at))
        }
    }

    fn at(ms: u64) -> Instant {
        Instant(ms)
    }

    /// Takes every step there is now.
    fn steps(session: &mut Session, now: u64, shelf: &Shelf) -> Vec<Step> {
        std::iter::from_fn(|| session.next(at(now), shelf)).collect()
    }

    fn born(window: usize, shelf: &Shelf) -> Session {
        let mut session = Session::new(window, 0, STREAM);
        assert_eq!(session.next(at(0), shelf), Some(Step::NodeBirth));
        session
    }

    fn offsets(steps: &[Step]) -> Vec<(u64, bool)> {
        let batch = |step: &Step| match *step {
            Step::Batch { offset, historical } => Some((offset, historical)),
            Step::NodeBirth | Step::DeviceBirth(_) => None,
        };
        steps.iter().filter_map(batch).collect()
    }

    fn ack(session: &mut Session, shelf: &mut Shelf, now: u64, committed: &[u64]) {
        let ranges = session.acknowledged(&Ack::of(STREAM, committed), shelf.synced, at(now));
        shelf.acknowledge(&ranges);
    }

    #[test]
    fn to_a_host_that_commits_nothing_a_batch_goes_once_and_is_delivered_behind_a_ping() {
        let mut shelf = Shelf::of(3, &[]);
        let mut session = Session::without_commits(0, STREAM);
        assert_eq!(offsets(&steps(&mut session, 0, &shelf)).len(), 3);
        assert_eq!(session.due(), None, "nothing is sent again");
        assert_eq!(offsets(&steps(&mut session, 60_000, &shelf)), []);
        let ranges = session.sent(&[0, 2, 9], at(60_001));
        assert_eq!(ranges, [0..=0, 2..=2]);
        shelf.acknowledge(&ranges);
        assert_eq!(session.in_flight(), 1);
        let mut next = Session::without_commits(0, STREAM);
        let again = offsets(&steps(&mut next, 70_000, &shelf));
        assert_eq!(
            again,
            [(1, true)],
            "what no ping confirmed goes again, as history"
        );
    }

    #[test]
    fn births_come_before_any_batch() {
        let shelf = Shelf::of(3, &[]);
        let mut session = Session::new(8, 2, STREAM);
        let expected = [Step::NodeBirth, Step::DeviceBirth(0), Step::DeviceBirth(1)];
        let steps = steps(&mut session, 0, &shelf);
        assert_eq!(steps[..3], expected);
        assert_eq!(offsets(&steps), [(0, true), (1, true), (2, true)]);
    }

    #[test]
    fn alarms_go_first_and_fresh_readings_do_not_wait_behind_backlog() {
        let mut shelf = Shelf::of(1_000, &[]);
        let mut session = born(8, &shelf);
        let backlog = offsets(&steps(&mut session, 0, &shelf));
        assert_eq!(
            backlog,
            [(0, true), (1, true), (2, true), (3, true)],
            "half of the window"
        );
        shelf.synced = 1_010;
        let fresh = offsets(&steps(&mut session, 1, &shelf));
        assert_eq!(fresh, [(1_000, false), (1_001, false)], "three quarters");
        shelf.urgent.insert(1_009);
        assert_eq!(offsets(&steps(&mut session, 2, &shelf)), [(1_009, false)]);
    }

    #[test]
    fn backlog_keeps_to_its_bytes_a_second_and_alarms_and_fresh_readings_do_not_wait_for_it() {
        let mut shelf = Shelf::of(10_000, &[]);
        let mut session = born(8, &shelf).with_backfill(Some(10_000));
        let mut sent = 0;
        for now in 0..20_000 {
            for (offset, historical) in offsets(&steps(&mut session, now, &shelf)) {
                assert!(
                    historical && now <= 10_000 || offset > 9_999,
                    "{offset} at {now}"
                );
                session.spent(offset, historical, 1_000, at(now));
                sent += u64::from(historical) * 1_000;
                ack(&mut session, &mut shelf, now, &[offset]);
            }
            // What one look at the journal begins is sent whole.
            let allowed = 10_000 * (now + 1_000) / 1_000 + 4_000;
            assert!(sent <= allowed, "{sent} bytes of backlog after {now} ms");
            if now == 10_000 {
                assert!(sent >= 100_000, "{sent}");
                shelf.acknowledge(&[0..=9_999]);
                shelf.urgent.insert(10_001);
                shelf.synced = 10_002;
            }
        }
        assert!(shelf.acknowledged.contains(&10_000) && shelf.acknowledged.contains(&10_001));
    }

    #[test]
    fn what_is_sent_again_counts_as_backlog_unless_it_is_urgent() {
        let mut shelf = Shelf::of(4, &[3]);
        let mut session = born(8, &shelf).with_backfill(Some(1_000));
        shelf.synced = 4;
        assert_eq!(offsets(&steps(&mut session, 0, &shelf)).len(), 4);
        for offset in 0..4 {
            session.spent(offset, true, 10_000, at(0));
        }
        let again = offsets(&steps(&mut session, RETRY_MS, &shelf));
        assert_eq!(again, [(3, true)], "thirty seconds are spent in advance");
        let due = session.due().unwrap();
        assert_eq!(due, at(3 * RETRY_MS), "the alarm again");
        assert_eq!(offsets(&steps(&mut session, 29_500, &shelf)).len(), 4);
    }

    #[test]
    fn an_alarm_of_the_backlog_goes_before_fresh_readings_and_is_historical() {
        let mut shelf = Shelf::of(100, &[50]);
        let mut session = born(1, &shelf);
        shelf.synced = 101;
        assert_eq!(offsets(&steps(&mut session, 0, &shelf)), [(50, true)]);
    }

    #[test]
    fn fresh_readings_that_pile_up_become_backlog_and_the_newest_goes() {
        let mut shelf = Shelf::of(10, &[]);
        let mut session = born(4, &shelf);
        ack(&mut session, &mut shelf, 0, &(0..10).collect::<Vec<_>>());
        assert_eq!(steps(&mut session, 0, &shelf), []);
        assert!(!session.is_behind());
        shelf.synced = 100;
        let sent = offsets(&steps(&mut session, 0, &shelf));
        assert_eq!(sent, [(96, false), (97, false), (98, false)]);
        ack(&mut session, &mut shelf, 1, &[96, 97, 98]);
        let next = offsets(&steps(&mut session, 1, &shelf));
        assert_eq!(
            next,
            [(99, false), (10, true)],
            "what was jumped over is history"
        );
        assert!(session.is_behind());
        let mut now = 2;
        while session.is_behind() && now < 100 {
            let flight: Vec<u64> = (0..100).filter(|at| session.is_in_flight(*at)).collect();
            ack(&mut session, &mut shelf, now, &flight);
            steps(&mut session, now, &shelf);
            now += 1;
        }
        let is_through = |at: &u64| shelf.acknowledged.contains(at) || session.is_in_flight(*at);
        assert_eq!((0..100).filter(is_through).count(), 100);
        assert!(!session.is_behind(), "all of it is through");
    }

    #[test]
    fn nothing_is_behind_once_what_was_jumped_over_is_on_its_way() {
        let mut shelf = Shelf::of(0, &[]);
        let mut session = born(16, &shelf);
        shelf.synced = 76;
        steps(&mut session, 0, &shelf);
        assert!(session.is_behind());
        let waits = |session: &Session, shelf: &Shelf| {
            let waits = |at: &u64| !shelf.acknowledged.contains(at) && !session.is_in_flight(*at);
            (0..shelf.synced).filter(waits).count()
        };
        for now in 1..20 {
            // Once all of it is on its way, fresh ones keep more than half of the window under way.
            let drained = waits(&session, &shelf) == 0;
            let flight: Vec<u64> = (0..shelf.synced)
                .filter(|at| session.is_in_flight(*at))
                .collect();
            let kept = if drained { 9 } else { 0 };
            let early = flight.len().saturating_sub(kept);
            ack(&mut session, &mut shelf, now, &flight[..early]);
            shelf.synced += u64::from(drained) * 3;
            steps(&mut session, now, &shelf);
        }
        assert_eq!(waits(&session, &shelf), 0);
        assert!(session.in_flight() >= 8 && !session.is_behind());
    }

    #[test]
    fn what_is_not_committed_in_time_is_sent_again_ever_more_slowly() {
        let shelf = Shelf::of(1, &[]);
        let mut session = born(4, &shelf);
        assert_eq!(offsets(&steps(&mut session, 0, &shelf)), [(0, true)]);
        let mut sent = vec![0];
        while sent.len() < 6 {
            let due = session.due().unwrap();
            assert_eq!(session.next(at(due.0 - 1), &shelf), None);
            assert_eq!(offsets(&steps(&mut session, due.0, &shelf)), [(0, true)]);
            sent.push(due.0);
        }
        let pauses: Vec<u64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 30_000, 30_000]);
    }

    #[test]
    fn a_collector_that_is_back_gets_everything_soon() {
        let mut shelf = Shelf::of(2, &[]);
        let mut session = born(4, &shelf);
        steps(&mut session, 0, &shelf);
        for _ in 0..5 {
            let due = session.due().unwrap();
            steps(&mut session, due.0, &shelf);
        }
        let last = session.due().unwrap().0 - RETRY_MAX_MS;
        ack(&mut session, &mut shelf, last + 1, &[0]);
        assert_eq!(session.due(), Some(at(last + RETRY_MS)));
    }

    #[test]
    fn another_streams_acknowledgement_and_one_of_the_future_change_nothing() {
        let shelf = Shelf::of(3, &[]);
        let mut session = born(8, &shelf);
        steps(&mut session, 0, &shelf);
        let other = session.acknowledged(&Ack::of(STREAM + 1, &[0, 1, 2]), 3, at(1));
        assert_eq!((other, session.in_flight()), (vec![], 3));
        let future = session.acknowledged(&Ack::of(STREAM, &[2, 3, 4]), 3, at(1));
        assert_eq!((future, session.in_flight()), (vec![2..=2], 2));
        assert_eq!(session.acknowledged(&Ack::of(STREAM, &[0]), 0, at(1)), []);
    }

    #[test]
    fn a_storm_of_rebirth_requests_gets_one_set_of_births_a_second() {
        let shelf = Shelf::of(0, &[]);
        let mut session = Session::new(4, 1, STREAM);
        let mut births = 0;
        for now in 0..5_000 {
            session.request_rebirth(at(now));
            births += steps(&mut session, now, &shelf)
                .iter()
                .filter(|step| **step == Step::NodeBirth)
                .count();
        }
        assert_eq!(births, 5);
    }

    #[test]
    fn what_is_on_its_way_is_sent_again_after_a_rebirth_and_numbers_begin_anew() {
        let shelf = Shelf::of(2, &[]);
        let mut session = Session::new(4, 1, STREAM);
        for step in steps(&mut session, 0, &shelf) {
            let seq = session.take_seq();
            assert_eq!(step == Step::NodeBirth, seq == 0);
        }
        session.request_rebirth(at(2_000));
        let again = steps(&mut session, 2_000, &shelf);
        assert_eq!(again[..2], [Step::NodeBirth, Step::DeviceBirth(0)]);
        assert_eq!(offsets(&again), [(0, true), (1, true)]);
        assert_eq!(session.take_seq(), 0);
    }

    #[test]
    fn a_window_that_grows_or_shrinks_while_batches_are_on_their_way_counts_from_then_on() {
        let mut shelf = Shelf::of(0, &[]);
        let mut session = born(4, &shelf);
        let fresh = |session: &mut Session, shelf: &Shelf| {
            std::iter::from_fn(|| session.next(at(1), shelf))
                .filter(|step| {
                    matches!(
                        step,
                        Step::Batch {
                            historical: false,
                            ..
                        }
                    )
                })
                .count()
        };
        shelf.synced = 16;
        assert_eq!(fresh(&mut session, &shelf), 3);
        session.bear_anew(16, 0);
        assert_eq!(fresh(&mut session, &shelf), 12 - 3);
        session.bear_anew(8, 0);
        assert_eq!(fresh(&mut session, &shelf), 0);
        assert_eq!(session.in_flight(), 12, "none is forgotten");
        let seven: Vec<u64> = session.flight.keys().copied().take(7).collect();
        session.acknowledged(&Ack::of(STREAM, &seven), 16, at(2));
        assert_eq!(fresh(&mut session, &shelf), 6 - 5);
    }

    #[test]
    fn a_batch_that_cannot_be_read_leaves_the_window_and_is_looked_for_again() {
        let shelf = Shelf::of(1, &[]);
        let mut session = born(1, &shelf);
        assert_eq!(offsets(&steps(&mut session, 0, &shelf)), [(0, true)]);
        session.missing(0, at(1));
        assert_eq!(
            (session.in_flight(), session.next(at(2), &shelf)),
            (0, None)
        );
        let due = session.due().unwrap();
        assert_eq!(offsets(&steps(&mut session, due.0, &shelf)), [(0, true)]);
    }

    #[test]
    fn the_cloud_is_up_while_it_answers() {
        let mut shelf = Shelf::of(1, &[]);
        let mut session = born(4, &shelf);
        steps(&mut session, 0, &shelf);
        assert!(!session.is_heard(at(1)), "nothing was ever heard");
        ack(&mut session, &mut shelf, 2, &[0]);
        assert!(session.is_heard(at(1_000_000)), "nothing waits");
        shelf.synced = 2;
        steps(&mut session, 1_000_000, &shelf);
        assert!(session.is_heard(at(1_000_000 + RETRY_MS - 1)));
        assert!(!session.is_heard(at(1_000_000 + RETRY_MS)));
    }

    /// What the world does to a link.
    #[derive(Clone, Debug)]
    enum Act {
        Append {
            urgent: bool,
        },
        /// The session may take this many steps; each message arrives or is lost on the way.
        Send {
            steps: usize,
            arrives: bool,
        },
        /// The collector acknowledges what it holds; the acknowledgement arrives or is lost.
        Ack {
            arrives: bool,
        },
        Wait(u64),
        Disconnect,
        Rebirth,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => any::<bool>().prop_map(|urgent| Act::Append { urgent }),
            5 => (1_usize..6, prop::bool::weighted(0.7)).prop_map(|(steps, arrives)| Act::Send { steps, arrives }),
            3 => prop::bool::weighted(0.7).prop_map(|arrives| Act::Ack { arrives }),
            2 => (1_u64..40_000).prop_map(Act::Wait),
            1 => Just(Act::Disconnect),
            1 => Just(Act::Rebirth),
        ]
    }

    /// Both ends of the link and what is between them.
    struct World {
        shelf: Shelf,
        session: Session,
        window: usize,
        now: u64,
        committed: BTreeSet<u64>,
        unacknowledged: Vec<u64>,
        seq: Option<u8>,
        to_bear: usize,
    }

    const DEVICES: usize = 2;

    impl World {
        fn new(window: usize) -> Self {
            Self {
                shelf: Shelf::default(),
                session: Session::new(window, DEVICES, STREAM),
                window,
                now: 0,
                committed: BTreeSet::new(),
                unacknowledged: Vec::new(),
                seq: None,
                to_bear: 0,
            }
        }

        fn act(&mut self, act: &Act) {
            match *act {
                Act::Append { urgent } => {
                    if urgent {
                        self.shelf.urgent.insert(self.shelf.synced);
                    }
                    self.shelf.synced += 1;
                }
                Act::Send { steps, arrives } => (0..steps).for_each(|_| self.step(arrives)),
                Act::Ack { arrives } => self.ack(arrives),
                Act::Wait(ms) => self.now += ms,
                Act::Disconnect => {
                    self.session = Session::new(self.window, DEVICES, STREAM);
                    (self.seq, self.to_bear) = (None, 0);
                }
                Act::Rebirth => self.session.request_rebirth(at(self.now)),
            }
            assert!(self.session.in_flight() <= self.window);
        }

        fn is_done(&self) -> bool {
            self.shelf.acknowledged.len() as u64 == self.shelf.synced
        }

        /// Publishes one message, and holds it against the rules of the protocol.
        fn step(&mut self, arrives: bool) {
            let Some(step) = self.session.next(at(self.now), &self.shelf) else {
                assert!(
                    self.session.due().is_none_or(|due| due.0 > self.now),
                    "waits for nothing"
                );
                return;
            };
            let seq = self.session.take_seq();
            match step {
                Step::NodeBirth => {
                    assert_eq!(seq, 0);
                    self.to_bear = DEVICES;
                }
                Step::DeviceBirth(device) => {
                    assert_eq!(device, DEVICES - self.to_bear);
                    self.to_bear -= 1;
                }
                Step::Batch { offset, .. } => {
                    assert_eq!(
                        (self.seq.is_some(), self.to_bear),
                        (true, 0),
                        "data before births"
                    );
                    assert!(
                        !self.shelf.acknowledged.contains(&offset),
                        "sent though acknowledged"
                    );
                    if arrives {
                        self.committed.insert(offset);
                        self.unacknowledged.push(offset);
                    }
                }
            }
            if step != Step::NodeBirth {
                assert_eq!(Some(seq), self.seq.map(|last| last.wrapping_add(1)));
            }
            self.seq = Some(seq);
        }

        fn ack(&mut self, arrives: bool) {
            let offsets = std::mem::take(&mut self.unacknowledged);
            if arrives && !offsets.is_empty() {
                ack(&mut self.session, &mut self.shelf, self.now, &offsets);
            }
            assert!(
                self.shelf.acknowledged.is_subset(&self.committed),
                "acknowledged though never committed"
            );
        }
    }

    proptest! {
        #[test]
        fn every_batch_ends_acknowledged_once_committed_whatever_is_lost_between(
            window in 1_usize..12,
            acts in prop::collection::vec(act(), 1..120),
        ) {
            let mut world = World::new(window);
            for act in &acts {
                world.act(act);
            }
            // The world heals: everything arrives from now on.
            for _ in 0..acts.len() * 4 + 20 {
                if world.is_done() {
                    break;
                }
                world.act(&Act::Send { steps: window + DEVICES + 1, arrives: true });
                world.act(&Act::Ack { arrives: true });
                world.act(&Act::Wait(1_000));
            }
            let all: BTreeSet<u64> = (0..world.shelf.synced).collect();
            prop_assert_eq!(&world.shelf.acknowledged, &all);
            prop_assert_eq!(&world.committed, &all);
            prop_assert_eq!(world.session.in_flight(), 0);
        }
    }
}
