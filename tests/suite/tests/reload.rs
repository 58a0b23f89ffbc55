//! A site file that changes while its gateway runs, on real processes: what the change leaves as it is goes on as it was (docs/decisions/0009).

use davy_suite::city::City;
use davy_suite::daemon::binary;
use davy_suite::peers::{Pymodbus, Slave as _};
use davy_suite::relay::Relay;
use davy_suite::site::{Gateway, SEEN_LIMIT, Site, Wiring};
use davy_suite::wait::{self, free_port};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PERIOD_MS: u32 = 500;
const LIMIT: Duration = Duration::from_secs(30);
const TAKEN: &str = "site file taken over";
const REFUSED: &str = "the site file is not taken over";

/// A peer's plant behind a relay, and our gateway at it.
struct Stage {
    plant: Pymodbus,
    relay: Relay,
    site: Site,
    gateway: Gateway,
}

impl Stage {
    fn set(dir: &Path, broker: Option<u16>) -> Self {
        let port = free_port();
        let plant = Pymodbus::tcp(dir, port);
        let relay = Relay::to(port);
        let bus = format!(
            "kind = \"tcp\"\naddress = \"127.0.0.1:{}\"\ntimeout_ms = 1000",
            relay.port
        );
        let wiring = Wiring {
            id: "suite".into(),
            bus,
            broker,
            period_ms: PERIOD_MS,
        };
        let site = Site::write(dir, &wiring);
        let gateway = site.start();
        gateway.await_value("GT-1", 0.0);
        Self {
            plant,
            relay,
            site,
            gateway,
        }
    }

    /// Changes the file, asks the gateway to take it over, and waits until its log says `outcome`.
    fn reload(&mut self, change: impl FnOnce(String) -> String, outcome: &str) {
        self.site.edit(|text| change(text.to_owned()));
        let before = self.told(outcome);
        self.gateway.daemon.signal(Signal::SIGHUP);
        wait::until(outcome, LIMIT, || {
            (self.told(outcome) > before).then_some(())
        });
    }

    fn told(&self, text: &str) -> usize {
        self.gateway.daemon.log().matches(text).count()
    }

    /// Waits until `more` further requests came.
    fn polled(&self, more: usize) {
        let enough = self.relay.requests() + more;
        wait::until("further polls", LIMIT, || {
            (self.relay.requests() >= enough).then_some(())
        });
    }

    fn acknowledge(&self, alarm: &str) {
        let body = json!({ "occurrence": self.gateway.alarm(alarm)["occurrence"], "note": "seen" });
        let path = format!("/api/alarms/{alarm}/acknowledge");
        let (status, answer) = self.gateway.client.post(&path, &body);
        assert_eq!(status, 200, "{answer}");
    }

    fn leak(&self) {
        self.plant.set("hr", 0, 600);
        self.gateway.await_state("GT-1.HH", "UNACK");
        self.gateway.log_in();
        self.acknowledge("GT-1.HH");
        wait::until("the siren", SEEN_LIMIT, || {
            (self.plant.get("co", 0) == 1).then_some(())
        });
    }
}

fn lines<'a>(transitions: &'a [Value], alarm: &str) -> Vec<&'a str> {
    let own = transitions.iter().filter(|line| line["alarm"] == alarm);
    own.filter_map(|line| line["cause"].as_str()).collect()
}

/// Without the part of the file that begins at `from`, up to the next `[[`.
fn without(text: &str, from: &str) -> String {
    let start = text.find(from).expect("the part is in the file");
    let rest = &text[start + 2..];
    let end = rest
        .find("\n[[")
        .map_or(text.len(), |end| start + 2 + end + 1);
    format!("{}{}", &text[..start], &text[end..])
}

const MORE: &str = r#"
[[point]]
id = "N-2"
name = { zh = "计数二", en = "Counter 2" }
area = "area"
device = "DEV-1"
register = { table = "holding", address = 2, as = "u16" }
kind = "other"
unit = "1"
range = [0, 65535]
exception = 0
[point.alarms.H]
set_point = 700
"#;

fn bus(port: u16) -> String {
    format!(
        r#"
[[bus]]
id = "second"
kind = "tcp"
address = "127.0.0.1:{port}"

[[device]]
id = "DEV-2"
name = {{ zh = "设备二", en = "Device 2" }}
bus = "second"
unit = 1
profile = "generic-relay"
period_ms = 200

[[point]]
id = "N-3"
name = {{ zh = "计数三", en = "Counter 3" }}
area = "area"
device = "DEV-2"
register = {{ table = "holding", address = 2, as = "u16" }}
kind = "other"
unit = "1"
range = [0, 65535]
"#
    )
}

#[test]
fn the_file_that_runs_already_is_no_change_and_a_bad_one_leaves_it_running_and_says_every_problem()
{
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(dir.path(), None);
    let digest = stage.gateway.client.read("/api/site")["digest"].clone();
    stage.reload(|text| text, "the site file is the one that runs");

    let mut good = String::new();
    stage.reload(
        |text| {
            good.clone_from(&text);
            let text = text.replace("set_point = 50", "set_point = \"fifty\"");
            text.replace("address = 1,", "addres = 1,")
        },
        REFUSED,
    );
    let log = stage.gateway.daemon.log();
    for key in ["set_point", "addres"] {
        assert!(log.contains(key), "no word of {key}:\n{log}");
    }
    stage.reload(
        |_| good.replace("id = \"suite\"", "id = \"other\""),
        "only a restart changes site.id",
    );
    assert_eq!(stage.gateway.client.read("/api/site")["digest"], digest);
    stage.plant.set("hr", 0, 300);
    stage.gateway.await_state("GT-1.H", "UNACK");
    assert_eq!(stage.relay.connections(), 1);
}

#[test]
fn a_change_touches_only_what_differs_and_the_city_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::embedded(dir.path());
    let cloud = city.start();
    let second = free_port();
    let other = Pymodbus::tcp(&dir.path().join("."), second);
    other.set("hr", 2, 77);
    let mut stage = Stage::set(dir.path(), Some(city.broker));
    stage.plant.set("hr", 2, 500);
    stage.leak();
    stage.plant.set("di", 0, 1);
    stage.gateway.await_state("XS-1.ON", "UNACK");
    let before = stage.gateway.alarm("GT-1.HH");
    stage.polled(4);
    let from = stage.relay.requests() - 1;

    stage.reload(
        |text| {
            let text = without(&text, "[[point]]\nid = \"XS-1\"");
            let text = text.replace("set_point = 20\n", "set_point = 10\n");
            text + MORE + &bus(second)
        },
        TAKEN,
    );
    stage.gateway.await_value("N-2", 500.0);
    stage.gateway.await_value("N-3", 77.0);
    stage.polled(4);

    // The bus: one connection, no period without its poll, the siren never let go of.
    assert_eq!(stage.relay.connections(), 1);
    let gap = stage.relay.longest_gap(from);
    let period = Duration::from_millis(PERIOD_MS.into());
    assert!(gap < 2 * period, "a gap of {gap:?}");
    assert_eq!(stage.plant.get("co", 0), 1);
    // What stood stands as it did, and who was logged in is.
    let after = stage.gateway.alarm("GT-1.HH");
    for part in ["state", "occurrence", "seq", "raised_ms", "acknowledged_ms"] {
        assert_eq!(before[part], after[part], "{part}");
    }
    stage.plant.set("hr", 2, 800);
    stage.gateway.await_state("N-2.H", "UNACK");
    stage.acknowledge("N-2.H");
    // What is gone is a record, and the new limit counts.
    let story = wait::until("the removal", SEEN_LIMIT, || {
        let all = stage.gateway.transitions();
        (lines(&all, "XS-1.ON") == ["active", "removed"]).then_some(all)
    });
    assert_eq!(lines(&story, "GT-1.HH"), ["active", "acknowledge"]);
    stage.plant.set("hr", 0, 150);
    stage.gateway.await_state("GT-1.HH", "LATCH-ACK");
    assert_eq!(
        stage.gateway.alarm("GT-1.H")["active"],
        true,
        "15 is above the new limit"
    );

    // The city.
    stage.gateway.await_delivered(LIMIT);
    let site = cloud.client.read("/api/sites/suite");
    let points = site["points"].as_array().expect("points").iter();
    let ids: Vec<&str> = points.filter_map(|point| point["id"].as_str()).collect();
    assert!(
        ids.contains(&"N-2") && ids.contains(&"N-3") && !ids.contains(&"XS-1"),
        "{ids:?}"
    );
    assert_eq!(
        lines(&cloud.transitions("suite"), "XS-1.ON"),
        ["active", "removed"]
    );
    assert_eq!(lines(&cloud.transitions("suite"), "N-2.H")[0], "active");
    let audit = cloud.client.read("/api/audit");
    let rows = audit["entries"].as_array().expect("a list");
    let row = rows
        .iter()
        .find(|row| row["action"] == "plant-reload")
        .expect("the change");
    assert_eq!(row["actor"], "suite/sighup");
    let changes = row["detail"]["changes"].as_array().expect("a list");
    let limit = changes
        .iter()
        .find(|it| it["id"] == "GT-1.H" && it["key"] == "set_point");
    let limit = limit.expect("the limit");
    assert_eq!(
        (&limit["from"], &limit["to"]),
        (&json!("20 %LEL"), &json!("10 %LEL"))
    );

    // And it is all there after a power cut.
    let Stage { site, gateway, .. } = stage;
    gateway.daemon.kill();
    let gateway = site.start();
    gateway.await_state("GT-1.HH", "LATCH-ACK");
    assert!(gateway.alarm("XS-1.ON").is_null());
}

#[test]
fn a_file_that_would_switch_off_or_let_go_of_a_siren_that_is_on_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(dir.path(), None);
    stage.leak();
    let mut good = String::new();
    stage.reload(
        |text| {
            good.clone_from(&text);
            text.replace("\"GT-1.HH\", ", "")
        },
        REFUSED,
    );
    stage.reload(
        |_| good.replace("signal = \"do1\"", "signal = \"do2\""),
        REFUSED,
    );
    let log = stage.gateway.daemon.log();
    assert!(log.contains("let go of them: SIREN"), "{log}");
    assert_eq!(stage.plant.get("co", 0), 1);
    // Once nothing demands it, the same file is taken over.
    stage.plant.set("hr", 0, 100);
    stage.gateway.await_state("GT-1.HH", "LATCH-ACK");
    let (status, body) = stage
        .gateway
        .client
        .post("/api/alarms/GT-1.HH/reset", &json!({}));
    assert_eq!(status, 200, "{body}");
    wait::until("silence", SEEN_LIMIT, || {
        (stage.plant.get("co", 0) == 0).then_some(())
    });
    stage.reload(
        |_| good.replace("signal = \"do1\"", "signal = \"do2\""),
        TAKEN,
    );
    stage.plant.set("hr", 0, 600);
    wait::until("the other siren", SEEN_LIMIT, || {
        (stage.plant.get("co", 1) == 1).then_some(())
    });
    assert_eq!(stage.plant.get("co", 0), 0);
}

/// A command of the gateway at the terminal: its exit code and what it printed.
fn command(arguments: &[&str]) -> (i32, String) {
    let ended = Command::new(binary("davy-gateway"))
        .args(arguments)
        .env("LC_ALL", "en_US.UTF-8")
        .output()
        .expect("the gateway is built");
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    (ended.status.code().unwrap_or(-1), told)
}

#[test]
fn commands_tell_how_the_gateway_does_what_a_file_changes_and_have_it_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(dir.path(), None);
    let (file, data) = (stage.site.file(), stage.site.data());
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    stage.polled(4);
    let (code, told) = command(&["status", file]);
    assert_eq!(code, 0, "{told}");
    stage.plant.set("hr", 0, 300);
    stage.gateway.await_state("GT-1.H", "UNACK");
    let (code, told) = command(&["status", file]);
    assert!(
        code == 1 && told.contains("P2 GT-1.H  UNACK"),
        "{code} {told}"
    );

    // An operator may not; maintenance may.
    let pin = dir.path().join("pin");
    std::fs::write(&pin, "2468\n").unwrap();
    let ask = [
        "reload",
        file,
        "--person",
        "wang",
        "--pin-file",
        pin.to_str().unwrap(),
    ];
    let (code, told) = command(&ask);
    assert!(
        code == 1 && told.contains("Only maintenance"),
        "{code} {told}"
    );
    stage.reload(
        |text| text.replace("role = \"operator\"", "role = \"maintenance\""),
        TAKEN,
    );
    assert_eq!(
        command(&ask),
        (0, "What the file says runs already.\n".into())
    );

    stage
        .site
        .edit(|text| text.replace("set_point = 50", "set_point = 60"));
    let (code, told) = command(&["check", file, "--diff", data, "--format", "json"]);
    let diff: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &diff["weaker"]), (0, &json!(1)), "{diff}");
    assert_eq!(diff["differences"][0]["id"], "GT-1.HH");
    let (code, told) = command(&ask);
    assert!(
        code == 0 && told.contains("GT-1.HH  set_point: 50 %LEL → 60 %LEL"),
        "{code} {told}"
    );
    // What runs is the new one now.
    let (_, told) = command(&["check", file, "--diff", data]);
    assert!(told.ends_with("No difference.\n"), "{told}");

    stage
        .site
        .edit(|text| text.replace("set_point = 60", "set_point = 101"));
    let (code, told) = command(&ask);
    assert!(
        code == 1 && told.contains("[limit-outside-range]"),
        "{code} {told}"
    );
    stage
        .site
        .edit(|text| text.replace("set_point = 101", "set_point = 60"));
    stage.gateway.daemon.stop();
    assert_eq!(command(&["status", file]).0, 2);
}
