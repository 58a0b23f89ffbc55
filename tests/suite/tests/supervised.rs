//! The gateway under a supervisor: what the service file that comes with it promises is what the gateway does.
#![allow(clippy::unwrap_used)]

use davy_suite::daemon::{Daemon, binary};
use davy_suite::peers::Pymodbus;
use davy_suite::site::{Site, Wiring};
use davy_suite::wait::{self, free_port};
use nix::sys::signal::Signal;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

const SERVICE: &str = include_str!("../../../config/service/davy-gateway.service");
const LIMIT: Duration = Duration::from_secs(30);

fn setting(key: &str) -> &'static str {
    let mut lines = SERVICE.lines().filter_map(|line| line.split_once('='));
    let found = lines.find(|(name, _)| *name == key);
    found.unwrap_or_else(|| panic!("{key} is set")).1
}

/// Waits for a message that says so.
fn await_told(socket: &UnixDatagram, what: &str) {
    wait::until(what, LIMIT, || {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).ok()?;
        let text = String::from_utf8_lossy(&message[..length]).into_owned();
        text.lines().any(|line| line == what).then_some(())
    });
}

#[test]
fn the_service_that_comes_with_it_is_told_of_start_work_change_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let bus_port = free_port();
    let _plant = Pymodbus::tcp(dir.path(), bus_port);
    let wiring = Wiring {
        id: "suite".into(),
        bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{bus_port}\"\ntimeout_ms = 1000"),
        broker: None,
        period_ms: 500,
    };
    let site = Site::write(dir.path(), &wiring);
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();

    assert_eq!(setting("Type"), "notify");
    let fed_every: u64 = setting("WatchdogSec").parse().unwrap();
    assert!(
        fed_every >= 5,
        "it is fed every second, and a busy machine is no hang"
    );
    let started = setting("ExecStart")
        .replace("/etc/davy/site.toml", site.file().to_str().unwrap())
        .replace("/var/lib/davy", site.data().to_str().unwrap())
        .replace("0.0.0.0:8080", "127.0.0.1:0");
    let words: Vec<&str> = started.split_whitespace().collect();
    assert_eq!(words[0], "/usr/local/bin/davy-gateway");
    let mut command = Command::new(binary("davy-gateway"));
    command.args(&words[1..]).env("NOTIFY_SOCKET", &path);
    let daemon = Daemon::start_with("gateway", &mut command, dir.path());

    await_told(&socket, "READY=1");
    await_told(&socket, "WATCHDOG=1");
    await_told(&socket, "WATCHDOG=1");
    assert_eq!(setting("ExecReload"), "/bin/kill -HUP $MAINPID");
    daemon.signal(Signal::SIGHUP);
    await_told(&socket, "RELOADING=1");
    await_told(&socket, "READY=1");
    let told = std::thread::spawn(move || await_told(&socket, "STOPPING=1"));
    assert!(daemon.stop().success());
    told.join().expect("it is told");
}
