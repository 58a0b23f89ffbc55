//! Which offsets need nothing more: the cloud committed them, or they are lost and recorded as such. Disjoint ranges in rising order.
//!
//! Bytes: varint number of ranges, then each as varint distance of its start to the end before it (0 before the first), varint last − start.

use super::bytes::{Bytes, put_varint};
use std::ops::RangeInclusive;

/// Most ranges: one more is refused and its batches are sent again, which the cloud discards as known. 512 KiB.
const MOST_RANGES: usize = 32_768;

/// A set of offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// First and last of each.
    ranges: Vec<(u64, u64)>,
}

impl Settled {
    /// Adds a range; `false` if there are too many for it.
    pub(super) fn add(&mut self, range: RangeInclusive<u64>) -> bool {
        let (first, last) = range.into_inner();
        let (from, to) = self.touching(first, last);
        if from >= to && self.ranges.len() >= MOST_RANGES {
            return false;
        }
        self.insert(first, last);
        true
    }

    /// Adds a range, however many there are.
    pub(super) fn insert(&mut self, mut first: u64, mut last: u64) {
        if first > last {
            return;
        }
        let (from, to) = self.touching(first, last);
        if from < to {
            first = first.min(self.ranges[from].0);
            last = last.max(self.ranges[to - 1].1);
        }
        self.ranges.splice(from..to.max(from), [(first, last)]);
    }

    /// Takes a range out again.
    pub(super) fn remove(&mut self, first: u64, last: u64) {
        let from = self.ranges.partition_point(|range| range.1 < first);
        let to = self.ranges.partition_point(|range| range.0 <= last);
        if first > last || from >= to {
            return;
        }
        let (start, end) = (self.ranges[from].0, self.ranges[to - 1].1);
        let before = (start < first).then(|| (start, first - 1));
        let after = (end > last).then(|| (last + 1, end));
        self.ranges
            .splice(from..to, before.into_iter().chain(after));
    }

    pub(super) fn insert_all(&mut self, other: &Self) {
        for &(first, last) in &other.ranges {
            self.insert(first, last);
        }
    }

    /// Which ranges overlap or adjoin a new one, and become one with it.
    fn touching(&self, first: u64, last: u64) -> (usize, usize) {
        let from = self
            .ranges
            .partition_point(|&(_, end)| end.saturating_add(1) < first);
        let to = self
            .ranges
            .partition_point(|&(start, _)| start <= last.saturating_add(1));
        (from, to)
    }

    pub(super) fn contains(&self, offset: u64) -> bool {
        self.first_open(offset) != offset
    }

    /// The first offset from `from` on that is not in it.
    pub(super) fn first_open(&self, from: u64) -> u64 {
        let place = self.ranges.partition_point(|&(_, last)| last < from);
        match self.ranges.get(place) {
            Some(&(first, last)) if first <= from => last.saturating_add(1),
            _ => from,
        }
    }

    /// Whether all of a range is in it.
    pub(super) fn covers(&self, first: u64, last: u64) -> bool {
        first > last || self.first_open(first) > last
    }

    /// How many offsets of `first..end` are in it.
    pub(super) fn count(&self, first: u64, end: u64) -> u64 {
        let inside = |&(start, last): &(u64, u64)| {
            let (start, after) = (start.max(first), last.saturating_add(1).min(end));
            after.saturating_sub(start)
        };
        self.ranges.iter().map(inside).sum()
    }

    /// Makes one range of all below `first`: those batches are no more.
    pub(super) fn forget_below(&mut self, first: u64) {
        if first > 0 {
            self.ranges.retain(|&(_, last)| last >= first);
            self.add(0..=first - 1);
        }
    }

    /// The offsets of `first..end` that are not in it, as ranges.
    pub(super) fn open_between(&self, first: u64, end: u64) -> Vec<(u64, u64)> {
        let mut open = Vec::new();
        let mut from = self.first_open(first);
        while from < end {
            let place = self.ranges.partition_point(|&(_, last)| last < from);
            let until = self.ranges.get(place).map_or(end, |range| range.0.min(end));
            open.push((from, until - 1));
            from = self.first_open(until);
        }
        open
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        encode_ranges(out, &self.ranges);
    }

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let mut settled = Self::default();
        for (first, last) in decode_ranges(bytes)? {
            settled.add(first..=last);
        }
        Some(settled)
    }
}

/// Ranges in rising order.
fn encode_ranges(out: &mut Vec<u8>, ranges: &[(u64, u64)]) {
    put_varint(out, ranges.len() as u64);
    let mut end = 0;
    for &(first, last) in ranges {
        put_varint(out, first - end);
        put_varint(out, last - first);
        end = last;
    }
}

pub(super) fn decode_ranges(bytes: &mut Bytes<'_>) -> Option<Vec<(u64, u64)>> {
    let count = usize::try_from(bytes.varint()?).ok()?;
    if count > MOST_RANGES {
        return None;
    }
    let mut ranges = Vec::new();
    let mut end = 0_u64;
    for _ in 0..count {
        let first = end.checked_add(bytes.varint()?)?;
        end = first.checked_add(bytes.varint()?)?;
        ranges.push((first, end));
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_a_plain_set_holds(ranges in prop::collection::vec((0_u64..200, 0_u64..12), 0..40), floor in 0_u64..200, taken in (0_u64..200, 0_u64..50)) {
            let mut settled = Settled::default();
            let mut plain = BTreeSet::new();
            for (first, length) in ranges {
                prop_assert!(settled.add(first..=first + length));
                plain.extend(first..=first + length);
            }
            settled.forget_below(floor);
            plain.extend(0..floor);
            settled.remove(taken.0, taken.0 + taken.1);
            plain.retain(|offset| !(taken.0..=taken.0 + taken.1).contains(offset));
            for offset in 0..220 {
                prop_assert_eq!(settled.contains(offset), plain.contains(&offset));
                prop_assert_eq!(Some(settled.first_open(offset)), (offset..).find(|offset| !plain.contains(offset)));
            }
            prop_assert_eq!(settled.count(10, 150), plain.range(10..150).count() as u64);
            let open: Vec<u64> = settled.open_between(5, 180).into_iter().flat_map(|(first, last)| first..=last).collect();
            prop_assert_eq!(open, (5..180).filter(|offset| !plain.contains(offset)).collect::<Vec<_>>());
            let mut bytes = Vec::new();
            settled.encode(&mut bytes);
            prop_assert_eq!(Settled::decode(&mut Bytes(&bytes)), Some(settled));
        }
    }
}
