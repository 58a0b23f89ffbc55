//! The gateway against Modbus servers that we did not write: pymodbus and libmodbus, over TCP and over a serial line.

use davy_suite::cable::Cable;
use davy_suite::libmodbus::{CELLS, Libmodbus, Writes};
use davy_suite::peers::{Pymodbus, Slave};
use davy_suite::site::{Gateway, SEEN_LIMIT, Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::json;
use std::path::Path;

#[test]
fn over_tcp_a_leak_alarms_switches_the_siren_and_clears() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    leak_story(dir.path(), &Pymodbus::tcp(dir.path(), port), over_tcp(port));
}

#[test]
fn over_rtu_a_leak_alarms_switches_the_siren_and_clears() {
    let (dir, cable) = (tempfile::tempdir().unwrap(), Cable::lay());
    let plant = Pymodbus::rtu(dir.path(), &cable.ends[0]);
    leak_story(dir.path(), &plant, over_rtu(&cable));
}

#[test]
fn over_tcp_a_leak_at_a_libmodbus_slave_alarms_switches_the_siren_and_clears() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    leak_story(
        dir.path(),
        &Libmodbus::tcp(dir.path(), port),
        over_tcp(port),
    );
}

#[test]
fn over_rtu_a_leak_at_a_libmodbus_slave_alarms_switches_the_siren_and_clears() {
    let (dir, cable) = (tempfile::tempdir().unwrap(), Cable::lay());
    let plant = Libmodbus::rtu(dir.path(), &cable.ends[0]);
    leak_story(dir.path(), &plant, over_rtu(&cable));
}

#[test]
fn over_tcp_a_libmodbus_slave_that_refuses_one_register_keeps_the_others_of_its_block() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    refusal_story(
        dir.path(),
        &Libmodbus::tcp(dir.path(), port),
        over_tcp(port),
    );
}

#[test]
fn over_rtu_a_libmodbus_slave_that_refuses_one_register_keeps_the_others_of_its_block() {
    let (dir, cable) = (tempfile::tempdir().unwrap(), Cable::lay());
    let plant = Libmodbus::rtu(dir.path(), &cable.ends[0]);
    refusal_story(dir.path(), &plant, over_rtu(&cable));
}

#[test]
fn over_tcp_a_libmodbus_slave_that_does_not_take_a_write_is_a_failed_siren_until_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Libmodbus::tcp(dir.path(), port);
    write_story(dir.path(), &plant, over_tcp(port));
}

#[test]
fn over_rtu_a_libmodbus_slave_that_does_not_take_a_write_is_a_failed_siren_until_it_does() {
    let (dir, cable) = (tempfile::tempdir().unwrap(), Cable::lay());
    let plant = Libmodbus::rtu(dir.path(), &cable.ends[0]);
    write_story(dir.path(), &plant, over_rtu(&cable));
}

/// Refused with an exception, or acknowledged and not done: either way the read-back says that the siren is silent, and the gateway goes on trying.
fn write_story(dir: &Path, plant: &Libmodbus, bus: String) {
    plant.set("hr", 0, 100);
    let wiring = Wiring {
        id: "suite".into(),
        bus,
        broker: None,
        period_ms: 500,
    };
    let site = Site::write(dir, &wiring);
    let timely = "[[output]]\nfeedback = { timeout_s = 2 }\n";
    site.edit(|text| text.replacen("[[output]]\n", timely, 1));
    let gateway = site.start();
    gateway.await_value("GT-1", 10.0);
    gateway.log_in();
    for (writes, gas) in [(Writes::Refused(4), 600), (Writes::NotDone, 610)] {
        plant.treat(writes);
        plant.set("hr", 0, gas);
        gateway.await_state("GT-1.HH", "UNACK");
        gateway.await_state("SIREN.FAILED", "UNACK");
        assert_eq!(plant.get("co", 0), 0, "{writes:?}");
        // What is read goes on: a write that is refused costs no sensor its poll.
        plant.set("hr", 0, gas + 1);
        gateway.await_value("GT-1", f64::from(gas + 1) / 10.0);
        assert!(gateway.alarm("DEV-1.COMMS").is_null());

        plant.treat(Writes::Done);
        await_siren(plant, 1);
        wait::until("the siren's fault to pass", SEEN_LIMIT, || {
            (gateway.alarm("SIREN.FAILED")["state"] != "UNACK").then_some(())
        });
        take_note(&gateway, "SIREN.FAILED");
        gateway.await_state("SIREN.FAILED", "NORM");
        plant.set("hr", 0, 100);
        take_note(&gateway, "GT-1.HH");
        gateway.await_state("GT-1.HH", "LATCH-ACK");
        let (status, body) = gateway.client.post("/api/alarms/GT-1.HH/reset", &json!({}));
        assert_eq!(status, 200, "{body}");
        gateway.await_state("GT-1.HH", "NORM");
        await_siren(plant, 0);
    }
}

fn over_tcp(port: u16) -> String {
    format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000")
}

fn over_rtu(cable: &Cable) -> String {
    let path = cable.ends[1].display();
    format!(
        "kind = \"rtu\"\npath = \"{path}\"\nbaud = 9600\nparity = \"none\"\nstop_bits = 1\ntimeout_ms = 1000"
    )
}

/// The last cells are asked for in one block with the first that is not there. A relay that somebody switched off by hand is switched on again.
fn refusal_story(dir: &Path, plant: &dyn Slave, bus: String) {
    let wiring = Wiring {
        id: "suite".into(),
        bus,
        broker: None,
        period_ms: 500,
    };
    let site = Site::write(dir, &wiring);
    let point = |at: u16| {
        format!(
            "[[point]]\nid = \"E-{at}\"\nname = {{ zh = \"边\", en = \"Edge\" }}\narea = \"area\"\ndevice = \"DEV-1\"\nregister = {{ table = \"holding\", address = {at} }}\nkind = \"other\"\nunit = \"1\"\nrange = [0, 65535]\n\n"
        )
    };
    let edge: String = (CELLS - 2..=CELLS).map(point).collect();
    site.edit(|text| text.replacen("[[output]]\n", &format!("{edge}[[output]]\n"), 1));
    plant.set("hr", CELLS - 2, 1414);
    plant.set("hr", CELLS - 1, 1515);
    let gateway = site.start();
    gateway.await_value("E-14", 1414.0);
    gateway.await_value("E-15", 1515.0);
    wait::until("the refused register's cause", SEEN_LIMIT, || {
        (gateway.value("E-16")["cause"] == "exception").then_some(())
    });
    assert!(gateway.value("E-16")["value"].is_null());

    plant.set("hr", 0, 600);
    await_siren(plant, 1);
    plant.set("co", 0, 0);
    await_siren(plant, 1);
    // The register that is refused costs the others nothing: they go on.
    plant.set("hr", CELLS - 1, 15);
    gateway.await_value("E-15", 15.0);
    assert_eq!(gateway.value("E-16")["cause"], "exception");
    assert!(gateway.alarm("DEV-1.COMMS").is_null());
}

fn leak_story(dir: &Path, plant: &dyn Slave, bus: String) {
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

#[test]
fn a_gateway_that_ends_leaves_its_siren_on_whatever_the_fail_safe_state_and_so_does_its_next_start()
{
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    let wiring = Wiring {
        id: "suite".into(),
        bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000"),
        broker: None,
        period_ms: 500,
    };
    let site = Site::write(dir.path(), &wiring);
    site.edit(|text| text.replacen("[[output]]\n", "[[output]]\nfail_safe = \"off\"\n", 1));
    let gateway = site.start();
    assert_eq!(
        gateway.client.read("/api/site")["outputs"][0]["fail_safe"],
        "off"
    );
    plant.set("hr", 0, 600);
    await_siren(&plant, 1);
    assert!(gateway.daemon.stop().success());
    assert_eq!(plant.get("co", 0), 1, "the end of a gateway is no write");

    // While it is down the danger passes; the latch holds the siren, from the first write of the next start on.
    plant.set("hr", 0, 100);
    let gateway = site.start();
    gateway.await_state("GT-1.HH", "LATCH-UNACK");
    assert_eq!(plant.get("co", 0), 1);
}

/// Gas about the limit: four times over it, and each time back by 2.5, half a unit below where it clears.
#[test]
fn an_alarm_that_chatters_is_named_with_the_deadband_that_its_recorded_signal_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    plant.set("hr", 0, 100);
    let wiring = Wiring {
        id: "suite".into(),
        bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000"),
        broker: None,
        period_ms: 200,
    };
    let gateway = Site::write(dir.path(), &wiring).start();
    gateway.await_value("GT-1", 10.0);
    for _ in 0..4 {
        plant.set("hr", 0, 505);
        gateway.await_state("GT-1.HH", "UNACK");
        plant.set("hr", 0, 475);
        gateway.await_state("GT-1.HH", "LATCH-UNACK");
    }
    let now_ms = gateway.client.read("/api/live")["time_ms"]
        .as_i64()
        .expect("a time");
    let path = format!("/api/kpi?from_ms={}&to_ms={now_ms}", now_ms - 3_600_000);
    // The journal is written in groups.
    let kpi = wait::until("the chatter in the figures", SEEN_LIMIT, || {
        let kpi = gateway.client.read(&path);
        let trips = kpi["signals"][0]["found"]["trips"].as_u64();
        (trips == Some(4)).then_some(kpi)
    });
    let chatterer = &kpi["chattering"]["list"][0];
    assert_eq!(
        (&chatterer["alarm"], &chatterer["annunciations"]),
        (&json!("GT-1.HH"), &json!(4))
    );
    let proposals = kpi["signals"][0]["found"]["proposals"]
        .as_array()
        .expect("a list");
    let of = |parameter: &str| proposals.iter().find(|one| one["parameter"] == parameter);
    let deadband = of("deadband").expect("a deadband");
    assert_eq!(
        (&deadband["now"], &deadband["proposed"]),
        (&json!(2.0), &json!(2.5)),
        "{kpi}"
    );
    assert_eq!(
        (&deadband["trips_after"], &deadband["later_ms"]),
        (&json!(1), &json!(0))
    );
    assert!(of("on-delay").is_none(), "a P1 is never delayed: {kpi}");
}

fn acknowledge(gateway: &Gateway, id: &str) {
    let path = format!("/api/alarms/{id}/acknowledge");
    let body = json!({ "occurrence": gateway.alarm(id)["occurrence"], "note": "seen" });
    assert_eq!(
        gateway.client.post(&path, &body).0,
        401,
        "nobody is logged in"
    );
    gateway.log_in();
    take_note(gateway, id);
}

/// Acknowledges as whoever is logged in.
fn take_note(gateway: &Gateway, id: &str) {
    let path = format!("/api/alarms/{id}/acknowledge");
    let body = json!({ "occurrence": gateway.alarm(id)["occurrence"], "note": "seen" });
    let (status, answer) = gateway.client.post(&path, &body);
    assert_eq!(status, 200, "{answer}");
}

fn await_siren(plant: &dyn Slave, state: u16) {
    wait::until(&format!("siren {state}"), SEEN_LIMIT, || {
        (plant.get("co", 0) == state).then_some(())
    });
}
