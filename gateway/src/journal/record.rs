//! What the journal keeps: records, gathered into immutable batches, each of one device or of the node itself, known by its offset.
//!
//! Records name points, alarms and outputs by position in the [`Names`] of their segment, because a site file may change between writing and reading.
//! The gateway's own site has the same positions for as long as its digest is the segment's.

use crate::judge::Person;
use crate::node::Told;
use davy_alarm::{Cause, NoValue, Reading, Saved, Shown, WallMs};
use davy_config::site::Site;
use std::sync::Arc;

/// The ids behind the positions of a segment's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// SHA-256 of the site file, hexadecimal.
    pub digest: String,
    pub devices: Vec<Arc<str>>,
    pub points: Vec<Arc<str>>,
    pub alarms: Vec<Arc<str>>,
    pub outputs: Vec<Arc<str>>,
}

impl Names {
    /// The ids of a site, by its own positions.
    pub fn of(site: &Site) -> Self {
        let ids = |ids: Vec<&str>| ids.into_iter().map(Arc::from).collect();
        Self {
            digest: site.digest.clone(),
            devices: ids(site.devices.iter().map(|device| &*device.id).collect()),
            points: ids(site.points.iter().map(|point| &*point.id).collect()),
            alarms: ids(site.alarms.iter().map(|alarm| &*alarm.id).collect()),
            outputs: ids(site.outputs.iter().map(|output| &*output.id).collect()),
        }
    }
}

impl Names {
    /// Whether an id stands behind the position in a record.
    pub(super) fn know(&self, record: &Record) -> bool {
        let within = |position: u32, ids: &[Arc<str>]| {
            usize::try_from(position).is_ok_and(|position| position < ids.len())
        };
        match record {
            Record::Reading { point, .. } => within(*point, &self.points),
            Record::Transition(transition) => {
                within(transition.alarm, &self.alarms) && (1..=4).contains(&transition.priority)
            }
            Record::Output { output, .. }
            | Record::Act {
                act: Act::ResetOutput(output) | Act::TestOutput { output, .. },
                ..
            } => within(*output, &self.outputs),
            Record::Proof(proof) => match proof.of {
                Proved::Point(point) => within(point, &self.points),
                Proved::Output(output) => within(output, &self.outputs),
                Proved::Site => true,
            },
            Record::Act {
                act: Act::Silence, ..
            }
            | Record::Lost { .. }
            | Record::Reloaded(_)
            | Record::Started { .. }
            | Record::Told(_)
            | Record::ClockSet { .. } => true,
        }
    }
}

/// An immutable group of records of one source, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Position in the stream; rises by one a batch.
    pub offset: u64,
    /// When it was made.
    pub made: WallMs,
    pub names: Arc<Names>,
    /// Position in [`Names::devices`]; `None` = of the node itself (outputs, losses, starts).
    pub device: Option<u32>,
    pub records: Vec<Record>,
}

impl Batch {
    /// Whether it holds a transition, an act, a change of the site file, a loss, what a node told or a setting of the clock: such batches go to the cloud ahead of all others, and are the last to leave a full disk.
    pub fn is_urgent(&self) -> bool {
        self.records.iter().any(|record| match record {
            Record::Transition(_)
            | Record::Act { .. }
            | Record::Proof(_)
            | Record::Lost { .. }
            | Record::Reloaded(_)
            | Record::Told(_)
            | Record::ClockSet { .. } => true,
            Record::Reading { .. } | Record::Output { .. } | Record::Started { .. } => false,
        })
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Reading {
        /// Position in [`Names::points`].
        point: u32,
        reading: Reading,
    },
    Transition(Box<Transition>),
    /// An output's demand changed.
    Output {
        /// Position in [`Names::outputs`].
        output: u32,
        on: bool,
        time: WallMs,
    },
    /// Batches `from..=to` that the cloud never got were removed from a full disk, or could not be written or read.
    Lost {
        from: u64,
        to: u64,
        /// Readings in them, as far as known.
        readings: u64,
        time: WallMs,
    },
    /// The gateway started.
    Started {
        time: WallMs,
    },
    /// The wall clock was set while the gateway ran. Times before it in this run stay as they were told; added to them, `by_ms` makes them those of the clock as it
    /// is now.
    ClockSet {
        /// By the clock as it is now.
        time: WallMs,
        /// How far it was set forward; below 0, back.
        by_ms: i64,
    },
    /// Somebody's act that no transition tells of.
    Act {
        act: Act,
        /// The person's id; of a screen that nobody is logged in at, `local`.
        actor: Arc<str>,
        time: WallMs,
    },
    /// Something was proved, or a report of it made.
    Proof(Box<Proof>),
    /// The gateway went over to another site file while it ran: the first record under its names.
    Reloaded(Box<Reloaded>),
    /// A node's event, or that some cannot be had: of the past, and never a transition of ours (see [`crate::node`]).
    Told(Box<Told>),
}

/// What was proved, by whom, with what outcome (see [`crate::prove`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub of: Proved,
    /// Rises by one a proof or report over the life of the gateway's data.
    pub number: u64,
    pub actor: Arc<str>,
    pub time: WallMs,
    /// `loop`, `bump`, `calibration`, `output`, `none` (a conscious skip), `report`.
    pub kind: Arc<str>,
    /// `pass`, `fail`, `skipped`, `abandoned`, `made`.
    pub outcome: Arc<str>,
    /// SHA-256 of the whole proof as the ledger keeps it, or of a report's manifest, hexadecimal.
    pub digest: Arc<str>,
    /// The proof in a few words of JSON: at most what a text of the journal holds.
    pub detail: Arc<str>,
}

/// What a proof is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proved {
    /// Position in [`Names::points`].
    Point(u32),
    /// Position in [`Names::outputs`].
    Output(u32),
    /// The whole site: a report.
    Site,
}

/// A site file took another's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Who asked for it: a person's id, or `local` for whoever could signal the process.
    pub actor: Arc<str>,
    /// SHA-256 of the files, hexadecimal.
    pub from: Arc<str>,
    pub to: Arc<str>,
    /// What differs, as JSON: see `davy_config::Difference`. Bounded; what did not fit is counted there.
    pub changes: Arc<str>,
    pub time: WallMs,
}

/// What somebody did, beside what they did to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The horn was silenced (R21).
    Silence,
    /// An output's latch was reset (R22): position in [`Names::outputs`].
    ResetOutput(u32),
    /// An output was demanded for a while, to prove it: position in [`Names::outputs`].
    TestOutput { output: u32, for_ms: u32 },
}

/// One transition of one alarm, whole: it alone tells the story, and `saved` is the alarm's durable state after it (R20).
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Rises by one a transition over the life of the stream, from 1.
    pub seq: u64,
    /// Position in [`Names::alarms`].
    pub alarm: u32,
    pub from: Shown,
    pub to: Shown,
    pub cause: Cause,
    pub occurrence: u32,
    pub time: WallMs,
    /// The point's value then; `None` for an alarm of a device.
    pub value: Option<Result<f64, NoValue>>,
    /// The set-point then, in the point's unit.
    pub limit: Option<f64>,
    /// 1 to 4.
    pub priority: u8,
    pub person: Option<Person>,
    /// The cloud's name for the command that this answers.
    pub command: Option<Arc<str>>,
    /// When a shelving that this begins ends.
    pub shelved_until: Option<WallMs>,
    pub saved: Saved,
}
