//! The demo's children: each logs to a file, is asked for its health, is named when it dies, and is ended by id, last started first.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a child may take to be healthy, and to end.
const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(100);

/// One part of the demo.
struct Part {
    name: String,
    child: Child,
    health_port: u16,
    log: PathBuf,
}

/// The parts in the order of their start.
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Starts a part and waits until it is healthy. `setpriv` ends it with us, even if we are killed.
    pub(crate) fn start(
        &mut self,
        name: &str,
        program: &Path,
        args: &[&str],
        health_port: u16,
        logs: &Path,
    ) -> Result<()> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(program)
            .args(args)
            // A group of its own: Ctrl-C at the terminal reaches us alone, and we end the parts in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name} through setpriv (package util-linux)"))?;
        self.0.push(Part {
            name: name.into(),
            child,
            health_port,
            log,
        });
        let until = Instant::now() + START;
        while Instant::now() < until {
            self.alive()?;
            if self.0.last().is_some_and(|part| healthy(part.health_port)) {
                return Ok(());
            }
            std::thread::sleep(STEP);
        }
        bail!(
            "{name} is not healthy after {} s; see {}",
            START.as_secs(),
            logs.display()
        )
    }

    /// Every part lives, or the error names the one that died.
    pub(crate) fn alive(&mut self) -> Result<()> {
        for part in &mut self.0 {
            if let Some(status) = part.child.try_wait()? {
                bail!(
                    "{} ended by itself ({status}); see {}",
                    part.name,
                    part.log.display()
                );
            }
        }
        Ok(())
    }

    /// Every part lives and says that it is well.
    pub(crate) fn healthy(&mut self) -> Result<()> {
        self.alive()?;
        match self.0.iter().find(|part| !healthy(part.health_port)) {
            Some(part) => bail!("{} is not healthy; see {}", part.name, part.log.display()),
            None => Ok(()),
        }
    }

    fn end(&mut self) {
        while let Some(mut part) = self.0.pop() {
            let _ = kill(Pid::from_raw(part.child.id() as i32), Signal::SIGTERM);
            let until = Instant::now() + END;
            while Instant::now() < until && matches!(part.child.try_wait(), Ok(None)) {
                std::thread::sleep(STEP);
            }
            if matches!(part.child.try_wait(), Ok(None)) {
                eprintln!(
                    "{} did not end in {} s and is killed",
                    part.name,
                    END.as_secs()
                );
                let _ = part.child.kill();
                let _ = part.child.wait();
            }
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.end();
    }
}

fn healthy(port: u16) -> bool {
    ask(port).is_some_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

fn ask(port: u16) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    socket
        .write_all(b"GET /healthz HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n")
        .ok()?;
    let mut head = [0u8; 64];
    let count = socket.read(&mut head).ok()?;
    Some(String::from_utf8_lossy(&head[..count]).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_dies_is_named_with_its_log() {
        let logs = std::env::temp_dir();
        let mut parts = Parts::new();
        let died = parts.start("xtask-part-that-dies", Path::new("false"), &[], 9, &logs);
        let message = died.unwrap_err().to_string();
        assert!(
            message.contains("xtask-part-that-dies ended by itself"),
            "{message}"
        );
        assert!(message.contains("xtask-part-that-dies.log"), "{message}");
    }
}
