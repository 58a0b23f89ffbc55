//! One month's file: how it is opened, what lies in it, and what its failures mean.

use super::store::{HourKey, reading_of, run};
use crate::history::HistoryError;
use crate::history::chunk::{ChunkError, hour_of};
use crate::history::month::Month;
use davy_alarm::Reading;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "DVHY": this SQLite file is a history of Davy.
const APPLICATION: i32 = 0x4456_4859;
const SCHEMA_VERSION: i32 = 2;
/// `series.newest_*` is the newest reading of the month that has settled. `recent` holds whole commits; a negative number is one that could not be read.
/// `run` and the chunk of an hour may hold the same time of the same series: the chunk's reading came first, and then that of the lower `number`. `hour.body`
/// is the row of `chunk`, and of `minute` where an hour is dense enough to have one. A chunk without bytes is one whose readings were forgotten: its row stays,
/// so that no other takes its number.
const SCHEMA: &str = "
CREATE TABLE series (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, point TEXT NOT NULL,
    newest_ms INTEGER NOT NULL, newest_state INTEGER NOT NULL, newest_value REAL,
    UNIQUE (site, point)
) STRICT;
CREATE TABLE hour (
    series INTEGER NOT NULL, hour INTEGER NOT NULL, body INTEGER NOT NULL,
    readings INTEGER NOT NULL, measured INTEGER NOT NULL, good INTEGER NOT NULL,
    min REAL NOT NULL, max REAL NOT NULL, mean REAL NOT NULL, cause INTEGER, cause_ms INTEGER,
    PRIMARY KEY (series, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE minute (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";
/// What version 2 has beside version 1, which had readings that were not sealed in rows of their own, the table `buffer`.
const SINCE_2: &str = "
CREATE TABLE recent (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE run (
    series INTEGER NOT NULL, hour INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (series, hour, number)
) STRICT, WITHOUT ROWID;
";
/// A reader that opens a file while the writer recovers it waits so long.
const WAIT: Duration = Duration::from_secs(10);

/// Why a file did not do what it was asked. Cloned to each caller whose readings were in the same transaction.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Store {
        path: PathBuf,
        what: String,
    },
    Damaged {
        path: PathBuf,
        what: String,
    },
    /// The readings of one hour of one series cannot be read; the rest of the file can.
    Chunk {
        path: PathBuf,
        what: String,
    },
}

impl Failure {
    /// SQLite's word about the file at this path.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, what) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, what }
            }
            _ => Self::Store { path, what },
        }
    }

    pub(super) fn store(path: &Path, what: impl ToString) -> Self {
        Self::Store {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }

    pub(super) fn damaged(path: &Path, what: impl ToString) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }

    pub(super) fn chunk(path: &Path, (series, hour): HourKey, error: &ChunkError) -> Self {
        Self::Chunk {
            path: path.to_owned(),
            what: format!("series {series}, hour {hour}: {error}"),
        }
    }
}

impl From<Failure> for HistoryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store { path, what } => Self::Store {
                path: path.display().to_string(),
                source: what.into(),
            },
            Failure::Damaged { path, what } | Failure::Chunk { path, what } => Self::Damaged {
                path: path.display().to_string(),
                what,
            },
        }
    }
}

/// Opens a month for writing, or makes it. A commit that returned is on disk: WAL with `synchronous = FULL` syncs the log at each.
pub(super) fn open_to_write(folder: &Path, month: Month) -> Result<Connection, Failure> {
    let path = month.path(folder);
    let is_new = !path.exists();
    let connection =
        open(&path, OpenFlags::SQLITE_OPEN_CREATE).map_err(|e| Failure::of(&path, &e))?;
    prepare(&connection).map_err(|error| match error {
        Unfit::Sqlite(error) => Failure::of(&path, &error),
        Unfit::Foreign => Failure::damaged(&path, "it is no history"),
        Unfit::Version(version) => Failure::store(
            &path,
            format!("it is of version {version}, this build knows {SCHEMA_VERSION}"),
        ),
    })?;
    if is_new {
        // SQLite syncs the folder for its logs, never for the database itself.
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| Failure::store(folder, error))?;
    }
    Ok(connection)
}

/// Opens a month that exists for reading. The connection may make the log's shared memory, but changes nothing.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Failure> {
    let connection = open(path, OpenFlags::empty()).map_err(|e| Failure::of(path, &e))?;
    connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024;")
        .map_err(|e| Failure::of(path, &e))?;
    Ok(connection)
}

fn open(path: &Path, more: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(WAIT)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

enum Unfit {
    Sqlite(rusqlite::Error),
    /// A database of something else.
    Foreign,
    /// Of a later build, or an earlier one that this build cannot read.
    Version(i32),
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn prepare(connection: &Connection) -> Result<(), Unfit> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        // Chunks of some kilobytes share a page instead of wasting its end.
        connection.execute_batch("PRAGMA page_size = 16384;")?;
    }
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;",
    )?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {SCHEMA} {SINCE_2} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        ))?),
        (APPLICATION, SCHEMA_VERSION, _) => Ok(()),
        (APPLICATION, 1, _) => Ok(from_1(connection)?),
        (APPLICATION, other, _) => Err(Unfit::Version(other)),
        _ => Err(Unfit::Foreign),
    }
}

/// Brings a file of version 1 to version 2: rows of the buffer become runs.
fn from_1(connection: &Connection) -> Result<(), rusqlite::Error> {
    let tx = connection.unchecked_transaction()?;
    tx.execute_batch(SINCE_2)?;
    let mut runs: BTreeMap<HourKey, Vec<Reading>> = BTreeMap::new();
    let mut all =
        tx.prepare("SELECT time_ms, state, value, series FROM buffer ORDER BY series, time_ms")?;
    for row in all.query_map([], |row| Ok((row.get(3)?, reading_of(row)?)))? {
        let (series, reading) = row?;
        let key = (series, hour_of(reading.source_time().0));
        runs.entry(key).or_default().push(reading);
    }
    drop(all);
    for (key, readings) in runs {
        run(&tx, key, &readings)?;
    }
    tx.execute_batch(&format!(
        "DROP TABLE buffer; PRAGMA user_version = {SCHEMA_VERSION};"
    ))?;
    tx.commit()
}
