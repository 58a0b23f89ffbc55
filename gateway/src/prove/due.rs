//! What is proved and until when. Pure: the calendar is an argument.

use super::plan::Kind;
use super::proof::{Proof, Verdict};
use davy_alarm::Signal;
use davy_config::site::Proving;
use serde::Serialize;

const DAY_MS: i64 = 86_400_000;
/// A clock that is further than this behind the newest proof is not believed.
const BEHIND_MAX_MS: i64 = DAY_MS;

/// What the ledger remembers of a proof without reading it again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub number: u64,
    pub kind: Kind,
    pub verdict: Verdict,
    pub by: String,
    pub name: String,
    pub ended_ms: i64,
    pub clock: String,
    pub reason: Option<String>,
    #[serde(skip)]
    pub basis: String,
}

impl From<&Proof> for Summary {
    fn from(proof: &Proof) -> Self {
        Self {
            number: proof.number,
            kind: proof.kind,
            verdict: proof.verdict,
            by: proof.by.clone(),
            name: proof.name.clone(),
            ended_ms: proof.ended_ms,
            clock: proof.clock.clone(),
            reason: proof.reason.clone(),
            basis: proof.basis.clone(),
        }
    }
}

/// The newest proofs of one point or output, each of its sort.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Standing {
    /// The newest of all but abandoned ones.
    pub newest: Option<Summary>,
    /// The newest loop test, bump test or output test that passed or failed.
    pub tested: Option<Summary>,
    /// The newest of those that passed.
    pub proved: Option<Summary>,
    /// The newest calibration that passed or failed, and that passed.
    pub measured: Option<Summary>,
    pub calibrated: Option<Summary>,
}

impl Standing {
    /// Goes on with the next proof of the ledger.
    pub fn follow(&mut self, proof: &Proof) {
        let summary = Summary::from(proof);
        let passed = match proof.verdict {
            Verdict::Abandoned => return,
            Verdict::Skipped => {
                self.newest = Some(summary);
                return;
            }
            Verdict::Pass => true,
            Verdict::Fail => false,
        };
        self.newest = Some(summary.clone());
        let (any, good) = match proof.kind.proves() {
            true => (&mut self.tested, &mut self.proved),
            false => (&mut self.measured, &mut self.calibrated),
        };
        *any = Some(summary.clone());
        if passed {
            *good = Some(summary);
        }
    }

    /// The summaries, for whoever looks for the newest moment.
    fn all(&self) -> impl Iterator<Item = &Summary> {
        [&self.newest, &self.tested, &self.measured]
            .into_iter()
            .flatten()
    }

    /// When the newest of it ended.
    pub fn latest_ms(&self) -> Option<i64> {
        self.all().map(|summary| summary.ended_ms).max()
    }
}

/// How something stands today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Never proved, and nobody said why.
    Unproved,
    /// Never proved, and somebody said why.
    Skipped,
    /// The newest test failed.
    Failed,
    /// Proved before the site file changed what it stands on.
    Changed,
    /// Proved, and due again.
    Overdue,
    Proved,
    /// The gateway's clock is behind its own proofs: what is due cannot be said.
    ClockDoubtful,
}

/// When something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueAt {
    /// There is no interval.
    Never,
    /// It was never done, or did not pass.
    Now,
    At(i64),
    ClockDoubtful,
}

/// The calendar: now, and whether it can be believed.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    pub now_ms: i64,
    /// The newest moment that the ledger knows.
    pub newest_ms: Option<i64>,
}

impl Calendar {
    /// A clock that is behind what has happened is not to be reckoned with.
    pub fn is_doubtful(self) -> bool {
        self.newest_ms
            .is_some_and(|newest| self.now_ms.saturating_add(BEHIND_MAX_MS) < newest)
    }
}

/// What is due, and what that makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub state: State,
    pub proof: DueAt,
    pub calibration: DueAt,
    /// The site file itself demands calibrations: one that was never done is overdue too.
    calibration_is_demanded: bool,
}

impl Due {
    /// How a point or output stands under the present site file, whose basis is `basis`.
    pub fn of(standing: &Standing, proving: &Proving, basis: &str, calendar: Calendar) -> Self {
        let current = |summary: &Option<Summary>| {
            summary
                .as_ref()
                .filter(|summary| summary.basis == basis)
                .map(|summary| summary.ended_ms)
        };
        let due = |last: Option<i64>, failed: bool, every: Option<u32>| match (every, last) {
            (None, _) => DueAt::Never,
            (Some(_), _) if calendar.is_doubtful() => DueAt::ClockDoubtful,
            (Some(days), Some(last)) if !failed => DueAt::At(last + i64::from(days) * DAY_MS),
            (Some(_), _) => DueAt::Now,
        };
        let failed = is_failed(standing.tested.as_ref());
        let unfit = is_failed(standing.measured.as_ref());
        let proof = due(
            current(&standing.proved),
            failed,
            proving.proof.as_ref().map(|every| every.days),
        );
        let calibration = due(
            // A calibration is of the instrument: a limit that moved does not undo it.
            standing.calibrated.as_ref().map(|summary| summary.ended_ms),
            unfit,
            proving.calibration.as_ref().map(|every| every.days),
        );
        let state = match (&standing.proved, &standing.newest) {
            _ if failed => State::Failed,
            _ if calendar.is_doubtful() => State::ClockDoubtful,
            (Some(proved), _) if proved.basis != basis => State::Changed,
            (Some(_), _) if is_past(proof, calendar.now_ms) => State::Overdue,
            (Some(_), _) => State::Proved,
            (None, Some(newest)) if newest.verdict == Verdict::Skipped => State::Skipped,
            (None, _) => State::Unproved,
        };
        Self {
            state,
            proof,
            calibration,
            calibration_is_demanded: (proving.calibration.as_ref())
                .is_some_and(|every| every.practice.is_none()),
        }
    }

    /// What `<id>.PROOF` is told. Where only usual practice asks for calibrations, one counts once there was one: its certificate may be on paper. A
    /// doubtful clock leaves the alarm as it is.
    pub fn signal(self, now_ms: i64) -> Signal {
        let calibration = match self.calibration {
            DueAt::Now => self.calibration_is_demanded,
            due => is_past(due, now_ms),
        };
        match self.proof {
            DueAt::ClockDoubtful => Signal::Unknown,
            DueAt::Now => Signal::Set,
            proof => Signal::from(is_past(proof, now_ms) || calibration),
        }
    }
}

fn is_failed(newest: Option<&Summary>) -> bool {
    newest.is_some_and(|newest| newest.verdict == Verdict::Fail)
}

const fn is_past(due: DueAt, now_ms: i64) -> bool {
    match due {
        DueAt::Now => true,
        DueAt::At(at) => at <= now_ms,
        DueAt::Never | DueAt::ClockDoubtful => false,
    }
}
