//! A UTC month, the span of one file: retention is the removal of a file.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

/// 1969-12: its file also takes what claims to be older, since a sensor's wrong clock must not cost a reading.
const FIRST: i32 = -1;
/// 2200-01: its file also takes what claims to be later.
const LAST: i32 = 230 * 12;
const ENDING: &str = ".sqlite";
const BEGINNING: &str = "history-";

/// Months since 1970-01, held within [`FIRST`] and [`LAST`], so that wrong clocks make no endless row of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Month(i32);

impl Month {
    pub(super) fn of(time_ms: i64) -> Self {
        let first_ms = Self(FIRST + 1).start_ms();
        let last_ms = Self(LAST).start_ms();
        let held = time_ms.clamp(first_ms - 1, last_ms);
        let zoned = Timestamp::from_millisecond(held)
            .expect("between 1969 and 2200")
            .to_zoned_datetime(TimeZone::UTC);
        Self((i32::from(zoned.year()) - 1970) * 12 + i32::from(zoned.month()) - 1)
    }

    /// Where the month begins; of the first, the beginning of time.
    pub(super) fn start_ms(self) -> i64 {
        if self.0 <= FIRST {
            return i64::MIN;
        }
        date(self.year(), self.number(), 1)
            .to_zoned_datetime(TimeZone::UTC)
            .expect("between 1970 and 2200")
            .timestamp()
            .as_millisecond()
    }

    /// Where the next month begins; of the last, the end of time.
    pub(super) fn end_ms(self) -> i64 {
        if self.0 >= LAST {
            i64::MAX
        } else {
            Self(self.0 + 1).start_ms()
        }
    }

    pub(super) fn path(self, folder: &Path) -> PathBuf {
        let (year, number) = (self.year(), self.number());
        folder.join(format!("{BEGINNING}{year:04}-{number:02}{ENDING}"))
    }

    /// The month of a file with this name, if it is a month's file.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        let inner = name.strip_prefix(BEGINNING)?.strip_suffix(ENDING)?;
        let (year, number) = inner.split_once('-')?;
        if year.len() != 4 || number.len() != 2 {
            return None;
        }
        let (year, number) = (year.parse::<i32>().ok()?, number.parse::<i32>().ok()?);
        let month = Self((year - 1970) * 12 + number - 1);
        ((1..=12).contains(&number) && (FIRST..=LAST).contains(&month.0)).then_some(month)
    }

    /// The number by which a table knows it: months since 1970-01, −1 to 2,760.
    pub(super) fn number_since_1970(self) -> i32 {
        self.0
    }

    /// The month of such a number, held within what there is.
    pub(super) fn numbered(number: i32) -> Self {
        Self(number.clamp(FIRST, LAST))
    }

    fn year(self) -> i16 {
        (1970 + self.0.div_euclid(12)) as i16
    }

    fn number(self) -> i8 {
        (self.0.rem_euclid(12) + 1) as i8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_time_lies_in_its_month(time_ms in any::<i64>()) {
            let month = Month::of(time_ms);
            prop_assert!(month.start_ms() <= time_ms);
            prop_assert!(time_ms < month.end_ms() || time_ms == i64::MAX);
        }

        #[test]
        fn a_month_is_known_by_its_files_name(time_ms in -100_000_000_i64..8_000_000_000_000) {
            let month = Month::of(time_ms);
            let path = month.path(Path::new("folder"));
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            prop_assert_eq!(Month::of_file(name), Some(month));
        }
    }

    #[test]
    fn a_month_ends_at_the_first_millisecond_of_the_next_in_utc() {
        let last_of_february = 1_709_251_199_999;
        assert_eq!(
            Month::of(last_of_february).path(Path::new("")),
            Path::new("history-2024-02.sqlite")
        );
        assert_eq!(
            Month::of(last_of_february + 1).path(Path::new("")),
            Path::new("history-2024-03.sqlite")
        );
    }
}
