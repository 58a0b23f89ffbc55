//! Questions in InfluxQL, which the server answers far quicker than Flux: pages of readings, the newest of each point, and trends that it reckons itself.

use super::client::Client;
use super::line::{self, BEYOND, ERA_MS, MEASUREMENT};
use crate::history::grid::{self, Grid};
use crate::history::rollup::{Absence, Rollup};
use crate::history::{HistoryError, Series, SeriesQuery};
use csv::StringRecord;
use davy_alarm::{NoValue, Reading};
use std::collections::BTreeMap;
use std::io::Read;
use std::str::FromStr;
use std::sync::Arc;

/// Readings of one answer.
const PAGE: usize = 50_000;
/// Readings of wrong clocks that one question looks through, the first of each era; there is no index of their times.
const MOST_BEYOND: usize = 100_000;

/// The first `limit` readings of a point over `from_ms` ≤ time < `to_ms`, oldest first.
pub(super) async fn readings(
    client: &Arc<Client>,
    name: (&str, &str),
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, HistoryError> {
    let mut found = Vec::new();
    let beyond = beyond(client, name, (from_ms, to_ms)).await?;
    let (before, after): (Vec<_>, Vec<_>) =
        beyond.into_iter().partition(|one| one.source_time().0 < 0);
    found.extend(before.into_iter().take(limit));
    let (mut next_ms, end_ms) = (from_ms.max(0), to_ms.min(ERA_MS));
    while found.len() < limit && next_ms < end_ms {
        let most = PAGE.min(limit - found.len());
        let page = page(client, name, (next_ms, end_ms), most).await?;
        let is_last = page.len() < most;
        next_ms = page.last().map_or(end_ms, |last| last.source_time().0 + 1);
        found.extend(page);
        if is_last {
            break;
        }
    }
    found.extend(after);
    found.truncate(limit);
    Ok(found)
}

async fn page(
    client: &Arc<Client>,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, HistoryError> {
    let question = format!(
        "SELECT good, value, absent FROM {MEASUREMENT} WHERE site={} AND point={} AND time>={from_ms}ms AND time<{to_ms}ms LIMIT {limit}",
        line::text(site),
        line::text(point),
    );
    let row = |row: &StringRecord| of_fields(number(row, 2)?, row, 3);
    client.ask(question, move |body| rows(body, row)).await
}

/// Readings whose source time lies outside of the era that a sane clock tells: few, and looked through one by one.
async fn beyond(
    client: &Arc<Client>,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<Reading>, HistoryError> {
    if from_ms >= 0 && to_ms <= ERA_MS {
        return Ok(Vec::new());
    }
    let question = format!(
        "SELECT good, value, absent FROM {BEYOND} WHERE site={} AND point={} GROUP BY era LIMIT {MOST_BEYOND}",
        line::text(site),
        line::text(point),
    );
    let row = |row: &StringRecord| of_fields(time_of_era(row)?, row, 3);
    let mut all = client.ask(question, move |body| rows(body, row)).await?;
    all.retain(|one| (from_ms..to_ms).contains(&one.source_time().0));
    all.sort_by_key(Reading::source_time);
    Ok(all)
}

/// The newest reading of each point of a site, by name.
pub(super) async fn latest(
    client: &Arc<Client>,
    site: &str,
) -> Result<Vec<(String, Reading)>, HistoryError> {
    let site = line::text(site);
    let question = format!(
        "SELECT good, value, absent FROM {MEASUREMENT} WHERE site={site} GROUP BY point ORDER BY time DESC LIMIT 1"
    );
    let row =
        |row: &StringRecord| Some((tagged(row, "point")?, of_fields(number(row, 2)?, row, 3)?));
    let sane = client.ask(question, move |body| rows(body, row)).await?;
    let question = format!(
        "SELECT good, value, absent FROM {BEYOND} WHERE site={site} GROUP BY era, point ORDER BY time DESC LIMIT 1"
    );
    let row =
        |row: &StringRecord| Some((tagged(row, "point")?, of_fields(time_of_era(row)?, row, 3)?));
    let beyond = client.ask(question, move |body| rows(body, row)).await?;
    let mut newest: BTreeMap<String, Reading> = BTreeMap::new();
    for (point, reading) in sane.into_iter().chain(beyond) {
        let held = newest.entry(point).or_insert(reading);
        if held.source_time() < reading.source_time() {
            *held = reading;
        }
    }
    Ok(newest.into_iter().collect())
}

/// One point's trend.
pub(super) async fn series(
    client: &Arc<Client>,
    query: SeriesQuery,
) -> Result<Series, HistoryError> {
    let span = (query.from_ms, query.to_ms);
    let name = (query.site.as_str(), query.point.as_str());
    let most = grid::buckets(&query);
    let first = readings(client, name, span, most + 1).await?;
    if first.len() <= most {
        return Ok(grid::raw(&first));
    }
    let mut grid = Grid::new(&query);
    for reading in beyond(client, name, span).await? {
        grid.add(&reading);
    }
    let sane = (query.from_ms.max(0), query.to_ms.min(ERA_MS));
    if sane.0 < sane.1 {
        match i64::try_from(grid.step_ms()) {
            Ok(step_ms) if step_ms < ERA_MS => {
                reckoned(client, name, sane, step_ms, &mut grid).await?;
            }
            _ => one_by_one(client, name, sane, &mut grid).await?,
        }
    }
    Ok(grid.series())
}

/// The buckets as the server reckons them.
async fn reckoned(
    client: &Arc<Client>,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
    step_ms: i64,
    grid: &mut Grid,
) -> Result<(), HistoryError> {
    let (first_ms, _) = grid.span();
    let offset_ms = first_ms.rem_euclid(step_ms);
    let question = format!(
        "SELECT count(good), count(value), sum(good), min(value), max(value), mean(value), last(absent) FROM {MEASUREMENT} \
         WHERE site={} AND point={} AND time>={from_ms}ms AND time<{to_ms}ms GROUP BY time({step_ms}ms,{offset_ms}ms) fill(none)",
        line::text(site),
        line::text(point),
    );
    for (time_ms, rollup) in client.ask(question, |body| rows(body, bucket)).await? {
        // The first bucket may begin before what a sane clock tells.
        if let Some(at) = grid.at(time_ms.max(first_ms)) {
            grid.merge(at, &rollup);
        }
    }
    Ok(())
}

fn bucket(row: &StringRecord) -> Option<(i64, Rollup)> {
    let time_ms = number(row, 2)?;
    let values = number(row, 4).unwrap_or(0);
    let value = |at| number(row, at).unwrap_or(0.0);
    let cause = number(row, 9).map(NoValue::from_code);
    let (min, max): (f64, f64) = (value(6), value(7));
    let rollup = Rollup {
        count: number(row, 3)?,
        values,
        good: number(row, 5).unwrap_or(0),
        min,
        max,
        // Added up by the server, which may lose the last bits, or all of them beyond the largest number.
        mean: value(8).clamp(min, max),
        absent: match cause {
            Some(cause) => Some(Absence {
                cause: cause?,
                time_ms,
            }),
            None => None,
        },
    };
    Some((time_ms, rollup))
}

/// Of a trend longer than any server reckons with: page by page, in bounded memory.
async fn one_by_one(
    client: &Arc<Client>,
    name: (&str, &str),
    (from_ms, to_ms): (i64, i64),
    grid: &mut Grid,
) -> Result<(), HistoryError> {
    let mut next_ms = from_ms;
    loop {
        let page = page(client, name, (next_ms, to_ms), PAGE).await?;
        page.iter().for_each(|one| grid.add(one));
        match page.last() {
            Some(last) if page.len() == PAGE => next_ms = last.source_time().0 + 1,
            _ => return Ok(()),
        }
    }
}

/// The rows of an answer, which may have several tables one below the other.
fn rows<T>(
    body: &mut dyn Read,
    row: impl Fn(&StringRecord) -> Option<T>,
) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    let mut answer = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(body);
    let mut record = StringRecord::new();
    while answer
        .read_record(&mut record)
        .map_err(|error| error.to_string())?
    {
        match record.get(0) {
            Some("name") | None => {}
            Some("error") => return Err(format!("a question was refused: {record:?}")),
            Some(_) => found.push(row(&record).ok_or_else(|| unreadable(&record))?),
        }
    }
    Ok(found)
}

fn unreadable(record: &StringRecord) -> String {
    format!("it holds what no collector wrote: {record:?}")
}

/// The reading of a row's fields, `good`, `value` and `absent` from `at` on.
fn of_fields(time_ms: i64, row: &StringRecord, at: usize) -> Option<Reading> {
    line::reading(
        time_ms,
        number(row, at)?,
        number(row, at + 1),
        number(row, at + 2),
    )
}

fn number<T: FromStr>(row: &StringRecord, at: usize) -> Option<T> {
    row.get(at)?.parse().ok()
}

/// The time of a reading in its era.
fn time_of_era(row: &StringRecord) -> Option<i64> {
    let era: i64 = tagged(row, "era")?.parse().ok()?;
    era.checked_mul(ERA_MS)?.checked_add(number(row, 2)?)
}

/// The value of a row's tag: `key=value` with commas between, and a backslash before those within.
fn tagged(row: &StringRecord, key: &str) -> Option<String> {
    let tags = row.get(1)?;
    let mut begins = 0;
    let mut was_escape = false;
    let ends = tags.char_indices().filter_map(|(at, character)| {
        let is_end = character == ',' && !was_escape;
        was_escape = character == '\\' && !was_escape;
        is_end.then_some(at)
    });
    for end in ends.chain([tags.len()]) {
        let (name, value) = tags[begins..end].split_once('=')?;
        if name == key {
            return line::name(value);
        }
        begins = end + 1;
    }
    None
}
