//! `CLOUD.toml`: text in, valid [`Settings`] or every problem out. Opens no port and reads no other file.
//!
//! ```toml
//! listen = "0.0.0.0:8443"           # API and screens
//! data = "/var/lib/davy-cloud"      # relative to this file; default "data"
//! zone = "+08:00"                   # of exports and screens; default +08:00; stored times are UTC
//! reorder_timeout_ms = 5000         # how long a message that is missing between others is waited for before its node is asked to be born again; default 5000
//! late_after_s = 60                 # a record that took longer from plant to city is marked late; default 60
//! secure_cookie = true              # default false; true behind HTTPS
//!
//! [broker]
//! kind = "embedded"                 # or "external"
//! listen = "0.0.0.0:1883"           # embedded
//! # host = "broker.example"         # external, with port (default 1883), username, password_file, share
//!
//! [records]                         # without it a file in the data folder
//! kind = "postgresql"               # or "embedded"
//! host = "db.example"               # or the folder of a socket; port (default 5432), database and username (default davy), password_file
//!
//! [history]                         # without it files in the data folder
//! engine = "influxdb"               # or "embedded", "cassandra"
//! url = "http://tsdb.example:8086"  # influxdb, with token_file; org and bucket (default davy)
//! # nodes = ["n1.example:9042"]     # cassandra, with keyspace (default davy), replication (default 3), username, password_file
//!
//! [retention]
//! readings_months = 36              # whole months behind the present one, with their rollups; default: kept for ever
//! alarms_months = 120               # alarm lines, occurrences, silences, orders; default: kept for ever
//! audit_months = 120                # default: kept for ever
//! ```

mod history;
mod records;

pub use history::{Cassandra, Engine, Influx};
pub use records::{Postgres, Store};

use crate::message::Message;
use jiff::tz::Offset;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// How the cloud is to run; valid as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where API and screens listen.
    pub listen: SocketAddr,
    /// Folder of every store; absolute, or relative to the working directory.
    pub data: PathBuf,
    /// Offset that exports and screens show times with.
    pub zone: Offset,
    /// A record that reached the city later than this after its source time is marked late, milliseconds (1 s to 1 day).
    pub late_after_ms: i64,
    pub reorder_timeout_ms: u64,
    /// Whether browsers may send the session cookie over HTTPS alone.
    pub secure_cookie: bool,
    pub broker: Broker,
    pub records: Store,
    pub history: Engine,
    pub retention: Retention,
}

/// Where batches come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broker {
    /// Our own, in this process.
    Embedded { listen: SocketAddr },
    /// Somebody's MQTT broker.
    External {
        host: String,
        port: u16,
        username: Option<String>,
        /// Holds the password, so that no secret stands in the settings.
        password_file: Option<PathBuf>,
        /// Name of the `$share` group when several collectors share the stores.
        share: Option<String>,
    },
}

/// How long what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Whole months of readings behind the present one (1–1,200), with their rollups unless these have a time of their own; none = for ever.
    pub readings_months: Option<u32>,
    /// Rollups (minutes and hours), no shorter than readings; none = as long as readings. Of the embedded history alone.
    pub rollups_months: Option<u32>,
    /// Alarm lines, occurrences, silences and orders, as above.
    pub alarms_months: Option<u32>,
    /// The audit log, as above.
    pub audit_months: Option<u32>,
}

impl Settings {
    /// The records' file, where they are embedded.
    pub fn records_file(&self) -> PathBuf {
        self.data.join("records.db")
    }

    /// The collector's own key, which signs heads of the audit log, case files and backups.
    pub fn key_file(&self) -> PathBuf {
        self.data.join("key")
    }

    /// The folder of signed heads of the audit log.
    pub fn heads_folder(&self) -> PathBuf {
        self.data.join("audit-heads")
    }

    /// The folder in which exports lie while they are made and fetched.
    pub fn exports_folder(&self) -> PathBuf {
        self.data.join("exports")
    }

    /// The folder of the embedded history.
    pub fn history_folder(&self) -> PathBuf {
        self.data.join("history")
    }

    /// Reads the text of a settings file that lies in `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Problem>> {
        let file: File =
            toml::from_str(text).map_err(|error| vec![Problem::unreadable(text, &error)])?;
        let mut problems = Vec::new();
        let settings = file.resolve(folder, &mut |key, message| {
            problems.push(Problem {
                line: line_of_key(text, key),
                key: key.to_owned(),
                message,
            });
        });
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(problems)
        }
    }
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// As written, with its table: `broker.listen`; empty where the text itself cannot be read.
    pub key: String,
    pub message: Message,
}

impl Problem {
    fn unreadable(text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let breaks = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n');
        let line = breaks.count() + 1;
        let key = match missing(error.message()) {
            Some(name) => whole(name),
            None => key_at(text, line, at),
        };
        let key = key.chars().take(LONGEST_KEY).collect();
        Self {
            line,
            key,
            message: Message::new("settings-unreadable").with("detail", error.message()),
        }
    }
}

/// Of what is no key at all, so much is told.
const LONGEST_KEY: usize = 64;

/// The key that the reader says is missing.
fn missing(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("missing field `")?;
    rest.split('`').next()
}

/// A key that must be there, with its table: the broker's kind, and what stands at the root.
fn whole(name: &str) -> String {
    match name {
        "kind" => "broker.kind".to_owned(),
        root => root.to_owned(),
    }
}

/// The key at a place of the text, or before it on its line, as written; of an inline table, with the table's.
fn key_at(text: &str, line: usize, at: usize) -> String {
    let written = text.lines().nth(line - 1).unwrap_or("");
    let begin = text[..at].rfind('\n').map_or(0, |last| last + 1);
    let before = written.get(..at - begin).unwrap_or(written);
    let name = |part: &str| part.split('=').next().unwrap_or("").trim().to_owned();
    let table = name(written);
    let inside = before.rfind(['{', ',']).filter(|_| before.contains('{'));
    match inside.and_then(|open| written.get(open + 1..)).map(name) {
        Some(inner) if !inner.is_empty() => format!("{table}.{inner}"),
        _ => table,
    }
}

/// The line on which `table.key` or `key` stands, or else its table where that is written inline or with dots; 1 where it was left out.
fn line_of_key(text: &str, key: &str) -> usize {
    let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
    line_in(text, table, name)
        .or_else(|| line_in(text, "", key))
        .or_else(|| line_in(text, "", table))
        .unwrap_or(1)
}

fn line_in(text: &str, table: &str, name: &str) -> Option<usize> {
    let mut at = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            at = header.trim();
        } else if at == table
            && line
                .split('=')
                .next()
                .is_some_and(|written| written.trim() == name)
        {
            return Some(number + 1);
        }
    }
    None
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    data: Option<PathBuf>,
    zone: Option<String>,
    late_after_s: Option<i64>,
    reorder_timeout_ms: Option<u64>,
    #[serde(default)]
    secure_cookie: bool,
    broker: BrokerTable,
    #[serde(default)]
    records: records::RecordsTable,
    #[serde(default)]
    history: history::HistoryTable,
    #[serde(default)]
    retention: RetentionTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrokerTable {
    kind: BrokerKind,
    listen: Option<SocketAddr>,
    host: Option<String>,
    port: Option<u16>,
    username: Option<String>,
    password_file: Option<PathBuf>,
    share: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum BrokerKind {
    Embedded,
    External,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionTable {
    readings_months: Option<u32>,
    rollups_months: Option<u32>,
    alarms_months: Option<u32>,
    audit_months: Option<u32>,
}

impl RetentionTable {
    fn resolve(self, engine: &Engine, problem: &mut dyn FnMut(&str, Message)) -> Retention {
        if let Some(rollups) = self.rollups_months {
            let is_shorter = self
                .readings_months
                .is_none_or(|readings| rollups < readings);
            if is_shorter {
                problem(
                    "retention.rollups_months",
                    Message::new("settings-rollups-shorter"),
                );
            }
            if !matches!(engine, Engine::Embedded) {
                problem(
                    "retention.rollups_months",
                    Message::new("settings-rollups-engine"),
                );
            }
        }
        for (key, months) in [
            ("retention.readings_months", self.readings_months),
            ("retention.rollups_months", self.rollups_months),
            ("retention.alarms_months", self.alarms_months),
            ("retention.audit_months", self.audit_months),
        ] {
            if months.is_some_and(|months| !(1..=1_200).contains(&months)) {
                problem(key, Message::new("settings-months"));
            }
        }
        Retention {
            readings_months: self.readings_months,
            rollups_months: self.rollups_months,
            alarms_months: self.alarms_months,
            audit_months: self.audit_months,
        }
    }
}

/// The trade's usual zone (+08:00) and lateness.
const ZONE: &str = "+08:00";
const REORDER_TIMEOUT_MS: u64 = 5_000;
const LATE_AFTER_S: i64 = 60;
const DAY_S: i64 = 86_400;
const MQTT_PORT: u16 = 1883;

impl File {
    fn resolve(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Settings {
        let zone = parse_zone(self.zone.as_deref().unwrap_or(ZONE));
        if zone.is_none() {
            problem("zone", Message::new("settings-zone"));
        }
        let late_after_s = self.late_after_s.unwrap_or(LATE_AFTER_S);
        let reorder_timeout_ms = self.reorder_timeout_ms.unwrap_or(REORDER_TIMEOUT_MS);
        if !(100..=60_000).contains(&reorder_timeout_ms) {
            problem("reorder_timeout_ms", Message::new("settings-reorder"));
        }
        if !(1..=DAY_S).contains(&late_after_s) {
            problem("late_after_s", Message::new("settings-late-after"));
        }
        let history = self.history.resolve(folder, problem);
        Settings {
            listen: self.listen,
            data: folder.join(self.data.unwrap_or_else(|| "data".into())),
            zone: zone.unwrap_or(Offset::UTC),
            late_after_ms: late_after_s.saturating_mul(1_000),
            reorder_timeout_ms,
            secure_cookie: self.secure_cookie,
            broker: self.broker.resolve(folder, problem),
            records: self.records.resolve(folder, problem),
            retention: self.retention.resolve(&history, problem),
            history,
        }
    }
}

impl BrokerTable {
    fn resolve(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Broker {
        match self.kind {
            BrokerKind::Embedded => self.embedded(problem),
            BrokerKind::External => self.external(folder, problem),
        }
    }

    fn embedded(self, problem: &mut dyn FnMut(&str, Message)) -> Broker {
        let others = [
            ("broker.host", self.host.is_some()),
            ("broker.port", self.port.is_some()),
            ("broker.username", self.username.is_some()),
            ("broker.password_file", self.password_file.is_some()),
            ("broker.share", self.share.is_some()),
        ];
        for (key, _) in others.into_iter().filter(|(_, given)| *given) {
            problem(key, Message::new("settings-not-embedded"));
        }
        if self.listen.is_none() {
            problem("broker.listen", Message::new("settings-missing"));
        }
        Broker::Embedded {
            listen: self
                .listen
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], MQTT_PORT))),
        }
    }

    fn external(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Broker {
        if self.listen.is_some() {
            problem("broker.listen", Message::new("settings-not-external"));
        }
        let host = self.host.unwrap_or_default();
        if host.is_empty() {
            problem("broker.host", Message::new("settings-missing"));
        }
        if self.password_file.is_some() && self.username.is_none() {
            problem("broker.username", Message::new("settings-missing"));
        }
        let is_name = |name: &String| !name.is_empty() && !name.contains(['/', '+', '#']);
        if self.share.as_ref().is_some_and(|share| !is_name(share)) {
            problem("broker.share", Message::new("settings-share"));
        }
        Broker::External {
            host,
            port: self.port.unwrap_or(MQTT_PORT),
            username: self.username,
            password_file: self.password_file.map(|path| folder.join(path)),
            share: self.share,
        }
    }
}

/// `+08:00`, `-03:30` or `Z`; none for anything else.
pub fn parse_zone(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = text
        .strip_prefix('+')
        .map(|rest| (1, rest))
        .or(text.strip_prefix('-').map(|rest| (-1, rest)))?;
    let (hours, minutes) = rest
        .split_once(':')
        .filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(hours) || !is_digits(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    let seconds = (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))?;
    Offset::from_seconds(seconds).ok()
}

#[cfg(test)]
mod any_text;

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str =
        "listen = \"127.0.0.1:8080\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:1883\"\n";

    fn problems(text: &str) -> Vec<(usize, String)> {
        let problems = Settings::parse(text, Path::new("/etc/davy")).expect_err("a refused file");
        problems
            .into_iter()
            .map(|problem| (problem.line, problem.key))
            .collect()
    }

    #[test]
    fn the_least_file_gets_the_defaults() {
        let settings = Settings::parse(LEAST, Path::new("/etc/davy")).expect("a valid file");
        assert_eq!(
            settings.records_file(),
            Path::new("/etc/davy/data/records.db")
        );
        assert_eq!(
            (settings.zone.seconds(), settings.late_after_ms),
            (28_800, 60_000)
        );
        assert_eq!(
            settings.broker,
            Broker::Embedded {
                listen: "127.0.0.1:1883".parse().expect("address")
            }
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_name() {
        assert_eq!(
            problems(&format!("{LEAST}lisen = 1\n")),
            [(5, "lisen".to_owned())]
        );
    }

    #[test]
    fn every_wrong_value_is_told_at_once_with_its_line() {
        let text = "zone = \"Beijing\"\nlate_after_s = 0\nlisten = \"127.0.0.1:8080\"\n[broker]\nkind = \"external\"\nlisten = \"127.0.0.1:1883\"\n";
        let keys = [
            (1, "zone"),
            (2, "late_after_s"),
            (6, "broker.listen"),
            (1, "broker.host"),
        ];
        assert_eq!(
            problems(text),
            keys.map(|(line, key)| (line, key.to_owned()))
        );
    }

    #[test]
    fn a_broker_of_one_kind_takes_no_key_of_the_other() {
        let text = LEAST.replace(
            "listen = \"127.0.0.1:1883\"",
            "listen = \"127.0.0.1:1883\"\nhost = \"x\"",
        );
        assert_eq!(problems(&text), [(5, "broker.host".to_owned())]);
    }

    #[test]
    fn zones_are_offsets_and_nothing_else() {
        assert_eq!(parse_zone("+08:00").map(Offset::seconds), Some(28_800));
        assert_eq!(parse_zone("-03:30").map(Offset::seconds), Some(-12_600));
        for wrong in [
            "",
            "8",
            "+8:00",
            "+15:00",
            "+08:60",
            "Asia/Shanghai",
            "++1:00",
        ] {
            assert_eq!(parse_zone(wrong), None, "{wrong}");
        }
    }
}
