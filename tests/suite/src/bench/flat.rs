//! `bench edge`, the second part: the gateway alone, and then Telegraf alone where it can be had, ten devices of a hundred registers polled as often as a site file allows, 20,000 readings a second.
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

/// The shortest period that a site file may name.
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

/// Runs each alone and returns their figures.
///
/// # Errors
/// A part does not start, or ends before its time.
pub async fn run(options: &Options) -> Result<Vec<Figure>> {
    let dir = tempfile::tempdir_in(&options.dir)
        .with_context(|| format!("cannot write in {}", options.dir.display()))?;
    let broker = wait::free_port();
    let _mosquitto = peers::mosquitto(dir.path(), broker);
    let ours = pace(gateway(dir.path(), broker, PERIOD_MS).await?, options).await?;
    let theirs = match telegraf(dir.path(), broker, PERIOD_MS, 0).await? {
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
    let cost = figure("edge.often-by-cpu", "M readings/CPU-s", |pace| {
        median(&pace.a_cpu_second)
    });
    let without = Figure::new(
        "edge.often-by-cpu-without-journal",
        median(&ours.without_journal),
        "M readings/CPU-s",
    );
    Ok(vec![
        figure("edge.often", "k readings/s", |pace| median(&pace.a_second)),
        cost.at_least(LEAST),
        without.at_least(LEAST_WITHOUT_JOURNAL),
    ])
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
