//! `bench edge`, the second and the third part: the gateway alone, and then Telegraf alone where it can be had, every unit polled twenty times a second.
//! **Often** is one bus of ten devices of a hundred registers, 20,000 readings a second, which leave the processor idle for most of the time: what a
//! poll costs that comes by itself. **Flat out** is twenty such buses, 400,000 readings a second: what a reading costs when there is no idle time between polls.
//!
//! Every reading is new, is judged against a limit, is synced to the journal, and only then published; what is counted are those that arrived at a
//! subscriber, by processor time of the one that read them. Telegraf keeps no journal. A gateway cannot be without its own; what judging and publishing alone
//! cost is told by leaving out the time of the one thread that writes and syncs it.

use super::edge::{Client, Options, TELEGRAF, gateway, telegraf};
use super::figure::Figure;
use super::process::Usage;
use super::statistics::median;
use crate::{peers, wait};
use anyhow::{Context, Result};

/// Between two polls of a unit.
const PERIOD_MS: u64 = 50;
/// What a gateway should publish in a processor second, million readings, judged and journalled.
const LEAST: f64 = 1.0;

/// What it should judge and publish in a processor second, million readings, the journal's own thread left out.
const LEAST_WITHOUT_JOURNAL: f64 = 2.5;

/// By window.
struct Pace {
    /// Thousand readings a second.
    a_second: Vec<f64>,
    /// Million readings a processor second.
    a_cpu_second: Vec<f64>,
    /// The same without the time of the thread that keeps the journal; of a gateway alone.
    without_journal: Vec<f64>,
}

/// How much is read, and what its figures are called.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    buses: usize,
    pace: &'static str,
    by_cpu: &'static str,
    without_journal: &'static str,
    /// Million readings a processor second that it should reach, with the journal's thread and without.
    targets: Option<(f64, f64)>,
}

/// One bus.
pub const OFTEN: Load = Load {
    buses: 1,
    pace: "edge.often",
    by_cpu: "edge.often-by-cpu",
    without_journal: "edge.often-by-cpu-without-journal",
    targets: None,
};

/// As many as two processors can play the devices of, beside a broker and a subscriber.
pub const FLAT_OUT: Load = Load {
    buses: 20,
    pace: "edge.flat-out",
    by_cpu: "edge.flat-out-by-cpu",
    without_journal: "edge.flat-out-by-cpu-without-journal",
    targets: Some((LEAST, LEAST_WITHOUT_JOURNAL)),
};

/// Runs each alone and returns their figures.
///
/// # Errors
/// A part does not start, or ends before its time.
pub async fn run(options: &Options, load: Load) -> Result<Vec<Figure>> {
    let dir = tempfile::tempdir_in(&options.dir)
        .with_context(|| format!("cannot write in {}", options.dir.display()))?;
    let broker = wait::free_port();
    let _mosquitto = peers::mosquitto(dir.path(), broker);
    let ours = gateway(dir.path(), broker, load.buses, PERIOD_MS).await?;
    let ours = pace(ours, options).await?;
    let theirs = match telegraf(dir.path(), broker, load.buses, PERIOD_MS, 0).await? {
        Some(client) => Some(pace(client, options).await?),
        None => None,
    };
    let figure = |name, unit, of: fn(&Pace) -> Option<f64>| {
        let figure = Figure::new(name, of(&ours), unit);
        match &theirs {
            Some(theirs) => figure.beside(TELEGRAF, of(theirs)),
            None => figure,
        }
    };
    let by_cpu = "M readings/CPU-s";
    let mut cost = figure(load.by_cpu, by_cpu, |pace| median(&pace.a_cpu_second));
    let without = median(&ours.without_journal);
    let mut without = Figure::new(load.without_journal, without, by_cpu);
    if let Some((with, less)) = load.targets {
        (cost, without) = (cost.at_least(with), without.at_least(less));
    }
    let pace = figure(load.pace, "k readings/s", |pace| median(&pace.a_second));
    Ok(vec![pace, cost, without])
}

async fn pace(client: Client, options: &Options) -> Result<Pace> {
    tokio::time::sleep(options.warm_up).await;
    let mut looks = Vec::new();
    for window in 0..=options.windows {
        if window > 0 {
            tokio::time::sleep(options.window).await;
        }
        let readings = client.reader.readings();
        let usage = Usage::of(client.daemon.id())
            .with_context(|| format!("it ended; its log:\n{}", client.daemon.log()))?;
        looks.push((readings, usage));
    }
    client.daemon.stop();
    let mut pace = Pace {
        a_second: Vec::new(),
        a_cpu_second: Vec::new(),
        without_journal: Vec::new(),
    };
    for edge in looks.windows(2) {
        let [(before, from), (after, to)] = edge else {
            continue;
        };
        let readings = (after - before) as f64;
        let cpu = (to.cpu - from.cpu).as_secs_f64();
        pace.a_second
            .push(readings / options.window.as_secs_f64() / 1e3);
        pace.a_cpu_second.push(readings / cpu / 1e6);
        if let (Some(from), Some(to)) = (from.journal, to.journal) {
            let journal = to.saturating_sub(from).as_secs_f64();
            pace.without_journal.push(readings / (cpu - journal) / 1e6);
        }
    }
    Ok(pace)
}
