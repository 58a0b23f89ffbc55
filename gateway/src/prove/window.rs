//! What a point reads of late, and whether it stands still: a value is taken into a proof only when it does.

use davy_alarm::{Instant, NoValue};
use std::collections::VecDeque;

/// Readings that are remembered; the oldest go first.
const MOST: usize = 256;
/// Shortest time for which a value must stand, milliseconds.
const SHORTEST_MS: u64 = 3_000;
/// Readings that a value stands on at least.
const FEWEST: usize = 3;

/// A value that stands still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Still {
    /// The mean.
    pub value: f64,
    /// Highest less lowest.
    pub spread: f64,
    pub readings: u32,
}

/// The latest readings of one point.
#[derive(Clone, Debug)]
pub struct Window {
    readings: VecDeque<(Instant, Result<f64, NoValue>)>,
    length_ms: u64,
    /// The most that a still value moves.
    allowed: f64,
}

impl Window {
    /// Of a point that is read every `period_ms` and proved within `tolerance`.
    pub fn new(period_ms: u32, tolerance: f64) -> Self {
        Self {
            readings: VecDeque::new(),
            length_ms: SHORTEST_MS.max(3 * u64::from(period_ms)),
            allowed: tolerance,
        }
    }

    pub const fn length_ms(&self) -> u64 {
        self.length_ms
    }

    pub fn take(&mut self, at: Instant, value: Result<f64, NoValue>) {
        if self.readings.len() == MOST {
            self.readings.pop_front();
        }
        self.readings.push_back((at, value));
    }

    /// The value, if it has stood still up to `now`: good readings alone over the whole window, apart by no more than the tolerance.
    pub fn still(&self, now: Instant) -> Option<Still> {
        let begin = Instant(now.0.checked_sub(self.length_ms)?);
        // The reading that held when the window began counts too.
        let held = self.readings.iter().rposition(|(at, _)| *at <= begin)?;
        let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0);
        for (_, value) in self.readings.range(held..) {
            let value = (*value).ok()?;
            (low, high, sum) = (low.min(value), high.max(value), sum + value);
            count += 1;
        }
        let still = count >= FEWEST && high - low <= self.allowed;
        still.then(|| Still {
            value: sum / count as f64,
            spread: high - low,
            readings: u32::try_from(count).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(values: &[Result<f64, NoValue>]) -> Window {
        let mut window = Window::new(1000, 5.0);
        for (at, value) in (0..).zip(values) {
            window.take(Instant(at * 1000), *value);
        }
        window
    }

    #[test]
    fn a_value_stands_still_when_it_has_for_the_whole_window() {
        let rising = window(&[Ok(0.0), Ok(20.0), Ok(50.0), Ok(50.1)]);
        assert_eq!(
            rising.still(Instant(3000)),
            None,
            "it was at 0 within the window"
        );
        let mut still = rising;
        still.take(Instant(4000), Ok(49.9));
        still.take(Instant(5000), Ok(50.0));
        let found = still.still(Instant(5000)).unwrap();
        assert!(
            (found.value - 50.0).abs() < 0.1 && found.spread < 0.3,
            "{found:?}"
        );
    }

    #[test]
    fn a_bad_reading_within_the_window_is_no_still_value() {
        let bad = window(&[Ok(1.0), Ok(1.0), Err(NoValue::Timeout), Ok(1.0), Ok(1.0)]);
        assert_eq!(bad.still(Instant(4000)), None);
    }

    #[test]
    fn too_little_time_is_no_still_value_however_many_readings() {
        let mut window = Window::new(50, 5.0);
        for at in 0..50 {
            window.take(Instant(at * 50), Ok(1.0));
        }
        assert_eq!(window.still(Instant(2450)), None);
    }

    proptest! {
        #[test]
        fn a_still_value_lies_between_its_readings_and_never_moves_by_more_than_allowed(
            values in prop::collection::vec(0.0_f64..20.0, 0..60),
        ) {
            let values: Vec<_> = values.into_iter().map(Ok).collect();
            let window = window(&values);
            let now = Instant(values.len().saturating_sub(1) as u64 * 1000);
            if let Some(still) = window.still(now) {
                prop_assert!(still.spread <= 5.0);
                prop_assert!(still.readings >= 3);
            }
        }
    }
}
