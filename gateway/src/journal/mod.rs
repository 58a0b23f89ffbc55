//! The durable record on the gateway's disk: what happened, in order, until the cloud has it, and as long after as there is room.
//!
//! `inbox` → `writer` → `store` (segments on a `disk`, found again by `recover`), beside them the `index` of what is on disk, which `reader` looks things up in.

mod archive;
mod bytes;
mod columns;
mod disk;
mod encoding;
mod exception;
#[cfg(any(test, feature = "simulation"))]
pub mod faulty;
mod figures;
mod history;
mod inbox;
mod index;
#[cfg(test)]
mod model;
mod reader;
mod record;
mod recover;
mod reference;
mod room;
mod segment;
mod settled;
mod state;
mod store;
mod story;
#[cfg(test)]
mod tests;
mod values;
mod writer;

pub use archive::{Archive, Missing, Standing};
pub use disk::{Disk, DiskFile};
pub use exception::Exception;
pub use figures::{AlarmLine, AlarmLines};
pub use history::{Bucket, Series, Values};
pub(crate) use inbox::batch_every;
pub use record::{Act, Batch, Names, Proof, Proved, Record, Reloaded, Transition};
pub use story::Story;

use crate::clock::Clock;
use crate::judge::Switched;
use crate::node::Mark;
use davy_alarm::{Saved, WallMs};
use davy_config::site::{DeviceIndex, Site};
use inbox::{Append, Inbox};
use index::Index;
use reader::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Limits, Store, lock};
use tokio::sync::watch;
use writer::Writer;

/// Why there is no journal. Damage, a full disk and a read-only one are none of these: the journal opens and retries by itself.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot make the journal's directory {path}: {source}")]
    Make { path: PathBuf, source: io::Error },
    #[error("the journal in {path} is in use by another process")]
    Locked { path: PathBuf },
    #[error("cannot start the journal's thread: {0}")]
    Thread(io::Error),
}

/// What the journal remembers at start.
#[derive(Debug)]
pub struct Restored {
    /// By position in [`Site::alarms`], found by id.
    pub alarms: Vec<(Option<Saved>, Story)>,
    /// Of alarms that the site file no longer has, by id.
    pub gone: BTreeMap<Arc<str>, Saved>,
    /// The newest journalled demand of each output, by position in [`Site::outputs`], found by id.
    pub outputs: Vec<Switched>,
    /// Sequence number of the next transition, from 1.
    pub next_seq: u64,
    /// How far the events of nodes were collected, by the device's id.
    pub nodes: BTreeMap<Arc<str>, Mark>,
    /// There was no journal before.
    pub first_start: bool,
}

/// The journal as health and the screen show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalStats {
    /// On disk.
    pub bytes: u64,
    pub max_bytes: u64,
    /// Oldest batch on disk.
    pub first_offset: u64,
    /// One more than the newest batch on disk.
    pub next_offset: u64,
    /// All batches below it are with the cloud, or lost and recorded as such.
    pub acknowledged_offset: u64,
    /// Nothing that was to be written has failed to be.
    pub synced: bool,
    /// Why the disk does not take what it should.
    pub failed: Option<String>,
    /// Since the stream began.
    pub lost_batches: u64,
    /// Since the start.
    pub dropped_readings: u64,
}

/// The journal. Cheap to clone; one thread writes.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    inbox: Arc<Inbox>,
    index: Arc<Mutex<Index>>,
    reader: Arc<Reader>,
    synced: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
    stream: u64,
    max_bytes: u64,
    /// The writer is a task, and so is whoever reads.
    as_task: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Journal {
    /// Opens or makes the journal in a directory and recovers what it holds: a torn end is cut off, damage is passed over and recorded as a loss.
    ///
    /// # Errors
    /// If the directory cannot be made, or another process has it.
    pub fn open(
        dir: &Path,
        site: &Arc<Site>,
        clock: Clock,
    ) -> Result<(Self, Restored), JournalError> {
        let cannot = |source| JournalError::Make {
            path: dir.to_owned(),
            source,
        };
        if !dir.is_dir() {
            fs::create_dir_all(dir).map_err(cannot)?;
        }
        let disk = disk::Directory::lock(dir).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => JournalError::Locked {
                path: dir.to_owned(),
            },
            _ => cannot(error),
        })?;
        Self::open_on(Arc::new(disk), site, clock)
    }

    /// The same on any disk.
    ///
    /// # Errors
    /// If the machine starts no further thread.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        site: &Arc<Site>,
        clock: Clock,
    ) -> Result<(Self, Restored), JournalError> {
        let (journal, restored, writer, end) =
            Self::prepare(disk, site, clock, rand::random(), false);
        let run = move || {
            writer.run();
            end.send_replace(true);
        };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(run)
            .map_err(JournalError::Thread)?;
        Ok((journal, restored))
    }

    /// The same with a writer that is a task instead of a thread, and looked up where it is asked: all of it then happens in one order, on a clock that
    /// may be a simulation's. `stream` names the log if it is new; `pause` is how long the disk takes for a group.
    pub fn as_task(
        disk: Arc<dyn Disk>,
        site: &Arc<Site>,
        clock: Clock,
        stream: u64,
        pause: impl Fn() -> Duration + Send + 'static,
    ) -> (Self, Restored, impl Future<Output = ()> + Send + 'static) {
        let (journal, restored, writer, end) = Self::prepare(disk, site, clock, stream, true);
        let run = async move {
            writer.run_as_task(pause).await;
            end.send_replace(true);
        };
        (journal, restored, run)
    }

    /// One in a directory whose writer is at work only while what comes back is awaited.
    #[cfg(test)]
    pub(crate) fn held_back(
        dir: &Path,
        site: &Arc<Site>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let disk = disk::Directory::lock(dir).expect("a directory of this test's own");
        let pause = || Duration::ZERO;
        let (journal, _, writer) = Self::as_task(Arc::new(disk), site, Clock::start(), 1, pause);
        (journal, writer)
    }

    fn prepare(
        disk: Arc<dyn Disk>,
        site: &Arc<Site>,
        clock: Clock,
        stream: u64,
        as_task: bool,
    ) -> (Self, Restored, Writer, watch::Sender<bool>) {
        let limits = Limits::new(site.journal.max_bytes, site.journal.alarm_reserve_bytes);
        let names = Arc::new(Names::of(site));
        let (store, first_start) = Store::open(disk.clone(), limits, names, stream);
        let restored = restored(&store, site, first_start);
        let inbox = Arc::new(Inbox::new(site.points.len()));
        let index = store.index.clone();
        let stream = store.stream;
        let (synced, watch_synced) = watch::channel(lock(&index).next);
        let (end, ended) = watch::channel(false);
        let writer = Writer::new(store, inbox.clone(), synced, clock);
        let inner = Inner {
            inbox,
            reader: Arc::new(Reader::new(disk, index.clone())),
            index,
            synced: watch_synced,
            ended,
            stream,
            max_bytes: limits.max_bytes,
            as_task,
        };
        (Self(Arc::new(inner)), restored, writer, end)
    }

    /// Hands records of one source over; `None` = of the node itself. Never waits, never fails: readings that find the inbox full are dropped,
    /// and their loss recorded; all other records have room of their own.
    pub fn append(&self, device: Option<DeviceIndex>, records: Vec<Record>) {
        let device = device.and_then(|device| u32::try_from(device.0).ok());
        self.0.inbox.put(Append {
            names: None,
            device,
            records,
        });
    }

    /// Whether the disk does not keep up: whoever has records that can be had later as well keeps them until this is over. The room that is left is for
    /// transitions of now.
    pub fn is_behind(&self) -> bool {
        self.0.inbox.is_behind()
    }

    /// From now on appended records are of another site file and its positions.
    pub fn rename(&self, site: &Site) {
        self.0.inbox.put(Append {
            names: Some(Arc::new(Names::of(site))),
            ..Append::default()
        });
    }

    /// The next offset: every batch below it is on disk. Changes at each group commit.
    pub fn synced(&self) -> watch::Receiver<u64> {
        self.0.synced.clone()
    }

    /// A batch by its offset, from memory or disk; `None` = lost, removed or not yet synced.
    pub async fn batch(&self, offset: u64) -> Option<Arc<Batch>> {
        let recent = lock(&self.0.index).recent.get(offset);
        if recent.is_some() {
            return recent;
        }
        let batch = self.off_runtime(move |reader| reader.batch(offset)).await;
        if !lock(&self.0.index).damaged.is_empty() {
            self.0.inbox.note_settled();
        }
        batch.flatten()
    }

    /// Offsets from `from` on that are on disk, urgent and not acknowledged, oldest first, at most `limit`.
    pub fn urgent(&self, from: u64, limit: usize) -> Vec<u64> {
        let index = lock(&self.0.index);
        index.urgent.range(from..).take(limit).copied().collect()
    }

    /// The first offset from `from` on that is on disk and not acknowledged.
    pub fn next_unacknowledged(&self, from: u64) -> Option<u64> {
        lock(&self.0.index).next_open(from)
    }

    /// The cloud committed these batches. Durable at the latest two seconds later.
    pub fn acknowledge(&self, ranges: &[RangeInclusive<u64>]) {
        let mut index = lock(&self.0.index);
        for range in ranges {
            index.settle(range.clone());
        }
        let any = !index.unsaved.is_empty();
        drop(index);
        if any {
            self.0.inbox.note_settled();
        }
    }

    /// How many batches on disk are not acknowledged.
    pub fn backlog(&self) -> u64 {
        lock(&self.0.index).backlog()
    }

    /// Random id of this log: offsets and sequence numbers count within it.
    pub fn stream(&self) -> u64 {
        self.0.stream
    }

    /// Transitions before a sequence number (`None` = from the newest on), newest first, at most `limit` (≤ 500), of one alarm by its id or of all.
    pub async fn transitions(
        &self,
        before_seq: Option<u64>,
        limit: usize,
        alarm: Option<String>,
    ) -> Vec<(Arc<Names>, Transition)> {
        let before = before_seq.unwrap_or(u64::MAX);
        let read = move |reader: &Reader| reader.transitions(before, limit, alarm.as_deref());
        self.off_runtime(read).await.unwrap_or_default()
    }

    /// One point's readings between two times, both included, in at most `buckets` (1–2000) buckets.
    pub async fn trend(&self, point: &str, from: WallMs, to: WallMs, buckets: u32) -> Series {
        let point = point.to_owned();
        let read = move |reader: &Reader| reader.trend(&point, from, to, buckets);
        self.off_runtime(read).await.unwrap_or_default()
    }

    pub fn stats(&self) -> JournalStats {
        let index = lock(&self.0.index);
        JournalStats {
            bytes: index.bytes(),
            max_bytes: self.0.max_bytes,
            first_offset: index.first(),
            next_offset: index.next,
            acknowledged_offset: index.settled.first_open(0).min(index.next),
            synced: index.failed.is_none(),
            failed: index.failed.clone(),
            lost_batches: index.lost_batches,
            dropped_readings: index.dropped_readings,
        }
    }

    /// Writes and syncs what waits, for at most `limit`; whether all is on disk. Later appends are refused silently.
    pub async fn close(&self, limit: Duration) -> bool {
        self.0.inbox.close();
        let mut ended = self.0.ended.clone();
        let ended = tokio::time::timeout(limit, ended.wait_for(|ended| *ended)).await;
        // An error of the channel: the thread is gone without having said so.
        matches!(ended, Ok(Ok(_))) && lock(&self.0.index).failed.is_none()
    }

    /// Runs something that reads the disk where it holds nobody up.
    async fn off_runtime<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Option<T> {
        let reader = self.0.reader.clone();
        if self.0.as_task {
            return Some(read(&reader));
        }
        tokio::task::spawn_blocking(move || read(&reader))
            .await
            .ok()
    }
}

fn restored(store: &Store, site: &Site, first_start: bool) -> Restored {
    let state = &store.state;
    let alarm = |id: &str| match state.alarms.get(id) {
        Some((saved, story)) => (Some(*saved), story.clone()),
        None => (None, Story::default()),
    };
    let output = |id: &str| state.outputs.get(id).copied().unwrap_or_default();
    let has: BTreeSet<&str> = site.alarms.iter().map(|known| known.id.as_str()).collect();
    let gone = state.alarms.iter().filter(|(id, _)| !has.contains(&***id));
    Restored {
        gone: gone.map(|(id, (saved, _))| (id.clone(), *saved)).collect(),
        alarms: site.alarms.iter().map(|known| alarm(&known.id)).collect(),
        outputs: (site.outputs.iter().map(|known| output(&known.id))).collect(),
        next_seq: state.next_seq,
        nodes: state.nodes.clone(),
        first_start,
    }
}
