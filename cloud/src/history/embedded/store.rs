//! One month's readings as its only writer sees them: new ones go to the buffer, whole hours are sealed into chunks and rollups.

use super::chunk;
use super::file::{self, Failure};
use super::month::Month;
use super::rollup::{self, Rollup};
use super::{hour_of, hour_span, state};
use crate::history::PointReading;
use davy_alarm::{Reading, WallMs};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// So many readings of one hour in one commit (a gateway that catches up) are sealed at once: cheaper than through the buffer.
const SEALED_AT_ONCE: usize = 900;
/// An hour with fewer readings is as quickly read from its chunk as from its minutes.
const FEWEST_FOR_MINUTES: usize = 180;
/// Hours of sane clocks, 1970 to 2200; others get no minutes.
const SANE_HOURS: std::ops::Range<i64> = 0..2_016_214;

/// An hour of a series.
pub(super) type HourKey = (i64, i64);

/// The only writer of one month's file. After a failure it is dropped and opened again, since what it remembers may be wrong.
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
    /// By site and point.
    series: HashMap<String, HashMap<String, Series>>,
    /// The hour of each series that was last found without a chunk: spares a look at every commit.
    unsealed: HashMap<i64, i64>,
}

#[derive(Clone, Copy)]
struct Series {
    id: i64,
    newest_ms: i64,
}

impl Store {
    pub(super) fn open(folder: &Path, month: Month) -> Result<Self, Failure> {
        Ok(Self {
            path: month.path(folder),
            connection: file::open_to_write(folder, month)?,
            series: HashMap::new(),
            unsealed: HashMap::new(),
        })
    }

    /// Commits readings of this month, in the order they came; of two of the same time the first stays. Answers the hours whose buffers grew, and by
    /// how many readings.
    pub(super) fn commit(
        &mut self,
        mut readings: Vec<&PointReading>,
    ) -> Result<Vec<(HourKey, usize)>, Failure> {
        let name = |one: &PointReading| (one.site.clone(), one.point.clone());
        readings.sort_by(|a, b| {
            (&a.site, &a.point, a.reading.source_time().0).cmp(&(
                &b.site,
                &b.point,
                b.reading.source_time().0,
            ))
        });
        let path = self.path.clone();
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| Failure::of(&path, &e))?;
        let mut desk = Desk {
            tx: &tx,
            path: &path,
            unsealed: &mut self.unsealed,
            grown: Vec::new(),
        };
        for of_series in readings.chunk_by(|a, b| (&a.site, &a.point) == (&b.site, &b.point)) {
            let (site, point) = name(of_series[0]);
            let known = self.series.entry(site.clone()).or_default();
            let mut rows: Vec<Reading> = of_series.iter().map(|one| one.reading).collect();
            rows.dedup_by_key(|one| one.source_time());
            let series = match known.get(&point) {
                Some(series) => *series,
                None => desk.series(&site, &point, &rows)?,
            };
            known.insert(point, desk.put(series, &rows)?);
        }
        let grown = desk.grown;
        tx.commit().map_err(|e| Failure::of(&path, &e))?;
        Ok(grown)
    }

    /// Seals what the buffer holds of an hour: into its chunk, if there is one.
    pub(super) fn seal(&mut self, (series, hour): HourKey) -> Result<(), Failure> {
        let path = self.path.clone();
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| Failure::of(&path, &e))?;
        seal(&tx, &path, series, hour, &[])?;
        tx.commit().map_err(|e| Failure::of(&path, &e))?;
        self.unsealed
            .retain(|one, of| (*one, *of) != (series, hour));
        Ok(())
    }

    /// The hours that the buffer holds readings of, and how many.
    pub(super) fn buffered(&self) -> Result<Vec<(HourKey, usize)>, Failure> {
        let fail = |e| Failure::of(&self.path, &e);
        let mut found: Vec<(HourKey, usize)> = Vec::new();
        let mut all = self
            .connection
            .prepare("SELECT series, time_ms FROM buffer ORDER BY series, time_ms")
            .map_err(fail)?;
        let mut rows = all.query([]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let key = (
                row.get(0).map_err(fail)?,
                hour_of(row.get(1).map_err(fail)?),
            );
            match found.last_mut() {
                Some((last, count)) if *last == key => *count += 1,
                _ => found.push((key, 1)),
            }
        }
        Ok(found)
    }
}

/// A commit in progress.
struct Desk<'a> {
    tx: &'a Transaction<'a>,
    path: &'a Path,
    unsealed: &'a mut HashMap<i64, i64>,
    grown: Vec<(HourKey, usize)>,
}

impl Desk<'_> {
    fn fail(&self) -> impl Fn(rusqlite::Error) -> Failure {
        let path = self.path.to_owned();
        move |error| Failure::of(&path, &error)
    }

    /// The series in the file; made with the newest of these readings, if it is new.
    fn series(&self, site: &str, point: &str, rows: &[Reading]) -> Result<Series, Failure> {
        let find = "SELECT id, newest_ms FROM series WHERE site = ?1 AND point = ?2";
        let found = self
            .tx
            .prepare_cached(find)
            .and_then(|mut find| {
                find.query_row(params![site, point], |row| {
                    Ok(Series {
                        id: row.get(0)?,
                        newest_ms: row.get(1)?,
                    })
                })
                .optional()
            })
            .map_err(self.fail())?;
        if let Some(series) = found {
            return Ok(series);
        }
        let newest = rows.last().expect("a group is never empty");
        self.tx
            .prepare_cached(
                "INSERT INTO series (site, point, newest_ms, newest_state, newest_value) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut insert| {
                let (time_ms, value) = (newest.source_time().0, newest.value().ok());
                insert.insert(params![site, point, time_ms, state::of(newest), value])
            })
            .map(|id| Series {
                id,
                newest_ms: newest.source_time().0,
            })
            .map_err(self.fail())
    }

    /// Puts the readings of a series, oldest first, where they belong.
    fn put(&mut self, mut series: Series, rows: &[Reading]) -> Result<Series, Failure> {
        let hour = |one: &Reading| hour_of(one.source_time().0);
        for of_hour in rows.chunk_by(|a, b| hour(a) == hour(b)) {
            self.put_hour(series.id, hour(&of_hour[0]), of_hour)?;
        }
        let newest = rows.last().expect("a group is never empty");
        if newest.source_time().0 > series.newest_ms {
            series.newest_ms = newest.source_time().0;
            self.tx
                .prepare_cached(
                    "UPDATE series SET newest_ms = ?2, newest_state = ?3, newest_value = ?4 WHERE id = ?1",
                )
                .and_then(|mut update| {
                    let value = newest.value().ok();
                    update.execute(params![series.id, series.newest_ms, state::of(newest), value])
                })
                .map_err(self.fail())?;
        }
        Ok(series)
    }

    fn put_hour(&mut self, series: i64, hour: i64, rows: &[Reading]) -> Result<(), Failure> {
        let sealed = if self.unsealed.get(&series) == Some(&hour) {
            None
        } else {
            self.sealed(series, hour)?
        };
        if rows.len() >= SEALED_AT_ONCE && !matches!(sealed, Some(Sealed::Damaged)) {
            self.unsealed.remove(&series);
            return seal(self.tx, self.path, series, hour, rows);
        }
        match sealed {
            Some(Sealed::Whole(stored)) => {
                let is_new = |one: &&Reading| {
                    let at = stored.binary_search_by_key(&one.source_time(), Reading::source_time);
                    at.is_err()
                };
                let new: Vec<Reading> = rows.iter().filter(is_new).copied().collect();
                self.buffer(series, hour, &new)
            }
            // Better a reading twice, once in a chunk that nobody can read, than not at all.
            Some(Sealed::Damaged) => self.buffer(series, hour, rows),
            None => {
                self.unsealed.insert(series, hour);
                self.buffer(series, hour, rows)
            }
        }
    }

    fn sealed(&self, series: i64, hour: i64) -> Result<Option<Sealed>, Failure> {
        match stored(self.tx, self.path, series, hour) {
            Ok(None) => Ok(None),
            Ok(Some((_, readings))) => Ok(Some(Sealed::Whole(readings))),
            Err(Unread::Chunk(_)) => Ok(Some(Sealed::Damaged)),
            Err(Unread::File(failure)) => Err(failure),
        }
    }

    fn buffer(&mut self, series: i64, hour: i64, rows: &[Reading]) -> Result<(), Failure> {
        let mut insert = self
            .tx
            .prepare_cached("INSERT OR IGNORE INTO buffer (series, time_ms, state, value) VALUES (?1, ?2, ?3, ?4)")
            .map_err(self.fail())?;
        let mut grown = 0;
        for row in rows {
            let (time_ms, value) = (row.source_time().0, row.value().ok());
            grown += insert
                .execute(params![series, time_ms, state::of(row), value])
                .map_err(self.fail())?;
        }
        if grown > 0 {
            self.grown.push(((series, hour), grown));
        }
        Ok(())
    }
}

/// What an hour's chunk holds.
enum Sealed {
    Whole(Vec<Reading>),
    Damaged,
}

enum Unread {
    Chunk(chunk::ChunkError),
    File(Failure),
}

/// The row of an hour's chunk and its readings.
fn stored(
    tx: &Connection,
    path: &Path,
    series: i64,
    hour: i64,
) -> Result<Option<(i64, Vec<Reading>)>, Unread> {
    let find = "SELECT chunk.id, chunk.bytes FROM hour JOIN chunk ON chunk.id = hour.body WHERE hour.series = ?1 AND hour.hour = ?2";
    let found: Option<(i64, Vec<u8>)> = tx
        .prepare_cached(find)
        .and_then(|mut find| {
            find.query_row([series, hour], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(|error| Unread::File(Failure::of(path, &error)))?;
    let Some((id, bytes)) = found else {
        return Ok(None);
    };
    let readings = chunk::decode(hour, &bytes).map_err(Unread::Chunk)?;
    Ok(Some((id, readings)))
}

/// Makes one chunk of what is sealed of an hour, what is buffered, and what is new; of two readings of a time the first of these stays.
fn seal(
    tx: &Connection,
    path: &Path,
    series: i64,
    hour: i64,
    new: &[Reading],
) -> Result<(), Failure> {
    let fail = |error| Failure::of(path, &error);
    let (id, mut readings) = match stored(tx, path, series, hour) {
        Ok(Some((id, readings))) => (Some(id), readings),
        Ok(None) => (None, Vec::new()),
        Err(Unread::File(failure)) => return Err(failure),
        Err(Unread::Chunk(error)) => {
            let what = format!("series {series}, hour {hour}: {error}");
            return Err(Failure::damaged(path, what));
        }
    };
    let sealed = readings.len();
    readings.extend(buffered(tx, series, hour).map_err(fail)?);
    readings.extend_from_slice(new);
    // Stable, so that the first stays.
    readings.sort_by_key(Reading::source_time);
    readings.dedup_by_key(|one| one.source_time());
    if readings.len() == sealed {
        return Ok(());
    }
    write(tx, series, hour, id, &readings).map_err(fail)
}

/// What the buffer holds of an hour, oldest first.
fn buffered(tx: &Connection, series: i64, hour: i64) -> Result<Vec<Reading>, rusqlite::Error> {
    let (from_ms, last_ms) = hour_span(hour);
    tx.prepare_cached(
        "SELECT time_ms, state, value FROM buffer WHERE series = ?1 AND time_ms BETWEEN ?2 AND ?3 ORDER BY time_ms",
    )?
    .query_map([series, from_ms, last_ms], reading_of)?
    .collect()
}

/// The reading of a row of time, state and value.
pub(super) fn reading_of(row: &Row<'_>) -> Result<Reading, rusqlite::Error> {
    state::reading(WallMs(row.get(0)?), row.get(1)?, row.get(2)?).ok_or_else(|| {
        let what = "a state that contradicts its value".into();
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Integer, what)
    })
}

fn write(
    tx: &Connection,
    series: i64,
    hour: i64,
    id: Option<i64>,
    readings: &[Reading],
) -> Result<(), rusqlite::Error> {
    let id: i64 = tx
        .prepare_cached("INSERT OR REPLACE INTO chunk (id, bytes) VALUES (?1, ?2)")?
        .insert(params![id, chunk::encode(hour, readings)])?;
    if readings.len() >= FEWEST_FOR_MINUTES && SANE_HOURS.contains(&hour) {
        let minutes = rollup::encode(hour, &rollup::minutes(hour, readings));
        tx.prepare_cached("INSERT OR REPLACE INTO minute (id, bytes) VALUES (?1, ?2)")?
            .execute(params![id, minutes])?;
    }
    let all = Rollup::of(readings);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        series,
        hour,
        id,
        all.count,
        all.values,
        all.good,
        all.min,
        all.max,
        all.mean,
        all.absent.map(|absence| absence.cause.code()),
        all.absent.map(|absence| absence.time_ms),
    ])?;
    let (from_ms, last_ms) = hour_span(hour);
    tx.prepare_cached("DELETE FROM buffer WHERE series = ?1 AND time_ms BETWEEN ?2 AND ?3")?
        .execute([series, from_ms, last_ms])?;
    Ok(())
}
