//! One link, as people name it on the command line: a serial line with its settings, or one host.

use super::target;
use crate::message;
use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use davy_config::Language;
use davy_config::site::{Bus, Link, Parity};

/// One link.
#[derive(Debug, clap::Args)]
pub(crate) struct One {
    #[command(flatten)]
    at: target::Where,
    #[arg(long, default_value_t = 9_600, requires = "serial")]
    baud: u32,
    #[arg(long, default_value = "none", requires = "serial")]
    parity: ParityName,
    #[arg(long, default_value_t = 1, requires = "serial", value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    timeout_ms: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ParityName {
    None,
    Even,
    Odd,
}

impl One {
    /// The link as a bus.
    ///
    /// # Errors
    /// The host makes no sense, or is more than one.
    pub(crate) fn bus(&self, language: Language) -> Result<Bus> {
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
}
