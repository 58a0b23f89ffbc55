//! Slows whoever guesses PINs or passwords, and locks nobody out: tries are counted by where they come from and whose name they claim, so that what is
//! right still opens from another screen. After five wrong ones in a row the pair waits a minute, after each further one twice as long, at most a quarter
//! of an hour.
//!
//! Tries of all pairs that never were right are bounded together, or many addresses would guess as one; a pair that was right in the last week is not
//! held by them. Pairs are bounded too: when full, those go that are forgotten anyway, and if none is, new pairs wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Wrong ones in a row that cost nothing but themselves.
const FREE: u32 = 5;
const WINDOW_MS: i64 = 60_000;
const LONGEST_WAIT_MS: i64 = 15 * 60_000;
/// Wrong ones are forgotten after so long without a try.
const FORGOTTEN_MS: i64 = 30 * 60_000;
/// How long a right one vouches for its pair.
const VOUCHED_MS: i64 = 7 * 86_400_000;

/// How much there is room for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Tries a minute of all pairs that nothing vouches for.
    pub strangers: u32,
    /// Pairs remembered at once.
    pub pairs: usize,
}

/// Tries of late, by address and name.
#[derive(Debug)]
pub struct Throttle {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pairs: HashMap<(IpAddr, String), Tries>,
    /// When the present minute of strangers began, and their tries in it.
    strangers: (i64, u32),
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    wrong: u32,
    last_ms: i64,
    right_ms: Option<i64>,
}

impl Tries {
    /// A clock that was set back must not make anybody wait longer.
    fn at(mut self, now_ms: i64) -> Self {
        self.last_ms = self.last_ms.min(now_ms);
        if now_ms - self.last_ms >= FORGOTTEN_MS {
            self.wrong = 0;
        }
        self
    }

    fn waits(&self, now_ms: i64) -> bool {
        let doublings = self.wrong.saturating_sub(FREE).min(10);
        let wait_ms = (WINDOW_MS << doublings).min(LONGEST_WAIT_MS);
        self.wrong >= FREE && now_ms - self.last_ms < wait_ms
    }

    fn is_vouched(&self, now_ms: i64) -> bool {
        self.right_ms
            .is_some_and(|right_ms| now_ms - right_ms < VOUCHED_MS)
    }
}

impl Throttle {
    /// Nobody has tried yet.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this pair may try now; a try counts as wrong until [`Throttle::forgive`]. One that must wait is not counted: who waits is not held longer.
    pub fn admit(&self, address: IpAddr, name: &str, now_ms: i64) -> bool {
        let mut state = self.lock();
        let key = (address, name.to_owned());
        let held = state.pairs.get(&key).map(|tries| tries.at(now_ms));
        if held.is_some_and(|tries| tries.waits(now_ms))
            || (held.is_none() && !state.has_room(self.bounds, now_ms))
        {
            return false;
        }
        if !held.is_some_and(|tries| tries.is_vouched(now_ms))
            && !state.admit_stranger(self.bounds, now_ms)
        {
            return false;
        }
        let right_ms = held.and_then(|tries| tries.right_ms);
        let wrong = held.map_or(0, |tries| tries.wrong).saturating_add(1);
        let tries = Tries {
            wrong,
            last_ms: now_ms,
            right_ms,
        };
        state.pairs.insert(key, tries);
        true
    }

    /// The try was right.
    pub fn forgive(&self, address: IpAddr, name: &str, now_ms: i64) {
        let mut state = self.lock();
        let tries = Tries {
            wrong: 0,
            last_ms: now_ms,
            right_ms: Some(now_ms),
        };
        state.pairs.insert((address, name.to_owned()), tries);
        state.strangers.1 = state.strangers.1.saturating_sub(1);
    }
}

impl State {
    fn has_room(&mut self, bounds: Bounds, now_ms: i64) -> bool {
        if self.pairs.len() >= bounds.pairs {
            self.pairs.retain(|_, tries| {
                tries.is_vouched(now_ms) || now_ms - tries.last_ms < FORGOTTEN_MS
            });
        }
        self.pairs.len() < bounds.pairs
    }

    fn admit_stranger(&mut self, bounds: Bounds, now_ms: i64) -> bool {
        let (since_ms, tries) = &mut self.strangers;
        if !(0..WINDOW_MS).contains(&(now_ms - *since_ms)) {
            (*since_ms, *tries) = (now_ms, 0);
        }
        *tries += u32::from(*tries <= bounds.strangers);
        *tries <= bounds.strangers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const BOUNDS: Bounds = Bounds {
        strangers: 30,
        pairs: 100,
    };
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn whoever_guesses_waits_and_the_person_comes_in_from_another_screen() {
        let throttle = Throttle::new(BOUNDS);
        for _ in 0..FREE {
            assert!(throttle.admit(HERE, "wang", 1_000));
        }
        assert!(!throttle.admit(HERE, "wang", 30_000));
        assert!(
            throttle.admit(HERE, "li", 30_000),
            "another name is not held"
        );
        assert!(
            throttle.admit(THERE, "wang", 30_000),
            "another screen is not held"
        );
        assert!(throttle.admit(HERE, "wang", 61_000));
    }

    #[test]
    fn each_wrong_one_after_that_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let throttle = Throttle::new(BOUNDS);
        for _ in 0..FREE {
            throttle.admit(HERE, "wang", 0);
        }
        let mut now_ms = 0;
        for minutes in [1, 2, 4, 8, 15, 15] {
            assert!(!throttle.admit(HERE, "wang", now_ms + minutes * 60_000 - 1));
            now_ms += minutes * 60_000;
            assert!(throttle.admit(HERE, "wang", now_ms), "{minutes}");
        }
        assert!(
            throttle.admit(HERE, "wang", now_ms + FORGOTTEN_MS),
            "forgotten"
        );
        assert!(
            throttle.admit(HERE, "wang", now_ms + FORGOTTEN_MS),
            "and free again"
        );
    }

    #[test]
    fn a_right_one_forgives_the_wrong_ones_of_its_pair() {
        let throttle = Throttle::new(BOUNDS);
        for _ in 0..200 {
            assert!(throttle.admit(HERE, "wang", 0));
            throttle.forgive(HERE, "wang", 0);
        }
    }

    #[test]
    fn many_addresses_together_are_held_and_a_screen_that_was_right_is_not() {
        let throttle = Throttle::new(BOUNDS);
        assert!(throttle.admit(HERE, "wang", 0));
        throttle.forgive(HERE, "wang", 0);
        let from = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(number));
        let admitted = (0..10_000).filter(|number| throttle.admit(from(*number), "wang", 1));
        assert_eq!(admitted.count(), BOUNDS.strangers as usize);
        assert!(throttle.admit(HERE, "wang", 2), "it was right before");
        assert!(!throttle.admit(THERE, "wang", 2), "it never was");
        assert!(throttle.admit(THERE, "wang", WINDOW_MS), "a minute later");
        let kept = throttle.lock();
        assert!(kept.pairs.len() <= BOUNDS.pairs);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nobody_longer() {
        let throttle = Throttle::new(BOUNDS);
        for _ in 0..FREE {
            throttle.admit(HERE, "wang", 10_000_000);
        }
        assert!(!throttle.admit(HERE, "wang", 1_000));
        assert!(throttle.admit(HERE, "wang", 10_000_000 + WINDOW_MS));
    }
}
