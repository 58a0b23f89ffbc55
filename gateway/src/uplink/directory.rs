//! Names and aliases of everything that a site publishes, and the way back from both.
//!
//! Aliases are positions: outputs from 1, then points, then alarms. They are the same in every birth of one site file and unique on the edge node.

use davy_alarm::Condition;
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, PointIndex, Site};
use davy_wire::name;
use std::collections::HashMap;
use std::sync::Arc;

/// Suffixes of alarm ids and their names on the wire.
const CONDITIONS: [(&str, &str); 18] = [
    ("HH", "HIHI"),
    ("H", "HI"),
    ("L", "LO"),
    ("LL", "LOLO"),
    ("ON", "DISCRETE"),
    ("BAD", "BAD_PV"),
    ("DEV", "DEV"),
    ("ROC", "ROC"),
    ("FROZEN", "FROZEN"),
    ("STEL", "STEL"),
    ("TWA", "TWA"),
    ("STALE", "STALE"),
    ("COMMS", "COMMS"),
    ("VOTE", "VOTE"),
    ("DEGRADED", "DEGRADED"),
    ("UNMON", "UNMON"),
    ("DISC", "DISC"),
    ("FAILED", "FAILED"),
];

/// Names, aliases and positions of one site.
#[derive(Debug)]
pub(super) struct Directory {
    site: Arc<Site>,
    devices: HashMap<String, usize>,
    points: HashMap<String, usize>,
    alarms: HashMap<String, usize>,
    outputs: HashMap<String, usize>,
}

impl Directory {
    pub(super) fn new(site: Arc<Site>) -> Self {
        let index = |ids: Vec<&String>| ids.into_iter().cloned().zip(0..).collect();
        Self {
            devices: index(site.devices.iter().map(|device| &device.id).collect()),
            points: index(site.points.iter().map(|point| &point.id).collect()),
            alarms: index(site.alarms.iter().map(|alarm| &alarm.id).collect()),
            outputs: index(site.outputs.iter().map(|output| &output.id).collect()),
            site,
        }
    }

    pub(super) fn device(&self, id: &str) -> Option<DeviceIndex> {
        self.devices.get(id).copied().map(DeviceIndex)
    }

    pub(super) fn point(&self, id: &str) -> Option<PointIndex> {
        self.points.get(id).copied().map(PointIndex)
    }

    pub(super) fn alarm(&self, id: &str) -> Option<AlarmIndex> {
        self.alarms.get(id).copied().map(AlarmIndex)
    }

    pub(super) fn output(&self, id: &str) -> Option<OutputIndex> {
        self.outputs.get(id).copied().map(OutputIndex)
    }

    pub(super) fn output_alias(&self, output: OutputIndex) -> u64 {
        1 + output.0 as u64
    }

    pub(super) fn point_alias(&self, point: PointIndex) -> u64 {
        1 + (self.site.outputs.len() + point.0) as u64
    }

    pub(super) fn alarm_alias(&self, alarm: AlarmIndex) -> u64 {
        1 + (self.site.outputs.len() + self.site.points.len() + alarm.0) as u64
    }

    /// The alarm that an alias stands for.
    pub(super) fn alarm_of_alias(&self, alias: u64) -> Option<AlarmIndex> {
        let first = self.alarm_alias(AlarmIndex(0));
        let position = usize::try_from(alias.checked_sub(first)?).ok()?;
        (position < self.site.alarms.len()).then_some(AlarmIndex(position))
    }

    /// The alarm that a metric's name stands for.
    pub(super) fn alarm_of_name(&self, metric: &str) -> Option<AlarmIndex> {
        let (subject, condition) = metric.strip_prefix(name::ALARMS)?.rsplit_once('/')?;
        let (suffix, _) = CONDITIONS.iter().find(|(_, wire)| *wire == condition)?;
        self.alarm(&format!("{subject}.{suffix}"))
    }

    /// The device on which an alarm's metric lives.
    pub(super) fn device_of(&self, alarm: AlarmIndex) -> DeviceIndex {
        self.site.home(alarm)
    }
}

/// The metric's name of an alarm id, also of one that the site no longer has.
pub(super) fn alarm_metric(id: &str) -> String {
    match id.rsplit_once('.') {
        Some((subject, suffix)) => format!("{}{subject}/{}", name::ALARMS, wire_name(suffix)),
        None => format!("{}{id}", name::ALARMS),
    }
}

/// A condition's name on the wire.
pub(super) fn condition_name(condition: &Condition) -> &'static str {
    wire_name(condition.suffix())
}

fn wire_name(suffix: &str) -> &'static str {
    CONDITIONS
        .iter()
        .find(|(known, _)| *known == suffix)
        .map_or("UNKNOWN", |(_, wire)| wire)
}
