//! What a gateway's journal said that it has on disk: from then on every reading and transition of it must reach the city, once and as it is, or be recorded
//! as lost.

use crate::ledger::Ledger;
use davy_alarm::Saved;
use davy_gateway::journal::{Act, Batch, Names, Record, Transition};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something that somebody did at the plant, as the journal has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) silenced: u64,
    pub(crate) reset: u64,
    /// Lines that tell of a loss.
    pub(crate) losses: u64,
    /// Changes of the site file while it ran.
    pub(crate) reloads: u64,
}

/// A transition on disk.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) offset: u64,
    /// By the names of its own batch: a changed site file has others.
    pub(crate) alarm: Arc<str>,
    pub(crate) transition: Transition,
}

/// The witness of one gateway, over all of its lives.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) stream: Option<u64>,
    /// The next offset to look at.
    pub(crate) next: u64,
    /// The digest of each batch as it was first seen.
    seen: BTreeMap<u64, [u8; 8]>,
    /// Of those, what is not known to be in the city.
    pub(crate) unsettled: BTreeSet<u64>,
    /// By sequence number.
    pub(crate) lines: BTreeMap<u64, Line>,
    /// All transitions below it were found in the city.
    pub(crate) found_lines: u64,
    /// By point.
    pub(crate) readings: BTreeMap<String, Ledger>,
    /// The newest of each alarm.
    saved: BTreeMap<Arc<str>, Saved>,
    /// The newest of each output.
    pub(crate) outputs: BTreeMap<Arc<str>, bool>,
    /// Batches told of as lost, by the first of each range that was told: the last of it.
    lost: BTreeMap<u64, u64>,
    /// Of those, what nobody had seen.
    lost_unseen: BTreeSet<u64>,
    /// On disk by their offset, and not to be had.
    pub(crate) unread: BTreeSet<u64>,
    pub(crate) counts: Counts,
}

impl Witness {
    /// A batch that is on disk.
    ///
    /// # Errors
    /// If it is another than the one that was seen before.
    pub(crate) fn sees(&mut self, batch: &Batch) -> Result<(), String> {
        let digest = digest(batch);
        if let Some(seen) = self.seen.get(&batch.offset) {
            return if *seen == digest {
                Ok(())
            } else {
                Err(format!("batch {} is another one than before", batch.offset))
            };
        }
        self.seen.insert(batch.offset, digest);
        self.unsettled.insert(batch.offset);
        self.unread.remove(&batch.offset);
        self.lost_unseen.remove(&batch.offset);
        for record in &batch.records {
            self.record(&batch.names, batch.offset, record)?;
        }
        Ok(())
    }

    /// Batches that were on disk.
    pub(crate) fn batches(&self) -> usize {
        self.seen.len()
    }

    /// Whether a batch was seen on disk.
    pub(crate) fn has_seen(&self, offset: u64) -> bool {
        self.seen.contains_key(&offset)
    }

    /// Whether a batch that was seen is known to be in the city.
    pub(crate) fn is_settled(&self, offset: u64) -> bool {
        self.has_seen(offset) && !self.unsettled.contains(&offset)
    }

    /// After a start the journal ends there. It may have passed over numbers at what was torn, on a disk that took no writes, and find nothing torn after the next
    /// cut: nobody ever had anything under those.
    pub(crate) fn ends_at(&mut self, next: u64) {
        if (next..self.next).all(|offset| self.unread.contains(&offset)) {
            self.unread.retain(|offset| *offset < next);
            self.next = self.next.min(next);
        }
    }

    /// Whether an offset is told of as lost.
    pub(crate) fn is_lost(&self, offset: u64) -> bool {
        let before = self.lost.range(..=offset).next_back();
        before.is_some_and(|(_, last)| offset <= *last)
    }

    /// Batches told of as lost, each once.
    pub(crate) fn batches_lost(&self) -> u64 {
        let ranges = self.lost.iter();
        ranges.map(|(first, last)| last - first + 1).sum()
    }

    /// Whether something was lost before anybody saw it: then the newest state may be newer than what was seen.
    pub(crate) fn has_holes(&self) -> bool {
        !self.unread.is_empty() || !self.lost_unseen.is_empty()
    }

    fn lose(&mut self, mut first: u64, mut last: u64) {
        let unseen = (first..=last).filter(|offset| !self.seen.contains_key(offset));
        self.lost_unseen.extend(unseen);
        // Ranges that touch become one.
        while let Some((&from, &to)) = self.lost.range(..=last).next_back()
            && to >= first
        {
            self.lost.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.lost.insert(first, last);
    }

    /// What an alarm's state must be after a restart.
    pub(crate) fn saved(&self, alarm: &str) -> Option<Saved> {
        self.saved.get(alarm).copied()
    }

    pub(crate) fn newest_seq(&self) -> u64 {
        self.lines.keys().next_back().copied().unwrap_or_default()
    }

    fn record(&mut self, names: &Names, offset: u64, record: &Record) -> Result<(), String> {
        match record {
            Record::Reading { point, reading } => {
                let id = &names.points[*point as usize];
                let of_point = self.readings.entry(id.to_string()).or_default();
                of_point.sees(offset, *reading);
            }
            Record::Transition(line) => self.line(names, offset, line)?,
            Record::Output { output, on, .. } => {
                let id = names.outputs[*output as usize].clone();
                self.outputs.insert(id, *on);
            }
            Record::Lost { from, to, .. } => {
                self.lose(*from, *to);
                self.counts.losses += 1;
            }
            Record::Act {
                act: Act::Silence, ..
            } => self.counts.silenced += 1,
            Record::Act {
                act: Act::ResetOutput(_),
                ..
            } => self.counts.reset += 1,
            Record::Reloaded(_) => self.counts.reloads += 1,
            // Nobody here tests an output or proves a loop.
            Record::Act {
                act: Act::TestOutput { .. },
                ..
            }
            | Record::Started { .. }
            | Record::ClockSet { .. }
            | Record::Told(_)
            | Record::Proof(_) => {}
        }
        Ok(())
    }

    fn line(&mut self, names: &Names, offset: u64, line: &Transition) -> Result<(), String> {
        if line.seq <= self.newest_seq() {
            return Err(format!(
                "transition {} comes after {}",
                line.seq,
                self.newest_seq()
            ));
        }
        let alarm = names.alarms[line.alarm as usize].clone();
        self.saved.insert(alarm.clone(), line.saved);
        let transition = line.clone();
        let line = Line {
            offset,
            alarm,
            transition,
        };
        self.lines.insert(line.transition.seq, line);
        Ok(())
    }
}

fn digest(batch: &Batch) -> [u8; 8] {
    let text = format!("{:?}{:?}{:?}", batch.made, batch.device, batch.records);
    let hash = Sha256::digest(text.as_bytes());
    let mut digest = [0; 8];
    digest.copy_from_slice(&hash[..8]);
    digest
}
