//! Questions: pages of readings, the newest of each point, and trends, from marks, commits and chunks in this order.

use super::commit;
use super::nodes::Nodes;
use super::seal::{decode, newest_of};
use super::union;
use crate::history::chunk::{HOUR_MS, hour_of, hour_span};
use crate::history::grid::{self, Grid};
use crate::history::month::Month;
use crate::history::rollup::{self, Rollup};
use crate::history::{HistoryError, Series, SeriesQuery};
use davy_alarm::Reading;
use std::collections::BTreeMap;

/// Hours of one question within a month, so that no answer is larger than a few megabytes.
const HOURS_A_PAGE: i64 = 240;
/// Hours that the first question of a page of readings spans: each next one spans twice as many, so that a page of a busy point reads little more than itself,
/// and one of a point that is sent once an hour needs few questions.
const HOURS_AT_FIRST: i64 = 2;

/// The first `limit` readings of a point over `from_ms` ≤ time < `to_ms`, oldest first.
pub(super) async fn readings(
    nodes: &Nodes,
    name: (&str, &str),
    span: (i64, i64),
    limit: usize,
) -> Result<Vec<Reading>, HistoryError> {
    let mut found = Vec::new();
    if span.0 >= span.1 || limit == 0 {
        return Ok(found);
    }
    // Marks first, then, hour by hour, commits and then chunks: what moves, moves in this order, so that nothing is missed. No hour is read before its turn.
    let hours = (hour_of(span.0), hour_of(span.1 - 1));
    let opened = nodes.opened(name.0, hours).await?;
    let pages = with_opened(pages(nodes, name, span).await?, &opened);
    for (month, hours) in growing(pages) {
        let within = |hour: &&i64| (hours.0..=hours.1).contains(*hour);
        let mut of_hours: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
        for hour in opened.iter().filter(within) {
            let committed = committed(nodes, name.0, *hour, |of| of == name.1).await?;
            let readings = committed.into_iter().map(|(_, reading)| reading);
            of_hours.insert(*hour, readings.collect());
        }
        for (hour, readings) in chunks(nodes, name, month, hours).await? {
            of_hours.entry(hour).or_default().extend(readings);
        }
        for mut of_hour in of_hours.into_values() {
            union::settle(&mut of_hour);
            found.extend(of_hour.into_iter().filter(|one| is_within(one, span)));
        }
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// The pieces, and the hours that may have commits in months without a chunk, in order.
fn with_opened(mut pages: Vec<Page>, opened: &[i64]) -> Vec<Page> {
    let is_in = |pages: &[Page], hour: i64| {
        pages
            .iter()
            .any(|(_, (first, last))| (*first..=*last).contains(&hour))
    };
    for hour in opened {
        if !is_in(&pages, *hour) {
            let month = Month::of(hour_span(*hour).0).number_since_1970();
            pages.push((month, (*hour, *hour)));
        }
    }
    pages.sort_by_key(|(_, (first, _))| *first);
    pages
}

fn is_within(one: &Reading, (from_ms, to_ms): (i64, i64)) -> bool {
    (from_ms..to_ms).contains(&one.source_time().0)
}

/// Readings that lie in commits, by hour, settled.
async fn unsealed(
    nodes: &Nodes,
    (site, point): (&str, &str),
    span: (i64, i64),
) -> Result<BTreeMap<i64, Vec<Reading>>, HistoryError> {
    let mut found: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    let hours = (hour_of(span.0), hour_of(span.1 - 1));
    for hour in nodes.opened(site, hours).await? {
        for (_, reading) in committed(nodes, site, hour, |of| of == point).await? {
            if is_within(&reading, span) {
                found.entry(hour).or_default().push(reading);
            }
        }
    }
    found.values_mut().for_each(union::settle);
    Ok(found)
}

async fn committed(
    nodes: &Nodes,
    site: &str,
    hour: i64,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Reading)>, HistoryError> {
    let rows = nodes.rows::<(Vec<u8>, Vec<u8>, i64)>(&nodes.statements.commits, (site, hour));
    let mut found = Vec::new();
    for (_, bytes, _) in rows.await? {
        let readings = commit::decode(hour, &bytes, &is_asked);
        found.extend(readings.map_err(|error| nodes.damaged(error.to_string()))?);
    }
    Ok(found)
}

/// A month, and hours of it from first to last.
type Page = (i32, (i64, i64));

/// The span in pieces, oldest first, of the months that there are chunks of.
async fn pages(
    nodes: &Nodes,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<Page>, HistoryError> {
    let between = (Month::of(from_ms), Month::of(to_ms - 1));
    let (first, last) = (between.0.number_since_1970(), between.1.number_since_1970());
    let months = nodes.rows::<(i32,)>(&nodes.statements.months, (site, point, first, last));
    let mut pages = Vec::new();
    for (number,) in months.await? {
        let month = Month::numbered(number);
        let mut hour = hour_of(from_ms.max(month.start_ms()));
        let end = hour_of((to_ms - 1).min(month.end_ms() - 1));
        let is_sane = month.start_ms() > i64::MIN && month.end_ms() < i64::MAX;
        while is_sane && end - hour >= HOURS_A_PAGE {
            pages.push((number, (hour, hour + HOURS_A_PAGE - 1)));
            hour += HOURS_A_PAGE;
        }
        pages.push((number, (hour, end)));
    }
    Ok(pages)
}

/// The same hours in pieces that begin small and grow.
fn growing(pages: Vec<Page>) -> impl Iterator<Item = Page> {
    let mut step = HOURS_AT_FIRST;
    let mut rest = pages.into_iter();
    let mut now = rest.next();
    std::iter::from_fn(move || {
        let (month, (first, last)) = now?;
        let end = last.min(first.saturating_add(step - 1));
        step = (step * 2).min(HOURS_A_PAGE);
        now = if end < last {
            Some((month, (end + 1, last)))
        } else {
            rest.next()
        };
        Some((month, (first, end)))
    })
}

/// Readings of chunks, by hour, as they lie.
async fn chunks(
    nodes: &Nodes,
    (site, point): (&str, &str),
    month: i32,
    (first, last): (i64, i64),
) -> Result<BTreeMap<i64, Vec<Reading>>, HistoryError> {
    let asked = (site, point, month, first, last);
    let rows = nodes.rows::<(i64, Vec<u8>)>(&nodes.statements.chunks, asked);
    let mut found: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    for (hour, bytes) in rows.await? {
        let readings = decode(nodes, hour, &bytes)?;
        found.entry(hour).or_default().extend(readings);
    }
    Ok(found)
}

/// The newest reading of each point of a site, by name.
pub(super) async fn latest(
    nodes: &Nodes,
    site: &str,
) -> Result<Vec<(String, Reading)>, HistoryError> {
    let mut all = Vec::new();
    for hour in nodes.opened(site, (i64::MIN, i64::MAX)).await? {
        all.extend(committed(nodes, site, hour, |_| true).await?);
    }
    let rows = nodes.rows::<(String, Vec<u8>, i64)>(&nodes.statements.newest, (site,));
    for (point, bytes, _) in rows.await? {
        let reading = newest_of(&bytes);
        let unreadable = || nodes.damaged(format!("the newest reading of {point}"));
        let reading = reading.ok_or_else(unreadable)?;
        all.push((point, reading));
    }
    let mut of_points: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for (point, reading) in all {
        of_points.entry(point).or_default().push(reading);
    }
    let newest = of_points.into_iter().filter_map(|(point, mut readings)| {
        union::settle(&mut readings);
        Some((point, *readings.last()?))
    });
    Ok(newest.collect())
}

/// One point's trend.
pub(super) async fn series(nodes: &Nodes, query: SeriesQuery) -> Result<Series, HistoryError> {
    let span = (query.from_ms, query.to_ms);
    let name = (query.site.as_str(), query.point.as_str());
    let most = grid::buckets(&query);
    let first = readings(nodes, name, span, most + 1).await?;
    if first.len() <= most {
        return Ok(grid::raw(&first));
    }
    let mut grid = Grid::new(&query);
    let mut unsealed = unsealed(nodes, name, span).await?;
    for (month, hours) in pages(nodes, name, span).await? {
        fold(nodes, name, (month, hours), &mut unsealed, &mut grid).await?;
    }
    for reading in unsealed.values().flatten() {
        grid.add(reading);
    }
    Ok(grid.series())
}

/// Adds the hours of a page: from their rollups where there is one chunk, nothing in commits and no bucket's edge within; otherwise reading by reading.
async fn fold(
    nodes: &Nodes,
    name: (&str, &str),
    (month, hours): Page,
    unsealed: &mut BTreeMap<i64, Vec<Reading>>,
    grid: &mut Grid,
) -> Result<(), HistoryError> {
    let by_minutes = grid.step_ms() < HOUR_MS as u64;
    let statement = if by_minutes {
        &nodes.statements.minutes
    } else {
        &nodes.statements.hours
    };
    let asked = (name.0, name.1, month, hours.0, hours.1);
    let rows = nodes.rows::<(i64, Vec<u8>)>(statement, asked).await?;
    for of_hour in rows.chunk_by(|a, b| a.0 == b.0) {
        let hour = of_hour[0].0;
        let late = unsealed.remove(&hour);
        let rollups = match (of_hour, &late) {
            ([(_, bytes)], None) => rollups(nodes, hour, bytes, grid)?,
            _ => None,
        };
        if let Some(rollups) = rollups {
            for (at, rollup) in rollups {
                grid.merge(at, &rollup);
            }
            continue;
        }
        let mut chunks = chunks(nodes, name, month, (hour, hour)).await?;
        let mut readings = chunks.remove(&hour).unwrap_or_default();
        readings.extend(late.into_iter().flatten());
        union::settle(&mut readings);
        readings.iter().for_each(|one| grid.add(one));
    }
    Ok(())
}

/// The rollups of an hour with their buckets; none if a bucket's edge or the span's end cuts one of them, or there are none.
fn rollups(
    nodes: &Nodes,
    hour: i64,
    bytes: &[u8],
    grid: &Grid,
) -> Result<Option<Vec<(usize, Rollup)>>, HistoryError> {
    let span = hour_span(hour);
    if bytes.is_empty() || (grid.around(span).is_none() && !grid.spares_minutes(span)) {
        return Ok(None);
    }
    let decoded = rollup::decode(hour, bytes).map_err(|error| {
        nodes.damaged(format!(
            "the rollups of the hour from {} ms: {error}",
            span.0
        ))
    })?;
    let is_whole = grid.step_ms() >= HOUR_MS as u64;
    if is_whole && grid.around(span).is_none() {
        return Ok(None);
    }
    let placed = decoded.into_iter().filter_map(|(time_ms, rollup)| {
        let at = if is_whole {
            grid.around(span)
        } else {
            grid.at(time_ms)
        };
        Some((at?, rollup))
    });
    Ok(Some(placed.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_begin_small_grow_and_leave_no_hour_out() {
        let pages = vec![(1, (10, 249)), (1, (250, 400)), (2, (401, 401))];
        let pieces: Vec<Page> = growing(pages.clone()).collect();
        assert_eq!(pieces[..3], [(1, (10, 11)), (1, (12, 15)), (1, (16, 23))]);
        let hours = |pages: &[Page]| {
            let all = pages.iter().flat_map(|(month, (first, last))| {
                (*first..=*last).map(move |hour| (*month, hour))
            });
            all.collect::<Vec<_>>()
        };
        assert_eq!(hours(&pieces), hours(&pages));
        let opened = with_opened(pages, &[3, 300, 900]);
        let firsts: Vec<i64> = opened.iter().map(|(_, (first, _))| *first).collect();
        assert_eq!(firsts, [3, 10, 250, 401, 900]);
        assert!(
            pieces
                .iter()
                .all(|(_, (first, last))| last - first < HOURS_A_PAGE)
        );
    }
}
