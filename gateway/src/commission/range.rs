//! A range of one unit's registers, read and shown in every plausible spelling: for the command line and for the screen's pages.

use super::Line;
use super::spell::{self, Reading};
use crate::acquire::{Fault, Request};
use davy_config::site::Table;
use serde_json::{Value, json};
use std::io;

/// After so many addresses of a range that were not answered the rest is not asked.
const SILENT_MAX: usize = 3;

/// What to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) unit: u8,
    pub(super) table: TableName,
    pub(super) start: u16,
    pub(super) count: u16,
}

/// A table by the name that site files have for it.
#[derive(Clone, Copy, Debug, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TableName {
    Holding,
    Input,
    Coil,
    DiscreteInput,
}

impl TableName {
    pub(super) const fn table(self) -> (Table, &'static str) {
        match self {
            Self::Holding => (Table::Holding, "holding"),
            Self::Input => (Table::Input, "input"),
            Self::Coil => (Table::Coil, "coil"),
            Self::DiscreteInput => (Table::DiscreteInput, "discrete-input"),
        }
    }
}

/// One address: its word, or the exception that it answers, and what it could mean with those behind it.
pub(super) struct Place {
    pub(super) address: u16,
    pub(super) word: Result<u16, Fault>,
    pub(super) readings: Vec<Reading>,
}

impl Range {
    /// The whole range at once; where the device refuses that, each address by itself, so that one hole does not hide the rest.
    ///
    /// # Errors
    /// The link cannot be opened, or the unit does not answer.
    pub(super) async fn read(&self, line: &mut Line) -> io::Result<Vec<Place>> {
        let (table, _) = self.table.table();
        let last = self.start.saturating_add(self.count.saturating_sub(1));
        let count = last - self.start + 1;
        let whole = Request::Read {
            table,
            start: self.start,
            count,
        };
        match line.ask(self.unit, &whole).await? {
            Ok(words) => {
                let words: Vec<_> = words.iter().copied().map(Ok).collect();
                return Ok(self.places(&words));
            }
            Err(Fault::Exception(_)) => {}
            Err(fault) => return Err(io::Error::other(fault)),
        }
        let mut words: Vec<Result<u16, Fault>> = Vec::new();
        for start in self.start..=last {
            let one = Request::Read {
                table,
                start,
                count: 1,
            };
            // Who has gone silent keeps nobody for the rest of the range.
            let silent = |word: &&Result<u16, Fault>| matches!(word, Err(fault) if !matches!(fault, Fault::Exception(_)));
            if let Some(last) = words.iter().filter(silent).nth(SILENT_MAX - 1).copied() {
                words.push(last);
                continue;
            }
            let answer = line.ask(self.unit, &one).await?;
            words.push(answer.and_then(|words| words.first().copied().ok_or(Fault::BadFrame)));
        }
        Ok(self.places(&words))
    }

    fn places(&self, words: &[Result<u16, Fault>]) -> Vec<Place> {
        let is_bit = matches!(self.table, TableName::Coil | TableName::DiscreteInput);
        let place = |(offset, word): (usize, &Result<u16, Fault>)| {
            let run: Vec<u16> = words[offset..]
                .iter()
                .map_while(|word| word.ok())
                .take(4)
                .collect();
            Place {
                address: self.start + offset as u16,
                word: *word,
                readings: match (is_bit, run.is_empty()) {
                    (false, false) => spell::readings(&run),
                    _ => Vec::new(),
                },
            }
        };
        words.iter().enumerate().map(place).collect()
    }

    /// Each address for programs.
    pub(super) fn rows(&self, places: &[Place]) -> Vec<Value> {
        let (_, table) = self.table.table();
        let reading = |one: &Reading| json!({ "as": one.spelling, "order": one.order, "value": one.value, "looks_physical": one.looks_physical });
        let row = |place: &Place| match place.word {
            Ok(word) => {
                json!({ "table": table, "address": place.address, "word": word, "readings": place.readings.iter().map(reading).collect::<Vec<_>>() })
            }
            Err(fault) => {
                json!({ "table": table, "address": place.address, "fault": fault.to_string() })
            }
        };
        places.iter().map(row).collect()
    }
}
