//! Readings as they lie on disk until their hour is sealed, uncompressed. A commit's are one row of `recent`, whatever their series; later those of one
//! series and hour are one row of `run`. Both are of version 1, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 22 or 18 a reading | in `recent`: number of the series, u32; in both: time, milliseconds since 1970, i64; state, u16, as in a chunk; value, f64, 0 without one |
//! | 4 | CRC-32C of all the bytes before |

use crate::history::chunk::{ChunkError, seal, unseal};
use crate::history::state;
use davy_alarm::{Reading, WallMs};

const VERSION: u8 = 1;
const READING: usize = 18;
const SERIES: usize = 4;
const BESIDE: usize = 5;

/// The readings of a commit, being written.
pub(super) struct Commit(Vec<u8>);

impl Commit {
    /// For about so many readings.
    pub(super) fn new(readings: usize) -> Self {
        let mut bytes = Vec::with_capacity(BESIDE + readings * (SERIES + READING));
        bytes.push(VERSION);
        Self(bytes)
    }

    pub(super) fn put(&mut self, series: u32, reading: &Reading) {
        self.0.extend_from_slice(&series.to_le_bytes());
        put(&mut self.0, reading);
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        seal(self.0)
    }
}

/// The readings of a commit with their series, as they came.
pub(super) fn commit(bytes: &[u8]) -> Result<Vec<(u32, Reading)>, ChunkError> {
    let (rows, rest) = body(bytes)?.as_chunks::<{ SERIES + READING }>();
    let row = |row: &[u8; SERIES + READING]| {
        let (series, reading) = row.split_first_chunk().ok_or(ChunkError::Short)?;
        Ok((u32::from_le_bytes(*series), taken(reading)?))
    };
    match rest {
        [] => rows.iter().map(row).collect(),
        _ => Err(ChunkError::Short),
    }
}

/// The bytes of a run.
pub(super) fn encode(readings: &[Reading]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BESIDE + readings.len() * READING);
    bytes.push(VERSION);
    readings.iter().for_each(|one| put(&mut bytes, one));
    seal(bytes)
}

/// The readings of a run.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Reading>, ChunkError> {
    let (rows, rest) = body(bytes)?.as_chunks::<READING>();
    match rest {
        [] => rows.iter().map(|row| taken(row)).collect(),
        _ => Err(ChunkError::Short),
    }
}

/// How many readings a run of so many bytes holds.
pub(super) fn count(bytes: usize) -> usize {
    bytes.saturating_sub(BESIDE) / READING
}

fn body(bytes: &[u8]) -> Result<&[u8], ChunkError> {
    match unseal(bytes)?.split_first() {
        Some((&VERSION, body)) => Ok(body),
        Some((version, _)) => Err(ChunkError::Version(*version)),
        None => Err(ChunkError::Short),
    }
}

fn put(bytes: &mut Vec<u8>, reading: &Reading) {
    let value = reading.value().unwrap_or_default();
    bytes.extend_from_slice(&reading.source_time().0.to_le_bytes());
    bytes.extend_from_slice(&state::of(reading).to_le_bytes());
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn taken(bytes: &[u8]) -> Result<Reading, ChunkError> {
    let (time, rest) = bytes.split_first_chunk().ok_or(ChunkError::Short)?;
    let (code, rest) = rest.split_first_chunk().ok_or(ChunkError::Short)?;
    let (value, _) = rest.split_first_chunk().ok_or(ChunkError::Short)?;
    let code = u16::from_le_bytes(*code);
    let value = state::has_value(code).then(|| f64::from_le_bytes(*value));
    let time = WallMs(i64::from_le_bytes(*time));
    state::reading(time, code, value).ok_or(ChunkError::Column("readings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::NoValue;

    /// The bytes of [`readings`] as version 1 wrote them, as a run and as a commit of series 7. They are read for ever.
    const RUN: &[u8] = include_bytes!("run-1.golden");
    const COMMIT: &[u8] = include_bytes!("recent-1.golden");

    fn readings() -> Vec<Reading> {
        vec![
            Reading::measured(-0.0, WallMs(1_769_900_400_000)),
            Reading::uncertain(3.5, WallMs(1_769_900_401_003)),
            Reading::absent(NoValue::Exception(11), WallMs(-5)),
            Reading::absent(NoValue::Timeout, WallMs(i64::MAX)),
        ]
    }

    #[test]
    fn the_golden_bytes_read_as_they_were_written() {
        let of_seven = readings().into_iter().map(|one| (7, one));
        assert_eq!(decode(RUN), Ok(readings()));
        assert_eq!(commit(COMMIT), Ok(of_seven.collect()));
        let mut written = Commit::new(4);
        readings().iter().for_each(|one| written.put(7, one));
        assert_eq!(
            (encode(&readings()), written.bytes()),
            (RUN.to_vec(), COMMIT.to_vec())
        );
        assert_eq!(count(RUN.len()), 4);
    }

    #[test]
    fn bytes_that_were_altered_or_cut_are_refused() {
        for at in 0..COMMIT.len() {
            let mut altered = COMMIT.to_vec();
            altered[at] ^= 0x10;
            assert!(commit(&altered).is_err() && commit(&COMMIT[..at]).is_err());
        }
        for at in 0..RUN.len() {
            let mut altered = RUN.to_vec();
            altered[at] ^= 0x10;
            assert!(decode(&altered).is_err() && decode(&RUN[..at]).is_err());
        }
    }

    #[test]
    fn a_state_that_contradicts_its_value_is_refused() {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&0_i64.to_le_bytes());
        bytes.extend_from_slice(&state::GOOD.to_le_bytes());
        bytes.extend_from_slice(&f64::NAN.to_le_bytes());
        assert_eq!(decode(&seal(bytes)), Err(ChunkError::Column("readings")));
    }
}
