//! `davy-gateway node`: finds, shows, configures and updates nodes, and reads their events, over a bus that no running gateway holds. It reads; only `config` and
//! `update` write, and only to a node that somebody unlocked at its key.

use super::configure::{Outcome, Running, configure};
use super::registers::number_of;
use super::talk::{Talk, TalkError};
use super::update::{self, Outcome as Updated};
use super::{Status, wiring};
use crate::commission::{Line, One, identify, target};
use crate::message::{text, text_with};
use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use davy_config::Language;
use davy_wire::node::{
    ALARMS, Block, BlockWord, CHANNELS, Event, Happening, Id, RELAYS, channel_status,
};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;

/// Units that are asked where none is named: a bus carries few nodes.
const UNITS: u8 = 16;

#[derive(Debug, clap::Args)]
pub(crate) struct Node {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Find(Find),
    Show(Show),
    Config(Config),
    Events(Events),
    Update(Update),
}

#[derive(Debug, clap::Args)]
struct Find {
    #[command(flatten)]
    at: target::Where,
    #[arg(long, requires = "serial")]
    baud: Option<u32>,
    #[arg(long, default_value_t = UNITS, value_parser = clap::value_parser!(u8).range(1..=247))]
    to_unit: u8,
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    timeout_ms: u32,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    at: One,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: u8,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Config {
    #[command(flatten)]
    at: One,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: u8,
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Update {
    #[command(flatten)]
    at: One,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: u8,
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Events {
    #[command(flatten)]
    at: One,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: u8,
    #[arg(long, default_value_t = 1)]
    from: u32,
}

impl Node {
    /// Does it and prints; returns whether it came to what was asked.
    ///
    /// # Errors
    /// The target makes no sense, the node does not answer, or the file is no configuration.
    pub(crate) fn run(&self, language: Language) -> Result<bool> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match &self.command {
                Command::Find(find) => find.run(language).await,
                Command::Show(show) => show.run(language).await,
                Command::Config(config) => config.run(language).await,
                Command::Events(events) => events.run(language).await,
                Command::Update(update) => update.run(language).await,
            }
        })
    }
}

impl Find {
    async fn run(&self, language: Language) -> Result<bool> {
        let buses = match &self.at.serial {
            Some(path) => target::serial(path, self.baud, false, self.timeout_ms),
            None => {
                let hosts = self.at.hosts(self.timeout_ms);
                hosts.map_err(|error| anyhow!(error.text(language)))?
            }
        };
        let mut found = 0;
        for bus in buses {
            for unit in 1..=self.to_unit {
                let at = target::spelt(&bus.link);
                match Talk::new(bus.clone(), unit).status().await {
                    Ok(status) => {
                        found += 1;
                        let name = identify::identity(&mut Line::new(bus.clone()), unit).await;
                        let name = name.ok().flatten().unwrap_or_default();
                        let parts = [name.vendor, name.product, name.revision];
                        let parts: Vec<String> = parts.into_iter().flatten().collect();
                        let values = [
                            ("at", at),
                            ("unit", unit.to_string()),
                            ("name", parts.join(" ")),
                            ("firmware", firmware(&status)),
                            ("version", status.config_version.to_string()),
                        ];
                        print(&text_with("node-found", &values, language));
                    }
                    Err(error @ TalkError::Link { .. }) => {
                        eprintln!("davy-gateway: {error}");
                        break;
                    }
                    Err(TalkError::Fault { .. } | TalkError::Strange { .. }) => {}
                }
            }
        }
        if found == 0 {
            print(&text("node-none", language));
        }
        Ok(found > 0)
    }
}

impl Show {
    async fn run(&self, language: Language) -> Result<bool> {
        let mut talk = Talk::new(self.at.bus(language)?, self.unit);
        let status = talk.status().await?;
        let values = talk.words(Id::ChannelValue).await?;
        let channels = talk.words(Id::ChannelStatus).await?;
        let alarms = talk.words(Id::AlarmState).await?;
        let relays = talk.words(Id::RelayDemand).await?;
        let block = talk.block(Id::Active).await?;
        if self.json {
            let channel =
                |nth: usize| json!({ "status": channels[nth], "value": thousandths(&values, nth) });
            let channels: Vec<Value> = (0..CHANNELS).map(channel).collect();
            let shown = json!({ "status": status, "channels": channels, "alarms": alarms, "relays": relays, "config_crc_read": block.crc() });
            print(&shown.to_string());
            return Ok(true);
        }
        state(&status, language);
        for (nth, code) in channels.iter().take(CHANNELS).enumerate() {
            let told = match *code {
                channel_status::NOT_IN_USE => continue,
                channel_status::MEASURES => format!("{}", thousandths(&values, nth)),
                code => text(&format!("node-channel-{code}"), language),
            };
            let values = [("channel", (nth + 1).to_string()), ("value", told)];
            print(&text_with("node-channel", &values, language));
        }
        for (number, state) in alarms.iter().take(ALARMS).enumerate() {
            if state & 0xff != 0 {
                let values = [
                    ("alarm", wiring::alarm_name(number as u8)),
                    (
                        "state",
                        text(&format!("node-alarm-{}", state & 0xff), language),
                    ),
                ];
                print(&text_with("node-alarm", &values, language));
            }
        }
        let on = (0..RELAYS).filter(|nth| relays[*nth] != 0);
        let on: Vec<String> = on.map(|nth| (nth + 1).to_string()).collect();
        let key = if on.is_empty() {
            "node-no-relay"
        } else {
            "node-relays"
        };
        print(&text_with(key, &[("relays", on.join(", "))], language));
        Ok(true)
    }
}

/// Firmware, configuration, resets, self-tests, clock, life and ring, a line each.
fn state(status: &Status, language: Language) {
    let say = |key: &str, values: &[(&str, String)]| print(&text_with(key, values, language));
    say("node-firmware", &[("version", firmware(status))]);
    let crc = format!("{:08x}", status.config_crc);
    let version = status.config_version.to_string();
    say("node-config", &[("version", version), ("crc", crc)]);
    let cause = text(&format!("node-reset-{}", status.reset_cause), language);
    let boots = status.boot_count.to_string();
    let up_s = (status.uptime_ms / 1000).to_string();
    say(
        "node-reset",
        &[("cause", cause), ("boots", boots), ("up", up_s)],
    );
    let failed = (0..16).filter(|bit| status.self_test >> bit & 1 == 1);
    let failed: Vec<String> = failed
        .map(|bit| match bit {
            0..=6 => text(&format!("node-test-{bit}"), language),
            // Of a newer firmware: its number is better than nothing.
            _ => text_with("node-test-other", &[("bit", bit.to_string())], language),
        })
        .collect();
    let key = if failed.is_empty() {
        "node-tests-well"
    } else {
        "node-tests-failed"
    };
    say(key, &[("failed", failed.join(", "))]);
    let key = if status.unlocked_s == 0 {
        "node-is-locked"
    } else {
        "node-is-unlocked"
    };
    say(key, &[("seconds", status.unlocked_s.to_string())]);
    let key = if status.time_quality == 0 {
        "node-no-clock"
    } else {
        "node-clock"
    };
    say(key, &[("time", time(status.wall_ms))]);
    let key = if status.gateway_silent == 0 {
        "node-hears"
    } else {
        "node-alone"
    };
    say(key, &[("seconds", status.silent_s.to_string())]);
    let ring = [
        ("oldest", status.event_oldest.to_string()),
        ("next", status.event_next.to_string()),
    ];
    say("node-ring", &ring);
}

impl Config {
    async fn run(&self, language: Language) -> Result<bool> {
        let path = self.file.display().to_string();
        let file = std::fs::read_to_string(&self.file).with_context(|| path.clone())?;
        let settings = wiring::settings(&file).with_context(|| path.clone())?;
        let block = Block::of(&settings);
        // What no node may run is not sent: its words are named by the node's own check.
        if let Err(error) = block.settings() {
            bail!("{path}: {error}");
        }
        let mut talk = Talk::new(self.at.bus(language)?, self.unit);
        let outcome = configure(&mut talk, &block).await?;
        let (key, values) = told(outcome);
        let refusal = match outcome {
            Outcome::Refused { code, .. } => text(&format!("node-refusal-{code}"), language),
            _ => String::new(),
        };
        let mut values: Vec<(&str, String)> = values;
        values.push(("why", refusal));
        print(&text_with(key, &values, language));
        Ok(matches!(
            outcome,
            Outcome::Same(_) | Outcome::Committed { .. }
        ))
    }
}

impl Update {
    async fn run(&self, language: Language) -> Result<bool> {
        let path = self.file.display().to_string();
        let file = std::fs::read(&self.file).with_context(|| path.clone())?;
        let Some(images) = update::images(&file) else {
            bail!(
                "{}",
                text_with("node-update-no-file", &[("file", path)], language)
            );
        };
        let told = std::cell::Cell::new(u32::MAX);
        let progress = |has: u32, of: u32| {
            let tenths = has * 10 / of.max(1);
            if told.replace(tenths) != tenths {
                let values = [("has", has.to_string()), ("of", of.to_string())];
                eprintln!("{}", text_with("node-update-progress", &values, language));
            }
        };
        let mut talk = Talk::new(self.at.bus(language)?, self.unit);
        let outcome = update::update(&mut talk, &images, progress).await?;
        let say = |key: &str, values: &[(&str, String)]| print(&text_with(key, values, language));
        match outcome {
            Updated::Same(version) => say("node-update-same", &[("version", spelt(version))]),
            Updated::NotTaken => say("node-update-not-taken", &[]),
            Updated::NotForIt { board, address } => {
                let address = format!("{address:#x}");
                say(
                    "node-update-not-for-it",
                    &[("board", board.to_string()), ("address", address)],
                );
            }
            Updated::Locked => say("node-update-locked", &[]),
            Updated::Refused(code) => {
                let why = text(&format!("node-refusal-{code}"), language);
                say("node-update-refused", &[("why", why)]);
            }
            Updated::WrongSum => say("node-update-wrong-sum", &[]),
            Updated::Confirmed { version, silent_ms } => {
                let values = [
                    ("version", spelt(version)),
                    ("silent", silent_ms.to_string()),
                ];
                say("node-update-done", &values);
            }
            Updated::GoneBack(code) => {
                let why = text(&format!("node-why-{code}"), language);
                say("node-update-gone-back", &[("why", why)]);
            }
            Updated::Unknown => say("node-update-unknown", &[]),
        }
        Ok(matches!(
            outcome,
            Updated::Same(_) | Updated::Confirmed { .. }
        ))
    }
}

fn told(outcome: Outcome) -> (&'static str, Vec<(&'static str, String)>) {
    let version = |running: Running| running.version.to_string();
    let crc = |running: Running| format!("{:08x}", running.crc);
    match outcome {
        Outcome::Same(running) => (
            "node-config-same",
            vec![("version", version(running)), ("crc", crc(running))],
        ),
        Outcome::Committed { found, left } => (
            "node-config-done",
            vec![
                ("found", version(found)),
                ("found_crc", crc(found)),
                ("version", version(left)),
                ("crc", crc(left)),
            ],
        ),
        Outcome::Locked(running) => ("node-config-locked", vec![("version", version(running))]),
        Outcome::Differs(word) => ("node-config-differs", vec![("word", word.to_string())]),
        Outcome::Refused { word, .. } => {
            let named = format!("{word}: {}", BlockWord(word));
            ("node-config-refused", vec![("word", named)])
        }
        Outcome::NotInForce(running) => (
            "node-config-not-in-force",
            vec![("version", version(running)), ("crc", crc(running))],
        ),
    }
}

impl Events {
    /// One line of JSON an event, for programs and people alike; what is lost is said first.
    async fn run(&self, language: Language) -> Result<bool> {
        let mut talk = Talk::new(self.at.bus(language)?, self.unit);
        let status = talk.status().await?;
        let (mut next, to) = (self.from.max(status.event_oldest), status.event_next);
        if next > self.from.max(1) {
            lost(self.from, next - 1, language);
        }
        while next < to {
            let slots = talk.events(next, to).await?;
            for (number, words) in (next..).zip(&slots) {
                // Overwritten since the ring was looked at, or never written as it should have been.
                if number_of(words) == number {
                    print(&line(words).to_string());
                } else {
                    lost(number, number, language);
                }
            }
            next += u32::try_from(slots.len().max(1)).unwrap_or(1);
        }
        Ok(true)
    }
}

fn lost(from: u32, to: u32, language: Language) {
    let lost = [("from", from), ("to", to)];
    let lost = lost.map(|(key, value)| (key, value.to_string()));
    let told = text_with("node-events-lost", &lost, language);
    eprintln!("davy-gateway: {told}");
}

fn line(words: &[u16; davy_wire::node::EVENT_WORDS]) -> Value {
    let Some(event) = Event::from_words(words) else {
        return json!({ "words": words });
    };
    let clock = match event.quality {
        davy_wire::node::TimeQuality::SinceStart => "since-start",
        davy_wire::node::TimeQuality::SetByGateway => "node",
    };
    let mut line = json!({ "number": event.number, "boot": event.boot, "clock": clock, "time_ms": event.time_ms });
    line["kind"] = super::kind(event.what).into();
    match event.what {
        Happening::Alarm { number, transition } => {
            line["alarm"] = wiring::alarm_name(number).into();
            line["from"] = transition.from.code().into();
            line["to"] = transition.to.code().into();
            line["cause"] = transition.cause.name().into();
            line["occurrence"] = transition.occurrence.into();
        }
        Happening::Started { cause } => line["reset_cause"] = cause.into(),
        Happening::Configured { version } => line["version"] = version.into(),
        Happening::Relay { number, demanded } => {
            line["relay"] = (number + 1).into();
            line["on"] = demanded.into();
        }
        Happening::GatewaySilent(on) | Happening::Unlocked(on) => line["on"] = on.into(),
        Happening::ClockSet => {}
        Happening::Updated { slot, state, why } => {
            line["slot"] = slot.name().into();
            line["slot_state"] = state.name().into();
            line["slot_why"] = why.map(davy_wire::node::Why::name).into();
        }
    }
    line
}

fn firmware(status: &Status) -> String {
    spelt(status.firmware)
}

fn spelt([major, minor, patch]: davy_wire::node::Version) -> String {
    format!("{major}.{minor}.{patch}")
}

fn thousandths(words: &[u16], nth: usize) -> f64 {
    let bits = u32::from(words[nth * 2]) << 16 | u32::from(words[nth * 2 + 1]);
    f64::from(bits.cast_signed()) / 1e3
}

fn time(wall_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(wall_ms);
    at.map_or_else(|_| wall_ms.to_string(), |at| at.to_string())
}

fn print(line: &str) {
    // A reader that has gone is no fault of ours.
    let _gone = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_wire::node::{Refusal, Why};

    #[test]
    fn every_refusal_and_every_reason_of_a_node_has_a_text_in_both_languages() {
        let refusals = Refusal::ALL.map(|refusal| format!("node-refusal-{}", refusal.code()));
        let whys = Why::ALL.map(|why| format!("node-why-{}", why.code()));
        for key in refusals.iter().chain(&whys) {
            for language in [Language::Zh, Language::En] {
                assert_ne!(text(key, language), *key);
            }
        }
    }
}
