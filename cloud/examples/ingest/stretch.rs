//! What is measured of whoever takes the gateways' batches: how long each of some equal stretches takes until it is acknowledged.

use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Batches before the measurement.
pub(crate) const WARM_UP: u64 = 2_400;
/// Stretches that are measured, and batches of each: whole rounds of the gateways.
#[allow(dead_code, reason = "of the embedded engine")]
pub(crate) const STRETCHES: u64 = 9;
/// The same on a server, which is slower.
pub(crate) const STRETCHES_OF_SERVER: u64 = 3;
pub(crate) const BATCHES: u64 = 2_400;

/// The other end, a process of its own; it ends with this value.
pub(crate) struct Feed {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// How long each stretch took, and how much of the processor all of them.
pub(crate) struct Measured {
    pub(crate) seconds: Vec<f64>,
    pub(crate) processor: f64,
}

impl Feed {
    /// Starts this program as the other end; the port where it listens.
    pub(crate) fn start(mode: &str) -> Result<(Self, String)> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(mode)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let port = lines.next().context("the port")??;
        let lines = Some(lines);
        Ok((Self { child, lines }, port))
    }

    /// Follows what is acknowledged, through the warm-up and so many stretches. `processor_s` is what whoever is measured has taken of the processor.
    pub(crate) async fn follow(
        mut self,
        stretches: u64,
        processor_s: impl Fn() -> Result<f64> + Send + 'static,
    ) -> Result<Measured> {
        let lines = self.lines.take().context("followed once")?;
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _gone = tell.send(followed(lines, stretches, processor_s));
        });
        told.await?
    }
}

fn followed(
    lines: Lines<BufReader<ChildStdout>>,
    stretches: u64,
    processor_s: impl Fn() -> Result<f64>,
) -> Result<Measured> {
    let mut seconds = Vec::new();
    let mut begun = None;
    for line in lines {
        let committed: u64 = line?.parse()?;
        if committed < WARM_UP + BATCHES * seconds.len() as u64 {
            continue;
        }
        let (at, processor) = match begun {
            Some(begun) => begun,
            None => *begun.insert((Instant::now(), processor_s()?)),
        };
        let so_far: f64 = seconds.iter().sum();
        if committed >= WARM_UP + BATCHES * (seconds.len() as u64 + 1) {
            seconds.push(at.elapsed().as_secs_f64() - so_far);
        }
        if seconds.len() as u64 == stretches {
            let processor = processor_s()? - processor;
            return Ok(Measured { seconds, processor });
        }
    }
    anyhow::bail!("the other end is gone")
}

pub(crate) fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
