//! The gateway and its command line against the node's own firmware core, over a line that carries RTU frames: configured by whoever stands at its key alone, and
//! what it judged while the gateway was stopped comes into the record.
#![allow(clippy::unwrap_used)]

mod node_host;
mod node_site;

use davy_gateway::node::{EventClock, Told, What};
use davy_wire::node::{AlarmId, Event, Happening};
use node_host::Around;
use node_site::{Gateway, site, told, until};
use std::path::Path;
use std::process::Command;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-example.toml");

/// Runs `davy-gateway node`; whether it came to what was asked, and what it printed.
fn node(port: u16, unit: u8, command: &str, rest: &[&str]) -> (bool, String) {
    let at = format!("127.0.0.1:{port}");
    let unit = unit.to_string();
    let mut asked = Command::new(env!("CARGO_BIN_EXE_davy-gateway"));
    asked.env("LC_ALL", "en_GB.UTF-8");
    asked.args(["node", command, "--rtu-over-tcp", &at]);
    if command != "find" {
        asked.args(["--unit", &unit]);
    }
    let output = asked.args(rest).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

fn configured(port: u16, around: &Around, file: &str) {
    around.unlock();
    let (done, told) = node(port, 1, "config", &[file]);
    assert!(done, "{told}");
    assert!(told.contains("As left: configuration 1"), "{told}");
}

#[test]
fn a_node_is_configured_by_whoever_stands_at_its_key_and_by_nobody_else() {
    let (port, around) = node_host::start();
    let (found, told) = node(port, 1, "find", &["--to-unit", "2"]);
    assert!(
        found && told.contains("firmware 0.1.0, configuration 0"),
        "{told}"
    );

    let (done, told) = node(port, 1, "config", &[EXAMPLE]);
    assert!(!done && told.contains("Hold the key at the node"), "{told}");
    let (_, told) = node(port, 1, "show", &[]);
    assert!(
        told.contains("Configuration 0,") && told.contains("Configuration locked"),
        "{told}"
    );

    configured(port, &around, EXAMPLE);
    // A commit locks it again. The file gives it another unit id, from its answer on.
    let (done, told) = node(port, 3, "config", &[EXAMPLE]);
    assert!(done && told.contains("runs this already"), "{told}");
    let (_, told) = node(port, 3, "show", &[]);
    assert!(
        told.contains("Channel 2: 0") && told.contains("Configuration locked"),
        "{told}"
    );
    let (_, told) = node(port, 3, "events", &[]);
    let lines: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"unlock") && kinds.contains(&"configuration"),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leak_while_the_gateway_is_stopped_trips_the_siren_and_is_in_the_record_afterwards() {
    let (port, around) = node_host::start();
    let files = tempfile::tempdir().unwrap();
    // The siren for the leak alone, and transmitters that are warm.
    let file = std::fs::read_to_string(EXAMPLE).unwrap();
    let file = file
        .replace("horn = true", "")
        .replace("warm_up_s = 60", "");
    let path = files.path().join("node.toml");
    std::fs::write(&path, file).unwrap();
    tokio::task::block_in_place(|| configured(port, &around, path.to_str().unwrap()));
    let dir = tempfile::tempdir().unwrap();
    gateway_runs(dir.path(), port, |told| {
        told.iter()
            .any(|one| matches!(one.what, Happening::Configured { .. }))
    })
    .await;
    assert_eq!(around.coils() & 1, 0);

    // Nobody asks it: it judges by itself.
    around.sample(|sample| sample.currents_ua = Some([14_000; 8]));
    until("the siren", || around.coils() & 1 == 1).await;

    let leak = AlarmId::Limit {
        channel: 0,
        limit: 0,
    }
    .number();
    let is_leak =
        |event: &Event| matches!(event.what, Happening::Alarm { number, .. } if number == leak);
    let is_siren = |event: &Event| {
        matches!(
            event.what,
            Happening::Relay {
                number: 0,
                demanded: true
            }
        )
    };
    gateway_runs(dir.path(), port, |told| {
        told.iter().any(is_leak) && told.iter().any(is_siren)
    })
    .await;
    let told = told(dir.path());
    let events: Vec<Event> = told.iter().filter_map(Told::event).collect();
    let numbers: Vec<u32> = events.iter().map(|event| event.number).collect();
    let all: Vec<u32> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, all, "each once, in order, none left out");
    let at = events.iter().position(is_leak).unwrap();
    assert_eq!(events.iter().filter(|event| is_siren(event)).count(), 1);
    let What::Event { time, clock, .. } = &told[at].what else {
        panic!("{:?}", told[at]);
    };
    assert_eq!(
        *clock,
        EventClock::Node,
        "the first gateway had set its clock"
    );
    assert!(time.0 < told[at].collected.0);
}

/// A gateway runs until the node has a clock and the events that were collected since satisfy `is`.
async fn gateway_runs(dir: &Path, port: u16, is: impl Fn(&[Event]) -> bool) {
    let gateway = Gateway::start(dir, &site("rtu-over-tcp", port));
    let collected = || {
        let now = gateway.nodes.now("node-1");
        let events: Vec<Event> = now.recent.iter().filter_map(Told::event).collect();
        let clock_is_set = now
            .status
            .is_some_and(|(status, _)| status.time_quality == 1);
        clock_is_set && is(&events)
    };
    until("what is awaited of the node", collected).await;
    gateway.stop().await;
}
