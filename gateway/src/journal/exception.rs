//! Recording by exception: which readings are worth a line in the journal. Pure.

use davy_alarm::{Instant, NoValue, Quality, Reading};

/// The rule of one point, and its reading that was journalled last.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// A value is journalled when it moved by more than this, engineering unit, ≥ 0.
    moved: f64,
    /// Journalled at least this often, milliseconds.
    heartbeat_ms: u32,
    last: Option<Journalled>,
}

#[derive(Clone, Copy, Debug)]
struct Journalled {
    at: Instant,
    value: Result<f64, NoValue>,
    quality: Quality,
}

impl Exception {
    /// A point of which nothing is journalled yet: its first reading will be.
    pub const fn new(moved: f64, heartbeat_ms: u32) -> Self {
        Self {
            moved,
            heartbeat_ms,
            last: None,
        }
    }

    /// This rule, going on after what another journalled last.
    pub const fn going_on(mut self, before: &Self) -> Self {
        self.last = before.last;
        self
    }

    /// Whether to journal a reading that came at `now`; if so it is the one that the next are held against.
    pub fn take(&mut self, reading: &Reading, now: Instant) -> bool {
        let news = self
            .last
            .is_none_or(|last| self.is_news(last, reading, now));
        if news {
            self.last = Some(Journalled {
                at: now,
                value: reading.value(),
                quality: reading.quality(),
            });
        }
        news
    }

    fn is_news(&self, last: Journalled, reading: &Reading, now: Instant) -> bool {
        let differs = match (last.value, reading.value()) {
            (Ok(before), Ok(value)) => (value - before).abs() > self.moved,
            (Err(before), Err(cause)) => before != cause,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => true,
        };
        differs
            || last.quality != reading.quality()
            || now.since(last.at) >= u64::from(self.heartbeat_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::WallMs;

    const AT: WallMs = WallMs(1_700_000_000_000);

    fn taken(readings: &[(u64, Reading)]) -> Vec<bool> {
        let mut exception = Exception::new(0.5, 60_000);
        readings
            .iter()
            .map(|(at, reading)| exception.take(reading, Instant(*at)))
            .collect()
    }

    fn value(value: f64) -> Reading {
        Reading::measured(value, AT)
    }

    #[test]
    fn the_first_reading_is_journalled() {
        assert_eq!(taken(&[(0, value(1.0))]), [true]);
    }

    #[test]
    fn a_value_is_journalled_when_it_moved_by_more_than_the_exception_since_the_last_journalled_one()
     {
        let creeping = [
            (0, value(1.0)),
            (1, value(1.3)),
            (2, value(1.5)),
            (3, value(1.6)),
            (4, value(1.2)),
            (5, value(1.0)),
        ];
        assert_eq!(taken(&creeping), [true, false, false, true, false, true]);
    }

    #[test]
    fn another_quality_or_cause_is_journalled_at_once() {
        let absent = |cause| Reading::absent(cause, AT);
        let readings = [
            (0, value(1.0)),
            (1, Reading::uncertain(1.0, AT)),
            (2, Reading::uncertain(1.0, AT)),
            (3, absent(NoValue::Timeout)),
            (4, absent(NoValue::Timeout)),
            (5, absent(NoValue::Exception(2))),
            (6, absent(NoValue::Exception(4))),
            (7, value(1.0)),
        ];
        assert_eq!(
            taken(&readings),
            [true, true, false, true, false, true, true, true]
        );
    }

    #[test]
    fn a_value_that_stands_still_is_journalled_once_a_heartbeat() {
        let still = [
            (0, value(1.0)),
            (59_999, value(1.0)),
            (60_000, value(1.0)),
            (119_999, value(1.0)),
            (120_000, value(1.0)),
        ];
        assert_eq!(taken(&still), [true, false, true, false, true]);
    }

    #[test]
    fn an_exception_of_zero_journals_every_change() {
        let mut exception = Exception::new(0.0, 60_000);
        let taken: Vec<bool> = [1.0, 1.0, 1.000_001]
            .into_iter()
            .map(|number| exception.take(&value(number), Instant(0)))
            .collect();
        assert_eq!(taken, [true, false, true]);
    }
}
