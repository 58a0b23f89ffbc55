//! What one commit holds of one site and hour, as one row. Version 1, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `DVHB` |
//! | 1 | version, 1 |
//! | 4 | number of readings, u32 |
//! | 4 | number of values: readings that are not absent |
//! | 4 | number of points |
//! | 4 × 4 | lengths of the columns of points, times, states and values |
//! | … | names of the points: length, u32, and UTF-8 |
//! | … | points: place of the name, u32; times: milliseconds since the hour began, u32; states: u16, as in a chunk, no bytes if every reading is good; values: f64 of the readings that are not absent; `pco` stand-alone each |
//! | 4 | CRC-32C of all the bytes before |

use super::nodes::Nodes;
use crate::history::chunk::{self, ChunkError, hour_of, hour_span};
use crate::history::{HistoryError, PointReading, state};
use davy_alarm::{Reading, WallMs};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeMap;
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"DVHB";
const VERSION: u8 = 1;
const HEADER: usize = 33;
/// Readings of one row: some hundred kilobytes, far below what a node takes at once.
const MOST_A_ROW: usize = 20_000;
/// Rows on their way at once.
const TOGETHER: usize = 32;

type Named = (Arc<str>, Reading);

/// Writes readings, and then marks their hours as open; answers those.
pub(super) async fn write(
    nodes: &Nodes,
    readings: Vec<PointReading>,
) -> Result<Vec<(Arc<str>, i64)>, HistoryError> {
    let mut of_hours: BTreeMap<(Arc<str>, i64), Vec<Named>> = BTreeMap::new();
    for one in readings {
        let hour = hour_of(one.reading.source_time().0);
        let held = of_hours.entry((one.site, hour)).or_default();
        held.push((one.point, one.reading));
    }
    let hours: Vec<_> = of_hours.keys().cloned().collect();
    let rows = of_hours.iter().flat_map(|((site, hour), readings)| {
        let parts = readings.chunks(MOST_A_ROW);
        parts.map(move |part| (site.clone(), *hour, encode(*hour, part)))
    });
    let written =
        rows.map(|(site, hour, bytes)| async move { nodes.put_commit(&site, hour, &bytes).await });
    let written: Vec<_> = written.collect();
    all(written).await?;
    // After the rows: whoever takes a mark away has seen every row that it stood for.
    let marks = hours.iter().map(|(site, hour)| nodes.open(site, *hour));
    all(marks.collect()).await?;
    Ok(hours)
}

async fn all<F>(work: Vec<F>) -> Result<(), HistoryError>
where
    F: Future<Output = Result<(), HistoryError>>,
{
    let done = stream::iter(work).buffer_unordered(TOGETHER);
    done.try_collect::<Vec<()>>().await.map(drop)
}

/// The bytes of readings of one hour, in the order they came.
fn encode(hour: i64, readings: &[Named]) -> Vec<u8> {
    let (start_ms, _) = hour_span(hour);
    let mut places: BTreeMap<&str, u32> = BTreeMap::new();
    for (point, _) in readings {
        places.entry(point).or_default();
    }
    for (place, of) in (0..).zip(places.values_mut()) {
        *of = place;
    }
    let points: Vec<u32> = readings.iter().map(|(point, _)| places[&**point]).collect();
    let readings = || readings.iter().map(|(_, reading)| reading);
    let times: Vec<u32> = readings()
        .map(|one| (one.source_time().0 - start_ms) as u32)
        .collect();
    let states: Vec<u16> = readings().map(state::of).collect();
    let values: Vec<f64> = readings().filter_map(|one| one.value().ok()).collect();
    let are_all_good = states.iter().all(|state| *state == state::GOOD);
    let columns = [
        chunk::column(&points),
        chunk::column(&times),
        if are_all_good {
            Vec::new()
        } else {
            chunk::column(&states)
        },
        chunk::column(&values),
    ];
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    let counts = [times.len(), values.len(), places.len()];
    for number in counts.into_iter().chain(columns.iter().map(Vec::len)) {
        bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }
    for name in places.keys() {
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    columns.iter().for_each(|one| bytes.extend_from_slice(one));
    chunk::seal(bytes)
}

/// The readings of a row with their points, of those that are asked for.
pub(super) fn decode(
    hour: i64,
    bytes: &[u8],
    is_asked: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Reading)>, ChunkError> {
    let (header, mut rest) = chunk::unseal(bytes)?
        .split_first_chunk::<HEADER>()
        .ok_or(ChunkError::Short)?;
    if header[..4] != *MAGIC {
        return Err(ChunkError::Magic);
    }
    if header[4] != VERSION {
        return Err(ChunkError::Version(header[4]));
    }
    let number = |at: usize| {
        let at = 5 + at * 4;
        let four = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        u32::from_le_bytes(four) as usize
    };
    let (count, present) = (number(0), number(1));
    if !(1..=MOST_A_ROW).contains(&count) || present > count || number(2) > count {
        return Err(ChunkError::Column("counts"));
    }
    let mut names = Vec::new();
    for _ in 0..number(2) {
        names.push(name(&mut rest)?);
    }
    let mut column = |at: usize| {
        let (column, left) = rest.split_at_checked(number(at)).ok_or(ChunkError::Short)?;
        rest = left;
        Ok(column)
    };
    let points: Vec<u32> = chunk::numbers(column(3)?, count, "points")?;
    let times: Vec<u32> = chunk::numbers(column(4)?, count, "times")?;
    let states = match column(5)? {
        [] => vec![state::GOOD; count],
        states => chunk::numbers(states, count, "states")?,
    };
    let mut values = chunk::numbers::<f64>(column(6)?, present, "values")?.into_iter();
    if !rest.is_empty() {
        return Err(ChunkError::Column("values"));
    }
    let (start_ms, _) = hour_span(hour);
    let mut found = Vec::new();
    for ((point, time), code) in points.into_iter().zip(times).zip(states) {
        let time = WallMs(start_ms.saturating_add(i64::from(time)));
        let value = state::has_value(code).then(|| values.next()).flatten();
        let reading = state::reading(time, code, value).ok_or(ChunkError::Column("states"))?;
        let name = *names
            .get(point as usize)
            .ok_or(ChunkError::Column("points"))?;
        if is_asked(name) {
            found.push((name.to_owned(), reading));
        }
    }
    Ok(found)
}

fn name<'a>(rest: &mut &'a [u8]) -> Result<&'a str, ChunkError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(ChunkError::Short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (name, left) = after.split_at_checked(length).ok_or(ChunkError::Short)?;
    *rest = left;
    std::str::from_utf8(name).map_err(|_| ChunkError::Column("names"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::NoValue;

    const HOUR: i64 = 491_000;

    fn readings() -> Vec<Named> {
        (0..300_i64)
            .map(|at| {
                let time = WallMs(HOUR * chunk::HOUR_MS + at * 1_003);
                let reading = match at % 7 {
                    3 => Reading::uncertain(-0.5, time),
                    5 => Reading::absent(NoValue::Exception(2), time),
                    _ => Reading::measured(at as f64 / 8.0, time),
                };
                (["GD-101", "", "罐区"][at as usize % 3].into(), reading)
            })
            .collect()
    }

    #[test]
    fn a_row_reads_as_it_was_written_and_point_by_point() {
        let bytes = encode(HOUR, &readings());
        let expected: Vec<_> = readings()
            .into_iter()
            .map(|(point, reading)| (point.to_string(), reading))
            .collect();
        assert_eq!(decode(HOUR, &bytes, |_| true), Ok(expected.clone()));
        let of_one = decode(HOUR, &bytes, |point| point == "罐区").unwrap_or_default();
        assert_eq!(of_one.len(), 100);
        assert!(of_one.iter().all(|one| expected.contains(one)));
    }

    #[test]
    fn a_row_that_was_altered_or_cut_is_refused() {
        let bytes = encode(HOUR, &readings()[..40]);
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x10;
            assert!(decode(HOUR, &altered, |_| true).is_err(), "byte {at}");
            assert!(decode(HOUR, &bytes[..at], |_| true).is_err());
        }
    }
}
