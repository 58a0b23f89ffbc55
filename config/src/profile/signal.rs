//! Signals of a profile: one value or switch of a device, or a row of them.

use super::register::{Context, read as read_register, width};
use super::{band_names, bands};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Encoding, Register, StatusRule, Table};
use davy_alarm::NoValue;

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
    /// `None`: read only.
    pub(crate) write: Option<Write>,
}

/// How a switch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) on: u16,
    pub(crate) off: u16,
    /// Functions 15 and 16 in place of 5 and 6.
    pub(crate) multiple: bool,
}

/// A status rule and by how much its register moves from one signal of a row to the next.
struct Rule {
    rule: StatusRule,
    stride: u16,
}

/// One signal, or with `count` a row of them: `ch{n}` gives `ch1`, `ch2`, ….
pub(super) fn read(section: Section<'_, '_>, context: &Context) -> Vec<Signal> {
    let id = section.need_text("id");
    let register = read_register(&section, context);
    let short = |key, range, default| {
        section
            .whole(key, range)
            .map_or(default, |at| at.value as u16)
    };
    let (count, stride) = (short("count", 1..=512, 1), short("stride", 1..=1000, 1));
    let scale = section.number("scale").map_or(1.0, |at| at.value);
    let offset = section.number("offset").map_or(0.0, |at| at.value);
    let bands = section
        .text("current_ma")
        .and_then(|at| known_bands(&section, at));
    let status = read_rules(&section, context, register);
    let write = section
        .section("write")
        .map(|own| read_write(own, register));
    let here = section.here();
    let signal = |n: u16| {
        let register = moved(register?, n, stride)?;
        let status = status
            .iter()
            .map(|rule| rule.of_signal(n))
            .collect::<Option<Vec<_>>>()?;
        Some(Signal {
            id: id.as_ref()?.value.replace("{n}", &(n + 1).to_string()),
            register,
            scale,
            offset,
            bands: bands.clone(),
            status,
            write,
        })
    };
    let row: Vec<Signal> = (0..count).map_while(signal).collect();
    if register.is_some() && id.is_some() && row.len() < usize::from(count) {
        section.at(
            &here,
            Code::RegisterRange,
            vec![("value", u32::from(count).into())],
        );
    }
    section.finish();
    row
}

impl Rule {
    fn of_signal(&self, n: u16) -> Option<StatusRule> {
        let register = moved(self.rule.register, n, self.stride)?;
        Some(StatusRule {
            register,
            ..self.rule
        })
    }
}

/// The register of the signal `n` places on; `None` beyond the last register.
fn moved(register: Register, n: u16, stride: u16) -> Option<Register> {
    let address = u32::from(register.address) + u32::from(n) * u32::from(stride);
    let fits = address + u32::from(width(register.encoding)) <= 65_536;
    fits.then_some(Register {
        address: address as u16,
        ..register
    })
}

fn known_bands(section: &Section<'_, '_>, at: At<String>) -> Option<String> {
    if bands(&at.value).is_none() {
        section.unknown(&at, Code::UnknownName, band_names());
        return None;
    }
    Some(at.value)
}

/// Coils, and holding registers of one plain number, can be written; nothing else can.
fn read_write(section: Section<'_, '_>, register: Option<Register>) -> Write {
    let word = |key, default| {
        let at = section.whole(key, 0..=65_535);
        at.map_or(default, |at| at.value as u16)
    };
    let write = Write {
        on: word("on", 1),
        off: word("off", 0),
        multiple: section.flag("multiple").is_some_and(|at| at.value),
    };
    let writable = register.is_none_or(|register| match register.table {
        Table::Coil => true,
        Table::Holding => matches!(register.encoding, Encoding::U16 { .. }),
        Table::DiscreteInput | Table::Input => false,
    });
    if !writable {
        section.problem(Code::Encoding, vec![]);
    }
    section.finish();
    write
}

fn read_rules(
    section: &Section<'_, '_>,
    context: &Context,
    register: Option<Register>,
) -> Vec<Rule> {
    let table = register.map(|register| register.table);
    let context = Context { table, ..*context };
    section
        .sections("status")
        .into_iter()
        .filter_map(|rule| read_rule(rule, &context))
        .collect()
}

/// Causes that a device can report of itself.
pub(super) const CAUSES: &[(&str, NoValue)] = &[
    ("sensor-fault", NoValue::SensorFault),
    ("broken-loop", NoValue::BrokenLoop),
    ("inhibit", NoValue::Inhibit),
    ("calibration", NoValue::Calibration),
    ("warm-up", NoValue::WarmUp),
    ("over-range", NoValue::OverRange),
    ("under-range", NoValue::UnderRange),
    ("unknown-code", NoValue::UnknownCode),
];

fn read_rule(section: Section<'_, '_>, context: &Context) -> Option<Rule> {
    let register = read_register(&section, context);
    let stride = section
        .whole("stride", 0..=1000)
        .map_or(1, |at| at.value as u16);
    let span = read_span(&section);
    let cause = section.need_one_of("cause", CAUSES).map(|at| at.value);
    section.finish();
    let (from, to) = span?;
    let rule = StatusRule {
        register: register?,
        from,
        to,
        cause: cause?,
    };
    Some(Rule { rule, stride })
}

/// `is = 4`, or `from = 1, to = 3`; one end may be left open.
fn read_span(section: &Section<'_, '_>) -> Option<(i64, i64)> {
    let whole = |key| section.whole(key, i64::MIN..=i64::MAX);
    let (is, from, to) = (whole("is"), whole("from"), whole("to"));
    if let Some(is) = is {
        for other in [from, to].iter().flatten() {
            section.exclusive("is", other);
        }
        return Some((is.value, is.value));
    }
    if from.is_none() && to.is_none() {
        section.missing("is", crate::problem::Word::Whole);
        return None;
    }
    let low = from.as_ref().map_or(i64::MIN, |at| at.value);
    let high = to.as_ref().map_or(i64::MAX, |at| at.value);
    if low > high {
        let args = vec![("low", low.into()), ("high", high.into())];
        section.at_or_here(from.as_ref(), Code::Range, args);
        return None;
    }
    Some((low, high))
}
