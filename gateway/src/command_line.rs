//! What people type. Help and answers are in the language of the locale; what programs read (`--format json`, exit codes) is the same in both.

use crate::commission::{Probe, Scan};
use crate::node::command::Node;
use crate::prove::command::Prove;
use crate::replay::Replay;
use crate::status::Status;
use crate::take_over::TakeOver;
use crate::{admission, check, message, pin, run};
use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use davy_config::{Language, Today};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, Parser)]
#[command(name = "davy-gateway", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run {
        site: PathBuf,
        #[arg(long)]
        data: PathBuf,
        #[arg(long, num_args = 0..=1, default_missing_value = BLANK)]
        commission: Option<SocketAddr>,
        #[arg(long, default_value = "text")]
        log_format: LogFormat,
    },
    Check {
        #[arg(required_unless_present_any = ["schema", "profile"])]
        site: Option<PathBuf>,
        #[arg(long, default_value = "text")]
        format: Format,
        #[arg(long, exclusive = true)]
        schema: bool,
        #[arg(long, conflicts_with_all = ["site", "Instead"])]
        profile: Option<PathBuf>,
        #[command(flatten)]
        instead: Instead,
    },
    Scan(Scan),
    Probe(Probe),
    Replay(Replay),
    Prove(Prove),
    Node(Node),
    Status(Status),
    Reload(TakeOver),
    Pin {
        #[arg(long)]
        pin_file: Option<PathBuf>,
    },
}

/// What `check` prints in place of the problems alone.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Instead {
    #[arg(long)]
    matrix: bool,
    #[arg(long)]
    budget: bool,
    #[arg(long, value_name = "FILE")]
    diff: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Where a blank gateway serves its pages, unless said.
const BLANK: &str = "127.0.0.1:8080";

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let language = message::language();
    let matches = localised(CommandLine::command(), "cli", language).get_matches();
    let typed = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match answer(typed.command, language) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("davy-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(command: Command, language: Language) -> Result<ExitCode> {
    let is_well = match command {
        Command::Run {
            site: path,
            data,
            commission,
            log_format,
        } => match first(&path, commission, language) {
            Some(first) => {
                let beginning = run::Beginning {
                    file: path,
                    site: first,
                };
                run::start(beginning, &data, log_format)?
            }
            None => false,
        },
        Command::Check {
            profile: Some(profile),
            format,
            ..
        } => check::profile(&profile, matches!(format, Format::Json), language),
        Command::Check { site: None, .. } => check::schema(),
        Command::Check {
            site: Some(site),
            format,
            instead,
            ..
        } => checked(&site, matches!(format, Format::Json), &instead, language),
        Command::Scan(scan) => scan.run(language)?,
        Command::Probe(probe) => probe.run(language)?,
        Command::Prove(prove) => prove.run(language)?,
        Command::Node(node) => node.run(language)?,
        Command::Reload(asked) => asked.run(language)?,
        Command::Status(status) => return Ok(status.run(language)),
        Command::Replay(replay) => return Ok(replay.run(language)),
        Command::Pin { pin_file } => {
            println!("{}", pin::hash(pin_file.as_deref(), language)?);
            true
        }
    };
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn checked(site: &Path, as_json: bool, instead: &Instead, language: Language) -> bool {
    match (instead, as_json) {
        (Instead { matrix: true, .. }, _) => check::matrix(site, as_json, language),
        (
            Instead {
                diff: Some(other), ..
            },
            _,
        ) => check::diff(site, other, as_json, language),
        (Instead { budget: true, .. }, _) => check::budget(site, as_json, language),
        (_, true) => check::programs(site),
        (_, false) => check::people(site, language),
    }
}

/// What a gateway begins with; none where the site file is refused, which is told.
fn first(file: &Path, commission: Option<SocketAddr>, language: Language) -> Option<run::First> {
    if let Some(listen) = commission
        && !file.exists()
    {
        return Some(run::First::Blank(listen));
    }
    match admission::load(file, Today::Doubtful(check::day())) {
        Ok(loaded) => {
            eprint!("{}", check::text(&loaded.warnings, language));
            // A copy is as large as its content: what the reader grew in steps is given back.
            Some(run::First::Site(Arc::new(loaded.site.clone())))
        }
        Err(problems) => {
            eprint!("{}", check::text(&problems, language));
            eprintln!("{}", message::text("run-refused", language));
            None
        }
    }
}

/// The commands with their help, from the message files: `cli-<command>` and `cli-<command>-<argument>`.
fn localised(command: clap::Command, key: &str, language: Language) -> clap::Command {
    let key = key.to_owned();
    let inner = key.clone();
    command
        .about(message::text(&key, language))
        .mut_args(move |argument| {
            let id = argument.get_id().as_str().replace('_', "-");
            match &*id {
                "help" | "version" => argument,
                _ => argument.help(message::text(&format!("{key}-{id}"), language)),
            }
        })
        .mut_subcommands(move |command| {
            let key = format!("{inner}-{}", command.get_name());
            localised(command, &key, language)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_key(command: &clap::Command, key: &str) -> Vec<String> {
        let arguments = command
            .get_arguments()
            .map(|argument| argument.get_id().as_str().replace('_', "-"));
        let own = arguments
            .filter(|id| !["help", "version"].contains(&id.as_str()))
            .map(|id| format!("{key}-{id}"))
            .chain([key.to_owned()]);
        let inner = command
            .get_subcommands()
            .flat_map(|inner| every_key(inner, &format!("{key}-{}", inner.get_name())));
        own.chain(inner).collect()
    }

    #[test]
    fn every_command_and_argument_has_its_help_in_both_languages() {
        CommandLine::command().debug_assert();
        for key in every_key(&CommandLine::command(), "cli") {
            for language in [Language::Zh, Language::En] {
                assert_ne!(message::text(&key, language), key);
            }
        }
    }
}
