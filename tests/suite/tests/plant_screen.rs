//! The gateway's own interface on a real process: who may do what, and what a client is told when it may not.

use davy_suite::http::Client;
use davy_suite::site::{Gateway, SEEN_LIMIT, Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::{Value, json};
use std::path::Path;

/// A gateway whose only device does not answer: its alarm `DEV-1.COMMS` comes by itself.
fn gateway(dir: &Path) -> Gateway {
    site(dir).start()
}

fn site(dir: &Path) -> Site {
    let wiring = Wiring {
        id: "suite".into(),
        bus: format!(
            "kind = \"tcp\"\naddress = \"127.0.0.1:{}\"\ntimeout_ms = 100",
            free_port()
        ),
        broker: None,
        period_ms: 200,
    };
    Site::write(dir, &wiring)
}

const ACTS: [(&str, &str); 8] = [
    (
        "/api/alarms/GT-1.HH/acknowledge",
        r#"{"occurrence":1,"note":"x"}"#,
    ),
    ("/api/alarms/GT-1.HH/reset", "{}"),
    (
        "/api/alarms/GT-1.HH/shelve",
        r#"{"minutes":5,"reason":"x","second":null}"#,
    ),
    ("/api/alarms/GT-1.HH/unshelve", "{}"),
    ("/api/alarms/GT-1.HH/out-of-service", r#"{"reason":"x"}"#),
    ("/api/alarms/GT-1.HH/in-service", "{}"),
    ("/api/outputs/SIREN/reset", "{}"),
    ("/api/alarms/NO-1.HH/reset", "{}"),
];

#[test]
fn nobody_acts_without_a_pin_and_an_operator_does_no_maintenance() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = gateway(dir.path());
    for (path, body) in ACTS {
        assert_eq!(post(&gateway.client, path, body).0, 401, "{path}");
    }
    let wrong = json!({ "person": "wang", "pin": "0000" });
    assert_eq!(gateway.client.post("/api/session", &wrong).0, 401);

    gateway.log_in();
    let answers: Vec<(u16, Value)> = ACTS
        .iter()
        .map(|(path, body)| post(&gateway.client, path, body))
        .collect();
    let codes: Vec<(u16, &str)> = answers
        .iter()
        .map(|(status, body)| (*status, body["error"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        codes,
        [
            (409, "not-unacknowledged"),
            (409, "not-latched"),
            (409, "second-person"),
            (409, "not-shelved"),
            (403, "not-allowed"),
            (403, "not-allowed"),
            (409, "not-latched"),
            (404, "unknown"),
        ]
    );
}

/// Demand and since when.
fn siren(gateway: &Gateway) -> (Value, Value) {
    let siren = gateway.client.read("/api/live")["outputs"][0].clone();
    (siren["demand"].clone(), siren["since_ms"].clone())
}

#[test]
fn a_manual_cause_is_demanded_with_a_reason_outlives_a_kill_and_is_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let site = site(dir.path());
    let gateway = site.start();
    let (demand, withdraw) = (
        "/api/alarms/EVACUATE.MANUAL/demand",
        "/api/alarms/EVACUATE.MANUAL/withdraw",
    );
    let reason = r#"{"reason":"smell"}"#;
    assert_eq!(post(&gateway.client, demand, reason).0, 401);
    gateway.log_in();
    for (path, body, code) in [
        (demand, r#"{"reason":" "}"#, "reason"),
        (withdraw, reason, "already"),
        ("/api/alarms/GT-1.HH/demand", reason, "unknown-alarm"),
    ] {
        let (status, answer) = post(&gateway.client, path, body);
        assert_eq!((status, &answer["error"]), (409, &json!(code)), "{path}");
    }
    let (status, alarm) = post(&gateway.client, demand, reason);
    assert_eq!((status, &alarm["state"]), (200, &json!("UNACK")), "{alarm}");
    assert_eq!(post(&gateway.client, demand, reason).1["error"], "already");
    let (on, since) = siren(&gateway);
    assert_eq!(on, true);
    let written = wait::until("the record", SEEN_LIMIT, || {
        let told = gateway
            .client
            .read("/api/transitions?alarm=EVACUATE.MANUAL");
        let line = told["transitions"][0].clone();
        (line["actor"] == "wang").then_some(line)
    });
    assert_eq!(
        (&written["reason"], &written["cause"]),
        (&json!("smell"), &json!("active"))
    );

    gateway.daemon.kill();
    let gateway = site.start();
    let alarm = gateway.alarm("EVACUATE.MANUAL");
    assert_eq!(
        (&alarm["actor"], &alarm["active"]),
        (&json!("wang"), &json!(true)),
        "{alarm}"
    );
    assert_eq!(
        siren(&gateway),
        (json!(true), since),
        "on since it came on, not since the start"
    );
    gateway.log_in();
    assert_eq!(post(&gateway.client, withdraw, reason).0, 200);
    assert_eq!(siren(&gateway).0, false);
}

#[test]
fn a_silent_device_alarms_is_degraded_health_and_shows_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = gateway(dir.path());
    let alarm = gateway.await_state("DEV-1.COMMS", "UNACK");
    assert_eq!(alarm["condition"], "COMMS");
    let value = wait::until("a cause", SEEN_LIMIT, || {
        let value = gateway.value("GT-1");
        (value["cause"] == "link-down").then_some(value)
    });
    assert_eq!(
        (&value["value"], &value["quality"]),
        (&Value::Null, &json!("bad"))
    );
    let health = gateway.client.read("/healthz");
    assert_eq!(health["status"], "degraded", "{health}");
    let (status, text) = gateway.client.get("/metrics");
    assert_eq!(status, 200);
    let text = text.as_str().unwrap_or_default().to_owned();
    assert!(
        text.contains("davy_device_answers{device=\"DEV-1\"} 0"),
        "{text}"
    );

    let horn = gateway.client.read("/api/live")["horn"].clone();
    assert_eq!(horn["sounding"], true, "{horn}");
    assert_eq!(gateway.client.post("/api/silence", &json!({})).0, 204);
    wait::until("silence", SEEN_LIMIT, || {
        let horn = &gateway.client.read("/api/live")["horn"];
        (horn["silenced"] == true && horn["sounding"] == false).then_some(())
    });
}

#[test]
fn the_alarm_figures_tell_what_the_journal_holds() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = gateway(dir.path());
    gateway.await_state("DEV-1.COMMS", "UNACK");
    let now_ms = gateway.client.read("/api/live")["time_ms"]
        .as_i64()
        .unwrap_or_default();
    let path = format!(
        "/api/kpi?from_ms={}&to_ms={}",
        now_ms - 86_400_000,
        now_ms + 86_400_000
    );
    // The journal is written in groups.
    let kpi = wait::until("the line in the figures", SEEN_LIMIT, || {
        let kpi = gateway.client.read(&path);
        (kpi["annunciations"].as_u64() > Some(0)).then_some(kpi)
    });
    let named = kpi["sources"]["list"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(
        named.iter().any(|one| one["alarm"] == "DEV-1.COMMS"),
        "{kpi}"
    );
    assert_eq!(
        (&kpi["enough"], &kpi["signals"]),
        (&json!(false), &json!([]))
    );
    assert!(
        kpi["record_from_ms"].as_i64() > Some(now_ms - 600_000),
        "{kpi}"
    );
    assert_eq!(kpi["flood"]["since_ms"], Value::Null);
    let live = gateway.client.read("/api/live");
    assert!(
        live["flood"]["count"].as_u64() > Some(0),
        "{}",
        live["flood"]
    );
}

#[test]
fn a_gateway_that_is_told_to_stop_stops_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = gateway(dir.path());
    let log = dir.path().join("gateway-suite.log");
    assert!(gateway.daemon.stop().success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("ended"), "{log}");
}

#[test]
fn a_bad_request_is_told_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = gateway(dir.path());
    for (path, field) in [
        ("/api/trend?points=GT-1&from_ms=5&to_ms=5", "to_ms"),
        (
            "/api/trend?points=GT-1&from_ms=0&to_ms=5&buckets=0",
            "buckets",
        ),
        ("/api/trend?points=GT-1", "query"),
        ("/api/transitions?limit=x", "query"),
        ("/api/kpi?from_ms=5&to_ms=5", "to_ms"),
        ("/api/kpi?from_ms=0&to_ms=9000000000000", "from_ms"),
        ("/api/kpi?from_ms=0&to_ms=5&chatter_s=1", "chatter"),
        ("/api/transitions?limits=5", "limits"),
        ("/api/live?since_ms=5", "since_ms"),
    ] {
        let (status, body) = gateway.client.get(path);
        assert_eq!(
            (status, &body["error"], &body["detail"]["field"]),
            (400, &json!("bad-request"), &json!(field)),
            "{path}: {body}"
        );
    }
    assert_eq!(
        gateway
            .client
            .get("/api/trend?points=NO&from_ms=0&to_ms=5")
            .0,
        404
    );
    assert_eq!(gateway.client.get("/api/none").0, 404);
    gateway.log_in();
    let path = "/api/alarms/GT-1.HH/acknowledge";
    let (status, body) = gateway.client.post(path, &json!({ "occurence": 1 }));
    assert_eq!(
        (status, &body["detail"]["field"]),
        (400, &json!("body")),
        "{body}"
    );
}

fn post(client: &Client, path: &str, body: &str) -> (u16, Value) {
    client.post(path, &serde_json::from_str(body).unwrap_or_default())
}
