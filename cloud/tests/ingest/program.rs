//! The collector as a process of its own.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Killed by its id when this goes.
pub(crate) struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Program {
    /// Starts it on a file of settings; its log lies beside that.
    pub(crate) fn start(settings: &Path) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(settings.with_extension("log"))
            .expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_davy-cloud"))
            .arg("run")
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program");
        Self(child)
    }

    /// What it holds of memory now, MB.
    pub(crate) fn memory_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line.and_then(|line| line.split_whitespace().next());
        kb.expect("VmRSS").parse::<u64>().expect("a number") / 1_000
    }

    /// Ends it as a supervisor does; it must end well.
    pub(crate) fn end(mut self) {
        let id = Pid::from_raw(i32::try_from(self.0.id()).expect("an id"));
        kill(id, Signal::SIGTERM).expect("a process");
        let status = self.0.wait().expect("an end");
        assert!(status.success(), "{status}");
    }
}
