//! One month's readings as its only writer sees them: a commit is one row, readings that have settled lie as runs of one series and hour, and whole hours
//! are sealed into chunks and rollups.

use super::file::{self, Failure};
use super::log;
use super::recent::{Held, Recent};
use crate::history::PointReading;
use crate::history::chunk::{self, hour_of};
use crate::history::month::Month;
use crate::history::rollup::{self, Rollup};
use crate::history::state;
use davy_alarm::{Reading, WallMs};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many readings of one hour that settle together (a gateway that catches up) are sealed at once: cheaper than through runs.
const SEALED_AT_ONCE: usize = 900;
/// An hour with fewer readings is as quickly read from its chunk as from its minutes.
const FEWEST_FOR_MINUTES: usize = 180;
/// Hours of sane clocks, 1970 to 2200; others get no minutes.
const SANE_HOURS: std::ops::Range<i64> = 0..2_016_214;

/// An hour of a series.
pub(super) type HourKey = (i64, i64);

/// Hours whose runs grew, and by how many readings.
pub(super) type Grown = Vec<(HourKey, usize)>;

/// The only writer of one month's file. After a failure it is dropped and opened again, since what it remembers may be wrong.
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
    recent: Arc<Recent>,
}

impl Store {
    /// Opens the month's file, or makes it. What lies in it as commits settles first: nothing is recent then.
    pub(super) fn open(folder: &Path, month: Month, recent: Arc<Recent>) -> Result<Self, Failure> {
        let mut store = Self {
            path: month.path(folder),
            connection: file::open_to_write(folder, month)?,
            recent,
        };
        store.recover()?;
        *store.recent.change() = Held::default();
        Ok(store)
    }

    /// Commits readings of this month, in the order they came; of two of the same time the first stays.
    pub(super) fn commit(&mut self, readings: &[&PointReading]) -> Result<(), Failure> {
        let path = self.path.clone();
        let tx = begin(&mut self.connection, &path)?;
        let held = self.recent.look();
        let mut desk = Desk {
            tx: &tx,
            path: &path,
            held: &held,
            fresh: Vec::new(),
            places: HashMap::new(),
        };
        let mut placed = Vec::with_capacity(readings.len());
        let mut rows = log::Commit::new(readings.len());
        for one in readings {
            let (place, number) = desk.place(one)?;
            rows.put(number, &one.reading);
            placed.push((place, one.reading));
        }
        let fresh = desk.fresh;
        drop(held);
        tx.prepare_cached("INSERT INTO recent (bytes) VALUES (?1)")
            .and_then(|mut insert| insert.execute([rows.bytes()]))
            .map_err(|e| Failure::of(&path, &e))?;
        tx.commit().map_err(|e| Failure::of(&path, &e))?;
        let mut held = self.recent.change();
        for (site, point, number) in fresh {
            held.declare(site, point, number);
        }
        held.put(&placed);
        Ok(())
    }

    /// What is recent.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Puts what is recent where a question finds it: into runs, and where there is much of one hour, into its chunk.
    pub(super) fn settle(&mut self) -> Result<Grown, Failure> {
        let path = self.path.clone();
        let tx = begin(&mut self.connection, &path)?;
        let held = self.recent.look();
        let all = held.series.iter();
        let grown = settle(
            &tx,
            &path,
            all.map(|of| (i64::from(of.number), of.readings.clone())),
        )?;
        drop(held);
        tx.commit().map_err(|e| Failure::of(&path, &e))?;
        self.recent.change().settled();
        Ok(grown)
    }

    /// What lies as commits when the file is opened: the process before this one ended, or this one met a failure.
    fn recover(&mut self) -> Result<(), Failure> {
        let path = self.path.clone();
        let tx = begin(&mut self.connection, &path)?;
        let mut of_series: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
        for (id, bytes) in commits(&tx).map_err(|e| Failure::of(&path, &e))? {
            match log::commit(&bytes) {
                Ok(rows) => rows.into_iter().for_each(|(series, reading)| {
                    of_series
                        .entry(i64::from(series))
                        .or_default()
                        .push(reading);
                }),
                Err(error) => {
                    // Kept for whoever can mend it, and not looked at again.
                    tracing::error!(path = %path.display(), id, %error, "a commit of the history is damaged: its readings are lost to trends and exports");
                    tx.execute("UPDATE recent SET id = -id WHERE id = ?1", [id])
                        .map_err(|e| Failure::of(&path, &e))?;
                }
            }
        }
        settle(&tx, &path, of_series.into_iter())?;
        tx.commit().map_err(|e| Failure::of(&path, &e))
    }

    /// Seals what lies in runs of an hour: into its chunk, if there is one.
    pub(super) fn seal(&mut self, (series, hour): HourKey) -> Result<(), Failure> {
        let path = self.path.clone();
        let tx = begin(&mut self.connection, &path)?;
        seal(&tx, &path, series, hour, &[])?;
        tx.commit().map_err(|e| Failure::of(&path, &e))
    }

    /// Forgets the readings and keeps their rollups; false if there were none to forget. All of the month is sealed first, so that it has its rollups, and hours
    /// of few readings get their minutes, which their chunks have spared them until now.
    pub(super) fn thin(&mut self) -> Result<bool, Failure> {
        self.settle()?;
        for (key, _) in self.unsealed()? {
            match self.seal(key) {
                // Of a chunk that nobody can read there is nothing to be kept.
                Ok(()) | Err(Failure::Chunk { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        let path = self.path.clone();
        let fail = |error| Failure::of(&path, &error);
        let tx = begin(&mut self.connection, &path)?;
        keep_minutes(&tx, &path).map_err(fail)?;
        let forget = "UPDATE chunk SET bytes = x'' WHERE length(bytes) > 0";
        let forgot = tx.execute(forget, []).map_err(fail)?;
        tx.commit().map_err(fail)?;
        self.give_back().map_err(fail)?;
        Ok(forgot > 0)
    }

    /// Gives free pages back to the disk, also those that a thinning before this one left when it could not end.
    fn give_back(&self) -> Result<(), rusqlite::Error> {
        let free = |row: &Row<'_>| row.get::<_, i64>(0);
        let free = (self.connection).query_row("PRAGMA freelist_count", [], free)?;
        if free > 0 {
            self.connection.execute_batch("VACUUM")?;
        }
        Ok(())
    }

    /// The hours that there are runs of, and how many readings they hold.
    pub(super) fn unsealed(&self) -> Result<Grown, Failure> {
        let fail = |e| Failure::of(&self.path, &e);
        let mut found: Grown = Vec::new();
        let mut all = self
            .connection
            .prepare("SELECT series, hour, length(bytes) FROM run ORDER BY series, hour")
            .map_err(fail)?;
        let mut rows = all.query([]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let key = (row.get(0).map_err(fail)?, row.get(1).map_err(fail)?);
            let bytes: u32 = row.get(2).map_err(fail)?;
            let count = log::count(bytes as usize);
            match found.last_mut() {
                Some((last, sum)) if *last == key => *sum += count,
                _ => found.push((key, count)),
            }
        }
        Ok(found)
    }
}

fn begin<'a>(connection: &'a mut Connection, path: &Path) -> Result<Transaction<'a>, Failure> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|e| Failure::of(path, &e))
}

fn commits(tx: &Connection) -> Result<Vec<(i64, Vec<u8>)>, rusqlite::Error> {
    tx.prepare_cached("SELECT id, bytes FROM recent WHERE id > 0 ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A commit in progress.
struct Desk<'a> {
    tx: &'a Transaction<'a>,
    path: &'a Path,
    held: &'a Held,
    /// Series that are not known yet, in the order of their places.
    fresh: Vec<(Arc<str>, Arc<str>, u32)>,
    places: HashMap<(Arc<str>, Arc<str>), usize>,
}

impl Desk<'_> {
    /// The place of a reading's series and its number in the file.
    fn place(&mut self, one: &PointReading) -> Result<(usize, u32), Failure> {
        if let Some(place) = self.held.place(&one.site, &one.point) {
            return Ok((place, self.held.series[place].number));
        }
        let known = self.held.series.len();
        let name = (Arc::clone(&one.site), Arc::clone(&one.point));
        if let Some(place) = self.places.get(&name) {
            return Ok((*place, self.fresh[place - known].2));
        }
        let number = self.series(one)?;
        let place = known + self.fresh.len();
        self.fresh.push((name.0.clone(), name.1.clone(), number));
        self.places.insert(name, place);
        Ok((place, number))
    }

    /// The series in the file; made with this reading, if it is new.
    fn series(&self, one: &PointReading) -> Result<u32, Failure> {
        let (site, point) = (&*one.site, &*one.point);
        let find = "SELECT id FROM series WHERE site = ?1 AND point = ?2";
        let found: Option<i64> = self
            .tx
            .prepare_cached(find)
            .and_then(|mut find| find.query_row([site, point], |row| row.get(0)).optional())
            .map_err(self.fail())?;
        let id = match found {
            Some(id) => id,
            None => self
                .tx
                .prepare_cached(
                    "INSERT INTO series (site, point, newest_ms, newest_state, newest_value) VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .and_then(|mut insert| {
                    let newest = &one.reading;
                    let (time_ms, value) = (newest.source_time().0, newest.value().ok());
                    insert.insert(params![site, point, time_ms, state::of(newest), value])
                })
                .map_err(self.fail())?,
        };
        u32::try_from(id).map_err(|_| Failure::damaged(self.path, format!("series {id}")))
    }

    fn fail(&self) -> impl Fn(rusqlite::Error) -> Failure {
        let path = self.path.to_owned();
        move |error| Failure::of(&path, &error)
    }
}

/// Puts readings of series, as they came, into runs and chunks, and forgets the commits that they lay in.
fn settle(
    tx: &Connection,
    path: &Path,
    of_series: impl Iterator<Item = (i64, Vec<Reading>)>,
) -> Result<Grown, Failure> {
    let fail = |error| Failure::of(path, &error);
    let mut grown = Vec::new();
    for (series, mut readings) in of_series {
        distinct(&mut readings);
        let Some(newest) = readings.last() else {
            continue;
        };
        told_newest(tx, series, newest).map_err(fail)?;
        let hour = |one: &Reading| hour_of(one.source_time().0);
        for of_hour in readings.chunk_by(|a, b| hour(a) == hour(b)) {
            let key = (series, hour(&of_hour[0]));
            if !settled_into_chunk(tx, path, key, of_hour)? {
                run(tx, key, of_hour).map_err(fail)?;
                grown.push((key, of_hour.len()));
            }
        }
    }
    tx.execute("DELETE FROM recent WHERE id > 0", [])
        .map_err(fail)?;
    Ok(grown)
}

/// Oldest first, and of each time the first that came.
pub(super) fn distinct(readings: &mut Vec<Reading>) {
    // Stable.
    readings.sort_by_key(Reading::source_time);
    readings.dedup_by_key(|one| one.source_time());
}

fn told_newest(tx: &Connection, series: i64, newest: &Reading) -> Result<(), rusqlite::Error> {
    let time_ms = newest.source_time().0;
    tx.prepare_cached(
        "UPDATE series SET newest_ms = ?2, newest_state = ?3, newest_value = ?4 WHERE id = ?1 AND newest_ms < ?2",
    )?
    .execute(params![series, time_ms, state::of(newest), newest.value().ok()])?;
    Ok(())
}

/// False for what is better kept in a run.
fn settled_into_chunk(
    tx: &Connection,
    path: &Path,
    (series, hour): HourKey,
    readings: &[Reading],
) -> Result<bool, Failure> {
    if readings.len() < SEALED_AT_ONCE {
        return Ok(false);
    }
    match seal(tx, path, series, hour, readings) {
        Ok(()) => Ok(true),
        // Better a reading twice, once in a chunk that nobody can read, than not at all.
        Err(Failure::Chunk { .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

pub(super) fn run(
    tx: &Connection,
    (series, hour): HourKey,
    readings: &[Reading],
) -> Result<(), rusqlite::Error> {
    // Numbers of one series and hour rise by one, so that they tell what came first.
    tx.prepare_cached(
        "INSERT INTO run (series, hour, number, bytes) VALUES (?1, ?2, (SELECT COALESCE(MAX(number), 0) + 1 FROM run WHERE series = ?1 AND hour = ?2), ?3)",
    )?
    .execute(params![series, hour, log::encode(readings)])?;
    Ok(())
}

enum Unread {
    /// Its readings were forgotten.
    Thinned,
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
    if bytes.is_empty() {
        return Err(Unread::Thinned);
    }
    let readings = chunk::decode(hour, &bytes).map_err(Unread::Chunk)?;
    Ok(Some((id, readings)))
}

/// Makes one chunk of what is sealed of an hour, what lies in runs, and what is new; of two readings of a time the first of these stays.
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
        Err(Unread::Thinned) => return too_late(tx, path, (series, hour)),
        Err(Unread::File(failure)) => return Err(failure),
        Err(Unread::Chunk(error)) => {
            return Err(Failure::chunk(path, (series, hour), &error));
        }
    };
    let sealed = readings.len();
    for bytes in runs(tx, series, hour).map_err(fail)? {
        let of_run = log::decode(&bytes);
        readings.extend(of_run.map_err(|error| Failure::chunk(path, (series, hour), &error))?);
    }
    readings.extend_from_slice(new);
    distinct(&mut readings);
    if readings.len() > sealed {
        write(tx, series, hour, id, &readings).map_err(fail)?;
    }
    let forget = "DELETE FROM run WHERE series = ?1 AND hour = ?2";
    tx.prepare_cached(forget)
        .and_then(|mut forget| forget.execute([series, hour]))
        .map_err(fail)?;
    Ok(())
}

/// What came for an hour whose readings were forgotten goes as they did: its rollups are of all of them, and nobody can say any more whether it was one of them.
fn too_late(tx: &Connection, path: &Path, (series, hour): HourKey) -> Result<(), Failure> {
    tracing::warn!(path = %path.display(), series, hour, "readings came for an hour whose readings retention has taken away: they go too");
    let forget = "DELETE FROM run WHERE series = ?1 AND hour = ?2";
    tx.execute(forget, [series, hour])
        .map_err(|error| Failure::of(path, &error))?;
    Ok(())
}

/// The runs of an hour, in the order they came.
fn runs(tx: &Connection, series: i64, hour: i64) -> Result<Vec<Vec<u8>>, rusqlite::Error> {
    tx.prepare_cached("SELECT bytes FROM run WHERE series = ?1 AND hour = ?2 ORDER BY number")?
        .query_map([series, hour], |row| row.get(0))?
        .collect()
}

/// The reading of a row of time, state and value.
pub(super) fn reading_of(row: &Row<'_>) -> Result<Reading, rusqlite::Error> {
    state::reading(WallMs(row.get(0)?), row.get(1)?, row.get(2)?).ok_or_else(|| {
        let what = "a state that contradicts its value".into();
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Integer, what)
    })
}

/// Gives minutes to the hours that have none, from the readings that are about to go.
fn keep_minutes(tx: &Connection, path: &Path) -> Result<(), rusqlite::Error> {
    let mut all = tx.prepare("SELECT id FROM series")?;
    let all = all.query_map([], |row| row.get(0))?;
    for series in all.collect::<Result<Vec<i64>, _>>()? {
        for (hour, body) in without_minutes(tx, series)? {
            let find = "SELECT bytes FROM chunk WHERE id = ?1";
            let bytes: Vec<u8> = (tx.prepare_cached(find)?).query_row([body], |row| row.get(0))?;
            match chunk::decode(hour, &bytes) {
                Ok(readings) => put_minutes(tx, body, hour, &readings)?,
                // Nobody can say in which minutes they lay: the whole hour's rollup is what stays.
                Err(error) => {
                    tracing::warn!(path = %path.display(), series, hour, %error, "an hour's readings cannot be read and go without minutes");
                }
            }
        }
    }
    Ok(())
}

/// Hours of a series, and their bodies, that have readings and no minutes.
fn without_minutes(tx: &Connection, series: i64) -> Result<Vec<HourKey>, rusqlite::Error> {
    let find = "SELECT hour.hour, hour.body FROM hour JOIN chunk ON chunk.id = hour.body WHERE hour.series = ?1 AND hour.hour BETWEEN ?2 AND ?3 \
        AND length(chunk.bytes) > 0 AND NOT EXISTS (SELECT 1 FROM minute WHERE minute.id = hour.body)";
    let (first, last) = (SANE_HOURS.start, SANE_HOURS.end - 1);
    tx.prepare_cached(find)?
        .query_map([series, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn put_minutes(
    tx: &Connection,
    body: i64,
    hour: i64,
    readings: &[Reading],
) -> Result<(), rusqlite::Error> {
    let minutes = rollup::encode(hour, &rollup::minutes(hour, readings));
    tx.prepare_cached("INSERT OR REPLACE INTO minute (id, bytes) VALUES (?1, ?2)")?
        .execute(params![body, minutes])?;
    Ok(())
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
        put_minutes(tx, id, hour, readings)?;
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
    Ok(())
}
