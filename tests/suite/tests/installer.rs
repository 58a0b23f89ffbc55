//! The installer at a gateway that has no site file yet: by its calls, and as a person with a browser, in both languages.
#![allow(clippy::unwrap_used)]

use davy_suite::daemon::{Daemon, binary};
use davy_suite::http::Client;
use davy_suite::peers::{Pymodbus, Slave as _};
use davy_suite::wait::{self, free_port};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const READY: Duration = Duration::from_secs(20);
const PIN: &str = "4821";

/// A gateway begun with `--commission`, and where its site file will be.
struct Blank {
    daemon: Daemon,
    client: Client,
    base: String,
    dir: PathBuf,
    port: u16,
}

impl Blank {
    fn start(dir: &Path) -> Self {
        Self::start_on(dir, free_port())
    }

    fn start_on(dir: &Path, port: u16) -> Self {
        let (site, data) = (dir.join("site.toml"), dir.join("data"));
        let listen = format!("127.0.0.1:{port}");
        let (site, data) = (site.to_string_lossy(), data.to_string_lossy());
        let args = ["run", &site, "--data", &data, "--commission", &listen];
        let mut daemon = Daemon::start("gateway", binary("davy-gateway"), &args, dir);
        let base = format!("http://{listen}");
        daemon.await_http(&format!("{base}/healthz"), READY);
        Self {
            daemon,
            client: Client::new(&base),
            base,
            dir: dir.to_owned(),
            port,
        }
    }

    /// The code that the console shows last; none where somebody is known.
    fn code(&self) -> Option<String> {
        let log = self.daemon.log();
        let is_code = |word: &&str| {
            let (first, second) = word.split_once('-').unwrap_or_default();
            let figures = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit());
            figures(first) && figures(second)
        };
        let mut words = log.split(|char: char| !char.is_ascii_digit() && char != '-');
        words.rfind(is_code).map(String::from)
    }

    /// The first installer comes in by the code.
    fn begin(&self) {
        let code = wait::until("a code on the console", READY, || self.code());
        let (status, body) = self.client.post("/api/commission/person", &first(&code));
        assert_eq!(status, 200, "{body}");
    }

    /// Keeps a draft of one gas detector and one fan at `bus`, and returns its revision.
    fn draft(&self, bus: &str, edit: impl FnOnce(&mut Value)) -> u64 {
        let before = self.client.read("/api/commission/draft");
        let mut site = before["site"].clone();
        site["site"] = json!({ "id": "yard", "name": { "zh": "场", "en": "Yard" },
            "sign_off": { "by": "李建国", "date": { "$date": "2026-11-02" } } });
        site["area"] = json!([{ "id": "a", "name": { "zh": "区", "en": "Area" } }]);
        site["bus"] = json!([{ "id": "b", "kind": "tcp", "address": bus }]);
        site["device"] = json!([{ "id": "GD", "name": { "zh": "器", "en": "Detector" }, "bus": "b", "unit": 1 },
            { "id": "IO", "name": { "zh": "模块", "en": "Module" }, "bus": "b", "unit": 2, "profile": "generic-relay" }]);
        site["point"] = json!([{ "id": "GT-1", "name": { "zh": "气", "en": "Gas" }, "area": "a", "device": "GD",
            "register": { "table": "holding", "address": 0 }, "kind": "combustible-gas", "substance": "methane",
            "unit": "%LEL", "range": [0, 100], "preset": "combustible-gas", "armed": false }]);
        site["output"] = json!([{ "id": "FAN", "name": { "zh": "风机", "en": "Fan" }, "area": "a", "kind": "fan",
            "device": "IO", "signal": "do1", "armed": false }]);
        site["effect"] = json!([{ "causes": ["GT-1.HH"], "outputs": ["FAN"] }]);
        edit(&mut site);
        let body = json!({ "revision": before["revision"], "site": site });
        let (status, kept) = self.client.put("/api/commission/draft", &body);
        assert_eq!(status, 200, "{kept}");
        kept["revision"].as_u64().unwrap()
    }

    fn apply(&self, revision: u64) -> (u16, Value) {
        let body = json!({ "revision": revision });
        self.client.post("/api/commission/apply", &body)
    }

    /// Waits until a site of this id runs, and logs in again: another site knows nobody.
    fn await_site(&self, id: &str) -> Value {
        let site = wait::until(&format!("the site {id}"), READY, || {
            let site = self.client.try_read("/api/site")?;
            (site["id"] == id).then_some(site)
        });
        let (status, body) = self
            .client
            .post("/api/session", &json!({ "person": "li", "pin": PIN }));
        assert_eq!(status, 200, "{body}");
        site
    }
}

fn first(code: &str) -> Value {
    json!({ "code": code, "id": "li", "name": "李敏", "role": "maintenance", "pin": PIN })
}

#[test]
fn a_blank_gateway_says_that_it_monitors_nothing_and_lets_in_who_sees_its_console() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    let health = blank.client.read("/healthz");
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(blank.client.read("/api/site")["blank"], true);
    let nobody = json!({ "revision": 0, "site": {} });
    assert_eq!(blank.client.put("/api/commission/draft", &nobody).0, 401);
    let target = json!({ "target": { "kind": "tcp", "at": "127.0.0.1" } });
    assert_eq!(blank.client.post("/api/commission/scan", &target).0, 401);

    let (status, body) = blank
        .client
        .post("/api/commission/person", &first("0000-0000"));
    assert_eq!((status, &body["error"]), (409, &"wrong-code".into()));
    blank.begin();
    let again = blank.code().unwrap();
    let (status, body) = blank.client.post("/api/commission/person", &first(&again));
    assert_eq!(
        (status, &body["error"]),
        (409, &"wrong-code".into()),
        "it is good for once"
    );

    let site = blank.client.read("/api/site");
    assert_eq!(site["people"][0]["name"], "李敏");
    let draft = blank.client.read("/api/commission/draft");
    assert_eq!(draft["site"]["person"][0]["pin"], "kept", "no hash leaves");
}

#[test]
fn guessing_the_code_is_slowed() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    for _ in 0..5 {
        blank
            .client
            .post("/api/commission/person", &first("0000-0000"));
    }
    let code = wait::until("a code", READY, || blank.code());
    let (status, body) = blank.client.post("/api/commission/person", &first(&code));
    assert_eq!((status, &body["error"]), (429, &"too-many".into()));
}

#[test]
fn draft_and_person_outlive_the_gateway_and_no_other_code_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    blank.begin();
    let revision = blank.draft("127.0.0.1:502", |_| {});
    let port = blank.port;
    blank.daemon.kill();
    let log = dir.path().join("gateway.log");
    std::fs::write(&log, "").unwrap();
    let again = Blank::start_on(dir.path(), port);
    assert_eq!(again.code(), None, "{}", again.daemon.log());
    let draft = again.client.read("/api/commission/draft");
    assert_eq!(draft["revision"], revision);
    assert_eq!(draft["site"]["point"][0]["id"], "GT-1");
    let (status, body) = again
        .client
        .post("/api/session", &json!({ "person": "li", "pin": PIN }));
    assert_eq!(status, 200, "{body}");
}

#[test]
fn a_draft_that_is_wrong_or_arms_what_nobody_proved_is_not_applied_and_says_what() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    blank.begin();
    let wrong = blank.draft("nowhere", |site| site["point"][0]["unit"] = "ppm".into());
    let checked = blank.client.read("/api/commission/check");
    assert_eq!(checked["ok"], false);
    let keys: Vec<&Value> = checked["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["key"])
        .collect();
    assert!(keys.contains(&&"point[0].preset".into()), "{keys:?}");
    let (status, body) = blank.apply(wrong);
    assert_eq!((status, &body["error"]), (409, &"not-valid".into()));

    let armed = blank.draft("127.0.0.1:502", |site| {
        for part in ["point", "output"] {
            site[part][0].as_object_mut().unwrap().remove("armed");
        }
    });
    assert_eq!(
        blank.client.read("/api/commission/check")["unproved"],
        json!(["GT-1", "FAN"])
    );
    let (status, body) = blank.apply(armed);
    assert_eq!((status, &body["error"]), (409, &"unproved".into()));
    assert_eq!(body["detail"]["ids"], json!(["GT-1", "FAN"]));

    let alone = blank.draft("127.0.0.1:502", |site| {
        site["person"][0]["role"] = "operator".into()
    });
    let (_, body) = blank.apply(alone);
    assert_eq!(body["error"], "no-installer");
    let (_, body) = blank.apply(alone - 1);
    assert_eq!(body["error"], "draft-changed");
    assert!(
        !dir.path().join("site.toml").exists(),
        "nothing was written"
    );
    assert_eq!(
        blank.client.read("/api/site")["blank"],
        true,
        "nothing else runs"
    );
}

#[test]
fn a_draft_that_its_bus_cannot_carry_is_refused_with_what_it_asks_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    blank.begin();
    let revision = blank.draft("127.0.0.1:502", |site| {
        site["bus"][0]["kind"] = "rtu-over-tcp".into();
        site["bus"][0]["baud"] = 1200.into();
        site["device"][0]["period_ms"] = 50.into();
    });
    let checked = blank.client.read("/api/commission/check");
    assert_eq!(checked["ok"], false, "{checked}");
    let bus = &checked["budget"]["buses"][0];
    assert!(bus["load"].as_f64().is_some_and(|load| load > 1.0), "{bus}");
    assert_eq!(bus["devices"][0]["device"], "GD");
    let (status, body) = blank.apply(revision);
    assert_eq!((status, &body["error"]), (409, &"not-valid".into()));
}

/// What cannot be opened is found before anything runs: nothing is left running behind the blank pages.
#[test]
fn a_draft_whose_site_cannot_start_leaves_the_blank_gateway_and_runs_once_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let blank = Blank::start(dir.path());
    blank.begin();
    let in_the_way = dir.path().join("data/prove");
    std::fs::write(&in_the_way, "no folder").unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    plant.set("hr", 0, 60);
    let revision = blank.draft(&format!("127.0.0.1:{port}"), |_| {});
    assert_eq!(blank.apply(revision).0, 202);
    wait::until("it is told", READY, || {
        blank
            .daemon
            .log()
            .contains("the applied site cannot start")
            .then_some(())
    });
    wait::until("the blank pages are back", READY, || {
        (blank.client.try_read("/api/site")?["blank"] == true).then_some(())
    });
    std::fs::remove_file(&in_the_way).unwrap();
    let log_in = json!({ "person": "li", "pin": PIN });
    assert_eq!(blank.client.post("/api/session", &log_in).0, 200);
    let revision = blank.draft(&format!("127.0.0.1:{port}"), |site| {
        site["site"]["id"] = "second".into();
    });
    let (status, body) = blank.apply(revision);
    assert_eq!(status, 202, "{body}");
    blank.await_site("second");
}

#[test]
fn an_applied_draft_runs_at_once_held_back_and_arms_by_a_reason_alone() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    plant.set("hr", 0, 60);
    let blank = Blank::start(dir.path());
    blank.begin();
    let revision = blank.draft(&format!("127.0.0.1:{port}"), |site| {
        site["device"][1]["unit"] = 1.into();
        site["output"][0]["device"] = "GD".into();
        site["device"] = json!([{ "id": "GD", "name": { "zh": "器", "en": "Detector" }, "bus": "b", "unit": 1, "profile": "generic-relay" }]);
    });
    let (status, body) = blank.apply(revision);
    assert_eq!(status, 202, "{body}");
    let site = blank.await_site("yard");
    assert_eq!(
        (&site["blank"], &site["points"][0]["armed"]),
        (&false.into(), &false.into())
    );
    let alarm = |state: &str| {
        wait::until(&format!("GT-1.HH {state}"), READY, || {
            let live = blank.client.try_read("/api/live")?;
            let found = live["alarms"]
                .as_array()?
                .iter()
                .find(|one| one["id"] == "GT-1.HH")
                .cloned()?;
            (found["state"] == state && found["active"] == true).then_some(live)
        })
    };
    let live = alarm("DSUPR");
    assert_eq!(live["horn"]["sounding"], false);
    assert_eq!(
        live["outputs"][0]["demand"], false,
        "what is not armed switches nothing"
    );

    let arm = |ids: Value, skips: Value| {
        let body = json!({ "revision": revision, "ids": ids, "skips": skips });
        blank.client.post("/api/commission/arm", &body)
    };
    let (status, body) = arm(json!(["GT-1", "FAN"]), json!([]));
    assert_eq!(
        (status, &body["detail"]["ids"]),
        (409, &json!(["GT-1", "FAN"]))
    );
    let skip = |id: &str| json!({ "id": id, "reason": "no test gas today" });
    let (status, body) = arm(json!([]), json!([skip("GT-1"), skip("FAN")]));
    assert_eq!(status, 202, "{body}");
    let live = alarm("UNACK");
    assert_eq!(
        live["outputs"][0]["demand"], true,
        "armed, it demands its fan"
    );

    let file = std::fs::read_to_string(dir.path().join("site.toml")).unwrap();
    assert!(file.contains("reason = \"no test gas today\""), "{file}");
    let mut looser = blank.client.read("/api/commission/draft");
    assert_eq!(
        blank.client.read("/api/commission/check")["weaker"],
        json!([])
    );
    looser["site"]["point"][0]["alarms"] = json!({ "HH": { "set_point": 60 } });
    let body = json!({ "revision": looser["revision"], "site": looser["site"] });
    let (status, kept) = blank.client.put("/api/commission/draft", &body);
    assert_eq!(status, 200, "{kept}");
    let weaker = blank.client.read("/api/commission/check")["weaker"].clone();
    assert_eq!(weaker[0]["id"], "GT-1.HH", "{weaker}");
    assert_eq!(
        (&weaker[0]["key"], weaker.as_array().map(Vec::len)),
        (&"set_point".into(), Some(1)),
        "{weaker}"
    );
    let before = std::fs::read_to_string(dir.path().join("site.toml.previous")).unwrap();
    assert!(
        before.contains("armed = false"),
        "the file before stays beside it"
    );
    let checked = Command::new(binary("davy-gateway"))
        .args(["check", &blank.dir.join("site.toml").to_string_lossy()])
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    assert!(blank.daemon.stop().success(), "it ends in order");
}

/// Proves GT-1 by its loop: each step's value stands at the register until it is seen with the alarms that it must have.
fn prove_loop(blank: &Blank, plant: &Pymodbus) -> Value {
    let call = |what: &str, body: &Value| {
        let path = format!("/api/prove/points/GT-1/{what}");
        let (status, answer) = blank.client.post(&path, body);
        assert_eq!(status, 200, "{what}: {answer}");
        answer
    };
    let limits = blank.client.read("/api/site")["points"][0]["limits"].clone();
    let begun = call("start", &json!({ "kind": "loop", "under_test": false }));
    let steps = begun["draft"]["steps"].as_array().unwrap().clone();
    for (at, step) in steps.iter().enumerate() {
        let expected = step["expected"].as_f64().unwrap().round();
        plant.set("hr", 0, expected as u16);
        wait::until("a still value with its alarms", READY, || {
            let seen = blank.client.try_read("/api/prove/points/GT-1")?["draft"]["seen"].clone();
            let near = (seen["still"]["value"].as_f64()? - expected).abs() < 0.5;
            let on: Vec<&Value> = seen["on"].as_array()?.iter().collect();
            let right = limits.as_array()?.iter().all(|limit| {
                let above = limit["set_point"]
                    .as_f64()
                    .is_some_and(|set_point| expected >= set_point);
                on.contains(&&limit["alarm"]) == above
            });
            (near && right).then_some(())
        });
        call("take", &json!({ "step": at, "as": "found" }));
    }
    call("finish", &json!({ "reason": null }))
}

#[test]
fn what_passed_its_proof_is_armed_without_a_reason_and_asks_for_another_once_its_limits_change() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    let blank = Blank::start(dir.path());
    blank.begin();
    let site = |site: &mut Value| {
        site["output"][0]["device"] = "GD".into();
        site["device"] = json!([{ "id": "GD", "name": { "zh": "器", "en": "Detector" }, "bus": "b", "unit": 1, "profile": "generic-relay" }]);
    };
    let bus = format!("127.0.0.1:{port}");
    let (status, body) = blank.apply(blank.draft(&bus, site));
    assert_eq!(status, 202, "{body}");
    blank.await_site("yard");
    let proof = prove_loop(&blank, &plant);
    assert_eq!(proof["verdict"], "pass", "{proof}");

    let revision = || blank.client.read("/api/commission/draft")["revision"].clone();
    let arm = |ids: Value| {
        let body = json!({ "revision": revision(), "ids": ids, "skips": [] });
        blank.client.post("/api/commission/arm", &body)
    };
    let (status, body) = arm(json!(["GT-1", "FAN"]));
    assert_eq!((status, &body["detail"]["ids"]), (409, &json!(["FAN"])));
    let (status, body) = arm(json!(["GT-1"]));
    assert_eq!(status, 202, "{body}");
    wait::until("GT-1 armed", READY, || {
        let site = blank.client.try_read("/api/site")?;
        (site["points"][0]["armed"] == true).then_some(())
    });

    let changed = blank.draft(&bus, |draft| {
        site(draft);
        draft["point"][0].as_object_mut().unwrap().remove("armed");
        draft["point"][0]["alarms"] = json!({ "HH": { "set_point": 45 } });
    });
    let (status, body) = blank.apply(changed);
    assert_eq!(
        (status, &body["detail"]["ids"]),
        (409, &json!(["GT-1"])),
        "{body}"
    );
}

#[test]
fn a_scan_runs_one_at_a_time_tells_its_progress_ends_when_asked_and_leaves_held_buses_alone() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _plant = Pymodbus::tcp(dir.path(), port);
    let at = format!("127.0.0.1:{port}");
    let blank = Blank::start(dir.path());
    blank.begin();
    let target = json!({ "kind": "tcp", "at": at });
    // It takes connections and never answers: every unit costs its time-out.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = json!({ "kind": "tcp", "at": silent.local_addr().unwrap().to_string() });
    let long = json!({ "target": nobody, "units": "1-40", "timeout_ms": 400 });
    assert_eq!(blank.client.post("/api/commission/scan", &long).0, 202);
    let (status, body) = blank.client.post("/api/commission/scan", &long);
    assert_eq!((status, &body["error"]), (409, &"busy".into()));
    wait::until("progress", READY, || {
        let shown = blank.client.read("/api/commission/scan");
        (shown["state"] == "running" && shown["step"]["unit"].as_u64() == Some(2)).then_some(())
    });
    assert_eq!(blank.client.delete("/api/commission/scan").0, 204);
    wait::until("its end", READY, || {
        let shown = blank.client.read("/api/commission/scan");
        (shown["state"] == "cancelled").then_some(())
    });
    let scan = json!({ "target": target, "units": "1-3", "timeout_ms": 400 });
    assert_eq!(blank.client.post("/api/commission/scan", &scan).0, 202);
    let shown = wait::until("the end of the second", READY, || {
        let shown = blank.client.read("/api/commission/scan");
        (shown["state"] == "done").then_some(shown)
    });
    assert_eq!(shown["found"][0]["unit"], 1, "{shown}");
    assert_eq!(shown["found"][0]["bus"]["address"], at);

    let probe = json!({ "target": target, "unit": 1, "table": "holding", "start": 0, "count": 2 });
    let (status, body) = blank.client.post("/api/commission/probe", &probe);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["rows"].as_array().unwrap().len(), 2);
    let range = json!({ "target": { "kind": "tcp", "at": "10.0.0.0/16" } });
    let (status, body) = blank.client.post("/api/commission/scan", &range);
    assert_eq!((status, &body["detail"]["field"]), (400, &"at".into()));

    let revision = blank.draft(&at, |_| {});
    assert_eq!(blank.apply(revision).0, 202);
    blank.await_site("yard");
    for (call, asked) in [("scan", &scan), ("probe", &probe)] {
        let (status, body) = blank.client.post(&format!("/api/commission/{call}"), asked);
        assert_eq!(
            (status, &body["error"]),
            (409, &"bus-held".into()),
            "{call}"
        );
    }
}

#[test]
fn an_installer_goes_from_a_blank_gateway_to_an_armed_site_in_chinese() {
    hour("zh");
}

#[test]
fn an_installer_goes_from_a_blank_gateway_to_an_armed_site_in_english() {
    hour("en");
}

/// The whole hour in a real browser, against the simulated plant.
fn hour(language: &str) {
    let dir = tempfile::tempdir().unwrap();
    // Both languages run at once: each has ranges of its own.
    let base = free_range(if language == "zh" { 43_200 } else { 43_400 });
    let (base_text, control) = (base.to_string(), format!("127.0.0.1:{}", free_port()));
    let plant_dir = dir.path().join("plant");
    let args = [
        "run",
        "--dir",
        &plant_dir.to_string_lossy(),
        "--base-port",
        &base_text,
        "--control",
        &control,
    ];
    let _plant = Daemon::start("davy-plant", binary("davy-plant"), &args, dir.path());
    let [gas, io] = [base + 100, base + 101].map(|port| format!("127.0.0.1:{port}"));
    for bus in [&gas, &io] {
        wait::until("the plant", READY, || {
            std::net::TcpStream::connect(bus).ok()
        });
    }
    let blank = Blank::start(dir.path());
    let code = wait::until("a code", READY, || blank.code());
    let reports = dir.path().join("reports");
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let status = Command::new("npm")
        .args(["run", "--silent", "test:installer"])
        .current_dir(web)
        .env("DAVY_BLANK", &blank.base)
        .env("DAVY_CODE", code)
        .env("DAVY_GAS", gas)
        .env("DAVY_IO", io)
        .env("DAVY_CONTROL", format!("http://{control}"))
        .env("DAVY_REPORTS", &reports)
        .env("DAVY_LANGUAGE", language)
        .status()
        .expect("npm starts");
    assert!(status.success(), "the installer's hour failed");
    assert!(blank.daemon.stop().success(), "the gateway ended in order");
    assert_signed(&reports);
}

/// What the browser fetched is what the gateway signed: every file passes with the fingerprint that the page showed, and none with a byte altered.
fn assert_signed(reports: &Path) {
    let fingerprint = std::fs::read_to_string(reports.join("fingerprint")).unwrap();
    let verify = |file: &Path| {
        let args = ["prove", "verify", &file.to_string_lossy(), "--fingerprint"];
        let mut command = Command::new(binary("davy-gateway"));
        command.args(args).arg(fingerprint.trim());
        command.output().unwrap().status
    };
    for end in [".zh.pdf", ".en.pdf", ".zh.csv", ".en.csv"] {
        let files = std::fs::read_dir(reports).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        let named = |path: &PathBuf| path.to_string_lossy().ends_with(end);
        let file = paths.find(named).unwrap_or_else(|| panic!("a {end} came"));
        assert!(verify(&file).success(), "{end} as it was fetched");
        let bytes = std::fs::read(&file).unwrap();
        let mut altered = bytes.clone();
        altered[bytes.len() / 2] ^= 1;
        std::fs::write(&file, altered).unwrap();
        assert_eq!(verify(&file).code(), Some(1), "{end} with a bit turned");
        std::fs::write(&file, bytes).unwrap();
    }
}

/// A base, at `first` or steps of 400 above, whose first ports for buses and links are free now.
fn free_range(first: u16) -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let bases = (first..60_000).step_by(400);
    let free = |base: &u16| {
        (100..108)
            .chain(200..204)
            .all(|offset| is_free(base + offset))
    };
    bases.into_iter().find(free).expect("free ports")
}
