//! `bench edge`: our gateway, a bare Rust loop, a Python script and, where it can be had, Telegraf, each reading ten devices of a hundred registers once a
//! second and publishing them.
//!
//! All run at once, against one simulator and one broker: whatever else happens on the machine happens to all of them. They poll at parts of the second, so that none waits for another, and cost so little that the processors stay idle for most of the time. What is printed is the median of
//! the windows; a window that something else disturbed does not decide.

use super::figure::Figure;
use super::outcome::{Outcome, Windows};
use super::process::Usage;
use super::reader::{Language, Reader};
use super::served::{Answers, Served};
use super::site::{self, Ports};
use super::telegraf;
use crate::daemon::{Daemon, binary};
use crate::{peers, wait};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longest that a client may take until its first message has come.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What was answered at the end of the last window may still arrive for so long.
const SETTLE: Duration = Duration::from_secs(1);
/// A slope of sixty polls whose moments scatter by a millisecond or two is known no better.
const DRIFT_LIMIT_MS: f64 = 2.0;

const BARE: &str = "tokio-modbus+rumqttc";
const PYTHON: &str = "pymodbus+paho";
pub(super) const TELEGRAF: &str = "telegraf";

/// How long, and with what.
#[derive(Clone, Debug)]
pub struct Options {
    pub warm_up: Duration,
    pub window: Duration,
    pub windows: usize,
    /// A folder on the disk that the gateway's journal is to be measured on.
    pub dir: PathBuf,
}

/// One measured process.
pub(super) struct Client {
    pub(super) daemon: Daemon,
    /// One a bus.
    served: Vec<Served>,
    pub(super) reader: Reader,
    windows: Windows,
}

/// Runs all of them and returns the figures.
///
/// # Errors
/// A part does not start, or ends before its time.
pub async fn run(options: &Options) -> Result<Vec<Figure>> {
    let dir = tempfile::tempdir_in(&options.dir)
        .with_context(|| format!("cannot write in {}", options.dir.display()))?;
    let broker = wait::free_port();
    let _mosquitto = peers::mosquitto(dir.path(), broker);
    let gateway = gateway(dir.path(), broker, 1, 1000).await?;
    let phase_ms = gateway.phase_ms()?;
    let bare = bare_loop(dir.path(), broker, (phase_ms + 333) % 1000).await?;
    let python = paho_loop(dir.path(), broker, (phase_ms + 667) % 1000).await?;
    let mut clients = vec![gateway, bare, python];
    clients.extend(telegraf(dir.path(), broker, 1, 1000, (phase_ms + 833) % 1000).await?);
    tokio::time::sleep(options.warm_up).await;
    measure(&mut clients, options, (phase_ms + 167) % 1000).await?;
    tokio::time::sleep(SETTLE).await;
    let outcome = |client: &Client| {
        let arrivals = client.reader.arrivals();
        Outcome::of(&client.windows, &client.answers(), &arrivals)
    };
    let outcomes: Vec<Outcome> = clients.iter().map(outcome).collect();
    for client in clients {
        client.daemon.stop();
    }
    Ok(figures(&outcomes))
}

/// A gateway that polls each unit of so many buses every `period_ms`, and its devices and subscriber.
pub(super) async fn gateway(
    dir: &Path,
    broker: u16,
    buses: usize,
    period_ms: u64,
) -> Result<Client> {
    let (served, modbus) = serve(buses).await?;
    let reader = Reader::start(broker, Language::Sparkplug).await?;
    let ports = Ports {
        modbus: &modbus,
        broker,
        screen: wait::free_port(),
    };
    let (file, data) = (dir.join("site.toml"), dir.join("data"));
    std::fs::write(&file, site::text(ports, period_ms))?;
    let args = [
        "run",
        &file.to_string_lossy(),
        "--data",
        &data.to_string_lossy(),
    ];
    let daemon = Daemon::start("davy-gateway", binary("davy-gateway"), &args, dir);
    Client::started(daemon, served, reader).await
}

/// So many buses of devices, and their ports.
async fn serve(buses: usize) -> Result<(Vec<Served>, Vec<u16>)> {
    let mut served = Vec::new();
    for _ in 0..buses {
        served.push(Served::start().await?);
    }
    let ports = served.iter().map(Served::port).collect();
    Ok((served, ports))
}

async fn bare_loop(dir: &Path, broker: u16, phase_ms: u64) -> Result<Client> {
    let (served, reader) = (
        Served::start().await?,
        Reader::start(broker, Language::Json { prefix: "bare" }).await?,
    );
    let args = [served.port().into(), broker.into(), phase_ms].map(|arg: u64| arg.to_string());
    let daemon = Daemon::start(
        "bare-loop",
        binary("bare-loop"),
        &args.each_ref().map(String::as_str),
        dir,
    );
    Client::started(daemon, vec![served], reader).await
}

async fn paho_loop(dir: &Path, broker: u16, phase_ms: u64) -> Result<Client> {
    let (served, reader) = (
        Served::start().await?,
        Reader::start(broker, Language::Json { prefix: "pymodbus" }).await?,
    );
    let script = peers::script("paho_loop.py").to_string_lossy().into_owned();
    let ports = [served.port().into(), broker.into(), phase_ms].map(|arg: u64| arg.to_string());
    let args = [script.as_str(), &ports[0], &ports[1], &ports[2]];
    let daemon = Daemon::start("paho-loop", peers::python(), &args, dir);
    Client::started(daemon, vec![served], reader).await
}

/// None where there is no Telegraf.
pub(super) async fn telegraf(
    dir: &Path,
    broker: u16,
    buses: usize,
    period_ms: u64,
    phase_ms: u64,
) -> Result<Option<Client>> {
    let language = Language::Lines {
        prefix: telegraf::PREFIX,
    };
    let (served, modbus) = serve(buses).await?;
    let reader = Reader::start(broker, language).await?;
    let reading = telegraf::Reading {
        modbus: &modbus,
        broker,
        period_ms,
        phase_ms,
    };
    match telegraf::start(dir, reading) {
        Some(daemon) => Ok(Some(Client::started(daemon, served, reader).await?)),
        None => Ok(None),
    }
}

impl Client {
    /// Waits for the first message.
    async fn started(mut daemon: Daemon, served: Vec<Served>, reader: Reader) -> Result<Self> {
        let start = Instant::now();
        while !reader.has_heard() {
            if !daemon.runs() || start.elapsed() > START_LIMIT {
                bail!("nothing was published; its log:\n{}", daemon.log());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Self {
            daemon,
            served,
            reader,
            windows: Windows::default(),
        })
    }

    /// Milliseconds after the full second at which it polls.
    fn phase_ms(&self) -> Result<u64> {
        let last = self.answers().of(1);
        let last = last.last().context("unit 1 was never read")?;
        let polled = SystemTime::now() - last.elapsed();
        Ok(polled.duration_since(UNIX_EPOCH)?.as_millis() as u64 % 1000)
    }

    /// What the devices of its first bus answered.
    fn answers(&self) -> Answers {
        self.served.first().map(Served::answers).unwrap_or_default()
    }

    fn look(&mut self) -> Result<()> {
        let usage = Usage::of(self.daemon.id())
            .with_context(|| format!("it ended; its log:\n{}", self.daemon.log()))?;
        self.windows.edges.push(Instant::now());
        self.windows.usages.push(usage);
        Ok(())
    }
}

/// Looks at every client at the edges of the windows, at a moment of the second when none of them polls.
async fn measure(clients: &mut [Client], options: &Options, phase_ms: u64) -> Result<()> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let first = Instant::now() + Duration::from_millis((phase_ms + 1000 - now_ms % 1000) % 1000);
    for window in 0..=options.windows {
        let edge = first + options.window * u32::try_from(window)?;
        tokio::time::sleep_until(edge.into()).await;
        for client in clients.iter_mut() {
            client.look()?;
        }
    }
    Ok(())
}

/// The gateway's outcome, the bare loop's, and then the others'.
fn figures(outcomes: &[Outcome]) -> Vec<Figure> {
    let [ours, bare, ..] = outcomes else {
        return Vec::new();
    };
    let beside = |name, unit, of: fn(&Outcome) -> Option<f64>| {
        let peers = [BARE, PYTHON, TELEGRAF].into_iter().zip(&outcomes[1..]);
        peers.fold(
            Figure::new(name, of(ours), unit),
            |figure, (peer, outcome)| figure.beside(peer, of(outcome)),
        )
    };
    let over_bare = ours.cpu_s.zip(bare.cpu_s).map(|(ours, bare)| ours / bare);
    vec![
        beside("edge.cpu", "CPU-s/min", |outcome| outcome.cpu_s),
        beside("edge.cpu-worst-window", "CPU-s/min", |outcome| {
            outcome.cpu_worst_s
        }),
        Figure::new("edge.cpu-over-bare-loop", over_bare, "times").at_most(3.0),
        beside("edge.memory", "MB", |outcome| outcome.rss_mb).at_most(10.0),
        beside("edge.memory-shared-divided", "MB", |outcome| outcome.pss_mb),
        beside("edge.memory-peak", "MB", |outcome| outcome.peak_mb),
        beside("edge.latency-p50", "ms", |outcome| outcome.p50_ms),
        beside("edge.latency-p99", "ms", |outcome| outcome.p99_ms).at_most(10.0),
        beside("edge.latency-p99-whole-run", "ms", |outcome| {
            outcome.p99_run_ms
        }),
        beside("edge.latency-worst", "ms", |outcome| outcome.worst_ms),
        beside("edge.period-drift", "ms/min", |outcome| outcome.drift_ms).at_most(DRIFT_LIMIT_MS),
        beside("edge.period-jitter-p99", "ms", |outcome| outcome.jitter_ms),
        beside("edge.readings-lost", "%", |outcome| outcome.lost_percent).at_most(0.0),
    ]
}
