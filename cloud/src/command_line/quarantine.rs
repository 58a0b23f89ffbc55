//! `davy-cloud quarantine`: looks at what could not be read, and asks the running collector to put it through again.

use super::{Format, QuarantineCommand, records, remember};
use crate::message::{Language, Message};
use crate::records::{Quarantined, Records};
use crate::run;
use anyhow::Result;
use davy_print::text_of;
use davy_wire::Payload;
use std::process::ExitCode;
use std::time::Duration;

/// Who asks, in the audit log.
const ACTOR: &str = "command-line";
/// How long the collector is waited for, in looks.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(super) async fn answer(command: QuarantineCommand, language: Language) -> Result<ExitCode> {
    match command {
        QuarantineCommand::List {
            settings,
            limit,
            format,
        } => {
            let records = records(&settings, language).await?;
            for held in records.quarantined(None, limit.clamp(1, 10_000)).await? {
                println!("{}", line(&held, format));
            }
            Ok(ExitCode::SUCCESS)
        }
        QuarantineCommand::Show { settings, message } => {
            let records = records(&settings, language).await?;
            let Some(held) = records.quarantined_as(message).await? else {
                return Ok(say(
                    "quarantine-none",
                    message,
                    "",
                    language,
                    ExitCode::FAILURE,
                ));
            };
            show(&held);
            Ok(ExitCode::SUCCESS)
        }
        QuarantineCommand::Replay {
            settings,
            message,
            by_present_birth,
        } => {
            let records = records(&settings, language).await?;
            replay(&records, message, by_present_birth, language).await
        }
    }
}

/// Asks, and waits a little for the collector to have done it.
async fn replay(
    records: &Records,
    message: i64,
    by_present_birth: bool,
    language: Language,
) -> Result<ExitCode> {
    let Some(held) = records.quarantined_as(message).await? else {
        return Ok(say(
            "quarantine-none",
            message,
            "",
            language,
            ExitCode::FAILURE,
        ));
    };
    let detail = serde_json::json!({ "topic": held.topic, "why": held.why, "by_present_birth": by_present_birth });
    remember(records, "quarantine-replay", &message.to_string(), detail).await?;
    let now_ms = run::now_ms();
    records
        .ask_replay(message, ACTOR, by_present_birth, now_ms)
        .await?;
    for _ in 0..LOOKS {
        match records.quarantined_as(message).await? {
            None => {
                return Ok(say(
                    "quarantine-replayed",
                    message,
                    "",
                    language,
                    ExitCode::SUCCESS,
                ));
            }
            Some(held) if held.replay_asked_by.is_none() => {
                return Ok(say(
                    "quarantine-kept",
                    message,
                    &held.why,
                    language,
                    ExitCode::FAILURE,
                ));
            }
            Some(_) => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
    Ok(say(
        "quarantine-asked",
        message,
        "",
        language,
        ExitCode::SUCCESS,
    ))
}

fn say(key: &'static str, message: i64, why: &str, language: Language, code: ExitCode) -> ExitCode {
    let text = Message::new(key)
        .with("message", message.to_string())
        .with("why", why.to_owned());
    println!("{}", text.text(language));
    code
}

fn line(held: &Quarantined, format: Format) -> String {
    let Quarantined {
        id,
        topic,
        received_ms,
        why,
        payload,
        replay_asked_by,
        ..
    } = held;
    match format {
        Format::Text => format!("{id}\t{}\t{}\t{topic}\t{why}", time(*received_ms), payload.len()),
        Format::Json => serde_json::json!({ "id": id, "received_ms": received_ms, "bytes": payload.len(), "topic": topic, "why": why,
            "replay_asked_by": replay_asked_by })
        .to_string(),
    }
}

/// One metric a line, and the bytes as they came.
fn show(held: &Quarantined) {
    println!("{}", line(held, Format::Text));
    let payload = Payload::from_bytes(&held.payload).unwrap_or_default();
    for metric in &payload.metrics {
        let alias = metric
            .alias
            .map(|alias| format!("#{alias}"))
            .unwrap_or_default();
        let name = metric.name.clone().unwrap_or(alias);
        let at = metric
            .timestamp
            .or(payload.timestamp)
            .and_then(|at| i64::try_from(at).ok());
        let value = metric.value(None).map(|value| value.to_string());
        println!(
            "{name}\t{}\t{}",
            at.map(time).unwrap_or_default(),
            value.unwrap_or_default()
        );
    }
    println!("{}", text_of(&held.payload));
}

fn time(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| time_ms.to_string(), |time| time.to_string())
}
