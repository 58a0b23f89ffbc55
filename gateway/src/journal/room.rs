//! Room on the disk. What the cloud has goes first, oldest first; then the oldest telemetry that it has not, as a recorded loss. Unacknowledged
//! transitions stay: their segment is thinned, that is, rewritten with them alone under their own offsets.

use super::bytes::Bytes;
use super::encoding;
use super::index::{Index, Segment};
use super::segment::{self, Frames, Header, file_name};
use super::settled::Settled;
use super::store::{Loss, Store, lock};
use std::io;
use tracing::warn;

/// A thinned segment is written in pieces of this size, bytes.
const PIECE: usize = 64 << 10;

impl Store {
    /// Makes room for so many more bytes, for a group with transitions or for telemetry alone; `false` if there is none to be made.
    pub(super) fn make_room(&mut self, bytes: u64, urgent: bool) -> io::Result<bool> {
        let reserve = if urgent { 0 } else { self.limits.reserve_bytes };
        let limit = self.limits.max_bytes.saturating_sub(reserve);
        while lock(&self.index).bytes() + bytes > limit {
            if !self.give_way(urgent)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the oldest segment that nobody needs any more; `false` if there is none.
    fn free_settled(&mut self) -> bool {
        let mut index = lock(&self.index);
        let stray = index.strays.pop().map(|(number, _)| number);
        let on_disk = index.settled_on_disk();
        let settled = closed(&index).find(|segment| segment.is_settled(&on_disk));
        let number = stray.or(settled.map(|segment| segment.number));
        drop(index);
        number.is_some_and(|number| self.forget(number).is_ok())
    }

    /// Frees some room on a disk that something else filled; `false` if that cannot be done.
    pub(super) fn free_some(&mut self) -> bool {
        if self.free_settled() {
            return true;
        }
        // One that must be thinned would itself need room.
        let index = lock(&self.index);
        let without_urgent = closed(&index)
            .find(|segment| {
                index
                    .urgent
                    .range(segment.first..segment.summary.next)
                    .next()
                    .is_none()
            })
            .cloned();
        drop(index);
        without_urgent.is_some_and(|segment| self.thin(&segment).is_ok())
    }

    /// One segment makes way for a newer batch; `false` if none can.
    fn give_way(&mut self, urgent: bool) -> io::Result<bool> {
        if self.free_settled() {
            return Ok(true);
        }
        let index = lock(&self.index);
        let whole = closed(&index)
            .find(|segment| segment.thinned.is_none())
            .cloned();
        let oldest = closed(&index).next().cloned();
        drop(index);
        match (whole, oldest) {
            (Some(segment), _) => self.thin(&segment)?,
            (None, Some(segment)) if urgent => self.lose_segment(&segment)?,
            (None, _) => return Ok(false),
        }
        Ok(true)
    }

    /// Removes a segment's file and all that is known of it. Unsynced on purpose: if the name comes back after a power cut, its batches are settled all the same.
    fn forget(&mut self, number: u64) -> io::Result<()> {
        match self.disk.remove(&file_name(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut index = lock(&self.index);
        index.segments.retain(|segment| segment.number != number);
        let first = index.first();
        index.settled.forget_below(first);
        Ok(())
    }

    /// All segments hold nothing but unacknowledged transitions: the oldest go.
    fn lose_segment(&mut self, segment: &Segment) -> io::Result<()> {
        let left = segment.thinned.clone().unwrap_or_default();
        let mut index = lock(&self.index);
        let lost: Vec<u64> = left
            .iter()
            .copied()
            .filter(|offset| !index.settled.contains(*offset))
            .collect();
        for offset in &lost {
            index.urgent.remove(offset);
        }
        drop(index);
        warn!(
            batches = lost.len(),
            "the journal is full: unacknowledged transitions are lost"
        );
        for offset in lost {
            self.lose(offset, 0);
        }
        self.forget(segment.number)
    }

    /// Rewrites a segment with its unsettled urgent batches alone; without any it goes as a whole.
    fn thin(&mut self, segment: &Segment) -> io::Result<()> {
        let Some((mut header, start)) = Header::read(&*self.disk, segment.number)? else {
            return self.lose_unreadable(segment);
        };
        header.thinned = true;
        // Only the last segment's state and settled offsets are ever read.
        header.state = super::state::State::default();
        header.settled = Settled::default();
        let index = lock(&self.index);
        let (settled, acknowledged) = (index.settled_on_disk(), index.settled.clone());
        drop(index);
        let mut kept = Kept::new(self, &header)?;
        let mut frames = Frames::new(
            &*self.disk,
            segment.number,
            header.seed(),
            start,
            segment.length,
        );
        let (mut losses, base) = (Vec::new(), header.base());
        while let Some((_, body)) = frames.next()? {
            let Some(head) = encoding::head(&mut Bytes(body), &base) else {
                continue;
            };
            if settled.contains(head.offset)
                || head.offset >= segment.summary.next
                || kept.offsets.last().is_some_and(|last| *last >= head.offset)
            {
                continue;
            }
            if head.urgent {
                kept.keep(body, head.offset, header.seed())?;
            } else if !acknowledged.contains(head.offset) {
                losses.push((head.offset, head.records as u64));
            }
        }
        let offsets = kept.offsets.clone();
        if offsets.is_empty() {
            drop(kept);
            let _ = self.disk.remove(&temporary(segment.number));
            self.forget(segment.number)?;
        } else {
            let length = kept.finish()?;
            self.disk
                .rename(&temporary(segment.number), &file_name(segment.number))?;
            self.disk.sync_names()?;
            self.replace(segment, offsets.clone(), length);
        }
        warn!(
            number = segment.number,
            batches = losses.len(),
            "the journal is full: its oldest telemetry is lost"
        );
        for (offset, readings) in losses {
            self.lose(offset, readings);
        }
        self.lose_missing(segment, &offsets);
        Ok(())
    }

    fn replace(&self, segment: &Segment, offsets: Vec<u64>, length: u64) {
        let mut index = lock(&self.index);
        if let Some(known) = index
            .segments
            .iter_mut()
            .find(|known| known.number == segment.number)
        {
            known.length = length;
            known.thinned = Some(offsets.into());
        }
    }

    fn lose_unreadable(&mut self, segment: &Segment) -> io::Result<()> {
        self.lose_missing(segment, &[]);
        self.forget(segment.number)
    }

    /// What a segment should have held, and neither kept nor told as lost: unreadable.
    fn lose_missing(&mut self, segment: &Segment, kept: &[u64]) {
        let mut gone = lock(&self.index).settled.clone();
        for offset in kept {
            gone.insert(*offset, *offset);
        }
        for (from, to) in gone.open_between(segment.first, segment.summary.next) {
            lock(&self.index).settled.insert(from, to);
            self.losses.push(Loss {
                from,
                to,
                readings: 0,
            });
        }
    }

    /// A batch is lost: it needs nothing more, but a record.
    fn lose(&mut self, offset: u64, readings: u64) {
        lock(&self.index).settled.insert(offset, offset);
        match self.losses.last_mut() {
            Some(last) if last.to + 1 == offset => {
                last.to = offset;
                last.readings += readings;
            }
            _ => self.losses.push(Loss {
                from: offset,
                to: offset,
                readings,
            }),
        }
    }
}

/// The segments but for the newest two, oldest first. The newest is written, and begins with the state that the next start needs; should its header be
/// damaged then, the one before tells the state.
fn closed(index: &Index) -> impl Iterator<Item = &Segment> {
    index
        .segments
        .iter()
        .take(index.segments.len().saturating_sub(2))
}

fn temporary(number: u64) -> String {
    format!("{}.tmp", file_name(number))
}

/// A thinned segment in the making.
struct Kept {
    file: Box<dyn super::disk::DiskFile>,
    piece: Vec<u8>,
    length: u64,
    offsets: Vec<u64>,
}

impl Kept {
    fn new(store: &Store, header: &Header) -> io::Result<Self> {
        let file = store.disk.create(&temporary(header.number))?;
        Ok(Self {
            file,
            piece: header.encode(),
            length: 0,
            offsets: Vec::new(),
        })
    }

    fn keep(&mut self, body: &[u8], offset: u64, seed: u32) -> io::Result<()> {
        segment::put_frame(&mut self.piece, seed, |out| out.extend_from_slice(body));
        self.offsets.push(offset);
        if self.piece.len() >= PIECE {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.append(&self.piece)?;
        self.length += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    /// Its length, once it is on disk.
    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.file.sync()?;
        Ok(self.length)
    }
}
