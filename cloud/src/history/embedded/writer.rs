//! The one thread that writes: commits that wait are put into one transaction a month, and hours that are over are sealed when nothing waits.

use super::file::Failure;
use super::put_aside;
use super::readers::Readers;
use super::store::{HourKey, Store};
use crate::history::chunk::hour_span;
use crate::history::month::Month;
use crate::history::{HistoryError, PointReading};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// Calls that wait; beyond that, `Busy`.
const MOST_CALLS: usize = 256;
/// Readings that wait; beyond that, `Busy`, unless nothing else waits. About 100 MB.
const MOST_READINGS: usize = 1_000_000;
/// Readings of one transaction, counted in whole calls.
const MOST_TOGETHER: usize = 50_000;
/// Months kept open for writing.
const MOST_OPEN: usize = 6;
/// How long an hour that is over still waits for readings on their way.
const GRACE_MS: i64 = 120_000;
/// Recent readings of all months, beyond which they settle: about 20 MB, and the rows of as many series as there may be are worth writing.
const MOST_RECENT: usize = 500_000;
/// How long readings are recent where there are fewer.
const SETTLED_AFTER: Duration = Duration::from_secs(60);
/// An hour that is over is sealed when so many of its readings are not, or have waited so long since the first of them: a trickle of late readings does
/// not rewrite a chunk for each.
const WORTH_SEALING: usize = 900;
const SEALED_AFTER: Duration = Duration::from_secs(60);
/// Hours sealed between two looks at the queue.
const SEALED_AT_A_TIME: usize = 8;
/// How often hours are looked through.
const TICK: Duration = Duration::from_secs(5);

type Answer = oneshot::Sender<Result<(), HistoryError>>;

enum Call {
    Commit(Vec<PointReading>, Answer),
    Seal(Answer),
    Forget(Month, Answer),
    ForgetReadings(Month, Answer),
}

/// A handle on the writing thread; the thread ends with it, after what waits is written.
#[derive(Debug)]
pub(super) struct Writer {
    calls: Option<SyncSender<Call>>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(folder: PathBuf, readers: Arc<Readers>) -> Result<Self, Failure> {
        let (calls, queue) = sync_channel(MOST_CALLS);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut desk = Desk {
            months: HashMap::new(),
            unsealed: BTreeMap::new(),
            thinned: BTreeSet::new(),
            failed: BTreeSet::new(),
            waiting: Arc::clone(&waiting),
            readers,
            folder: folder.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || desk.run(&queue))
            .map_err(|error| Failure::store(&folder, error))?;
        Ok(Self {
            calls: Some(calls),
            waiting,
            thread: Some(thread),
        })
    }

    /// Returns when the readings are on disk.
    pub(super) async fn commit(&self, readings: Vec<PointReading>) -> Result<(), HistoryError> {
        let count = readings.len();
        if count == 0 {
            return Ok(());
        }
        let before = self.waiting.fetch_add(count, Ordering::Relaxed);
        if before > 0 && before + count > MOST_READINGS {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            return Err(HistoryError::Busy);
        }
        let (answer, answered) = oneshot::channel();
        let sent = self.send(Call::Commit(readings, answer));
        if sent.is_err() {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
        }
        sent?;
        answered.await.map_err(|_| HistoryError::Stopped)?
    }

    pub(super) async fn seal(&self) -> Result<(), HistoryError> {
        let (answer, answered) = oneshot::channel();
        self.send(Call::Seal(answer))?;
        answered.await.map_err(|_| HistoryError::Stopped)?
    }

    /// Keeps nothing of these months but their rollups.
    pub(super) async fn forget_readings(&self, months: Vec<Month>) -> Result<(), HistoryError> {
        self.each(months, Call::ForgetReadings).await
    }

    pub(super) async fn forget(&self, months: Vec<Month>) -> Result<(), HistoryError> {
        self.each(months, Call::Forget).await
    }

    /// A month a call, so that readings which wait are committed between two; a month that fails does not keep the others.
    async fn each(
        &self,
        months: Vec<Month>,
        call: impl Fn(Month, Answer) -> Call,
    ) -> Result<(), HistoryError> {
        let mut failed = Vec::new();
        for month in months {
            let (answer, answered) = oneshot::channel();
            let done = match self.send(call(month, answer)) {
                Ok(()) => answered.await.unwrap_or(Err(HistoryError::Stopped)),
                Err(error) => Err(error),
            };
            failed.extend(done.err());
        }
        HistoryError::of_all(failed)
    }

    fn send(&self, call: Call) -> Result<(), HistoryError> {
        let calls = self.calls.as_ref().ok_or(HistoryError::Stopped)?;
        calls.try_send(call).map_err(|error| match error {
            TrySendError::Full(_) => HistoryError::Busy,
            TrySendError::Disconnected(_) => HistoryError::Stopped,
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history's writer ended in a panic");
        }
    }
}

/// What lies in runs of an hour.
#[derive(Clone, Copy)]
struct Unsealed {
    readings: usize,
    since: Instant,
}

/// What the thread owns.
struct Desk {
    folder: PathBuf,
    readers: Arc<Readers>,
    months: HashMap<Month, Store>,
    /// Bounded by the runs on disk: an hour is here exactly while there are some of it.
    unsealed: BTreeMap<(Month, HourKey), Unsealed>,
    /// Months of which only rollups are left, as far as this process knows: looking again costs a look at each of their hours.
    thinned: BTreeSet<Month>,
    /// Months whose disk refused the last work, for want of room perhaps: they are opened again at the next tick, and nothing of them is sealed before.
    failed: BTreeSet<Month>,
    waiting: Arc<AtomicUsize>,
}

impl Desk {
    fn run(&mut self, queue: &Receiver<Call>) {
        self.find_unsealed();
        let mut looked = Instant::now();
        loop {
            match queue.recv_timeout(TICK.saturating_sub(looked.elapsed())) {
                Ok(call) => self.serve(call, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.settle_if_many();
            if looked.elapsed() >= TICK && self.tick() {
                looked = Instant::now();
            }
        }
    }

    /// Does what is due; answers whether the next look may wait. It may where a disk refuses, too: asked without end it would only be asked more.
    fn tick(&mut self) -> bool {
        self.try_failed_again();
        self.settle_old();
        self.seal_due() || !self.failed.is_empty()
    }

    /// Serves a call, and with a commit the commits that wait behind it.
    fn serve(&mut self, call: Call, queue: &Receiver<Call>) {
        let mut next = Some(call);
        let mut together = Vec::new();
        let mut count = 0;
        while let Some(call) = next.take() {
            match call {
                Call::Commit(readings, answer) => {
                    count += readings.len();
                    together.push((readings, answer));
                    if count < MOST_TOGETHER {
                        next = queue.try_recv().ok();
                    }
                }
                other => {
                    self.commit(std::mem::take(&mut together));
                    self.serve_other(other);
                }
            }
        }
        self.commit(together);
    }

    fn serve_other(&mut self, call: Call) {
        let (done, answer) = match call {
            Call::Seal(answer) => (self.seal_all(), answer),
            Call::Forget(month, answer) => (self.forget(month), answer),
            Call::ForgetReadings(month, answer) => (self.forget_readings(month), answer),
            Call::Commit(readings, answer) => return self.commit(vec![(readings, answer)]),
        };
        // Whoever asked may have gone.
        let _ = answer.send(done.map_err(HistoryError::from));
    }

    fn commit(&mut self, together: Vec<(Vec<PointReading>, Answer)>) {
        let mut by_month: BTreeMap<Month, Vec<&PointReading>> = BTreeMap::new();
        for one in together.iter().flat_map(|(readings, _)| readings) {
            let month = Month::of(one.reading.source_time().0);
            by_month.entry(month).or_default().push(one);
        }
        let done = by_month
            .into_iter()
            .try_for_each(|(month, readings)| self.commit_month(month, &readings));
        for (readings, answer) in together {
            self.waiting.fetch_sub(readings.len(), Ordering::Relaxed);
            let _ = answer.send(done.clone().map_err(HistoryError::from));
        }
    }

    fn commit_month(&mut self, month: Month, readings: &[&PointReading]) -> Result<(), Failure> {
        self.thinned.remove(&month);
        match self.on(month, |store| store.commit(readings)) {
            Err(Failure::Damaged { what, .. }) => {
                self.begin_anew(month, &what)?;
                self.on(month, |store| store.commit(readings))
            }
            done => done,
        }
    }

    fn settle_if_many(&mut self) {
        let recent = |store: &Store| store.recent().look().readings;
        if self.months.values().map(recent).sum::<usize>() >= MOST_RECENT {
            self.settle_each(|_| true);
        }
    }

    fn settle_old(&mut self) {
        self.settle_each(|since| since.elapsed() >= SETTLED_AFTER);
    }

    /// Settles the months whose oldest recent reading came at a time that is asked for. If that fails the readings are recovered when the file is opened
    /// the next time.
    fn settle_each(&mut self, is_asked: impl Fn(Instant) -> bool) {
        let is_asked = |store: &Store| store.recent().look().since.is_some_and(&is_asked);
        let asked = self.months.iter().filter(|(_, store)| is_asked(store));
        for month in asked.map(|(month, _)| *month).collect::<Vec<_>>() {
            if let Err(failure) = self.settle(month) {
                tracing::error!(?failure, "recent readings of the history cannot settle");
            }
        }
    }

    fn settle(&mut self, month: Month) -> Result<(), Failure> {
        for (hour, grown) in self.on(month, Store::settle)? {
            self.note(month, hour, grown);
        }
        Ok(())
    }

    fn note(&mut self, month: Month, hour: HourKey, grown: usize) {
        let fresh = Unsealed {
            readings: 0,
            since: Instant::now(),
        };
        self.unsealed.entry((month, hour)).or_insert(fresh).readings += grown;
    }

    /// Opens the months again whose last work failed, which settles what is recent of them. That they fail was told when they first did.
    fn try_failed_again(&mut self) {
        for month in self.failed.clone() {
            match self.on(month, |_| Ok(())) {
                Ok(()) => {
                    tracing::info!(path = %month.path(&self.folder).display(), "a month of the history is well again")
                }
                Err(failure) => tracing::debug!(?failure, "a month of the history still fails"),
            }
        }
    }

    /// Works on a month's file. After a failure the file is opened again the next time.
    fn on<T>(
        &mut self,
        month: Month,
        work: impl FnOnce(&mut Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let done = self.on_store(month, work);
        match done {
            Err(Failure::Store { .. }) => self.failed.insert(month),
            _ => self.failed.remove(&month),
        };
        done
    }

    fn on_store<T>(
        &mut self,
        month: Month,
        work: impl FnOnce(&mut Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut store = match self.months.remove(&month) {
            Some(store) => store,
            None => self.open(month)?,
        };
        if !self.readers.months().contains(&month) {
            self.readers.stop().insert(month);
        }
        let done = work(&mut store)?;
        while let Some(oldest) = self.months.keys().min().copied()
            && self.months.len() >= MOST_OPEN
        {
            self.close(oldest);
        }
        self.months.insert(month, store);
        Ok(done)
    }

    fn open(&mut self, month: Month) -> Result<Store, Failure> {
        let store = Store::open(&self.folder, month, self.readers.recent(month))?;
        for (hour, readings) in store.unsealed()? {
            self.note(month, hour, 0);
            if let Some(known) = self.unsealed.get_mut(&(month, hour)) {
                known.readings = readings;
            }
        }
        Ok(store)
    }

    /// What is recent of the month settles first; if it cannot, it is recovered when the file is opened the next time, and found until then.
    fn close(&mut self, month: Month) {
        let Some(mut store) = self.months.remove(&month) else {
            return;
        };
        match store.settle() {
            Ok(grown) => {
                for (hour, grown) in grown {
                    self.note(month, hour, grown);
                }
                self.readers.forget_recent(month);
            }
            Err(failure) => {
                tracing::error!(?failure, "recent readings of the history cannot settle");
                self.failed.insert(month);
            }
        }
    }

    /// Puts a month's damaged file aside, so that what comes is kept.
    fn begin_anew(&mut self, month: Month, what: &str) -> Result<(), Failure> {
        self.months.remove(&month);
        self.unsealed.retain(|(of, _), _| *of != month);
        let mut months = self.readers.stop();
        months.remove(&month);
        self.readers.forget_recent(month);
        put_aside(&month.path(&self.folder), what).map(drop)
    }

    /// What was not sealed when the last process ended.
    fn find_unsealed(&mut self) {
        for month in self.readers.months() {
            if let Err(failure) = self.on(month, |_| Ok(())) {
                tracing::error!(?failure, "what is not sealed of a month cannot be read");
            }
        }
    }

    /// Seals a few of the hours that are over; answers whether none is left.
    fn seal_due(&mut self) -> bool {
        let now_ms = now_ms();
        let is_due = |hour: i64, unsealed: &Unsealed| {
            let (_, last_ms) = hour_span(hour);
            last_ms.saturating_add(GRACE_MS) < now_ms
                && (unsealed.readings >= WORTH_SEALING || unsealed.since.elapsed() >= SEALED_AFTER)
        };
        let due: Vec<(Month, HourKey)> = self
            .unsealed
            .iter()
            .filter(|((month, _), _)| !self.failed.contains(month))
            .filter(|((_, (_, hour)), unsealed)| is_due(*hour, unsealed))
            .map(|(key, _)| *key)
            .take(SEALED_AT_A_TIME)
            .collect();
        for key in &due {
            // A disk that refused one hour of a month is not asked for the others: all of them wait for the next tick.
            if !self.failed.contains(&key.0) {
                self.seal(*key);
            }
        }
        due.len() < SEALED_AT_A_TIME
    }

    fn seal_all(&mut self) -> Result<(), Failure> {
        let months = self.months.keys().chain(&self.failed);
        for month in months.copied().collect::<BTreeSet<_>>() {
            self.settle(month)?;
        }
        let all: Vec<(Month, HourKey)> = self.unsealed.keys().copied().collect();
        for (month, hour) in all {
            self.on(month, |store| store.seal(hour))?;
            self.unsealed.remove(&(month, hour));
        }
        Ok(())
    }

    /// Seals an hour. If that fails its readings stay in their runs, where they are read all the same. What a disk refused stays due; what is damaged is not
    /// tried again before the next start.
    fn seal(&mut self, (month, hour): (Month, HourKey)) {
        if let Err(failure) = self.on(month, |store| store.seal(hour)) {
            tracing::error!(
                ?failure,
                "an hour of the history cannot be sealed; its readings stay as they are"
            );
        }
        if !self.failed.contains(&month) {
            self.unsealed.remove(&(month, hour));
        }
    }

    fn forget_readings(&mut self, month: Month) -> Result<(), Failure> {
        if self.thinned.contains(&month) {
            return Ok(());
        }
        if self.on(month, Store::thin)? {
            tracing::info!(path = %month.path(&self.folder).display(), "the readings of a month were forgotten, its rollups stay");
        }
        self.unsealed.retain(|(of, _), _| *of != month);
        self.thinned.insert(month);
        Ok(())
    }

    fn forget(&mut self, month: Month) -> Result<(), Failure> {
        self.thinned.remove(&month);
        self.failed.remove(&month);
        self.months.remove(&month);
        self.unsealed.retain(|(of, _), _| *of != month);
        let mut months = self.readers.stop();
        self.readers.forget_recent(month);
        let path = month.path(&self.folder);
        for ending in ["", "-wal", "-shm"] {
            match fs::remove_file(format!("{}{ending}", path.display())) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failure::store(&path, error));
                }
                _ => {}
            }
        }
        months.remove(&month);
        tracing::info!(path = %path.display(), "a month of the history was forgotten");
        Ok(())
    }
}

/// The clock of this machine: it says only when an hour is worth sealing.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::{Reading, WallMs};

    const HOURS: i64 = 10;
    const HOUR_MS: i64 = 3_600_000;
    /// 2026-01-02T00:00:00Z.
    const START_MS: i64 = 1_767_312_000_000;

    fn desk(folder: PathBuf) -> Desk {
        Desk {
            months: HashMap::new(),
            unsealed: BTreeMap::new(),
            thinned: BTreeSet::new(),
            failed: BTreeSet::new(),
            waiting: Arc::default(),
            readers: Arc::new(Readers::new(folder.clone(), BTreeSet::new())),
            folder,
        }
    }

    #[test]
    fn hours_that_a_disk_refuses_to_seal_wait_for_the_next_tick_and_are_sealed_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut desk = desk(folder.path().to_owned());
        let month = Month::of(START_MS);
        let one = |hour: i64| PointReading {
            site: "plant-1".into(),
            point: "GD-101".into(),
            reading: Reading::measured(1.5, WallMs(START_MS + hour * HOUR_MS)),
        };
        let readings: Vec<PointReading> = (0..HOURS).map(one).collect();
        let readings: Vec<&PointReading> = readings.iter().collect();
        desk.commit_month(month, &readings).expect("a commit");
        desk.settle(month).expect("runs");
        for unsealed in desk.unsealed.values_mut() {
            unsealed.readings = WORTH_SEALING;
        }
        let path = month.path(folder.path());
        let others = rusqlite::Connection::open(path).expect("the file");
        let rename = |from, to| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            others.execute_batch(&sql).expect("another name");
        };
        rename("chunk", "away");
        assert!(desk.tick(), "the next look waits, although hours are due");
        assert!(desk.failed.contains(&month));
        assert_eq!(desk.unsealed.len() as i64, HOURS);
        rename("away", "chunk");
        // Opened again, its runs are what they are, and wait for their minute; so they are made due once more.
        desk.try_failed_again();
        for unsealed in desk.unsealed.values_mut() {
            unsealed.readings = WORTH_SEALING;
        }
        assert!(!desk.tick(), "some are left");
        assert!(desk.tick());
        assert!(desk.unsealed.is_empty() && desk.failed.is_empty());
        let sealed = others.query_row("SELECT count(*) FROM chunk", [], |row| row.get(0));
        assert_eq!(sealed, Ok(HOURS));
    }
}
