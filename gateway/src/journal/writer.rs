//! The one thread that writes: it gathers what waits into batches, commits them with one sync, and tells that they are durable.
//!
//! While it syncs, the next group gathers by itself, so a slow disk makes larger groups. On an idle one readings wait a moment for those of the next
//! device, and a transition for nothing. When the disk fails, what
//! is pending waits in memory, bounded, and is tried again with growing pauses; judgement never notices.

use super::encoding::MOST_RECORDS;
use super::inbox::{Append, Inbox, MOST_OTHERS, Taken, room_of};
use super::record::{Batch, Names, Record};
use super::store::{CommitError, Loss, Store, lock};
use crate::clock::Clock;
use davy_alarm::WallMs;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Losses become records at most this often.
const LOSSES_EVERY: Duration = Duration::from_secs(1);
/// Most memory of one batch, decoded; encoded it is far below 256 KiB.
const MOST_BYTES: usize = 200 << 10;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) inbox: Arc<Inbox>,
    pub(super) synced: watch::Sender<u64>,
    pub(super) clock: Clock,
    /// Of what is numbered from now on; the store's are those of what is being written.
    names: Arc<Names>,
    /// Offset of the next batch.
    next: u64,
    /// Numbered, and not on disk yet; oldest first.
    pending: VecDeque<Arc<Batch>>,
    /// When to try again after a failure, and the pause before it.
    retry: Option<(Instant, Duration)>,
    /// When losses were last told.
    told: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        inbox: Arc<Inbox>,
        synced: watch::Sender<u64>,
        clock: Clock,
    ) -> Self {
        let next = lock(&store.index).next;
        Self {
            names: store.names.clone(),
            store,
            inbox,
            synced,
            clock,
            next,
            pending: VecDeque::new(),
            retry: None,
            told: None,
        }
    }

    /// Until the journal is closed: then one last try to write what is pending.
    pub(super) fn run(mut self) {
        loop {
            let taken = self.inbox.take(self.wake());
            if self.turn(taken) {
                return;
            }
        }
    }

    /// The same as a task. `pause` before each turn is the time that the disk takes.
    pub(super) async fn run_as_task(mut self, pause: impl Fn() -> Duration + Send) {
        loop {
            let taken = self.inbox.taken(self.wake()).await;
            tokio::time::sleep(pause()).await;
            if self.turn(taken) {
                return;
            }
        }
    }

    /// Writes what there is; whether that was all, for ever.
    fn turn(&mut self, taken: Taken) -> bool {
        let closing = taken.closing;
        self.gather(taken);
        if self
            .retry
            .is_none_or(|(at, _)| closing || Instant::now() >= at)
        {
            self.commit(closing);
        }
        closing && (self.retry.is_some() || self.is_idle())
    }

    fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.store.losses.is_empty()
    }

    /// When there is something to do even if nothing comes in.
    fn wake(&self) -> Option<Instant> {
        match self.retry {
            Some((at, _)) => Some(at),
            None => self.losses_due(),
        }
    }

    fn commit(&mut self, closing: bool) {
        self.take_damaged();
        if self.retry.is_none()
            && (closing || self.losses_due().is_some_and(|due| due <= Instant::now()))
        {
            self.tell_losses();
        }
        let now = self.clock.wall();
        let mut result = self.commit_pending(now);
        if matches!(result, Err(CommitError::Full)) && self.drop_telemetry() {
            result = self.commit_pending(now);
        }
        match result {
            Ok(()) => self.succeed(),
            Err(error) => self.fail(&error),
        }
    }

    /// A segment has the names of one site file: what is pending of another goes into the next.
    fn commit_pending(&mut self, now: WallMs) -> Result<(), CommitError> {
        loop {
            let group = self.pending.make_contiguous();
            let first = group.first().map(|batch| batch.names.clone());
            let alike = |batch: &&Arc<Batch>| {
                first
                    .as_ref()
                    .is_none_or(|names| Arc::ptr_eq(names, &batch.names))
            };
            let alike = group.iter().take_while(alike).count();
            if let Some(names) = first {
                self.store.name(names);
            }
            self.store.commit(&group[..alike], now)?;
            self.pending.drain(..alike);
            if self.pending.is_empty() {
                return Ok(());
            }
        }
    }

    fn succeed(&mut self) {
        if self.retry.take().is_some() {
            info!("the journal's disk takes writes again");
        }
        let mut index = lock(&self.store.index);
        index.failed = None;
        let next = index.next;
        drop(index);
        let publish = |synced: &mut u64| std::mem::replace(synced, next) != next;
        self.synced.send_if_modified(publish);
    }

    fn fail(&mut self, error: &CommitError) {
        let pause = match self.retry {
            Some((_, pause)) => (pause * 2).min(LONGEST_PAUSE),
            None => {
                error!(%error, "the journal cannot be written");
                FIRST_PAUSE
            }
        };
        self.retry = Some((Instant::now() + pause, pause));
        lock(&self.store.index).failed = Some(error.to_string());
    }

    /// When the losses so far must be told: together, for a record each would take the room that is short.
    fn losses_due(&self) -> Option<Instant> {
        (!self.store.losses.is_empty()).then(|| {
            self.told
                .map_or_else(Instant::now, |told| told + LOSSES_EVERY)
        })
    }

    /// What readers found damaged becomes losses.
    fn take_damaged(&mut self) {
        let damaged = std::mem::take(&mut lock(&self.store.index).damaged);
        for offset in damaged {
            self.lose(Loss {
                from: offset,
                to: offset,
                readings: 0,
            });
        }
    }

    /// No room is left but for transitions; whether anything gave way.
    fn drop_telemetry(&mut self) -> bool {
        let before = self.pending.len();
        for batch in std::mem::take(&mut self.pending) {
            if batch.is_urgent() {
                self.pending.push_back(batch);
            } else {
                self.lose_batch(&batch);
            }
        }
        self.pending.len() < before
    }

    /// Makes batches of what waited. Readings of one device become one batch unless something other than readings stands between them.
    fn gather(&mut self, taken: Taken) {
        let mut open: BTreeMap<Option<u32>, Append> = BTreeMap::new();
        for append in taken.appends {
            if let Some(names) = append.names.clone() {
                self.number_all(std::mem::take(&mut open));
                self.names = names;
            }
            if append.readings() < append.records.len() {
                self.number_all(std::mem::take(&mut open));
                self.number(append);
                continue;
            }
            match open.get_mut(&append.device) {
                Some(before) if before.records.len() + append.records.len() <= MOST_RECORDS => {
                    before.records.extend(append.records);
                }
                _ => {
                    if let Some(full) = open.insert(append.device, append) {
                        self.number(full);
                    }
                }
            }
        }
        self.number_all(open);
        if taken.dropped_readings + taken.dropped_others > 0 {
            self.lose_unnumbered(taken.dropped_readings);
        }
        self.bound();
    }

    fn number_all(&mut self, open: BTreeMap<Option<u32>, Append>) {
        for append in open.into_values() {
            self.number(append);
        }
    }

    /// Gives records an offset, in as many batches as their bounds ask for.
    fn number(&mut self, append: Append) {
        let mut records = append.records;
        // A position that no name stands behind would make its whole batch unreadable.
        let before = records.len();
        records.retain(|record| self.names.know(record));
        if records.len() < before {
            error!(
                records = before - records.len(),
                "records of unknown points, alarms or outputs are not journalled"
            );
        }
        while !records.is_empty() {
            let mut batch = Batch {
                offset: self.next,
                made: self.clock.wall(),
                names: self.names.clone(),
                device: append.device,
                records: Vec::new(),
            };
            let fits = fitting(&records);
            let rest = records.split_off(fits);
            batch.records = std::mem::replace(&mut records, rest);
            self.next += 1;
            self.store.number(&batch);
            self.pending.push_back(Arc::new(batch));
        }
    }

    /// Dropped before they had an offset: they get one, so that a record can name the hole.
    fn lose_unnumbered(&mut self, readings: u64) {
        self.lose(Loss {
            from: self.next,
            to: self.next,
            readings,
        });
        self.next += 1;
    }

    fn lose(&mut self, loss: Loss) {
        lock(&self.store.index).dropped_readings += loss.readings;
        match self.store.losses.last_mut() {
            Some(last) if last.to + 1 == loss.from => {
                last.to = loss.to;
                last.readings += loss.readings;
            }
            _ => self.store.losses.push(loss),
        }
    }

    /// While the disk fails: the oldest telemetry gives way first, then the oldest transitions, whose state the next segment's header still holds.
    fn bound(&mut self) {
        let count = |pending: &VecDeque<Arc<Batch>>, urgent: bool| -> usize {
            pending
                .iter()
                .filter(|batch| batch.is_urgent() == urgent)
                .map(|batch| batch.records.len())
                .sum()
        };
        // What is pending of a larger site than the present one had its room.
        let names = self.pending.iter().map(|batch| &batch.names);
        let points = names.chain([&self.names]).map(|names| names.points.len());
        let room = room_of(points.max().unwrap_or_default());
        for (urgent, most) in [(false, 2 * room), (true, 2 * MOST_OTHERS)] {
            let mut excess = count(&self.pending, urgent).saturating_sub(most);
            while excess > 0
                && let Some(oldest) = self
                    .pending
                    .iter()
                    .position(|batch| batch.is_urgent() == urgent)
                && let Some(batch) = self.pending.remove(oldest)
            {
                excess = excess.saturating_sub(batch.records.len());
                self.lose_batch(&batch);
            }
        }
    }

    fn lose_batch(&mut self, batch: &Arc<Batch>) {
        self.store.give_up_batch(batch);
        let is_reading = |record: &&Record| matches!(record, Record::Reading { .. });
        self.lose(Loss {
            from: batch.offset,
            to: batch.offset,
            readings: batch.records.iter().filter(is_reading).count() as u64,
        });
    }

    /// Each loss becomes a record, in a batch of the node.
    fn tell_losses(&mut self) {
        let losses = std::mem::take(&mut self.store.losses);
        if losses.is_empty() {
            return;
        }
        self.told = Some(Instant::now());
        let time = self.clock.wall();
        let mut index = lock(&self.store.index);
        for loss in &losses {
            index.settled.insert(loss.from, loss.to);
            index.lost_batches += loss.to - loss.from + 1;
        }
        drop(index);
        let told = losses.iter().map(|loss| (loss.from, loss.to));
        self.store.untold.extend(told);
        let records = losses
            .into_iter()
            .map(|Loss { from, to, readings }| Record::Lost {
                from,
                to,
                readings,
                time,
            })
            .collect();
        self.number(Append {
            records,
            ..Append::default()
        });
    }
}

/// How many records from the first on make a batch.
fn fitting(records: &[Record]) -> usize {
    let mut bytes = 0;
    let mut fits = 0;
    for record in records.iter().take(MOST_RECORDS) {
        bytes += super::index::record_size(record);
        if bytes > MOST_BYTES && fits > 0 {
            break;
        }
        fits += 1;
    }
    fits
}
