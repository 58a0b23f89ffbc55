//! The connections that read: a few at once, each on a thread that may block, none of them while a file is taken away.

use super::file::{self, Failure};
use super::recent::{Held, Recent};
use crate::history::HistoryError;
use crate::history::chunk::{ChunkError, hour_span};
use crate::history::month::Month;
use rusqlite::Connection;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Reads at once; the next one waits.
const READERS: usize = 4;
/// How long a read waits for its turn before it is told that the history is busy.
const WAIT: Duration = Duration::from_secs(10);
/// Files that one reader keeps open: a year and the running month.
const MOST_OPEN: usize = 14;

/// Who may read, and what there is to read.
#[derive(Debug)]
pub(super) struct Readers {
    folder: PathBuf,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Vec<(Month, Connection)>>>,
    /// Read-locked for the length of a read: SQLite removes a log by its name when the last connection closes, so that no connection to a file that was
    /// taken away may outlive it.
    months: RwLock<BTreeSet<Month>>,
    /// Of the months that the writer has open.
    recent: Mutex<HashMap<Month, Arc<Recent>>>,
}

impl Readers {
    pub(super) fn new(folder: PathBuf, months: BTreeSet<Month>) -> Self {
        Self {
            folder,
            turns: Arc::new(Semaphore::new(READERS)),
            idle: Mutex::default(),
            months: RwLock::new(months),
            recent: Mutex::default(),
        }
    }

    /// Runs a read when its turn comes.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&mut Open<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| HistoryError::Busy)?
            .map_err(|_| HistoryError::Stopped)?;
        let readers = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // The turn ends with the read, also if its caller has gone.
            let _turn = turn;
            readers.run(read)
        });
        done.await
            .map_err(|_| HistoryError::Stopped)?
            .map_err(HistoryError::from)
    }

    fn run<T>(&self, read: impl FnOnce(&mut Open<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let months = self.months.read().unwrap_or_else(PoisonError::into_inner);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle().pop().unwrap_or_default();
        let mut open = Open {
            readers: self,
            months: &months,
            connections,
        };
        let answer = read(&mut open);
        // After a failure begin afresh: a connection may be in the middle of something.
        if answer.is_ok() {
            let connections = open.connections;
            idle().push(connections);
        }
        answer
    }

    /// The months there are.
    pub(super) fn months(&self) -> BTreeSet<Month> {
        self.months
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What is recent of a month.
    pub(super) fn recent(&self, month: Month) -> Arc<Recent> {
        Arc::clone(self.all_recent().entry(month).or_default())
    }

    /// The writer closes a month of which nothing is recent, or takes it away.
    pub(super) fn forget_recent(&self, month: Month) {
        self.all_recent().remove(&month);
    }

    fn all_recent(&self) -> MutexGuard<'_, HashMap<Month, Arc<Recent>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all reads and closes their files, as long as the answer is held.
    pub(super) fn stop(&self) -> RwLockWriteGuard<'_, BTreeSet<Month>> {
        let months = self.months.write().unwrap_or_else(PoisonError::into_inner);
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        months
    }
}

/// One reader at work.
pub(super) struct Open<'a> {
    readers: &'a Readers,
    months: &'a BTreeSet<Month>,
    /// The one used last at the end.
    connections: Vec<(Month, Connection)>,
}

impl Open<'_> {
    /// The months that hold times within `from_ms` ≤ time < `to_ms`, oldest first.
    pub(super) fn months(&self, from_ms: i64, to_ms: i64) -> Vec<Month> {
        if from_ms >= to_ms {
            return Vec::new();
        }
        let (first, last) = (Month::of(from_ms), Month::of(to_ms - 1));
        self.months.range(first..=last).copied().collect()
    }

    pub(super) fn all_months(&self) -> Vec<Month> {
        self.months.iter().copied().collect()
    }

    /// What is recent of a month, if anything: to be looked at before its file.
    pub(super) fn recent<T: Default>(&self, month: Month, look: impl FnOnce(&Held) -> T) -> T {
        let recent = self.readers.all_recent().get(&month).cloned();
        recent.map_or_else(T::default, |recent| look(&recent.look()))
    }

    /// Looks into a month, on one snapshot of it.
    pub(super) fn look<T>(
        &mut self,
        month: Month,
        look: impl FnOnce(&Connection) -> Result<T, Unread>,
    ) -> Result<T, Failure> {
        let path = month.path(&self.readers.folder);
        let at = self.connections.iter().position(|(open, _)| *open == month);
        let entry = match at {
            Some(at) => self.connections.remove(at),
            None => (month, file::open_to_read(&path)?),
        };
        if self.connections.len() >= MOST_OPEN {
            self.connections.remove(0);
        }
        self.connections.push(entry);
        let (_, connection) = self.connections.last().expect("it was just put there");
        let answer = connection
            .unchecked_transaction()
            .map_err(Unread::from)
            .and_then(|snapshot| look(&snapshot));
        answer.map_err(|unread| match unread {
            Unread::Sqlite(error) => Failure::of(&path, &error),
            Unread::Chunk { hour, error } => {
                let (time_ms, _) = hour_span(hour);
                Failure::damaged(&path, format!("the hour from {time_ms} ms: {error}"))
            }
        })
    }
}

/// Why a look into a month failed.
#[derive(Debug)]
pub(super) enum Unread {
    Sqlite(rusqlite::Error),
    Chunk { hour: i64, error: ChunkError },
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
