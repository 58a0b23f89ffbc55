//! Committed offsets of a gateway's journal, kept as closed ranges that neither touch nor overlap.

use super::engine::{StoreError, Transaction, values};
use std::collections::BTreeMap;

/// A batch's place in its gateway's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offset {
    pub(super) stream: u64,
    pub(super) offset: i64,
}

impl Offset {
    /// None for an offset that no journal reaches (above 2⁶³ − 2).
    pub fn new(stream: u64, offset: u64) -> Option<Self> {
        let offset = i64::try_from(offset)
            .ok()
            .filter(|offset| *offset < i64::MAX)?;
        Some(Self { stream, offset })
    }
}

/// How an offset was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Before,
    /// `contiguous`: no offset before this one is missing.
    Now {
        contiguous: bool,
    },
}

/// The ranges that offsets from `$4 + 1` to `$3 - 1` may lie in or touch: those that begin there, and the one before, for they are disjoint. However many
/// holes a stream has, its far ranges are not looked at.
const NEAR: &str = "SELECT first, last FROM offsets WHERE site = $1 AND stream = $2 AND first <= $3 AND first >= \
    COALESCE((SELECT MAX(first) FROM offsets WHERE site = $1 AND stream = $2 AND first <= $4), $4)";
/// Whether there is a range that begins before `$3`.
const BELOW: &str =
    "SELECT first FROM offsets WHERE site = $1 AND stream = $2 AND first < $3 LIMIT 1";

/// Puts offsets, in the order in which they came, into their stream's ranges; answers how each was taken.
pub(super) async fn take(
    change: &mut dyn Transaction,
    site: &str,
    stream: u64,
    offsets: &[i64],
) -> Result<Vec<Taken>, StoreError> {
    let stream = stream as i64;
    let (Some(lowest), Some(highest)) = (offsets.iter().min(), offsets.iter().max()) else {
        return Ok(vec![]);
    };
    let near = change
        .rows(NEAR, values![site, stream, highest + 1, lowest - 1])
        .await?;
    let ranges = near.iter().map(|row| Ok((row.int(0)?, row.int(1)?)));
    let before: BTreeMap<i64, i64> = ranges.collect::<Result<_, StoreError>>()?;
    let first = before
        .keys()
        .next()
        .map_or(*lowest, |first| *first.min(lowest));
    let is_lowest = (change.rows(BELOW, values![site, stream, first]).await?).is_empty();
    let mut ranges = Ranges(before.clone());
    let taken = offsets.iter().map(|offset| match ranges.put(*offset) {
        None => Taken::Before,
        Some(range) => Taken::Now {
            contiguous: is_lowest && ranges.0.keys().next() == Some(&range),
        },
    });
    let taken = taken.collect();
    store(change, (site, stream), &before, &ranges.0).await?;
    Ok(taken)
}

/// Writes the ranges that changed.
async fn store(
    change: &mut dyn Transaction,
    (site, stream): (&str, i64),
    before: &BTreeMap<i64, i64>,
    after: &BTreeMap<i64, i64>,
) -> Result<(), StoreError> {
    for first in before.keys().filter(|first| !after.contains_key(first)) {
        let drop = "DELETE FROM offsets WHERE site = $1 AND stream = $2 AND first = $3";
        change.execute(drop, values![site, stream, *first]).await?;
    }
    for (first, last) in after {
        if before.get(first) != Some(last) {
            let put = "INSERT INTO offsets (site, stream, first, last) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (site, stream, first) DO UPDATE SET last = excluded.last";
            change
                .execute(put, values![site, stream, *first, *last])
                .await?;
        }
    }
    Ok(())
}

/// Closed ranges by where they begin.
struct Ranges(BTreeMap<i64, i64>);

impl Ranges {
    /// Where the range begins that the offset is now in; none if it was in one before.
    fn put(&mut self, offset: i64) -> Option<i64> {
        let below = self.0.range(..=offset).next_back();
        let below = below.map(|(first, last)| (*first, *last));
        if below.is_some_and(|(_, last)| last >= offset) {
            return None;
        }
        let first = match below {
            Some((first, last)) if last == offset - 1 => first,
            _ => offset,
        };
        let last = self.0.remove(&(offset + 1)).unwrap_or(offset);
        self.0.insert(first, last);
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Records;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Of a stream of many holes, in which the store's own ranges are asked for again and again.
    #[tokio::test]
    async fn offsets_are_taken_as_by_one_who_remembers_them_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::open(&folder.path().join("records.db"), 0).await;
        let records = records.expect("records");
        let mut held: BTreeSet<i64> = BTreeSet::new();
        let mut dice = 1_u64;
        for _ in 0..400 {
            let mut offsets = Vec::new();
            for _ in 0..3 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                offsets.push((dice >> 33) as i64 % 600);
            }
            let mut change = records.engine.begin().await.expect("a change");
            let taken = take(&mut *change, "s", 7, &offsets).await.expect("taken");
            change.commit().await.expect("committed");
            for (offset, taken) in offsets.into_iter().zip(taken) {
                let is_new = held.insert(offset);
                let lowest = *held.first().expect("just put");
                let contiguous = (lowest..=offset).all(|one| held.contains(&one));
                let expected = match is_new {
                    true => Taken::Now { contiguous },
                    false => Taken::Before,
                };
                assert_eq!(taken, expected, "{offset} of {held:?}");
            }
        }
    }

    #[tokio::test]
    async fn far_ranges_are_not_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::open(&folder.path().join("records.db"), 0).await;
        let records = records.expect("records");
        let near = values!["s", 7_i64, 9_i64, 5_i64];
        let plan = records.plan(NEAR, near).await;
        assert!(plan.contains("first>? AND first<?"), "{plan}");
        let plan = records.plan(BELOW, values!["s", 7_i64, 9_i64]).await;
        assert!(plan.contains("first<?"), "{plan}");
    }

    proptest! {
        #[test]
        fn ranges_hold_what_was_put_and_never_touch(offsets in proptest::collection::vec(0_i64..40, 0..80)) {
            let (mut ranges, mut held) = (Ranges(BTreeMap::new()), BTreeSet::new());
            for offset in offsets {
                let is_new = held.insert(offset);
                let begins = ranges.put(offset);
                prop_assert_eq!(begins.is_some(), is_new);
                if let Some(begins) = begins {
                    prop_assert!((begins..=offset).all(|one| held.contains(&one)));
                    prop_assert!(!held.contains(&(begins - 1)));
                }
            }
            let told: BTreeSet<i64> = ranges.0.iter().flat_map(|(first, last)| *first..=*last).collect();
            prop_assert_eq!(told, held);
            let all: Vec<_> = ranges.0.iter().collect();
            prop_assert!(all.windows(2).all(|pair| *pair[0].1 + 1 < *pair[1].0));
        }
    }
}
