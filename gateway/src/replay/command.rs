//! The command as people type it: which site, which events, and what is said on standard error beside the lines.

use super::{Remarks, ReplayError, events};
use crate::{check, message};
use davy_config::Language;
use davy_config::site::Site;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code when the events cannot be read to their end.
const UNREADABLE: u8 = 2;

/// What to replay.
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    site_file: PathBuf,
    events: PathBuf,
}

impl Replay {
    pub(crate) fn run(&self, language: Language) -> ExitCode {
        let Some(site) = load(&self.site_file, language) else {
            return ExitCode::FAILURE;
        };
        let outcome = rehearse(&site, &self.events);
        let remarks = match &outcome {
            Ok(remarks) => remark(remarks, language),
            Err(_) => String::new(),
        };
        eprint!("{remarks}");
        ended(outcome.map(drop), language)
    }
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
        text += &message::text_with("replay-earlier", &values, language);
        text += "\n";
    }
    if let Some((line, reason)) = &remarks.unknown_reason {
        let values = [("line", line.to_string()), ("reason", reason.clone())];
        text += &message::text_with("replay-unknown-reason", &values, language);
        text += "\n";
    }
    text
}

fn ended(outcome: Result<(), ReplayError>, language: Language) -> ExitCode {
    match outcome {
        Err(error) if !error.is_unwanted() => {
            eprintln!("davy-gateway: {}", error.text(language));
            ExitCode::from(UNREADABLE)
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
