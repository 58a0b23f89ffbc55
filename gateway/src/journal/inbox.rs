//! Where records wait for the writer. Judgement puts them in and goes on at once, whatever the disk does.

use super::record::{Names, Record};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most readings that wait; those of a further append are dropped and counted.
pub(super) const MOST_READINGS: usize = 8192;
/// Most other records that wait; for a further one the oldest append that holds such gives way, for the newest state of an alarm tells more.
pub(super) const MOST_OTHERS: usize = 4096;
/// How long what the cloud committed may wait for a group to be written with: longer than the usual period of polls, or each group of readings would
/// be followed by a sync for its acknowledgement alone. What a power cut makes forgotten is sent again, and the cloud knows it.
const SETTLED_WITHIN: Duration = Duration::from_millis(1500);
/// Readings alone wait so long for those of the next device on the bus, so that a round of polls costs one sync and one burst on the wire.
/// Anything else is taken at once.
const GATHER: Duration = Duration::from_millis(3);

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
    readings: usize,
    others: usize,
    /// When settled offsets must be written at the latest.
    settled_due: Option<Instant>,
    /// When readings have waited long enough for others; none while nothing waits.
    gathered: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Inbox {
    /// Never waits for the writer: the lock is held for moments alone.
    pub(super) fn put(&self, append: Append) {
        let mut waiting = self.lock();
        if waiting.taken.closing || append.records.is_empty() && append.names.is_none() {
            return;
        }
        let first = waiting.taken.appends.is_empty();
        waiting.put(append);
        // The writer knows how long it waits for what joins a group.
        let wake = first || waiting.others > 0;
        drop(waiting);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Settled offsets wait to be written.
    pub(super) fn note_settled(&self) {
        self.lock()
            .settled_due
            .get_or_insert(Instant::now() + SETTLED_WITHIN);
        self.changed.notify_one();
    }

    /// Nothing more is taken in.
    pub(super) fn close(&self) {
        self.lock().taken.closing = true;
        self.changed.notify_one();
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
        let closing = waiting.taken.closing;
        let mut taken = std::mem::take(&mut *waiting).taken;
        (waiting.taken.closing, taken.closing) = (closing, closing);
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// When there is something to do even if nothing more comes.
    fn due(&self, until: Option<Instant>) -> Option<Instant> {
        let due = [until, self.settled_due, self.gathered];
        due.into_iter().flatten().min()
    }

    fn is_ready(&self, now: Instant, until: Option<Instant>) -> bool {
        self.others > 0 || self.taken.closing || self.due(until).is_some_and(|due| due <= now)
    }

    fn put(&mut self, mut append: Append) {
        let readings = append.readings();
        if self.readings + readings > MOST_READINGS {
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
            self.gathered.get_or_insert_with(|| Instant::now() + GATHER);
            self.taken.appends.push_back(append);
        }
        while self.others > MOST_OTHERS && self.drop_oldest_other() {}
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
        let inbox = Inbox::default();
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
}
