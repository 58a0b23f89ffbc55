//! A cloud under test, with an administrator.

use crate::daemon::{Daemon, binary};
use crate::http::Client;
use crate::wait::free_port;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const READY_LIMIT: Duration = Duration::from_secs(30);

/// The cloud's settings and data.
#[derive(Debug)]
pub struct City {
    dir: PathBuf,
    settings: PathBuf,
    http: u16,
    /// The broker's port, embedded or not.
    pub broker: u16,
}

impl City {
    /// A cloud with its own broker.
    pub fn embedded(dir: &Path) -> Self {
        let broker = free_port();
        let table = format!("kind = \"embedded\"\nlisten = \"127.0.0.1:{broker}\"");
        Self::write(dir, broker, &table)
    }

    /// A cloud on somebody's broker at a loopback port.
    pub fn external(dir: &Path, broker: u16) -> Self {
        let table = format!("kind = \"external\"\nhost = \"127.0.0.1\"\nport = {broker}");
        Self::write(dir, broker, &table)
    }

    fn write(dir: &Path, broker: u16, table: &str) -> Self {
        let (http, settings) = (free_port(), dir.join("cloud.toml"));
        let text =
            format!("listen = \"127.0.0.1:{http}\"\ndata = \"cloud\"\n\n[broker]\n{table}\n");
        std::fs::write(&settings, text).expect("the test's directory is writable");
        let password = dir.join("password");
        std::fs::write(&password, PASSWORD).expect("the test's directory is writable");
        let status = Command::new(binary("davy-cloud"))
            .args(["user", "add"])
            .arg(&settings)
            .args(["--user", "admin", "--role", "administrator"])
            .arg("--password-file")
            .arg(&password)
            .status()
            .expect("davy-cloud starts");
        assert!(status.success(), "the administrator is made");
        Self {
            dir: dir.to_owned(),
            settings,
            http,
            broker,
        }
    }

    /// `CLOUD.toml`.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// The file with the administrator's password.
    pub fn password_file(&self) -> PathBuf {
        self.dir.join("password")
    }

    /// What a command of `davy-cloud` says in English: whether it succeeded, and all that it printed.
    pub fn command(&self, args: &[&str]) -> (bool, String) {
        let output = Command::new(binary("davy-cloud"))
            .env("LC_ALL", "en_US.UTF-8")
            .args(args)
            .output()
            .expect("davy-cloud starts");
        let printed = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    }

    /// Starts the cloud, waits until it serves, and logs the administrator in.
    pub fn start(&self) -> Cloud {
        let args = ["run", &self.settings.to_string_lossy()];
        let mut daemon = Daemon::start("cloud", binary("davy-cloud"), &args, &self.dir);
        let base = format!("http://127.0.0.1:{}", self.http);
        daemon.await_http(&format!("{base}/healthz"), READY_LIMIT);
        let client = Client::new(&base);
        let (status, body) = client.post(
            "/api/session",
            &json!({ "user": "admin", "password": PASSWORD }),
        );
        assert_eq!(status, 200, "{body}");
        Cloud { daemon, client }
    }
}

/// A running cloud and its administrator's client.
#[derive(Debug)]
pub struct Cloud {
    pub daemon: Daemon,
    pub client: Client,
}

impl Cloud {
    /// Every stored transition of a site, by sequence number.
    pub fn transitions(&self, site: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/history/transitions?site={site}&limit=500{cursor}");
            let page = self.client.read(&path);
            all.extend(page["transitions"].as_array().expect("a list").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        all.sort_by_key(|line| line["seq"].as_u64());
        all
    }

    /// Every stored reading of one point in a span: source time and value, as exported.
    pub fn readings(&self, site: &str, point: &str, from_ms: i64, to_ms: i64) -> Vec<Vec<String>> {
        let path = format!(
            "/api/sites/{site}/readings.csv?points={point}&from_ms={from_ms}&to_ms={to_ms}&lang=en&zone=Z"
        );
        let (status, body) = self.client.get(&path);
        assert_eq!(status, 200, "{body}");
        let text = body.as_str().expect("CSV is text");
        let lines = text.trim_start_matches('\u{feff}').lines();
        lines
            .skip(1)
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect()
    }
}
