//! A serial cable of two pseudo-terminals, so that a gateway and a serial peer meet as on a wire.

use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Two ends that see each other's bytes for as long as this lives.
#[derive(Debug)]
pub struct Cable {
    /// Paths of the two ends.
    pub ends: [PathBuf; 2],
    /// Kept open, so that an end may be closed and opened again.
    _slaves: [OwnedFd; 2],
}

impl Cable {
    /// Lays the cable.
    pub fn lay() -> Self {
        let [(one, one_slave), (other, other_slave)] = [pair(), pair()];
        let ends =
            [&one_slave, &other_slave].map(|slave| ttyname(slave).expect("a pty has a name"));
        let copy = |file: &File| file.try_clone().expect("a file handle can be doubled");
        carry(copy(&one), copy(&other));
        carry(other, one);
        Self {
            ends,
            _slaves: [one_slave, other_slave],
        }
    }
}

fn pair() -> (File, OwnedFd) {
    let OpenptyResult { master, slave } = openpty(None, None).expect("the system has ptys");
    let mut settings = tcgetattr(&slave).expect("a pty is a terminal");
    cfmakeraw(&mut settings);
    tcsetattr(&slave, SetArg::TCSANOW, &settings).expect("a pty takes settings");
    (File::from(master), slave)
}

/// Ends when its terminal is closed, at the latest with the test's process.
fn carry(mut from: File, mut to: File) {
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    });
}
