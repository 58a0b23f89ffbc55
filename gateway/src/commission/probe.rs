//! `davy-gateway probe`: reads a range of one unit and shows every plausible spelling side by side, those that look like a physical signal marked.

use super::range::{Place, Range, TableName};
use super::spell::Reading;
use super::{Line, One, target};
use crate::message;
use anyhow::{Context, Result};
use davy_config::Language;
use std::fmt::Write as _;
use std::io::Write as _;

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Probe {
    #[command(flatten)]
    at: One,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=255))]
    unit: u8,
    #[arg(long, default_value = "holding")]
    table: TableName,
    #[arg(long, default_value_t = 0)]
    start: u16,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=125))]
    count: u16,
    #[arg(long)]
    all: bool,
    #[arg(long)]
    json: bool,
}

impl Probe {
    /// Reads and prints; returns whether anything could be read.
    ///
    /// # Errors
    /// The target makes no sense, the link cannot be opened, or the unit does not answer.
    pub(crate) fn run(&self, language: Language) -> Result<bool> {
        let bus = self.at.bus(language)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let at = target::spelt(&bus.link);
        let range = Range {
            unit: self.unit,
            table: self.table,
            start: self.start,
            count: self.count,
        };
        let places = runtime
            .block_on(range.read(&mut Line::new(bus)))
            .with_context(|| format!("{at}, {}", self.unit))?;
        let text = if self.json {
            let rows = range.rows(&places);
            rows.iter().map(|row| row.to_string() + "\n").collect()
        } else {
            self.people(&places, language)
        };
        // A reader that has gone is no fault of the probe.
        let _gone = std::io::stdout().write_all(text.as_bytes());
        Ok(places.iter().any(|place| place.word.is_ok()))
    }

    fn people(&self, places: &[Place], language: Language) -> String {
        let mut text = message::text("probe-legend", language) + "\n";
        for place in places {
            // Writing to a text cannot fail.
            let _ = match place.word {
                Ok(word) => writeln!(text, "{:>5}  0x{word:04x}  {word}", place.address),
                Err(fault) => writeln!(text, "{:>5}  {fault}", place.address),
            };
            for one in place
                .readings
                .iter()
                .filter(|one| self.all || one.looks_physical)
            {
                let _ = writeln!(text, "       {}", self.line(place.address, one));
            }
        }
        text
    }

    /// A reading as a point's `register` would have it.
    fn line(&self, address: u16, one: &Reading) -> String {
        let (_, table) = self.table.table();
        let mark = if one.looks_physical { '*' } else { ' ' };
        let order = one.order.map(|order| format!(", order = \"{order}\""));
        format!(
            "{mark} {:<16} register = {{ table = \"{table}\", address = {address}, as = \"{}\"{} }}",
            spelt(one.value),
            one.spelling,
            order.unwrap_or_default()
        )
    }
}

/// As many figures as a person can use.
fn spelt(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e15 {
        format!("{value}")
    } else if (1e-3..1e7).contains(&size) {
        format!("{value:.3}")
    } else {
        format!("{value:e}")
    }
}
