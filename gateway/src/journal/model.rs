//! The log against a model, under power cuts, failing syncs and a full disk. A failing run prints its seed: `run(seed)` replays it.
#![allow(clippy::unwrap_used)]

use super::faulty::{Dice, FaultyDisk};
use super::reader::Reader;
use super::record::{Batch, Names, Record, Transition};
use super::settled::Settled;
use super::state::State;
use super::store::{CommitError, Limits, Loss, Store, lock};
use davy_alarm::{Cause, NoValue, Reading, Saved, Shown, WallMs};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const NOW: WallMs = WallMs(1_700_000_000_000);

pub(super) fn names() -> Arc<Names> {
    let ids = |ids: &[&str]| ids.iter().map(|id| Arc::from(*id)).collect();
    Arc::new(Names {
        digest: "d".repeat(64),
        devices: ids(&["GD-01", "GD-02"]),
        points: ids(&["GT-101", "GT-102", "LT-1"]),
        alarms: ids(&["GT-101.HH", "GT-102.HH"]),
        outputs: ids(&["FAN-1"]),
    })
}

pub(super) fn saved(active: bool, occurrence: u32) -> Saved {
    let mut bytes = [0; Saved::BYTES];
    bytes[0] = 1;
    bytes[1] = u8::from(active);
    bytes[4..8].copy_from_slice(&occurrence.to_le_bytes());
    bytes[8..16].copy_from_slice(&i64::MIN.to_le_bytes());
    bytes[16..24].copy_from_slice(&i64::MIN.to_le_bytes());
    Saved::from_bytes(&bytes).unwrap()
}

pub(super) fn transition(seq: u64, dice: &mut Dice) -> Record {
    Record::Transition(Box::new(Transition {
        seq,
        alarm: dice.below(2) as u32,
        from: Shown::Normal,
        to: Shown::Unacknowledged,
        cause: Cause::Active,
        occurrence: seq as u32,
        time: WallMs(NOW.0 + seq as i64),
        value: Some(Ok(seq as f64 / 10.0)),
        limit: Some(50.0),
        priority: 1,
        person: None,
        command: None,
        shelved_until: None,
        saved: saved(true, seq as u32),
    }))
}

/// What should be true of the log.
struct Model {
    seed: u64,
    dice: Dice,
    disk: FaultyDisk,
    limits: Limits,
    store: Store,
    /// Known to be on disk.
    synced: BTreeMap<u64, Arc<Batch>>,
    /// Acknowledged, durably or not.
    asked: Settled,
    /// Acknowledged, and a commit since.
    acknowledged: Settled,
    /// Told as lost by a record on disk.
    lost: Settled,
    next: u64,
    seq: u64,
}

impl Model {
    fn new(seed: u64, max_bytes: u64) -> Self {
        let disk = FaultyDisk::new(seed);
        let limits = Limits {
            max_bytes,
            reserve_bytes: max_bytes / 4,
            segment_bytes: (max_bytes / 16).min(4096),
        };
        let (store, first_start) = Store::open(Arc::new(disk.clone()), limits, names(), seed);
        assert!(first_start);
        Self {
            seed,
            dice: Dice::new(seed),
            disk,
            limits,
            store,
            synced: BTreeMap::new(),
            asked: Settled::default(),
            acknowledged: Settled::default(),
            lost: Settled::default(),
            next: 0,
            seq: 1,
        }
    }

    fn batch(&mut self) -> Arc<Batch> {
        let dice = &mut self.dice;
        let mut records = Vec::new();
        for _ in 0..=dice.below(12) {
            let time = WallMs(NOW.0 + dice.below(100_000) as i64);
            let point = dice.below(3) as u32;
            let reading = match dice.below(5) {
                0 => Reading::absent(NoValue::Exception(dice.below(256) as u8), time),
                1 => Reading::uncertain(dice.below(u64::MAX) as f64 / 1e9, time),
                _ => Reading::measured(dice.below(1000) as f64 * 0.1, time),
            };
            records.push(Record::Reading { point, reading });
        }
        if dice.one_in(4) {
            records.push(transition(self.seq, dice));
            self.seq += 1;
        }
        let batch = Batch {
            offset: self.next,
            made: NOW,
            names: self.store.names.clone(),
            device: Some(dice.below(2) as u32),
            records,
        };
        self.next += 1;
        self.store.number(&batch);
        Arc::new(batch)
    }

    /// As the writer does: a loss becomes a record of the next group.
    fn losses(&mut self) -> Option<Arc<Batch>> {
        let losses = std::mem::take(&mut self.store.losses);
        if losses.is_empty() {
            return None;
        }
        for loss in &losses {
            lock(&self.store.index).settled.insert(loss.from, loss.to);
            self.store.untold.push((loss.from, loss.to));
        }
        let records = losses
            .iter()
            .map(|loss| Record::Lost {
                from: loss.from,
                to: loss.to,
                readings: loss.readings,
                time: NOW,
            })
            .collect();
        let batch = Batch {
            offset: self.next,
            made: NOW,
            names: self.store.names.clone(),
            device: None,
            records,
        };
        self.next += 1;
        Some(Arc::new(batch))
    }

    fn group(&mut self) -> Vec<Arc<Batch>> {
        let losses = self.losses();
        let more = 1 + self.dice.below(3);
        losses
            .into_iter()
            .chain((0..more).map(|_| self.batch()).collect::<Vec<_>>())
            .collect()
    }

    fn acknowledge(&mut self) -> Vec<(u64, u64)> {
        if self.next == 0 || !self.dice.one_in(2) {
            return Vec::new();
        }
        let first = self.dice.below(self.next);
        let last =
            (first + self.dice.below(12)).min(lock(&self.store.index).next.saturating_sub(1));
        lock(&self.store.index).settle(first..=last);
        self.asked.insert(first, last);
        if first <= last {
            vec![(first, last)]
        } else {
            Vec::new()
        }
    }

    /// Writes until it succeeds or the power is gone; whether it succeeded.
    fn commit(&mut self) -> bool {
        let acknowledged = self.acknowledge();
        let mut group = self.group();
        for _ in 0..200 {
            match self.store.commit(&group, NOW) {
                Ok(()) => {
                    for batch in group {
                        self.reached(batch);
                    }
                    for (first, last) in acknowledged {
                        self.acknowledged.insert(first, last);
                    }
                    return true;
                }
                Err(_) if self.disk.is_cut() => break,
                Err(CommitError::Full) => {
                    for batch in group.extract_if(.., |batch| !batch.is_urgent()) {
                        self.store.losses.push(Loss {
                            from: batch.offset,
                            to: batch.offset,
                            readings: 0,
                        });
                        lock(&self.store.index)
                            .settled
                            .insert(batch.offset, batch.offset);
                    }
                }
                Err(CommitError::Disk(_)) => {}
            }
        }
        assert!(
            self.disk.is_cut(),
            "seed {}: never written though there is power",
            self.seed
        );
        // In flight: there or not after the cut, but as it was.
        let reader = self.restart();
        for batch in group {
            if let Some(found) = reader.batch(batch.offset) {
                assert_eq!(found, batch, "seed {}: invented", self.seed);
                self.reached(batch);
            }
        }
        false
    }

    /// A batch is on disk; what it says is lost counts as told.
    fn reached(&mut self, batch: Arc<Batch>) {
        for record in &batch.records {
            if let Record::Lost { from, to, .. } = record {
                self.lost.insert(*from, *to);
            }
        }
        self.synced.insert(batch.offset, batch);
    }

    fn reader(&self) -> Reader {
        Reader::new(Arc::new(self.disk.clone()), self.store.index.clone())
    }

    fn restart(&mut self) -> Reader {
        self.disk.power_on();
        self.store = Store::open(Arc::new(self.disk.clone()), self.limits, names(), self.seed).0;
        self.next = lock(&self.store.index).next;
        self.seq = self.store.state.next_seq;
        self.reader()
    }

    /// Everything that was promised.
    fn check(&self) {
        let seed = self.seed;
        let reader = self.reader();
        let index = lock(&self.store.index);
        let (settled, first, next, bytes) = (
            index.settled.clone(),
            index.first(),
            index.next,
            index.bytes(),
        );
        drop(index);
        assert!(bytes <= self.limits.max_bytes, "seed {seed}: {bytes} bytes");
        assert_eq!(self.store.stream, seed, "another stream");
        let mut state = State::default();
        let mut last_lost: Settled = self.lost.clone();
        for loss in &self.store.losses {
            last_lost.insert(loss.from, loss.to);
        }
        let mut present = BTreeMap::new();
        for segment in reader.segments() {
            reader.each(
                &segment,
                |_| true,
                |batch| {
                    present.insert(batch.offset, Arc::new(batch));
                },
            );
        }
        for offset in 0..next {
            let found = present.remove(&offset);
            // By the other way too, now and then: that one is slow here.
            if offset % 37 == seed % 37 {
                assert_eq!(
                    reader.batch(offset),
                    found,
                    "seed {seed}: {offset} by itself"
                );
            }
            match (self.synced.get(&offset), &found) {
                (Some(batch), Some(found)) => {
                    assert_eq!(found, batch, "seed {seed}: {offset} has changed")
                }
                (None, Some(_)) => panic!("seed {seed}: {offset} is invented"),
                (Some(_), None) => assert!(
                    self.asked.contains(offset)
                        || last_lost.contains(offset)
                        || (settled.contains(offset) && offset < first),
                    "seed {seed}: {offset} of {first}..{next} is lost in silence"
                ),
                (None, None) => assert!(
                    settled.contains(offset),
                    "seed {seed}: {offset} is waited for in vain"
                ),
            }
            if let Some(batch) = self.synced.get(&offset) {
                batch
                    .records
                    .iter()
                    .for_each(|record| state.follow(&batch.names, record));
            }
        }
        // No alarm is forgotten, none is as no transition on disk left it.
        assert_eq!(self.store.state.alarms, state.alarms, "seed {seed}");
        assert!(self.store.state.next_seq >= state.next_seq, "seed {seed}");
        for (offset, batch) in &self.synced {
            assert!(
                !self.acknowledged.contains(*offset) || settled.contains(*offset),
                "seed {seed}: acknowledgement of {offset} forgotten"
            );
            let waits = lock(&self.store.index).urgent.contains(offset);
            let should = batch.is_urgent() && !settled.contains(*offset);
            assert_eq!(waits, should, "seed {seed}: {offset} among the urgent");
        }
    }
}

/// One life of a log with so many power cuts, each within so many changes of the disk.
fn run(seed: u64, cuts: u64, changes: u64, max_bytes: u64, failing_syncs: u64) -> Model {
    let mut model = Model::new(seed, max_bytes);
    model.disk.fail_syncs(failing_syncs);
    for _ in 0..cuts {
        let changes = 1 + model.dice.below(changes);
        model.disk.cut_after(changes);
        while model.commit() {}
        model.check();
    }
    model
}

/// Lives of these seeds, half of them on a thread of their own.
fn live(seeds: std::ops::Range<u64>, check: impl Fn(u64) + Sync) {
    let middle = seeds.start + (seeds.end - seeds.start) / 2;
    std::thread::scope(|scope| {
        scope.spawn(|| (seeds.start..middle).for_each(&check));
        (middle..seeds.end).for_each(&check);
    });
}

fn keeps_what_was_synced(seed: u64, model: &Model) {
    for offset in model.synced.keys() {
        assert!(
            !model.lost.contains(*offset),
            "seed {seed}: {offset} was synced and is lost"
        );
    }
}

/// With those of the next two tests 15,000 power cuts and more.
#[test]
fn no_power_cut_loses_what_was_synced_or_invents_anything() {
    live(0..1_000, |seed| {
        keeps_what_was_synced(seed, &run(seed, 12, 60, 1 << 20, 0));
    });
}

#[test]
fn a_sync_that_fails_is_never_believed_afterwards() {
    live(0..360, |seed| {
        keeps_what_was_synced(seed, &run(seed, 8, 60, 1 << 20, 5));
    });
}

#[test]
fn a_full_journal_loses_its_oldest_telemetry_by_record_and_no_waiting_transition() {
    let mut telemetry = 0;
    for seed in 0..40 {
        let model = run(seed, 6, 200, 24 << 10, 0);
        let mut lost = model.lost.clone();
        for loss in &model.store.losses {
            lost.insert(loss.from, loss.to);
        }
        for (offset, batch) in &model.synced {
            let is_transition = |record: &Record| matches!(record, Record::Transition(_));
            let is_lost = lost.contains(*offset);
            assert!(
                !(is_lost && batch.records.iter().any(is_transition)),
                "seed {seed}: transition {offset} is lost"
            );
            telemetry += u64::from(is_lost);
        }
    }
    assert!(telemetry > 1000, "{telemetry}: the journal was never full");
}
