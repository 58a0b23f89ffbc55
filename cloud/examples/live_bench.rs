//! Live to a thousand browsers: a collector takes 20,000 readings a second from gateways over MQTT while 1,000 event streams look on, and alarms go from a gateway's
//! session to every one of them.
//!
//! `cargo run --release -p davy-cloud --example live_bench -- FOLDER`: FOLDER is on the disk of the stores. Lines of `name value unit`, or with a target behind them.
//! The collector is a process of its own (`-- serve FOLDER`), with its embedded broker and stores. Gateways and browsers share the other process, and with it a
//! clock; everybody shares the machine, so that a browser's latency has the gateways' and the other browsers' work in it.

#[path = "live/browser.rs"]
mod browser;
#[path = "live/gateway.rs"]
mod gateway;
#[path = "cost/process.rs"]
mod process;
#[path = "live/server.rs"]
mod server;

use anyhow::{Context as _, Result};
use browser::Browsers;
use gateway::Gateways;
use server::Server;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Of which each watches the values of one site, and all hear every alarm. With the sleepers a thousand: as many as a collector takes.
const BROWSERS: usize = 980;
/// More of them, which open a stream and then read nothing: they must slow nobody.
const SLEEPERS: usize = 20;
/// How long the load runs before anything is measured, and while it is.
const WARM_UP: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);
/// Alarms, evenly in that time.
const ALARMS: u64 = 60;

fn main() -> Result<()> {
    let mut asked = std::env::args().skip(1);
    let first = asked.next().context("a folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if first == "serve" {
        let folder = asked.next().context("a folder")?;
        return runtime.block_on(server::serve(Path::new(&folder)));
    }
    process::raise_files()?;
    runtime.block_on(measure(Path::new(&first)))
}

async fn measure(folder: &Path) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let server = Server::start(folder.path())?;
    let gateways = Gateways::connect(server.broker).await?;
    gateways.until_known().await?;
    let alone_kb = server.memory_kb()?;
    let cookie = browser::log_in(server.http).await?;
    let mut browsers = Browsers::open(server.http, &cookie, BROWSERS, SLEEPERS).await?;
    println!(
        "snapshots_of_all {:.0} ms",
        browsers.opened.as_secs_f64() * 1e3
    );
    tokio::time::sleep(WARM_UP).await;
    let (begun, processor_s, readings, events) = (
        Instant::now(),
        server.processor_s()?,
        gateways.acknowledged(),
        browsers.events(),
    );
    for number in 1..=ALARMS {
        tokio::time::sleep_until(begun + MEASURED.mul_f64(number as f64 / ALARMS as f64)).await;
        let at = std::time::Instant::now();
        browsers.expect(gateways.alarm(number).await?, at);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let taken = (gateways.acknowledged() - readings) as f64;
    let processor_s = server.processor_s()? - processor_s;
    let sent = (browsers.events() - events) as f64;
    browsers.until_heard(ALARMS * BROWSERS as u64).await?;
    let latency = browsers.latency_ms();
    println!("readings_per_second {:.0} 1/s >19000", taken / seconds);
    println!("events_sent_per_second {:.0} 1/s", sent / seconds);
    println!("alarm_to_browser_p50 {:.1} ms", of(&latency, 0.5));
    println!("alarm_to_browser_p95 {:.1} ms 300", of(&latency, 0.95));
    println!("alarm_to_browser_longest {:.1} ms", of(&latency, 1.0));
    println!(
        "processor_of_two {:.0} %",
        processor_s / seconds / 2.0 * 100.0
    );
    println!("memory_without_browsers {:.0} MB", alone_kb as f64 / 1e3);
    println!(
        "memory_peak {:.0} MB 1000",
        server.memory_kb()? as f64 / 1e3
    );
    println!("resyncs_told {} n", browsers.resyncs(BROWSERS));
    Ok(())
}

/// The value below which this share lies.
fn of(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[at - 1]
}
