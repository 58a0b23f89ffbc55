//! A proof that is being done: steps filled one by one, in any order, until it is ended with a verdict. Pure: what is seen is an argument.

use super::plan::{Bound, Kind, Plan};
use super::proof::{Of, Run, Seen, StepDone, Verdict};
use super::window::Still;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Characters of a text that is kept.
const TEXT_MAX: usize = 200;

/// Why a step is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    #[error("there is no such step")]
    UnknownStep,
    #[error("the value does not stand still")]
    Unsteady,
    #[error("a reason is needed")]
    Reason,
    #[error("what is left needs what was found")]
    NotFound,
    #[error("steps are open")]
    Open,
    #[error("the output is still at work")]
    Running,
    #[error("what was applied is no value of this point")]
    Applied,
}

/// Whether a value is taken before or after an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    Found,
    Left,
}

/// What the alarms of a point do and did since the last step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    pub on: BTreeSet<String>,
    pub came: BTreeSet<String>,
    pub went: BTreeSet<String>,
}

/// What a step is taken from: all that is seen at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// `None` while the value moves.
    pub still: Option<Still>,
    pub alarms: &'a Alarms,
    pub bounds: &'a [Bound],
    pub at_ms: i64,
}

/// A proof under way; it survives a restart of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub of: Of,
    pub subject: String,
    pub kind: Kind,
    pub by: String,
    pub name: String,
    pub begun_ms: i64,
    /// When somebody last did something about it.
    pub touched_ms: i64,
    pub gas: Option<String>,
    pub instrument: Option<String>,
    pub under_test: bool,
    /// Alarms that were put out of service for it, by id: these and no others come back.
    pub taken_out: Vec<String>,
    pub basis: String,
    pub steps: Vec<StepDone>,
    pub run: Option<Run>,
}

impl Draft {
    /// Takes what is seen at a step into it. `applied` is what the person put on, if it is not what the plan says.
    pub fn take(
        &mut self,
        step: usize,
        taken: Taken,
        applied: Option<f64>,
        sight: Sight<'_>,
    ) -> Result<&Seen, DraftError> {
        let done = self.steps.get_mut(step).ok_or(DraftError::UnknownStep)?;
        let applied = applied.unwrap_or(done.expected);
        if !applied.is_finite() {
            return Err(DraftError::Applied);
        }
        if taken == Taken::Left && done.found.is_none() {
            return Err(DraftError::NotFound);
        }
        let still = sight.still.ok_or(DraftError::Unsteady)?;
        let seen = seen(done.tolerance, applied, still, sight);
        let place = match taken {
            Taken::Found => {
                // What was left belongs to what was found before it.
                done.left = None;
                &mut done.found
            }
            Taken::Left => &mut done.left,
        };
        done.skipped = None;
        self.touched_ms = sight.at_ms;
        Ok(place.insert(seen))
    }

    /// Leaves a step out, with a reason.
    pub fn skip(&mut self, step: usize, reason: &str, at_ms: i64) -> Result<(), DraftError> {
        let reason = kept(reason).ok_or(DraftError::Reason)?;
        let done = self.steps.get_mut(step).ok_or(DraftError::UnknownStep)?;
        (done.found, done.left) = (None, None);
        done.skipped = Some(reason);
        self.touched_ms = at_ms;
        Ok(())
    }

    /// Leaves out whatever is open; nothing, if no reason is given and nothing is.
    pub fn skip_open(&mut self, reason: Option<&str>, at_ms: i64) -> Result<(), DraftError> {
        let open: Vec<usize> = (0..self.steps.len())
            .filter(|step| self.steps[*step].is_open())
            .collect();
        if !open.is_empty() && reason.and_then(kept).is_none() {
            return Err(DraftError::Open);
        }
        for step in open {
            self.skip(step, reason.unwrap_or_default(), at_ms)?;
        }
        Ok(())
    }

    /// How it ends, now that no step is open. It passes only if everything that was seen is good, and something was seen that answers for what the kind
    /// is to prove: an alarm's step, where there are limits.
    pub fn verdict(&self, plan: Option<&Plan>) -> Result<Verdict, DraftError> {
        if let Some(run) = &self.run {
            return Ok(if run.is_good() {
                Verdict::Pass
            } else {
                Verdict::Fail
            });
        }
        if self.steps.iter().any(StepDone::is_open) {
            return Err(DraftError::Open);
        }
        let seen: Vec<&Seen> = self.steps.iter().filter_map(StepDone::counts).collect();
        if seen.iter().any(|seen| !seen.good) {
            return Ok(Verdict::Fail);
        }
        let bounds = plan.map_or(&[] as &[Bound], |plan| &plan.bounds);
        let answers = |seen: &&Seen| {
            let mut must = bounds.iter().map(|bound| bound.must(seen.applied));
            bounds.is_empty() || must.any(|must| must == Some(true))
        };
        let proves = seen.iter().any(answers);
        Ok(if proves {
            Verdict::Pass
        } else {
            Verdict::Skipped
        })
    }
}

fn seen(tolerance: f64, applied: f64, still: Still, sight: Sight<'_>) -> Seen {
    let Sight {
        alarms,
        bounds,
        at_ms,
        ..
    } = sight;
    let wrong = |wanted: bool| {
        let bounds = bounds.iter().filter(move |bound| {
            bound.must(applied) == Some(wanted) && alarms.on.contains(&bound.alarm) != wanted
        });
        bounds.map(|bound| bound.alarm.clone()).collect::<Vec<_>>()
    };
    let (missing, unexpected) = (wrong(true), wrong(false));
    // A tolerance is a decimal figure; the last bit of a sum is not held against anybody.
    let slack = f64::EPSILON * 8.0 * applied.abs().max(still.value.abs());
    let within = (still.value - applied).abs() <= tolerance + slack;
    let list = |set: &BTreeSet<String>| set.iter().cloned().collect();
    Seen {
        value: still.value,
        spread: still.spread,
        readings: still.readings,
        at_ms,
        applied,
        good: within && missing.is_empty() && unexpected.is_empty(),
        on: list(&alarms.on),
        came: list(&alarms.came),
        went: list(&alarms.went),
        missing,
        unexpected,
    }
}

/// A text as it is kept; `None` for one that says nothing.
pub(super) fn kept(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(TEXT_MAX).collect())
}
