//! A journal's directory as somebody else's: read without its lock and never written, also while its gateway goes on writing.
//!
//! What is torn, damaged or removed meanwhile is passed over and counted. The state at a time is that of a segment's header, and the records behind it.

use super::disk::{Directory, Disk};
use super::encoding;
use super::record::{Batch, Names, Record};
use super::segment::{self, Frames, Header};
use super::state::State;
use crate::judge::Switched;
use davy_alarm::{Saved, WallMs};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// One segment, as its header tells it.
#[derive(Clone, Copy, Debug)]
struct Known {
    number: u64,
    first: u64,
    made: WallMs,
    /// Bytes when the archive was opened: what is appended later is not read.
    length: u64,
}

/// The segments of one stream, the oldest first.
#[derive(Debug)]
pub struct Archive {
    disk: Directory,
    segments: Vec<Known>,
    digest: String,
}

/// What the log comes to at some place of it: the durable state of every alarm, and the outputs that are on.
#[derive(Debug, Default)]
pub struct Standing(State);

impl Standing {
    /// Goes on with the next record.
    pub fn follow(&mut self, names: &Names, record: &Record) {
        self.0.follow(names, record);
    }

    /// An alarm's durable state; `None` = it has had no transition.
    pub fn saved(&self, alarm: &str) -> Option<Saved> {
        self.0.alarms.get(alarm).map(|(saved, _)| *saved)
    }

    /// An output's newest journalled demand.
    pub fn switched(&self, output: &str) -> Switched {
        self.0.outputs.get(output).copied().unwrap_or_default()
    }
}

/// How much of a reading of the archive was not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Batches between the first and the last read that were lost, removed, damaged, or of which only those with transitions were kept.
    pub batches: u64,
}

impl Archive {
    /// Finds the segments of the newest stream in a directory.
    ///
    /// # Errors
    /// If the directory cannot be read, or holds no segment that can be.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let disk = Directory::look(dir);
        let mut numbers: Vec<(u64, u64)> = disk
            .list()?
            .into_iter()
            .filter_map(|(name, length)| Some((segment::number_of(&name)?, length)))
            .collect();
        numbers.sort_unstable();
        let mut segments: Vec<Known> = Vec::new();
        let mut newest: Option<(u64, String)> = None;
        for (number, length) in numbers.into_iter().rev() {
            let Some((header, _)) = header(&disk, number)? else {
                continue;
            };
            let (stream, _) =
                newest.get_or_insert_with(|| (header.stream, header.names.digest.clone()));
            if header.stream == *stream {
                segments.push(Known {
                    number,
                    first: header.first,
                    made: header.made,
                    length,
                });
            }
        }
        segments.reverse();
        match newest {
            Some((_, digest)) => Ok(Self {
                disk,
                segments,
                digest,
            }),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("no journal segment in {}", dir.display()),
            )),
        }
    }

    /// SHA-256 of the site file that the newest segment was written under.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The segment to begin with so as to know everything from a time on, and what the log comes to before it.
    ///
    /// A header's state may be ahead: it holds what the group holds that the segment was made for. So it begins a segment early, where there is one; the
    /// records behind it make up for that. Of the oldest, an alarm whose state is ahead counts as new.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn begin(&self, from: Option<WallMs>) -> io::Result<(usize, Standing)> {
        let before = |segment: &Known| from.is_some_and(|from| segment.made <= from);
        let newest = self.segments.iter().rposition(before);
        let mut position = newest.map_or(0, |newest| newest.saturating_sub(1));
        // One that is gone meanwhile was the oldest.
        while let Some(known) = self.segments.get(position) {
            if let Some((header, _)) = header(&self.disk, known.number)? {
                // Nothing comes before the stream's first batch.
                let state = match header.first {
                    0 => State::default(),
                    _ => self.without_ahead(position, header.state)?,
                };
                return Ok((position, Standing(state)));
            }
            position += 1;
        }
        Ok((position, Standing::default()))
    }

    /// A header's state without the alarms whose transitions come again behind it.
    fn without_ahead(&self, position: usize, mut state: State) -> io::Result<State> {
        let end = self.segments.get(position + 1).map(|next| next.first);
        self.each(position, |batch| {
            if end.is_some_and(|end| batch.offset >= end) {
                return ControlFlow::Break(());
            }
            for record in &batch.records {
                if let Record::Transition(transition) = record
                    && let Some(id) = batch.names.alarms.get(transition.alarm as usize)
                    && state
                        .alarms
                        .get(id)
                        .is_some_and(|(_, story)| transition.seq <= story.seq)
                {
                    state.alarms.remove(id);
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(state)
    }

    /// Every batch from a segment on, in the order of their offsets, until told to stop.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn each(
        &self,
        begin: usize,
        mut visit: impl FnMut(&Batch) -> ControlFlow<()>,
    ) -> io::Result<Missing> {
        let mut missing = Missing::default();
        let mut next: Option<u64> = None;
        for (position, known) in self.segments.iter().enumerate().skip(begin) {
            let Some((header, start)) = header(&self.disk, known.number)? else {
                continue;
            };
            // What a failed write left behind comes again in the next segment.
            let bound = self
                .segments
                .get(position + 1)
                .map_or(u64::MAX, |later| later.first);
            let base = header.base();
            let mut frames = Frames::new(
                &self.disk,
                known.number,
                header.seed(),
                start,
                known.length.max(start),
            );
            while let Some(body) = frame(&mut frames)? {
                let is_batch = segment::kind(body) == encoding::BATCH;
                let Some(batch) = is_batch
                    .then(|| encoding::decode(body, &base, &header.names))
                    .flatten()
                else {
                    continue;
                };
                if batch.offset >= bound || next.is_some_and(|next| batch.offset < next) {
                    continue;
                }
                missing.batches += next.map_or(0, |next| batch.offset - next);
                next = Some(batch.offset + 1);
                if visit(&batch).is_break() {
                    return Ok(missing);
                }
            }
        }
        Ok(missing)
    }
}

/// A segment's header; `None` if it is damaged, or removed since.
fn header(disk: &Directory, number: u64) -> io::Result<Option<(Header, u64)>> {
    or_gone(Header::read(disk, number))
}

fn frame<'f>(frames: &'f mut Frames<'_>) -> io::Result<Option<&'f [u8]>> {
    or_gone(frames.next()).map(|frame| frame.map(|(_, body)| body))
}

/// A file that its gateway removed meanwhile has nothing more to tell.
fn or_gone<T>(read: io::Result<Option<T>>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other,
    }
}
