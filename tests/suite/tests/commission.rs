//! The installer's tools against slaves that we did not write, and against the simulated plant.

use davy_suite::cable::Cable;
use davy_suite::daemon::{Daemon, binary};
use davy_suite::peers::{Pymodbus, Slave as _};
use davy_suite::wait::{self, free_port};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

fn gateway(args: &[&str]) -> Output {
    let mut command = Command::new(binary("davy-gateway"));
    let output = command.args(args).env("LC_ALL", "en_US.UTF-8").output();
    output.expect("the gateway starts")
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

#[test]
fn a_scan_over_tcp_finds_the_unit_asks_who_it_is_and_drafts_a_file_that_passes() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _plant = Pymodbus::tcp(dir.path(), port);
    let (at, draft) = (format!("127.0.0.1:{port}"), dir.path().join("draft.toml"));
    let draft = draft.to_str().unwrap();
    let scan = [
        "scan",
        "--tcp",
        &at,
        "--units",
        "1-3",
        "--timeout-ms",
        "300",
    ];
    let output = gateway(&[&scan[..], &["--json", "--draft", draft]].concat());
    assert!(output.status.success());
    let report = json(&output);
    let found = report["found"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{report}");
    assert_eq!(
        (&found[0]["unit"], &found[0]["any_unit"]),
        (&1.into(), &false.into())
    );
    assert_eq!(found[0]["identity"]["vendor"], "pymodbus");
    assert_eq!(found[0]["identity"]["product"], "sim");

    let checked = gateway(&["check", draft]);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    let again = gateway(&[&scan[..], &["--draft", draft]].concat());
    assert!(
        !again.status.success(),
        "a draft must not write over a file"
    );
}

#[test]
fn a_scan_of_a_serial_line_finds_the_unit_and_the_settings() {
    let dir = tempfile::tempdir().unwrap();
    let cable = Cable::lay();
    let _plant = Pymodbus::rtu(dir.path(), &cable.ends[0]);
    let line = cable.ends[1].to_str().unwrap();
    let output = gateway(&[
        "scan",
        "--serial",
        line,
        "--units",
        "1-2",
        "--timeout-ms",
        "300",
        "--json",
    ]);
    let report = json(&output);
    assert_eq!(report["found"][0]["unit"], 1, "{report}");
    assert_eq!(report["found"][0]["at"], format!("{line} 9600 8N1"));
    assert_eq!(report["found"][0]["identity"]["vendor"], "pymodbus");
    assert_eq!(
        report["found"].as_array().unwrap().len(),
        1,
        "one setting, one unit"
    );
}

#[test]
fn a_scan_where_nobody_listens_says_so_and_ends_with_one() {
    let at = format!("127.0.0.1:{}", free_port());
    let output = gateway(&["scan", "--tcp", &at]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("cannot open") && text.contains("Nothing was found"),
        "{text}"
    );
}

#[test]
fn a_scan_of_the_simulated_plant_names_each_detector_by_its_profile() {
    let dir = tempfile::tempdir().unwrap();
    let plant = plant(dir.path());
    let report = json(&gateway(&[
        "scan", "--tcp", &plant.bus, "--units", "1-4", "--json",
    ]));
    let found = report["found"].as_array().unwrap();
    assert!(found.len() >= 3, "{report}");
    for one in &found[..3] {
        assert_eq!(one["profiles"][0]["profile"], "honeywell-xnx", "{one}");
    }
    let report = json(&gateway(&[
        "scan", "--tcp", &plant.io, "--units", "11-12", "--json",
    ]));
    for gauge in report["found"].as_array().unwrap() {
        let profile = &gauge["profiles"][0]["profile"];
        assert_eq!(profile, "rosemount-5300", "{gauge}");
    }
    assert_eq!(report["found"].as_array().unwrap().len(), 2, "{report}");
}

#[test]
fn a_probe_marks_the_decoding_that_is_a_physical_signal_and_names_the_register_for_a_point() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    // 21.5 in the order CDAB.
    plant.set("ir", 6, 0x0000);
    plant.set("ir", 7, 0x41ac);
    let at = format!("127.0.0.1:{port}");
    let probe = [
        "probe", "--tcp", &at, "--table", "input", "--start", "6", "--count", "2",
    ];
    let output = gateway(&probe);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let line = "* 21.500           register = { table = \"input\", address = 6, as = \"f32\", order = \"CDAB\" }";
    assert!(text.contains(line), "{text}");
    let first = gateway(&[&probe[..], &["--json"]].concat());
    let first: Value =
        serde_json::from_slice(first.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((&first["address"], &first["word"]), (&6.into(), &0.into()));
}

#[test]
fn a_probe_over_the_end_of_a_table_shows_what_there_is_and_what_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let plant = Pymodbus::tcp(dir.path(), port);
    plant.set("hr", 199, 7);
    let at = format!("127.0.0.1:{port}");
    let output = gateway(&["probe", "--tcp", &at, "--start", "198", "--count", "4"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("  199  0x0007  7") && text.contains("  200  Modbus exception 2"),
        "{text}"
    );
}

/// How a device treats what it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Refuses,
    /// And hangs up after each answer.
    HangsUp,
    Ignores,
}

/// A device that heeds no unit id and has input registers alone: 7 everywhere, from 100 on where it refuses.
fn input_alone(manner: Manner) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            std::thread::spawn(move || {
                while let Some(answer) = asked(&mut stream, manner) {
                    if stream.write_all(&answer).is_err() || manner == Manner::HangsUp {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// The answer to the next request; empty where it is ignored.
fn asked(stream: &mut TcpStream, manner: Manner) -> Option<Vec<u8>> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; usize::from(head[5])];
    stream.read_exact(&mut body).ok()?;
    let word = |at: usize| u32::from(body[at]) << 8 | u32::from(body[at + 1]);
    let pdu = match body[1] {
        4 if (word(2) >= 100 || manner == Manner::Ignores) && word(2) + word(4) <= 65_536 => {
            let count = word(4) as usize;
            [&[4, 2 * count as u8][..], &[0, 7].repeat(count)].concat()
        }
        _ if manner == Manner::Ignores => return Some(Vec::new()),
        function => vec![function | 0x80, if function == 43 { 1 } else { 2 }],
    };
    let length = pdu.len() as u8 + 1;
    Some([&[head[0], head[1], 0, 0, 0, length, body[0]], &pdu[..]].concat())
}

/// Neither does it matter that it hangs up after each answer.
#[test]
fn a_scan_finds_a_device_that_heeds_no_unit_id_and_refuses_its_first_registers() {
    for manner in [Manner::Refuses, Manner::HangsUp] {
        let at = input_alone(manner);
        let report = json(&gateway(&["scan", "--tcp", &at, "--json"]));
        let found = report["found"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{report}");
        assert_eq!(
            (&found[0]["unit"], &found[0]["any_unit"]),
            (&1.into(), &true.into())
        );
    }
}

#[test]
fn a_thorough_scan_finds_a_device_that_is_silent_about_all_but_its_input_registers() {
    let at = input_alone(Manner::Ignores);
    let scan = ["scan", "--tcp", &at, "--timeout-ms", "100", "--json"];
    let report = json(&gateway(&[&scan[..], &["--units", "1-2"]].concat()));
    assert_eq!(report["found"].as_array().unwrap().len(), 0, "{report}");
    let report = json(&gateway(&[&scan[..], &["--thorough"]].concat()));
    let found = report["found"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{report}");
    assert_eq!(found[0]["any_unit"], true);
}

#[test]
fn a_probe_reads_the_last_register_there_is() {
    let at = input_alone(Manner::Refuses);
    let probe = |start: &str, count: &str| {
        let table = ["probe", "--tcp", &at, "--table", "input"];
        let output = gateway(&[&table[..], &["--start", start, "--count", count]].concat());
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = probe("65530", "6");
    assert!(text.contains("65535  0x0007  7"), "{text}");
    let text = probe("65535", "9");
    assert!(text.contains("65535  0x0007  7"), "{text}");
    let at = input_alone(Manner::HangsUp);
    let refused = gateway(&["probe", "--tcp", &at, "--start", "65535", "--count", "1"]);
    let text = String::from_utf8_lossy(&refused.stdout);
    assert!(text.contains("65535  Modbus exception 2"), "{text}");
}

struct Plant {
    _daemon: Daemon,
    /// The tank farm's first bus.
    bus: String,
    /// Its second, with gauges and modules.
    io: String,
}

fn plant(dir: &Path) -> Plant {
    let (base, control) = (free_range(), free_port());
    let (base_text, control) = (base.to_string(), format!("127.0.0.1:{control}"));
    let args = [
        "run",
        "--dir",
        dir.to_str().expect("a path of text"),
        "--base-port",
        &base_text,
        "--control",
        &control,
    ];
    let daemon = Daemon::start("davy-plant", binary("davy-plant"), &args, dir);
    let bus = format!("127.0.0.1:{}", base + 100);
    wait::until("the plant listens", Duration::from_secs(20), || {
        TcpStream::connect(&bus).ok()
    });
    Plant {
        _daemon: daemon,
        bus,
        io: format!("127.0.0.1:{}", base + 101),
    }
}

/// A base whose first ports for buses and links are free now.
fn free_range() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let bases = (43_000..60_000).step_by(400);
    let free = |base: &u16| {
        (100..108)
            .chain(200..204)
            .all(|offset| is_free(base + offset))
    };
    bases.into_iter().find(free).expect("free ports")
}
