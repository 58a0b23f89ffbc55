//! Readings as they were, a page at a time, and the newest of each point.

use super::file::Failure;
use super::log;
use super::readers::{Open, Unread};
use super::store::{distinct, reading_of};
use crate::history::chunk::{self, hour_of};
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
    Ok(told(open, (site, point), (from_ms, to_ms), limit)?.readings)
}

/// Readings, and whether some of the span were forgotten and left their rollups.
#[derive(Default)]
pub(super) struct Told {
    pub(super) readings: Vec<Reading>,
    pub(super) is_thinned: bool,
}

/// As [`readings`]; whether some were forgotten is told of what was looked through.
pub(super) fn told(
    open: &mut Open<'_>,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Told, Failure> {
    let mut found = Vec::new();
    let mut is_thinned = false;
    for month in open.months(from_ms, to_ms) {
        let left = limit - found.len();
        if left == 0 {
            break;
        }
        let recent = open.recent(month, |held| held.of((site, point), from_ms, to_ms));
        let page = open.look(month, |connection| {
            match series_id(connection, site, point)? {
                Some(series) => page(connection, series, recent, (from_ms, to_ms), left),
                None => Ok(Told::default()),
            }
        })?;
        found.extend(page.readings);
        is_thinned |= page.is_thinned;
    }
    Ok(Told {
        readings: found,
        is_thinned,
    })
}

/// The newest reading of each point of a site, by name.
pub(super) fn latest(open: &mut Open<'_>, site: &str) -> Result<Vec<(String, Reading)>, Failure> {
    let mut newest: BTreeMap<String, Reading> = BTreeMap::new();
    for month in open.all_months() {
        let recent = open.recent(month, |held| held.latest(site));
        let settled = open.look(month, |connection| Ok(latest_in(connection, site)?))?;
        // Later months come later and are newer.
        let mut of_month: BTreeMap<String, Reading> = settled.into_iter().collect();
        for (point, reading) in recent {
            let held = of_month.entry(point).or_insert(reading);
            if held.source_time() < reading.source_time() {
                *held = reading;
            }
        }
        newest.extend(of_month);
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
    recent: Vec<Reading>,
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Told, Unread> {
    let Told {
        readings: mut found,
        is_thinned,
    } = sealed(connection, series, (from_ms, to_ms), limit)?;
    let unsealed = unsealed(connection, series, recent, (from_ms, to_ms), limit)?;
    found.extend(unsealed.into_values().flatten());
    distinct(&mut found);
    found.truncate(limit);
    Ok(Told {
        readings: found,
        is_thinned,
    })
}

/// Readings that are not sealed, by hour: first runs as they came, then what is recent. No more hours than needed for `limit` readings.
pub(super) fn unsealed(
    connection: &Connection,
    series: i64,
    recent: Vec<Reading>,
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<BTreeMap<i64, Vec<Reading>>, Unread> {
    let mut hours: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    let mut runs = connection.prepare_cached(
        "SELECT hour, bytes FROM run WHERE series = ?1 AND hour BETWEEN ?2 AND ?3 ORDER BY hour, number",
    )?;
    let mut rows = runs.query([series, hour_of(from_ms), hour_of(to_ms - 1)])?;
    let (mut last, mut held) = (None, 0);
    while let Some(row) = rows.next()? {
        let hour = row.get(0)?;
        if last.is_some_and(|last| last != hour) {
            held += hours.values_mut().next_back().map_or(0, |of_hour| {
                distinct(of_hour);
                of_hour.len()
            });
            if held >= limit {
                break;
            }
        }
        last = Some(hour);
        let of_run = log::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)
            .map_err(|error| Unread::Chunk { hour, error })?;
        let is_within = |one: &Reading| (from_ms..to_ms).contains(&one.source_time().0);
        let of_run = of_run.into_iter().filter(is_within);
        hours.entry(hour).or_default().extend(of_run);
    }
    for reading in recent {
        let hour = hour_of(reading.source_time().0);
        hours.entry(hour).or_default().push(reading);
    }
    hours.values_mut().for_each(distinct);
    Ok(hours)
}

fn sealed(
    connection: &Connection,
    series: i64,
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Told, Unread> {
    let mut hours = connection.prepare_cached(
        "SELECT hour, body FROM hour WHERE series = ?1 AND hour BETWEEN ?2 AND ?3 ORDER BY hour",
    )?;
    let mut rows = hours.query([series, hour_of(from_ms), hour_of(to_ms - 1)])?;
    let mut found = Vec::new();
    let mut is_thinned = false;
    while found.len() < limit {
        let Some(row) = rows.next()? else { break };
        let Some(of_hour) = chunk_of(connection, row.get(0)?, row.get(1)?)? else {
            is_thinned = true;
            continue;
        };
        let is_within = |one: &Reading| (from_ms..to_ms).contains(&one.source_time().0);
        found.extend(of_hour.into_iter().filter(is_within));
    }
    found.truncate(limit);
    Ok(Told {
        readings: found,
        is_thinned,
    })
}

/// The readings of an hour's chunk; none if they were forgotten.
pub(super) fn chunk_of(
    connection: &Connection,
    hour: i64,
    body: i64,
) -> Result<Option<Vec<Reading>>, Unread> {
    let decoded = connection
        .prepare_cached("SELECT bytes FROM chunk WHERE id = ?1")?
        .query_row([body], |row| {
            let bytes = row.get_ref(0)?.as_blob()?;
            let is_there = !bytes.is_empty();
            Ok(is_there.then(|| chunk::decode(hour, bytes)).transpose())
        })?;
    decoded.map_err(|error| Unread::Chunk { hour, error })
}
