//! A trend: few buckets of very many readings. Hours and minutes that lie within one bucket come from their rollups; where a bucket cuts them, from the
//! readings themselves. Memory holds the buckets and one hour, however long the trend.

use super::chunk::HOUR_MS;
use super::file::Failure;
use super::read::{self, chunk_of, series_id};
use super::readers::{Open, Unread};
use super::rollup::{self, Absence, MINUTE_MS, Rollup};
use super::{hour_of, hour_span};
use crate::history::{Series, SeriesQuery};
use davy_alarm::{NoValue, Reading};
use rusqlite::{Connection, OptionalExtension, Row};

/// More buckets than this are not made.
const MOST_BUCKETS: u32 = 10_000;
/// Buckets of so many units or more are whole units long.
const COARSE: u64 = 6;

/// One point's trend.
pub(super) fn series(open: &mut Open<'_>, query: &SeriesQuery) -> Result<Series, Failure> {
    let buckets = query.buckets.clamp(1, MOST_BUCKETS);
    let span = (query.from_ms, query.to_ms);
    let name = (query.site.as_str(), query.point.as_str());
    let raw = read::readings(open, name, span, buckets as usize + 1)?;
    if raw.len() <= buckets as usize {
        return Ok(Series {
            step_ms: 0,
            buckets: raw.iter().filter_map(raw_bucket).collect(),
        });
    }
    let mut grid = Grid::new(span, buckets);
    for month in open.months(query.from_ms, query.to_ms) {
        let recent = open.recent(month, |held| held.of(name, query.from_ms, query.to_ms));
        open.look(month, |connection| {
            match series_id(connection, name.0, name.1)? {
                Some(series) => fold(connection, series, recent, &mut grid),
                None => Ok(()),
            }
        })?;
    }
    Ok(grid.series())
}

fn raw_bucket(reading: &Reading) -> Option<crate::history::Bucket> {
    Rollup::of([reading]).bucket(reading.source_time().0)
}

/// Buckets of equal length from the beginning of the span on; the last one may reach beyond its end, but holds nothing from there.
struct Grid {
    from_ms: i64,
    to_ms: i64,
    step_ms: u64,
    buckets: Vec<Rollup>,
}

impl Grid {
    /// Of a span that is not empty.
    fn new((from_ms, to_ms): (i64, i64), buckets: u32) -> Self {
        let length = to_ms.wrapping_sub(from_ms) as u64;
        let step_ms = step(length, u64::from(buckets));
        let count = length.div_ceil(step_ms) as usize;
        Self {
            from_ms,
            to_ms,
            step_ms,
            buckets: vec![Rollup::default(); count],
        }
    }

    /// The bucket of a time; `None` outside of the span.
    fn at(&self, time_ms: i64) -> Option<usize> {
        let is_within = (self.from_ms..self.to_ms).contains(&time_ms);
        is_within.then(|| (time_ms.wrapping_sub(self.from_ms) as u64 / self.step_ms) as usize)
    }

    /// The bucket that a stretch of time lies in as a whole.
    fn around(&self, (first_ms, last_ms): (i64, i64)) -> Option<usize> {
        self.at(first_ms)
            .filter(|first| self.at(last_ms) == Some(*first))
    }

    /// Whether no minute of the hour is cut by a bucket's edge or the span's end.
    fn spares_minutes(&self, (_, last_ms): (i64, i64)) -> bool {
        let minute = MINUTE_MS as u64;
        self.step_ms.is_multiple_of(minute)
            && self.from_ms.rem_euclid(MINUTE_MS) == 0
            && (self.to_ms > last_ms || self.to_ms.rem_euclid(MINUTE_MS) == 0)
    }

    fn add(&mut self, reading: &Reading) {
        if let Some(at) = self.at(reading.source_time().0) {
            self.buckets[at].add(reading);
        }
    }

    fn series(&self) -> Series {
        let time_ms = |at: usize| self.from_ms.wrapping_add_unsigned(at as u64 * self.step_ms);
        let buckets = self.buckets.iter().enumerate();
        Series {
            step_ms: i64::try_from(self.step_ms).unwrap_or(i64::MAX),
            buckets: buckets
                .filter_map(|(at, rollup)| rollup.bucket(time_ms(at)))
                .collect(),
        }
    }
}

/// The length of a bucket: whole minutes or hours, if it is long.
fn step(length_ms: u64, buckets: u64) -> u64 {
    let exact = length_ms.div_ceil(buckets).max(1);
    let unit = [HOUR_MS as u64, MINUTE_MS as u64]
        .into_iter()
        .find(|unit| exact >= COARSE * unit)
        .unwrap_or(1);
    exact.checked_next_multiple_of(unit).unwrap_or(exact)
}

/// An hour's row.
struct Hour {
    hour: i64,
    body: i64,
    rollup: Rollup,
}

/// Adds what a month holds of a series.
fn fold(
    connection: &Connection,
    series: i64,
    recent: Vec<Reading>,
    grid: &mut Grid,
) -> Result<(), Unread> {
    let span = (grid.from_ms, grid.to_ms);
    let mut unsealed = read::unsealed(connection, series, recent, span, usize::MAX)?;
    let mut hours = connection.prepare_cached(
        "SELECT hour, body, readings, measured, good, min, max, mean, cause, cause_ms FROM hour WHERE series = ?1 AND hour BETWEEN ?2 AND ?3",
    )?;
    let between = [series, hour_of(grid.from_ms), hour_of(grid.to_ms - 1)];
    for hour in hours.query_map(between, hour_row)? {
        let hour = hour?;
        fold_hour(connection, &hour, grid)?;
        if let Some(late) = unsealed.get_mut(&hour.hour) {
            leave_out_sealed(connection, &hour, late)?;
        }
    }
    for reading in unsealed.values().flatten() {
        grid.add(reading);
    }
    Ok(())
}

/// Leaves out of what came late for a sealed hour the times that it has.
fn leave_out_sealed(
    connection: &Connection,
    hour: &Hour,
    late: &mut Vec<Reading>,
) -> Result<(), Unread> {
    match chunk_of(connection, hour.hour, hour.body) {
        Ok(sealed) => {
            let time = Reading::source_time;
            late.retain(|one| {
                sealed
                    .binary_search_by_key(&one.source_time(), time)
                    .is_err()
            });
            Ok(())
        }
        // What the rollup counts and what came late are told, although nobody can say any more whether they are the same.
        Err(Unread::Chunk { .. }) => Ok(()),
        Err(unread) => Err(unread),
    }
}

fn fold_hour(connection: &Connection, hour: &Hour, grid: &mut Grid) -> Result<(), Unread> {
    let span = hour_span(hour.hour);
    if let Some(at) = grid.around(span) {
        grid.buckets[at].merge(&hour.rollup);
        return Ok(());
    }
    if grid.spares_minutes(span)
        && let Some(minutes) = minutes_of(connection, hour)?
    {
        for (time_ms, minute) in minutes {
            if let Some(at) = grid.at(time_ms) {
                grid.buckets[at].merge(&minute);
            }
        }
        return Ok(());
    }
    for reading in chunk_of(connection, hour.hour, hour.body)? {
        grid.add(&reading);
    }
    Ok(())
}

fn minutes_of(connection: &Connection, hour: &Hour) -> Result<Option<Vec<(i64, Rollup)>>, Unread> {
    let decoded = connection
        .prepare_cached("SELECT bytes FROM minute WHERE id = ?1")?
        .query_row([hour.body], |row| {
            Ok(rollup::decode(hour.hour, row.get_ref(0)?.as_blob()?))
        })
        .optional()?;
    decoded.transpose().map_err(|error| Unread::Chunk {
        hour: hour.hour,
        error,
    })
}

fn hour_row(row: &Row<'_>) -> Result<Hour, rusqlite::Error> {
    let absent = match (row.get::<_, Option<u16>>(8)?, row.get(9)?) {
        (Some(code), Some(time_ms)) => {
            NoValue::from_code(code).map(|cause| Absence { cause, time_ms })
        }
        _ => None,
    };
    Ok(Hour {
        hour: row.get(0)?,
        body: row.get(1)?,
        rollup: Rollup {
            count: row.get(2)?,
            values: row.get(3)?,
            good: row.get(4)?,
            min: row.get(5)?,
            max: row.get(6)?,
            mean: row.get(7)?,
            absent,
        },
    })
}
