//! Where readings are kept: `[history]`.

use super::Message;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Which engine holds the readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Files in the data folder.
    #[default]
    Embedded,
    Influx(Influx),
    Cassandra(Cassandra),
}

impl Engine {
    /// The key that says where it is.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Embedded => "data",
            Self::Influx(_) => "history.url",
            Self::Cassandra(_) => "history.nodes",
        }
    }
}

/// A bucket of an InfluxDB 2 server, which several collectors may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Influx {
    /// `http://host:port`, with a base path where the server has one.
    pub url: String,
    pub org: String,
    pub bucket: String,
    /// Holds the token, so that no secret stands in the settings.
    pub token_file: PathBuf,
}

impl Influx {
    /// The first line of the token's file.
    ///
    /// # Errors
    /// If the file cannot be read; the text names it.
    pub fn token(&self) -> Result<String, String> {
        let text = std::fs::read_to_string(&self.token_file).map_err(|error| {
            format!(
                "the token in {} cannot be read: {error}",
                self.token_file.display()
            )
        })?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }
}

/// A keyspace of a Cassandra or ScyllaDB cluster, which several collectors may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cassandra {
    /// `host:port` of some nodes; the others are learnt from them.
    pub nodes: Vec<String>,
    /// Made where it is missing.
    pub keyspace: String,
    /// On how many nodes each row lies, 1 to 9, where the keyspace is made.
    pub replication: u8,
    pub username: Option<String>,
    /// Holds the password, so that no secret stands in the settings.
    pub password_file: Option<PathBuf>,
}

impl Cassandra {
    /// The first line of the password's file; empty where none is named.
    ///
    /// # Errors
    /// If the file cannot be read; the text names it.
    pub fn password(&self) -> Result<String, String> {
        let Some(file) = &self.password_file else {
            return Ok(String::new());
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            format!("the password in {} cannot be read: {error}", file.display())
        })?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }
}

impl std::fmt::Display for Cassandra {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} (keyspace {})",
            self.nodes.join(", "),
            self.keyspace
        )
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryTable {
    #[serde(default)]
    engine: Kind,
    nodes: Option<Vec<String>>,
    keyspace: Option<String>,
    replication: Option<u8>,
    username: Option<String>,
    password_file: Option<PathBuf>,
    url: Option<String>,
    org: Option<String>,
    bucket: Option<String>,
    token_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Embedded,
    Influxdb,
    Cassandra,
}

const NAME: &str = "davy";
/// One node may be away, and a majority still answers.
const REPLICATION: u8 = 3;

impl HistoryTable {
    pub(super) fn resolve(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Engine {
        let (influx, cassandra) = (self.of_influx(), self.of_cassandra());
        match self.engine {
            Kind::Embedded => {
                refuse(&influx, "settings-history-embedded", problem);
                refuse(&cassandra, "settings-history-embedded", problem);
                Engine::Embedded
            }
            Kind::Influxdb => {
                refuse(&cassandra, "settings-history-influxdb", problem);
                self.influx(folder, problem)
            }
            Kind::Cassandra => {
                refuse(&influx, "settings-history-cassandra", problem);
                self.cassandra(folder, problem)
            }
        }
    }

    fn influx(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Engine {
        let url = self.url.unwrap_or_default();
        if url.is_empty() {
            problem("history.url", Message::new("settings-missing"));
        } else if !is_url(&url) {
            problem("history.url", Message::new("settings-history-url"));
        }
        if self.token_file.is_none() {
            problem("history.token_file", Message::new("settings-missing"));
        }
        Engine::Influx(Influx {
            url,
            org: self.org.unwrap_or_else(|| NAME.to_owned()),
            bucket: self.bucket.unwrap_or_else(|| NAME.to_owned()),
            token_file: folder.join(self.token_file.unwrap_or_default()),
        })
    }

    fn cassandra(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Engine {
        let nodes = self.nodes.unwrap_or_default();
        if nodes.is_empty() {
            problem("history.nodes", Message::new("settings-missing"));
        } else if !nodes.iter().all(|node| is_node(node)) {
            problem("history.nodes", Message::new("settings-history-nodes"));
        }
        let keyspace = self.keyspace.unwrap_or_else(|| NAME.to_owned());
        if !is_keyspace(&keyspace) {
            problem(
                "history.keyspace",
                Message::new("settings-history-keyspace"),
            );
        }
        let replication = self.replication.unwrap_or(REPLICATION);
        if !(1..=9).contains(&replication) {
            problem(
                "history.replication",
                Message::new("settings-history-replication"),
            );
        }
        if self.password_file.is_some() && self.username.is_none() {
            problem("history.username", Message::new("settings-missing"));
        }
        Engine::Cassandra(Cassandra {
            nodes,
            keyspace,
            replication,
            username: self.username,
            password_file: self.password_file.map(|path| folder.join(path)),
        })
    }

    fn of_cassandra(&self) -> [(&'static str, bool); 5] {
        [
            ("history.nodes", self.nodes.is_some()),
            ("history.keyspace", self.keyspace.is_some()),
            ("history.replication", self.replication.is_some()),
            ("history.username", self.username.is_some()),
            ("history.password_file", self.password_file.is_some()),
        ]
    }

    fn of_influx(&self) -> [(&'static str, bool); 4] {
        [
            ("history.url", self.url.is_some()),
            ("history.org", self.org.is_some()),
            ("history.bucket", self.bucket.is_some()),
            ("history.token_file", self.token_file.is_some()),
        ]
    }
}

fn refuse(keys: &[(&str, bool)], why: &'static str, problem: &mut dyn FnMut(&str, Message)) {
    for (key, _) in keys.iter().filter(|(_, is_given)| *is_given) {
        problem(key, Message::new(why));
    }
}

/// Whether this is an address that we can speak to: no TLS of our own, as with the other stores.
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://");
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']))
}

fn is_node(node: &str) -> bool {
    node.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// What CQL takes without quotes.
fn is_keyspace(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = name.as_bytes().first();
    begins.is_some_and(u8::is_ascii_lowercase) && name.len() <= 48 && name.bytes().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const LEAST: &str =
        "listen = \"127.0.0.1:8080\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:1883\"\n";

    fn read(history: &str) -> Result<Engine, Vec<(usize, String)>> {
        let text = format!("{LEAST}[history]\n{history}\n");
        let told = |problem: crate::settings::Problem| (problem.line, problem.key);
        Settings::parse(&text, Path::new("/etc/davy"))
            .map(|settings| settings.history)
            .map_err(|problems| problems.into_iter().map(told).collect())
    }

    #[test]
    fn readings_are_embedded_unless_an_engine_is_named() {
        assert_eq!(read(""), Ok(Engine::Embedded));
        let found =
            read("engine = \"influxdb\"\nurl = \"http://tsdb:8086/base\"\ntoken_file = \"token\"");
        let expected = Influx {
            url: "http://tsdb:8086/base".into(),
            org: "davy".into(),
            bucket: "davy".into(),
            token_file: "/etc/davy/token".into(),
        };
        assert_eq!(found, Ok(Engine::Influx(expected)));
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let found = read("engine = \"cassandra\"\nnodes = [\"a:9042\", \"b:9042\"]");
        let expected = Cassandra {
            nodes: vec!["a:9042".into(), "b:9042".into()],
            keyspace: "davy".into(),
            replication: 3,
            username: None,
            password_file: None,
        };
        assert_eq!(found, Ok(Engine::Cassandra(expected)));
    }

    #[test]
    fn keys_that_are_missing_wrong_or_of_another_engine_are_refused_by_line() {
        let refused = |keys: &[(usize, &str)]| {
            Err(keys
                .iter()
                .map(|(line, key)| (*line, (*key).to_owned()))
                .collect())
        };
        let missing = refused(&[(1, "history.url"), (1, "history.token_file")]);
        assert_eq!(read("engine = \"influxdb\""), missing);
        let tls = "engine = \"influxdb\"\ntoken_file = \"t\"\nurl = \"https://tsdb:8086\"";
        assert_eq!(read(tls), refused(&[(8, "history.url")]));
        let cluster = "engine = \"cassandra\"\nnodes = [\"a\"]\nkeyspace = \"Davy; DROP\"\nreplication = 0\nbucket = \"b\"";
        assert_eq!(
            read(cluster),
            refused(&[
                (10, "history.bucket"),
                (7, "history.nodes"),
                (8, "history.keyspace"),
                (9, "history.replication"),
            ])
        );
        assert_eq!(read("bucket = \"davy\""), refused(&[(6, "history.bucket")]));
    }
}
