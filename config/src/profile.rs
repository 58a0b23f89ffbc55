//! Device profiles: what a device's registers mean, as data. docs/profiles.md tells how to write one.

use crate::problem::{Code, Problem};
use crate::section::{Section, Sink, nearest};
use crate::site::{Band, BandMeaning, Encoding, Order, Register, StatusRule, Table};
use davy_alarm::NoValue;
use toml::de::DeTable;

/// The profiles that come with Davy: (name, text).
const EMBEDDED: &[(&str, &str)] = &[
    (
        "dongxin-sf6-o2",
        include_str!("../profiles/dongxin-sf6-o2.toml"),
    ),
    (
        "generic-ai-420",
        include_str!("../profiles/generic-ai-420.toml"),
    ),
    ("generic-di", include_str!("../profiles/generic-di.toml")),
    (
        "generic-relay",
        include_str!("../profiles/generic-relay.toml"),
    ),
    (
        "honeywell-touchpoint-pro",
        include_str!("../profiles/honeywell-touchpoint-pro.toml"),
    ),
    (
        "honeywell-xnx",
        include_str!("../profiles/honeywell-xnx.toml"),
    ),
    (
        "moxa-e1200-ai",
        include_str!("../profiles/moxa-e1200-ai.toml"),
    ),
    (
        "msa-ultima-x3",
        include_str!("../profiles/msa-ultima-x3.toml"),
    ),
    ("oldham-mx43", include_str!("../profiles/oldham-mx43.toml")),
    (
        "pemtech-pt495",
        include_str!("../profiles/pemtech-pt495.toml"),
    ),
    ("raeguard-3", include_str!("../profiles/raeguard-3.toml")),
    ("rki-m2a", include_str!("../profiles/rki-m2a.toml")),
    (
        "rosemount-5300",
        include_str!("../profiles/rosemount-5300.toml"),
    ),
    (
        "sierra-5100-02-it",
        include_str!("../profiles/sierra-5100-02-it.toml"),
    ),
];

const BANDS: &str = include_str!("../data/bands.toml");

/// A device's registers and how they may be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    pub(crate) max_block: u16,
    pub(crate) max_gap: u16,
    pub(crate) max_bits: u16,
    pub(crate) signals: Vec<Signal>,
}

/// One value or switch of a device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signal {
    pub(crate) id: String,
    pub(crate) register: Register,
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    /// The raw number scaled is a loop current in mA, judged by the bands of this name unless the point names others.
    pub(crate) bands: Option<String>,
    pub(crate) status: Vec<StatusRule>,
    /// On, off, and whether functions 15 and 16 are needed; `None` = read only.
    pub(crate) write: Option<Write>,
}

/// How a switch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) on: u16,
    pub(crate) off: u16,
    pub(crate) multiple: bool,
}

/// What a site may choose of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) base: Option<u16>,
    pub(crate) order: Option<Order>,
}

/// The text of an embedded profile, or the nearest name.
pub(crate) fn embedded(name: &str) -> Result<&'static str, String> {
    let found = EMBEDDED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let names = EMBEDDED.iter().map(|(name, _)| *name);
        nearest(name, names.clone()).unwrap_or_else(|| names.collect::<Vec<_>>().join(", "))
    })
}

/// The names of the embedded profiles.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// Reads a profile. `file` names it in problems.
pub(crate) fn parse(file: &str, text: &str, choice: Choice) -> Result<Profile, Vec<Problem>> {
    let sink = Sink::new(file, text);
    let profile = match DeTable::parse(text) {
        Err(error) => {
            sink.add(
                Code::Syntax,
                error.span().unwrap_or(0..0),
                "",
                vec![("error", error.message().to_owned())],
            );
            None
        }
        Ok(table) => read(
            Section::new(&sink, table.get_ref(), table.span(), String::new()),
            choice,
        ),
    };
    let problems = sink.take();
    match profile {
        Some(profile) if problems.is_empty() => Ok(profile),
        _ => Err(problems),
    }
}

fn read(section: Section<'_, '_>, choice: Choice) -> Option<Profile> {
    section.need_text("id");
    if let Some(name) = section.need_section("name") {
        name.need_text("zh");
        name.need_text("en");
        name.finish();
    }
    section.need_text("source");
    section.need_one_of("confidence", &[("V", ()), ("M", ()), ("C", ())]);
    let max_block = section
        .whole("max_block", 1..=125)
        .map_or(125, |at| at.value as u16);
    let max_gap = section
        .whole("max_gap", 0..=124)
        .map_or(0, |at| at.value as u16);
    let max_bits = section
        .whole("max_bits", 1..=2000)
        .map_or(2000, |at| at.value as u16);
    let base = section
        .whole("base", 0..=65535)
        .map_or(0, |at| at.value as u16);
    let context = Context {
        base: choice.base.unwrap_or(base),
        order: choice.order,
    };
    let signals = section
        .sections("signal")
        .into_iter()
        .flat_map(|signal| read_signal(signal, &context))
        .collect();
    section.finish();
    Some(Profile {
        max_block,
        max_gap,
        max_bits,
        signals,
    })
}

/// What holds for every register of the profile.
pub(crate) struct Context {
    pub(crate) base: u16,
    pub(crate) order: Option<Order>,
}

/// One signal, or with `count` a row of them: `ch{n}` gives `ch1`, `ch2`, ….
fn read_signal(section: Section<'_, '_>, context: &Context) -> Vec<Signal> {
    let id = section.need_text("id");
    let register = read_register(&section, context);
    let count = section
        .whole("count", 1..=512)
        .map_or(1, |at| at.value as u16);
    let stride = section
        .whole("stride", 1..=1000)
        .map_or(1, |at| at.value as u16);
    let scale = section.number("scale").map_or(1.0, |at| at.value);
    let offset = section.number("offset").map_or(0.0, |at| at.value);
    let bands = section.text("current_ma").map(|at| at.value);
    let status: Vec<(StatusRule, u16)> = section
        .sections("status")
        .into_iter()
        .filter_map(|rule| read_rule(rule, context))
        .collect();
    let write = section.section("write").map(read_write);
    section.finish();
    let (Some(id), Some(register)) = (id, register) else {
        return Vec::new();
    };
    let signal = |n: u16| Signal {
        id: id.value.replace("{n}", &(n + 1).to_string()),
        register: moved(register, n * stride),
        scale,
        offset,
        bands: bands.clone(),
        status: status
            .iter()
            .map(|(rule, stride)| StatusRule {
                register: moved(rule.register, n * stride),
                ..*rule
            })
            .collect(),
        write,
    };
    (0..count).map(signal).collect()
}

fn moved(register: Register, by: u16) -> Register {
    Register {
        address: register.address.saturating_add(by),
        ..register
    }
}

fn read_write(section: Section<'_, '_>) -> Write {
    let on = section
        .whole("on", 0..=65535)
        .map_or(1, |at| at.value as u16);
    let off = section
        .whole("off", 0..=65535)
        .map_or(0, |at| at.value as u16);
    let multiple = section.flag("multiple").is_some_and(|at| at.value);
    section.finish();
    Write { on, off, multiple }
}

fn read_rule(section: Section<'_, '_>, context: &Context) -> Option<(StatusRule, u16)> {
    let register = read_register(&section, context);
    let stride = section
        .whole("stride", 0..=1000)
        .map_or(1, |at| at.value as u16);
    let is = section.whole("is", i64::MIN..=i64::MAX).map(|at| at.value);
    let from = section
        .whole("from", i64::MIN..=i64::MAX)
        .map(|at| at.value);
    let to = section.whole("to", i64::MIN..=i64::MAX).map(|at| at.value);
    let cause = section.need_text("cause");
    let found = cause
        .as_ref()
        .and_then(|cause| NoValue::from_name(&cause.value));
    if let (Some(cause), None) = (&cause, found) {
        let names = "sensor-fault, inhibit, calibration, warm-up, over-range, under-range, broken-loop, unknown-code".to_owned();
        section.at(
            cause,
            Code::UnknownName,
            vec![("value", cause.value.clone()), ("near", names)],
        );
    }
    section.finish();
    let (from, to) = (
        is.or(from).unwrap_or(i64::MIN),
        is.or(to).unwrap_or(i64::MAX),
    );
    Some((
        StatusRule {
            register: register?,
            from,
            to,
            cause: found?,
        },
        stride,
    ))
}

const TABLES: &[(&str, Table)] = &[
    ("coil", Table::Coil),
    ("discrete-input", Table::DiscreteInput),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

pub(crate) const ORDERS: &[(&str, Order)] = &[
    ("ABCD", Order::Abcd),
    ("CDAB", Order::Cdab),
    ("BADC", Order::Badc),
    ("DCBA", Order::Dcba),
];

/// A register's place and spelling. `numbering` says how the manual counts: `zero` (default), `one`, or `entity` (40001 and the like).
pub(crate) fn read_register(section: &Section<'_, '_>, context: &Context) -> Option<Register> {
    let table = section.need_one_of("table", TABLES);
    let numbering = section
        .one_of("numbering", &[("zero", 0), ("one", 1), ("entity", 2)])
        .map_or(0, |at| at.value);
    let address = section.need_whole("address", 0..=465_535);
    let encoding = read_encoding(section, context, table.as_ref().map(|at| at.value));
    let (table, address) = (table?.value, address?);
    let first = match (numbering, table) {
        (0, _) => 0,
        (1, _) | (_, Table::Coil) => 1,
        (_, Table::DiscreteInput) => 10_001,
        (_, Table::Input) => 30_001,
        (_, Table::Holding) => 40_001,
    };
    let zero_based = (address.value - first)
        .checked_add(i64::from(context.base))
        .and_then(|address| u16::try_from(address).ok());
    let Some(zero_based) = zero_based else {
        section.at(
            &address,
            Code::Address,
            vec![
                ("value", address.value.to_string()),
                ("first", first.to_string()),
            ],
        );
        return None;
    };
    let register = Register {
        table,
        address: zero_based,
        encoding: encoding?,
    };
    if u32::from(zero_based) + u32::from(width(register.encoding)) > 65_536 {
        section.at(
            &address,
            Code::RegisterRange,
            vec![("value", address.value.to_string())],
        );
        return None;
    }
    Some(register)
}

fn read_encoding(
    section: &Section<'_, '_>,
    context: &Context,
    table: Option<Table>,
) -> Option<Encoding> {
    let bits = matches!(table, Some(Table::Coil | Table::DiscreteInput));
    let kind = section.one_of("as", KINDS).map(|at| at.value);
    let own = section.one_of("order", ORDERS).map(|at| at.value);
    let order = context.order.or(own).unwrap_or(Order::Abcd);
    let bit = section.whole("bit", 0..=15).map(|at| at.value as u8);
    let width = section.whole("width", 1..=16).map(|at| at.value as u8);
    let kind = kind.unwrap_or(if bits { Kind::Bool } else { Kind::U16 });
    if bits != (kind == Kind::Bool) {
        section.problem(Code::Encoding, vec![]);
        return None;
    }
    Some(match kind {
        Kind::Bool => Encoding::Bool,
        Kind::U16 => Encoding::U16 { order },
        Kind::I16 => Encoding::I16 { order },
        Kind::U32 => Encoding::U32 { order },
        Kind::I32 => Encoding::I32 { order },
        Kind::U64 => Encoding::U64 { order },
        Kind::I64 => Encoding::I64 { order },
        Kind::F32 => Encoding::F32 { order },
        Kind::F64 => Encoding::F64 { order },
        Kind::Bit => Encoding::Bit {
            bit: bit.unwrap_or(0),
        },
        Kind::BitField => Encoding::BitField {
            shift: bit.unwrap_or(0),
            width: width.unwrap_or(1).min(16 - bit.unwrap_or(0)),
        },
        Kind::SignMagnitude => Encoding::SignMagnitude,
        Kind::SplitDecimal => Encoding::SplitDecimal,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    Bool,
    Bit,
    BitField,
    SignMagnitude,
    SplitDecimal,
}

const KINDS: &[(&str, Kind)] = &[
    ("u16", Kind::U16),
    ("i16", Kind::I16),
    ("u32", Kind::U32),
    ("i32", Kind::I32),
    ("u64", Kind::U64),
    ("i64", Kind::I64),
    ("f32", Kind::F32),
    ("f64", Kind::F64),
    ("bool", Kind::Bool),
    ("bit", Kind::Bit),
    ("bit-field", Kind::BitField),
    ("sign-magnitude", Kind::SignMagnitude),
    ("split-decimal", Kind::SplitDecimal),
];

/// Registers, or bits, that a value takes.
pub const fn width(encoding: Encoding) -> u16 {
    match encoding {
        Encoding::U32 { .. } | Encoding::I32 { .. } | Encoding::F32 { .. } => 2,
        Encoding::U64 { .. } | Encoding::I64 { .. } | Encoding::F64 { .. } => 4,
        Encoding::U16 { .. }
        | Encoding::I16 { .. }
        | Encoding::Bool
        | Encoding::Bit { .. }
        | Encoding::BitField { .. }
        | Encoding::SignMagnitude
        | Encoding::SplitDecimal => 1,
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BandFile {
    bands: std::collections::BTreeMap<String, BandSet>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BandSet {
    #[allow(dead_code)]
    source: String,
    band: Vec<BandLine>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BandLine {
    from_ma: f64,
    to_ma: f64,
    means: String,
}

/// The current bands of a transmitter, or every name there is.
pub(crate) fn bands(name: &str) -> Result<Vec<Band>, String> {
    // The file is embedded, and a test reads it.
    let file: BandFile = toml::from_str(BANDS).unwrap_or_else(|_| BandFile {
        bands: Default::default(),
    });
    let Some(set) = file.bands.get(name) else {
        return Err(nearest(name, file.bands.keys().map(String::as_str))
            .unwrap_or_else(|| file.bands.keys().cloned().collect::<Vec<_>>().join(", ")));
    };
    Ok(set.band.iter().filter_map(band).collect())
}

fn band(line: &BandLine) -> Option<Band> {
    let meaning = match line.means.as_str() {
        "uncertain" => BandMeaning::Uncertain,
        cause => BandMeaning::Absent(NoValue::from_name(cause)?),
    };
    Some(Band {
        from_ma: line.from_ma,
        to_ma: line.to_ma,
        meaning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_reads_and_has_signals() {
        for (name, text) in EMBEDDED {
            let profile = parse(name, text, Choice::default())
                .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
            assert!(!profile.signals.is_empty(), "{name} has no signal");
            assert!(
                text.contains(&format!("id = \"{name}\"")),
                "{name} calls itself otherwise"
            );
        }
    }

    #[test]
    fn every_band_set_reads_whole() {
        let file: BandFile = toml::from_str(BANDS).unwrap();
        for (name, set) in &file.bands {
            assert_eq!(
                bands(name).unwrap().len(),
                set.band.len(),
                "{name} has a band with an unknown meaning"
            );
        }
    }
}
