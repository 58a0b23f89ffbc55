//! The binary as people and scripts use it.

use davy_alarm::{Reading, WallMs};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History as _, PointReading};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SETTINGS: &str =
    "listen = \"127.0.0.1:0\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n";

/// A folder with a settings file and a password.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("CLOUD.toml"), SETTINGS).expect("settings");
    std::fs::write(folder.path().join("password"), "a good password\n").expect("a password");
    folder
}

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_davy-cloud"));
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("LC_ALL", "en_US.UTF-8")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, line: &str) -> Output {
    command(folder, line).output().expect("the binary")
}

fn succeed(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn check_prints_every_problem_with_its_line_and_ends_with_one() {
    let folder = folder();
    succeed(folder.path(), "check CLOUD.toml");
    let wrong = format!("zone = \"Beijing\"\nlate_after_s = 0\n{SETTINGS}");
    std::fs::write(folder.path().join("CLOUD.toml"), wrong).expect("settings");
    let output = run(folder.path(), "check CLOUD.toml");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).expect("UTF-8"),
        "CLOUD.toml:1: zone: The zone is an offset such as \"+08:00\".\n\
         CLOUD.toml:2: late_after_s: The threshold for late records is 1 to 86400 seconds.\n"
    );
}

#[test]
fn people_are_added_listed_and_kept_by_a_script() {
    let folder = folder();
    let add =
        "user add CLOUD.toml --user wang --role operator --site tank-farm --password-file password";
    succeed(folder.path(), add);
    assert_eq!(
        run(folder.path(), add).status.code(),
        Some(1),
        "a second time"
    );
    succeed(folder.path(), &format!("{add} --keep"));
    let listed = succeed(folder.path(), "user list CLOUD.toml --format json");
    let person: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(
        (&person["id"], &person["sites"]),
        (&"wang".into(), &serde_json::json!(["tank-farm"]))
    );
    let regulator = "user add CLOUD.toml --user li --role regulator --password-file password";
    assert_eq!(
        run(folder.path(), regulator).status.code(),
        Some(1),
        "a regulator without a city"
    );
    succeed(folder.path(), "verify CLOUD.toml");
}

#[test]
fn a_password_comes_from_a_pipe_as_well() {
    let folder = folder();
    let mut child = command(
        folder.path(),
        "user add CLOUD.toml --user adm --role administrator",
    )
    .stdin(Stdio::piped())
    .spawn()
    .expect("the binary");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"a piped password\n")
        .expect("a write");
    assert!(child.wait().expect("an end").success());
}

#[test]
fn a_site_is_registered_before_it_has_ever_reported() {
    let folder = folder();
    succeed(
        folder.path(),
        "site set CLOUD.toml --site tank-farm --city 宁海 --town 西店 --sector chemicals --risk red",
    );
    succeed(
        folder.path(),
        "site set CLOUD.toml --site tank-farm --village 王家",
    );
    let listed = succeed(folder.path(), "site list CLOUD.toml --format json");
    let site: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(
        site["place"],
        serde_json::json!({ "city": "宁海", "town": "西店", "village": "王家" })
    );
    assert_eq!(
        (&site["risk"], &site["online"]),
        (&"red".into(), &false.into())
    );
}

#[test]
fn verify_names_the_entry_that_was_altered_and_ends_with_one() {
    let folder = folder();
    for site in ["a", "b", "c"] {
        succeed(
            folder.path(),
            &format!("site set CLOUD.toml --site {site} --city x"),
        );
    }
    assert_eq!(
        succeed(folder.path(), "verify CLOUD.toml"),
        "The audit chain is whole: 3 entries.\n"
    );
    let hand = rusqlite::Connection::open(folder.path().join("data/records.db")).expect("the file");
    hand.execute("UPDATE audit SET subject = 'z' WHERE seq = 2", [])
        .expect("a tampering");
    let output = run(folder.path(), "verify CLOUD.toml");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(
        said,
        "The audit chain is broken: entry 2 was altered, or put in later.\n"
    );
}

/// A running daemon; dropping it kills it.
struct Daemon {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut command = command(folder, "run CLOUD.toml --log-format json");
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        Self { child, log }
    }

    /// Waits until it says that it is ready; answers where it listens.
    fn listens(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.log.read_line(&mut line).expect("a log"),
                0,
                "it ended before it was ready"
            );
            let line: serde_json::Value = serde_json::from_str(&line).expect("a structured log");
            if line["fields"]["message"] == "ready" {
                return line["fields"]["listen"]
                    .as_str()
                    .expect("an address")
                    .to_owned();
            }
        }
    }

    fn end(&mut self) -> std::process::ExitStatus {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("a signal");
        self.child.wait().expect("an end")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn ask(listen: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(listen).expect("a connection");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_daemon_answers_over_http_and_ends_well_on_sigterm() {
    let folder = folder();
    succeed(
        folder.path(),
        "user add CLOUD.toml --user adm --role administrator --password-file password",
    );
    let mut daemon = Daemon::start(folder.path());
    let listen = daemon.listens();
    let health = ask(
        &listen,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    let body = r#"{"user":"adm","password":"a good password"}"#;
    let login = format!(
        "POST /api/session HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(&listen, &login);
    assert!(answer.contains("\r\nset-cookie: davy_session="), "{answer}");
    assert!(daemon.end().success());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    std::fs::write(
        folder.path().join("CLOUD.toml"),
        SETTINGS.replacen("127.0.0.1:0", &address, 1),
    )
    .expect("settings");
    let output = run(folder.path(), "run CLOUD.toml");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(&format!("cannot listen on {address}"))
    );
}

#[test]
fn a_period_is_copied_to_another_history_told_and_remembered() {
    let folder = folder();
    let other = SETTINGS.replace("[broker]", "data = \"other\"\n[broker]");
    std::fs::write(folder.path().join("NEW.toml"), other).expect("settings");
    succeed(
        folder.path(),
        "site set CLOUD.toml --site tank-farm --city Linhai",
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let at = |name: &str| folder.path().join(name).join("history");
    runtime.block_on(async {
        let history = Embedded::open(at("data")).expect("a history");
        let readings = (0..3).map(|at| PointReading {
            site: "tank-farm".into(),
            point: "LT-1".into(),
            // 2026-01-31T23:59:59Z and the two seconds after it.
            reading: Reading::measured(1.5, WallMs(1_769_903_999_000 + at * 1_000)),
        });
        history.commit(readings.collect()).await.expect("a commit");
    });
    let copy = "history copy CLOUD.toml NEW.toml --from 2026-02-01T08:00:00+08:00 --to 2026-03-01T00:00:00Z";
    for _ in 0..2 {
        assert_eq!(
            succeed(folder.path(), copy),
            "2 readings of 1 series are copied and read back the same.\n"
        );
    }
    runtime.block_on(async {
        let history = Embedded::open(at("other")).expect("a history");
        let found = history.readings("tank-farm", "LT-1", 0, i64::MAX, 10).await;
        assert_eq!(found.expect("readings").len(), 2);
    });
    let wrong = "history copy CLOUD.toml NEW.toml --from yesterday --to 2026-03-01T00:00:00Z";
    let output = run(folder.path(), wrong);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("yesterday"));
}

#[test]
fn a_copy_to_a_cluster_that_is_away_ends_and_names_file_key_and_address() {
    let folder = folder();
    // Bound and never listened on, so that nobody answers there.
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = held.local_addr().expect("its address");
    drop(held);
    let other = format!("{SETTINGS}[history]\nengine = \"cassandra\"\nnodes = [\"{address}\"]\n");
    std::fs::write(folder.path().join("NEW.toml"), other).expect("settings");
    let copy = "history copy CLOUD.toml NEW.toml --from 2026-02-01T08:00:00+08:00 --to 2026-03-01T00:00:00Z";
    let output = run(folder.path(), copy);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    let named = format!("NEW.toml: history.nodes: {address}");
    assert!(told.contains(&named), "{told}");
}

#[test]
fn help_names_the_values_of_an_option_and_tells_of_them_in_one_language_alone() {
    let folder = folder();
    let help = succeed(folder.path(), "export --help");
    assert!(help.contains("timeline, alarms, readings"), "{help}");
    assert!(help.contains("town, sector, hazard"), "{help}");
    assert!(!help.contains("What happened"), "{help}");
}
