//! What one collector commits: readings of several gateways, from the socket to synced stores and back as acknowledgements.
//!
//! `cargo run --release -p davy-cloud --example ingest_bench -- FOLDER`: FOLDER is on the disk to measure. Lines of `name value unit`, or with a target behind
//! them. The broker and the gateways of the other end are a process of its own (`-- feed`) that sends encoded batches and waits for nothing but the window.

#[path = "ingest/feed.rs"]
mod feed;

use anyhow::{Context as _, Result};
use davy_cloud::run::Service;
use davy_cloud::settings::Settings;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Batches measured, behind as many of warm-up as a tenth.
const BATCHES: u64 = 20_000;

fn main() -> Result<()> {
    let asked = std::env::args().nth(1).context("a folder, or `feed`")?;
    if asked == "feed" {
        return feed::serve();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure(Path::new(&asked)))
}

/// Ends with this value.
struct Feed(Child);

impl Drop for Feed {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

async fn measure(folder: &Path) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let child = Command::new(std::env::current_exe()?)
        .arg("feed")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut feed = Feed(child);
    let mut lines = BufReader::new(feed.0.stdout.take().context("a pipe")?).lines();
    let port = lines.next().context("the port")??;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {port}\n"
    );
    let settings =
        Settings::parse(&text, folder.path()).map_err(|_| anyhow::anyhow!("the settings"))?;
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let service = Service::start(&settings, figures.handle()).await?;
    let (tell, told) = tokio::sync::oneshot::channel();
    let watch = move || {
        let _gone = tell.send(followed(lines));
    };
    std::thread::spawn(watch);
    let (seconds, processor) = told.await??;
    let readings = (BATCHES * feed::POINTS) as f64;
    println!(
        "ingest_committed_readings_per_second {:.0} 1/s >300000",
        readings / seconds
    );
    println!(
        "ingest_readings_per_processor_second {:.0} 1/s",
        readings / processor
    );
    let all = (BATCHES + BATCHES / 10) * feed::POINTS;
    println!(
        "ingest_bytes_on_disk {:.1} B",
        bytes(folder.path())? as f64 / all as f64
    );
    service.until(std::future::ready(())).await
}

/// From the tenth on: how long it took, and how much of the processor.
fn followed(lines: std::io::Lines<BufReader<std::process::ChildStdout>>) -> Result<(f64, f64)> {
    let mut begun = None;
    for line in lines {
        let committed: u64 = line?.parse()?;
        if committed >= BATCHES / 10 && begun.is_none() {
            begun = Some((Instant::now(), processor_s()?));
        }
        if let Some((at, processor)) = begun.filter(|_| committed >= BATCHES + BATCHES / 10) {
            return Ok((at.elapsed().as_secs_f64(), processor_s()? - processor));
        }
    }
    anyhow::bail!("the other end is gone")
}

fn processor_s() -> Result<f64> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

fn bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        sum += match entry.file_type()?.is_dir() {
            true => bytes(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(sum)
}
