//! Data, deaths and refusals as Sparkplug messages; births are in `birth`. Pure: batch in, topic and bytes out.
//!
//! `Store/Offset` goes by its name in data as in births, so that a collector can tell a batch that it holds already, or must put aside, without
//! any birth.

use super::directory::{Directory, alarm_metric};
use crate::journal::{Batch, Record, Transition};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::site::{DeviceIndex, PointKind, Site};
use davy_wire::{DataType, Metric, Payload, Topic, Value, Verb, name, quality};
use std::sync::Arc;

/// One message ready to be published at QoS 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// What a data message is sent with.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    pub seq: u8,
    /// Backlog, or sent before.
    pub historical: bool,
    /// Batches lost since the stream began.
    pub lost: u64,
    /// When it is sent.
    pub now: WallMs,
}

/// Makes the messages of one site.
#[derive(Debug)]
pub struct Encoder {
    pub(super) site: Arc<Site>,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) directory: Directory,
}

impl Encoder {
    /// `group` is the Sparkplug group id, `version` the gateway's own.
    pub fn new(site: Arc<Site>, group: &str, version: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            directory: Directory::new(site.clone()),
            site,
        }
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn node_topic(&self, verb: Verb) -> String {
        Topic::node(&self.group, verb, &self.site.id).to_string()
    }

    pub fn device_topic(&self, verb: Verb, device: DeviceIndex) -> String {
        let device = &self.site.devices[device.0].id;
        Topic::device(&self.group, verb, &self.site.id, device).to_string()
    }

    /// The death that ends the session `bd_seq`; it has no sequence number.
    pub fn death(&self, bd_seq: u8, now: WallMs) -> Message {
        let metric = Metric::named(
            name::BD_SEQ,
            DataType::Int64,
            Some(Value::Whole(bd_seq.into())),
        );
        Message {
            topic: self.node_topic(Verb::NodeDeath),
            payload: payload(None, now, vec![metric.at(now.0)]),
        }
    }

    /// The answer to a command that came to nothing.
    pub fn refusal(&self, command: &str, alarm: &str, why: &str, seq: u8, now: WallMs) -> Message {
        let text = serde_json::json!({ "command": command, "alarm": alarm, "why": why });
        let text = Some(Value::Text(text.to_string()));
        let mut metric = Metric::named(name::REFUSAL, DataType::Text, text).at(now.0);
        metric.is_transient = Some(true);
        Message {
            topic: self.node_topic(Verb::NodeData),
            payload: payload(Some(seq), now, vec![metric]),
        }
    }

    /// One batch as one message: on its device if the site still has everything in it, else on the node and by name, so that nothing is lost.
    pub fn data(&self, batch: &Batch, sending: Sending) -> Message {
        let device = batch.device.map(|device| id(&batch.names.devices, device));
        let home = device
            .and_then(|device| self.directory.device(device))
            .filter(|home| self.knows_all(batch, *home));
        let mut metrics = Vec::with_capacity(batch.records.len() + 1);
        metrics.push(offset_metric(Some(batch.offset)).at(batch.made.0));
        for record in &batch.records {
            let stranger = device.filter(|_| home.is_none());
            metrics.extend(self.record(batch, record, stranger, sending.lost));
        }
        if sending.historical {
            for metric in &mut metrics {
                metric.is_historical = Some(true);
            }
        }
        let topic = match home {
            Some(home) => self.device_topic(Verb::DeviceData, home),
            None => self.node_topic(Verb::NodeData),
        };
        Message {
            topic,
            payload: payload(Some(sending.seq), sending.now, metrics),
        }
    }

    /// Whether every record of the batch has its metric on this device now.
    fn knows_all(&self, batch: &Batch, home: DeviceIndex) -> bool {
        batch.records.iter().all(|record| match record {
            Record::Reading { point, .. } => self
                .directory
                .point(id(&batch.names.points, *point))
                .is_some_and(|point| self.site.points[point.0].device == home),
            Record::Transition(transition) => self
                .directory
                .alarm(id(&batch.names.alarms, transition.alarm))
                .is_some_and(|alarm| self.directory.device_of(alarm) == home),
            Record::Output { .. } | Record::Lost { .. } | Record::Started { .. } => true,
        })
    }

    /// A record's metric; `stranger` is the id of a device that can no longer speak for itself. A start has no metric: its batch says enough.
    fn record(
        &self,
        batch: &Batch,
        record: &Record,
        stranger: Option<&str>,
        lost: u64,
    ) -> Option<Metric> {
        let names = &batch.names;
        match record {
            Record::Reading { point, reading } => {
                Some(self.reading(id(&names.points, *point), reading, stranger))
            }
            Record::Transition(transition) => {
                let alarm = id(&names.alarms, transition.alarm);
                Some(self.transition(alarm, transition, stranger))
            }
            Record::Output { output, on, time } => {
                Some(self.output(id(&names.outputs, *output), *on, *time))
            }
            Record::Lost {
                from,
                to,
                readings,
                time,
            } => {
                let metric =
                    Metric::named(name::LOST, DataType::UInt64, Some(Value::Unsigned(lost)));
                let metric = metric.at(time.0).with("from", Value::Unsigned(*from));
                let metric = metric.with("to", Value::Unsigned(*to));
                Some(metric.with("readings", Value::Unsigned(*readings)))
            }
            Record::Started { .. } => None,
        }
    }

    fn reading(&self, id: &str, reading: &Reading, stranger: Option<&str>) -> Metric {
        let known = self.directory.point(id);
        let kind = known.map_or(PointKind::Other, |point| self.site.points[point.0].kind);
        let value = point_value(kind, reading.value());
        let metric = match (stranger, known) {
            (None, Some(point)) => Metric::aliased(self.directory.point_alias(point), value),
            _ => Metric::named(named(stranger, id), point_type(kind), value),
        };
        with_quality(metric.at(reading.source_time().0), reading, false)
    }

    fn transition(&self, id: &str, transition: &Transition, stranger: Option<&str>) -> Metric {
        let state = Some(Value::Whole(transition.to.code().into()));
        let metric = match (stranger, self.directory.alarm(id)) {
            (None, Some(alarm)) => Metric::aliased(self.directory.alarm_alias(alarm), state),
            _ => Metric::named(named(stranger, &alarm_metric(id)), DataType::Int32, state),
        };
        with_story(metric.at(transition.time.0), transition)
    }

    fn output(&self, id: &str, on: bool, time: WallMs) -> Metric {
        let demand = Some(Value::Flag(on));
        let metric = match self.directory.output(id) {
            Some(output) => Metric::aliased(self.directory.output_alias(output), demand),
            None => Metric::named(format!("{}{id}", name::OUTPUTS), DataType::Boolean, demand),
        };
        metric.at(time.0)
    }
}

/// `Store/Offset`; births carry it without a value.
pub(super) fn offset_metric(offset: Option<u64>) -> Metric {
    let mut metric = Metric::named(name::OFFSET, DataType::UInt64, offset.map(Value::Unsigned));
    metric.is_transient = Some(true);
    metric
}

pub(super) fn payload(seq: Option<u8>, now: WallMs, metrics: Vec<Metric>) -> Vec<u8> {
    let payload = Payload {
        timestamp: u64::try_from(now.0).ok(),
        metrics,
        seq: seq.map(u64::from),
    };
    payload.to_bytes()
}

pub(super) const fn point_type(kind: PointKind) -> DataType {
    match kind {
        PointKind::Discrete => DataType::Boolean,
        _ => DataType::Double,
    }
}

pub(super) fn point_value(kind: PointKind, value: Result<f64, NoValue>) -> Option<Value> {
    let value = value.ok()?;
    Some(match point_type(kind) {
        DataType::Boolean => Value::Flag(value != 0.0),
        _ => Value::Number(value),
    })
}

/// Says of a value that is not good what is wrong with it.
pub(super) fn with_quality(metric: Metric, reading: &Reading, stale: bool) -> Metric {
    let code = match (stale, reading.quality()) {
        (true, _) | (_, davy_alarm::Quality::Stale) => Some(quality::STALE),
        (_, davy_alarm::Quality::Bad) => Some(quality::BAD),
        (_, davy_alarm::Quality::Uncertain) => Some(quality::UNCERTAIN),
        (_, davy_alarm::Quality::Good) => None,
    };
    let cause = reading.value().err().map(|cause| text(cause.name()));
    metric
        .with_some("Quality", code.map(Value::Whole))
        .with_some("cause", cause)
}

/// The value that an alarm saw, or why there was none.
pub(super) fn with_value(metric: Metric, value: Option<Result<f64, NoValue>>) -> Metric {
    match value {
        Some(Ok(value)) => metric.with("value", Value::Number(value)),
        Some(Err(cause)) => metric.with("value_cause", text(cause.name())),
        None => metric,
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn with_story(metric: Metric, transition: &Transition) -> Metric {
    let metric = metric
        .with("seq", Value::Unsigned(transition.seq))
        .with("occurrence", Value::Unsigned(transition.occurrence.into()))
        .with("prev", Value::Whole(transition.from.code().into()))
        .with("priority", Value::Whole(transition.priority.into()))
        .with("cause", text(transition.cause.name()))
        .with_some("limit", transition.limit.map(Value::Number));
    let person = transition.person.as_ref();
    let reason = person.and_then(|person| person.reason.as_deref());
    let second = person.and_then(|person| person.second.as_deref());
    with_value(metric, transition.value)
        .with_some("actor", person.map(|person| text(&person.actor)))
        .with_some("reason", reason.map(text))
        .with_some("second", second.map(text))
        .with_some(
            "shelved_until",
            transition.shelved_until.map(|at| Value::Whole(at.0)),
        )
        .with_some("command", transition.command.as_deref().map(text))
}

fn named(stranger: Option<&str>, metric: &str) -> String {
    stranger.map_or_else(|| metric.to_owned(), |device| format!("{device}/{metric}"))
}

/// The id at a position; a position beyond its names (a damaged record) is told as such and not dropped.
fn id(ids: &[Arc<str>], position: u32) -> &str {
    ids.get(position as usize).map_or("unknown", |id| id)
}
