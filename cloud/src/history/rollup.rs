//! What stays of many readings: how many, how good, lowest, highest, mean, and the newest cause of absence.
//!
//! The minutes of an hour lie on disk as one row. Version 3, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 3 |
//! | 1 | number of minutes that hold readings, n, 1 to 60 |
//! | 1 | of which with values, v |
//! | 1 | of which with absences, a |
//! | 8 | which minutes of the hour they are, u64: bit 0 the first; n bits are set, none above bit 59 |
//! | 2 + … | length of the next column, u16; counts: of every minute the readings, of every one the values, of every one the good, u32, `pco` stand-alone |
//! | 2 + … | length; of every minute with values the lowest, then of every one the highest, f64, `pco`; no bytes without values |
//! | 2 + … | length; of every minute with values the mean, f64, `pco`; no bytes without values |
//! | a × 10 | code of the newest cause of absence, u16, and its time, i64, of the minutes with more readings than values |
//! | 4 | CRC-32C of all the bytes before |
//!
//! Versions 1 and 2 are read too. Both name minutes by n bytes, rising, in place of the bits: 52 bytes more of a whole hour, a twentieth of what a point costs that is
//! read every five seconds. In place of the columns version 1 has n × 12 bytes (readings, values, good, u32 each) and v × 24 (lowest, highest, mean, f64 each).

use super::chunk::{self, ChunkError, HOUR_MS, hour_span};
use super::{Bucket, Span};
use davy_alarm::{NoValue, Quality, Reading};

pub(super) const MINUTE_MS: i64 = 60_000;
const VERSION: u8 = 3;
/// Minutes of an hour.
const MINUTES: u8 = 60;

/// Many readings in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rollup {
    pub(super) count: u32,
    /// Readings with a value, good or uncertain.
    pub(super) values: u32,
    pub(super) good: u32,
    /// Of the values; nothing if there are none.
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) mean: f64,
    /// The newest absence.
    pub(super) absent: Option<Absence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Absence {
    pub(super) cause: NoValue,
    pub(super) time_ms: i64,
}

impl Rollup {
    pub(super) fn of<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Self {
        let mut rollup = Self::default();
        readings.into_iter().for_each(|one| rollup.add(one));
        rollup
    }

    pub(super) fn add(&mut self, reading: &Reading) {
        let is_good = reading.quality() == Quality::Good;
        let mut one = Self {
            count: 1,
            good: u32::from(is_good),
            ..Self::default()
        };
        match reading.value() {
            Ok(value) => {
                (one.min, one.max, one.mean) = (value, value, value);
                one.values = 1;
            }
            Err(cause) => {
                let time_ms = reading.source_time().0;
                one.absent = Some(Absence { cause, time_ms });
            }
        }
        self.merge(&one);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.good = self.good.saturating_add(other.good);
        self.merge_values(other);
        let is_newer = match (&self.absent, &other.absent) {
            (Some(mine), Some(theirs)) => mine.time_ms < theirs.time_ms,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if is_newer {
            self.absent = other.absent;
        }
    }

    fn merge_values(&mut self, other: &Self) {
        if other.values == 0 {
            return;
        }
        if self.values == 0 {
            (self.min, self.max, self.mean) = (other.min, other.max, other.mean);
        } else {
            // Weighted means, never a sum: the sum of two finite values can be infinite.
            let weight =
                f64::from(other.values) / (f64::from(self.values) + f64::from(other.values));
            self.min = self.min.min(other.min);
            self.max = self.max.max(other.max);
            let mean = self.mean * (1.0 - weight) + other.mean * weight;
            self.mean = mean.clamp(self.min, self.max);
        }
        self.values = self.values.saturating_add(other.values);
    }

    /// The bucket that begins at this time; `None` if it holds no reading.
    pub(super) fn bucket(&self, time_ms: i64) -> Option<Bucket> {
        let span = if self.values > 0 {
            Ok(Span {
                min: self.min,
                max: self.max,
                mean: self.mean,
            })
        } else {
            Err(self.absent?.cause)
        };
        Some(Bucket {
            time_ms,
            span,
            count: self.count,
            good: self.good,
        })
    }
}

/// The rollups of the minutes of an hour that hold readings, with the time where each begins.
pub(super) fn minutes(hour: i64, readings: &[Reading]) -> Vec<(i64, Rollup)> {
    let minute = |one: &Reading| one.source_time().0.div_euclid(MINUTE_MS);
    debug_assert!(
        readings
            .iter()
            .all(|one| one.source_time().0.div_euclid(HOUR_MS) == hour)
    );
    readings
        .chunk_by(|a, b| minute(a) == minute(b))
        .map(|of_minute| (minute(&of_minute[0]) * MINUTE_MS, Rollup::of(of_minute)))
        .collect()
}

/// The bytes of the minutes of an hour.
pub(super) fn encode(hour: i64, minutes: &[(i64, Rollup)]) -> Vec<u8> {
    debug_assert!((1..=60).contains(&minutes.len()));
    let all = || minutes.iter().map(|(_, one)| one);
    let with_values = || all().filter(|one| one.values > 0);
    let absences = || all().filter_map(|one| one.absent);
    let mut bytes = vec![
        VERSION,
        minutes.len() as u8,
        with_values().count() as u8,
        absences().count() as u8,
    ];
    let bit = |(time_ms, _): &(i64, Rollup)| 1_u64 << ((time_ms - hour * HOUR_MS) / MINUTE_MS);
    let which = minutes.iter().map(bit).fold(0, |all, bit| all | bit);
    bytes.extend_from_slice(&which.to_le_bytes());
    bytes.extend(columns(minutes));
    chunk::seal(bytes)
}

/// What versions 2 and 3 have in common: counts and values, and the absences.
fn columns(minutes: &[(i64, Rollup)]) -> Vec<u8> {
    let all = || minutes.iter().map(|(_, one)| one);
    let with_values = || all().filter(|one| one.values > 0);
    let mut bytes = Vec::new();
    let counts = all().map(|one| one.count);
    let counts = counts.chain(all().map(|one| one.values));
    let counts: Vec<u32> = counts.chain(all().map(|one| one.good)).collect();
    let extremes = with_values().map(|one| one.min);
    let extremes: Vec<f64> = extremes.chain(with_values().map(|one| one.max)).collect();
    let means: Vec<f64> = with_values().map(|one| one.mean).collect();
    for column in [
        chunk::column(&counts),
        chunk::column(&extremes),
        chunk::column(&means),
    ] {
        bytes.extend_from_slice(&(column.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&column);
    }
    for absence in all().filter_map(|one| one.absent) {
        bytes.extend_from_slice(&absence.cause.code().to_le_bytes());
        bytes.extend_from_slice(&absence.time_ms.to_le_bytes());
    }
    bytes
}

/// The minutes of an hour from their bytes.
pub(super) fn decode(hour: i64, bytes: &[u8]) -> Result<Vec<(i64, Rollup)>, ChunkError> {
    let (start_ms, _) = hour_span(hour);
    let mut rest = Bytes(chunk::unseal(bytes)?);
    let [version, count, values, absences] = rest.take::<4>()?;
    let which = match version {
        1 | 2 => rest.minutes_2(count)?,
        VERSION => rest.minutes(count)?,
        _ => return Err(ChunkError::Version(version)),
    };
    let begins = |minute| start_ms.saturating_add(i64::from(minute) * MINUTE_MS);
    let empty = |minute| (begins(minute), Rollup::default());
    let mut found: Vec<_> = which.into_iter().map(empty).collect();
    match version {
        1 => rest.numbers_1(&mut found)?,
        _ => rest.numbers(&mut found, usize::from(values))?,
    }
    let with_values = found.iter().filter(|(_, one)| one.values > 0).count();
    let mut absences_left = absences;
    for (_, one) in found.iter_mut().filter(|(_, one)| one.count > one.values) {
        one.absent = Some(rest.absence()?);
        absences_left = absences_left.saturating_sub(1);
    }
    if rest.0.is_empty() && with_values == usize::from(values) && absences_left == 0 {
        Ok(found)
    } else {
        Err(ChunkError::Column("minutes"))
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ChunkError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ChunkError::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// So many minutes of the hour, by their bits.
    fn minutes(&mut self, count: u8) -> Result<Vec<u8>, ChunkError> {
        let which = u64::from_le_bytes(self.take()?);
        if which >> MINUTES != 0 || which.count_ones() != u32::from(count) {
            return Err(ChunkError::Column("minutes"));
        }
        let is_there = |minute: &u8| which >> minute & 1 == 1;
        Ok((0..MINUTES).filter(is_there).collect())
    }

    /// The same by their numbers, as versions 1 and 2 have it.
    fn minutes_2(&mut self, count: u8) -> Result<Vec<u8>, ChunkError> {
        let one = |_| self.take().map(|[minute]| minute);
        (0..count).map(one).collect()
    }

    /// The counts and values of minutes, of which so many have values.
    fn numbers(&mut self, minutes: &mut [(i64, Rollup)], values: usize) -> Result<(), ChunkError> {
        let n = minutes.len();
        let counts: Vec<u32> = self.column(3 * n)?;
        let extremes: Vec<f64> = self.column(2 * values)?;
        let means: Vec<f64> = self.column(values)?;
        for (at, (_, one)) in minutes.iter_mut().enumerate() {
            (one.count, one.values, one.good) = (counts[at], counts[n + at], counts[2 * n + at]);
        }
        let with_values = minutes.iter_mut().filter(|(_, one)| one.values > 0);
        for (at, (_, one)) in with_values.take(values).enumerate() {
            (one.min, one.max) = (extremes[at], extremes[values + at]);
            one.mean = means[at];
        }
        Ok(())
    }

    fn column<T: pco::data_types::Number + Default>(
        &mut self,
        count: usize,
    ) -> Result<Vec<T>, ChunkError> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (column, rest) = self.0.split_at_checked(length).ok_or(ChunkError::Short)?;
        self.0 = rest;
        chunk::numbers(column, count, "minutes")
    }

    /// As version 1 wrote them.
    fn numbers_1(&mut self, minutes: &mut [(i64, Rollup)]) -> Result<(), ChunkError> {
        for (_, one) in &mut *minutes {
            one.count = u32::from_le_bytes(self.take()?);
            one.values = u32::from_le_bytes(self.take()?);
            one.good = u32::from_le_bytes(self.take()?);
        }
        for (_, one) in minutes.iter_mut().filter(|(_, one)| one.values > 0) {
            one.min = f64::from_le_bytes(self.take()?);
            one.max = f64::from_le_bytes(self.take()?);
            one.mean = f64::from_le_bytes(self.take()?);
        }
        Ok(())
    }

    fn absence(&mut self) -> Result<Absence, ChunkError> {
        let code = u16::from_le_bytes(self.take()?);
        let time_ms = i64::from_le_bytes(self.take()?);
        let cause = NoValue::from_code(code).ok_or(ChunkError::Column("minutes"))?;
        Ok(Absence { cause, time_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::WallMs;

    const HOUR: i64 = 491_000;

    fn readings() -> Vec<Reading> {
        (0..700_i64)
            .map(|at| {
                let time = WallMs(HOUR * HOUR_MS + at * 5_000);
                match at % 41 {
                    0..15 => Reading::absent(NoValue::Exception(2), time),
                    15 => Reading::uncertain(-3.5, time),
                    _ => Reading::measured(at as f64, time),
                }
            })
            .collect()
    }

    #[test]
    fn minutes_decode_to_what_was_encoded() {
        let minutes = minutes(HOUR, &readings());
        assert_eq!(decode(HOUR, &encode(HOUR, &minutes)), Ok(minutes));
    }

    /// The bytes of minutes as version 1 wrote them.
    fn encode_1(minutes: &[(i64, Rollup)]) -> Vec<u8> {
        let all = || minutes.iter().map(|(_, one)| one);
        let values = || all().filter(|one| one.values > 0);
        let absences = || all().filter_map(|one| one.absent);
        let mut bytes = vec![1, minutes.len() as u8, values().count() as u8];
        bytes.push(absences().count() as u8);
        bytes.extend(
            minutes
                .iter()
                .map(|(time_ms, _)| ((time_ms - HOUR * HOUR_MS) / MINUTE_MS) as u8),
        );
        for one in all() {
            bytes.extend(
                [one.count, one.values, one.good]
                    .iter()
                    .flat_map(|number| number.to_le_bytes()),
            );
        }
        for one in values() {
            bytes.extend(
                [one.min, one.max, one.mean]
                    .iter()
                    .flat_map(|number| number.to_le_bytes()),
            );
        }
        for absence in absences() {
            bytes.extend_from_slice(&absence.cause.code().to_le_bytes());
            bytes.extend_from_slice(&absence.time_ms.to_le_bytes());
        }
        chunk::seal(bytes)
    }

    #[test]
    fn minutes_of_version_1_are_read() {
        let minutes = minutes(HOUR, &readings());
        assert_eq!(decode(HOUR, &encode_1(&minutes)), Ok(minutes));
    }

    #[test]
    fn minutes_of_version_2_are_read() {
        let minutes = minutes(HOUR, &readings());
        let written = encode(HOUR, &minutes);
        // Its head, and in place of the bits a byte a minute.
        let mut bytes = vec![2, written[1], written[2], written[3]];
        let minute = |(time_ms, _): &(i64, Rollup)| ((time_ms - HOUR * HOUR_MS) / MINUTE_MS) as u8;
        bytes.extend(minutes.iter().map(minute));
        bytes.extend(columns(&minutes));
        let bytes = chunk::seal(bytes);
        assert_eq!(bytes.len(), written.len() + minutes.len() - 8);
        assert_eq!(decode(HOUR, &bytes), Ok(minutes));
    }

    #[test]
    fn minutes_that_no_hour_has_are_refused() {
        let mut bytes = encode(HOUR, &minutes(HOUR, &readings()));
        let body = bytes.len() - 4;
        bytes.truncate(body);
        bytes[11] |= 0x80;
        bytes[1] += 1;
        let refused = Err(ChunkError::Column("minutes"));
        assert_eq!(decode(HOUR, &chunk::seal(bytes)), refused);
    }

    #[test]
    fn minutes_without_a_value_have_no_bytes_for_values() {
        let absent =
            |at: i64| Reading::absent(NoValue::Timeout, WallMs(HOUR * HOUR_MS + at * 5_000));
        let minutes = minutes(HOUR, &(0..700).map(absent).collect::<Vec<_>>());
        assert_eq!(decode(HOUR, &encode(HOUR, &minutes)), Ok(minutes));
    }

    #[test]
    fn minutes_with_any_byte_altered_are_refused() {
        let bytes = encode(HOUR, &minutes(HOUR, &readings()));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x10;
            assert!(decode(HOUR, &altered).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_mean_of_the_largest_values_stays_finite() {
        let huge = |at| Reading::measured(f64::MAX, WallMs(at));
        let all: Vec<Reading> = (0..1_000).map(huge).collect();
        assert_eq!(Rollup::of(&all).mean, f64::MAX);
    }
}
