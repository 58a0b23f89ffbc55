//! A trend: few buckets of very many readings. Hours and minutes that lie within one bucket come from their rollups; where a bucket cuts them, from the
//! readings themselves. Memory holds the buckets and one hour, however long the trend.

use super::file::Failure;
use super::read::{self, chunk_of, series_id};
use super::readers::{Open, Unread};
use crate::history::chunk::{hour_of, hour_span};
use crate::history::grid::{self, Grid};
use crate::history::rollup::{self, Absence, Rollup};
use crate::history::{Minute, Series, SeriesQuery};
use davy_alarm::{NoValue, Reading};
use rusqlite::{Connection, OptionalExtension, Row};

/// One point's trend.
pub(super) fn series(open: &mut Open<'_>, query: &SeriesQuery) -> Result<Series, Failure> {
    let span = (query.from_ms, query.to_ms);
    let name = (query.site.as_str(), query.point.as_str());
    let buckets = grid::buckets(query);
    let raw = read::told(open, name, span, buckets + 1)?;
    if raw.readings.len() <= buckets && !raw.is_thinned {
        return Ok(grid::raw(&raw.readings));
    }
    let mut grid = Grid::new(query);
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

/// The minutes of a span, from their rollups.
pub(super) fn minutes(
    open: &mut Open<'_>,
    name: (&str, &str),
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<Minute>, Failure> {
    let mut found = Vec::new();
    for month in open.months(from_ms, to_ms) {
        // A month at a time, so that the longest span takes no more memory than one.
        let span = (from_ms.max(month.start_ms()), to_ms.min(month.end_ms()));
        let mut grid = Grid::of_minutes(span);
        let recent = open.recent(month, |held| held.of(name, span.0, span.1));
        open.look(month, |connection| {
            match series_id(connection, name.0, name.1)? {
                Some(series) => fold(connection, series, recent, &mut grid),
                None => Ok(()),
            }
        })?;
        found.extend(grid.minutes());
    }
    Ok(found)
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
    let span = grid.span();
    let mut unsealed = read::unsealed(connection, series, recent, span, usize::MAX)?;
    let mut hours = connection.prepare_cached(
        "SELECT hour, body, readings, measured, good, min, max, mean, cause, cause_ms FROM hour WHERE series = ?1 AND hour BETWEEN ?2 AND ?3",
    )?;
    let between = [series, hour_of(span.0), hour_of(span.1 - 1)];
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
        // What comes late for an hour whose readings were forgotten goes as they did.
        Ok(None) => {
            late.clear();
            Ok(())
        }
        Ok(Some(sealed)) => {
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
        grid.merge(at, &hour.rollup);
        return Ok(());
    }
    if grid.spares_minutes(span)
        && let Some(minutes) = minutes_of(connection, hour)?
    {
        for (time_ms, minute) in minutes {
            if let Some(at) = grid.at(time_ms) {
                grid.merge(at, &minute);
            }
        }
        return Ok(());
    }
    match chunk_of(connection, hour.hour, hour.body)? {
        Some(readings) => readings.iter().for_each(|reading| grid.add(reading)),
        None => thinned(connection, hour, grid)?,
    }
    Ok(())
}

/// Adds an hour whose readings were forgotten: by its minutes to the buckets in which these begin, or whole where there are none, of a mad clock's hour, of one that
/// could not be read, or of one that an earlier build thinned.
fn thinned(connection: &Connection, hour: &Hour, grid: &mut Grid) -> Result<(), Unread> {
    let minutes = minutes_of(connection, hour)?;
    let minutes = minutes.unwrap_or_else(|| vec![(hour_span(hour.hour).0, hour.rollup)]);
    for (time_ms, minute) in minutes {
        if let Some(at) = grid.at(time_ms) {
            grid.merge(at, &minute);
        }
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
