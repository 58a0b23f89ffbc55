//! `davy-gateway scan`: finds what answers on a serial line or at TCP addresses, and who it is.

use super::identify::{self, Identity, Match, Presence};
use super::{Line, draft, target};
use crate::message;
use anyhow::{Context, Result, anyhow, bail};
use davy_config::Language;
use davy_config::site::{Bus, Link};
use serde::Serialize;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Unit ids that a unit may have (Modbus over serial line 1.02 §2.2).
const UNITS: RangeInclusive<u8> = 1..=247;
/// Those that are tried first on a line of unknown settings: devices are delivered with 1, and few lines have more.
const USUAL: RangeInclusive<u8> = 1..=16;
/// Reserved: who answers to it answers to every id.
const NOBODYS: u8 = 248;

/// What to scan.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    at: target::Where,
    #[arg(long, requires = "serial")]
    baud: Option<u32>,
    #[arg(long, value_parser = units)]
    units: Option<RangeInclusive<u8>>,
    #[arg(long)]
    thorough: bool,
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    timeout_ms: u32,
    #[arg(long)]
    draft: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// A unit that answered.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    #[serde(skip)]
    pub(super) bus: Bus,
    /// As people write it.
    pub(super) at: String,
    pub(super) unit: u8,
    /// It answers to every unit id: a device with an address of its own, not one of several behind a gateway.
    pub(super) any_unit: bool,
    pub(super) identity: Option<Identity>,
    pub(super) profiles: Vec<Match>,
}

/// Settings or hosts where something came that was no frame.
#[derive(Debug, Serialize)]
struct Garbled {
    at: String,
    units: Vec<u8>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    found: Vec<Found>,
    garbled: Vec<Garbled>,
    /// Links that could not be opened, with the reason.
    closed: Vec<String>,
}

fn units(text: &str) -> Result<RangeInclusive<u8>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last))
            if first <= last && UNITS.contains(&first) && UNITS.contains(&last) =>
        {
            Ok(first..=last)
        }
        _ => Err("1-247, 5".to_owned()),
    }
}

impl Scan {
    /// Scans and prints; returns whether anything was found.
    ///
    /// # Errors
    /// The target makes no sense, or the draft cannot be written.
    pub(crate) fn run(&self, language: Language) -> Result<bool> {
        let buses = self.buses();
        let buses = buses.map_err(|error| anyhow!(error.text(language)))?;
        if let Some(path) = self.draft.as_ref().filter(|path| path.exists()) {
            let path = path.display().to_string();
            bail!(message::text_with(
                "scan-draft-exists",
                &[("path", path)],
                language
            ));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = runtime.block_on(self.search(buses));
        self.print(&report, language);
        if let Some(path) = &self.draft
            && !report.found.is_empty()
        {
            std::fs::write(path, draft::text(&report.found))
                .with_context(|| path.display().to_string())?;
        }
        Ok(!report.found.is_empty())
    }

    fn buses(&self) -> Result<Vec<Bus>, target::TargetError> {
        match &self.at.serial {
            Some(path) => Ok(target::serial(
                path,
                self.baud,
                self.thorough,
                self.timeout_ms,
            )),
            None => self.at.hosts(self.timeout_ms),
        }
    }

    async fn search(&self, buses: Vec<Bus>) -> Report {
        let mut report = Report::default();
        let count = buses.len();
        for (number, bus) in (1..).zip(buses) {
            let before = report.found.len();
            let mut look = Look {
                line: Line::new(bus),
                nobody: Presence::Silent,
                progress: format!("[{number}/{count}] "),
                report: &mut report,
            };
            look.all(self.units.clone(), self.thorough).await;
            // A line has one setting; another could only garble what was found. A port that cannot be opened cannot be with any.
            let is_line = matches!(look.line.bus.link, Link::Rtu { .. });
            let is_known = report.found.len() > before && !self.thorough;
            if is_line && (is_known || !report.closed.is_empty()) {
                break;
            }
        }
        clear_progress();
        report
    }

    fn print(&self, report: &Report, language: Language) {
        let text = if self.json {
            serde_json::json!(report).to_string() + "\n"
        } else {
            people(report, language)
        };
        // A reader that has gone is no fault of the scan.
        let _gone = std::io::stdout().write_all(text.as_bytes());
    }
}

/// One bus under search.
struct Look<'a> {
    line: Line,
    /// What a unit that cannot be there answers; some gateways refuse in its name.
    nobody: Presence,
    progress: String,
    report: &'a mut Report,
}

impl Look<'_> {
    async fn all(&mut self, asked: Option<RangeInclusive<u8>>, thorough: bool) {
        let Some(nobody) = self.there(NOBODYS).await else {
            return;
        };
        self.nobody = nobody;
        let first = match (&asked, self.any_unit(), thorough) {
            (Some(range), ..) => range.clone(),
            (None, true, _) => 1..=1,
            (None, false, true) => UNITS,
            (None, false, false) => USUAL,
        };
        let before = self.report.found.len();
        let ended = first.end() + 1;
        self.units(first).await;
        // Where one is there may be others: the settings are right.
        let more = asked.is_none() && !self.any_unit() && self.report.found.len() > before;
        if more && ended <= *UNITS.end() {
            self.units(ended..=*UNITS.end()).await;
        }
    }

    fn any_unit(&self) -> bool {
        self.nobody == Presence::Answers
    }

    async fn units(&mut self, units: RangeInclusive<u8>) {
        let mut garbled = Vec::new();
        for unit in units {
            match self.there(unit).await {
                None => break,
                Some(Presence::Answers) => self.found(unit).await,
                Some(refused @ Presence::Refuses(_)) if refused != self.nobody => {
                    self.found(unit).await;
                }
                Some(Presence::Garbled) => garbled.push(unit),
                Some(Presence::Silent | Presence::Gone | Presence::Refuses(_)) => {}
            }
        }
        if !garbled.is_empty() {
            self.report.garbled.push(Garbled {
                at: target::spelt(&self.line.bus.link),
                units: garbled,
            });
        }
    }

    /// Asks a unit; none if the link cannot be opened, which is reported.
    async fn there(&mut self, unit: u8) -> Option<Presence> {
        let at = target::spelt(&self.line.bus.link);
        show_progress(&format!("{}{at}  {unit}", self.progress));
        match identify::is_there(&mut self.line, unit).await {
            Ok(presence) => Some(presence),
            Err(error) => {
                let closed = format!("{at}: {error}");
                if self.report.closed.last() != Some(&closed) {
                    self.report.closed.push(closed);
                }
                None
            }
        }
    }

    async fn found(&mut self, unit: u8) {
        // A link that broke in between leaves the unit unnamed and not unfound.
        let identity = identify::identity(&mut self.line, unit)
            .await
            .ok()
            .flatten();
        let profiles = identify::matches(&mut self.line, unit)
            .await
            .unwrap_or_default();
        self.report.found.push(Found {
            bus: self.line.bus.clone(),
            at: target::spelt(&self.line.bus.link),
            unit,
            any_unit: self.any_unit(),
            identity,
            profiles,
        });
    }
}

/// On a terminal alone, over itself.
fn show_progress(text: &str) {
    use std::io::IsTerminal as _;
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _gone = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
    }
}

fn clear_progress() {
    show_progress("");
}

fn people(report: &Report, language: Language) -> String {
    let mut text = String::new();
    let mut say = |key: &str, values: &[(&str, String)]| {
        // What is told of a unit stands under it.
        if matches!(key, "scan-says" | "scan-profiles" | "scan-no-profile") {
            text += "    ";
        }
        text += &message::text_with(key, values, language);
        text.push('\n');
    };
    for found in &report.found {
        let unit = found.unit.to_string();
        let key = if found.any_unit {
            "scan-found-any"
        } else {
            "scan-found"
        };
        say(key, &[("at", found.at.clone()), ("unit", unit)]);
        if let Some(identity) = &found.identity {
            let parts = [&identity.vendor, &identity.product, &identity.revision];
            let parts: Vec<&str> = parts
                .into_iter()
                .filter_map(|part| part.as_deref())
                .collect();
            say("scan-says", &[("identity", parts.join(" "))]);
        }
        match &found.profiles[..] {
            [] => say("scan-no-profile", &[]),
            profiles => {
                let names: Vec<&str> = profiles.iter().map(|one| one.profile).collect();
                say("scan-profiles", &[("profiles", names.join(", "))]);
            }
        }
    }
    for garbled in &report.garbled {
        let units: Vec<String> = garbled.units.iter().map(u8::to_string).collect();
        say(
            "scan-garbled",
            &[("at", garbled.at.clone()), ("units", units.join(", "))],
        );
    }
    for closed in &report.closed {
        say("scan-closed", &[("reason", closed.clone())]);
    }
    if report.found.is_empty() {
        say("scan-nothing", &[]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_a_number_or_a_range_from_1_to_247() {
        assert_eq!(units("5"), Ok(5..=5));
        assert_eq!(units("1-247"), Ok(1..=247));
        for text in ["0", "248", "9-3", "x", "1-", ""] {
            assert!(units(text).is_err(), "{text}");
        }
    }
}
