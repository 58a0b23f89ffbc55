//! What people type. Help and answers are in the language of the locale; what programs read (`--format json`, exit codes) is the same in both.

mod backup;
mod export;
mod history;
mod hold;
mod quarantine;
mod verify;

use crate::audit::Entry;
use crate::auth::Passwords;
use crate::message::{Language, Message};
use crate::questions::{By, Question};
use crate::records::{Person, Place, Records, RecordsError, Registry, Risk, Role};
use crate::settings::Settings;
use crate::table::Format as TableFormat;
use crate::{prompt, run};
use anyhow::{Context as _, Result, bail};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "davy-cloud", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run {
        settings: PathBuf,
        #[arg(long, default_value = "text")]
        log_format: LogFormat,
    },
    Check {
        settings: PathBuf,
    },
    #[command(subcommand)]
    User(UserCommand),
    #[command(subcommand)]
    Site(SiteCommand),
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    #[command(subcommand)]
    History(HistoryCommand),
    Verify {
        file: PathBuf,
        #[arg(long)]
        head: Vec<PathBuf>,
    },
    Export {
        #[command(flatten)]
        by: export::As,
        #[arg(long)]
        question: Question,
        #[arg(long, default_value = "csv")]
        format: TableFormat,
        #[arg(long)]
        site: Option<String>,
        #[arg(long)]
        town: Option<String>,
        #[arg(long, value_parser = export::moment)]
        from: Option<i64>,
        #[arg(long, value_parser = export::moment)]
        to: Option<i64>,
        #[arg(long)]
        points: Option<String>,
        #[arg(long)]
        priority: Option<String>,
        #[arg(long)]
        minutes: Option<i64>,
        #[arg(long)]
        group_by: Option<By>,
        #[arg(long)]
        zone: Option<String>,
    },
    Case {
        #[command(flatten)]
        by: export::As,
        #[arg(long)]
        site: String,
        #[arg(long, value_parser = export::moment)]
        from: i64,
        #[arg(long, value_parser = export::moment)]
        to: i64,
        #[arg(long)]
        points: Option<String>,
        #[arg(long)]
        zone: Option<String>,
    },
    #[command(subcommand)]
    Hold(hold::HoldCommand),
    Backup {
        settings: PathBuf,
        folder: PathBuf,
        #[arg(long)]
        without_readings: bool,
    },
    Restore {
        folder: PathBuf,
        settings: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    Copy {
        settings: PathBuf,
        target: PathBuf,
        #[arg(long, value_parser = export::moment)]
        from: i64,
        #[arg(long, value_parser = export::moment)]
        to: i64,
        #[arg(long)]
        ledger: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    List {
        settings: PathBuf,
        #[arg(long, default_value = "100")]
        limit: u32,
        #[arg(long, default_value = "text")]
        format: Format,
    },
    Show {
        settings: PathBuf,
        #[arg(long)]
        message: i64,
    },
    Replay {
        settings: PathBuf,
        #[arg(long)]
        message: i64,
        #[arg(long)]
        by_present_birth: bool,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    Add {
        settings: PathBuf,
        #[arg(long)]
        user: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        role: RoleName,
        #[arg(long = "site")]
        sites: Vec<String>,
        #[arg(long, default_value = "")]
        city: String,
        #[arg(long, default_value = "")]
        town: String,
        #[arg(long, default_value = "")]
        village: String,
        #[arg(long)]
        password_file: Option<PathBuf>,
        #[arg(long)]
        keep: bool,
    },
    Passwd {
        settings: PathBuf,
        #[arg(long)]
        user: String,
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    List {
        settings: PathBuf,
        #[arg(long, default_value = "text")]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
enum SiteCommand {
    Set {
        settings: PathBuf,
        #[arg(long)]
        site: String,
        #[arg(long)]
        city: Option<String>,
        #[arg(long)]
        town: Option<String>,
        #[arg(long)]
        village: Option<String>,
        #[arg(long)]
        address: Option<String>,
        #[arg(long)]
        sector: Option<String>,
        #[arg(long)]
        risk: Option<RiskName>,
    },
    List {
        settings: PathBuf,
        #[arg(long, default_value = "text")]
        format: Format,
    },
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    Operator,
    Regulator,
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Operator => Self::Operator,
            RoleName::Regulator => Self::Regulator,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RiskName {
    Red,
    Orange,
    Yellow,
    Blue,
}

impl From<RiskName> for Risk {
    fn from(name: RiskName) -> Self {
        match name {
            RiskName::Red => Self::Red,
            RiskName::Orange => Self::Orange,
            RiskName::Yellow => Self::Yellow,
            RiskName::Blue => Self::Blue,
        }
    }
}

/// Does what was typed; 0 done, 1 refused or found wrong, 2 not understood.
pub fn main() -> ExitCode {
    let language = language();
    let matches = command(language).get_matches();
    let typed = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match answer(typed.command, language) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("davy-cloud: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The first of the locale's variables that is set, as POSIX has it.
fn language() -> Language {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    Language::from_preference(&set.unwrap_or_default())
}

/// The commands with their help, from the message files: `cli-<command>` and `cli-<command>-<argument>`.
fn command(language: Language) -> clap::Command {
    localised(CommandLine::command(), "cli", language)
}

fn localised(command: clap::Command, key: &str, language: Language) -> clap::Command {
    let about = Message::named(key).text(language);
    let key = key.to_owned();
    let inner = key.clone();
    command
        .about(about)
        .mut_args(move |argument| {
            let help = Message::named(&format!(
                "{key}-{}",
                argument.get_id().as_str().replace('_', "-")
            ));
            match argument.get_id().as_str() {
                "help" | "version" => argument,
                _ => with_values(argument, help.text(language)),
            }
        })
        .mut_subcommands(move |command| {
            let key = format!("{inner}-{}", command.get_name());
            localised(command, &key, language)
        })
}

/// An argument's help, with the names of its values: what they mean would else be told in the language of the source.
fn with_values(argument: clap::Arg, help: String) -> clap::Arg {
    let values = argument.get_possible_values();
    if values.iter().all(|value| value.get_help().is_none()) {
        return argument.help(help);
    }
    let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    let help = format!("{help} [{}]", names.join(", "));
    argument.hide_possible_values(true).help(help)
}

fn answer(command: Command, language: Language) -> Result<ExitCode> {
    match command {
        Command::Run {
            settings,
            log_format,
        } => {
            let Some(settings) = read(&settings, language)? else {
                return Ok(ExitCode::FAILURE);
            };
            run::start(settings, log_format)
        }
        Command::Check { settings } => Ok(match read(&settings, language)? {
            Some(_) => ExitCode::SUCCESS,
            None => ExitCode::FAILURE,
        }),
        Command::User(command) => at_work(user(command, language)),
        Command::Site(command) => at_work(site(command, language)),
        Command::History(command) => at_work(history::answer(command, language)),
        Command::Quarantine(command) => at_work(quarantine::answer(command, language)),
        Command::Export {
            by,
            question,
            format,
            site,
            town,
            from,
            to,
            points,
            priority,
            minutes,
            group_by,
            zone,
        } => {
            let query = [
                ("format", Some(format.ending().to_owned())),
                ("site", site),
                ("town", town),
                ("from_ms", from.map(|ms| ms.to_string())),
                ("to_ms", to.map(|ms| ms.to_string())),
                ("points", points),
                ("priority", priority),
                ("minutes", minutes.map(|minutes| minutes.to_string())),
                ("by", group_by.map(|by| by.name().to_owned())),
                ("zone", zone),
            ];
            let path = format!("/api/export/{}", question.name());
            export::answer(&by, &path, &query, language)
        }
        Command::Case {
            by,
            site,
            from,
            to,
            points,
            zone,
        } => {
            let query = [
                ("from_ms", Some(from.to_string())),
                ("to_ms", Some(to.to_string())),
                ("points", points),
                ("zone", zone),
            ];
            let path = format!("/api/sites/{site}/case");
            export::answer(&by, &path, &query, language)
        }
        Command::Hold(command) => at_work(hold::answer(command, language)),
        Command::Backup {
            settings,
            folder,
            without_readings,
        } => at_work(backup::backup(
            &settings,
            &folder,
            without_readings,
            language,
        )),
        Command::Restore { folder, settings } => {
            at_work(backup::restore(&folder, &settings, language))
        }
        Command::Verify { file, head } => at_work(verify::answer(&file, &head, language)),
    }
}

fn at_work(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// The settings, or none after every problem was printed as `file:line: key: text`.
fn read(file: &Path, language: Language) -> Result<Option<Settings>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let folder = file.parent().unwrap_or(Path::new(""));
    match Settings::parse(&text, folder) {
        Ok(settings) => Ok(Some(settings)),
        Err(problems) => {
            for problem in problems {
                eprintln!(
                    "{}:{}: {}: {}",
                    file.display(),
                    problem.line,
                    problem.key,
                    problem.message.text(language)
                );
            }
            Ok(None)
        }
    }
}

/// The records of these settings; makes the data folder, for this user alone, where there is none.
async fn records(file: &Path, language: Language) -> Result<Records> {
    let Some(settings) = read(file, language)? else {
        bail!("{}", file.display())
    };
    open(&settings).await
}

pub(crate) async fn open(settings: &Settings) -> Result<Records> {
    let data = &settings.data;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data);
    made.with_context(|| data.display().to_string())?;
    Ok(Records::of(settings, run::now_ms()).await?)
}

async fn remember(
    records: &Records,
    action: &'static str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<()> {
    let (actor, subject) = ("command-line".to_owned(), subject.to_owned());
    records
        .audit(&Entry {
            time_ms: run::now_ms(),
            actor,
            action,
            subject,
            detail,
        })
        .await?;
    Ok(())
}

async fn user(command: UserCommand, language: Language) -> Result<ExitCode> {
    match command {
        UserCommand::Add {
            settings,
            user,
            name,
            role,
            sites,
            city,
            town,
            village,
            password_file,
            keep,
        } => {
            let records = records(&settings, language).await?;
            let jurisdiction = Place {
                city,
                town,
                village,
            };
            let name = name.unwrap_or_else(|| user.clone());
            let person = Person {
                id: user,
                name,
                role: role.into(),
                sites: sites.into_iter().collect(),
                jurisdiction,
            };
            add(&records, &person, password_file.as_deref(), keep, language).await
        }
        UserCommand::Passwd {
            settings,
            user,
            password_file,
        } => {
            let records = records(&settings, language).await?;
            let Some((person, _)) = records.person(&user).await? else {
                bail!(RecordsError::NoUser(user))
            };
            let hash = Passwords::default()
                .hash(prompt::password(password_file.as_deref(), language)?)
                .await?;
            records.change_person(&person, Some(&hash)).await?;
            remember(
                &records,
                "user-change",
                &user,
                serde_json::json!({ "password": true }),
            )
            .await?;
            Ok(ExitCode::SUCCESS)
        }
        UserCommand::List { settings, format } => {
            for person in records(&settings, language).await?.people().await? {
                println!("{}", line_of_person(&person, format));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn add(
    records: &Records,
    person: &Person,
    password_file: Option<&Path>,
    keep: bool,
    language: Language,
) -> Result<ExitCode> {
    if keep && records.person(&person.id).await?.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    let needs_city = person.role == Role::Regulator && person.jurisdiction.city.is_empty();
    if person.id.is_empty() || needs_city {
        eprintln!("{}", Message::new("cli-regulator-city").text(language));
        return Ok(ExitCode::FAILURE);
    }
    let hash = Passwords::default()
        .hash(prompt::password(password_file, language)?)
        .await?;
    records.add_person(person, &hash, run::now_ms()).await?;
    let Person {
        role,
        sites,
        jurisdiction,
        ..
    } = person;
    let detail = serde_json::json!({ "role": role, "sites": sites, "jurisdiction": jurisdiction, "password": true });
    remember(records, "user-add", &person.id, detail).await?;
    Ok(ExitCode::SUCCESS)
}

fn line_of_person(person: &Person, format: Format) -> String {
    let Person {
        id,
        name,
        role,
        sites,
        jurisdiction,
    } = person;
    match format {
        Format::Text => {
            let Place { city, town, village } = jurisdiction;
            let sites = sites.iter().cloned().collect::<Vec<_>>().join(",");
            format!("{id}\t{}\t{name}\t{sites}\t{city} {town} {village}", role.name()).trim_end().to_owned()
        }
        Format::Json => {
            serde_json::json!({ "id": id, "name": name, "role": role, "sites": sites, "jurisdiction": jurisdiction }).to_string()
        }
    }
}

async fn site(command: SiteCommand, language: Language) -> Result<ExitCode> {
    match command {
        SiteCommand::Set {
            settings,
            site,
            city,
            town,
            village,
            address,
            sector,
            risk,
        } => {
            let records = records(&settings, language).await?;
            let mut registry = records
                .site(&site)
                .await?
                .map_or_else(Registry::default, |known| known.registry);
            let set = |field: &mut String, given: Option<String>| {
                if let Some(given) = given {
                    *field = given;
                }
            };
            set(&mut registry.place.city, city);
            set(&mut registry.place.town, town);
            set(&mut registry.place.village, village);
            set(&mut registry.address, address);
            set(&mut registry.sector, sector);
            registry.risk = risk.map_or(registry.risk, Risk::from);
            records.put_registry(&site, &registry).await?;
            let Registry {
                place,
                address,
                sector,
                risk,
                ..
            } = registry;
            let detail = serde_json::json!({ "place": place, "address": address, "sector": sector, "risk": risk });
            remember(&records, "site-set", &site, detail).await?;
            Ok(ExitCode::SUCCESS)
        }
        SiteCommand::List { settings, format } => {
            for site in records(&settings, language)
                .await?
                .sites(&crate::records::Scope::All)
                .await?
            {
                println!("{}", line_of_site(&site, format));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn line_of_site(site: &crate::records::Site, format: Format) -> String {
    let Registry {
        place,
        address,
        sector,
        risk,
        ..
    } = &site.registry;
    match format {
        Format::Text => {
            let Place {
                city,
                town,
                village,
            } = place;
            format!(
                "{}\t{}\t{sector}\t{city} {town} {village}",
                site.id,
                risk.name()
            )
            .trim_end()
            .to_owned()
        }
        Format::Json => {
            serde_json::json!({ "id": site.id, "place": place, "address": address, "sector": sector,
            "risk": risk, "online": site.online, "last_seen_ms": site.last_seen_ms })
            .to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_key(command: &clap::Command, key: &str) -> Vec<String> {
        let arguments = command
            .get_arguments()
            .map(|argument| argument.get_id().as_str().replace('_', "-"));
        let arguments = arguments.filter(|id| !["help", "version"].contains(&id.as_str()));
        let own = arguments
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
                assert_ne!(Message::named(&key).text(language), key);
            }
        }
    }

    #[test]
    fn a_scripted_user_is_understood() {
        let typed = "davy-cloud user add CLOUD.toml --user wang --role operator --site tank-farm --site cold-store \
            --password-file p --keep";
        let typed = CommandLine::try_parse_from(typed.split_whitespace()).expect("a command");
        let Command::User(UserCommand::Add {
            user, sites, keep, ..
        }) = typed.command
        else {
            panic!("user add")
        };
        assert_eq!((user.as_str(), sites.len(), keep), ("wang", 2, true));
    }
}
