//! `davy-cloud history`: moves a period of readings from one engine to another.

use super::{HistoryCommand, read, records, remember};
use crate::api::Health;
use crate::collector;
use crate::history::History;
use crate::history::cassandra::Cassandra;
use crate::history::copy::{self, Copied, Copy, CopyError, Ledger};
use crate::history::influx::Influx;
use crate::message::{Language, Message};
use crate::records::{Records, Scope};
use crate::settings::{Engine, Settings};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long an engine may take to answer at first. Who copies waits at a terminal: a collector asks on, a command says what is wrong.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn answer(command: HistoryCommand, language: Language) -> Result<ExitCode> {
    let HistoryCommand::Copy {
        settings,
        target,
        from,
        to,
        ledger,
    } = command;
    let (Some(source), Some(wanted)) = (read(&settings, language)?, read(&target, language)?)
    else {
        return Ok(ExitCode::FAILURE);
    };
    let copy = Copy {
        from: place(&source),
        to: place(&wanted),
        from_ms: from,
        to_ms: to,
    };
    let records = records(&settings, language).await?;
    let from = engine(&source, &settings, language).await?;
    let to = engine(&wanted, &target, language).await?;
    let ledger = ledger.unwrap_or_else(|| source.data.join("history-copy.jsonl"));
    let mut ledger = Ledger::open(&ledger, &copy)?;
    let done = all((&*from, &*to), &copy, &records, &mut ledger).await?;
    told(&done, &copy, &records, language).await
}

/// The engine that a file names, connected.
async fn engine(settings: &Settings, file: &Path, language: Language) -> Result<Arc<dyn History>> {
    let (key, place) = (settings.history.key(), place(settings));
    let error = match tokio::time::timeout(ANSWERS_WITHIN, connect(settings)).await {
        Ok(Ok(history)) => return Ok(history),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    let text = Message::new("history-away")
        .with("file", file.display().to_string())
        .with("key", key)
        .with("place", place)
        .with("detail", error);
    bail!("{}", text.text(language))
}

async fn connect(settings: &Settings) -> Result<Arc<dyn History>> {
    Ok(match &settings.history {
        Engine::Embedded => collector::history(settings, &Health::default()).await?,
        Engine::Influx(address) => {
            let history = Influx::new(address)?;
            history.check().await?;
            Arc::new(history)
        }
        Engine::Cassandra(address) => Arc::new(Cassandra::connect(address).await?),
    })
}

/// Every series that the source has, of the sites that the records know; those that differ are printed and counted.
async fn all(
    sides: (&dyn History, &dyn History),
    copy: &Copy,
    records: &Records,
    ledger: &mut Ledger,
) -> Result<Done> {
    let mut done = Done::default();
    for site in records.sites(&Scope::All).await? {
        for (point, _) in sides.0.latest(&site.id).await? {
            match copy::series(sides, copy, (&site.id, &point), ledger).await {
                Ok(Copied { readings, .. }) => {
                    done.series += 1;
                    done.readings += readings;
                }
                Err(differs @ CopyError::Differs { .. }) => {
                    eprintln!("{differs}");
                    done.differing += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(done)
}

#[derive(Default)]
struct Done {
    series: u64,
    readings: u64,
    differing: u64,
}

async fn told(done: &Done, copy: &Copy, records: &Records, language: Language) -> Result<ExitCode> {
    let Done {
        series,
        readings,
        differing,
    } = done;
    let detail = serde_json::json!({
        "from": copy.from, "to": copy.to, "from_ms": copy.from_ms, "to_ms": copy.to_ms,
        "series": series, "readings": readings, "differing": differing,
    });
    remember(records, "history-copied", &copy.to, detail).await?;
    let key = if *differing == 0 {
        "history-copied"
    } else {
        "history-copy-differs"
    };
    let text = Message::new(key)
        .with("series", series.to_string())
        .with("readings", readings.to_string())
        .with("differing", differing.to_string());
    println!("{}", text.text(language));
    Ok(ExitCode::from(u8::from(*differing > 0)))
}

/// Where a history is, for the ledger and the audit log.
fn place(settings: &Settings) -> String {
    match &settings.history {
        Engine::Embedded => settings.history_folder().display().to_string(),
        Engine::Influx(address) => format!("{} (bucket {})", address.url, address.bucket),
        Engine::Cassandra(address) => address.to_string(),
    }
}
