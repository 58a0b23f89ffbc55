//! Chance, all of it from one seed. Each part has dice of its own, so that what one part throws does not change what another does.

use davy_gateway::journal::faulty::Dice as Plain;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Cheap to clone; clones throw the same dice in turn.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    seed: u64,
    plain: Arc<Mutex<Plain>>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            plain: Arc::new(Mutex::new(Plain::new(seed))),
        }
    }

    /// Dice of a part of its own, by its name.
    pub(crate) fn of(&self, part: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self::new(part.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.lock().below(end)
    }

    /// A number from `from` to `to`, both included.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Never for 0.
    pub(crate) fn one_in(&self, chances: u64) -> bool {
        chances > 0 && self.lock().one_in(chances)
    }

    pub(crate) fn ms(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.between(from, to))
    }

    /// 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }

    pub(crate) fn any(&self) -> u64 {
        self.below(u64::MAX)
    }

    pub(crate) fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        let at = self.below(all.len() as u64);
        all.get(usize::try_from(at).unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Plain> {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
