//! The gateway against a Modbus server that we did not write: pymodbus, over TCP and over a serial line.

use davy_suite::cable::Cable;
use davy_suite::peers::Pymodbus;
use davy_suite::site::{Gateway, SEEN_LIMIT, Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::json;
use std::path::Path;

#[test]
fn over_tcp_a_leak_alarms_switches_the_siren_and_clears() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    let bus = format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000");
    leak_story(dir.path(), &plant, bus);
}

#[test]
fn over_rtu_a_leak_alarms_switches_the_siren_and_clears() {
    let dir = tempfile::tempdir().unwrap();
    let cable = Cable::lay();
    let plant = Pymodbus::rtu(dir.path(), &cable.ends[0]);
    let path = cable.ends[1].display();
    let bus = format!(
        "kind = \"rtu\"\npath = \"{path}\"\nbaud = 9600\nparity = \"none\"\nstop_bits = 1\ntimeout_ms = 1000"
    );
    leak_story(dir.path(), &plant, bus);
}

fn leak_story(dir: &Path, plant: &Pymodbus, bus: String) {
    plant.set("hr", 0, 123);
    plant.set("ir", 0, 0x0000);
    plant.set("ir", 1, 0x41ac);
    let wiring = Wiring {
        id: "suite".into(),
        bus,
        broker: None,
        period_ms: 500,
    };
    let gateway = Site::write(dir, &wiring).start();
    gateway.await_value("GT-1", 12.3);
    gateway.await_value("T-1", 21.5);
    assert!(gateway.alarm("GT-1.H").is_null());

    plant.set("hr", 0, 600);
    let alarm = gateway.await_state("GT-1.HH", "UNACK");
    assert_eq!(alarm["value_then"], 60.0);
    await_siren(plant, 1);
    acknowledge(&gateway, "GT-1.HH");
    gateway.await_state("GT-1.HH", "ACKED");
    assert_eq!(plant.get("co", 0), 1, "acknowledging must not stop a siren");

    plant.set("hr", 0, 100);
    let alarm = gateway.await_state("GT-1.HH", "LATCH-ACK");
    assert!(alarm["cleared_ms"].is_i64(), "{alarm}");
    assert_eq!(plant.get("co", 0), 1, "a latched cause holds its effect");
    let (status, body) = gateway.client.post("/api/alarms/GT-1.HH/reset", &json!({}));
    assert_eq!(status, 200, "{body}");
    gateway.await_state("GT-1.HH", "NORM");
    await_siren(plant, 0);

    let story: Vec<_> = gateway
        .transitions()
        .iter()
        .filter(|line| line["alarm"] == "GT-1.HH")
        .map(|line| line["cause"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(story, ["active", "acknowledge", "clear", "reset"]);
}

fn acknowledge(gateway: &Gateway, id: &str) {
    let occurrence = &gateway.alarm(id)["occurrence"];
    let path = format!("/api/alarms/{id}/acknowledge");
    let body = json!({ "occurrence": occurrence, "note": "seen" });
    assert_eq!(
        gateway.client.post(&path, &body).0,
        401,
        "nobody is logged in"
    );
    gateway.log_in();
    let (status, answer) = gateway.client.post(&path, &body);
    assert_eq!(status, 200, "{answer}");
}

fn await_siren(plant: &Pymodbus, state: u16) {
    wait::until(&format!("siren {state}"), SEEN_LIMIT, || {
        (plant.get("co", 0) == state).then_some(())
    });
}
