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
//! | 2 + … | length; of every minute with values the mean, rounded as [`kept_mean`] says, f64, `pco`; no bytes without values |
//! | a × 10 | code of the newest cause of absence, u16, and its time, i64, of the minutes with more readings than values |
//! | 4 | CRC-32C of all the bytes before |
//!
//! Versions 1 and 2 are read too. Both name minutes by n bytes, rising, in place of the bits: 52 bytes more of a whole hour, a twentieth of what a point costs that is
//! read every five seconds. Both may have means that are not rounded. In place of the columns version 1 has n × 12 bytes (readings, values, good, u32 each) and v × 24 (lowest, highest, mean, f64 each).

use super::chunk::{self, ChunkError, HOUR_MS, hour_span};
use super::{Bucket, Span};
use davy_alarm::{NoValue, Quality, Reading};

pub(super) const MINUTE_MS: i64 = 60_000;
const VERSION: u8 = 3;
/// Minutes of an hour.
const MINUTES: u8 = 60;
/// Decimal places that a signal is looked for in.
const MOST_DECIMALS: i32 = 6;
/// Steps of a mean to one of its signal.
const MEAN_STEPS: f64 = 1_000.0;

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

/// The mean as it is kept: to a thousandth of the last decimal that lowest and highest are told in, or where they are no decimals of six places, to the 24 bits
/// of an f32; never outside of lowest and highest. The digits beyond come from the division alone, say nothing of the signal, and cost what the rest of a
/// minute costs three times over.
fn kept_mean(one: &Rollup) -> f64 {
    let decimals = (0..=MOST_DECIMALS).map(|places| 10_f64.powi(places));
    let in_steps_of = |steps: &f64| {
        [one.min, one.max]
            .iter()
            .all(|value| (value * steps).round() / steps == *value)
    };
    let rounded = match decimals.into_iter().find(in_steps_of) {
        Some(steps) => (one.mean * steps * MEAN_STEPS).round() / (steps * MEAN_STEPS),
        None => f64::from(one.mean as f32),
    };
    let rounded = if rounded.is_finite() {
        rounded
    } else {
        one.mean
    };
    rounded.clamp(one.min, one.max)
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
    let means: Vec<f64> = with_values().map(kept_mean).collect();
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

    /// As they are kept.
    fn kept(mut minutes: Vec<(i64, Rollup)>) -> Vec<(i64, Rollup)> {
        for (_, one) in &mut minutes {
            one.mean = kept_mean(one);
        }
        minutes
    }

    #[test]
    fn minutes_decode_to_what_was_encoded() {
        let minutes = minutes(HOUR, &readings());
        assert_eq!(decode(HOUR, &encode(HOUR, &minutes)), Ok(kept(minutes)));
    }

    #[test]
    fn a_mean_is_kept_to_a_thousandth_of_its_signals_step_and_within_its_extremes() {
        let of = |values: &[f64]| {
            let one = |value: &f64| Reading::measured(*value, WallMs(0));
            Rollup::of(&values.iter().map(one).collect::<Vec<_>>())
        };
        // A third of hundredths, and of whole numbers.
        assert_eq!(kept_mean(&of(&[25.11, 25.11, 25.12])), 25.113_33);
        assert_eq!(kept_mean(&of(&[0.0, 0.0, 1.0])), 0.333);
        // A value that stands is its own mean, to the bit, whatever it is.
        for stands in [25.11, 0.1 + 0.2, f64::MAX, f64::MIN_POSITIVE, -0.0] {
            assert_eq!(kept_mean(&of(&[stands; 12])), stands);
        }
        // What a register of 32 bits tells is no decimal.
        let (low, high) = (f64::from(25.11_f32), f64::from(25.131_f32));
        let third = of(&[low, low, high]);
        let error = (kept_mean(&third) - third.mean).abs();
        assert!(error > 0.0 && error < 2e-6, "{error}");
        assert!((low..=high).contains(&kept_mean(&third)));
        // Half a step of the sum of two huge values.
        let huge = of(&[f64::MAX, f64::MAX / 2.0]);
        assert!(kept_mean(&huge).is_finite());
    }

    #[test]
    fn a_detectors_minutes_cost_less_than_half_of_what_means_to_the_last_bit_did() {
        let noise = |at: i64| ((at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 7;
        let counts = |at: i64| ((1_204 + noise(at)) as f64 / 4_095.0 * 10_000.0).round() / 100.0;
        let reading = |at: i64| Reading::measured(counts(at), WallMs(HOUR * HOUR_MS + at * 5_000));
        let minutes = minutes(HOUR, &(0..720).map(reading).collect::<Vec<_>>());
        let means: Vec<f64> = minutes.iter().map(|(_, one)| one.mean).collect();
        let (before, now) = (chunk::column(&means).len(), encode(HOUR, &minutes).len());
        assert!(
            before > 400 && now < 400,
            "{before} bytes of means alone, {now} in all"
        );
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
        assert_eq!(decode(HOUR, &bytes), Ok(kept(minutes)));
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
