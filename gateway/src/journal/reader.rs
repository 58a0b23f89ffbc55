//! Looks batches up on disk. Its reads block: they belong off the runtime.

use super::bytes::Bytes;
use super::disk::Disk;
use super::encoding::{self, Base};
use super::index::{Index, Segment};
use super::record::{Batch, Names};
use super::segment::{self, Frames, Header};
use super::store::lock;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::warn;

/// Distance of the marks by which a place in a segment is found, bytes.
const MARK_EVERY: u64 = 32 << 10;

#[derive(Debug)]
pub(super) struct Reader {
    disk: Arc<dyn Disk>,
    index: Arc<Mutex<Index>>,
    /// The segment that was read last: a backlog is read in order, a batch at a time.
    open: Mutex<Option<Open>>,
}

/// A segment with what reading it needs.
#[derive(Clone, Debug)]
pub(super) struct Open {
    number: u64,
    thinned: bool,
    pub(super) base: Base,
    seed: u32,
    pub(super) names: Arc<Names>,
    /// Offsets and the places of their frames, rising; the first is the header's end.
    marks: Vec<(u64, u64)>,
    /// The offset after the last one read, and its place.
    last: (u64, u64),
}

impl Open {
    fn new(disk: &dyn Disk, segment: &Segment) -> io::Result<Option<Self>> {
        Ok(
            Header::read(disk, segment.number)?.map(|(header, start)| Self {
                number: segment.number,
                thinned: segment.thinned.is_some(),
                base: header.base(),
                seed: header.seed(),
                names: header.names,
                marks: vec![(header.first, start)],
                last: (header.first, start),
            }),
        )
    }

    fn is(&self, segment: &Segment) -> bool {
        self.number == segment.number && self.thinned == segment.thinned.is_some()
    }

    /// The nearest known place at or before an offset.
    fn place(&self, offset: u64) -> u64 {
        let after = self.marks.partition_point(|mark| mark.0 <= offset);
        let (at, mark) = self.marks[after.max(1) - 1];
        if self.last.0 <= offset && self.last.0 >= at {
            self.last.1
        } else {
            mark
        }
    }

    fn find(
        &mut self,
        disk: &dyn Disk,
        segment: &Segment,
        offset: u64,
    ) -> io::Result<Option<Batch>> {
        let from = self.place(offset);
        let mut frames = Frames::new(disk, self.number, self.seed, from, segment.length);
        while let Some((at, body)) = frames.next()? {
            if segment::kind(body) != encoding::BATCH {
                continue;
            }
            let Some(head) = encoding::head(&mut Bytes(body), &self.base) else {
                continue;
            };
            if self
                .marks
                .last()
                .is_none_or(|mark| mark.0 < head.offset && at >= mark.1 + MARK_EVERY)
            {
                self.marks.push((head.offset, at));
            }
            if head.offset >= offset {
                let found = (head.offset == offset)
                    .then(|| encoding::decode(body, &self.base, &self.names))
                    .flatten();
                self.last = (offset + 1, if found.is_some() { frames.sound } else { at });
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl Reader {
    pub(super) fn new(disk: Arc<dyn Disk>, index: Arc<Mutex<Index>>) -> Self {
        Self {
            disk,
            index,
            open: Mutex::new(None),
        }
    }

    /// A batch by its offset. One that is damaged on the disk is noted as a loss.
    pub(super) fn batch(&self, offset: u64) -> Option<Arc<Batch>> {
        let segment = lock(&self.index).segment_of(offset)?.clone();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match self.find(&mut open, &segment, offset) {
            Ok(Some(batch)) => Some(Arc::new(batch)),
            Ok(None) => {
                self.note_damaged(&segment, offset);
                None
            }
            Err(error) => {
                warn!(offset, %error, "a journal batch cannot be read");
                None
            }
        }
    }

    fn note_damaged(&self, segment: &Segment, offset: u64) {
        let mut index = lock(&self.index);
        let is_unchanged = index
            .segment_of(offset)
            .is_some_and(|now| now.number == segment.number && now.length == segment.length);
        if is_unchanged && !index.settled.contains(offset) {
            warn!(
                offset,
                number = segment.number,
                "a journal batch is damaged"
            );
            index.settled.insert(offset, offset);
            index.urgent.remove(&offset);
            index.damaged.push(offset);
        }
    }

    /// The segments as they are now.
    pub(super) fn segments(&self) -> Vec<Segment> {
        lock(&self.index).segments.iter().cloned().collect()
    }

    pub(super) fn open(&self, segment: &Segment) -> io::Result<Option<Open>> {
        Open::new(&*self.disk, segment)
    }

    /// All frames of a segment.
    pub(super) fn frames(&self, open: &Open, segment: &Segment) -> Frames<'_> {
        Frames::new(
            &*self.disk,
            open.number,
            open.seed,
            open.marks[0].1,
            segment.length,
        )
    }

    fn find(
        &self,
        open: &mut Option<Open>,
        segment: &Segment,
        offset: u64,
    ) -> io::Result<Option<Batch>> {
        if !open.as_ref().is_some_and(|open| open.is(segment)) {
            *open = Open::new(&*self.disk, segment)?;
        }
        match open {
            Some(open) => open.find(&*self.disk, segment, offset),
            None => Ok(None),
        }
    }
}
