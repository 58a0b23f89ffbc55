//! `bench edge`, the second part: the gateway alone, ten devices of a hundred registers polled as often as a site file allows, 20,000 readings a second.
//!
//! Every reading is new, is judged against a limit, is synced to the journal, and only then published; what is counted are those that arrived at a
//! subscriber, by processor time of the gateway alone.

use super::edge::{Options, gateway};
use super::figure::Figure;
use super::process::Usage;
use super::statistics::median;
use crate::{peers, wait};
use anyhow::{Context, Result};

/// The shortest period that a site file may name.
const PERIOD_MS: u64 = 50;
/// What a gateway should publish in a processor second, million readings, judged and journalled.
const LEAST: f64 = 1.0;

/// Runs the gateway alone and returns its figures.
///
/// # Errors
/// A part does not start, or ends before its time.
pub async fn run(options: &Options) -> Result<Vec<Figure>> {
    let dir = tempfile::tempdir_in(&options.dir)
        .with_context(|| format!("cannot write in {}", options.dir.display()))?;
    let broker = wait::free_port();
    let _mosquitto = peers::mosquitto(dir.path(), broker);
    let client = gateway(dir.path(), broker, PERIOD_MS).await?;
    tokio::time::sleep(options.warm_up).await;
    let mut looks = Vec::new();
    for window in 0..=options.windows {
        if window > 0 {
            tokio::time::sleep(options.window).await;
        }
        let readings = client.reader.readings();
        let usage = Usage::of(client.daemon.id())
            .with_context(|| format!("it ended; its log:\n{}", client.daemon.log()))?;
        looks.push((readings, usage.cpu));
    }
    client.daemon.stop();
    let by_window: Vec<(f64, f64)> = looks
        .windows(2)
        .map(|edge| {
            let readings = (edge[1].0 - edge[0].0) as f64;
            (readings, (edge[1].1 - edge[0].1).as_secs_f64())
        })
        .collect();
    let seconds = options.window.as_secs_f64();
    let a_second: Vec<f64> = (by_window.iter())
        .map(|(readings, _)| readings / seconds / 1e3)
        .collect();
    let a_cpu_second: Vec<f64> = (by_window.iter())
        .map(|(readings, cpu)| readings / cpu / 1e6)
        .collect();
    let cost = Figure::new(
        "edge.often-by-cpu",
        median(&a_cpu_second),
        "M readings/CPU-s",
    );
    Ok(vec![
        Figure::new("edge.often", median(&a_second), "k readings/s"),
        cost.at_least(LEAST),
    ])
}
