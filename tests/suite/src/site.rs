//! A small site under test: one device of a peer, a gas point, a counter and a siren, and the gateway that runs it.

use crate::daemon::{Daemon, binary};
use crate::http::Client;
use crate::wait::{self, free_port};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The hash of PIN 2468, as in the example sites.
const PIN_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$QteEZA9Ftswnsnur11oFXA$5m0w9rEd6ILjU1jf2pXyytUa5mCqEs1sVR4RBXv1sXw";
/// Longest that the gateway may take to be ready, and to see a change of the plant.
const READY_LIMIT: Duration = Duration::from_secs(20);
pub const SEEN_LIMIT: Duration = Duration::from_secs(15);

/// How the site is wired.
#[derive(Clone, Debug)]
pub struct Wiring {
    pub id: String,
    /// The `[[bus]]` keys after `id`.
    pub bus: String,
    /// The broker's port; `None` stands alone.
    pub broker: Option<u16>,
    pub period_ms: u32,
}

/// The site's file and where its gateway keeps its data.
#[derive(Debug)]
pub struct Site {
    pub id: String,
    dir: PathBuf,
    file: PathBuf,
    screen: u16,
}

impl Site {
    /// Writes the site file into `dir`. Points: `GT-1` (holding 0, %LEL, H 20, HH 50), `N-1` (holding 1, a counter, every change journalled),
    /// `T-1` (input 0–1, f32 CDAB), `XS-1` (discrete 0). Output `SIREN` on coil 0, for `GT-1.HH`.
    pub fn write(dir: &Path, wiring: &Wiring) -> Self {
        let (screen, file) = (free_port(), dir.join(format!("{}.toml", wiring.id)));
        let uplink = wiring.broker.map_or(String::new(), |port| {
            format!("[uplink]\nbroker = \"127.0.0.1:{port}\"\ngroup = \"330282\"\n")
        });
        let Wiring {
            id, bus, period_ms, ..
        } = wiring;
        let text = include_str!("site.toml")
            .replace("{id}", id)
            .replace("{screen}", &screen.to_string())
            .replace("{uplink}", &uplink)
            .replace("{pin}", PIN_HASH)
            .replace("{bus}", bus)
            .replace("{period_ms}", &period_ms.to_string());
        std::fs::write(&file, text).expect("the test's directory is writable");
        Self {
            id: id.clone(),
            dir: dir.to_owned(),
            file,
            screen,
        }
    }

    /// Changes the text of the site file; a gateway that runs reads it at its next start or reload.
    pub fn edit(&self, change: impl FnOnce(&str) -> String) {
        let text = std::fs::read_to_string(&self.file).expect("the file was written above");
        std::fs::write(&self.file, change(&text)).expect("the test's directory is writable");
    }

    /// The address of the gateway's screen.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.screen)
    }

    /// Where the site file lies.
    pub fn file(&self) -> PathBuf {
        self.file.clone()
    }

    /// Where the gateway keeps its data.
    pub fn data(&self) -> PathBuf {
        self.dir.join(&self.id)
    }

    /// Starts the gateway and waits until it serves.
    pub fn start(&self) -> Gateway {
        let data = self.dir.join(&self.id);
        let args = [
            "run",
            &self.file.to_string_lossy(),
            "--data",
            &data.to_string_lossy(),
        ];
        let name = format!("gateway-{}", self.id);
        let mut daemon = Daemon::start(&name, binary("davy-gateway"), &args, &self.dir);
        let base = format!("http://127.0.0.1:{}", self.screen);
        daemon.await_http(&format!("{base}/healthz"), READY_LIMIT);
        Gateway {
            daemon,
            client: Client::new(&base),
        }
    }
}

/// A running gateway and a client of its screen.
#[derive(Debug)]
pub struct Gateway {
    pub daemon: Daemon,
    pub client: Client,
}

impl Gateway {
    /// The operator logs in.
    pub fn log_in(&self) {
        let (status, body) = self
            .client
            .post("/api/session", &json!({ "person": "wang", "pin": "2468" }));
        assert_eq!(status, 200, "{body}");
    }

    /// The alarm as listed, `Null` while it is normal.
    pub fn alarm(&self, id: &str) -> Value {
        let live = self.client.read("/api/live");
        let alarms = live["alarms"].as_array().expect("a list").iter();
        alarms
            .into_iter()
            .find(|alarm| alarm["id"] == id)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// Waits until the alarm is in this state (`NORM`: not listed).
    pub fn await_state(&self, id: &str, state: &str) -> Value {
        wait::until(&format!("{id} {state}"), SEEN_LIMIT, || {
            let alarm = self.alarm(id);
            let is = alarm["state"].as_str().unwrap_or("NORM");
            (is == state).then_some(alarm)
        })
    }

    /// Waits until the point shows this value.
    pub fn await_value(&self, point: &str, value: f64) {
        wait::until(&format!("{point} = {value}"), SEEN_LIMIT, || {
            let shown = self.value(point);
            (shown["value"].as_f64() == Some(value)).then_some(())
        });
    }

    /// A point as shown.
    pub fn value(&self, point: &str) -> Value {
        let live = self.client.read("/api/live");
        let values = live["values"].as_array().expect("a list").iter();
        let mut found = values.filter(|value| value["point"] == point);
        found.next().expect("the point is of the site").clone()
    }

    /// Every transition in the gateway's journal, oldest first.
    pub fn transitions(&self) -> Vec<Value> {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let page = self
                .client
                .read(&format!("/api/transitions?limit=500{before}"));
            all.extend(page["transitions"].as_array().expect("a list").clone());
            match page["next_before_seq"].as_u64() {
                Some(seq) => before = format!("&before_seq={seq}"),
                None => break,
            }
        }
        all.reverse();
        all
    }

    /// Waits until the cloud has committed everything that the journal holds.
    pub fn await_delivered(&self, limit: Duration) {
        wait::until("an empty backlog", limit, || {
            let cloud = &self.client.read("/api/live")["links"]["cloud"];
            (cloud["backlog_batches"] == 0).then_some(())
        });
    }
}
