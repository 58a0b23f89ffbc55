//! What the log was: read back at start, whatever a power cut, a bad sector or another hand did to it.
//!
//! State comes from the last segment alone: its header's, and the frames behind it. The others are known by their footers; one without is read through.
//! Whatever offset should be there and is not, and was not settled, is a loss: it is recorded as one.

use super::bytes::Bytes;
use super::disk::Disk;
use super::encoding;
use super::index::{Index, Segment};
use super::record::{Names, Record};
use super::reference::References;
use super::segment::{self, Frames, Header, SHORTEST_FRAME, Summary};
use super::settled::{Settled, decode_ranges};
use super::state::State;
use super::store::{Active, Limits, Loss, Store, lock, summarize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tracing::{info, warn};

/// No transition takes fewer bytes.
const SHORTEST_TRANSITION: u64 = 40;

/// One segment as it was found.
struct Found {
    segment: Segment,
    /// Of the last segment alone: names and state are large.
    header: Option<Header>,
    sealed: bool,
    /// What of it can be read; of a sealed one, all that its footer promises.
    present: Settled,
    /// State and settled offsets after it; of the last segment alone.
    after: Option<(State, Settled)>,
    /// Bytes behind the last frame that holds.
    torn: u64,
}

impl Store {
    /// Opens the log on a disk. It is never refused: a segment that cannot be read is as good as lost.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        limits: Limits,
        names: Arc<Names>,
        fresh_stream: u64,
    ) -> (Self, bool) {
        let numbers = numbers(&*disk);
        let first_start = numbers.is_empty();
        let number = numbers.last().map_or(1, |last| last.0 + 1);
        let mut store = Self {
            disk,
            limits,
            stream: fresh_stream,
            names,
            state: State::default(),
            given_up: BTreeMap::new(),
            next_seq: 0,
            references: References::default(),
            index: Arc::new(Mutex::new(Index::default())),
            active: None,
            number,
            losses: Vec::new(),
            untold: Vec::new(),
        };
        store.recover(&numbers);
        (store, first_start)
    }

    /// From the newest segment to the oldest, one in memory at a time.
    fn recover(&mut self, numbers: &[(u64, u64)]) {
        let mut found: Vec<Found> = Vec::new();
        let mut strays = Vec::new();
        // Behind the last sound segment: so many bytes of unknown batches.
        let mut damaged = 0;
        for &(number, length) in numbers.iter().rev() {
            let bound = found.last().map(|newer| newer.segment.first);
            match header(&*self.disk, number) {
                Some((header, start)) if bound.is_none() || header.stream == self.stream => {
                    self.stream = header.stream;
                    found.push(self.find(header, start, length, bound));
                    continue;
                }
                Some(_) => warn!(number, "a journal segment of another stream is left out"),
                None => warn!(number, "a journal segment has a damaged header and is lost"),
            }
            if bound.is_none() {
                damaged += length;
            }
            strays.push((number, length));
        }
        found.reverse();
        self.take(found, damaged);
        lock(&self.index).strays = strays;
    }

    /// Reads one segment as far as it must be; `bound` is where the next begins, `None` for the last.
    fn find(&self, header: Header, start: u64, length: u64, bound: Option<u64>) -> Found {
        let footer = if header.thinned {
            None
        } else {
            Summary::read(&*self.disk, &header, length).unwrap_or_default()
        };
        let last = bound.is_none();
        if let (Some((mut summary, _)), false) = (footer.clone(), last) {
            summary.next = summary
                .next
                .min(bound.unwrap_or(u64::MAX))
                .max(header.first);
            let mut present = Settled::default();
            if summary.next > header.first {
                present.insert(header.first, summary.next - 1);
            }
            return Found {
                segment: Segment {
                    number: header.number,
                    first: header.first,

                    length,
                    thinned: None,
                    summary,
                },
                header: None,
                sealed: true,
                present,
                after: None,
                torn: 0,
            };
        }
        let end = footer
            .as_ref()
            .map_or(length, |(_, footer)| length - footer);
        let mut found = self.scan(header, start, end, bound);
        if !last {
            (found.header, found.after) = (None, None);
        }
        found.sealed = footer.is_some();
        if found.sealed {
            found.segment.length = length;
        }
        found
    }

    /// Reads all of a segment.
    fn scan(&self, header: Header, start: u64, end: u64, bound: Option<u64>) -> Found {
        let bound = bound.unwrap_or(u64::MAX);
        let mut summary = Summary {
            next: header.first,
            ..Summary::default()
        };
        let mut present = Settled::default();
        let (mut state, mut settled) = (header.state.clone(), header.settled.clone());
        let (mut offsets, base) = (Vec::new(), header.base());
        let mut frames = Frames::new(&*self.disk, header.number, header.seed(), start, end);
        let mut sound = start;
        loop {
            let body = match frames.next() {
                Ok(Some((_, body))) => body,
                Ok(None) => break,
                Err(error) => {
                    warn!(number = header.number, %error, "a journal segment cannot be read to its end");
                    break;
                }
            };
            match segment::kind(body) {
                encoding::BATCH => {
                    let Some(batch) = encoding::decode(body, &base, &header.names) else {
                        continue;
                    };
                    // Each once, in order: what a failed write left behind comes again in the next segment.
                    if batch.offset < summary.next || batch.offset >= bound {
                        continue;
                    }
                    summarize(&mut summary, &batch);
                    present.insert(batch.offset, batch.offset);
                    offsets.push(batch.offset);
                    for record in &batch.records {
                        state.follow(&header.names, record);
                        if let Record::Lost { from, to, .. } = record {
                            settled.insert(*from, *to);
                        }
                    }
                }
                segment::SETTLED => {
                    let mut bytes = Bytes(&body[1..]);
                    for (first, last) in decode_ranges(&mut bytes).unwrap_or_default() {
                        settled.insert(first, last);
                    }
                }
                _ => {}
            }
            sound = frames.sound;
        }
        let thinned = header.thinned.then(|| offsets.into());
        Found {
            segment: Segment {
                number: header.number,
                first: header.first,

                length: sound,
                thinned,
                summary,
            },
            header: Some(header),
            sealed: false,
            present,
            after: Some((state, settled)),
            torn: end - sound,
        }
    }

    /// Takes up what was found.
    fn take(&mut self, mut found: Vec<Found>, damaged: u64) {
        let Some(last) = found.last_mut() else { return };
        let (state, settled) = last.after.take().unwrap_or_default();
        self.state = state;
        if let Some(header) = last
            .header
            .as_ref()
            .filter(|header| header.names == self.names)
        {
            self.references = References::clone(&header.references);
        }
        // So many batches and transitions may have stood where nothing can be read, and may be known to the cloud: their numbers are not used again.
        let unreadable = last.torn + damaged;
        let next = last.segment.summary.next + unreadable.div_ceil(SHORTEST_FRAME);
        self.state.next_seq += unreadable.div_ceil(SHORTEST_TRANSITION);
        self.next_seq = self.state.next_seq;
        if unreadable > 0 {
            warn!(bytes = unreadable, "the journal's end was torn");
        }
        let mut index = Index {
            settled,
            next,
            lost_batches: self.state.lost_batches,
            ..Index::default()
        };
        let mut present = Settled::default();
        for found in &found {
            present.insert_all(&found.present);
        }
        for (from, to) in index.settled.open_between(0, next) {
            for (from, to) in present.open_between(from, to + 1) {
                self.losses.push(Loss {
                    from,
                    to,
                    readings: 0,
                });
            }
        }
        for loss in &self.losses {
            warn!(from = loss.from, to = loss.to, "journal batches are lost");
            index.settled.insert(loss.from, loss.to);
        }
        // What is torn stays as it is until the next segment, which begins behind the numbers passed over, is on disk: a second cut finds the same.
        self.resume(found.last().filter(|_| unreadable == 0));
        for found in found {
            for offset in &found.segment.summary.urgent {
                index.add_urgent(*offset);
            }
            let mut segment = found.segment;
            segment.summary.urgent = Vec::new();
            index.segments.push_back(segment);
        }
        let first = index.first();
        index.settled.forget_below(first);
        info!(first, next, "journal opened");
        *lock(&self.index) = index;
    }

    /// Goes on with the last segment if it can be written on: else each start would make a new one.
    fn resume(&mut self, last: Option<&Found>) {
        let may = |header: &&Header| {
            !header.thinned && header.version == segment::VERSION && header.names == self.names
        };
        let Some(last) = last.filter(|last| !last.sealed) else {
            return;
        };
        let Some(header) = last.header.as_ref().filter(may) else {
            return;
        };
        let segment = &last.segment;
        let file = self
            .disk
            .reopen(&segment::file_name(segment.number), segment.length);
        let synced = file.and_then(|mut file| file.sync().map(|()| file));
        match synced {
            Ok(file) => {
                self.active = Some(Active {
                    file,
                    number: segment.number,
                    base: header.base(),
                    seed: header.seed(),
                    length: segment.length,
                    summary: segment.summary.clone(),
                });
            }
            Err(error) => warn!(%error, "the journal's last segment cannot be written on"),
        }
    }
}

/// The numbers and lengths of the segments on a disk, rising; what a thinning left half done goes.
fn numbers(disk: &dyn Disk) -> Vec<(u64, u64)> {
    let files = disk.list().unwrap_or_else(|error| {
        warn!(%error, "the journal's directory cannot be read");
        Vec::new()
    });
    let mut numbers = Vec::new();
    for (name, length) in files {
        if name.ends_with(".tmp") {
            let _ = disk.remove(&name);
        } else if let Some(number) = segment::number_of(&name) {
            numbers.push((number, length));
        }
    }
    numbers.sort_unstable();
    numbers
}

fn header(disk: &dyn Disk, number: u64) -> Option<(Header, u64)> {
    Header::read(disk, number).unwrap_or_else(|error| {
        warn!(number, %error, "a journal segment cannot be read");
        None
    })
}
