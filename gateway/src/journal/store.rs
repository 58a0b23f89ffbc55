//! The log itself: segments on a disk, written by one owner. No thread, no clock of its own: what it does is decided by its calls and by the disk.

use super::disk::{Disk, DiskFile};
use super::encoding;
use super::index::{Index, Segment};
use super::record::{Batch, Names, Record};
use super::reference::References;
use super::segment::{self, Header, Summary};
use super::settled::Settled;
use super::state::State;
use davy_alarm::WallMs;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much disk the log may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// All segments together, bytes.
    pub(super) max_bytes: u64,
    /// Of which only batches with transitions may use, bytes.
    pub(super) reserve_bytes: u64,
    /// A segment is closed when it is so long.
    pub(super) segment_bytes: u64,
}

/// Longest first segment of a journal, bytes.
const LONGEST_FIRST: u64 = 128 << 10;

impl Limits {
    const LONGEST_SEGMENT: u64 = 4 << 20;

    pub(super) fn new(max_bytes: u64, reserve_bytes: u64) -> Self {
        Self {
            max_bytes,
            reserve_bytes,
            segment_bytes: (max_bytes / 16).clamp(1, Self::LONGEST_SEGMENT),
        }
    }
}

/// Why a group is not on disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    #[error(transparent)]
    Disk(#[from] io::Error),
    #[error("the journal's part of the disk is full of unacknowledged transitions")]
    Full,
}

/// Batches that are gone, or never were written, before the cloud had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) from: u64,
    pub(super) to: u64,
    /// As far as known.
    pub(super) readings: u64,
}

/// The log, in its writer's hands.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) limits: Limits,
    pub(super) stream: u64,
    pub(super) names: Arc<Names>,
    /// What the log on disk comes to, and what was given up of the rest: the next segment begins with it. What is numbered and not on disk yet is not in it,
    /// for a header may reach the disk without what follows it.
    pub(super) state: State,
    /// Given up, while batches before them still wait: followed in the order of their offsets, for of an output the last word counts.
    pub(super) given_up: BTreeMap<u64, Arc<Batch>>,
    /// Next sequence number after all that was numbered: one that screens or births may have told is not used again.
    pub(super) next_seq: u64,
    /// For the next segment's header.
    pub(super) references: References,
    pub(super) index: Arc<Mutex<Index>>,
    pub(super) active: Option<Active>,
    /// Number of the next segment.
    pub(super) number: u64,
    /// To be told by a record each.
    pub(super) losses: Vec<Loss>,
    /// Told by records that are not on disk yet, `(from, to)`.
    pub(super) untold: Vec<(u64, u64)>,
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) file: Box<dyn DiskFile>,
    pub(super) number: u64,
    pub(super) base: encoding::Base,
    pub(super) seed: u32,
    /// Bytes on disk.
    pub(super) length: u64,
    pub(super) summary: Summary,
}

/// The index under its lock. A thread that panicked with it left no half-made change that matters.
pub(super) fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Takes note of a batch that was numbered; called once for each, in the order of their offsets, before it is committed.
    pub(super) fn number(&mut self, batch: &Batch) {
        for record in &batch.records {
            if let Record::Transition(transition) = record {
                self.next_seq = self.next_seq.max(transition.seq.saturating_add(1));
            }
            if let Record::Reading { point, reading } = record
                && let Ok(value) = reading.value()
            {
                self.references.learn(*point, value);
            }
        }
    }

    /// A batch will never be on disk; what it did is part of the state all the same.
    pub(super) fn give_up_batch(&mut self, batch: &Arc<Batch>) {
        let is_reading = |record: &Record| matches!(record, Record::Reading { .. });
        if !batch.records.iter().all(is_reading) {
            self.given_up.insert(batch.offset, batch.clone());
        }
    }

    /// Everything before this offset is on disk or given up.
    fn follow_given_up(&mut self, before: u64) {
        while let Some(first) = self.given_up.first_entry()
            && *first.key() < before
        {
            let batch = first.remove();
            self.follow(&batch);
        }
    }

    /// Follows a batch that is on disk, or given up.
    fn follow(&mut self, batch: &Batch) {
        self.follow_given_up(batch.offset);
        for record in &batch.records {
            self.state.follow(&batch.names, record);
        }
    }

    /// What is committed from now on has these names: those of another site file begin a segment.
    pub(super) fn name(&mut self, names: Arc<Names>) {
        if !Arc::ptr_eq(&self.names, &names) {
            self.seal();
            self.names = names;
        }
    }

    /// Writes batches and what was settled since, syncs them, and only then makes them known.
    ///
    /// After an error nothing of it counts. The segment is given up, and the same batches come again in a new one: after a failed `fsync` the kernel
    /// may hold pages as clean that never reached the disk, so neither they nor a later successful `fsync` of that file prove anything.
    pub(super) fn commit(&mut self, group: &[Arc<Batch>], now: WallMs) -> Result<(), CommitError> {
        let unsaved = lock(&self.index).unsaved.clone();
        if group.is_empty() && unsaved.is_empty() {
            return Ok(());
        }
        loop {
            let result = self.try_commit(group, &unsaved, now);
            let Err(error) = &result else {
                lock(&self.index).unsaved.drain(..unsaved.len());
                return result;
            };
            self.give_up();
            // Something else filled the disk: each turn here gives a segment back to it.
            let is_full = matches!(error, CommitError::Disk(error) if error.kind() == io::ErrorKind::StorageFull);
            if !(is_full && self.free_some()) {
                return result;
            }
        }
    }

    fn try_commit(
        &mut self,
        group: &[Arc<Batch>],
        unsaved: &[(u64, u64)],
        now: WallMs,
    ) -> Result<(), CommitError> {
        let mut bytes = Vec::new();
        if let Some(active) = &self.active {
            frames(&mut bytes, group, unsaved, &active.base, active.seed);
            if active.length + bytes.len() as u64 > self.longest() {
                self.seal();
            }
        }
        let header = self.active.is_none().then(|| self.header(group, now));
        if let Some(header) = &header {
            bytes = header.encode();
            frames(&mut bytes, group, &[], &header.base(), header.seed());
        }
        let urgent = !group.is_empty() && group.iter().all(|batch| batch.is_urgent());
        if !self.make_room(bytes.len() as u64, urgent)? {
            return Err(CommitError::Full);
        }
        let is_new = header.is_some();
        if let Some(header) = header {
            self.begin(&header)?;
        }
        let active = self.active.as_mut().expect("begun above if there was none");
        active.file.append(&bytes)?;
        active.file.sync()?;
        if is_new {
            self.disk.sync_names()?;
        }
        active.length += bytes.len() as u64;
        for batch in group {
            summarize(&mut active.summary, batch);
        }
        group.iter().for_each(|batch| self.follow(batch));
        self.publish(group, is_new);
        Ok(())
    }

    /// What the next segment begins with.
    fn header(&mut self, group: &[Arc<Batch>], made: WallMs) -> Header {
        self.follow_given_up(group.first().map_or(u64::MAX, |batch| batch.offset));
        self.state.fit(&self.names);
        let index = lock(&self.index);
        let (next, mut settled) = (index.next, index.settled.clone());
        for offset in &index.damaged {
            settled.remove(*offset, *offset);
        }
        drop(index);
        // A loss counts as told only by its record: the header may reach the disk without what follows it.
        let losses = self.losses.iter().map(|loss| (loss.from, loss.to));
        for (from, to) in losses.chain(self.untold.iter().copied()) {
            settled.remove(from, to);
        }
        Header {
            stream: self.stream,
            number: self.number,
            first: group.first().map_or(next, |batch| batch.offset),
            made,
            version: segment::VERSION,
            thinned: false,
            names: self.names.clone(),
            state: State {
                next_seq: self.next_seq.max(self.state.next_seq),
                ..self.state.clone()
            },
            settled,
            references: Arc::new(self.references.clone()),
        }
    }

    /// When the active segment is closed. The first one soon, for its header could tell little of the points' values, and readings take more bytes in it.
    fn longest(&self) -> u64 {
        let limit = self.limits.segment_bytes;
        if self.number <= 2 {
            limit.min(LONGEST_FIRST)
        } else {
            limit
        }
    }

    fn begin(&mut self, header: &Header) -> io::Result<()> {
        let file = self.disk.create(&segment::file_name(header.number))?;
        self.active = Some(Active {
            file,
            number: header.number,
            base: header.base(),
            seed: header.seed(),
            length: 0,
            summary: Summary {
                next: header.first,
                ..Summary::default()
            },
        });
        Ok(())
    }

    /// What is on disk becomes known.
    fn publish(&mut self, group: &[Arc<Batch>], is_new: bool) {
        let active = self.active.as_ref().expect("just written");
        let summary = Summary {
            urgent: Vec::new(),
            ..active.summary.clone()
        };
        for record in group.iter().flat_map(|batch| &batch.records) {
            if let Record::Lost { from, to, .. } = record {
                self.untold.retain(|loss| loss != &(*from, *to));
            }
        }
        let mut index = lock(&self.index);
        if is_new {
            index.segments.push_back(Segment {
                number: active.number,
                first: active.base.first,
                length: active.length,
                thinned: None,
                summary,
            });
            self.number += 1;
        } else if let Some(segment) = index.segments.back_mut() {
            (segment.length, segment.summary) = (active.length, summary);
        }
        index.next = index.next.max(active.summary.next);
        for batch in group {
            if batch.is_urgent() {
                index.add_urgent(batch.offset);
            }
            index.recent.push(batch.clone());
        }
    }

    /// Closes the active segment. A footer that does not reach the disk costs the next start a look at all of the segment, no more.
    pub(super) fn seal(&mut self) {
        let Some(mut active) = self.active.take() else {
            return;
        };
        let footer = active.summary.encode(active.base.first, active.seed);
        let written = active
            .file
            .append(&footer)
            .and_then(|()| active.file.sync());
        if written.is_ok()
            && let Some(segment) = lock(&self.index).segments.back_mut()
        {
            segment.length += footer.len() as u64;
        }
    }

    /// After an error: what lies behind the last synced byte does not count, now or after a restart.
    fn give_up(&mut self) {
        let Some(active) = self.active.take() else {
            return;
        };
        let name = segment::file_name(active.number);
        drop(active.file);
        // Neither must succeed: the next segment's first offset bounds what counts of this one, and its file is written anew if it never counted.
        if active.length == 0 {
            let _ = self.disk.remove(&name);
        } else {
            let _ = self.disk.reopen(&name, active.length);
        }
    }
}

fn frames(
    bytes: &mut Vec<u8>,
    group: &[Arc<Batch>],
    settled: &[(u64, u64)],
    base: &encoding::Base,
    seed: u32,
) {
    for batch in group {
        segment::put_frame(bytes, seed, |body| encoding::encode(body, batch, base));
    }
    if settled.is_empty() {
        return;
    }
    let mut together = Settled::default();
    for (first, last) in settled {
        together.insert(*first, *last);
    }
    segment::put_frame(bytes, seed, |body| {
        body.push(segment::SETTLED);
        together.encode(body);
    });
}

/// Takes a batch into its segment's summary.
pub(super) fn summarize(summary: &mut Summary, batch: &Batch) {
    summary.next = batch.offset + 1;
    for record in &batch.records {
        match record {
            Record::Reading { reading, .. } => summary.take_time(reading.source_time()),
            Record::Transition(transition) => {
                summary.take_time(transition.time);
                summary.take_seq(transition.seq);
            }
            Record::Output { .. }
            | Record::Reloaded(_)
            | Record::Lost { .. }
            | Record::Started { .. }
            | Record::ClockSet { .. }
            | Record::Told(_)
            | Record::Act { .. }
            | Record::Proof(_) => {}
        }
    }
    if batch.is_urgent() {
        summary.take_urgent(batch.offset);
    }
}
