//! `bench serial`: how many polls a second the gateway gets out of one serial line: eight slaves of ten registers, 9600 baud, 8N1, on a pseudo-terminal
//! whose far end keeps true wire time and notes every frame that comes too soon.
//!
//! A poll is a request of 8 characters and an answer of 25, each followed by 3.5 characters of silence (Modbus over serial line 1.02 §2.5.1.1): at ten bits a
//! character the line cannot carry more than 24.0 of them a second.

use super::figure::Figure;
use crate::daemon::{Daemon, binary};
use crate::wait;
use anyhow::{Context, Result, bail};
use davy_plant::modbus::crc;
use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const BAUD: f64 = 9600.0;
const BITS: f64 = 10.0;
const SLAVES: u8 = 8;
const REGISTERS: u8 = 10;
const REQUEST: usize = 8;
const ANSWER: usize = 3 + 2 * REGISTERS as usize + 2;
/// Longest until the first poll.
const START_LIMIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The end of a wait is spun away: the kernel wakes a sleeper some 50 microseconds late, a UART does not.
const SPUN: Duration = Duration::from_micros(300);

/// How long, and where.
#[derive(Clone, Debug)]
pub struct Options {
    pub warm_up: Duration,
    pub window: Duration,
    pub dir: PathBuf,
}

/// One poll as the slaves saw it.
#[derive(Clone, Copy, Debug)]
struct Poll {
    came: Instant,
    /// It began before the line had been silent for long enough.
    violates: bool,
}

type Polls = Arc<Mutex<Vec<Poll>>>;

/// Runs it and returns the figures.
///
/// # Errors
/// The gateway does not start or never polls.
pub fn run(options: &Options) -> Result<Vec<Figure>> {
    let dir = tempfile::tempdir_in(&options.dir)
        .with_context(|| format!("cannot write in {}", options.dir.display()))?;
    let (line, _slave, path) = line()?;
    let polls = Polls::default();
    let noted = polls.clone();
    // Ends with the process: a terminal that nobody speaks on blocks it.
    std::thread::spawn(move || answer(line, &noted));
    let gateway = gateway(dir.path(), &path)?;
    await_first(&gateway, &polls)?;
    std::thread::sleep(options.warm_up);
    let begun = Instant::now();
    std::thread::sleep(options.window);
    let ended = Instant::now();
    gateway.stop();
    let polls = polls.lock().expect("the slaves do not panic");
    let window = polls
        .iter()
        .filter(|poll| (begun..ended).contains(&poll.came));
    let rate = window.count() as f64 / (ended - begun).as_secs_f64();
    let violations = polls.iter().filter(|poll| poll.violates).count();
    Ok(vec![
        Figure::new("serial.polls", Some(rate), "1/s")
            .beside("limit of the line", Some(limit()))
            .at_least(23.8),
        Figure::new("serial.frames-too-soon", Some(violations as f64), "1").at_most(0.0),
    ])
}

fn limit() -> f64 {
    let characters = (REQUEST + ANSWER) as f64 + 2.0 * 3.5;
    BAUD / BITS / characters
}

fn characters(count: f64) -> Duration {
    Duration::from_secs_f64(count * BITS / BAUD)
}

fn line() -> Result<(File, OwnedFd, PathBuf)> {
    let OpenptyResult { master, slave } = openpty(None, None)?;
    let mut settings = tcgetattr(&slave)?;
    cfmakeraw(&mut settings);
    tcsetattr(&slave, SetArg::TCSANOW, &settings)?;
    let path = ttyname(&slave)?;
    Ok((File::from(master), slave, path))
}

/// All eight slaves.
fn answer(mut line: File, polls: &Polls) {
    let mut request = [0; REQUEST];
    let mut silent_since = Instant::now();
    loop {
        let Some(came) = receive(&mut line, &mut request) else {
            return;
        };
        let violates = came < silent_since + characters(3.5);
        polls
            .lock()
            .expect("nobody panics with it")
            .push(Poll { came, violates });
        let answer = answer_to(request[0]);
        let sent = came + characters((REQUEST + ANSWER) as f64 + 3.5);
        wait_until(sent);
        if line.write_all(&answer).is_err() {
            return;
        }
        silent_since = Instant::now();
    }
}

/// Reads a whole request; returns when its first character began.
fn receive(line: &mut File, request: &mut [u8; REQUEST]) -> Option<Instant> {
    let first = line.read(request).ok().filter(|count| *count > 0)?;
    let came = Instant::now();
    line.read_exact(&mut request[first..]).ok()?;
    Some(came)
}

fn answer_to(unit: u8) -> Vec<u8> {
    let mut answer = vec![unit, 3, 2 * REGISTERS];
    answer.extend([0, unit].repeat(usize::from(REGISTERS)));
    let check = crc(&answer).to_le_bytes();
    answer.extend(check);
    answer
}

fn wait_until(end: Instant) {
    let left = end.saturating_duration_since(Instant::now());
    std::thread::sleep(left.saturating_sub(SPUN));
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn await_first(gateway: &Daemon, polls: &Polls) -> Result<()> {
    let start = Instant::now();
    while polls.lock().expect("the slaves do not panic").is_empty() {
        if start.elapsed() > START_LIMIT {
            bail!("nothing was polled; the gateway's log:\n{}", gateway.log());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn gateway(dir: &Path, line: &Path) -> Result<Daemon> {
    let (file, data) = (dir.join("site.toml"), dir.join("data"));
    std::fs::write(&file, site(line))?;
    let args = [
        "run",
        &file.to_string_lossy(),
        "--data",
        &data.to_string_lossy(),
    ];
    Ok(Daemon::start(
        "davy-gateway",
        binary("davy-gateway"),
        &args,
        dir,
    ))
}

/// All slaves together are due 23.95 times a second: the line has nothing to spare, and `check` still lets it run.
fn site(line: &Path) -> String {
    let (line, screen) = (line.display(), wait::free_port());
    let mut text = format!(
        r#"schema = 1
[site]
id = "line"
name = {{ zh = "测量", en = "Bench" }}
[screen]
listen = "127.0.0.1:{screen}"
[[area]]
id = "all"
name = {{ zh = "全部", en = "All" }}
[[bus]]
id = "field"
kind = "rtu"
path = "{line}"
baud = 9600
parity = "none"
stop_bits = 1
timeout_ms = 300
"#
    );
    for unit in 1..=SLAVES {
        let device = format!(
            "[[device]]\nid = \"d{unit}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"field\"\nunit = {unit}\nperiod_ms = 334\n"
        );
        text.push_str(&device);
        for register in 0..REGISTERS {
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "[[point]]\nid = \"p{unit}-{register}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"all\"\ndevice = \"d{unit}\"\nkind = \"other\"\nunit = \"1\"\nrange = [0, 65535]\nregister = {{ table = \"holding\", address = {register} }}\nstale_s = 10"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_carries_24_polls_a_second() {
        assert_eq!(limit(), 24.0);
        assert_eq!(answer_to(1).len(), ANSWER);
    }
}
