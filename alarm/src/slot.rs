//! Where one timer stands, or none, in eight bytes: a site of a hundred thousand alarms is read through its caches once a second.

use crate::time::Instant;
use core::num::NonZeroU64;

/// A timer's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(Option<NonZeroU64>);

impl Slot {
    pub(crate) const EMPTY: Self = Self(None);

    /// When the timer is due.
    pub(crate) const fn get(self) -> Option<Instant> {
        match self.0 {
            Some(_) => Some(Instant(self.order())),
            None => None,
        }
    }

    /// The earlier of two timers has the smaller one; an empty place has the largest.
    pub(crate) const fn order(self) -> u64 {
        match self.0 {
            Some(one_more) => one_more.get().wrapping_sub(1),
            None => u64::MAX,
        }
    }

    /// The same timer, due no later than that.
    pub(crate) fn at_latest(self, latest: Instant) -> Self {
        self.get().map(|due| due.min(latest)).into()
    }

    /// Starts a timer, unless one runs.
    pub(crate) fn start(&mut self, at: Instant) {
        if self.0.is_none() {
            *self = Some(at).into();
        }
    }
}

impl From<Option<Instant>> for Slot {
    /// The last millisecond of time stands for the one before it.
    fn from(at: Option<Instant>) -> Self {
        Self(at.map(|at| NonZeroU64::MIN.saturating_add(at.0)))
    }
}
