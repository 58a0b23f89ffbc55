//! `davy-cloud hold`: what must be kept whatever retention says.

use super::{Format, export, records};
use crate::message::{Language, Message};
use crate::records::Hold;
use crate::run;
use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use std::path::PathBuf;
use std::process::ExitCode;

const ACTOR: &str = "command-line";

#[derive(Debug, Subcommand)]
pub(super) enum HoldCommand {
    Set {
        settings: PathBuf,
        #[arg(long, default_value = "")]
        site: String,
        #[arg(long, value_parser = export::moment)]
        from: i64,
        #[arg(long, value_parser = export::moment)]
        to: Option<i64>,
        #[arg(long)]
        reason: String,
    },
    Lift {
        settings: PathBuf,
        #[arg(long)]
        hold: i64,
    },
    List {
        settings: PathBuf,
        #[arg(long, default_value = "text")]
        format: Format,
    },
}

pub(super) async fn answer(command: HoldCommand, language: Language) -> Result<ExitCode> {
    match command {
        HoldCommand::Set {
            settings,
            site,
            from,
            to,
            reason,
        } => {
            let hold = Hold {
                id: 0,
                site,
                from_ms: from,
                to_ms: to,
                reason,
                actor: ACTOR.to_owned(),
                made_ms: run::now_ms(),
            };
            let records = records(&settings, language).await?;
            println!("{}", records.set_hold(&hold).await?);
            Ok(ExitCode::SUCCESS)
        }
        HoldCommand::Lift { settings, hold } => {
            let records = records(&settings, language).await?;
            if records.lift_hold(hold, ACTOR, run::now_ms()).await? {
                return Ok(ExitCode::SUCCESS);
            }
            let none = Message::new("hold-none").with("hold", hold.to_string());
            eprintln!("{}", none.text(language));
            Ok(ExitCode::FAILURE)
        }
        HoldCommand::List { settings, format } => {
            for hold in records(&settings, language).await?.holds().await? {
                println!("{}", line(&hold, format));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn line(hold: &Hold, format: Format) -> String {
    let Hold {
        id,
        site,
        from_ms,
        to_ms,
        reason,
        actor,
        made_ms,
    } = hold;
    let time =
        |ms: i64| Timestamp::from_millisecond(ms).map_or(String::new(), |time| time.to_string());
    match format {
        Format::Text => {
            let to = to_ms.map_or(String::new(), time);
            format!("{id}\t{site}\t{}\t{to}\t{actor}\t{reason}", time(*from_ms))
        }
        Format::Json => serde_json::json!({ "id": id, "site": site, "from_ms": from_ms, "to_ms": to_ms, "reason": reason, "actor": actor,
            "made_ms": made_ms })
        .to_string(),
    }
}
