//! What journal and city are told of proofs and reports.

use super::proof::Proof;
use super::report::Made;
use super::subject::{Subject, find};
use crate::journal::{self, Proved, Record};
use davy_alarm::WallMs;
use davy_config::site::Site;

/// Longest text of a journal's record, bytes.
const DETAIL_MAX: usize = 4_000;

/// A proof for the journal.
pub(super) fn record(site: &Site, proof: &Proof) -> Record {
    let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let of = match find(site, proof.of, &proof.subject) {
        Some(Subject::Point(point)) => Proved::Point(position(point.0)),
        Some(Subject::Output(output)) => Proved::Output(position(output.0)),
        // Renamed since: the record itself says what it was of.
        None => Proved::Site,
    };
    let whole = serde_json::to_string(proof).unwrap_or_default();
    Record::Proof(Box::new(journal::Proof {
        of,
        number: proof.number,
        actor: proof.by.as_str().into(),
        time: WallMs(proof.ended_ms),
        kind: proof.kind.name().into(),
        outcome: proof.verdict.name().into(),
        digest: davy_print::sha256(whole.as_bytes()).into(),
        detail: detail(proof, whole).into(),
    }))
}

/// What the journal and the city keep of a proof: all of it, as far as it fits.
fn detail(proof: &Proof, whole: String) -> String {
    if whole.len() <= DETAIL_MAX {
        return whole;
    }
    // Which alarms came and went can be read from the alarm lines themselves.
    let mut shorter = proof.clone();
    for step in &mut shorter.steps {
        for seen in [&mut step.found, &mut step.left].into_iter().flatten() {
            (seen.on, seen.came, seen.went) = Default::default();
        }
    }
    let text = serde_json::to_string(&shorter).unwrap_or_default();
    if text.len() <= DETAIL_MAX {
        return text;
    }
    shorter.steps.clear();
    serde_json::to_string(&shorter).unwrap_or_default()
}

/// A report for the journal.
pub(super) fn record_of_report(made: &Made) -> Record {
    let whole = serde_json::to_string(made).unwrap_or_default();
    Record::Proof(Box::new(journal::Proof {
        of: Proved::Site,
        number: made.number,
        actor: made.by.as_str().into(),
        time: WallMs(made.made_ms),
        kind: "report".into(),
        outcome: "made".into(),
        digest: made.digest.as_str().into(),
        detail: whole.into(),
    }))
}
