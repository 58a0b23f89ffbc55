//! `davy-gateway scan`: searches, shows what is found, and writes it down as a draft.

use super::search::{self, Asked, Report, Step};
use super::{draft, target};
use crate::message;
use anyhow::{Context, Result, anyhow, bail};
use davy_config::Language;
use davy_config::site::Bus;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// What to scan.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    at: target::Where,
    #[arg(long, requires = "serial")]
    baud: Option<u32>,
    #[arg(long, value_parser = search::units)]
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
        let asked = Asked {
            units: self.units.clone(),
            thorough: self.thorough,
        };
        let report = runtime.block_on(search::search(buses, &asked, |step, _| show(step)));
        show_progress("");
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

/// On a terminal alone, over itself.
fn show_progress(text: &str) {
    use std::io::IsTerminal as _;
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _gone = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
    }
}

fn show(step: &Step) {
    let Step {
        number,
        count,
        at,
        unit,
    } = step;
    show_progress(&format!("[{number}/{count}] {at}  {unit}"));
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
