//! What a gateway's journal said that it has on disk: from then on every reading and transition of it must reach the city, once and as it is, or be recorded
//! as lost.

use davy_alarm::{Reading, Saved};
use davy_gateway::journal::{Act, Batch, Names, Record, Transition};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A batch as it was first seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    digest: [u8; 8],
    /// In the city, or recorded as lost.
    pub(crate) settled: bool,
}

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
    pub(crate) seen: BTreeMap<u64, Seen>,
    /// By sequence number.
    pub(crate) lines: BTreeMap<u64, Line>,
    /// By point and source time, with the batch; several when a clock was set back.
    pub(crate) readings: BTreeMap<String, BTreeMap<i64, Vec<(u64, Reading)>>>,
    /// The newest of each alarm.
    saved: BTreeMap<Arc<str>, Saved>,
    /// The newest of each output.
    pub(crate) outputs: BTreeMap<Arc<str>, bool>,
    pub(crate) lost: Vec<(u64, u64)>,
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
            return if seen.digest == digest {
                Ok(())
            } else {
                Err(format!("batch {} is another one than before", batch.offset))
            };
        }
        let settled = false;
        self.seen.insert(batch.offset, Seen { digest, settled });
        self.unread.remove(&batch.offset);
        for record in &batch.records {
            self.record(&batch.names, batch.offset, record)?;
        }
        Ok(())
    }

    /// Whether an offset is told of as lost.
    pub(crate) fn is_lost(&self, offset: u64) -> bool {
        self.lost
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&offset))
    }

    /// Whether something was lost before anybody saw it: then the newest state may be newer than what was seen.
    pub(crate) fn has_holes(&self) -> bool {
        !self.unread.is_empty()
            || (self.lost.iter())
                .any(|(from, to)| (*from..=*to).any(|at| !self.seen.contains_key(&at)))
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
                let at = of_point.entry(reading.source_time().0).or_default();
                at.push((offset, *reading));
            }
            Record::Transition(line) => self.line(names, offset, line)?,
            Record::Output { output, on, .. } => {
                let id = names.outputs[*output as usize].clone();
                self.outputs.insert(id, *on);
            }
            Record::Lost { from, to, .. } => {
                self.lost.push((*from, *to));
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
