//! The shared shapes of docs/api.md, apart from the records' own types and converted here.

use crate::history;
use crate::records::{self, Gap, Model, Site, Text};
use davy_alarm::{Quality, Reading};
use serde::Serialize;
use utoipa::ToSchema;

/// A value or the cause of its absence, never both.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Value {
    /// Only in the event stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<String>,
    pub(crate) point: String,
    pub(crate) value: Option<f64>,
    pub(crate) cause: Option<String>,
    /// `good`, `uncertain`, `bad` or `stale`.
    pub(crate) quality: &'static str,
    /// Source time, UTC milliseconds.
    pub(crate) time_ms: i64,
}

impl Value {
    /// `offline`: the site is not heard, so that a value is only the last one.
    pub(crate) fn new(point: &str, reading: &Reading, offline: bool) -> Self {
        let quality = match reading.quality() {
            Quality::Good | Quality::Uncertain if offline => Quality::Stale,
            quality => quality,
        };
        Self {
            site: None,
            point: point.to_owned(),
            value: reading.value().ok(),
            cause: reading.value().err().map(|cause| cause.name().to_owned()),
            quality: quality_name(quality),
            time_ms: reading.source_time().0,
        }
    }

    pub(crate) fn of(mut self, site: &str) -> Self {
        self.site = Some(site.to_owned());
        self
    }
}

pub(crate) const fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Stale => "stale",
    }
}

/// What a gateway demands of an output, as it last said.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Demand {
    /// Only in the event stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<String>,
    pub(crate) output: String,
    pub(crate) demand: bool,
    /// Since when, UTC milliseconds by the gateway.
    pub(crate) since_ms: i64,
    /// The site is not heard: it may have changed.
    pub(crate) stale: bool,
}

impl Demand {
    /// None for what is no output, and for one of which nothing is known. `offline` as for [`Value::new`].
    pub(crate) fn new(name: &str, reading: &Reading, offline: bool) -> Option<Self> {
        Some(Self {
            site: None,
            output: name.strip_prefix(davy_wire::name::OUTPUTS)?.to_owned(),
            demand: reading.value().ok()? != 0.0,
            since_ms: reading.source_time().0,
            stale: offline,
        })
    }

    pub(crate) fn of(mut self, site: &str) -> Self {
        self.site = Some(site.to_owned());
        self
    }
}

/// Whether the history's name is an output's: those are kept beside the points and are none.
pub(crate) fn is_output(name: &str) -> bool {
    name.starts_with(davy_wire::name::OUTPUTS)
}

/// The present state of one alarm.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Alarm {
    site: String,
    id: String,
    point: Option<String>,
    device: String,
    area: String,
    condition: String,
    priority: u8,
    name: Text,
    state: &'static str,
    active: bool,
    acknowledged: bool,
    latched: bool,
    suppressed: Vec<&'static str>,
    occurrence: u32,
    seq: u64,
    raised_ms: Option<i64>,
    changed_ms: i64,
    cleared_ms: Option<i64>,
    acknowledged_ms: Option<i64>,
    value_then: Option<f64>,
    cause_then: Option<&'static str>,
    limit: Option<f64>,
    unit: String,
    actor: Option<String>,
    reason: Option<String>,
    shelved_until_ms: Option<i64>,
    guidance: Option<Text>,
    late: bool,
    remote: bool,
}

impl From<&records::Alarm> for Alarm {
    fn from(alarm: &records::Alarm) -> Self {
        let subject = records::subject_of(&alarm.id);
        let is_point = match alarm.subject.is_known() {
            true => alarm.subject.is_point,
            false => is_of_point(&alarm.condition),
        };
        Self {
            site: alarm.site.clone(),
            id: alarm.id.clone(),
            point: is_point.then(|| subject.to_owned()),
            device: if alarm.condition == "COMMS" {
                subject.to_owned()
            } else {
                alarm.subject.device.clone()
            },
            area: alarm.subject.area.clone(),
            condition: alarm.condition.clone(),
            priority: alarm.priority.number(),
            name: named(&alarm.subject.name, subject),
            state: alarm.state.name(),
            active: alarm.active,
            acknowledged: alarm.is_acknowledged(),
            latched: alarm.latched,
            suppressed: alarm.suppressed.names(),
            occurrence: alarm.occurrence,
            seq: alarm.seq,
            raised_ms: alarm.raised_ms,
            changed_ms: alarm.changed_ms,
            cleared_ms: alarm.cleared_ms,
            acknowledged_ms: alarm.acknowledged_ms,
            value_then: alarm.value_then,
            cause_then: alarm.cause_then.map(|cause| cause.name()),
            limit: alarm.limit,
            unit: alarm.subject.unit.clone(),
            actor: alarm.actor.clone(),
            reason: alarm.reason.clone(),
            shelved_until_ms: alarm.shelved_until_ms,
            guidance: alarm.guidance.clone(),
            late: alarm.late,
            remote: true,
        }
    }
}

/// Of a subject that no birth has named, the condition alone tells what it is: a lost unit is a device, the others of these are groups and outputs.
fn is_of_point(condition: &str) -> bool {
    !["COMMS", "VOTE", "DEGRADED", "UNMON", "DISC", "FAILED"].contains(&condition)
}

/// A name, or the id where nobody gave one.
pub(crate) fn named(name: &Text, id: &str) -> Text {
    name.clone().or_id(id)
}

/// One line of the alarm journal.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Transition {
    site: String,
    seq: u64,
    alarm: String,
    occurrence: u32,
    from: &'static str,
    to: &'static str,
    cause: &'static str,
    time_ms: i64,
    value: Option<f64>,
    value_cause: Option<&'static str>,
    limit: Option<f64>,
    priority: u8,
    actor: Option<String>,
    reason: Option<String>,
    /// The order that it answers.
    command: Option<String>,
    late: bool,
    received_ms: i64,
}

impl From<&records::Transition> for Transition {
    fn from(transition: &records::Transition) -> Self {
        let line = &transition.line;
        Self {
            site: transition.site.clone(),
            seq: line.seq,
            alarm: line.alarm.clone(),
            occurrence: line.occurrence,
            from: line.from.name(),
            to: line.to.name(),
            cause: line.cause.name(),
            time_ms: line.time_ms,
            value: line.value,
            value_cause: line.value_cause.map(|cause| cause.name()),
            limit: line.limit,
            priority: line.priority.number(),
            actor: line.actor.clone(),
            reason: line.reason.clone(),
            command: line.command.clone(),
            late: transition.late,
            received_ms: transition.received_ms,
        }
    }
}

/// One point's trend, by columns of equal length.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Series {
    point: String,
    unit: String,
    step_ms: i64,
    time_ms: Vec<i64>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    mean: Vec<Option<f64>>,
    count: Vec<u32>,
    /// Share of good readings, 0 to 1.
    good: Vec<f64>,
    cause: Vec<Option<&'static str>>,
}

impl Series {
    pub(crate) fn new(point: &str, unit: &str, series: &history::Series) -> Self {
        let buckets = &series.buckets;
        let column = |pick: fn(&history::Span) -> f64| {
            buckets
                .iter()
                .map(|one| one.span.as_ref().ok().map(pick))
                .collect()
        };
        Self {
            point: point.to_owned(),
            unit: unit.to_owned(),
            step_ms: series.step_ms,
            time_ms: buckets.iter().map(|one| one.time_ms).collect(),
            min: column(|span| span.min),
            max: column(|span| span.max),
            mean: column(|span| span.mean),
            count: buckets.iter().map(|one| one.count).collect(),
            good: buckets
                .iter()
                .map(|one| f64::from(one.good) / f64::from(one.count.max(1)))
                .collect(),
            cause: buckets
                .iter()
                .map(|one| one.span.err().map(|cause| cause.name()))
                .collect(),
        }
    }
}

/// A span of which the record is not known to be whole; `to_ms` is null while it lasts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct GapShape {
    site: String,
    from_ms: i64,
    to_ms: Option<i64>,
}

impl From<&Gap> for GapShape {
    fn from(gap: &Gap) -> Self {
        Self {
            site: gap.site.clone(),
            from_ms: gap.from_ms,
            to_ms: gap.to_ms,
        }
    }
}

/// What the gateway said of the site; empty for one that never reported.
pub(crate) fn model(site: &Site) -> Model {
    let mut model: Model = site
        .model
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    model.id.clone_from(&site.id);
    let name = if site.name.zh.is_empty() {
        &model.name
    } else {
        &site.name
    };
    model.name = named(name, &site.id);
    model
}
