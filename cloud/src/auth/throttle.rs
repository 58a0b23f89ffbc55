//! Slows whoever guesses passwords: five wrong ones in a minute for one name, and that name waits until the minute is over.
//!
//! Bound: 10,000 names at once. When full, names whose minute is over go first; if none is, every name waits: guessing many names must not open the door.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const MOST_TRIES: u32 = 5;
const WINDOW_MS: i64 = 60_000;
const MOST_NAMES: usize = 10_000;

/// Wrong log-ins of the last minute, by name.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<String, Tries>>);

#[derive(Clone, Copy, Debug)]
struct Tries {
    since_ms: i64,
    wrong: u32,
}

impl Throttle {
    /// Whether this name may try now; a try counts as wrong until [`Throttle::forgive`].
    pub fn admit(&self, name: &str, now_ms: i64) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST_NAMES && !names.contains_key(name) {
            names.retain(|_, tries| now_ms - tries.since_ms < WINDOW_MS);
            if names.len() >= MOST_NAMES {
                return false;
            }
        }
        let tries = names.entry(name.to_owned()).or_insert(Tries {
            since_ms: now_ms,
            wrong: 0,
        });
        // A clock that was set back must not hold a name for longer than a minute.
        if !(0..WINDOW_MS).contains(&(now_ms - tries.since_ms)) {
            *tries = Tries {
                since_ms: now_ms,
                wrong: 0,
            };
        }
        tries.wrong += 1;
        tries.wrong <= MOST_TRIES
    }

    /// The try was right.
    pub fn forgive(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_try_of_a_minute_waits_and_the_next_minute_is_free() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert!(throttle.admit("wang", 1_000));
        }
        assert!(!throttle.admit("wang", 30_000));
        assert!(throttle.admit("li", 30_000), "another name is not held");
        assert!(throttle.admit("wang", 61_000));
    }

    #[test]
    fn a_right_try_forgives_the_wrong_ones() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            assert!(throttle.admit("wang", 0));
            throttle.forgive("wang");
        }
    }

    #[test]
    fn a_flood_of_names_closes_the_door_until_a_minute_is_over() {
        let throttle = Throttle::default();
        for number in 0..MOST_NAMES {
            throttle.admit(&number.to_string(), 0);
        }
        assert!(!throttle.admit("one more", 1));
        assert!(throttle.admit("one more", WINDOW_MS));
    }
}
