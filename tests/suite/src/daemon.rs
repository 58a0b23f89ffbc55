//! One of our daemons, or a peer, as a process with a log file.

use crate::wait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Longest that a process may take to end after SIGTERM.
const END_LIMIT: Duration = Duration::from_secs(20);

/// A running process; dropping it kills it by id.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program; what it prints goes to `<dir>/<name>.log`, after what an earlier run of this name left there.
    pub fn start(name: &str, program: impl AsRef<OsStr>, args: &[&str], dir: &Path) -> Self {
        Self::start_with(name, Command::new(program.as_ref()).args(args), dir)
    }

    /// As [`Daemon::start`], for a command with its own environment.
    pub fn start_with(name: &str, command: &mut Command, dir: &Path) -> Self {
        let log = dir.join(format!("{name}.log"));
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("the test's directory is writable");
        let err = out.try_clone().expect("a file handle can be doubled");
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Everything it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until its log holds `text`.
    pub fn await_log(&mut self, text: &str, limit: Duration) {
        let name = self.name.clone();
        wait::until(&format!("`{text}` in the log of {name}"), limit, || {
            let found = self.log().contains(text);
            assert!(
                found || self.runs(),
                "{name} ended before `{text}`:\n{}",
                self.log()
            );
            found.then_some(())
        });
    }

    /// Waits until `GET address` answers 200, and fails at once if the process ends.
    pub fn await_http(&mut self, address: &str, limit: Duration) {
        let name = self.name.clone();
        wait::until(&format!("{name} at {address}"), limit, || {
            assert!(self.runs(), "{name} ended:\n{}", self.log());
            ureq::get(address).call().is_ok().then_some(())
        });
    }

    /// As a power cut: no warning, no clean-up.
    pub fn kill(mut self) {
        self.end_now();
    }

    /// Asks it to stop and waits for its exit status.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let name = self.name.clone();
        wait::until(&format!("the end of {name}"), END_LIMIT, || {
            self.child.try_wait().expect("a child can be waited for")
        })
    }

    /// Sends a signal, SIGSTOP for a hang.
    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"));
        kill(id, signal).unwrap_or_else(|error| panic!("cannot signal {}: {error}", self.name));
    }

    fn end_now(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end_now();
        if std::thread::panicking() {
            eprintln!(
                "--- end of the log of {} ---\n{}",
                self.name,
                tail(&self.log(), 40)
            );
        }
    }
}

/// A binary of this workspace, built beside the running test.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test
        .ancestors()
        .find(|dir| dir.ends_with("debug") || dir.ends_with("release"))
        .expect("tests are built into a profile's directory");
    let path = profile.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --workspace --bins`, or `cargo xtask test`, which does it",
        path.display()
    );
    path
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
