//! Births: every metric that a site publishes, by name and alias, with its present value.

use super::directory::{alarm_metric, condition_name};
use super::encode::{
    Encoder, Message, of_birth, offset_metric, payload, point_type, point_value, text,
    with_quality, with_value,
};
use crate::live::{AlarmNow, OutputNow, Picture, ValueNow};
use crate::model::Model;
use davy_alarm::WallMs;
use davy_config::site::{DeviceIndex, Site, Text};
use davy_wire::{DataType, Metric, Value, Verb, name};

/// What a node's birth says beside the site itself.
#[derive(Clone, Copy, Debug)]
pub struct NodeBirth {
    pub bd_seq: u8,
    pub stream: u64,
    /// Batches lost since the stream began.
    pub lost: u64,
    pub now: WallMs,
}

/// What a device's birth says beside the device itself.
#[derive(Clone, Copy, Debug)]
pub struct DeviceBirth {
    pub seq: u8,
    /// When the node's birth was made that it belongs to: a collector that hears the births of two sessions mixed must not mix their aliases.
    pub born: WallMs,
    pub now: WallMs,
}

impl Encoder {
    /// The node's birth; its sequence number is 0 always.
    pub fn node_birth(&self, birth: NodeBirth, picture: &Picture) -> Message {
        let NodeBirth {
            bd_seq,
            stream,
            lost,
            now,
        } = birth;
        let whole = |name, value| Metric::named(name, DataType::Int64, Some(Value::Whole(value)));
        let count =
            |name, value| Metric::named(name, DataType::UInt64, Some(Value::Unsigned(value)));
        let mut metrics = vec![
            whole(name::BD_SEQ, bd_seq.into()),
            Metric::named(name::REBIRTH, DataType::Boolean, Some(Value::Flag(false))),
            Metric::named(name::ACK, DataType::Text, None),
            count(name::STREAM, stream),
            offset_metric(None),
            count(name::LOST, lost),
        ];
        metrics.extend(self.node_texts());
        for metric in &mut metrics {
            metric.timestamp = u64::try_from(now.0).ok();
        }
        metrics.extend(
            picture
                .outputs
                .iter()
                .map(|output| self.born_output(output)),
        );
        Message {
            topic: self.node_topic(Verb::NodeBirth),
            payload: payload(Some(0), now, metrics),
        }
    }

    /// One device's birth.
    pub fn device_birth(
        &self,
        device: DeviceIndex,
        picture: &Picture,
        birth: DeviceBirth,
    ) -> Message {
        let DeviceBirth { seq, born, now } = birth;
        let here = |value: &&ValueNow| self.site.points[value.point.0].device == device;
        let its = |alarm: &&AlarmNow| self.directory.device_of(alarm.alarm) == device;
        let mut metrics = vec![of_birth(offset_metric(None).at(now.0), born)];
        metrics.extend(
            picture
                .values
                .iter()
                .filter(here)
                .map(|value| self.born_point(value)),
        );
        let alarms = picture.alarms.iter().filter(its);
        metrics.extend(alarms.map(|alarm| self.born_alarm(alarm, now)));
        Message {
            topic: self.device_topic(Verb::DeviceBirth, device),
            payload: payload(Some(seq), now, metrics),
        }
    }

    fn node_texts(&self) -> [Metric; 9] {
        let named =
            |name, value: Option<&str>| Metric::named(name, DataType::Text, value.map(text));
        let model = serde_json::to_string(&Model::of(&self.site)).ok();
        let mut refusal = named(name::REFUSAL, None);
        refusal.is_transient = Some(true);
        [
            named(name::NAME_ZH, Some(&self.site.name.zh)),
            named(name::NAME_EN, Some(&self.site.name.en)),
            named(name::VERSION, Some(&self.version)),
            named(name::DIGEST, Some(&self.site.digest)),
            named(name::MODEL, model.as_deref()),
            refusal,
            named(name::ACT, None),
            Metric::named(name::CLOCK_SET, DataType::Int64, None),
            named(name::TOLD, None),
        ]
    }

    fn born_output(&self, now: &OutputNow) -> Metric {
        let name = format!("{}{}", name::OUTPUTS, self.site.outputs[now.output.0].id);
        Metric::named(name, DataType::Boolean, Some(Value::Flag(now.demand)))
            .with_alias(self.directory.output_alias(now.output))
            .at(now.since.0)
            .with_some("feedback", now.feedback.map(Value::Flag))
    }

    fn born_point(&self, now: &ValueNow) -> Metric {
        let point = &self.site.points[now.point.0];
        let value = point_value(point.kind, now.reading.value());
        let metric = Metric::named(&*point.id, point_type(point.kind), value)
            .with_alias(self.directory.point_alias(now.point))
            .at(now.reading.source_time().0)
            .with("unit", text(&point.unit))
            .with("low", Value::Number(point.range.0))
            .with("high", Value::Number(point.range.1))
            .with("kind", text(point.kind.name()))
            .with("name_zh", text(&point.name.zh))
            .with("name_en", text(&point.name.en))
            .with("area", text(&self.site.areas[point.area].id));
        with_quality(metric, &now.reading, now.stale)
    }

    /// The alarm as it stands; its time is that of its last change.
    fn born_alarm(&self, now: &AlarmNow, birth: WallMs) -> Metric {
        let alarm = &self.site.alarms[now.alarm.0];
        let definition = &alarm.definition;
        let (limit, deadband) = (
            definition.condition.set_point(),
            definition.condition.deadband(),
        );
        let guidance =
            |pick: fn(&Text) -> &String| alarm.guidance.as_ref().map(|at| text(pick(at)));
        let state = Some(Value::Whole(now.shown.code().into()));
        let metric = Metric::named(alarm_metric(&alarm.id), DataType::Int32, state)
            .with_alias(self.directory.alarm_alias(now.alarm))
            .at(now.changed.unwrap_or(birth).0)
            .with("alarm_id", text(&alarm.id))
            .with("condition", text(condition_name(&definition.condition)))
            .with(
                "priority",
                Value::Whole(definition.priority.number().into()),
            )
            .with("on_delay_ms", Value::Whole(definition.on_delay_ms.into()))
            .with_some("limit", limit.map(Value::Number))
            .with_some("deadband", deadband.map(Value::Number))
            .with_some("message_zh", guidance(|text| &text.zh))
            .with_some("message_en", guidance(|text| &text.en))
            .with("occurrence", Value::Unsigned(now.occurrence.into()))
            .with("seq", Value::Unsigned(now.seq));
        with_value(metric, now.value_then)
            .with_some("actor", now.actor.as_deref().map(text))
            .with_some("reason", now.reason.as_deref().map(text))
            .with_some(
                "shelved_until",
                now.shelved_until.map(|at| Value::Whole(at.0)),
            )
    }
}

/// How many devices have births of their own.
pub(super) fn devices(site: &Site) -> usize {
    site.devices.len()
}
