//! The compressed readings of one point in one hour, as they lie on disk. Versions 1 and 2, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `DVHC` |
//! | 1 | version, 1 or 2 |
//! | 1 | flags: bit 0 set if a column of states follows; clear if every reading is good |
//! | 4 | number of readings, 1 to 3,600,000 |
//! | 4 | number of values: readings that are not absent |
//! | 4 | length of the column of times |
//! | 4 | length of the column of states, 0 without one |
//! | 4 | length of the column of values, 0 without values |
//! | 4 | in version 2 alone: step, microseconds |
//! | … | times: milliseconds since the hour began, strictly rising; in version 2 each less its place in the order, counted from −1, times the step, cut to milliseconds; u32, `pco` stand-alone |
//! | … | states: u16, `pco` stand-alone: 0 good, 255 uncertain, any other the stable code of the cause of absence |
//! | … | values: f64, finite, of the readings that are not absent, in order, `pco` stand-alone |
//! | 4 | CRC-32C of all the bytes before |
//!
//! Version 2 is written of readings that came in equal steps, but for a quarter of one: what is left of such times is the jitter of the polls alone, where
//! differences of times hold that of two.

use super::state;
use davy_alarm::{Reading, WallMs};
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DEFAULT_COMPRESSION_LEVEL};

/// What a chunk spans.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// A reading a millisecond.
const MOST_READINGS: usize = HOUR_MS as usize;
const MAGIC: &[u8; 4] = b"DVHC";
const VERSION: u8 = 1;
const VERSION_WITH_STEP: u8 = 2;
const WITH_STATES: u8 = 1;
const HEADER: usize = 26;
const STEP: usize = 4;
const US_PER_MS: i64 = 1_000;
const CHECKSUM: usize = 4;
/// Measured on sensors' readings: half of pco's default costs 1 % of size and half the time.
const LEVEL: usize = DEFAULT_COMPRESSION_LEVEL / 2;

/// Why bytes are no chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChunkError {
    #[error("a chunk is cut short")]
    Short,
    #[error("a chunk does not begin as one")]
    Magic,
    #[error("a chunk is of version {0}, which is unknown")]
    Version(u8),
    #[error("a chunk's checksum is wrong")]
    Checksum,
    #[error("a chunk's column of {0} cannot be read")]
    Column(&'static str),
}

/// The hour that a time lies in, since 1970.
pub(super) fn hour_of(time_ms: i64) -> i64 {
    time_ms.div_euclid(HOUR_MS)
}

/// The first and the last millisecond of an hour; at the ends of time, cut short by them.
pub(super) fn hour_span(hour: i64) -> (i64, i64) {
    let first = i128::from(hour) * i128::from(HOUR_MS);
    let held = |ms: i128| ms.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    (held(first), held(first + i128::from(HOUR_MS) - 1))
}

/// The bytes of readings that all lie in the hour, at strictly rising times.
pub(super) fn encode(hour: i64, readings: &[Reading]) -> Vec<u8> {
    debug_assert!(!readings.is_empty() && readings.len() <= MOST_READINGS);
    let (start_ms, _) = hour_span(hour);
    let times: Vec<u32> = readings
        .iter()
        .map(|one| (one.source_time().0 - start_ms) as u32)
        .collect();
    let states: Vec<u16> = readings.iter().map(state::of).collect();
    let values: Vec<f64> = readings.iter().filter_map(|one| one.value().ok()).collect();
    let are_all_good = states.iter().all(|state| *state == state::GOOD);
    let regular = regular(&times);
    let columns = [
        column(regular.as_ref().map_or(&times, |(_, rest)| rest)),
        if are_all_good {
            Vec::new()
        } else {
            column(&states)
        },
        column(&values),
    ];
    let length: usize = columns.iter().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(HEADER + STEP + length + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.push(if regular.is_some() {
        VERSION_WITH_STEP
    } else {
        VERSION
    });
    bytes.push(if are_all_good { 0 } else { WITH_STATES });
    for number in [readings.len(), values.len()]
        .into_iter()
        .chain(columns.iter().map(Vec::len))
    {
        bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }
    if let Some((step, _)) = &regular {
        bytes.extend_from_slice(&step.to_le_bytes());
    }
    columns.iter().for_each(|one| bytes.extend_from_slice(one));
    seal(bytes)
}

/// The step in which these times of an hour come, microseconds, and what is left of them; `None` where they do not. A poll that was left out breaks the steps.
fn regular(times: &[u32]) -> Option<(u32, Vec<u32>)> {
    let span_us = u64::from(times.last()? - times.first()?) * US_PER_MS as u64;
    let intervals = times.len() as u64 - 1;
    let step_us = u32::try_from((span_us + intervals / 2).checked_div(intervals)?).ok()?;
    let left = times.iter().zip(turns(step_us));
    let left = left.map(|(time, turn)| u32::try_from(i64::from(*time) - turn));
    let left: Vec<u32> = left.collect::<Result<_, _>>().ok()?;
    let range = left.iter().max()? - left.iter().min()?;
    (i64::from(range) * 4 * US_PER_MS < i64::from(step_us)).then_some((step_us, left))
}

/// The times of which this is left.
fn in_steps(left: &[u32], step_us: u32) -> Result<Vec<u32>, ChunkError> {
    let times = left.iter().zip(turns(step_us));
    times
        .map(|(left, turn)| u32::try_from(i64::from(*left) + turn))
        .collect::<Result<_, _>>()
        .map_err(|_| ChunkError::Column("times"))
}

/// When readings in this step have their turns, milliseconds: counted from -1, so that one may come before its turn.
fn turns(step_us: u32) -> impl Iterator<Item = i64> {
    (-1..).map(move |place: i64| (place * i64::from(step_us)).div_euclid(US_PER_MS))
}

/// Bytes with their checksum behind them.
pub(super) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The bytes before a checksum that is right.
pub(super) fn unseal(bytes: &[u8]) -> Result<&[u8], ChunkError> {
    let (body, checksum) = bytes
        .split_last_chunk::<CHECKSUM>()
        .ok_or(ChunkError::Short)?;
    if crc32c::crc32c(body) == u32::from_le_bytes(*checksum) {
        Ok(body)
    } else {
        Err(ChunkError::Checksum)
    }
}

/// The readings of a chunk of this hour, oldest first.
pub(super) fn decode(hour: i64, bytes: &[u8]) -> Result<Vec<Reading>, ChunkError> {
    let parts = Parts::of(bytes)?;
    let times: Vec<u32> = numbers(parts.times, parts.readings, "times")?;
    let times = match parts.step {
        Some(step) => in_steps(&times, step)?,
        None => times,
    };
    let values: Vec<f64> = numbers(parts.values, parts.present, "values")?;
    let states: Vec<u16> = match parts.states {
        Some(column) => numbers(column, parts.readings, "states")?,
        None => vec![state::GOOD; parts.readings],
    };
    let is_rising = times.windows(2).all(|pair| pair[0] < pair[1]);
    if !is_rising || times.last().is_none_or(|last| i64::from(*last) >= HOUR_MS) {
        return Err(ChunkError::Column("times"));
    }
    readings(hour, &times, &states, &values)
}

fn readings(
    hour: i64,
    times: &[u32],
    states: &[u16],
    values: &[f64],
) -> Result<Vec<Reading>, ChunkError> {
    let (start_ms, _) = hour_span(hour);
    let mut values = values.iter().copied();
    let mut found = Vec::with_capacity(times.len());
    for (time, code) in times.iter().zip(states) {
        let time = WallMs(start_ms.saturating_add(i64::from(*time)));
        let value = if state::has_value(*code) {
            values.next()
        } else {
            None
        };
        found.push(state::reading(time, *code, value).ok_or(ChunkError::Column("states"))?);
    }
    match values.next() {
        None => Ok(found),
        Some(_) => Err(ChunkError::Column("values")),
    }
}

/// A chunk's columns, still compressed.
struct Parts<'a> {
    readings: usize,
    present: usize,
    step: Option<u32>,
    times: &'a [u8],
    states: Option<&'a [u8]>,
    values: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, ChunkError> {
        let (magic, _) = bytes.split_first_chunk::<4>().ok_or(ChunkError::Short)?;
        if magic != MAGIC {
            return Err(ChunkError::Magic);
        }
        let body = unseal(bytes)?;
        let (header, columns) = body
            .split_first_chunk::<HEADER>()
            .ok_or(ChunkError::Short)?;
        let (step, columns) = match header[4] {
            VERSION => (None, columns),
            VERSION_WITH_STEP => {
                let (step, columns) = columns.split_first_chunk().ok_or(ChunkError::Short)?;
                (Some(u32::from_le_bytes(*step)), columns)
            }
            other => return Err(ChunkError::Version(other)),
        };
        let number = |at: usize| {
            let four = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            u32::from_le_bytes(four) as usize
        };
        let (readings, present) = (number(6), number(10));
        if !(1..=MOST_READINGS).contains(&readings) || present > readings {
            return Err(ChunkError::Column("times"));
        }
        let (times, rest) = columns
            .split_at_checked(number(14))
            .ok_or(ChunkError::Short)?;
        let (states, values) = rest.split_at_checked(number(18)).ok_or(ChunkError::Short)?;
        if values.len() != number(22) {
            return Err(ChunkError::Short);
        }
        let states = (header[5] & WITH_STATES != 0).then_some(states);
        Ok(Self {
            readings,
            present,
            step,
            times,
            states,
            values,
        })
    }
}

/// A column of numbers, compressed; no bytes for none.
pub(super) fn column<T: Number>(numbers: &[T]) -> Vec<u8> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    simple_compress(numbers, &config).expect("a level that pco knows, and numbers below its limit")
}

/// The `count` numbers of a column.
pub(super) fn numbers<T: Number + Default>(
    column: &[u8],
    count: usize,
    name: &'static str,
) -> Result<Vec<T>, ChunkError> {
    let mut found = vec![T::default(); count];
    if count == 0 {
        return match column {
            [] => Ok(found),
            _ => Err(ChunkError::Column(name)),
        };
    }
    match simple_decompress_into(column, &mut found) {
        Ok(progress) if progress.n_processed == count && progress.finished => Ok(found),
        Ok(_) | Err(_) => Err(ChunkError::Column(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::NoValue;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const HOUR: i64 = 491_000;
    /// The bytes of [`golden`] as version 1 wrote them. They are read for ever.
    const GOLDEN: &[u8] = include_bytes!("chunk-1.golden");
    /// The same of [`polls`] and version 2.
    const GOLDEN_IN_STEPS: &[u8] = include_bytes!("chunk-2.golden");

    fn golden() -> Vec<Reading> {
        let start_ms = HOUR * HOUR_MS;
        (0..40_i64)
            .map(|at| {
                let time = WallMs(start_ms + at * 90_000 + at % 3);
                match at % 10 {
                    7 => Reading::uncertain(at as f64 / 10.0, time),
                    8 => Reading::absent(NoValue::Exception(11), time),
                    9 => Reading::absent(NoValue::SensorFault, time),
                    _ => Reading::measured(20.0 + at as f64 / 8.0, time),
                }
            })
            .collect()
    }

    #[test]
    fn the_golden_chunk_reads_as_it_was_written() {
        assert_eq!(decode(HOUR, GOLDEN), Ok(golden()));
        assert_eq!(GOLDEN[..6], *b"DVHC\x01\x01");
        assert_eq!(GOLDEN[6..14], [40, 0, 0, 0, 32, 0, 0, 0]);
        assert!(decode(HOUR, GOLDEN_IN_STEPS) == Ok(polls()));
        assert_eq!(GOLDEN_IN_STEPS[..6], *b"DVHC\x02\x00");
    }

    #[test]
    fn a_chunk_with_any_byte_altered_is_refused() {
        let bytes = encode(HOUR, &golden());
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x10;
            assert!(decode(HOUR, &altered).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_chunk_cut_short_anywhere_is_refused() {
        let bytes = encode(HOUR, &golden());
        assert!((0..bytes.len()).all(|end| decode(HOUR, &bytes[..end]).is_err()));
    }

    /// Polls every five seconds that jitter by some milliseconds.
    fn polls() -> Vec<Reading> {
        (0..700_i64)
            .map(|at| {
                let jitter = ((at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61) as i64;
                let time = WallMs(HOUR * HOUR_MS + 3 + at * 5_000 + jitter);
                Reading::measured(at as f64, time)
            })
            .collect()
    }

    #[test]
    fn times_in_equal_steps_cost_their_jitter_alone_and_come_back_to_the_millisecond() {
        let bytes = encode(HOUR, &polls());
        assert_eq!(bytes[4..6], [VERSION_WITH_STEP, 0]);
        assert_eq!(bytes[HEADER..HEADER + STEP], 5_000_000_u32.to_le_bytes());
        assert!(decode(HOUR, &bytes) == Ok(polls()));
        let times = |bytes: &[u8]| Parts::of(bytes).map(|parts| parts.times.len());
        // Three bits a time, and what pco says of itself.
        assert!(times(&bytes).is_ok_and(|length| length < 700 * 3 / 8 + 40));
        // A poll left out breaks the steps.
        let mut gapped = polls();
        gapped.remove(300);
        let bytes = encode(HOUR, &gapped);
        assert_eq!(bytes[4], VERSION);
        assert!(decode(HOUR, &bytes) == Ok(gapped));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x10;
            assert!(decode(HOUR, &altered).is_err(), "byte {at}");
        }
    }

    #[test]
    fn readings_that_come_before_their_turn_or_at_the_ends_of_the_hour_keep_their_times() {
        let at = |ms: i64| Reading::measured(1.5, WallMs(HOUR * HOUR_MS + ms));
        for times in [
            vec![0],
            vec![0, 3_599_999],
            vec![0, 4_998, 10_001, 14_999],
            vec![0, 1, 2, 3],
            vec![5, 1_000, 3_599_999],
        ] {
            let readings: Vec<Reading> = times.into_iter().map(at).collect();
            assert_eq!(decode(HOUR, &encode(HOUR, &readings)), Ok(readings));
        }
    }

    #[test]
    fn steps_beyond_the_hour_are_refused() {
        let mut bytes = encode(HOUR, &polls());
        bytes.truncate(bytes.len() - CHECKSUM);
        bytes[HEADER..HEADER + STEP].copy_from_slice(&u32::MAX.to_le_bytes());
        let refused = Err(ChunkError::Column("times"));
        assert_eq!(decode(HOUR, &seal(bytes)), refused);
    }

    fn any_reading() -> impl Strategy<Value = (u32, u8, f64)> {
        (1..900_u32, any::<u8>(), any::<f64>())
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(rows in vec(any_reading(), 1..500)) {
            let mut time_ms = HOUR * HOUR_MS;
            let readings: Vec<Reading> = rows.into_iter().map(|(gap, kind, value)| {
                time_ms += i64::from(gap);
                match kind {
                    0..40 => Reading::absent(NoValue::Exception(kind), WallMs(time_ms)),
                    40..60 => Reading::uncertain(if value.is_finite() { value } else { 0.5 }, WallMs(time_ms)),
                    _ => Reading::measured(value, WallMs(time_ms)),
                }
            }).collect();
            prop_assert_eq!(decode(HOUR, &encode(HOUR, &readings)), Ok(readings));
        }

        #[test]
        fn polls_in_steps_decode_to_the_same(step in 1..9_000_u32, jitters in vec(0..40_u32, 1..400)) {
            let time = |(at, jitter): (usize, &u32)| i64::from(at as u32 * step + jitter % step);
            let times = jitters.iter().enumerate().map(time);
            let readings: Vec<Reading> = times.map(|ms| Reading::measured(ms as f64, WallMs(HOUR * HOUR_MS + ms))).collect();
            prop_assert_eq!(decode(HOUR, &encode(HOUR, &readings)), Ok(readings));
        }

        #[test]
        fn sealed_noise_is_refused_and_never_a_panic(version in 1..=2_u8, noise in vec(any::<u8>(), 0..200)) {
            let mut bytes = [*b"DVHC", [version, 1, 0, 0]].concat();
            bytes.truncate(6);
            bytes.extend_from_slice(&noise);
            prop_assert!(decode(HOUR, &seal(bytes)).is_err());
        }
    }
}
