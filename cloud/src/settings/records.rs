//! Where the records are: `[records]`.

use super::Message;
use crate::records::StoreError;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Which database holds the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// A file in the data folder.
    #[default]
    Embedded,
    Postgres(Postgres),
}

/// A PostgreSQL database, which several collectors may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    /// A name, an address, or the folder of a socket (`/run/postgresql`).
    pub host: String,
    pub port: u16,
    pub database: String,
    pub username: String,
    /// Holds the password, so that no secret stands in the settings.
    pub password_file: Option<PathBuf>,
}

impl Postgres {
    /// The first line of the password's file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn password(&self) -> Result<Option<String>, StoreError> {
        let Some(file) = &self.password_file else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(file).map_err(|source| StoreError::Password {
            path: file.display().to_string(),
            source,
        })?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }
}

impl fmt::Display for Postgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            database,
            ..
        } = self;
        write!(formatter, "{host}:{port}/{database}")
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordsTable {
    #[serde(default)]
    kind: RecordsKind,
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
    username: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RecordsKind {
    #[default]
    Embedded,
    Postgresql,
}

const PORT: u16 = 5432;
const NAME: &str = "davy";

impl RecordsTable {
    pub(super) fn resolve(self, folder: &Path, problem: &mut dyn FnMut(&str, Message)) -> Store {
        if self.kind == RecordsKind::Embedded {
            self.refuse_others(problem);
            return Store::Embedded;
        }
        let host = self.host.unwrap_or_default();
        if host.is_empty() {
            problem("records.host", Message::new("settings-missing"));
        }
        Store::Postgres(Postgres {
            host,
            port: self.port.unwrap_or(PORT),
            database: self.database.unwrap_or_else(|| NAME.to_owned()),
            username: self.username.unwrap_or_else(|| NAME.to_owned()),
            password_file: self.password_file.map(|path| folder.join(path)),
        })
    }

    fn refuse_others(&self, problem: &mut dyn FnMut(&str, Message)) {
        let others = [
            ("records.host", self.host.is_some()),
            ("records.port", self.port.is_some()),
            ("records.database", self.database.is_some()),
            ("records.username", self.username.is_some()),
            ("records.password_file", self.password_file.is_some()),
        ];
        for (key, _) in others.into_iter().filter(|(_, given)| *given) {
            problem(key, Message::new("settings-records-embedded"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const LEAST: &str =
        "listen = \"127.0.0.1:8080\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:1883\"\n";

    fn read(records: &str) -> Result<Store, Vec<(usize, String)>> {
        let text = format!("{LEAST}[records]\n{records}\n");
        let told = |problem: crate::settings::Problem| (problem.line, problem.key);
        Settings::parse(&text, Path::new("/etc/davy"))
            .map(|settings| settings.records)
            .map_err(|problems| problems.into_iter().map(told).collect())
    }

    #[test]
    fn records_are_embedded_unless_a_database_is_named() {
        assert_eq!(read(""), Ok(Store::Embedded));
        let found = read("kind = \"postgresql\"\nhost = \"db.example\"\npassword_file = \"pw\"");
        let expected = Postgres {
            host: "db.example".into(),
            port: 5432,
            database: "davy".into(),
            username: "davy".into(),
            password_file: Some("/etc/davy/pw".into()),
        };
        assert_eq!(found, Ok(Store::Postgres(expected)));
    }

    #[test]
    fn a_database_without_its_host_and_a_file_with_one_are_refused_by_key() {
        let refused = |line, key: &str| Err(vec![(line, key.to_owned())]);
        assert_eq!(read("kind = \"postgresql\""), refused(1, "records.host"));
        assert_eq!(read("host = \"db\""), refused(6, "records.host"));
    }
}
