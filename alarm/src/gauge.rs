//! What a limit can be set on beside the value itself: how far it moved within a window, and its time-weighted mean over one. No heap: a window is a
//! ring of `N` buckets, so a reading costs the same whatever the window holds.
//!
//! A value holds until the next reading or until its point is lost (R2, R9); missing is never zero.

use crate::time::Instant;
use core::num::NonZeroU64;

/// The time-weighted mean of a rolling window (STEL, TWA), in buckets of `window / N`.
///
/// At a bucket's end the window is exact; within one, what the oldest bucket still contributes is taken evenly from it.
#[derive(Clone, Debug)]
pub struct Mean<const N: usize> {
    bucket_ms: NonZeroU64,
    /// By bucket number modulo `N`; the present one is among them.
    sums: [f64; N],
    covered_ms: [u64; N],
    /// Number of the present bucket since the start of time.
    present: u64,
    /// The oldest bucket, which is leaving the window.
    leaving: (f64, u64),
    held: Option<f64>,
    /// Up to when the held value has been counted.
    counted: Instant,
}

/// What a window knows of its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exposure {
    /// Enough of the window is covered: the mean of what is.
    Mean(f64),
    /// Too little is covered to say; the mean cannot be below this, were the rest zero.
    AtLeast(f64),
}

impl<const N: usize> Mean<N> {
    /// Share of the window that must be covered before its mean is known (safety.md §7).
    pub const COVERAGE_PERCENT: u64 = 80;

    /// An empty window of `window_ms`, which is at least `N` milliseconds.
    pub fn new(window_ms: u32, now: Instant) -> Self {
        let bucket_ms = bucket::<N>(window_ms);
        Self {
            bucket_ms,
            sums: [0.0; N],
            covered_ms: [0; N],
            present: now.0 / bucket_ms,
            leaving: (0.0, 0),
            held: None,
            counted: now,
        }
    }

    /// The value from `now` on.
    pub fn see(&mut self, value: f64, now: Instant) {
        self.advance(now);
        self.held = Some(value);
    }

    /// There is no value from `now` on.
    pub fn lose(&mut self, now: Instant) {
        self.advance(now);
        self.held = None;
    }

    /// What is known at `now`.
    pub fn exposure(&mut self, now: Instant) -> Exposure {
        self.advance(now);
        let into = now
            .0
            .saturating_sub(self.present.saturating_mul(self.bucket_ms.get()));
        let stays = 1.0 - into.min(self.bucket_ms.get()) as f64 / self.bucket_ms.get() as f64;
        let sum = self.sums.iter().sum::<f64>() + self.leaving.0 * stays;
        let covered = self.covered_ms.iter().sum::<u64>() as f64 + self.leaving.1 as f64 * stays;
        let window = self.bucket_ms.get() as f64 * N as f64;
        if covered * 100.0 >= window * Self::COVERAGE_PERCENT as f64 {
            Exposure::Mean(sum / covered)
        } else {
            Exposure::AtLeast(sum / window)
        }
    }

    /// When the present bucket ends, at which the mean is exact again.
    pub const fn next_bucket(&self) -> Instant {
        Instant(
            self.present
                .saturating_add(1)
                .saturating_mul(self.bucket_ms.get()),
        )
    }

    /// Counts the held value up to `now`, bucket by bucket; a pause longer than the window costs no more than the window.
    fn advance(&mut self, now: Instant) {
        let target = now.0 / self.bucket_ms;
        if target.saturating_sub(self.present) > N as u64 {
            // Nothing of before is left but what the held value says.
            let from = Instant((target - N as u64) * self.bucket_ms.get());
            (self.sums, self.covered_ms) = ([0.0; N], [0; N]);
            (self.leaving, self.present) = ((0.0, 0), from.0 / self.bucket_ms);
            self.counted = from;
        }
        while self.present < target {
            let end = self.next_bucket();
            self.count(end);
            self.present += 1;
            let slot = self.slot();
            self.leaving = (self.sums[slot], self.covered_ms[slot]);
            (self.sums[slot], self.covered_ms[slot]) = (0.0, 0);
        }
        self.count(now);
    }

    fn count(&mut self, until: Instant) {
        let ms = until.since(self.counted);
        self.counted = self.counted.max(until);
        if let Some(value) = self.held {
            let slot = self.slot();
            self.sums[slot] += value * ms as f64;
            self.covered_ms[slot] += ms;
        }
    }

    const fn slot(&self) -> usize {
        (self.present % N as u64) as usize
    }
}

/// The lowest and the highest value of a rolling window (rate of change), in buckets of `window / N`; it reaches back at least the window and at
/// most one bucket more.
#[derive(Clone, Debug)]
pub struct Extremes<const N: usize> {
    bucket_ms: NonZeroU64,
    /// By bucket number modulo `N`; the present one is among them, and the value that was held at its beginning.
    spans: [Option<(f64, f64)>; N],
    leaving: Option<(f64, f64)>,
    present: u64,
    held: Option<f64>,
}

impl<const N: usize> Extremes<N> {
    /// An empty window of `window_ms`, which is at least `N` milliseconds.
    pub fn new(window_ms: u32, now: Instant) -> Self {
        let bucket_ms = bucket::<N>(window_ms);
        Self {
            bucket_ms,
            spans: [None; N],
            leaving: None,
            present: now.0 / bucket_ms,
            held: None,
        }
    }

    /// The value from `now` on. Returns how far it is above the lowest and below the highest of the window.
    pub fn see(&mut self, value: f64, now: Instant) -> (f64, f64) {
        self.advance(now);
        self.held = Some(value);
        self.widen(value);
        let spans = self.spans.iter().chain([&self.leaving]).flatten();
        let (low, high) = spans.fold((value, value), |(low, high), span| {
            (low.min(span.0), high.max(span.1))
        });
        (value - low, high - value)
    }

    /// There is no value from `now` on.
    pub fn lose(&mut self, now: Instant) {
        self.advance(now);
        self.held = None;
    }

    fn advance(&mut self, now: Instant) {
        let target = now.0 / self.bucket_ms;
        // Beyond a whole window every bucket is the held value's.
        self.present = self.present.max(target.saturating_sub(N as u64 + 1));
        while self.present < target {
            self.present += 1;
            let slot = self.slot();
            self.leaving = self.spans[slot].take();
            if let Some(held) = self.held {
                self.widen(held);
            }
        }
    }

    fn widen(&mut self, value: f64) {
        let slot = self.slot();
        let (low, high) = self.spans[slot].unwrap_or((value, value));
        self.spans[slot] = Some((low.min(value), high.max(value)));
    }

    const fn slot(&self) -> usize {
        (self.present % N as u64) as usize
    }
}

/// The length of a bucket: at least a millisecond, so that nothing is ever divided by zero.
fn bucket<const N: usize>(window_ms: u32) -> NonZeroU64 {
    let ms = u64::from(window_ms) / (N as u64).max(1);
    NonZeroU64::new(ms).unwrap_or(NonZeroU64::MIN)
}
