//! A slave by libmodbus, the C library of the field: built from `peers/libmodbus_slave.c`, its cells in a file that it maps. And mbpoll, a master by it.

use crate::daemon::Daemon;
use crate::peers::{Slave, script};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest that it may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Cells of each table; whatever lies beyond is refused with exception 2.
pub const CELLS: u16 = 16;
/// Bytes of the four tables, and of the word on writes behind them.
const SIZE: u64 = 97;
const WRITES: u64 = 96;

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Done,
    /// Refused with this exception.
    Refused(u8),
    /// Acknowledged as if they were done, and not done.
    NotDone,
}

/// A libmodbus slave of unit 1.
#[derive(Debug)]
pub struct Libmodbus {
    _daemon: Daemon,
    cells: File,
}

impl Libmodbus {
    /// Modbus TCP on a loopback port.
    pub fn tcp(dir: &Path, port: u16) -> Self {
        Self::start(dir, &["tcp", &port.to_string()])
    }

    /// RTU on a serial device, here one end of a pair of pseudo-terminals.
    pub fn rtu(dir: &Path, device: &Path) -> Self {
        Self::start(dir, &["rtu", &device.to_string_lossy()])
    }

    /// From now on.
    pub fn treat(&self, writes: Writes) {
        let byte = match writes {
            Writes::Done => 0,
            Writes::Refused(code) => code,
            Writes::NotDone => 255,
        };
        let written = self.cells.write_all_at(&[byte], WRITES);
        written.expect("the file takes what it held");
    }

    fn start(dir: &Path, link: &[&str]) -> Self {
        let (program, path) = (build(dir), dir.join("cells"));
        let cells = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .expect("the test's directory is writable");
        cells.set_len(SIZE).expect("a file of 97 bytes fits");
        let mut args = vec![path.to_str().expect("paths here are UTF-8")];
        args.extend(link);
        let mut daemon = Daemon::start("libmodbus", program, &args, dir);
        daemon.await_log("ready", START_LIMIT);
        Self {
            _daemon: daemon,
            cells,
        }
    }
}

/// Where a cell stands in the file, and whether it is a bit.
fn place(table: &str, address: u16) -> (u64, bool) {
    assert!(address < CELLS, "there are {CELLS} cells");
    let at = u64::from(address);
    match table {
        "co" => (at, true),
        "di" => (16 + at, true),
        "hr" => (32 + 2 * at, false),
        "ir" => (64 + 2 * at, false),
        other => panic!("{other} is no table"),
    }
}

impl Slave for Libmodbus {
    fn set(&self, table: &str, address: u16, value: u16) {
        let (at, is_bit) = place(table, address);
        let bytes = value.to_ne_bytes();
        let written = match is_bit {
            true => self.cells.write_all_at(&[u8::from(value != 0)], at),
            false => self.cells.write_all_at(&bytes, at),
        };
        written.expect("the file takes what it held");
    }

    fn get(&self, table: &str, address: u16) -> u16 {
        let (at, is_bit) = place(table, address);
        let mut bytes = [0; 2];
        let length = if is_bit { 1 } else { 2 };
        let read = self.cells.read_exact_at(&mut bytes[..length], at);
        read.expect("the file holds every cell");
        match is_bit {
            true => u16::from(bytes[0] != 0),
            false => u16::from_ne_bytes(bytes),
        }
    }
}

fn build(dir: &Path) -> PathBuf {
    let program = dir.join("libmodbus_slave");
    let built = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"])
        .arg(&program)
        .arg(script("libmodbus_slave.c"))
        .arg("-lmodbus")
        .output()
        .expect("a C compiler is installed: `cargo xtask test` does it");
    let told = String::from_utf8_lossy(&built.stderr);
    assert!(
        built.status.success(),
        "libmodbus-dev is installed by `cargo xtask test`\n{told}"
    );
    program
}

/// What mbpoll prints for one request: `args` as its manual page tells. Whether it succeeded, and what it said.
pub fn mbpoll(args: &[&str]) -> (bool, String) {
    let asked = Command::new("mbpoll").args(args).output();
    let asked = asked.expect("mbpoll is installed: `cargo xtask test` does it");
    let told = [asked.stdout, asked.stderr].concat();
    (
        asked.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}
