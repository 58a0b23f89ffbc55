//! Where records wait for the writer. Judgement puts them in and goes on at once, whatever the disk does.

use super::record::{Names, Record};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Most readings that wait, on a site of a thousand points or less; those of a further append are dropped and counted. At 1 Hz they are eight seconds.
const MOST_READINGS: usize = 8192;
/// On a larger site: so many of each point, so that a disk that stalls costs it no sooner a reading than a small one.
const MOST_OF_POINT: usize = 8;
/// Most other records that wait; for a further one the oldest append that holds such gives way, for the newest state of an alarm tells more.
pub(super) const MOST_OTHERS: usize = 4096;
/// How long what the cloud committed may wait for a group to be written with: longer than the usual period of polls, or each group of readings would
/// be followed by a sync for its acknowledgement alone. What a power cut makes forgotten is sent again, and the cloud knows it.
const SETTLED_WITHIN: Duration = Duration::from_millis(1500);
/// Readings alone wait for those of the next device, so that a round of polls costs one sync and one burst on the wire: twice as long as devices have
/// lately followed each other, and at most so long. Anything else is taken at once.
const GATHER: Duration = Duration::from_millis(3);
/// Readings of devices that are polled more often than this wait for their own next ones, so that a batch holds several and a sync carries several batches.
/// Whoever looks at the plant sees every one at once; the record and the city get them so much later. Anything else still takes them along at once.
const OFTEN: Duration = Duration::from_millis(100);
const GATHER_OFTEN: Duration = Duration::from_millis(200);
/// A shorter wait than the system's timers keep is none.
const LEAST_GATHER: Duration = Duration::from_micros(100);

/// How many readings of a site of so many points may wait.
pub(super) fn room_of(points: usize) -> usize {
    points.saturating_mul(MOST_OF_POINT).max(MOST_READINGS)
}

/// How often a device of this period makes a batch, as a rule.
pub(crate) fn batch_every(period: Duration) -> Duration {
    if period < OFTEN { GATHER_OFTEN } else { period }
}

/// How soon one device's readings follow another's, learnt: at once upwards, by and by downwards. What follows later than [`GATHER`] is another round.
#[derive(Debug)]
struct Pace {
    gap: Duration,
    latest: Option<Instant>,
    /// By device: when its readings last came.
    of_device: Vec<Option<Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gap: GATHER,
            latest: None,
            of_device: Vec::new(),
        }
    }
}

impl Pace {
    /// Notes a device's readings; whether it is polled [`OFTEN`].
    fn is_often(&mut self, device: u32, now: Instant) -> bool {
        let device = device as usize;
        if self.of_device.len() <= device {
            self.of_device.resize(device + 1, None);
        }
        let before = self.of_device[device].replace(now);
        before.is_some_and(|before| now.saturating_duration_since(before) < OFTEN)
    }

    fn follow(&mut self, now: Instant) {
        let gap = self
            .latest
            .map(|latest| now.saturating_duration_since(latest));
        if let Some(gap) = gap.filter(|gap| *gap < GATHER) {
            self.gap = gap.max((self.gap * 7 + gap) / 8);
        }
        self.latest = Some(now);
    }

    /// When nobody follows any more, if `first` was the first.
    fn ends(&self, first: Instant) -> Instant {
        let wait = (self.gap * 2).clamp(LEAST_GATHER, GATHER);
        (self.latest.unwrap_or(first) + wait).min(first + GATHER)
    }
}

/// Records of one source, as they were handed over.
#[derive(Debug, Default)]
pub(super) struct Append {
    /// From this one on positions are of these names.
    pub(super) names: Option<Arc<Names>>,
    pub(super) device: Option<u32>,
    pub(super) records: Vec<Record>,
}

impl Append {
    pub(super) fn readings(&self) -> usize {
        let is_reading = |record: &&Record| matches!(record, Record::Reading { .. });
        self.records.iter().filter(is_reading).count()
    }
}

/// What the writer finds.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) appends: VecDeque<Append>,
    /// Readings and other records that found no room.
    pub(super) dropped_readings: u64,
    pub(super) dropped_others: u64,
    pub(super) closing: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    taken: Taken,
    /// Most readings that may wait: of the larger site, while those of two wait.
    room: usize,
    /// Of the site whose readings come now.
    next_room: usize,
    readings: usize,
    others: usize,
    /// When settled offsets must be written at the latest.
    settled_due: Option<Instant>,
    /// When the first of what waits came that is not polled often, and of what is; none while nothing waits.
    first: Option<Instant>,
    first_often: Option<Instant>,
    pace: Pace,
}

#[derive(Debug)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// As `changed`, for a writer that is a task.
    rung: Notify,
}

impl Inbox {
    /// Of a site of so many points.
    pub(super) fn new(points: usize) -> Self {
        let room = room_of(points);
        let waiting = Waiting {
            room,
            next_room: room,
            ..Waiting::default()
        };
        Self {
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
            rung: Notify::new(),
        }
    }

    /// Never waits for the writer: the lock is held for moments alone.
    pub(super) fn put(&self, append: Append) {
        let mut waiting = self.lock();
        if waiting.taken.closing || append.records.is_empty() && append.names.is_none() {
            return;
        }
        let before = (waiting.first, waiting.first_often);
        waiting.put(append);
        // The writer knows how long it waits for what joins a group, and that may have become less.
        let wake = before != (waiting.first, waiting.first_often)
            || waiting.others > 0
            || waiting.has_enough();
        drop(waiting);
        if wake {
            self.ring();
        }
    }

    fn ring(&self) {
        self.changed.notify_one();
        self.rung.notify_one();
    }

    /// Settled offsets wait to be written.
    pub(super) fn note_settled(&self) {
        self.lock()
            .settled_due
            .get_or_insert(Instant::now() + SETTLED_WITHIN);
        self.ring();
    }

    /// Whether so many records other than readings wait that further ones may soon cost the oldest: half the room.
    pub(super) fn is_behind(&self) -> bool {
        self.lock().others > MOST_OTHERS / 2
    }

    /// Nothing more is taken in.
    pub(super) fn close(&self) {
        self.lock().taken.closing = true;
        self.ring();
    }

    /// Takes what waits, as soon as there is something to do or at `until`.
    pub(super) fn take(&self, until: Option<Instant>) -> Taken {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            if waiting.is_ready(now, until) {
                break;
            }
            waiting = match waiting.due(until) {
                Some(due) => {
                    let waited = self.changed.wait_timeout(waiting, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .changed
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
        waiting.take()
    }

    /// [`Inbox::take`] for a writer that is a task.
    pub(super) async fn taken(&self, until: Option<Instant>) -> Taken {
        loop {
            let due = {
                let mut waiting = self.lock();
                if waiting.is_ready(Instant::now(), until) {
                    return waiting.take();
                }
                waiting.due(until)
            };
            match due {
                Some(due) => tokio::select! {
                    biased;
                    () = self.rung.notified() => {}
                    () = sleep_until(due) => {}
                },
                None => self.rung.notified().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Half the room is taken: these readings wait for nothing more.
    fn has_enough(&self) -> bool {
        self.readings >= self.room / 2
    }

    /// When there is something to do even if nothing more comes.
    fn due(&self, until: Option<Instant>) -> Option<Instant> {
        let gathered = self.first.map(|first| self.pace.ends(first));
        let gathered_often = self.first_often.map(|first| first + GATHER_OFTEN);
        let due = [until, self.settled_due, gathered, gathered_often];
        due.into_iter().flatten().min()
    }

    fn take(&mut self) -> Taken {
        let kept = Self {
            room: self.next_room,
            next_room: self.next_room,
            pace: std::mem::take(&mut self.pace),
            ..Self::default()
        };
        let taken = std::mem::replace(self, kept).taken;
        self.taken.closing = taken.closing;
        taken
    }

    fn is_ready(&self, now: Instant, until: Option<Instant>) -> bool {
        self.others > 0
            || self.has_enough()
            || self.taken.closing
            || self.due(until).is_some_and(|due| due <= now)
    }

    fn put(&mut self, mut append: Append) {
        if let Some(names) = &append.names {
            self.next_room = room_of(names.points.len());
            self.room = self.room.max(self.next_room);
        }
        let readings = append.readings();
        if self.readings + readings > self.room {
            self.taken.dropped_readings += readings as u64;
            append
                .records
                .retain(|record| !matches!(record, Record::Reading { .. }));
        } else {
            self.readings += readings;
        }
        self.others += append
            .records
            .iter()
            .filter(|record| !matches!(record, Record::Reading { .. }))
            .count();
        if !append.records.is_empty() || append.names.is_some() {
            self.note(append.device, Instant::now());
            self.taken.appends.push_back(append);
        }
        while self.others > MOST_OTHERS && self.drop_oldest_other() {}
    }

    /// Begins the wait for what may follow.
    fn note(&mut self, device: Option<u32>, now: Instant) {
        if device.is_some_and(|device| self.pace.is_often(device, now)) {
            self.first_often.get_or_insert(now);
        } else {
            self.first.get_or_insert(now);
            self.pace.follow(now);
        }
    }

    /// Drops the oldest append that holds more than readings, unless it is the only one.
    fn drop_oldest_other(&mut self) -> bool {
        let appends = &mut self.taken.appends;
        let oldest = appends
            .iter()
            .position(|append| append.readings() < append.records.len());
        let Some(append) = oldest
            .filter(|oldest| oldest + 1 < appends.len())
            .and_then(|oldest| appends.remove(oldest))
        else {
            return false;
        };
        let readings = append.readings();
        let others = append.records.len() - readings;
        self.readings -= readings;
        self.others -= others;
        self.taken.dropped_readings += readings as u64;
        self.taken.dropped_others += others as u64;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::{Reading, WallMs};

    fn append(device: u32, record: Record) -> Append {
        Append {
            names: None,
            device: Some(device),
            records: vec![record],
        }
    }

    fn reading() -> Record {
        Record::Reading {
            point: 0,
            reading: Reading::measured(1.0, WallMs(0)),
        }
    }

    #[test]
    fn readings_wait_for_those_of_the_next_device_and_anything_else_for_nothing() {
        let inbox = Inbox::new(1);
        let begun = Instant::now();
        assert!(!inbox.lock().is_ready(begun + GATHER * 100, None));
        inbox.put(append(1, reading()));
        inbox.put(append(2, reading()));
        let ended = Instant::now();
        assert!(!inbox.lock().is_ready(begun, None));
        assert!(inbox.lock().is_ready(ended + GATHER, None));
        assert_eq!(inbox.take(None).appends.len(), 2);
        inbox.put(append(1, reading()));
        inbox.put(append(1, Record::Started { time: WallMs(0) }));
        assert!(inbox.lock().is_ready(begun, None));
    }

    #[test]
    fn a_device_that_is_polled_often_waits_for_its_own_next_readings() {
        let inbox = Inbox::new(1);
        let mut waiting = inbox.lock();
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        waiting.note(Some(1), at(0));
        assert_eq!(waiting.due(None), Some(at(3)), "how often is not known yet");
        waiting.take();
        waiting.note(Some(1), at(50));
        assert_eq!(waiting.due(None), Some(at(250)));
        waiting.note(Some(1), at(100));
        assert_eq!(waiting.due(None), Some(at(250)), "from the first on");
        waiting.note(Some(2), at(120));
        assert_eq!(waiting.due(None), Some(at(123)), "another waits for nobody");
        waiting.take();
        waiting.note(Some(1), at(200));
        assert_eq!(waiting.due(None), Some(at(203)), "no longer often");
    }

    #[test]
    fn a_large_site_has_room_for_eight_readings_of_each_point() {
        let round = |points: usize| Append {
            records: std::iter::repeat_with(reading).take(points).collect(),
            ..append(1, reading())
        };
        let waits = |points: usize| {
            let inbox = Inbox::new(points);
            (0..9).for_each(|_| inbox.put(round(points)));
            let taken = inbox.lock().take();
            (taken.appends.len(), taken.dropped_readings)
        };
        assert_eq!(waits(100), (9, 0));
        assert_eq!(waits(20_000), (8, 20_000));
    }

    #[test]
    fn a_site_that_shrinks_costs_nothing_that_waits_and_has_less_room_from_the_next_turn_on() {
        let readings = |count: usize| Append {
            records: std::iter::repeat_with(reading).take(count).collect(),
            ..append(1, reading())
        };
        let renamed = |points: usize| Append {
            names: Some(Arc::new(Names {
                digest: String::new(),
                devices: Vec::new(),
                points: (0..points).map(|_| Arc::from("p")).collect(),
                alarms: Vec::new(),
                outputs: Vec::new(),
            })),
            ..Append::default()
        };
        let mut waiting = Inbox::new(20_000)
            .waiting
            .into_inner()
            .expect("nobody panicked");
        waiting.put(readings(100_000));
        waiting.put(renamed(10));
        waiting.put(readings(1000));
        assert_eq!(waiting.take().dropped_readings, 0);
        waiting.put(readings(MOST_READINGS));
        waiting.put(readings(1));
        assert_eq!(waiting.take().dropped_readings, 1);
        waiting.put(renamed(20_000));
        waiting.put(readings(100_000));
        assert_eq!(waiting.take().dropped_readings, 0);
    }

    #[test]
    fn half_a_room_of_readings_waits_no_longer() {
        let inbox = Inbox::new(1);
        inbox.put(append(1, reading()));
        inbox.take(None);
        let many = |count| Append {
            records: std::iter::repeat_with(reading).take(count).collect(),
            ..append(1, reading())
        };
        inbox.put(many(MOST_READINGS / 2 - 1));
        assert!(!inbox.lock().is_ready(Instant::now(), None));
        inbox.put(many(1));
        assert!(inbox.lock().is_ready(Instant::now(), None));
    }

    #[test]
    fn readings_wait_twice_as_long_as_devices_follow_each_other() {
        let gap = Duration::from_micros(200);
        let begun = Instant::now();
        let mut pace = Pace::default();
        pace.follow(begun);
        assert_eq!(pace.ends(begun), begun + GATHER, "nothing is known yet");
        let mut round = |first: Instant, gap: Duration| {
            for device in 0..10 {
                pace.follow(first + gap * device);
            }
            pace.ends(first)
        };
        for turn in 0..10 {
            round(begun + Duration::from_secs(turn), gap);
        }
        let (first, latest) = (begun + Duration::from_secs(20), gap * 9);
        let quiet = round(first, gap) - (first + latest);
        assert!(quiet >= gap * 2 && quiet < gap * 3, "{quiet:?}");
        // Slower ones are waited for at once, but never longer than the first may wait.
        let (first, slow) = (begun + Duration::from_secs(30), Duration::from_millis(1));
        assert_eq!(round(first, slow), first + GATHER);
    }
}
