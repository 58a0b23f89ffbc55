//! What is known in memory of the log on disk: shared between the writer, who changes it after each group commit, and those who read.

use super::record::{Batch, Proof, Record, Reloaded, Transition};
use super::segment::Summary;
use super::settled::Settled;
use crate::node::Told;
use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Most urgent offsets known one by one; what is beyond goes to the cloud in its turn.
const MOST_URGENT: usize = 65_536;
/// Most memory of the recent batches, bytes of decoded records: two to three thousand readings. An uplink that keeps up takes a batch within moments.
const MOST_RECENT: usize = 128 << 10;
/// On a site of more than some hundred points: so many readings of each, twice what gathers of those that are polled at 20 Hz.
const MOST_RECENT_OF_POINT: usize = 8;

/// One segment, as far as it is on disk.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// First offset that it may hold.
    pub(super) first: u64,
    /// Bytes on disk that count.
    pub(super) length: u64,
    /// The offsets that are left in it, if only urgent ones are.
    pub(super) thinned: Option<Arc<[u64]>>,
    /// Without the urgent offsets, which stand in the index.
    pub(super) summary: Summary,
}

impl Segment {
    /// Whether all that it holds is settled.
    pub(super) fn is_settled(&self, settled: &Settled) -> bool {
        match &self.thinned {
            Some(left) => left.iter().all(|offset| settled.contains(*offset)),
            None => {
                self.summary.next <= self.first || settled.covers(self.first, self.summary.next - 1)
            }
        }
    }
}

/// The log on disk.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By rising number, the one being written last.
    pub(super) segments: VecDeque<Segment>,
    /// Damaged segments, and such of another stream: number and bytes. Kept, for somebody may want to look at them, until room is needed.
    pub(super) strays: Vec<(u64, u64)>,
    pub(super) settled: Settled,
    /// Settled ranges that are not on disk yet.
    pub(super) unsaved: Vec<(u64, u64)>,
    /// Urgent offsets that are not settled.
    pub(super) urgent: BTreeSet<u64>,
    /// One more than the last offset on disk.
    pub(super) next: u64,
    pub(super) recent: Recent,
    /// Batches that should be there and are not: damaged on the disk. The writer makes losses of them.
    pub(super) damaged: Vec<u64>,
    /// Why the disk does not take what it should.
    pub(super) failed: Option<String>,
    pub(super) lost_batches: u64,
    pub(super) dropped_readings: u64,
}

impl Index {
    pub(super) fn bytes(&self) -> u64 {
        let strays = self.strays.iter().map(|(_, bytes)| bytes);
        self.segments
            .iter()
            .map(|segment| &segment.length)
            .chain(strays)
            .sum()
    }

    /// The first offset that is still on disk.
    pub(super) fn first(&self) -> u64 {
        self.segments
            .front()
            .map_or(self.next, |segment| segment.first)
    }

    /// The segment that holds an offset, if one does.
    pub(super) fn segment_of(&self, offset: u64) -> Option<&Segment> {
        let after = self
            .segments
            .partition_point(|segment| segment.first <= offset);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        match &segment.thinned {
            Some(left) => left.binary_search(&offset).is_ok(),
            None => offset < segment.summary.next,
        }
        .then_some(segment)
    }

    /// What is settled for good: not by an acknowledgement that a power cut would still undo.
    pub(super) fn settled_on_disk(&self) -> Settled {
        let mut settled = self.settled.clone();
        for &(first, last) in &self.unsaved {
            settled.remove(first, last);
        }
        settled
    }

    /// Offsets need nothing more.
    pub(super) fn settle(&mut self, range: RangeInclusive<u64>) {
        let (first, last) = (
            *range.start(),
            (*range.end()).min(self.next.saturating_sub(1)),
        );
        if self.next == 0
            || first > last
            || self.settled.covers(first, last)
            || !self.settled.add(first..=last)
        {
            return;
        }
        self.unsaved.push((first, last));
        let settled = &self.settled;
        self.recent.forget_oldest(|offset| settled.contains(offset));
        let urgent: Vec<u64> = self.urgent.range(first..=last).copied().collect();
        for offset in urgent {
            self.urgent.remove(&offset);
        }
    }

    /// The first offset from `from` on that is on disk and not settled.
    pub(super) fn next_open(&self, from: u64) -> Option<u64> {
        let mut offset = from.max(self.first());
        loop {
            offset = self.settled.first_open(offset);
            if offset >= self.next {
                return None;
            }
            if self.segment_of(offset).is_some() {
                return Some(offset);
            }
            // Between what segments hold: on to the next that is there.
            offset = self.next_present(offset)?;
        }
    }

    /// The first offset after `offset` that some segment holds.
    fn next_present(&self, offset: u64) -> Option<u64> {
        let after = self
            .segments
            .partition_point(|segment| segment.first <= offset);
        let within = after
            .checked_sub(1)
            .and_then(|at| self.segments[at].thinned.as_ref());
        let next = within.and_then(|left| left.get(left.partition_point(|left| *left <= offset)));
        next.copied()
            .or_else(|| self.segments.get(after).map(|segment| segment.first))
    }

    pub(super) fn backlog(&self) -> u64 {
        let first = self.first();
        self.next - first - self.settled.count(first, self.next)
    }

    pub(super) fn add_urgent(&mut self, offset: u64) {
        if self.urgent.len() < MOST_URGENT && !self.settled.contains(offset) {
            self.urgent.insert(offset);
        }
    }
}

/// The newest batches that the cloud does not have, in memory: the uplink that keeps up never reads the disk. When it is full the oldest goes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Each with its memory.
    batches: VecDeque<(Arc<Batch>, usize)>,
    bytes: usize,
}

impl Recent {
    pub(super) fn push(&mut self, batch: Arc<Batch>) {
        let points = batch.names.points.len();
        let most = MOST_RECENT.max(points * MOST_RECENT_OF_POINT * size_of::<Record>());
        let bytes = size(&batch);
        self.bytes += bytes;
        self.batches.push_back((batch, bytes));
        while self.bytes > most && self.drop_oldest() {}
    }

    /// Drops the oldest ones as long as nobody needs them any more.
    fn forget_oldest(&mut self, is_done: impl Fn(u64) -> bool) {
        while self
            .batches
            .front()
            .is_some_and(|(oldest, _)| is_done(oldest.offset))
        {
            self.drop_oldest();
        }
    }

    /// Whether there was one.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.batches.pop_front();
        self.bytes -= oldest.as_ref().map_or(0, |(_, bytes)| *bytes);
        oldest.is_some()
    }

    pub(super) fn get(&self, offset: u64) -> Option<Arc<Batch>> {
        let place = (self.batches).partition_point(|(batch, _)| batch.offset < offset);
        let (batch, _) = self.batches.get(place)?;
        (batch.offset == offset).then(|| batch.clone())
    }
}

/// About how much memory a batch takes, bytes.
fn size(batch: &Batch) -> usize {
    size_of::<Batch>() + batch.records.iter().map(record_size).sum::<usize>()
}

/// About how much memory a record takes, bytes: more than on disk.
pub(super) fn record_size(record: &Record) -> usize {
    let beside = match record {
        Record::Transition(transition) => {
            let person = transition.person.as_ref();
            let texts = [
                person.map(|person| &person.actor),
                person.and_then(|person| person.reason.as_ref()),
                person.and_then(|person| person.second.as_ref()),
                transition.command.as_ref(),
            ];
            let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
            size_of::<Transition>() + texts
        }
        Record::Act { actor, .. } => actor.len(),
        Record::Proof(proof) => {
            let texts = [&proof.actor, &proof.kind, &proof.outcome, &proof.digest];
            let texts: usize = texts.iter().map(|text| text.len()).sum();
            size_of::<Proof>() + texts + proof.detail.len()
        }
        Record::Reloaded(reloaded) => {
            size_of::<Reloaded>() + reloaded.actor.len() + reloaded.changes.len() + 128
        }
        Record::Told(told) => size_of::<Told>() + told.device.len(),
        Record::Reading { .. }
        | Record::Output { .. }
        | Record::Lost { .. }
        | Record::ClockSet { .. }
        | Record::Started { .. } => 0,
    };
    size_of::<Record>() + beside
}

#[cfg(test)]
mod tests {
    use super::super::record::Names;
    use super::*;
    use davy_alarm::{Reading, WallMs};

    /// A round of readings of a site's points.
    fn round(names: &Arc<Names>, offset: u64) -> Arc<Batch> {
        let readings = (0..names.points.len() as u32).map(|point| Record::Reading {
            point,
            reading: Reading::measured(1.0, WallMs(0)),
        });
        Arc::new(Batch {
            offset,
            made: WallMs(0),
            names: names.clone(),
            device: Some(0),
            records: readings.collect(),
        })
    }

    fn site_of(points: usize) -> Arc<Names> {
        Arc::new(Names {
            digest: String::new(),
            devices: vec!["d".into()],
            points: (0..points).map(|_| Arc::from("p")).collect(),
            alarms: Vec::new(),
            outputs: Vec::new(),
        })
    }

    #[test]
    fn seven_rounds_of_a_devices_points_are_kept_for_an_uplink_that_keeps_up() {
        for points in [100, 20_000] {
            let (mut recent, names) = (Recent::default(), site_of(points));
            (0..100).for_each(|offset| recent.push(round(&names, offset)));
            assert!(recent.get(93).is_some(), "{points} points");
            assert!(recent.get(60).is_none(), "{points} points");
        }
    }

    #[test]
    fn what_the_cloud_has_is_kept_no_longer_and_what_it_lacks_is() {
        let (mut index, names) = (Index::default(), site_of(10));
        (0..6).for_each(|offset| index.recent.push(round(&names, offset)));
        index.next = 6;
        index.settle(1..=2);
        assert!((0..6).all(|offset| index.recent.get(offset).is_some()));
        index.settle(0..=0);
        let kept: Vec<bool> = (0..6)
            .map(|offset| index.recent.get(offset).is_some())
            .collect();
        assert_eq!(kept, [false, false, false, true, true, true]);
        index.settle(3..=5);
        assert_eq!(index.recent.bytes, 0);
    }
}
