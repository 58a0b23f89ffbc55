//! Hours that are over become chunks; months that are too old go.

use super::commit;
use super::nodes::{Nodes, digest};
use super::union;
use crate::history::HistoryError;
use crate::history::chunk::{self, HOUR_MS, hour_of, hour_span};
use crate::history::month::Month;
use crate::history::rollup::{self, Rollup};
use crate::history::state;
use crate::run::now_ms;
use davy_alarm::Reading;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an hour that is over still waits for readings on their way, and after the first that came late.
const GRACE_MS: i64 = 120_000;
const SEALED_AFTER: Duration = Duration::from_secs(60);
/// Hours of a collector that has gone are somebody else's when they have been over so long.
const ORPHANED_AFTER_MS: i64 = 900_000;
/// Hours sealed between two looks.
const SEALED_AT_A_TIME: usize = 64;
/// Hours that are remembered. Those beyond it are found as a gone collector's.
const MOST_TOUCHED: usize = 200_000;
/// Hours of sane clocks, 1970 to 2200; others have no rollups.
const SANE_HOURS: std::ops::Range<i64> = 0..2_016_214;

/// Hours that this collector committed to, or found, and since when.
#[derive(Debug, Default)]
pub(super) struct Touched(Mutex<HashMap<(Arc<str>, i64), Instant>>);

impl Touched {
    pub(super) fn note(&self, hours: impl IntoIterator<Item = (Arc<str>, i64)>) {
        let mut held = self.held();
        for hour in hours {
            if held.len() < MOST_TOUCHED {
                held.entry(hour).or_insert_with(Instant::now);
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(Arc<str>, i64), Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> Vec<(Arc<str>, i64)> {
        let now_ms = now_ms();
        let held = self.held();
        let due = held.iter().filter(|((_, hour), since)| {
            let (_, last_ms) = hour_span(*hour);
            last_ms.saturating_add(GRACE_MS) < now_ms && since.elapsed() >= SEALED_AFTER
        });
        due.map(|(key, _)| key.clone())
            .take(SEALED_AT_A_TIME)
            .collect()
    }
}

/// Seals a few of the hours that are over. One that fails is tried again the next time.
pub(super) async fn seal_due(nodes: &Nodes, touched: &Touched) {
    for key in touched.due() {
        // Before, so that what is committed meanwhile is noted anew.
        touched.held().remove(&key);
        if let Err(error) = seal(nodes, &key.0, key.1).await {
            tracing::error!(%error, site = &*key.0, "an hour of the history cannot be sealed yet");
            touched.note([key]);
        }
    }
}

/// Notes the hours that stayed open although they have long been over.
pub(super) async fn find_orphans(nodes: &Nodes, touched: &Touched) -> Result<(), HistoryError> {
    let last = hour_of(now_ms() - ORPHANED_AFTER_MS) - 1;
    let sites = nodes.rows::<(String,)>(&nodes.statements.sites_opened, ());
    for (site,) in sites.await? {
        let hours = nodes.opened(&site, (i64::MIN, last)).await?;
        let site: Arc<str> = site.into();
        touched.note(hours.into_iter().map(|hour| (site.clone(), hour)));
    }
    Ok(())
}

/// Makes chunks of what was committed to an hour of a site, then takes the commits away.
pub(super) async fn seal(nodes: &Nodes, site: &str, hour: i64) -> Result<(), HistoryError> {
    let statements = &nodes.statements;
    let marks = nodes.rows::<(i64, i64, i64)>(&statements.opened, (site, hour, hour));
    let marks = marks.await?;
    let commits = nodes.rows::<(Vec<u8>, Vec<u8>, i64)>(&statements.commits, (site, hour));
    let commits = commits.await?;
    let mut of_points: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for (_, bytes, _) in &commits {
        let readings = commit::decode(hour, bytes, |_| true);
        for (point, reading) in readings.map_err(|error| nodes.damaged(error.to_string()))? {
            of_points.entry(point).or_default().push(reading);
        }
    }
    for (point, readings) in of_points {
        seal_series(nodes, (site, &point), hour, readings).await?;
    }
    for (id, _, written) in commits {
        nodes
            .run(&statements.drop_commit, (written, site, hour, id))
            .await?;
    }
    for (_, writer, written) in marks {
        nodes
            .run(&statements.close, (written, site, hour, writer))
            .await?;
    }
    Ok(())
}

async fn seal_series(
    nodes: &Nodes,
    (site, point): (&str, &str),
    hour: i64,
    mut readings: Vec<Reading>,
) -> Result<(), HistoryError> {
    let statements = &nodes.statements;
    let month = Month::of(hour_span(hour).0).number_since_1970();
    let there = (site, point, month, hour);
    let rows = nodes.rows::<(i32, Vec<u8>, Vec<u8>, i64)>(&statements.chunks_of_hour, there);
    let rows = rows.await?;
    for (_, _, bytes, _) in &rows {
        readings.extend(decode(nodes, hour, bytes)?);
    }
    union::settle(&mut readings);
    let bytes = chunk::encode(hour, &readings);
    let id = digest(&bytes);
    if !matches!(rows.as_slice(), [(_, held, _, _)] if *held == id) {
        let generation = rows
            .iter()
            .map(|row| row.0)
            .max()
            .map_or(0, |last| last + 1);
        let (rollup, minutes) = rollups(hour, &readings);
        let named = (site, point, month);
        nodes.run(&statements.put_month, named).await?;
        let row = (
            site, point, month, hour, generation, &id, rollup, minutes, bytes,
        );
        nodes.run(&statements.put_chunk, row).await?;
        for (generation, id, _, written) in rows {
            let row = (written, site, point, month, hour, generation, id);
            nodes.run(&statements.drop_chunk, row).await?;
        }
    }
    put_newest(nodes, (site, point), readings.last()).await
}

/// The readings of a chunk.
pub(super) fn decode(nodes: &Nodes, hour: i64, bytes: &[u8]) -> Result<Vec<Reading>, HistoryError> {
    chunk::decode(hour, bytes).map_err(|error| {
        let (time_ms, _) = hour_span(hour);
        nodes.damaged(format!("the hour from {time_ms} ms: {error}"))
    })
}

/// The hour in one rollup and in its minutes; empty where a clock was not sane.
fn rollups(hour: i64, readings: &[Reading]) -> (Vec<u8>, Vec<u8>) {
    if !SANE_HOURS.contains(&hour) {
        return (Vec::new(), Vec::new());
    }
    let whole = [(hour * HOUR_MS, Rollup::of(readings))];
    let minutes = rollup::minutes(hour, readings);
    (rollup::encode(hour, &whole), rollup::encode(hour, &minutes))
}

/// Written at the reading's own time, in microseconds as far as they reach.
async fn put_newest(
    nodes: &Nodes,
    (site, point): (&str, &str),
    newest: Option<&Reading>,
) -> Result<(), HistoryError> {
    let Some(newest) = newest else { return Ok(()) };
    let written = written_at(newest);
    let row = (site, point, newest_bytes(newest), written);
    nodes.run(&nodes.statements.put_newest, row).await
}

fn written_at(reading: &Reading) -> i64 {
    let us = reading.source_time().0.saturating_mul(1_000);
    us.clamp(i64::MIN / 2, i64::MAX / 2)
}

/// Time, state and value, little-endian: i64, u16, f64.
fn newest_bytes(reading: &Reading) -> Vec<u8> {
    let mut bytes = reading.source_time().0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&state::of(reading).to_le_bytes());
    bytes.extend_from_slice(&reading.value().unwrap_or_default().to_le_bytes());
    bytes
}

/// A newest reading from its bytes.
pub(super) fn newest_of(bytes: &[u8]) -> Option<Reading> {
    let (time, rest) = bytes.split_first_chunk()?;
    let (code, rest) = rest.split_first_chunk()?;
    let (value, _) = rest.split_first_chunk()?;
    let code = u16::from_le_bytes(*code);
    let value = state::has_value(code).then(|| f64::from_le_bytes(*value));
    state::reading(davy_alarm::WallMs(i64::from_le_bytes(*time)), code, value)
}

/// Takes whole months away that ended before this time, also what of them is not sealed. An hour that is damaged keeps no other from going, and is named.
pub(super) async fn forget_before(nodes: &Nodes, before_ms: i64) -> Result<(), HistoryError> {
    let statements = &nodes.statements;
    let first_kept = Month::of(before_ms);
    let mut damaged = Vec::new();
    for (site,) in nodes
        .rows::<(String,)>(&statements.sites_opened, ())
        .await?
    {
        forget_opened(nodes, &site, first_kept, &mut damaged).await?;
    }
    for (site,) in nodes.rows::<(String,)>(&statements.sites, ()).await? {
        let months = nodes.rows::<(String, i32)>(&statements.all_months, (&site,));
        for (point, month) in months.await? {
            if month < first_kept.number_since_1970() {
                let named = (&site, &point, month);
                nodes.run(&statements.drop_month, named).await?;
                nodes.run(&statements.forget_month, named).await?;
            }
        }
        forget_newest(nodes, &site, first_kept).await?;
    }
    HistoryError::of_all(damaged)
}

async fn forget_opened(
    nodes: &Nodes,
    site: &str,
    first_kept: Month,
    damaged: &mut Vec<HistoryError>,
) -> Result<(), HistoryError> {
    let last = hour_of(first_kept.start_ms()).saturating_sub(1);
    for hour in nodes.opened(site, (i64::MIN, last)).await? {
        match seal(nodes, site, hour).await {
            Err(error @ HistoryError::Damaged { .. }) => damaged.push(error),
            done => done?,
        }
    }
    Ok(())
}

async fn forget_newest(nodes: &Nodes, site: &str, first_kept: Month) -> Result<(), HistoryError> {
    let statements = &nodes.statements;
    let rows = nodes.rows::<(String, Vec<u8>, i64)>(&statements.newest, (site,));
    for (point, bytes, written) in rows.await? {
        let is_old =
            newest_of(&bytes).is_none_or(|one| Month::of(one.source_time().0) < first_kept);
        if is_old {
            nodes
                .run(&statements.drop_newest, (written, site, point))
                .await?;
        }
    }
    Ok(())
}
