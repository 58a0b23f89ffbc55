//! The buckets of a trend: few of very many readings, equally long.

use super::chunk::HOUR_MS;
use super::rollup::{MINUTE_MS, Rollup};
use super::{Bucket, Minute, Series, SeriesQuery};
use davy_alarm::Reading;

/// More buckets than this are not made.
const MOST_BUCKETS: u32 = 10_000;
/// Buckets of so many units or more are whole units long.
const COARSE: u64 = 6;

/// How many buckets a trend may have.
pub(super) fn buckets(query: &SeriesQuery) -> usize {
    query.buckets.clamp(1, MOST_BUCKETS) as usize
}

/// A trend of so few readings that each is told.
pub(super) fn raw(readings: &[Reading]) -> Series {
    Series {
        step_ms: 0,
        buckets: readings.iter().filter_map(raw_bucket).collect(),
    }
}

fn raw_bucket(reading: &Reading) -> Option<Bucket> {
    Rollup::of([reading]).bucket(reading.source_time().0)
}

/// Buckets of equal length from the beginning of the span on; the last one may reach beyond its end, but holds nothing from there.
#[derive(Debug)]
pub(super) struct Grid {
    from_ms: i64,
    to_ms: i64,
    step_ms: u64,
    buckets: Vec<Rollup>,
}

impl Grid {
    /// Of a span that is not empty.
    pub(super) fn new(query: &SeriesQuery) -> Self {
        let (from_ms, to_ms) = (query.from_ms, query.to_ms);
        let length = to_ms.wrapping_sub(from_ms) as u64;
        let step_ms = step(length, buckets(query) as u64);
        let count = length.div_ceil(step_ms) as usize;
        Self {
            from_ms,
            to_ms,
            step_ms,
            buckets: vec![Rollup::default(); count],
        }
    }

    /// Whole minutes, from the one on that the span begins in.
    pub(super) fn of_minutes((from_ms, to_ms): (i64, i64)) -> Self {
        let from_ms = from_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let step_ms = MINUTE_MS as u64;
        let length = to_ms.saturating_sub(from_ms).max(0) as u64;
        Self {
            from_ms,
            to_ms,
            step_ms,
            buckets: vec![Rollup::default(); length.div_ceil(step_ms) as usize],
        }
    }

    /// Of a grid of minutes, those that hold readings.
    pub(super) fn minutes(&self) -> impl Iterator<Item = Minute> {
        let held = (0_i64..)
            .zip(&self.buckets)
            .filter(|(_, one)| one.count > 0);
        held.map(|(at, one)| Minute {
            time_ms: self.from_ms + at * MINUTE_MS,
            readings: one.count,
            good: one.good,
        })
    }

    /// From, inclusive, and to, exclusive.
    pub(super) fn span(&self) -> (i64, i64) {
        (self.from_ms, self.to_ms)
    }

    /// The length of a bucket.
    pub(super) fn step_ms(&self) -> u64 {
        self.step_ms
    }

    pub(super) fn merge(&mut self, at: usize, rollup: &Rollup) {
        self.buckets[at].merge(rollup);
    }

    /// The bucket of a time; `None` outside of the span.
    pub(super) fn at(&self, time_ms: i64) -> Option<usize> {
        let is_within = (self.from_ms..self.to_ms).contains(&time_ms);
        is_within.then(|| (time_ms.wrapping_sub(self.from_ms) as u64 / self.step_ms) as usize)
    }

    /// The bucket that a stretch of time lies in as a whole.
    pub(super) fn around(&self, (first_ms, last_ms): (i64, i64)) -> Option<usize> {
        self.at(first_ms)
            .filter(|first| self.at(last_ms) == Some(*first))
    }

    /// Whether no minute of the hour is cut by a bucket's edge or the span's end.
    pub(super) fn spares_minutes(&self, (_, last_ms): (i64, i64)) -> bool {
        let minute = MINUTE_MS as u64;
        self.step_ms.is_multiple_of(minute)
            && self.from_ms.rem_euclid(MINUTE_MS) == 0
            && (self.to_ms > last_ms || self.to_ms.rem_euclid(MINUTE_MS) == 0)
    }

    pub(super) fn add(&mut self, reading: &Reading) {
        if let Some(at) = self.at(reading.source_time().0) {
            self.buckets[at].add(reading);
        }
    }

    pub(super) fn series(&self) -> Series {
        let time_ms = |at: usize| self.from_ms.wrapping_add_unsigned(at as u64 * self.step_ms);
        let buckets = self.buckets.iter().enumerate();
        Series {
            step_ms: i64::try_from(self.step_ms).unwrap_or(i64::MAX),
            buckets: buckets
                .filter_map(|(at, rollup)| rollup.bucket(time_ms(at)))
                .collect(),
        }
    }
}

/// The length of a bucket: whole minutes or hours, if it is long.
fn step(length_ms: u64, buckets: u64) -> u64 {
    let exact = length_ms.div_ceil(buckets).max(1);
    let unit = [HOUR_MS as u64, MINUTE_MS as u64]
        .into_iter()
        .find(|unit| exact >= COARSE * unit)
        .unwrap_or(1);
    exact.checked_next_multiple_of(unit).unwrap_or(exact)
}
