//! A proof that has ended: what the ledger keeps, the report prints and the city is told.

use super::plan::{Kind, StepKind};
use serde::{Deserialize, Serialize};

/// What a proof is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    Point,
    Output,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    Fail,
    /// Somebody decided not to prove it, and said why.
    Skipped,
    /// It was begun and not ended: it says nothing.
    Abandoned,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What was seen at one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub value: f64,
    /// How far the readings behind it lay apart.
    pub spread: f64,
    pub readings: u32,
    pub at_ms: i64,
    /// What was applied: the plan's, or what the person said.
    pub applied: f64,
    /// Within the tolerance, and every alarm as it must be.
    pub good: bool,
    /// Alarms that were on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// Alarms that came and went on the way here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub went: Vec<String>,
    /// Alarms that should have been on, and that should not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<String>,
}

/// One step as it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    pub kind: StepKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    pub expected: f64,
    pub tolerance: f64,
    /// As found, and as left after an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl StepDone {
    /// What counts: as left, where it was adjusted.
    pub fn counts(&self) -> Option<&Seen> {
        self.left.as_ref().or(self.found.as_ref())
    }

    pub fn is_open(&self) -> bool {
        self.counts().is_none() && self.skipped.is_none()
    }
}

/// An output at work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub requested_ms: i64,
    /// How long it was demanded, milliseconds.
    pub demand_ms: u32,
    /// Longest that feedback may take, milliseconds.
    pub timeout_ms: u32,
    /// From demand to feedback, and from its end to the end of feedback; none while it was not seen.
    pub on_after_ms: Option<u32>,
    pub off_after_ms: Option<u32>,
}

impl Run {
    /// Both were seen in time.
    pub fn is_good(&self) -> bool {
        let in_time = |after: Option<u32>| after.is_some_and(|after| after <= self.timeout_ms);
        in_time(self.on_after_ms) && in_time(self.off_after_ms)
    }
}

/// A proof, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Rises by one a proof or report.
    pub number: u64,
    pub of: Of,
    pub subject: String,
    pub kind: Kind,
    pub verdict: Verdict,
    /// Why it was skipped or abandoned, or a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A person's id and name.
    pub by: String,
    pub name: String,
    pub begun_ms: i64,
    pub ended_ms: i64,
    /// The quality of the clock (`synchronised`, `unknown`).
    pub clock: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Whether its alarms were out of service meanwhile.
    #[serde(default)]
    pub under_test: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What it stands on ([`super::plan::basis`]).
    pub basis: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}
