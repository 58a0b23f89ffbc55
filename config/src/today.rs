//! The day on which a file is read, and whether a date of the file can be right on it. Pure: whoever knows a clock hands its day in.

/// A day, and what a date that lies after it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Today {
    /// Nobody asked a clock: no date is judged.
    Unknown,
    /// Days since 1970-01-01 by a clock that a person vouches for: a date ahead of it refuses the file.
    Certain(i64),
    /// The same by a clock that may be wrong, as after a power cut: a date ahead of it is a warning, for alarms must be judged.
    Doubtful(i64),
}

/// One day more is allowed: the date was written in a zone of its own.
const TOLERANCE_DAYS: i64 = 1;

impl Today {
    /// Whether a date `YYYY-MM-DD…` lies ahead, whatever the zone. False for what is no date.
    pub(crate) fn is_before(self, date: &str) -> bool {
        let today = match self {
            Self::Unknown => return false,
            Self::Certain(day) | Self::Doubtful(day) => day,
        };
        day(date).is_some_and(|day| day > today + TOLERANCE_DAYS)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn day(date: &str) -> Option<i64> {
    let part = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    // Years that begin in March have the leap day at their end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        month => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(365 * year + leap_days + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        for (date, since) in [
            ("1970-01-01", 0),
            ("1972-03-01", 790),
            ("2000-02-29", 11_016),
            ("2026-11-02", 20_759),
            ("2100-03-01", 47_541),
        ] {
            assert_eq!(day(date), Some(since), "{date}");
        }
        assert_eq!(day("soon"), None);
    }

    #[test]
    fn a_date_lies_ahead_from_the_day_after_tomorrow_on() {
        let today = Today::Certain(20_759);
        assert!(!today.is_before("2026-11-03"));
        assert!(today.is_before("2026-11-04T00:00:00Z"));
        assert!(!Today::Unknown.is_before("9999-12-31"));
    }
}
