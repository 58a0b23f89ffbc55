//! Device profiles: what a device's registers mean, as data. docs/profiles.md tells how to write one.

mod bands;
mod embedded;
mod example;
mod register;
mod shape;
mod signal;

pub(crate) use bands::{bands, names as band_names};
pub(crate) use embedded::text as embedded;
pub use embedded::{names, text};
pub use example::{Decode, Example, Expected};
pub use register::width;
pub(crate) use register::{Context, Numbering, read as read_register};
pub use shape::{Shape, SignalShape, shape};
pub(crate) use signal::{Signal, Write};

use crate::problem::{Code, Problem, Problems};
use crate::section::{At, Section};
use crate::sink::Sink;
use crate::site::Order;
use std::collections::HashSet;
use std::path::Path;
use toml::de::DeTable;

pub(crate) const ORDERS: &[(&str, Order)] = &[
    ("ABCD", Order::Abcd),
    ("CDAB", Order::Cdab),
    ("BADC", Order::Badc),
    ("DCBA", Order::Dcba),
];

/// The profile of Davy's own node: the gateway knows more of such a device than its points.
const NODE: &str = "davy-node";

/// How long a unit may think before it answers, milliseconds.
pub(crate) const ANSWER_MS: std::ops::RangeInclusive<i64> = 0..=10_000;

/// Largest profile file that is read, bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

/// A device's registers and how they may be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    /// Davy's own node.
    pub(crate) is_node: bool,
    pub(crate) max_block: u16,
    pub(crate) max_gap: u16,
    pub(crate) max_bits: u16,
    pub(crate) answer_ms: u32,
    pub(crate) signals: Vec<Signal>,
    /// The entries that the signals stand in.
    rows: Vec<example::Row>,
    examples: Vec<Example>,
}

/// What a site chooses of a profile, where the profile offers it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Choice {
    /// Added to every address of the profile, in place of its own `base`.
    pub(crate) base: Option<At<u16>>,
    /// Byte and word order of every number, in place of the profile's own.
    pub(crate) order: Option<At<Order>>,
}

/// What of a [`Choice`] a profile offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) base: bool,
    pub(crate) order: bool,
}

/// Reads a profile as a site chooses it. `file` names it in problems.
pub(crate) fn parse(
    file: &str,
    text: &str,
    choice: &Choice,
) -> Result<(Profile, Offer), Vec<Problem>> {
    let sink = Sink::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    crate::syntax::report(&sink, &errors);
    let profile = errors
        .is_empty()
        .then(|| read(Section::root(&sink, &table), choice));
    let problems = sink.take();
    match profile {
        Some(profile) if problems.is_empty() => Ok(profile),
        _ => Err(problems),
    }
}

/// Reads a profile file and holds its examples against `decode`: every problem, and every state that no example shows.
pub fn check_file(path: &Path, decode: Decode<'_>) -> Problems {
    let file = path.display().to_string();
    match crate::file::read(path, FILE_BYTES_MAX) {
        Ok(text) => check(&file, &text, decode),
        Err(refusal) => Problems::new(vec![Problem::of_file(refusal.code, &file, refusal.args)]),
    }
}

/// As [`check_file`], of a text; `file` names it in problems.
pub fn check(file: &str, text: &str, decode: Decode<'_>) -> Problems {
    Problems::new(match parse(file, text, &Choice::default()) {
        Err(problems) => problems,
        Ok((profile, _)) => {
            let sink = Sink::new(file, text);
            example::check(&profile, decode, &sink);
            sink.take()
        }
    })
}

/// The examples of an embedded profile; `None` if there is none of this name.
pub fn examples(name: &str) -> Option<Vec<Example>> {
    let (profile, _) = parse(name, embedded(name)?, &Choice::default()).ok()?;
    Some(profile.examples)
}

fn read(section: Section<'_, '_>, choice: &Choice) -> (Profile, Offer) {
    let is_node = read_identity(&section).is_some_and(|id| id.value == NODE);
    let cap = |key, range, default| {
        section
            .whole(key, range)
            .map_or(default, |at| at.value as u16)
    };
    let (max_block, max_gap) = (cap("max_block", 1..=125, 125), cap("max_gap", 0..=124, 0));
    let max_bits = cap("max_bits", 1..=2000, 2000);
    let answer_ms = u32::from(cap("answer_ms", ANSWER_MS, 0));
    let base = cap("base", 0..=65_535, 0);
    let offer = read_offer(&section);
    let numbering = section.one_of("numbering", Numbering::NAMES);
    let context = Context {
        base: choice.base.as_ref().map_or(base, |at| at.value),
        order: choice.order.as_ref().map(|at| at.value),
        numbering: numbering.map_or(Numbering::Zero, |at| at.value),
        table: None,
    };
    let (signals, rows) = read_signals(&section, &context);
    let examples = example::read(&section, &context);
    section.finish();
    let profile = Profile {
        is_node,
        max_block,
        max_gap,
        max_bits,
        answer_ms,
        signals,
        rows,
        examples,
    };
    (profile, offer)
}

/// What a profile says of itself: checked, and kept in the file alone, but for its id.
fn read_identity(section: &Section<'_, '_>) -> Option<At<String>> {
    let id = section.need_text("id");
    if let Some(name) = section.need_section("name") {
        name.need_text("zh");
        name.need_text("en");
        name.finish();
    }
    section.need_text("source");
    section.need_one_of("confidence", &[("V", ()), ("M", ()), ("C", ())]);
    id
}

fn read_offer(section: &Section<'_, '_>) -> Offer {
    let mut offer = Offer::default();
    if !section.has("site_chooses") {
        section.ignore(&["site_chooses"]);
        return offer;
    }
    for at in section.need_texts("site_chooses") {
        match at.value.as_str() {
            "base" => offer.base = true,
            "order" => offer.order = true,
            _ => section.unknown(&at, Code::UnknownName, ["base", "order"].into_iter()),
        }
    }
    offer
}

fn read_signals(section: &Section<'_, '_>, context: &Context) -> (Vec<Signal>, Vec<example::Row>) {
    let mut seen = HashSet::new();
    let (mut signals, mut rows) = (Vec::new(), Vec::new());
    let sections = section.sections("signal");
    if sections.is_empty() {
        section.missing("signal", crate::problem::Word::TableList);
    }
    for own in sections {
        let here = own.here();
        let first = signals.len();
        for signal in signal::read(own, context) {
            if !seen.insert(signal.id.clone()) {
                let args = vec![
                    ("value", signal.id.as_str().into()),
                    ("first", signal.id.as_str().into()),
                ];
                section.at(&here, Code::DuplicateId, args);
            }
            signals.push(signal);
        }
        let signals = first..signals.len();
        rows.push(example::Row { here, signals });
    }
    (signals, rows)
}
