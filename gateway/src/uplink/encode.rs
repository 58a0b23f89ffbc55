//! Data, deaths and refusals as Sparkplug messages; births are in `birth`. Pure: batch in, topic and bytes out.
//!
//! `Store/Offset` goes by its name in data as in births, so that a collector can tell a batch that it holds already, or must put aside, without
//! any birth.

use super::directory::{Directory, alarm_metric};
use crate::journal::{Act, Batch, Names, Proof, Proved, Record, Transition};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::site::{DeviceIndex, PointIndex, PointKind, Site};
use davy_wire::{
    DataType, DataWriter, Metric, Number, Payload, Plain, Topic, Value, Verb, name, quality,
};
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
    /// When the node was born whose aliases it speaks in: a reader that knows another birth's must not take these for its own.
    pub born: WallMs,
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

    /// Speaks of another site from now on, in aliases of its own.
    pub fn follow(&mut self, site: Arc<Site>) {
        self.directory = self.directory.followed_by(site.clone());
        self.site = site;
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
        let mut data = DataWriter::new(u64::try_from(sending.now.0).ok(), batch.records.len() + 1);
        let is_historical = sending.historical.then_some(true);
        let put = |data: &mut DataWriter, mut metric: Metric| {
            metric.is_historical = is_historical.or(metric.is_historical);
            data.full(&metric);
        };
        let offset = offset_metric(Some(batch.offset)).at(batch.made.0);
        put(&mut data, of_birth(offset, sending.born));
        let (stranger, is_own) = (device.filter(|_| home.is_none()), self.is_own(batch));
        for record in &batch.records {
            if let Record::Reading { point, reading } = record
                && let Some(plain) = self.plain_reading(*point, reading, stranger, is_own)
            {
                data.plain(&Plain {
                    is_historical,
                    ..plain
                });
            } else if let Some(metric) = self.record(batch, record, stranger, sending.lost) {
                put(&mut data, metric);
            }
        }
        let topic = match home {
            Some(home) => self.device_topic(Verb::DeviceData, home),
            None => self.node_topic(Verb::NodeData),
        };
        Message {
            topic,
            payload: data.end(Some(sending.seq.into())),
        }
    }

    /// Whether a batch was made under the present site file: its positions are the site's own, and no name is looked up.
    fn is_own(&self, batch: &Batch) -> bool {
        batch.names.digest == self.site.digest
    }

    /// Whether every record of the batch has its metric on this device now.
    fn knows_all(&self, batch: &Batch, home: DeviceIndex) -> bool {
        let is_own = self.is_own(batch);
        batch.records.iter().all(|record| match record {
            // Under one file a device's readings are of its own points.
            Record::Reading { point, .. } if is_own => (*point as usize) < self.site.points.len(),
            Record::Reading { point, .. } => self
                .point(batch, *point)
                .is_some_and(|point| self.site.points[point.0].device == home),
            Record::Transition(transition) => self
                .directory
                .alarm(id(&batch.names.alarms, transition.alarm))
                .is_some_and(|alarm| self.directory.device_of(alarm) == home),
            Record::Output { .. }
            | Record::Lost { .. }
            | Record::Started { .. }
            | Record::Reloaded(_)
            | Record::ClockSet { .. }
            | Record::Told(_)
            | Record::Act { .. }
            | Record::Proof(_) => true,
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
                Some(self.reading(batch, *point, reading, stranger))
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
            Record::Reloaded(reloaded) => {
                let metric = Metric::named(name::ACT, DataType::Text, Some(text("reload")));
                let metric = metric
                    .at(reloaded.time.0)
                    .with("actor", text(&reloaded.actor));
                let metric = metric.with("from", text(&reloaded.from));
                let metric = metric.with("to", text(&reloaded.to));
                Some(metric.with("changes", text(&reloaded.changes)))
            }
            Record::ClockSet { time, by_ms } => {
                let value = Some(Value::Whole(*by_ms));
                let metric = Metric::named(name::CLOCK_SET, DataType::Int64, value);
                Some(metric.at(time.0))
            }
            Record::Told(told) => Some(super::told::metric(told)),
            Record::Act { act, actor, time } => {
                let (what, output) = match act {
                    Act::Silence => ("silence", None),
                    Act::ResetOutput(output) => ("reset", Some(id(&names.outputs, *output))),
                    Act::TestOutput { output, .. } => ("test", Some(id(&names.outputs, *output))),
                };
                let metric = Metric::named(name::ACT, DataType::Text, Some(text(what)));
                let metric = metric.at(time.0).with("actor", text(actor));
                Some(metric.with_some("output", output.map(text)))
            }
            Record::Proof(proof) => Some(proved(names, proof)),
        }
    }

    /// The point that a position in a batch means.
    fn point(&self, batch: &Batch, position: u32) -> Option<PointIndex> {
        let own = position as usize;
        if own < self.site.points.len() && self.is_own(batch) {
            return Some(PointIndex(own));
        }
        self.directory.point(id(&batch.names.points, position))
    }

    /// A good value under the present site file: an alias, a time and a number, as nearly all are. The same as [`Encoder::reading`] says of it.
    fn plain_reading(
        &self,
        position: u32,
        reading: &Reading,
        stranger: Option<&str>,
        is_own: bool,
    ) -> Option<Plain> {
        let point = PointIndex(position as usize);
        let is_plain = is_own
            && stranger.is_none()
            && point.0 < self.site.points.len()
            && reading.quality() == davy_alarm::Quality::Good;
        let value = reading.value().ok().filter(|_| is_plain)?;
        let number = if self.directory.is_discrete(point) {
            Number::Boolean(value != 0.0)
        } else {
            Number::Double(value)
        };
        Some(Plain {
            alias: self.directory.point_alias(point),
            timestamp: u64::try_from(reading.source_time().0).ok(),
            is_historical: None,
            number,
        })
    }

    fn reading(
        &self,
        batch: &Batch,
        position: u32,
        reading: &Reading,
        stranger: Option<&str>,
    ) -> Metric {
        let known = self.point(batch, position);
        let kind = known.map_or(PointKind::Other, |point| self.site.points[point.0].kind);
        let value = point_value(kind, reading.value());
        let metric = match (stranger, known) {
            (None, Some(point)) => Metric::aliased(self.directory.point_alias(point), value),
            _ => {
                let id = id(&batch.names.points, position);
                Metric::named(named(stranger, id), point_type(kind), value)
            }
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

/// `Store/Offset` with the birth whose aliases its message uses, or that it is a part of.
pub(super) fn of_birth(offset: Metric, born: WallMs) -> Metric {
    let born = u64::try_from(born.0).ok().map(Value::Unsigned);
    offset.with_some(name::BIRTH, born)
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
    if !stale && reading.quality() == davy_alarm::Quality::Good {
        return metric;
    }
    let code = match (stale, reading.quality()) {
        (true, _) | (_, davy_alarm::Quality::Stale) => Some(quality::STALE),
        (_, davy_alarm::Quality::Bad) => Some(quality::BAD),
        (_, davy_alarm::Quality::Uncertain) => Some(quality::UNCERTAIN),
        (_, davy_alarm::Quality::Good) => None,
    };
    let cause = reading.value().err().map(cause_text);
    metric
        .with_some("Quality", code.map(Value::Whole))
        .with_some("cause", cause)
}

/// The value that an alarm saw, or why there was none.
pub(super) fn with_value(metric: Metric, value: Option<Result<f64, NoValue>>) -> Metric {
    match value {
        Some(Ok(value)) => metric.with("value", Value::Number(value)),
        Some(Err(cause)) => metric.with("value_cause", cause_text(cause)),
        None => metric,
    }
}

/// A cause of absence; an exception names its Modbus code: `exception:2`.
fn cause_text(cause: NoValue) -> Value {
    match cause {
        NoValue::Exception(code) => Value::Text(format!("{}:{code}", cause.name())),
        _ => text(cause.name()),
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// What was proved, or of what a report was made, as one of the acts at the plant.
fn proved(names: &Names, proof: &Proof) -> Metric {
    let (what, point, output) = match proof.of {
        Proved::Point(point) => ("prove", Some(id(&names.points, point)), None),
        Proved::Output(output) => ("prove", None, Some(id(&names.outputs, output))),
        Proved::Site => ("report", None, None),
    };
    let metric = Metric::named(name::ACT, DataType::Text, Some(text(what)));
    let metric = metric.at(proof.time.0).with("actor", text(&proof.actor));
    let metric = metric.with_some("point", point.map(text));
    let metric = metric.with_some("output", output.map(text));
    let metric = metric.with("number", Value::Unsigned(proof.number));
    let metric = metric.with("kind", text(&proof.kind));
    let metric = metric.with("outcome", text(&proof.outcome));
    let metric = metric.with("digest", text(&proof.digest));
    metric.with("detail", text(&proof.detail))
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

#[cfg(test)]
mod tests {
    use super::super::birth::{DeviceBirth, NodeBirth};
    use super::super::fixture::{self, NOW};
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    const BIRTH: DeviceBirth = DeviceBirth {
        seq: 1,
        born: NOW,
        now: NOW,
    };

    const SENDING: Sending = Sending {
        seq: 5,
        historical: false,
        lost: 12,
        born: NOW,
        now: NOW,
    };

    fn encoder(site: &Arc<Site>) -> Encoder {
        Encoder::new(site.clone(), "330283", "0.1.0")
    }

    fn read(message: &Message) -> Payload {
        Payload::from_bytes(&message.payload).unwrap()
    }

    fn births(site: &Arc<Site>) -> Vec<Payload> {
        let (encoder, picture) = (encoder(site), fixture::picture(site));
        let node = NodeBirth {
            bd_seq: 255,
            stream: u64::MAX,
            lost: 2,
            now: NOW,
        };
        let devices = (0..site.devices.len()).map(DeviceIndex);
        let devices = devices.map(|device| encoder.device_birth(device, &picture, BIRTH));
        let messages = std::iter::once(encoder.node_birth(node, &picture)).chain(devices);
        messages.map(|message| read(&message)).collect()
    }

    fn value(payload: &Payload, name: &str) -> Option<Value> {
        payload.metric(name).unwrap().value(None)
    }

    #[test]
    fn a_node_is_born_with_its_session_its_stream_and_its_model() {
        let site = fixture::site();
        let node = &births(&site)[0];
        assert_eq!(node.seq, Some(0));
        assert_eq!(value(node, name::BD_SEQ), Some(Value::Whole(255)));
        assert_eq!(value(node, name::REBIRTH), Some(Value::Flag(false)));
        assert_eq!(value(node, name::STREAM), Some(Value::Unsigned(u64::MAX)));
        assert_eq!(value(node, name::LOST), Some(Value::Unsigned(2)));
        assert_eq!(
            (value(node, name::OFFSET), value(node, name::ACK)),
            (None, None)
        );
        let model = value(node, name::MODEL).unwrap();
        let model: serde_json::Value = serde_json::from_str(model.as_text().unwrap()).unwrap();
        assert_eq!(model["id"], "solvent-warehouse");
        for output in &site.outputs {
            let name = format!("{}{}", name::OUTPUTS, output.id);
            assert_eq!(value(node, &name), Some(Value::Flag(false)));
        }
    }

    #[test]
    fn every_born_metric_has_name_type_and_time_and_its_alias_is_its_own() {
        let site = fixture::site();
        let births = births(&site);
        let mut aliases = BTreeSet::new();
        for metric in births.iter().flat_map(|birth| &birth.metrics) {
            assert!(
                metric.name.is_some() && metric.datatype.is_some() && metric.timestamp.is_some()
            );
            let fresh = metric.alias.is_none_or(|alias| aliases.insert(alias));
            assert!(fresh, "{metric:?}");
        }
        let published = site.points.len() + site.alarms.len() + site.outputs.len();
        assert_eq!(aliases.len(), published);
    }

    #[test]
    fn an_alarm_is_born_with_its_definition_and_its_present_occurrence() {
        let site = fixture::site();
        let mut picture = fixture::picture(&site);
        let position = fixture::alarm(&site, "GT-1.HH") as usize;
        let now = &mut picture.alarms[position];
        (now.shown, now.occurrence, now.seq) = (davy_alarm::Shown::LatchedAcknowledged, 4, 77);
        (now.changed, now.value_then) = (Some(WallMs(1_000)), Some(Err(NoValue::OverRange)));
        let message = encoder(&site).device_birth(DeviceIndex(0), &picture, BIRTH);
        let payload = read(&message);
        let metric = payload.metric("Alarms/GT-1/HIHI").unwrap();
        assert_eq!(
            (metric.value(None), metric.timestamp),
            (Some(Value::Whole(5)), Some(1_000))
        );
        let expected = [
            ("alarm_id", text("GT-1.HH")),
            ("condition", text("HIHI")),
            ("priority", Value::Whole(1)),
            ("occurrence", Value::Unsigned(4)),
            ("seq", Value::Unsigned(77)),
            ("value_cause", text("over-range")),
        ];
        for (key, value) in expected {
            assert_eq!(metric.property(key), Some(value), "{key}");
        }
        for key in [
            "limit",
            "deadband",
            "on_delay_ms",
            "message_zh",
            "message_en",
        ] {
            assert!(metric.property(key).is_some(), "{key}");
        }
        let quiet = payload.metric("Alarms/GC-1/COMMS").unwrap();
        assert_eq!(
            quiet.timestamp,
            Some(NOW.0 as u64),
            "never changed: as of the birth"
        );
    }

    /// Every metric of the message by the name that the births gave its alias.
    fn resolved(site: &Arc<Site>, payload: &Payload) -> Vec<(String, Metric)> {
        let births = births(site);
        let born = births.iter().flat_map(|birth| &birth.metrics);
        let names: BTreeMap<u64, String> = born
            .filter_map(|metric| Some((metric.alias?, metric.name.clone()?)))
            .collect();
        let name = |metric: &Metric| match metric.alias {
            Some(alias) => names[&alias].clone(),
            None => metric.name.clone().unwrap(),
        };
        payload
            .metrics
            .iter()
            .map(|metric| (name(metric), metric.clone()))
            .collect()
    }

    fn reading(site: &Site, point: &str, reading: Reading) -> Record {
        let point = fixture::point(site, point);
        Record::Reading { point, reading }
    }

    #[test]
    fn readings_go_by_alias_with_their_own_time_and_tell_their_quality_unless_good() {
        let site = fixture::site();
        let at = WallMs(NOW.0 - 700);
        let records = vec![
            reading(&site, "GT-1", Reading::measured(12.5, at)),
            reading(&site, "GT-2", Reading::absent(NoValue::Timeout, at)),
            reading(&site, "GT-3", Reading::uncertain(1.0, at)),
        ];
        let batch = fixture::batch(&site, Some("GC-1"), records);
        let message = encoder(&site).data(&batch, SENDING);
        assert_eq!(message.topic, "spBv1.0/330283/DDATA/solvent-warehouse/GC-1");
        let payload = read(&message);
        assert_eq!(
            (payload.seq, payload.timestamp),
            (Some(5), Some(NOW.0 as u64))
        );
        let told: Vec<_> = resolved(&site, &payload)
            .into_iter()
            .map(|(name, metric)| {
                let (quality, cause) = (metric.property("Quality"), metric.property("cause"));
                (
                    name,
                    metric.value(Some(DataType::Double as u32)),
                    quality,
                    cause,
                )
            })
            .collect();
        let code = |code| Some(Value::Whole(code));
        let number = |value| Some(Value::Number(value));
        let expected = [
            (name::OFFSET.into(), Some(Value::Unsigned(41)), None, None),
            ("GT-1".to_owned(), number(12.5), None, None),
            ("GT-2".into(), None, code(0), Some(text("timeout"))),
            ("GT-3".into(), number(1.0), code(64), None),
        ];
        assert_eq!(told, expected);
        let ours = |metric: &Metric| metric.timestamp == Some(at.0 as u64) && metric.name.is_none();
        assert!(payload.metrics[1..].iter().all(ours));
        assert!(
            payload
                .metrics
                .iter()
                .all(|metric| metric.is_historical.is_none())
        );
    }

    #[test]
    fn a_good_value_is_written_in_place_as_any_other_metric_would_be_and_nothing_else_is() {
        let site = fixture::site();
        let encoder = encoder(&site);
        let batch = fixture::batch(&site, None, vec![]);
        let at = WallMs(NOW.0 - 7);
        for value in [0.0, 1.0, -17.25] {
            for position in 0..site.points.len() as u32 {
                let good = Reading::measured(value, at);
                let plain = encoder.plain_reading(position, &good, None, true);
                let metric = encoder.reading(&batch, position, &good, None);
                assert_eq!(plain.map(Metric::from), Some(metric));
                assert_eq!(
                    encoder.plain_reading(position, &good, Some("d"), true),
                    None
                );
                assert_eq!(encoder.plain_reading(position, &good, None, false), None);
                for other in [
                    Reading::uncertain(value, at),
                    Reading::absent(NoValue::Timeout, at),
                ] {
                    assert_eq!(encoder.plain_reading(position, &other, None, true), None);
                }
            }
        }
        let beyond = site.points.len() as u32;
        let good = Reading::measured(1.0, at);
        assert_eq!(encoder.plain_reading(beyond, &good, None, true), None);
    }

    #[test]
    fn what_is_sent_late_or_again_says_so_in_every_metric() {
        let site = fixture::site();
        let records = vec![reading(&site, "GT-1", Reading::measured(1.0, NOW))];
        let batch = fixture::batch(&site, Some("GC-1"), records);
        let late = Sending {
            historical: true,
            ..SENDING
        };
        let payload = read(&encoder(&site).data(&batch, late));
        assert!(
            payload
                .metrics
                .iter()
                .all(|metric| metric.is_historical == Some(true))
        );
    }

    #[test]
    fn a_transition_tells_its_whole_story() {
        let site = fixture::site();
        let transition = fixture::acknowledgement(&site, fixture::alarm(&site, "GT-1.HH"));
        let record = Record::Transition(Box::new(transition));
        let batch = fixture::batch(&site, Some("GC-1"), vec![record]);
        let payload = read(&encoder(&site).data(&batch, SENDING));
        let (name, metric) = &resolved(&site, &payload)[1];
        assert_eq!(
            (&**name, metric.value(Some(3))),
            ("Alarms/GT-1/HIHI", Some(Value::Whole(2)))
        );
        assert_eq!(metric.timestamp, Some(NOW.0 as u64 - 5));
        let set = metric.properties.as_ref().unwrap();
        let told: Vec<_> = set
            .keys
            .iter()
            .map(|key| (&**key, metric.property(key).unwrap()))
            .collect();
        let limit = site.alarms[fixture::alarm(&site, "GT-1.HH") as usize]
            .definition
            .condition
            .set_point();
        let expected = [
            ("seq", Value::Unsigned(9)),
            ("occurrence", Value::Unsigned(3)),
            ("prev", Value::Whole(1)),
            ("priority", Value::Whole(1)),
            ("cause", text("acknowledge")),
            ("limit", Value::Number(limit.unwrap())),
            ("value", Value::Number(51.5)),
            ("actor", text("wang")),
            ("reason", text("seen")),
            ("command", text("c-1")),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_batch_of_a_device_that_is_no_longer_on_site_goes_by_name_and_loses_nothing() {
        let before = fixture::site();
        let after = fixture::site_with(|text| text.replace("\"GD-2\"", "\"GD-9\""));
        let transition = fixture::acknowledgement(&before, fixture::alarm(&before, "GD-2.COMMS"));
        let records = vec![
            reading(&before, "GT-4", Reading::measured(3.5, NOW)),
            Record::Transition(Box::new(transition)),
        ];
        let message =
            encoder(&after).data(&fixture::batch(&before, Some("GD-2"), records), SENDING);
        assert_eq!(message.topic, "spBv1.0/330283/NDATA/solvent-warehouse");
        let payload = read(&message);
        let told: Vec<_> = payload.metrics[1..]
            .iter()
            .map(|metric| (metric.name.as_deref(), metric.alias, metric.value(None)))
            .collect();
        let expected = [
            (Some("GD-2/GT-4"), None, Some(Value::Number(3.5))),
            (Some("GD-2/Alarms/GD-2/COMMS"), None, Some(Value::Whole(2))),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn positions_of_an_older_site_file_find_their_names() {
        let before = fixture::site();
        let after = fixture::site_with(|text| {
            let mut parts: Vec<&str> = text.split("[[point]]").collect();
            parts.swap(1, 2);
            parts.join("[[point]]")
        });
        assert_ne!(
            fixture::point(&before, "GT-2"),
            fixture::point(&after, "GT-2")
        );
        let records = vec![reading(&before, "GT-2", Reading::measured(3.5, NOW))];
        let payload =
            read(&encoder(&after).data(&fixture::batch(&before, Some("GC-1"), records), SENDING));
        assert_eq!(resolved(&after, &payload)[1].0, "GT-2");
    }

    #[test]
    fn outputs_losses_and_starts_are_the_nodes() {
        let site = fixture::site();
        let time = NOW;
        let lost = Record::Lost {
            from: 3,
            to: 5,
            readings: 90,
            time,
        };
        let output = Record::Output {
            output: 0,
            on: true,
            time,
        };
        let batch = fixture::batch(&site, None, vec![Record::Started { time }, output, lost]);
        let message = encoder(&site).data(&batch, SENDING);
        assert_eq!(message.topic, "spBv1.0/330283/NDATA/solvent-warehouse");
        let told = resolved(&site, &read(&message));
        assert_eq!(told[1].0, format!("Outputs/{}", site.outputs[0].id));
        assert_eq!(told[1].1.value(None), Some(Value::Flag(true)));
        assert_eq!(
            (&*told[2].0, told[2].1.value(None)),
            (name::LOST, Some(Value::Unsigned(12)))
        );
        assert_eq!(told[2].1.property("from"), Some(Value::Unsigned(3)));
        assert_eq!(told.len(), 3, "a start is only its batch");
    }

    #[test]
    fn what_somebody_did_is_told_with_who_and_when() {
        let site = fixture::site();
        let act = |act| Record::Act {
            act,
            actor: "wang".into(),
            time: NOW,
        };
        let records = vec![act(Act::Silence), act(Act::ResetOutput(0))];
        let batch = fixture::batch(&site, None, records);
        assert!(batch.is_urgent(), "it waits behind no backlog");
        let told = resolved(&site, &read(&encoder(&site).data(&batch, SENDING)));
        let said = |place: usize, key| told[place].1.property(key);
        assert_eq!(told[1].1.value(None), Some(text("silence")));
        assert_eq!(
            (said(1, "actor"), said(1, "output")),
            (Some(text("wang")), None)
        );
        assert_eq!(told[2].1.value(None), Some(text("reset")));
        assert_eq!(said(2, "output"), Some(text(&site.outputs[0].id)));
        assert!(told[1..].iter().all(|(name, metric)| {
            name == name::ACT && metric.timestamp == u64::try_from(NOW.0).ok()
        }));
    }

    #[test]
    fn a_damaged_position_is_told_and_never_a_panic() {
        let site = fixture::site();
        let reading = Reading::measured(1.0, NOW);
        let records = vec![Record::Reading {
            point: u32::MAX,
            reading,
        }];
        let mut batch = fixture::batch(&site, None, records);
        batch.device = Some(u32::MAX);
        let payload = read(&encoder(&site).data(&batch, SENDING));
        assert_eq!(payload.metrics[1].name.as_deref(), Some("unknown/unknown"));
    }

    #[test]
    fn a_death_names_its_session_and_has_no_number() {
        let payload = read(&encoder(&fixture::site()).death(7, NOW));
        assert_eq!(
            (payload.seq, value(&payload, name::BD_SEQ)),
            (None, Some(Value::Whole(7)))
        );
    }

    #[test]
    fn an_alarm_costs_the_wire_less_than_a_quarter_of_a_kilobyte() {
        let site = fixture::site();
        let transition = fixture::acknowledgement(&site, fixture::alarm(&site, "GT-1.HH"));
        let record = Record::Transition(Box::new(transition));
        let batch = fixture::batch(&site, Some("GC-1"), vec![record]);
        let bytes = encoder(&site).data(&batch, SENDING).payload.len();
        assert!(bytes < 256, "{bytes}");
    }
}
