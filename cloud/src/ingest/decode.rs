//! A data message to what is committed: payload and table in, values out. Pure: no clock, no store, and no byte makes it panic.

use super::alarm;
use super::edge::{Edge, Meaning};
use crate::history::PointReading;
use crate::records::{Line, Sample};
use davy_alarm::{NoValue, Quality, Reading, WallMs};
use davy_wire::{DataMetric, DataType, Metric, Payload, Plain, Value, name, quality};
use serde::Deserialize;
use std::sync::Arc;

/// What a data message held.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Data {
    /// Its place in the gateway's journal.
    pub(crate) offset: Option<u64>,
    /// The newest source time in it; 0 for none.
    pub(crate) newest_ms: i64,
    pub(crate) readings: Vec<PointReading>,
    /// Which of the readings are of now: not backlog, and points rather than outputs.
    pub(crate) live: Vec<(Arc<str>, Reading)>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) lines: Vec<Line>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) acts: Vec<Act>,
    pub(crate) clock_sets: Vec<ClockSet>,
    pub(crate) told: Vec<Told>,
    /// Metrics that no birth declared: the table is too old, or the birth was not heard.
    pub(crate) undeclared: Vec<String>,
    /// Its aliases are of another birth than the table's: nothing after the offset was read.
    pub(crate) is_foreign: bool,
    /// What could not be read.
    pub(crate) faults: Vec<String>,
}

/// A gateway's answer to a command that its rules refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) alarm: String,
    #[serde(default)]
    pub(crate) why: String,
}

/// Batches that a gateway lost to a full disk: offsets `from` to `to`, with so many readings in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) readings: u64,
    pub(crate) time_ms: i64,
}

/// A gateway's wall clock was set while it ran: what it told before was off by as much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockSet {
    pub(crate) by_ms: i64,
    pub(crate) time_ms: i64,
}

/// What a node behind a gateway told of the past, or that some of it is lost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) device: String,
    /// `alarm`, `start`, `configuration`, `relay`, `gateway-silent`, `unlock`, `clock-set`, `update`, `unknown`; `missed`, `renumbered`.
    pub(crate) kind: String,
    /// When it happened, by a clock that `detail` names.
    pub(crate) time_ms: i64,
    /// Every property of the metric.
    pub(crate) detail: serde_json::Map<String, serde_json::Value>,
}

/// What somebody did at the plant, beside what alarms tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) deed: Deed,
    /// The person's id at the plant; `local` where nobody was logged in.
    pub(crate) actor: String,
    pub(crate) time_ms: i64,
}

/// A proof as the plant tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proved {
    /// Id of the point or output; none of a report.
    pub(crate) of: Option<String>,
    pub(crate) number: u64,
    pub(crate) kind: String,
    pub(crate) outcome: String,
    /// SHA-256, hexadecimal.
    pub(crate) digest: String,
    /// JSON, as the gateway wrote it.
    pub(crate) detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Silence,
    /// Of the output with this id.
    Reset(String),
    /// An output was switched on for a while, to prove it.
    Test(String),
    /// A point or output was proved.
    Prove(Box<Proved>),
    /// A signed report of proofs was made.
    Report(Box<Proved>),
    /// Another site file took the running one's place: their digests, and what differs as JSON.
    Reload {
        from: String,
        to: String,
        changes: String,
    },
}

/// Times outside 1970 to 9999 are of no clock.
const LAST_MS: i64 = 253_402_300_799_999;

/// Faults and undeclared metrics that are named; the rest of them are counted by the quarantined payload itself.
const MOST_NAMED: usize = 20;

/// Reads a message of the node (`device` empty) or of a device.
pub(crate) fn data(payload: &Payload, device: &str, edge: &Edge, received_ms: i64) -> Data {
    let mut data = Data::default();
    for metric in &payload.metrics {
        let time_ms = time(metric.timestamp.or(payload.timestamp), received_ms);
        full(&mut data, metric, device, edge, time_ms);
        if data.is_foreign {
            break;
        }
    }
    data
}

/// As [`data`], of a message that was read in bulk.
pub(crate) fn bulk(message: &davy_wire::Data, device: &str, edge: &Edge, received_ms: i64) -> Data {
    let mut data = Data::default();
    data.readings.reserve(message.metrics.len());
    for metric in &message.metrics {
        match metric {
            DataMetric::Plain(metric) => {
                let time_ms = time(metric.timestamp.or(message.timestamp), received_ms);
                plain(&mut data, *metric, device, edge, time_ms);
            }
            DataMetric::Full(metric) => {
                let time_ms = time(metric.timestamp.or(message.timestamp), received_ms);
                full(&mut data, metric, device, edge, time_ms);
            }
        }
        if data.is_foreign {
            break;
        }
    }
    data
}

/// A number by its alias: of a point it is a good reading.
fn plain(data: &mut Data, metric: Plain, device: &str, edge: &Edge, time_ms: Result<i64, String>) {
    if let Some(known) = edge.aliased(metric.alias)
        && let (Meaning::Point(point), Ok(time_ms)) = (&known.meaning, &time_ms)
        && let Some(value) = metric.value(known.datatype).as_f64()
    {
        let reading = Reading::measured(value, WallMs(*time_ms));
        let is_backlog = metric.is_historical == Some(true);
        keep(data, edge, point, reading, is_backlog);
    } else {
        full(data, &metric.into(), device, edge, time_ms);
    }
}

fn full(data: &mut Data, metric: &Metric, device: &str, edge: &Edge, time_ms: Result<i64, String>) {
    let Some(known) = edge.resolve(device, metric) else {
        return note(&mut data.undeclared, || label(metric));
    };
    let (meaning, datatype) = (&known.meaning, known.datatype);
    let taken = time_ms.and_then(|time_ms| take(data, metric, meaning, datatype, edge, time_ms));
    if let Err(fault) = taken {
        note(&mut data.faults, || format!("{}: {fault}", known.name));
    }
}

fn note(list: &mut Vec<String>, text: impl Fn() -> String) {
    if list.len() < MOST_NAMED {
        list.push(text());
    }
}

fn label(metric: &Metric) -> String {
    match (&metric.name, metric.alias) {
        (Some(name), _) => name.chars().take(100).collect(),
        (None, Some(alias)) => format!("alias {alias}"),
        (None, None) => "a metric without name or alias".to_owned(),
    }
}

fn take(
    data: &mut Data,
    metric: &Metric,
    meaning: &Meaning,
    datatype: Option<u32>,
    edge: &Edge,
    time_ms: i64,
) -> Result<(), String> {
    match meaning {
        Meaning::Offset => {
            let value = metric.value(Some(DataType::UInt64 as u32));
            data.offset = Some(value.and_then(|value| value.as_u64()).ok_or("no number")?);
            let born = metric.property(name::BIRTH).and_then(|born| born.as_u64());
            if born.is_some() && born != edge.born {
                data.is_foreign = true;
                note(&mut data.undeclared, || {
                    "the aliases of another birth".to_owned()
                });
            }
        }
        Meaning::Refusal => {
            let value = metric.value(datatype);
            if let Some(text) = value
                .as_ref()
                .and_then(Value::as_text)
                .filter(|text| !text.is_empty())
            {
                data.refusals
                    .push(serde_json::from_str(text).map_err(|error| error.to_string())?);
            }
        }
        Meaning::Lost => data.lost.extend(lost(metric, time_ms)),
        Meaning::Act => data.acts.extend(act(metric, datatype, time_ms)?),
        Meaning::ClockSet => {
            let by_ms = metric.value(Some(DataType::Int64 as u32));
            let by_ms = by_ms.and_then(|by_ms| by_ms.as_i64());
            let set = by_ms.map(|by_ms| ClockSet { by_ms, time_ms });
            data.clock_sets.extend(set);
        }
        Meaning::Told => data.told.extend(told(metric, datatype, time_ms)?),
        Meaning::Alarm(declared) => {
            data.lines.push(alarm::line(metric, declared, time_ms)?);
            data.newest_ms = data.newest_ms.max(time_ms);
        }
        Meaning::Point(point) => {
            if let Some(reading) = reading(metric, datatype, time_ms)? {
                keep(
                    data,
                    edge,
                    point,
                    reading,
                    metric.is_historical == Some(true),
                );
            }
        }
        Meaning::Other => {}
    }
    Ok(())
}

fn keep(data: &mut Data, edge: &Edge, point: &Arc<str>, reading: Reading, is_backlog: bool) {
    let time_ms = reading.source_time().0;
    data.newest_ms = data.newest_ms.max(time_ms);
    data.readings.push(PointReading {
        site: edge.site.clone(),
        point: Arc::clone(point),
        reading,
    });
    if !is_backlog {
        data.live.push((Arc::clone(point), reading));
    }
    // A demand is no measurement.
    if point.starts_with(name::OUTPUTS) {
        return;
    }
    if let (Ok(value), Quality::Good) = (reading.value(), reading.quality()) {
        data.samples.push(Sample {
            point: Arc::clone(point),
            time_ms,
            value,
        });
    }
}

/// None for a metric that gives the count alone, as births do.
fn lost(metric: &Metric, time_ms: i64) -> Option<Lost> {
    let number = |key| metric.property(key)?.as_u64();
    Some(Lost {
        from: number("from")?,
        to: number("to")?,
        readings: number("readings").unwrap_or(0),
        time_ms,
    })
}

/// None for a metric without a value, as births carry it.
fn told(metric: &Metric, datatype: Option<u32>, time_ms: i64) -> Result<Option<Told>, String> {
    let value = metric.value(datatype);
    let Some(kind) = value.as_ref().and_then(Value::as_text) else {
        return Ok(None);
    };
    let device = metric.property("device");
    let device = device.and_then(|device| Some(device.as_text()?.to_owned()));
    let properties = metric.properties().filter(|(key, _)| *key != "device");
    let detail = properties.map(|(key, value)| (key.to_owned(), json(value)));
    Ok(Some(Told {
        device: device.ok_or("told by no device")?,
        kind: kind.to_owned(),
        time_ms,
        detail: detail.take(MOST_NAMED).collect(),
    }))
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Whole(value) => value.into(),
        Value::Unsigned(value) => value.into(),
        Value::Number(value) => value.into(),
        Value::Flag(value) => value.into(),
        Value::Text(text) => text.into(),
    }
}

/// None for a metric without a value, as births carry it.
fn act(metric: &Metric, datatype: Option<u32>, time_ms: i64) -> Result<Option<Act>, String> {
    let value = metric.value(datatype);
    let Some(what) = value.as_ref().and_then(Value::as_text) else {
        return Ok(None);
    };
    let said = |key| Some(metric.property(key)?.as_text()?.to_owned());
    let deed = match what {
        "silence" => Deed::Silence,
        "reset" => Deed::Reset(said("output").ok_or("a reset of no output")?),
        "test" => Deed::Test(said("output").ok_or("a test of no output")?),
        "prove" => Deed::Prove(Box::new(proved(metric)?)),
        "report" => Deed::Report(Box::new(proved(metric)?)),
        "reload" => Deed::Reload {
            from: said("from").ok_or("a reload from nothing")?,
            to: said("to").ok_or("a reload to nothing")?,
            changes: said("changes").unwrap_or_default(),
        },
        other => return Err(format!("`{other}` is no act")),
    };
    Ok(Some(Act {
        deed,
        actor: said("actor").ok_or("an act of nobody")?,
        time_ms,
    }))
}

fn proved(metric: &Metric) -> Result<Proved, String> {
    let said = |key: &str| Some(metric.property(key)?.as_text()?.to_owned());
    let need = |key: &str| said(key).ok_or_else(|| format!("a proof without `{key}`"));
    let number = metric.property("number").and_then(|value| value.as_u64());
    Ok(Proved {
        of: said("point").or_else(|| said("output")),
        number: number.ok_or("a proof without `number`")?,
        kind: need("kind")?,
        outcome: need("outcome")?,
        digest: need("digest")?,
        detail: said("detail").unwrap_or_default(),
    })
}

/// When a metric was sampled: as it or its message says, or as it came.
pub(crate) fn time(said: Option<u64>, received_ms: i64) -> Result<i64, String> {
    let Some(said) = said else {
        return Ok(received_ms);
    };
    i64::try_from(said)
        .ok()
        .filter(|said| *said <= LAST_MS)
        .ok_or_else(|| format!("{said} is no time"))
}

/// Reads a value with its quality; none for texts, which are no readings.
pub(crate) fn reading(
    metric: &Metric,
    datatype: Option<u32>,
    time_ms: i64,
) -> Result<Option<Reading>, String> {
    let said = metric.property("Quality").and_then(|code| code.as_i64());
    let time = WallMs(time_ms);
    let value = match metric.value(datatype) {
        Some(Value::Text(_)) => return Ok(None),
        value => value.and_then(|value| value.as_f64()),
    };
    Ok(Some(match (value, said.unwrap_or(quality::GOOD)) {
        (None, _) | (_, quality::BAD..quality::UNCERTAIN) => {
            Reading::absent(absence(metric)?, time)
        }
        (Some(value), quality::GOOD..256) => Reading::measured(value, time),
        // Stale, or a code of somebody's own: there is a value, and nobody vouches for it.
        (Some(value), _) => Reading::uncertain(value, time),
    }))
}

/// Why there is no value; a third party that does not say leaves it unknown.
fn absence(metric: &Metric) -> Result<NoValue, String> {
    let Some(cause) = metric.property("cause") else {
        return Ok(NoValue::UnknownCode);
    };
    let text = cause.as_text().unwrap_or_default();
    alarm::no_value(text).ok_or_else(|| format!("`{text:.40}` is no cause of absence"))
}

/// The offset of a message that cannot be read as a whole: its first metric may still be whole, and by it the message can be acknowledged.
pub(crate) fn salvaged_offset(bytes: &[u8], edge: &Edge) -> Option<u64> {
    let first = Payload::from_bytes(bytes.get(..end_of_first_metric(bytes)?)?).ok()?;
    let metric = first.metrics.first()?;
    let known = edge.resolve("", metric)?;
    let value = metric.value(Some(DataType::UInt64 as u32))?;
    (known.meaning == Meaning::Offset).then(|| value.as_u64())?
}

/// Walks the fields of a protobuf message; a prefix that ends at a field's end is a message too.
fn end_of_first_metric(bytes: &[u8]) -> Option<usize> {
    const METRICS: u64 = 2;
    let mut at = 0;
    loop {
        let key = varint(bytes, &mut at)?;
        let length = match key & 7 {
            0 => {
                varint(bytes, &mut at)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(bytes, &mut at)?).ok()?,
            5 => 4,
            _ => return None,
        };
        at = at.checked_add(length).filter(|at| *at <= bytes.len())?;
        if key >> 3 == METRICS {
            return Some(at);
        }
    }
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edge() -> Edge {
        let store = Metric::named(name::STREAM, DataType::UInt64, Some(Value::Unsigned(5)));
        let offset = Metric::named(name::OFFSET, DataType::UInt64, None).with_alias(1);
        let model = Metric::named(name::MODEL, DataType::Text, Some(Value::Text("{}".into())));
        let birth = Payload {
            timestamp: Some(1),
            metrics: vec![store, offset, model],
            seq: Some(0),
        };
        let mut edge = Edge::new("tank-farm", &birth);
        let level = Metric::named("LT-1", DataType::Double, None).with_alias(2);
        let alarm = Metric::named("Alarms/LT-1/HI", DataType::Int32, None).with_alias(3);
        edge.declare(
            "T1",
            &Payload {
                timestamp: Some(1),
                metrics: vec![level, alarm],
                seq: Some(1),
            },
        );
        edge
    }

    fn message(metrics: Vec<Metric>) -> Payload {
        Payload {
            timestamp: Some(2_000),
            metrics,
            seq: Some(3),
        }
    }

    #[test]
    fn quality_and_cause_survive() {
        let bad = Metric::aliased(2, None)
            .at(1_000)
            .with("Quality", Value::Whole(quality::BAD))
            .with("cause", Value::Text("broken-loop".into()));
        let uncertain = Metric::aliased(2, Some(Value::Number(4.5)))
            .at(1_001)
            .with("Quality", Value::Whole(quality::UNCERTAIN));
        let good = Metric::aliased(2, Some(Value::Number(5.0))).at(1_002);
        let data = data(&message(vec![bad, uncertain, good]), "", &edge(), 9);
        let readings: Vec<_> = data.readings.iter().map(|read| read.reading).collect();
        assert_eq!(
            readings,
            [
                Reading::absent(NoValue::BrokenLoop, WallMs(1_000)),
                Reading::uncertain(4.5, WallMs(1_001)),
                Reading::measured(5.0, WallMs(1_002)),
            ]
        );
        assert_eq!((data.samples.len(), data.newest_ms), (1, 1_002));
    }

    #[test]
    fn backlog_is_kept_and_not_shown_as_of_now() {
        let mut old = Metric::aliased(2, Some(Value::Number(5.0)));
        old.is_historical = Some(true);
        let data = data(&message(vec![old]), "", &edge(), 9);
        assert_eq!((data.readings.len(), data.live.len()), (1, 0));
    }

    #[test]
    fn what_can_be_read_is_read_beside_what_cannot() {
        let broken = Metric::aliased(3, Some(Value::Whole(77)));
        let good = Metric::aliased(2, Some(Value::Number(5.0)));
        let offset = Metric::aliased(1, Some(Value::Unsigned(12)));
        let data = data(&message(vec![offset, broken, good]), "", &edge(), 9);
        assert_eq!(
            (data.offset, data.readings.len(), data.faults.len()),
            (Some(12), 1, 1)
        );
    }

    #[test]
    fn the_offset_of_a_message_cut_in_its_middle_is_salvaged() {
        let offset = Metric::aliased(1, Some(Value::Unsigned(12)));
        let rest = Metric::aliased(2, Some(Value::Number(5.0)));
        let bytes = message(vec![offset, rest.clone(), rest]).to_bytes();
        let cut = &bytes[..bytes.len() - 7];
        assert!(Payload::from_bytes(cut).is_err());
        assert_eq!(salvaged_offset(cut, &edge()), Some(12));
        assert_eq!(salvaged_offset(&bytes[..3], &edge()), None);
    }

    #[test]
    fn a_message_under_the_aliases_of_another_birth_is_not_read_by_this_one() {
        let offset = |born| {
            Metric::aliased(1, Some(Value::Unsigned(12))).with(name::BIRTH, Value::Unsigned(born))
        };
        let level = Metric::aliased(2, Some(Value::Number(5.0)));
        let message = |born| message(vec![offset(born), level.clone()]);
        assert!(data(&message(1), "", &edge(), 9).undeclared.is_empty());
        let foreign = data(&message(2), "", &edge(), 9);
        assert_eq!((foreign.undeclared.len(), foreign.readings.len()), (1, 0));
    }

    #[test]
    fn a_loss_is_told_with_its_span() {
        let metric = Metric::named(name::LOST, DataType::UInt64, Some(Value::Unsigned(3)))
            .with("from", Value::Unsigned(7))
            .with("to", Value::Unsigned(9))
            .with("readings", Value::Unsigned(40));
        let lost = data(&message(vec![metric]), "", &edge(), 9).lost;
        assert_eq!((lost[0].from, lost[0].to, lost[0].readings), (7, 9, 40));
    }

    #[test]
    fn what_somebody_did_at_the_plant_is_told_with_who_and_when() {
        let metric =
            |what: &str| Metric::named(name::ACT, DataType::Text, Some(Value::Text(what.into())));
        let by = |metric: Metric| metric.at(77).with("actor", Value::Text("wang".into()));
        let reset = by(metric("reset")).with("output", Value::Text("FAN-1".into()));
        let read = data(&message(vec![by(metric("silence")), reset]), "", &edge(), 9);
        let act = |deed| Act {
            deed,
            actor: "wang".to_owned(),
            time_ms: 77,
        };
        assert_eq!(
            read.acts,
            [act(Deed::Silence), act(Deed::Reset("FAN-1".to_owned()))]
        );
        let text = |text: &str| Value::Text(text.into());
        let reload = by(metric("reload"))
            .with("from", text("a"))
            .with("to", text("b"));
        let read = data(
            &message(vec![reload.with("changes", text("[]"))]),
            "",
            &edge(),
            9,
        );
        let deed = Deed::Reload {
            from: "a".to_owned(),
            to: "b".to_owned(),
            changes: "[]".to_owned(),
        };
        assert_eq!(read.acts, [act(deed)]);
        for wrong in [
            by(metric("reload")),
            metric("silence"),
            by(metric("reset")),
            by(metric("bypass")),
        ] {
            let read = data(&message(vec![wrong]), "", &edge(), 9);
            assert_eq!((read.acts.len(), read.faults.len()), (0, 1));
        }
        let born = Metric::named(name::ACT, DataType::Text, None);
        let read = data(&message(vec![born]), "", &edge(), 9);
        assert_eq!((read.acts.len(), read.faults.len()), (0, 0));
    }

    fn any_metric() -> impl Strategy<Value = Metric> {
        let value = prop_oneof![
            any::<i64>().prop_map(Value::Whole),
            any::<u64>().prop_map(Value::Unsigned),
            any::<f64>().prop_map(Value::Number),
            any::<bool>().prop_map(Value::Flag),
            ".{0,8}".prop_map(Value::Text),
        ];
        let keys = prop::sample::select(vec![
            "Quality",
            "cause",
            "seq",
            "prev",
            "occurrence",
            "priority",
            "value_cause",
        ]);
        let properties = prop::collection::vec((keys, value.clone()), 0..6);
        (
            0_u64..6,
            prop::option::of(value),
            any::<Option<u64>>(),
            properties,
        )
            .prop_map(|(alias, value, time, properties)| {
                let mut metric = Metric::aliased(alias, value);
                metric.timestamp = time;
                properties
                    .into_iter()
                    .fold(metric, |metric, (key, value)| metric.with(key, value))
            })
    }

    proptest! {
        #[test]
        fn a_message_in_bulk_is_read_as_any_other(metrics in prop::collection::vec(any_metric(), 0..12), timestamp: Option<u64>, is_historical: Option<bool>) {
            let metrics = metrics.into_iter().map(|metric| Metric { is_historical, ..metric }).collect();
            let (edge, payload) = (edge(), Payload { timestamp, metrics, seq: None });
            let read = davy_wire::Data::from_bytes(&payload.to_bytes()).expect("our own bytes read back");
            let (one, other) = (bulk(&read, "T1", &edge, 9), data(&payload, "T1", &edge, 9));
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let edge = edge();
            let _ = salvaged_offset(&bytes, &edge);
            if let Ok(payload) = Payload::from_bytes(&bytes) {
                let _ = data(&payload, "", &edge, 9);
                let mut edge = edge;
                edge.declare("x", &payload);
                let _ = data(&payload, "x", &edge, 9);
            }
        }

        #[test]
        fn no_well_formed_nonsense_makes_the_decoder_panic_or_invent_a_value(metrics in prop::collection::vec(any_metric(), 0..8)) {
            let data = data(&message(metrics), "", &edge(), 9);
            for read in &data.readings {
                prop_assert!(read.reading.value().is_ok_and(f64::is_finite) || read.reading.value().is_err());
            }
        }
    }
}
