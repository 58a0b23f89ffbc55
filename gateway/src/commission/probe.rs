//! `davy-gateway probe`: reads a range of one unit and shows every plausible spelling side by side, those that look like a physical signal marked.

use super::range::{Place, Range, TableName};
use super::spell::Reading;
use super::{Line, target};
use crate::message;
use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use davy_config::Language;
use davy_config::site::{Bus, Link, Parity};
use std::fmt::Write as _;
use std::io::Write as _;

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Probe {
    #[command(flatten)]
    at: target::Where,
    #[arg(long, default_value_t = 9_600, requires = "serial")]
    baud: u32,
    #[arg(long, default_value = "none", requires = "serial")]
    parity: ParityName,
    #[arg(long, default_value_t = 1, requires = "serial", value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=255))]
    unit: u8,
    #[arg(long, default_value = "holding")]
    table: TableName,
    #[arg(long, default_value_t = 0)]
    start: u16,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=125))]
    count: u16,
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    timeout_ms: u32,
    #[arg(long)]
    all: bool,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ParityName {
    None,
    Even,
    Odd,
}

impl Probe {
    /// Reads and prints; returns whether anything could be read.
    ///
    /// # Errors
    /// The target makes no sense, the link cannot be opened, or the unit does not answer.
    pub(crate) fn run(&self, language: Language) -> Result<bool> {
        let bus = self.bus(language)?;
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

    fn bus(&self, language: Language) -> Result<Bus> {
        if let Some(path) = &self.at.serial {
            return Ok(Bus {
                id: "bus".to_owned(),
                link: Link::Rtu {
                    path: path.clone(),
                    baud: self.baud,
                    parity: match self.parity {
                        ParityName::None => Parity::None,
                        ParityName::Even => Parity::Even,
                        ParityName::Odd => Parity::Odd,
                    },
                    stop_bits: self.stop_bits,
                },
                timeout_ms: self.timeout_ms,
                turnaround_ms: 0,
                converter_baud: 9600,
                network_us: 5000,
            });
        }
        let buses = self.at.hosts(self.timeout_ms);
        let mut buses = buses.map_err(|error| anyhow!(error.text(language)))?;
        match buses.len() {
            1 => Ok(buses.remove(0)),
            _ => bail!(message::text("probe-one-host", language)),
        }
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
