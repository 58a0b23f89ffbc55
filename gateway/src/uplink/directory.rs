//! Names and aliases of everything that a site publishes, and the way back from both.
//!
//! Aliases are positions: outputs first, then points, then alarms. They are the same in every birth of one site file and unique on the edge node. They count from 1
//! after a start, and after a change of the file from where the file before ended: a command that was on its way then means nothing, and nothing else.

use davy_alarm::Condition;
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, PointIndex, PointKind, Site};
use davy_wire::name;
use std::sync::Arc;

/// Suffixes of alarm ids and their names on the wire.
const CONDITIONS: [(&str, &str); 20] = [
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
    ("MANUAL", "MANUAL"),
    ("PROOF", "PROOF"),
];

/// Names, aliases and positions of one site.
#[derive(Debug)]
pub(super) struct Directory {
    site: Arc<Site>,
    /// The first alias.
    first: u64,
    devices: ById,
    points: ById,
    alarms: ById,
    outputs: ById,
    /// By point: every reading asks, and a site's points are large.
    discrete: Box<[bool]>,
}

/// Positions in the order of their ids, which stand in the site alone: commands and old batches look names up, not every reading.
#[derive(Debug)]
struct ById(Box<[u32]>);

impl ById {
    fn of(ids: &[&String]) -> Self {
        let places = 0..u32::try_from(ids.len()).expect("a site has fewer than 2^32 parts");
        let mut places: Vec<u32> = places.collect();
        places.sort_unstable_by_key(|place| ids[*place as usize]);
        Self(places.into())
    }

    /// Where `id` stands in the list whose ids `at` tells.
    fn find<'s>(&self, id: &str, at: impl Fn(usize) -> &'s str) -> Option<usize> {
        let found = self
            .0
            .binary_search_by_key(&id, |place| at(*place as usize));
        found.ok().map(|found| self.0[found] as usize)
    }
}

impl Directory {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self::from(site, 1)
    }

    /// Of the site that takes the place of this one's.
    pub(super) fn followed_by(&self, site: Arc<Site>) -> Self {
        let end = self.alarm_alias(AlarmIndex(self.site.alarms.len()));
        Self::from(site, end)
    }

    fn from(site: Arc<Site>, first: u64) -> Self {
        let ids = |ids: Vec<&String>| ById::of(&ids);
        Self {
            devices: ids(site.devices.iter().map(|device| &device.id).collect()),
            points: ids(site.points.iter().map(|point| &point.id).collect()),
            alarms: ids(site.alarms.iter().map(|alarm| &alarm.id).collect()),
            outputs: ids(site.outputs.iter().map(|output| &output.id).collect()),
            discrete: (site.points.iter())
                .map(|point| point.kind == PointKind::Discrete)
                .collect(),
            first,
            site,
        }
    }

    /// Whether a point is true or false, and no number.
    pub(super) fn is_discrete(&self, point: PointIndex) -> bool {
        self.discrete[point.0]
    }

    pub(super) fn device(&self, id: &str) -> Option<DeviceIndex> {
        let found = self.devices.find(id, |at| &self.site.devices[at].id);
        found.map(DeviceIndex)
    }

    pub(super) fn point(&self, id: &str) -> Option<PointIndex> {
        let found = self.points.find(id, |at| &self.site.points[at].id);
        found.map(PointIndex)
    }

    pub(super) fn alarm(&self, id: &str) -> Option<AlarmIndex> {
        let found = self.alarms.find(id, |at| &self.site.alarms[at].id);
        found.map(AlarmIndex)
    }

    pub(super) fn output(&self, id: &str) -> Option<OutputIndex> {
        let found = self.outputs.find(id, |at| &self.site.outputs[at].id);
        found.map(OutputIndex)
    }

    pub(super) fn output_alias(&self, output: OutputIndex) -> u64 {
        self.first + output.0 as u64
    }

    pub(super) fn point_alias(&self, point: PointIndex) -> u64 {
        self.first + (self.site.outputs.len() + point.0) as u64
    }

    pub(super) fn alarm_alias(&self, alarm: AlarmIndex) -> u64 {
        self.first + (self.site.outputs.len() + self.site.points.len() + alarm.0) as u64
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
