//! Independent peers: mosquitto, pymodbus, pysparkplug (libmodbus has a file of its own). `cargo xtask test` installs them and says where they are.

use crate::daemon::Daemon;
use crate::wait::{self, free_port};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest that a peer may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);

/// The Python that has pymodbus, pysparkplug and paho-mqtt.
pub fn python() -> PathBuf {
    std::env::var_os("DAVY_PYTHON").map(PathBuf::from).expect("DAVY_PYTHON names a Python with tests/suite/peers/requirements.txt installed: run `cargo xtask test`")
}

/// A script of this suite.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

/// Mosquitto on loopback. It sends at once: its default gathers small messages, which would measure the broker in place of who publishes.
pub fn mosquitto(dir: &Path, port: u16) -> Daemon {
    let config = dir.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nset_tcp_nodelay true\n"
    );
    std::fs::write(&config, text).expect("the test's directory is writable");
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let program = program.expect("mosquitto is installed: `cargo xtask test` does it");
    let daemon = Daemon::start(
        "mosquitto",
        program,
        &["-c", &config.to_string_lossy()],
        dir,
    );
    await_port(port);
    daemon
}

/// Waits until something listens on a loopback port.
pub fn await_port(port: u16) {
    wait::until(&format!("a listener on port {port}"), START_LIMIT, || {
        TcpStream::connect(("127.0.0.1", port))
            .is_ok()
            .then_some(())
    });
}

/// What pysparkplug's own protobuf classes make of everything published under `spBv1.0/`, one JSON object a line.
#[derive(Debug)]
pub struct SparkplugReader {
    daemon: Daemon,
}

impl SparkplugReader {
    /// Subscribes on the broker at a loopback port.
    pub fn start(dir: &Path, port: u16) -> Self {
        let mut daemon = Daemon::start(
            "pysparkplug",
            python(),
            &[
                "-u",
                &script("sparkplug_reader.py").to_string_lossy(),
                &port.to_string(),
            ],
            dir,
        );
        daemon.await_log("subscribed", START_LIMIT);
        Self { daemon }
    }

    /// Every message decoded so far.
    pub fn messages(&self) -> Vec<serde_json::Value> {
        self.daemon
            .log()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Messages whose topic holds `/<verb>/`.
    pub fn of(&self, verb: &str) -> Vec<serde_json::Value> {
        let part = format!("/{verb}/");
        self.messages()
            .into_iter()
            .filter(|message| {
                message["topic"]
                    .as_str()
                    .is_some_and(|topic| topic.contains(&part))
            })
            .collect()
    }
}

/// A Modbus slave of unit 1 whose cells a test sets and reads.
pub trait Slave {
    /// Sets one register or bit: `table` is `co`, `di`, `hr` or `ir`; the address counts from 0.
    fn set(&self, table: &str, address: u16, value: u16);
    /// Reads one register or bit back.
    fn get(&self, table: &str, address: u16) -> u16;
}

/// A pymodbus server whose registers a test sets over its control port.
#[derive(Debug)]
pub struct Pymodbus {
    _daemon: Daemon,
    control: u16,
}

impl Pymodbus {
    /// Modbus TCP on a loopback port.
    pub fn tcp(dir: &Path, port: u16) -> Self {
        let server = Self::start(dir, &["tcp", &port.to_string()]);
        await_port(port);
        server
    }

    /// RTU on a serial device, here one end of a pair of pseudo-terminals.
    pub fn rtu(dir: &Path, device: &Path) -> Self {
        Self::start(dir, &["rtu", &device.to_string_lossy()])
    }

    fn start(dir: &Path, link: &[&str]) -> Self {
        let control = free_port();
        let (script, port) = (script("pymodbus_server.py"), control.to_string());
        let args: Vec<&str> = [
            "-u",
            script.to_str().expect("paths here are UTF-8"),
            port.as_str(),
        ]
        .into_iter()
        .chain(link.iter().copied())
        .collect();
        let mut daemon = Daemon::start("pymodbus", python(), &args, dir);
        daemon.await_log("ready", START_LIMIT);
        Self {
            _daemon: daemon,
            control,
        }
    }

    fn ask(&self, line: &str) -> String {
        use std::io::{BufRead, BufReader, Write};
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.control)).expect("the control port listens");
        writeln!(stream, "{line}").expect("the control port reads");
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .expect("the control port answers");
        answer.trim().to_owned()
    }
}

impl Slave for Pymodbus {
    fn set(&self, table: &str, address: u16, value: u16) {
        self.ask(&format!("set {table} {address} {value}"));
    }

    fn get(&self, table: &str, address: u16) -> u16 {
        self.ask(&format!("get {table} {address}"))
            .parse()
            .expect("the control port answers with a number")
    }
}
