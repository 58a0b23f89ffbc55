//! The embedded engine: one SQLite file a UTC month. A commit is one row of it, and in memory by its series (`recent`); within a minute, or when there are
//! many, that settles into a row a series and hour (`log`); whole hours are sealed as compressed columns with rollups (`chunk`, `rollup`).
//!
//! - A reading is known by (site, point, source time). Of two readings of the same time the first that was stored stays; the second changes nothing,
//!   whether or not its hour has been sealed.
//! - `commit` returns when the readings are in a synced log. One thread writes; what waits for it is bounded, and beyond that callers are told `Busy`.
//! - A trend is exact at its edges: rollups serve where they lie within one bucket, and the readings themselves where a bucket cuts them. So that this is
//!   rare, buckets of six minutes or more are whole minutes long, and of six hours or more, whole hours: a trend may have fewer buckets than it was allowed.
//! - A month whose readings were forgotten keeps the rows of its chunks, without bytes, so that rollups find their minutes. Its trends come from the rollups
//!   alone, by minutes in every hour: what a bucket cuts falls to the bucket in which the minute begins. What comes late for such an hour goes as well.
//! - A bucket without a value names the cause of its newest absence. An uncertain value counts as measured, and not as good.

mod file;
mod log;
mod read;
mod readers;
mod recent;
mod series;
mod store;
mod writer;

use super::month::Month;
use super::{History, HistoryError, Minute, PointReading, Series, SeriesQuery};
use davy_alarm::Reading;
use file::Failure;
use futures_util::future::BoxFuture;
use nix::fcntl::{Flock, FlockArg};
use readers::Readers;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use writer::Writer;

/// The history in a folder of this machine.
#[derive(Debug)]
pub struct Embedded {
    writer: Writer,
    readers: Arc<Readers>,
    damaged: Vec<DamagedMonth>,
    /// Held as long as the folder is in use.
    _lock: Flock<File>,
}

/// A month's file that could not be read when the history opened: its readings are lost to the history until someone mends the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedMonth {
    /// Where the file was put aside.
    pub path: PathBuf,
    pub what: String,
}

impl Embedded {
    /// Opens or makes the history in this folder. A month's file that is damaged is put aside under another name and the month begins anew; the rest goes on.
    ///
    /// # Errors
    /// The folder cannot be made, read or locked (another process holds it), or a file is of a version that this build does not know.
    pub fn open(folder: PathBuf) -> Result<Self, HistoryError> {
        fs::create_dir_all(&folder).map_err(|error| Failure::store(&folder, error))?;
        let lock = lock(&folder)?;
        let mut damaged = Vec::new();
        let mut months = BTreeSet::new();
        for month in months_in(&folder)? {
            match check(&folder, month) {
                Ok(()) => {
                    months.insert(month);
                }
                Err(Failure::Damaged { path, what }) => {
                    damaged.push(put_aside(&path, &what)?);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let readers = Arc::new(Readers::new(folder.clone(), months));
        Ok(Self {
            writer: Writer::start(folder, Arc::clone(&readers))?,
            readers,
            damaged,
            _lock: lock,
        })
    }

    /// The months that were found damaged when the history opened.
    pub fn damaged(&self) -> &[DamagedMonth] {
        &self.damaged
    }

    /// Seals all that is not sealed, also hours that are not over. The engine does so by itself once an hour is over; this is for a test, or before a
    /// copy is made.
    ///
    /// # Errors
    /// As [`History::commit`].
    pub async fn seal(&self) -> Result<(), HistoryError> {
        self.writer.seal().await
    }

    /// The months that ended before this time.
    fn over(&self, before_ms: i64) -> Vec<Month> {
        let months = self.readers.months().into_iter();
        months.filter(|month| month.end_ms() <= before_ms).collect()
    }
}

impl History for Embedded {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.writer.commit(readings))
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(self.readers.read(move |open| series::series(open, &query)))
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        let (site, point) = (site.to_owned(), point.to_owned());
        Box::pin(
            self.readers
                .read(move |open| read::readings(open, (&site, &point), (from_ms, to_ms), limit)),
        )
    }

    fn minutes(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> BoxFuture<'_, Result<Vec<Minute>, HistoryError>> {
        let (site, point) = (site.to_owned(), point.to_owned());
        Box::pin(
            self.readers
                .read(move |open| series::minutes(open, (&site, &point), (from_ms, to_ms))),
        )
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        let site = site.to_owned();
        Box::pin(self.readers.read(move |open| read::latest(open, &site)))
    }

    fn forget_readings_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.writer.forget_readings(self.over(before_ms)))
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.writer.forget(self.over(before_ms)))
    }
}

fn lock(folder: &Path) -> Result<Flock<File>, Failure> {
    let path = folder.join("history.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Failure::store(&path, error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, error)| Failure::store(&path, format!("another process holds it: {error}")))
}

fn months_in(folder: &Path) -> Result<BTreeSet<Month>, Failure> {
    let fail = |error| Failure::store(folder, error);
    let mut months = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        months.extend(name.to_str().and_then(Month::of_file));
    }
    Ok(months)
}

/// Opens the file and looks at each of its tables: what is damaged in the middle of a large file shows when it is read.
fn check(folder: &Path, month: Month) -> Result<(), Failure> {
    let path = month.path(folder);
    let connection = file::open_to_write(folder, month)?;
    for table in ["series", "recent", "run", "hour", "chunk", "minute"] {
        connection
            .query_row(
                &format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)"),
                [],
                |_| Ok(()),
            )
            .map_err(|error| match Failure::of(&path, &error) {
                // A table that is missing is damage too.
                Failure::Store { path, what } if what.contains("no such table") => {
                    Failure::Damaged { path, what }
                }
                failure => failure,
            })?;
    }
    drop(connection);
    // What the last process committed is found from now on.
    Store::open(folder, month, Arc::default()).map(drop)
}

/// Renames a damaged file and its log, and says what is lost.
fn put_aside(path: &Path, what: &str) -> Result<DamagedMonth, Failure> {
    let name = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    let aside = (1..)
        .map(|number| name(&format!(".damaged-{number}")))
        .find(|free| !free.exists())
        .expect("the numbers do not run out");
    for log in ["-wal", "-shm"] {
        let to = PathBuf::from(format!("{}{log}", aside.display()));
        match fs::rename(name(log), to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::store(path, error));
            }
            _ => {}
        }
    }
    fs::rename(path, &aside).map_err(|error| Failure::store(path, error))?;
    tracing::error!(
        path = %path.display(),
        put_aside = %aside.display(),
        what,
        "a month of the history is damaged: its readings are lost to trends and exports until the file is mended; alarms are not touched"
    );
    Ok(DamagedMonth {
        path: aside,
        what: what.to_owned(),
    })
}
