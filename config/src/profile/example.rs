//! Examples of a profile: what its registers hold in a state of the device, as the manual lays them out, and what must be read of them.
//!
//! An example is data for people and a test at once: [`check`] holds every one against the decoder.

use super::signal::{CAUSES, Signal};
use super::{Context, Profile, band_names, bands, width};
use crate::problem::{Args, Code, Word};
use crate::section::{At, Either, Section};
use crate::sink::Sink;
use crate::site::{DeviceIndex, Point, PointKind, Proving, Register, Scaling, Table, Text};
use davy_alarm::{NoValue, Quality, Reading};

/// What a reading is made of: the point, its registers, and those of each of its status rules.
pub type Decode<'d> = &'d dyn Fn(&Point, &[u16], &[&[u16]]) -> Reading;

/// A state of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// As the profile calls it.
    pub state: String,
    /// What is held, by table and zero-based address; bits are 0 or 1.
    pub registers: Vec<(Table, u16, u16)>,
    /// Measuring range of the point, which scales a loop current.
    pub range: (f64, f64),
    /// The transmitter's bands of loop current, in place of the signal's own.
    pub bands: Option<String>,
    /// Whether the values are of uncertain quality.
    pub uncertain: bool,
    pub reads: Vec<Expected>,
}

/// What one signal must read.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub signal: String,
    pub value: Result<f64, NoValue>,
    at: At<()>,
}

/// The share of a value that its spelling may round away.
const ROUNDED: f64 = 1e-3;

impl Expected {
    /// Whether a reading's value is the one that was told.
    pub fn is(&self, found: Result<f64, NoValue>) -> bool {
        match (self.value, found) {
            (Ok(wanted), Ok(found)) => (found - wanted).abs() <= ROUNDED * wanted.abs().max(1.0),
            (wanted, found) => wanted == found,
        }
    }
}

/// Reads every `[[example]]`.
pub(super) fn read(section: &Section<'_, '_>, context: &Context) -> Vec<Example> {
    let own = section.sections("example");
    own.into_iter()
        .filter_map(|own| read_one(own, context))
        .collect()
}

fn read_one(section: Section<'_, '_>, context: &Context) -> Option<Example> {
    let state = section.need_text("state");
    let registers = (TABLES.iter())
        .flat_map(|(key, table)| read_table(&section, context, key, *table))
        .collect();
    let named = section.text("bands");
    let range = section.pair("range");
    let uncertain = section.flag("uncertain").is_some_and(|at| at.value);
    let reads = section.need_section("reads").map(|own| read_reads(&own));
    if let Some(at) = named.as_ref().filter(|at| bands(&at.value).is_none()) {
        section.unknown(at, Code::UnknownName, band_names());
    }
    section.finish();
    Some(Example {
        state: state?.value,
        registers,
        range: range.map_or((0.0, 100.0), |at| at.value),
        bands: named.map(|at| at.value),
        uncertain,
        reads: reads?,
    })
}

const TABLES: &[(&str, Table)] = &[
    ("coil", Table::Coil),
    ("discrete-input", Table::DiscreteInput),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

/// `{ 40003 = 0x427a, … }`: addresses in the manual's own way of counting.
fn read_table(
    section: &Section<'_, '_>,
    context: &Context,
    key: &'static str,
    table: Table,
) -> Vec<(Table, u16, u16)> {
    let Some(own) = section.section(key) else {
        return Vec::new();
    };
    let most = match table {
        Table::Coil | Table::DiscreteInput => 1,
        Table::Holding | Table::Input => 65_535,
    };
    let held = own.wholes(0..=most);
    held.into_iter()
        .filter_map(|(address, value)| {
            let Ok(number) = address.value.parse::<i64>() else {
                own.wrong(&address, Word::Whole, &address.value);
                return None;
            };
            let first = context.address(&own, table, &address.with(number))?;
            Some((table, first, value.value as u16))
        })
        .collect()
}

/// `{ gas = 62.5, alarm1 = 1 }`, or the cause for which there is no value.
fn read_reads(section: &Section<'_, '_>) -> Vec<Expected> {
    let told = section.texts_or_numbers();
    if told.is_empty() {
        section.problem(Code::EmptyList, vec![("name", "reads".into())]);
    }
    let expected = |(signal, told): (At<String>, At<Either>)| {
        let value = match &told.value {
            Either::Number(number) => Ok(*number),
            Either::Text(name) => Err(cause(section, &told.with(name.clone()))?),
        };
        let at = told.with(());
        Some(Expected {
            signal: signal.value,
            value,
            at,
        })
    };
    told.into_iter().filter_map(expected).collect()
}

fn cause(section: &Section<'_, '_>, at: &At<String>) -> Option<NoValue> {
    let found = causes().find(|(name, _)| *name == at.value);
    if found.is_none() {
        section.unknown(at, Code::UnknownName, causes().map(|(name, _)| name));
    }
    found.map(|(_, cause)| cause)
}

/// Every cause that registers can tell.
fn causes() -> impl Iterator<Item = (&'static str, NoValue)> {
    let spelt = [("not-finite", NoValue::NotFinite)];
    CAUSES.iter().copied().chain(spelt)
}

/// Holds every example against the decoder, and tells the states that none shows.
pub(super) fn check(profile: &Profile, decode: Decode<'_>, sink: &Sink<'_>) {
    let mut shown = vec![Shown::default(); profile.signals.len()];
    for example in &profile.examples {
        for expected in &example.reads {
            let found = profile.signals.iter();
            let Some(position) = found.clone().position(|own| own.id == expected.signal) else {
                let known = found.map(|signal| signal.id.as_str());
                let at = expected.at.with(expected.signal.clone());
                crate::section::unknown(sink, &at, Code::UnknownReference, known);
                continue;
            };
            let signal = &profile.signals[position];
            match Held::of(example, signal) {
                Ok(held) => held.judge(expected, decode, sink, &mut shown[position]),
                Err(missing) => hole(sink, expected, missing),
            }
        }
    }
    for row in &profile.rows {
        tell_unshown(row, profile, &shown, sink);
    }
}

fn hole(sink: &Sink<'_>, expected: &Expected, missing: Register) {
    let table = TABLES.iter().find(|(_, table)| *table == missing.table);
    let args = vec![
        ("value", expected.signal.as_str().into()),
        ("table", table.map_or("", |(key, _)| key).into()),
        ("address", u32::from(missing.address).into()),
    ];
    add(sink, &expected.at, Code::ExampleHole, args);
}

fn add(sink: &Sink<'_>, at: &At<()>, code: Code, args: Args) {
    sink.add(code, at.span.clone(), &at.key, args);
}

/// A row of signals in one entry of the profile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(super) here: At<()>,
    pub(super) signals: std::ops::Range<usize>,
}

/// What examples showed of a signal.
#[derive(Clone, Default)]
struct Shown {
    value: bool,
    /// Positions of status rules that took the value away, none before them having done so.
    rules: Vec<usize>,
}

fn tell_unshown(row: &Row, profile: &Profile, shown: &[Shown], sink: &Sink<'_>) {
    let Some(first) = profile.signals.get(row.signals.start) else {
        return;
    };
    let shown = &shown[row.signals.clone()];
    let tell = |how: &str| {
        let args = vec![
            ("value", first.id.as_str().into()),
            ("how", how.to_owned().into()),
        ];
        add(sink, &row.here, Code::Unshown, args);
    };
    if !shown.iter().any(|shown| shown.value) {
        tell("value");
    }
    for (position, rule) in first.status.iter().enumerate() {
        if !shown.iter().any(|shown| shown.rules.contains(&position)) {
            tell(rule.cause.name());
        }
    }
}

/// The registers of one signal in one example.
struct Held {
    point: Point,
    value: Vec<u16>,
    status: Vec<Vec<u16>>,
    uncertain: bool,
}

impl Held {
    /// The register that the example lacks, if it lacks one.
    fn of(example: &Example, signal: &Signal) -> Result<Self, Register> {
        let words = |register: Register| {
            let word = |nth: u16| {
                let own = |(table, at, _): &&(Table, u16, u16)| {
                    (*table, *at) == (register.table, register.address + nth)
                };
                example.registers.iter().find(own).map(|held| held.2)
            };
            let words: Option<Vec<u16>> = (0..width(register.encoding)).map(word).collect();
            words.ok_or(register)
        };
        let status = signal.status.iter().map(|rule| words(rule.register));
        Ok(Self {
            value: words(signal.register)?,
            status: status.collect::<Result<_, _>>()?,
            point: point(example, signal),
            uncertain: example.uncertain,
        })
    }

    fn judge(&self, expected: &Expected, decode: Decode<'_>, sink: &Sink<'_>, shown: &mut Shown) {
        let reading = self.reading(decode, self.point.status.len());
        let uncertain = reading.quality() == Quality::Uncertain;
        if !expected.is(reading.value()) || reading.value().is_ok() && uncertain != self.uncertain {
            let args = vec![
                ("value", spelt(expected.value, self.uncertain).into()),
                ("found", spelt(reading.value(), uncertain).into()),
            ];
            add(sink, &expected.at, Code::ExampleDiffers, args);
        }
        shown.value |= reading.value().is_ok();
        let without = |rules| self.reading(decode, rules).value();
        let first =
            (1..=self.point.status.len()).find(|rules| without(*rules) != without(rules - 1));
        shown.rules.extend(first.map(|rules| rules - 1));
    }

    /// The reading by the first `rules` of the status rules alone.
    fn reading(&self, decode: Decode<'_>, rules: usize) -> Reading {
        let mut point = self.point.clone();
        point.status.truncate(rules);
        let status: Vec<&[u16]> = self.status[..rules].iter().map(Vec::as_slice).collect();
        decode(&point, &self.value, &status)
    }
}

fn spelt(value: Result<f64, NoValue>, uncertain: bool) -> String {
    match value {
        Ok(value) if uncertain => format!("{value} (uncertain)"),
        Ok(value) => value.to_string(),
        Err(cause) => cause.name().to_owned(),
    }
}

/// A point of the signal; what no reading depends on is left empty.
fn point(example: &Example, signal: &Signal) -> Point {
    let named = example.bands.as_deref();
    let own = signal.bands.as_deref().map(|own| named.unwrap_or(own));
    let (scale, offset) = (signal.scale, signal.offset);
    let empty = || Text {
        zh: String::new(),
        en: String::new(),
    };
    Point {
        id: signal.id.clone(),
        name: empty(),
        area: 0,
        device: DeviceIndex(0),
        kind: PointKind::Other,
        unit: String::new(),
        range: example.range,
        decimals: 0,
        register: signal.register,
        scaling: match own.and_then(bands) {
            None => Scaling::Linear { scale, offset },
            Some(bands) => Scaling::CurrentLoop {
                scale,
                offset,
                bands,
            },
        },
        status: signal.status.clone(),
        over_range_at: None,
        under_range_at: None,
        exception: 0.0,
        heartbeat_ms: 0,
        alarms: Vec::new(),
        proving: Proving {
            proof: None,
            calibration: None,
            tolerance: 0.0,
            alarm: None,
        },
        states: None,
        armed: false,
        unproved: None,
    }
}
