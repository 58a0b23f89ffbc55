//! Readings as they were, a page at a time, and the newest of each point.

use super::chunk;
use super::file::Failure;
use super::hour_of;
use super::readers::{Open, Unread};
use super::store::reading_of;
use davy_alarm::Reading;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// The first `limit` readings of a point over `from_ms` ≤ time < `to_ms`, oldest first.
pub(super) fn readings(
    open: &mut Open<'_>,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, Failure> {
    let mut found = Vec::new();
    for month in open.months(from_ms, to_ms) {
        let left = limit - found.len();
        if left == 0 {
            break;
        }
        let page = open.look(month, |connection| {
            match series_id(connection, site, point)? {
                Some(series) => page(connection, series, (from_ms, to_ms), left),
                None => Ok(Vec::new()),
            }
        })?;
        found.extend(page);
    }
    Ok(found)
}

/// The newest reading of each point of a site, by name.
pub(super) fn latest(open: &mut Open<'_>, site: &str) -> Result<Vec<(String, Reading)>, Failure> {
    let mut newest = BTreeMap::new();
    for month in open.all_months() {
        // Later months come later and are newer.
        newest.extend(open.look(month, |connection| Ok(latest_in(connection, site)?))?);
    }
    Ok(newest.into_iter().collect())
}

fn latest_in(
    connection: &Connection,
    site: &str,
) -> Result<Vec<(String, Reading)>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT newest_ms, newest_state, newest_value, point FROM series WHERE site = ?1",
        )?
        .query_map([site], |row| Ok((row.get(3)?, reading_of(row)?)))?
        .collect()
}

/// The number of a series in this file.
pub(super) fn series_id(
    connection: &Connection,
    site: &str,
    point: &str,
) -> Result<Option<i64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT id FROM series WHERE site = ?1 AND point = ?2")?
        .query_row([site, point], |row| row.get(0))
        .optional()
}

fn page(
    connection: &Connection,
    series: i64,
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, Unread> {
    let mut found = sealed(connection, series, (from_ms, to_ms), limit)?;
    let mut buffered = connection.prepare_cached(
        "SELECT time_ms, state, value FROM buffer WHERE series = ?1 AND time_ms >= ?2 AND time_ms < ?3 ORDER BY time_ms LIMIT ?4",
    )?;
    let limit_sql = i64::try_from(limit).unwrap_or(i64::MAX);
    for row in buffered.query_map([series, from_ms, to_ms, limit_sql], reading_of)? {
        found.push(row?);
    }
    found.sort_by_key(Reading::source_time);
    found.truncate(limit);
    Ok(found)
}

fn sealed(
    connection: &Connection,
    series: i64,
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, Unread> {
    let mut hours = connection.prepare_cached(
        "SELECT hour, body FROM hour WHERE series = ?1 AND hour BETWEEN ?2 AND ?3 ORDER BY hour",
    )?;
    let mut rows = hours.query([series, hour_of(from_ms), hour_of(to_ms - 1)])?;
    let mut found = Vec::new();
    while found.len() < limit {
        let Some(row) = rows.next()? else { break };
        let of_hour = chunk_of(connection, row.get(0)?, row.get(1)?)?;
        let is_within = |one: &Reading| (from_ms..to_ms).contains(&one.source_time().0);
        found.extend(of_hour.into_iter().filter(is_within));
    }
    found.truncate(limit);
    Ok(found)
}

/// The readings of an hour's chunk.
pub(super) fn chunk_of(
    connection: &Connection,
    hour: i64,
    body: i64,
) -> Result<Vec<Reading>, Unread> {
    let decoded = connection
        .prepare_cached("SELECT bytes FROM chunk WHERE id = ?1")?
        .query_row([body], |row| {
            Ok(chunk::decode(hour, row.get_ref(0)?.as_blob()?))
        })?;
    decoded.map_err(|error| Unread::Chunk { hour, error })
}
