//! The record from register to city, counted: broker stopped, cloud killed, gateway killed; every sample and every transition arrives once.

use davy_suite::city::{City, Cloud};
use davy_suite::peers::{Pymodbus, Slave as _, mosquitto};
use davy_suite::site::{Gateway, Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SITE: &str = "suite";
const DELIVERED_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_broker_that_stops_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let broker = mosquitto(dir.path(), port);
    let cloud = City::external(dir.path(), port).start();
    let mut stage = Stage::set(dir.path(), port);
    stage.count(1..30);
    stage.leak();

    broker.kill();
    stage.await_broker("down");
    stage.count(30..60);
    stage.clear();
    stage.leak();

    let _broker = mosquitto(dir.path(), port);
    stage.count(60..90);
    stage.compare(&cloud, 89);
}

#[test]
fn a_cloud_that_is_killed_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::embedded(dir.path());
    let cloud = city.start();
    let mut stage = Stage::set(dir.path(), city.broker);
    stage.count(1..30);
    stage.leak();

    cloud.daemon.kill();
    stage.count(30..60);
    stage.clear();
    stage.leak();

    let cloud = city.start();
    stage.count(60..90);
    stage.compare(&cloud, 89);
    let late = cloud.client.read("/api/history/alarms?site=suite");
    assert!(
        late["occurrences"]
            .as_array()
            .is_some_and(|list| list.len() >= 2),
        "{late}"
    );
}

#[test]
fn a_gateway_that_is_killed_loses_nothing_and_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::embedded(dir.path());
    let cloud = city.start();
    let mut stage = Stage::set(dir.path(), city.broker);
    stage.count(1..30);
    stage.leak();
    stage.acknowledge("GT-1.HH");
    let before = ["GT-1.H", "GT-1.HH"].map(|alarm| stage.gateway.alarm(alarm));

    for round in 1_u16..=3 {
        stage.kill_gateway();
        let after = ["GT-1.H", "GT-1.HH"].map(|alarm| stage.gateway.alarm(alarm));
        for (before, after) in before.iter().zip(&after) {
            for part in [
                "state",
                "occurrence",
                "seq",
                "raised_ms",
                "acknowledged_ms",
                "latched",
            ] {
                assert_eq!(before[part], after[part], "{part} of {}", before["id"]);
            }
        }
        stage.count(30 * round..30 * round + 30);
    }
    assert_eq!(stage.plant.get("co", 0), 1, "the siren sounds on");
    stage.clear();
    stage.compare(&cloud, 119);
}

/// A peer's plant and our gateway at it.
struct Stage {
    plant: Pymodbus,
    site: Site,
    gateway: Gateway,
    began_ms: i64,
    /// Values of the counter that the journal held when its gateway was killed, and those that were shown since the last kill.
    held: BTreeSet<u16>,
}

impl Stage {
    fn set(dir: &Path, broker: u16) -> Self {
        let port = free_port();
        let plant = Pymodbus::tcp(dir, port);
        let wiring = Wiring {
            id: SITE.into(),
            bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000"),
            broker: Some(broker),
            period_ms: 100,
        };
        let site = Site::write(dir, &wiring);
        let began_ms = now_ms();
        let gateway = site.start();
        gateway.await_value("GT-1", 0.0);
        Self {
            plant,
            site,
            gateway,
            began_ms,
            held: BTreeSet::new(),
        }
    }

    /// Lets the counter go through these values; each is on the screen before the next comes.
    fn count(&mut self, values: std::ops::Range<u16>) {
        for value in values {
            self.plant.set("hr", 1, value);
            self.gateway.await_value("N-1", f64::from(value));
            self.held.insert(value);
        }
    }

    fn leak(&self) {
        self.plant.set("hr", 0, 600);
        for alarm in ["GT-1.HH", "GT-1.H"] {
            self.gateway.await_state(alarm, "UNACK");
        }
    }

    fn clear(&self) {
        self.plant.set("hr", 0, 0);
        wait::until("the end of the leak", DELIVERED_LIMIT, || {
            let alarm = self.gateway.alarm("GT-1.HH");
            (alarm["active"] == false).then_some(())
        });
    }

    fn acknowledge(&self, id: &str) {
        self.gateway.log_in();
        let occurrence = &self.gateway.alarm(id)["occurrence"];
        let body = json!({ "occurrence": occurrence, "note": "seen" });
        let (status, answer) = self
            .gateway
            .client
            .post(&format!("/api/alarms/{id}/acknowledge"), &body);
        assert_eq!(status, 200, "{answer}");
        // Judged is not yet on disk, and a killed gateway keeps what is.
        wait::until("the acknowledgement on disk", DELIVERED_LIMIT, || {
            let is_it = |line: &Value| line["alarm"] == id && line["to"] == "ACKED";
            self.gateway.transitions().iter().any(is_it).then_some(())
        });
    }

    /// The screen is ahead of the journal by a group of readings, so an empty backlog alone does not say that the last one is in it.
    fn await_journalled(&self, value: u16) {
        wait::until(&format!("{value} in the journal"), DELIVERED_LIMIT, || {
            self.journalled().contains(&value).then_some(())
        });
    }

    /// Values of the counter that the gateway's journal holds.
    fn journalled(&self) -> BTreeSet<u16> {
        let ours = samples(&self.gateway.client.read(&self.trend("/api/trend")));
        let values = ours.iter().filter_map(|(_, value)| value.as_f64());
        values.map(|value| value as u16).collect()
    }

    /// The question for every reading of the counter until now.
    fn trend(&self, path: &str) -> String {
        let (from, to) = (self.began_ms, now_ms() + 1);
        format!("{path}?points=N-1&from_ms={from}&to_ms={to}&buckets=2000")
    }

    fn await_broker(&self, state: &str) {
        wait::until(&format!("broker {state}"), DELIVERED_LIMIT, || {
            let live = self.gateway.client.read("/api/live");
            (live["links"]["broker"]["state"] == state).then_some(())
        });
    }

    /// In the middle of its work: what is shown and not yet in the journal goes with it, what the journal holds does not.
    fn kill_gateway(&mut self) {
        self.held = self.journalled();
        self.gateway
            .daemon
            .signal(nix::sys::signal::Signal::SIGKILL);
        wait::until("the end of the gateway", DELIVERED_LIMIT, || {
            (!self.gateway.daemon.runs()).then_some(())
        });
        self.gateway = self.site.start();
    }

    /// What the city holds is what the gateway's journal holds: nothing missing, nothing twice, nothing altered, up to the counter's `last` value.
    fn compare(&self, cloud: &Cloud, last: u16) {
        self.await_journalled(last);
        self.gateway.await_delivered(DELIVERED_LIMIT);
        let (ours, theirs) = (self.gateway.transitions(), cloud.transitions(SITE));
        let numbers: Vec<u64> = theirs
            .iter()
            .filter_map(|line| line["seq"].as_u64())
            .collect();
        assert_eq!(
            numbers,
            (1..=ours.len() as u64).collect::<Vec<_>>(),
            "every transition once, in order"
        );
        for (ours, theirs) in ours.iter().zip(&theirs) {
            for part in [
                "alarm",
                "occurrence",
                "from",
                "to",
                "cause",
                "time_ms",
                "value",
                "actor",
            ] {
                assert_eq!(ours[part], theirs[part], "{part} of {}", ours["seq"]);
            }
        }
        let ours = self.gateway.client.read(&self.trend("/api/trend"));
        let theirs = cloud
            .client
            .read(&self.trend(&format!("/api/sites/{SITE}/trend")));
        let (ours, theirs) = (samples(&ours), samples(&theirs));
        assert!(ours.len() >= 30, "the journal holds the count: {ours:?}");
        assert_eq!(ours, theirs, "every sample once");
        let counted: Vec<f64> = theirs
            .iter()
            .filter_map(|(_, value)| value.as_f64())
            .collect();
        for held in &self.held {
            assert!(
                counted.contains(&f64::from(*held)),
                "{held} was in the journal and is in the record"
            );
        }
    }
}

/// Times and values of a raw series.
fn samples(trend: &Value) -> Vec<(i64, Value)> {
    let series = &trend["series"][0];
    assert_eq!(series["step_ms"], 0, "raw readings: {series}");
    let column = |name: &str| series[name].as_array().expect("a column").clone();
    let times = column("time_ms").into_iter();
    times
        .map(|time| time.as_i64().expect("a time"))
        .zip(column("mean"))
        .collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    since.as_millis().try_into().expect("milliseconds fit")
}
