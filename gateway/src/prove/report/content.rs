//! What a report tells: every point and output, how it stands, and its newest proofs whole.

use super::ReportError;
use crate::message;
use crate::prove::bench::Row;
use crate::prove::due::{Due, DueAt, Standing, State};
use crate::prove::ledger::{Entry, Ledger};
use crate::prove::plan::{Kind, StepKind};
use crate::prove::proof::{Proof, Verdict};
use crate::prove::subject::Subject;
use davy_config::Language;
use davy_config::site::{Site, Text};
use jiff::Timestamp;
use jiff::tz::Offset;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that is printed.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub site: String,
    pub name: Text,
    /// SHA-256 of the site file.
    pub site_file: String,
    pub lines: Vec<Line>,
}

/// One point or output.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub id: String,
    pub name: Text,
    pub area: Text,
    pub decimals: u8,
    pub due: Due,
    pub standing: Standing,
    /// The newest proof of each sort, whole, oldest first.
    pub proofs: Vec<Proof>,
}

impl Content {
    /// Reads the ledger again, for the proofs that `rows` name.
    pub(crate) fn gather(site: &Site, data: &Path, rows: Vec<Row>) -> Result<Self, ReportError> {
        let mut wanted: BTreeMap<u64, Option<Proof>> = BTreeMap::new();
        for row in &rows {
            wanted.extend(numbers(&row.standing).map(|number| (number, None)));
        }
        let read = Ledger::read(data, |entry| {
            if let Entry::Proof(proof) = entry
                && let Some(place) = wanted.get_mut(&proof.number)
            {
                *place = Some(*proof);
            }
        });
        read.map_err(|source| ReportError::File {
            path: data.join("prove/ledger"),
            source,
        })?;
        let lines = rows.into_iter().map(|row| line(site, row, &wanted));
        Ok(Self {
            site: site.id.clone(),
            name: site.name.clone(),
            site_file: site.digest.clone(),
            lines: lines.collect(),
        })
    }
}

/// The proofs that a report shows of a point or output: the newest test, the newest calibration, the newest decision to skip.
fn numbers(standing: &Standing) -> impl Iterator<Item = u64> {
    let shown = [&standing.tested, &standing.measured, &standing.newest];
    let numbers = shown.into_iter().flatten().map(|summary| summary.number);
    numbers
        .collect::<std::collections::BTreeSet<u64>>()
        .into_iter()
}

fn line(site: &Site, row: Row, wanted: &BTreeMap<u64, Option<Proof>>) -> Line {
    let proofs = numbers(&row.standing).filter_map(|number| wanted.get(&number)?.clone());
    let proofs = proofs.collect();
    let (id, name, area, decimals) = match row.subject {
        Subject::Point(at) => {
            let point = &site.points[at.0];
            (&point.id, &point.name, point.area, point.decimals)
        }
        Subject::Output(at) => {
            let output = &site.outputs[at.0];
            (&output.id, &output.name, output.area, 0)
        }
    };
    Line {
        id: id.clone(),
        name: name.clone(),
        area: site.areas[area].name.clone(),
        decimals,
        due: row.due,
        standing: row.standing,
        proofs,
    }
}

/// One text of a report.
pub(super) fn say(key: &str, language: Language) -> String {
    message::text(&format!("report-{key}"), language)
}

pub(super) fn pick(text: &Text, language: Language) -> &str {
    match language {
        Language::Zh => &text.zh,
        Language::En => &text.en,
    }
}

/// China has one zone and no summer time.
const ZONE: Offset = jiff::tz::offset(8);

/// `2026-11-25 14:03:27`, wall time of the site.
pub(super) fn moment(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or_default();
    ZONE.to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// `2026-11-25`.
pub(crate) fn day(ms: i64) -> String {
    moment(ms).chars().take(10).collect()
}

pub(super) fn state_word(state: State, language: Language) -> String {
    let key = match state {
        State::Unproved => "state-unproved",
        State::Skipped => "state-skipped",
        State::Failed => "state-failed",
        State::Changed => "state-changed",
        State::Overdue => "state-overdue",
        State::Proved => "state-proved",
        State::ClockDoubtful => "state-clock-doubtful",
    };
    say(key, language)
}

pub(super) fn verdict_word(verdict: Verdict, language: Language) -> String {
    say(&format!("verdict-{}", verdict.name()), language)
}

pub(super) fn kind_word(kind: Kind, language: Language) -> String {
    say(&format!("kind-{}", kind.name()), language)
}

pub(super) fn due_word(due: DueAt, language: Language) -> String {
    match due {
        DueAt::Never => say("due-never", language),
        DueAt::Now => say("due-now", language),
        DueAt::At(at) => day(at),
        DueAt::ClockDoubtful => say("state-clock-doubtful", language),
    }
}

pub(super) fn step_word(kind: StepKind, language: Language) -> String {
    let key = match kind {
        StepKind::Zero => "step-zero",
        StepKind::Limit => "step-limit",
        StepKind::Span => "step-span",
        StepKind::Clean => "step-clean",
        StepKind::Gas => "step-gas",
        StepKind::Return => "step-return",
        StepKind::Rest => "step-rest",
        StepKind::Alarm => "step-alarm",
    };
    say(key, language)
}

/// A value in the precision of its instrument, and one place more: a deviation must not vanish in the rounding.
pub(super) fn figure(value: f64, decimals: u8) -> String {
    let places = usize::from(decimals) + 1;
    let text = format!("{value:.places$}");
    let short = text.strip_suffix('0').unwrap_or(&text);
    short.trim_end_matches('.').to_owned()
}
