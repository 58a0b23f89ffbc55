//! The command as people type it: which site, which events, and what is said on standard error beside the lines.

use super::journal::{Both, Comparison, Tally, journal};
use super::line_out::rfc3339;
use super::source::{Found, Span};
use super::{Remarks, ReplayError, events};
use crate::journal::Archive;
use crate::{check, message};
use davy_alarm::WallMs;
use davy_config::Language;
use davy_config::site::Site;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code when the events cannot be read to their end, or what was typed is no replay.
const UNREADABLE: u8 = 2;

/// What to replay.
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    #[arg(required_unless_present = "site")]
    site_file: Option<PathBuf>,
    #[arg(required_unless_present = "journal", conflicts_with = "journal")]
    events: Option<PathBuf>,
    #[arg(long)]
    journal: Option<PathBuf>,
    #[arg(long, requires = "journal", value_parser = moment)]
    from: Option<WallMs>,
    #[arg(long, requires = "journal", value_parser = moment)]
    to: Option<WallMs>,
    #[arg(long, requires = "journal", conflicts_with = "site_file")]
    site: Option<PathBuf>,
}

impl Replay {
    pub(crate) fn run(&self, language: Language) -> ExitCode {
        // One of the two is there: clap has seen to it.
        let file = self.site_file.as_ref().or(self.site.as_ref());
        let Some(site) = file.and_then(|file| load(file, language)) else {
            return ExitCode::FAILURE;
        };
        let outcome = match (&self.journal, &self.events) {
            (Some(dir), _) => self
                .again(&site, dir)
                .map(|comparison| compared(&comparison, language)),
            (None, Some(events)) => {
                rehearse(&site, events).map(|remarks| remark(&remarks, language))
            }
            (None, None) => Ok(String::new()),
        };
        match outcome {
            Ok(said) => {
                eprint!("{said}");
                ExitCode::SUCCESS
            }
            Err(error) if error.is_unwanted() => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("davy-gateway: {}", error.text(language));
                ExitCode::from(UNREADABLE)
            }
        }
    }

    fn again(&self, site: &Arc<Site>, dir: &Path) -> Result<Comparison, ReplayError> {
        // Who runs a gateway knows its data folder, not the folder in it.
        let inner = dir.join("journal");
        let dir = if inner.is_dir() { &inner } else { dir };
        let archive = Archive::open(dir).map_err(ReplayError::Journal)?;
        let span = Span {
            from: self.from,
            to: self.to,
        };
        journal(site, &archive, span, io::stdout().lock())
    }
}

/// RFC 3339, or milliseconds since 1970 in UTC.
fn moment(text: &str) -> Result<WallMs, String> {
    if let Ok(ms) = text.parse() {
        return Ok(WallMs(ms));
    }
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|error: jiff::Error| error.to_string())?;
    Ok(WallMs(time.as_millisecond()))
}

/// The site, if its file may run; else what is wrong with it is told.
fn load(path: &Path, language: Language) -> Option<Arc<Site>> {
    match davy_config::load(path) {
        Ok(loaded) => {
            eprint!("{}", check::text(&loaded.warnings, language));
            Some(Arc::new(loaded.site))
        }
        Err(problems) => {
            eprint!("{}", check::text(&problems, language));
            eprintln!("{}", message::text("replay-refused", language));
            None
        }
    }
}

fn rehearse(site: &Arc<Site>, path: &Path) -> Result<Remarks, ReplayError> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(ReplayError::Read)?)
    };
    events(site, input, io::stdout().lock())
}

fn remark(remarks: &Remarks, language: Language) -> String {
    let mut text = String::new();
    if let Some(line) = remarks.first_earlier {
        let values = [
            ("line", line.to_string()),
            ("count", remarks.earlier.to_string()),
        ];
        text += &line_of("replay-earlier", &values, language);
    }
    if let Some((line, reason)) = &remarks.unknown_reason {
        let values = [("line", line.to_string()), ("reason", reason.clone())];
        text += &line_of("replay-unknown-reason", &values, language);
    }
    text
}

/// How a journal's replay differs from the journal.
fn compared(comparison: &Comparison, language: Language) -> String {
    let mut text = found(&comparison.found, language);
    let site = if comparison.is_own_site {
        "replay-own-site"
    } else {
        "replay-other-site"
    };
    text += &line_of(site, &[], language);
    let values = [
        ("recorded", comparison.transitions.0.to_string()),
        ("here", comparison.transitions.1.to_string()),
        ("refused", comparison.refused.to_string()),
    ];
    text += &line_of("replay-transitions", &values, language);
    let alarms = differing(&comparison.alarms, "replay-alarm-differs", language);
    let outputs = differing(&comparison.outputs, "replay-output-differs", language);
    if alarms.is_empty() && outputs.is_empty() {
        text += &line_of("replay-same", &[], language);
    }
    text + &alarms + &outputs
}

fn found(found: &Found, language: Language) -> String {
    let Some((first, last)) = found.times else {
        return line_of("replay-nothing", &[], language);
    };
    let values = [
        ("from", rfc3339(first)),
        ("to", rfc3339(last)),
        ("readings", found.readings.to_string()),
        ("acts", found.acts.to_string()),
        ("starts", found.starts.to_string()),
    ];
    let mut text = line_of("replay-span", &values, language);
    if found.missing.batches > 0 {
        let count = [("count", found.missing.batches.to_string())];
        text += &line_of("replay-missing", &count, language);
    }
    if found.set_back > 0 {
        let count = [("count", found.set_back.to_string())];
        text += &line_of("replay-set-back", &count, language);
    }
    if !found.unknown.is_empty() {
        let ids: Vec<&str> = found.unknown.iter().map(|id| &**id).collect();
        text += &line_of("replay-unknown", &[("ids", ids.join(", "))], language);
    }
    text
}

fn differing(rows: &BTreeMap<String, Both>, key: &str, language: Language) -> String {
    let differ = rows
        .iter()
        .filter(|(_, both)| both.recorded.times != both.here.times);
    let row = |(id, both): (&String, &Both)| {
        let values = [
            ("id", id.clone()),
            ("recorded", both.recorded.times.to_string()),
            ("recordedfirst", first(both.recorded)),
            ("here", both.here.times.to_string()),
            ("herefirst", first(both.here)),
        ];
        line_of(key, &values, language)
    };
    differ.map(row).collect()
}

fn first(tally: Tally) -> String {
    tally.first.map_or_else(|| "—".to_owned(), rfc3339)
}

fn line_of(key: &str, values: &[(&str, String)], language: Language) -> String {
    message::text_with(key, values, language) + "\n"
}
