//! The demo's children: each logs to a file, is asked for its health, is named and started again when it dies, and is ended by id, last started first.
//!
//! Bound: a part that dies a fourth time within a minute is not started again, and the demo ends with its name.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
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
/// Starts again that a part gets within [`DEATHS_IN`].
const DEATHS: usize = 3;
const DEATHS_IN: Duration = Duration::from_secs(60);

/// One part of the demo.
struct Part {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    child: Child,
    started: Instant,
    /// When it ended by itself, as far as that counts.
    deaths: Vec<Instant>,
    health_port: u16,
    log: PathBuf,
}

impl Part {
    /// Runs the program once more; its log goes on.
    fn again(&mut self) -> Result<()> {
        self.child = spawn(&self.name, &self.program, &self.args, &self.log)?;
        self.started = Instant::now();
        Ok(())
    }

    /// How it ended by itself, if it did.
    fn ended(&mut self) -> Result<Option<String>> {
        let (name, log) = (&self.name, self.log.display());
        let status = self.child.try_wait()?;
        Ok(status.map(|status| format!("{name} ended by itself ({status}); see {log}")))
    }
}

/// `setpriv` ends the child with us, even if we are killed.
fn spawn(name: &str, program: &Path, args: &[String], log: &Path) -> Result<Child> {
    let file = File::options().create(true).append(true).open(log);
    let file = file.with_context(|| format!("cannot write {}", log.display()))?;
    Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--"])
        .arg(program)
        .args(args)
        // A group of its own: Ctrl-C at the terminal reaches us alone, and we end the parts in order.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {name} through setpriv (package util-linux)"))
}

/// The parts in the order of their start, and what went wrong with them since.
pub(crate) struct Parts {
    parts: Vec<Part>,
    /// One line a part and kind of trouble: it is bounded by their number.
    troubles: BTreeMap<String, String>,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self {
            parts: Vec::new(),
            troubles: BTreeMap::new(),
        }
    }

    /// Starts a part and waits until it is healthy. One that dies before that ends the demo: it would die again.
    pub(crate) fn start(
        &mut self,
        name: &str,
        program: &Path,
        args: &[&str],
        health_port: u16,
        logs: &Path,
    ) -> Result<()> {
        let log = logs.join(format!("{name}.log"));
        File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.parts.push(Part {
            name: name.into(),
            child: spawn(name, program, &args, &log)?,
            program: program.to_owned(),
            args,
            started: Instant::now(),
            deaths: Vec::new(),
            health_port,
            log,
        });
        let until = Instant::now() + START;
        while Instant::now() < until {
            self.alive()?;
            if self
                .parts
                .last()
                .is_some_and(|part| healthy(part.health_port))
            {
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
    fn alive(&mut self) -> Result<()> {
        for part in &mut self.parts {
            if let Some(ended) = part.ended()? {
                bail!(ended);
            }
        }
        Ok(())
    }

    /// Starts again what died, and says so; remembers what was not well.
    ///
    /// # Errors
    /// A part died too often.
    pub(crate) fn tend(&mut self) -> Result<()> {
        for part in &mut self.parts {
            if let Some(ended) = part.ended()? {
                let now = Instant::now();
                part.deaths
                    .retain(|death| now.duration_since(*death) < DEATHS_IN);
                if part.deaths.len() >= DEATHS {
                    bail!("{ended}: {} times in a minute", DEATHS + 1);
                }
                part.deaths.push(now);
                eprintln!("{ended}; it is started again");
                self.troubles.insert(part.name.clone(), ended);
                part.again()?;
            } else if !healthy(part.health_port) && part.started.elapsed() > START {
                let told = format!("{} was not healthy; see {}", part.name, part.log.display());
                if self
                    .troubles
                    .insert(part.name.clone(), told.clone())
                    .is_none()
                {
                    eprintln!("{told}");
                }
            }
        }
        Ok(())
    }

    /// Whether everything was well all the time, and is.
    ///
    /// # Errors
    /// Names every part that died or was not healthy.
    pub(crate) fn verdict(&mut self) -> Result<()> {
        self.alive()?;
        for part in self.parts.iter().filter(|part| !healthy(part.health_port)) {
            let told = format!("{} is not healthy; see {}", part.name, part.log.display());
            self.troubles.entry(part.name.clone()).or_insert(told);
        }
        let told: Vec<&str> = self.troubles.values().map(String::as_str).collect();
        if told.is_empty() {
            return Ok(());
        }
        bail!(told.join("\n"))
    }

    fn end(&mut self) {
        while let Some(mut part) = self.parts.pop() {
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
    use std::net::TcpListener;

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

    /// Answers every question for health until the test ends.
    fn well() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let _ = socket.unwrap().write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            }
        });
        port
    }

    fn kill_first(parts: &mut Parts) {
        let part = &mut parts.parts[0];
        kill(Pid::from_raw(part.child.id() as i32), Signal::SIGKILL).unwrap();
        while part.child.try_wait().unwrap().is_none() {
            std::thread::sleep(STEP);
        }
    }

    #[test]
    fn a_part_that_is_killed_is_started_again_three_times_a_minute_and_the_verdict_names_it() {
        let logs = tempfile::tempdir().unwrap();
        let mut parts = Parts::new();
        let sleep = Path::new("sleep");
        parts
            .start("part", sleep, &["60"], well(), logs.path())
            .unwrap();
        parts.tend().unwrap();
        parts.verdict().unwrap();
        for _ in 0..DEATHS {
            let before = parts.parts[0].child.id();
            kill_first(&mut parts);
            parts.tend().unwrap();
            assert_ne!(parts.parts[0].child.id(), before);
            parts.alive().unwrap();
        }
        let verdict = parts.verdict().unwrap_err().to_string();
        assert!(verdict.contains("part ended by itself"), "{verdict}");
        kill_first(&mut parts);
        let given_up = parts.tend().unwrap_err().to_string();
        assert!(given_up.contains("4 times in a minute"), "{given_up}");
    }
}
