//! What an edge node's births declared: alias and name of every metric, and what each means to us. Pure.

use super::alarm;
use davy_alarm::Priority;
use davy_wire::{Metric, Payload, name};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// One edge node's table, built from its newest births.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    /// The site that it reports for.
    pub(crate) site: Arc<str>,
    /// Its journal, if it has one.
    pub(crate) stream: Option<u64>,
    /// Whether it described itself with a model: then a point is called as its metric, else as `<device>.<metric>`.
    pub(crate) described: bool,
    /// When the node says that it was born: names this table.
    pub(crate) born: Option<u64>,
    /// Devices that the node's model names: each has a birth of its own.
    devices: BTreeSet<String>,
    aliases: Aliases,
    names: HashMap<String, HashMap<String, Arc<Known>>>,
}

/// A declared metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    /// Empty for the node itself.
    pub(crate) device: String,
    pub(crate) name: String,
    pub(crate) alias: Option<u64>,
    pub(crate) datatype: Option<u32>,
    pub(crate) meaning: Meaning,
}

/// What a metric is to the collector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// The place of the message in its journal.
    Offset,
    /// Batches that the gateway lost to a full disk.
    Lost,
    /// The answer to a command that was refused.
    Refusal,
    /// What somebody did at the plant, beside what alarms tell.
    Act,
    /// The gateway's wall clock was set while it ran.
    ClockSet,
    Told,
    /// A point, or an output (kept as `Outputs/<id>`).
    Point(Arc<str>),
    Alarm(Declared),
    /// Node information and control: no reading.
    Other,
}

/// An alarm as its birth declared it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    /// `<point or device>.<condition>`.
    pub(crate) id: String,
    pub(crate) priority: Option<Priority>,
    pub(crate) limit: Option<f64>,
}

/// What each alias means: those that are small, as nearly all are, by their place.
#[derive(Clone, Debug, Default)]
struct Aliases {
    near: Vec<Option<Arc<Known>>>,
    far: HashMap<u64, Arc<Known>>,
}

impl Aliases {
    /// Places, at most: somebody's aliases may be spread over 64 bits.
    const MOST_NEAR: usize = 8_192;

    fn place(alias: u64) -> Option<usize> {
        usize::try_from(alias)
            .ok()
            .filter(|place| *place < Self::MOST_NEAR)
    }

    fn get(&self, alias: u64) -> Option<&Arc<Known>> {
        match Self::place(alias) {
            Some(place) => self.near.get(place)?.as_ref(),
            None => self.far.get(&alias),
        }
    }

    fn put(&mut self, alias: u64, known: Arc<Known>) {
        let Some(place) = Self::place(alias) else {
            self.far.insert(alias, known);
            return;
        };
        if place >= self.near.len() {
            self.near.resize(place + 1, None);
        }
        self.near[place] = Some(known);
    }

    /// Those of a device.
    fn forget(&mut self, device: &str) {
        let is_of = |known: &Arc<Known>| known.device == device;
        for place in &mut self.near {
            if place.as_ref().is_some_and(is_of) {
                *place = None;
            }
        }
        self.far.retain(|_, known| !is_of(known));
    }
}

/// First parts of names that the node keeps for itself.
const NODE_OWN: [&str; 7] = [
    "Store",
    "Node Control",
    "Node Info",
    "Device Control",
    "Device Info",
    "Properties",
    "Node Properties",
];

impl Edge {
    pub(crate) fn new(site: &str, birth: &Payload) -> Self {
        let mut edge = Self {
            site: site.into(),
            stream: stream(birth),
            born: birth.timestamp,
            described: birth.metric(name::MODEL).is_some(),
            devices: devices(birth),
            ..Self::default()
        };
        edge.declare("", birth);
        edge
    }

    /// Whether every device that the node's model names has been born.
    pub(crate) fn is_whole(&self) -> bool {
        self.devices
            .iter()
            .all(|device| self.names.contains_key(device))
    }

    /// Whether a device's birth is a part of this node's: it names that, or, naming none, is not older. Several collectors, and a broker that sends again
    /// what one of them did not confirm, mix the births of two sessions; their aliases must not be mixed.
    pub(crate) fn owns(&self, device: &Payload) -> bool {
        match (part_of(device), device.timestamp, self.born) {
            (Some(node), _, born) => Some(node) == born,
            (None, Some(device), Some(node)) => device >= node,
            (None, ..) => true,
        }
    }

    /// Whether a device's birth, which is none of this node's, was made before this node's: it comes late from a session that is over. By when it says that it was made, or
    /// else by the session that it names. One that was made later and names another session is of a birth that was not heard, also where a clock that was set back
    /// gave that a smaller number.
    pub(crate) fn is_after(&self, device: &Payload) -> bool {
        let made = device.timestamp.or_else(|| part_of(device));
        made.zip(self.born).is_some_and(|(made, born)| made < born)
    }

    /// Takes over the metrics of a birth: of a device, or of the node (`""`).
    pub(crate) fn declare(&mut self, device: &str, birth: &Payload) {
        let known: Vec<_> = birth
            .metrics
            .iter()
            .filter_map(|metric| self.known(device, metric))
            .map(Arc::new)
            .collect();
        self.aliases.forget(device);
        for known in &known {
            if let Some(alias) = known.alias {
                self.aliases.put(alias, known.clone());
            }
        }
        let names = known.into_iter().map(|known| (known.name.clone(), known));
        self.names.insert(device.to_owned(), names.collect());
    }

    /// What a data metric of a message of the node (`""`) or of a device is; none for what no birth declared.
    pub(crate) fn resolve(&self, device: &str, metric: &Metric) -> Option<Arc<Known>> {
        let by_name = metric
            .name
            .as_deref()
            .and_then(|name| self.named(device, name));
        by_name
            .or_else(|| self.aliased(metric.alias?).cloned())
            .or_else(|| self.guess(device, metric))
    }

    /// What this alias was declared to be.
    pub(crate) fn aliased(&self, alias: u64) -> Option<&Arc<Known>> {
        self.aliases.get(alias)
    }

    /// The metric of an alarm, by its id.
    pub(crate) fn alarm(&self, id: &str) -> Option<&Arc<Known>> {
        let is_it = |known: &&Arc<Known>| matches!(&known.meaning, Meaning::Alarm(declared) if declared.id == id);
        self.names.values().flat_map(HashMap::values).find(is_it)
    }

    fn named(&self, device: &str, name: &str) -> Option<Arc<Known>> {
        self.names.get(device)?.get(name).cloned()
    }

    /// A metric by a name that no birth declared: `<device>/<metric>` in a message of the node (a point that the site file dropped while the journal
    /// still held it), or a name of the node's own.
    fn guess(&self, device: &str, metric: &Metric) -> Option<Arc<Known>> {
        let name = metric.name.as_deref()?;
        if !device.is_empty() || is_node_own(name) {
            return is_node_own(name)
                .then(|| self.known(device, metric))
                .flatten()
                .map(Arc::new);
        }
        let (device, rest) = name.split_once('/')?;
        if device.is_empty() || rest.is_empty() {
            return None;
        }
        let known = self.named(device, rest);
        let renamed = Metric {
            name: Some(rest.to_owned()),
            ..metric.clone()
        };
        known.or_else(|| self.known(device, &renamed).map(Arc::new))
    }

    fn known(&self, device: &str, metric: &Metric) -> Option<Known> {
        let name = metric.name.as_deref().filter(|name| !name.is_empty())?;
        Some(Known {
            device: device.to_owned(),
            name: name.to_owned(),
            alias: metric.alias,
            datatype: metric.datatype,
            meaning: self.meaning(device, name, metric),
        })
    }

    fn meaning(&self, device: &str, name: &str, metric: &Metric) -> Meaning {
        match name {
            name::OFFSET => Meaning::Offset,
            name::REFUSAL => Meaning::Refusal,
            name::LOST => Meaning::Lost,
            name::ACT => Meaning::Act,
            name::CLOCK_SET => Meaning::ClockSet,
            name::TOLD => Meaning::Told,
            name::BD_SEQ => Meaning::Other,
            _ if is_node_own(name) && !name.starts_with(name::OUTPUTS) => Meaning::Other,
            _ => match alarm::id_of(name) {
                Some(id) => Meaning::Alarm(Declared {
                    id,
                    priority: alarm::priority(metric),
                    limit: metric.property("limit").and_then(|limit| limit.as_f64()),
                }),
                None => Meaning::Point(self.point(device, name).into()),
            },
        }
    }

    fn point(&self, device: &str, name: &str) -> String {
        if self.described || device.is_empty() {
            name.to_owned()
        } else {
            format!("{device}.{}", name.replace('/', "."))
        }
    }
}

/// The devices of a birth's model, and those of its points; none where there is no model, or one of somebody's own kind.
fn devices(birth: &Payload) -> BTreeSet<String> {
    let model = birth
        .metric(name::MODEL)
        .and_then(|model| model.value(Some(davy_wire::DataType::Text as u32)));
    let model = model
        .as_ref()
        .and_then(|model| model.as_text())
        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let listed = |list: &str, id: &str| -> Vec<String> {
        let items = model.as_ref().and_then(|model| model[list].as_array());
        let ids = items.into_iter().flatten();
        ids.filter_map(|item| item[id].as_str().map(str::to_owned))
            .collect()
    };
    // A device may have outputs alone, and a model of somebody else's points alone.
    let mut devices = BTreeSet::from_iter(listed("devices", "id"));
    devices.extend(listed("points", "device"));
    devices
}

/// `Store/Stream` of a birth.
pub(crate) fn stream(birth: &Payload) -> Option<u64> {
    let metric = birth.metric(name::STREAM)?;
    metric
        .value(Some(davy_wire::DataType::UInt64 as u32))?
        .as_u64()
}

/// The node's birth that a device's birth names as its own.
fn part_of(device: &Payload) -> Option<u64> {
    let offset = device.metric(name::OFFSET)?;
    offset.property(name::BIRTH)?.as_u64()
}

fn is_node_own(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or(name);
    name == name::BD_SEQ || name.starts_with(name::OUTPUTS) || NODE_OWN.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_wire::{DataType, Value};

    fn payload(metrics: Vec<Metric>) -> Payload {
        Payload {
            timestamp: Some(1),
            metrics,
            seq: Some(0),
        }
    }

    fn number(name: &str, alias: u64) -> Metric {
        Metric::named(name, DataType::Double, Some(Value::Number(1.0))).with_alias(alias)
    }

    fn described() -> Edge {
        let model = Metric::named(name::MODEL, DataType::Text, Some(Value::Text("{}".into())));
        let mut edge = Edge::new("tank-farm", &payload(vec![model]));
        edge.declare(
            "GT",
            &payload(vec![number("GT-101", 7), number("Alarms/GT-101/HIHI", 8)]),
        );
        edge
    }

    fn meaning(edge: &Edge, device: &str, metric: Metric) -> Option<Meaning> {
        edge.resolve(device, &metric)
            .map(|known| known.meaning.clone())
    }

    #[test]
    fn an_alias_of_a_device_is_known_in_messages_of_the_node() {
        let edge = described();
        let metric = Metric::aliased(7, None);
        assert_eq!(
            meaning(&edge, "", metric),
            Some(Meaning::Point("GT-101".into()))
        );
        let Some(Meaning::Alarm(alarm)) = meaning(&edge, "", Metric::aliased(8, None)) else {
            panic!("an alarm")
        };
        assert_eq!(alarm.id, "GT-101.HH");
        assert_eq!(meaning(&edge, "", Metric::aliased(9, None)), None);
    }

    #[test]
    fn a_device_with_outputs_alone_is_missed_until_it_is_born() {
        let told =
            r#"{"devices":[{"id":"GT"},{"id":"RELAYS"}],"points":[{"id":"GT-101","device":"GT"}]}"#;
        let model = Metric::named(name::MODEL, DataType::Text, Some(Value::Text(told.into())));
        let mut edge = Edge::new("tank-farm", &payload(vec![model]));
        edge.declare("GT", &payload(vec![number("GT-101", 7)]));
        assert!(!edge.is_whole());
        edge.declare("RELAYS", &payload(vec![number("Outputs/HORN/STATE", 8)]));
        assert!(edge.is_whole());
    }

    #[test]
    fn a_birth_of_a_device_is_of_the_session_that_it_names_else_of_any_that_is_not_newer() {
        let at = |timestamp, metrics| Payload {
            timestamp,
            ..payload(metrics)
        };
        let edge = Edge::new("tank-farm", &at(Some(70), Vec::new()));
        let check = |timestamp, names: Option<u64>, is_owned| {
            let offset = Metric::named(name::OFFSET, DataType::UInt64, None)
                .with_some(name::BIRTH, names.map(Value::Unsigned));
            let device = at(timestamp, vec![offset]);
            assert_eq!(edge.owns(&device), is_owned, "{timestamp:?} {names:?}");
        };
        check(Some(70), None, true);
        check(Some(71), None, true);
        check(Some(69), None, false);
        check(None, None, true);
        // A clock that was set between the two does not part them, nor join what is of two births.
        check(Some(60), Some(70), true);
        check(Some(80), Some(60), false);
        check(Some(80), Some(80), false);
    }

    #[test]
    fn a_device_born_again_loses_the_aliases_that_it_had() {
        let mut edge = described();
        edge.declare("GT", &payload(vec![number("GT-102", 9)]));
        assert_eq!(meaning(&edge, "", Metric::aliased(7, None)), None);
        assert!(meaning(&edge, "", Metric::aliased(9, None)).is_some());
    }

    #[test]
    fn a_dropped_point_is_known_by_device_and_name() {
        let edge = described();
        let gone = Metric::named("GT/GT-109", DataType::Double, None);
        assert_eq!(
            meaning(&edge, "", gone),
            Some(Meaning::Point("GT-109".into()))
        );
        let nothing = Metric::named("GT-109", DataType::Double, None);
        assert_eq!(meaning(&edge, "", nothing), None);
    }

    #[test]
    fn points_of_a_third_party_carry_their_device() {
        let mut edge = Edge::new("press", &payload(vec![]));
        edge.declare(
            "oven",
            &payload(vec![Metric::named("Temp/Inner", DataType::Float, None)]),
        );
        let metric = Metric::named("Temp/Inner", DataType::Float, None);
        let point = Meaning::Point("oven.Temp.Inner".into());
        assert_eq!(meaning(&edge, "oven", metric), Some(point));
    }
}
