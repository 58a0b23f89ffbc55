//! Proof tests on a running gateway, against a slave that we did not write: from an overdue alarm to a signed report that the city knows of.

#![allow(clippy::unwrap_used)]

use davy_suite::city::City;
use davy_suite::daemon::binary;
use davy_suite::peers::{Pymodbus, Slave as _};
use davy_suite::site::{Gateway, Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

struct Stage {
    plant: Pymodbus,
    site: Site,
    gateway: Gateway,
}

impl Stage {
    /// A site that alarms what is not proved, and somebody of maintenance logged in.
    fn set(dir: &Path, broker: Option<u16>) -> Self {
        let port = free_port();
        let plant = Pymodbus::tcp(dir, port);
        let wiring = Wiring {
            id: "proved".into(),
            bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 1000"),
            broker,
            period_ms: 100,
        };
        let site = Site::write(dir, &wiring);
        site.edit(|text| {
            let text = text.replace("role = \"operator\"", "role = \"maintenance\"");
            format!("{text}\n[proving]\nproof_every_days = 90\n")
        });
        let gateway = site.start();
        gateway.log_in();
        Self {
            plant,
            site,
            gateway,
        }
    }

    fn apply(&self, percent: f64) {
        self.plant.set("hr", 0, (percent * 10.0).round() as u16);
    }

    fn call(&self, what: &str, body: &Value) -> Value {
        let path = format!("/api/prove/points/GT-1/{what}");
        let (status, answer) = self.gateway.client.post(&path, body);
        assert_eq!(status, 200, "{what}: {answer}");
        answer
    }

    fn look(&self) -> Value {
        self.gateway.client.read("/api/prove/points/GT-1")
    }

    /// Applies a step's value, waits until it stands still with the alarms that it must have, and takes it.
    fn step(&self, step: usize) -> Value {
        let whole = self.look();
        let expected = whole["draft"]["steps"][step]["expected"].as_f64().unwrap();
        self.apply(expected);
        wait::until("a still value with its alarms", LIMIT, || {
            let seen = self.look()["draft"]["seen"].clone();
            let near = (seen["still"]["value"].as_f64()? - expected).abs() < 0.2;
            let on = |alarm: &str| seen["on"].as_array().unwrap().iter().any(|on| on == alarm);
            let right = on("GT-1.H") == (expected >= 20.0) && on("GT-1.HH") == (expected >= 50.0);
            (near && right).then_some(())
        });
        let taken = self.call("take", &json!({ "step": step, "as": "found" }));
        taken["draft"]["steps"][step]["found"].clone()
    }

    fn out_of_service(&self) -> bool {
        let alarm = self.gateway.alarm("GT-1.HH");
        alarm["state"] == "OOSRV"
    }
}

fn gateway(args: &[&str], typed: &str) -> Output {
    let mut command = Command::new(binary("davy-gateway"));
    command.args(args).env("LC_ALL", "en_US.UTF-8");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn a_loop_is_proved_from_its_overdue_alarm_to_a_signed_report_and_the_city_knows() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::embedded(dir.path());
    let cloud = city.start();
    let stage = Stage::set(dir.path(), Some(city.broker));
    stage.gateway.await_state("GT-1.PROOF", "UNACK");
    assert_eq!(stage.look()["state"], "unproved");

    stage.call(
        "start",
        &json!({ "kind": "loop", "under_test": true, "gas": "4-20 mA", "instrument": "Fluke 705" }),
    );
    assert!(stage.out_of_service(), "its alarms are under test");
    let seen: Vec<Value> = (0..5).map(|step| stage.step(step)).collect();
    assert!(seen.iter().all(|seen| seen["good"] == true), "{seen:?}");
    assert!(
        seen[1]["came"]
            .as_array()
            .unwrap()
            .contains(&json!("GT-1.H"))
    );
    assert_eq!(
        stage.plant.get("co", 0),
        0,
        "out of service, it demands nothing"
    );
    assert_eq!(
        stage.gateway.alarm("GT-1.PROOF")["active"],
        true,
        "not before it has passed"
    );
    let proof = stage.call("finish", &json!({ "reason": null }));
    assert_eq!(proof["verdict"], "pass", "{proof}");
    wait::until("its alarms back in service", LIMIT, || {
        (!stage.out_of_service()).then_some(())
    });
    wait::until("the overdue alarm gone", LIMIT, || {
        (stage.gateway.alarm("GT-1.PROOF")["active"] != true).then_some(())
    });

    let reports = dir.path().join("reports");
    std::fs::create_dir(&reports).unwrap();
    let into = reports.to_string_lossy().into_owned();
    let address = stage.site.address();
    let made = gateway(
        &[
            "prove",
            "report",
            "--gateway",
            &address,
            "--person",
            "wang",
            "--into",
            &into,
        ],
        "2468\n",
    );
    assert!(made.status.success(), "{}", text(&made));
    let fingerprint = stage.gateway.client.read("/api/prove")["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = reports.join("proof-proved-2.zh.pdf");
    let verify = || {
        gateway(
            &[
                "prove",
                "verify",
                &file.to_string_lossy(),
                "--fingerprint",
                &fingerprint,
            ],
            "",
        )
    };
    assert!(verify().status.success(), "{}", text(&verify()));
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let altered = verify();
    assert!(
        !altered.status.success() && text(&altered).contains("ALTERED"),
        "{}",
        text(&altered)
    );

    let audit = wait::until("proof and report in the city's audit log", LIMIT, || {
        let page = cloud.client.read("/api/audit?limit=100");
        let entries = page["entries"].as_array().unwrap().clone();
        let of = |action: &str| {
            entries
                .iter()
                .find(|entry| entry["action"] == action)
                .cloned()
        };
        of("plant-prove").zip(of("plant-report"))
    });
    assert_eq!(audit.0["actor"], "proved/wang");
    assert_eq!(audit.0["detail"]["outcome"], "pass", "{}", audit.0);
    assert_eq!(audit.0["detail"]["proof"]["steps"][1]["alarm"], "GT-1.H");
}

#[test]
fn a_restart_in_the_middle_of_a_proof_goes_on_where_it_was_and_due_dates_outlive_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(dir.path(), None);
    stage.call("start", &json!({ "kind": "loop", "under_test": true }));
    stage.step(0);
    stage.step(1);
    stage.gateway.daemon.kill();
    stage.gateway = stage.site.start();
    stage.gateway.log_in();
    let steps = stage.look()["draft"]["steps"].clone();
    assert!(
        steps[1]["found"].is_object() && steps[2]["found"].is_null(),
        "{steps}"
    );
    assert!(stage.out_of_service());
    (2..5).for_each(|step| _ = stage.step(step));
    assert_eq!(
        stage.call("finish", &json!({ "reason": null }))["verdict"],
        "pass"
    );
    wait::until("back in service", LIMIT, || {
        (!stage.out_of_service()).then_some(())
    });

    let due = stage.look()["proof"]["due_ms"].clone();
    stage.gateway.daemon.kill();
    std::fs::remove_dir_all(stage.site.data().join("journal")).unwrap();
    stage.gateway = stage.site.start();
    assert_eq!(
        stage.look()["state"],
        "proved",
        "the journal may have forgotten it"
    );
    assert_eq!(stage.look()["proof"]["due_ms"], due);
    stage.gateway.daemon.kill();
    stage
        .site
        .edit(|text| text.replace("set_point = 20", "set_point = 21"));
    stage.gateway = stage.site.start();
    assert_eq!(
        stage.look()["state"],
        "changed",
        "another limit was never proved"
    );
    stage.gateway.await_state("GT-1.PROOF", "UNACK");
}

#[test]
fn an_output_is_proved_by_working_and_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::set(dir.path(), None);
    let start = "/api/prove/outputs/SIREN/start";
    let (status, refused) = stage
        .gateway
        .client
        .post(start, &json!({ "kind": "output", "seconds": 2 }));
    assert_eq!(
        (status, &refused["detail"]["field"]),
        (400, &json!("confirm")),
        "{refused}"
    );
    let address = stage.site.address();
    let args = [
        "prove",
        "test",
        "SIREN",
        "--gateway",
        &address,
        "--person",
        "wang",
    ];
    let guided = gateway(&args, "2468\n2\ny\n");
    assert!(guided.status.success(), "{}", text(&guided));
    let row = stage.gateway.client.read("/api/prove/outputs/SIREN");
    assert_eq!(
        (&row["state"], &row["newest"]["verdict"]),
        (&json!("proved"), &json!("pass"))
    );
    assert_eq!(stage.plant.get("co", 0), 0, "off again");

    let skip = [
        "prove",
        "skip",
        "XS-1",
        "--gateway",
        &address,
        "--person",
        "wang",
        "--reason",
        "no access",
    ];
    let skipped = gateway(&skip, "2468\n");
    assert!(skipped.status.success(), "{}", text(&skipped));
    let listed = gateway(&["prove", "list", "--gateway", &address], "");
    assert!(!listed.status.success(), "something is unproved");
    assert!(text(&listed).contains("skipped"), "{}", text(&listed));
    assert_eq!(
        stage.gateway.alarm("XS-1.PROOF")["active"],
        true,
        "a skip clears nothing"
    );
}

#[test]
fn whoever_is_not_of_maintenance_may_look_and_not_test() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(dir.path(), None);
    stage.gateway.daemon.kill();
    stage
        .site
        .edit(|text| text.replace("\"maintenance\"", "\"operator\""));
    stage.gateway = stage.site.start();
    let path = "/api/prove/points/GT-1/start";
    let body = json!({ "kind": "loop" });
    assert_eq!(stage.gateway.client.post(path, &body).0, 401);
    stage.gateway.log_in();
    assert_eq!(stage.gateway.client.post(path, &body).0, 403);
    assert_eq!(
        stage.look()["kinds"],
        json!(["loop", "bump", "calibration"])
    );
}
