//! Two times that must never be mixed: the monotonic one that delays run on, and the wall clock that people read.

/// A point on a monotonic clock that starts at 0 when the judgement starts, milliseconds. Delays, expiries and windows run on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// The instant `ms` later; saturates at the end of time (584 million years).
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Wall-clock time, milliseconds since 1970-01-01T00:00:00Z. Evidence for people; never orders anything (invariant 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallMs(pub i64);
