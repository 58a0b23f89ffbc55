//! What one collector commits: readings of several gateways, from the socket to synced stores and back as acknowledgements.
//!
//! `cargo run --release -p davy-cloud --example ingest_bench -- FOLDER`: FOLDER is on the disk to measure. Lines of `name value unit`, or with a target behind
//! them. The broker and the gateways of the other end are a process of its own (`-- feed`) that sends encoded batches and waits for nothing but the window.

#[path = "ingest/feed.rs"]
mod feed;
#[path = "ingest/plant.rs"]
mod plant;

use anyhow::{Context as _, Result};
use davy_cloud::run::Service;
use davy_cloud::settings::Settings;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Batches before the measurement.
const WARM_UP: u64 = 2_400;
/// Stretches that are measured, and batches of each: whole rounds of the gateways.
const STRETCHES: u64 = 9;
const BATCHES: u64 = 2_400;

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
    let Measured { seconds, processor } = told.await??;
    let readings = plant::readings(BATCHES) as f64;
    println!(
        "ingest_committed_readings_per_second {:.0} 1/s >300000",
        readings / median(seconds)
    );
    println!(
        "ingest_processor_per_million_readings {:.2} s",
        processor / (readings * STRETCHES as f64) * 1e6
    );
    println!("ingest_memory_peak {:.0} MB", peak_kb()? as f64 / 1_000.0);
    service.until(std::future::ready(())).await?;
    let all = plant::readings(WARM_UP + STRETCHES * BATCHES) as f64;
    println!(
        "ingest_bytes_a_reading {:.2} B",
        sealed_bytes(&settings.history_folder()).await? as f64 / all
    );
    Ok(())
}

/// How long each stretch took, and how much of the processor all of them.
struct Measured {
    seconds: Vec<f64>,
    processor: f64,
}

fn followed(lines: std::io::Lines<BufReader<std::process::ChildStdout>>) -> Result<Measured> {
    let mut seconds = Vec::new();
    let mut begun = None;
    for line in lines {
        let committed: u64 = line?.parse()?;
        if committed < WARM_UP + BATCHES * seconds.len() as u64 {
            continue;
        }
        let (at, processor) = *begun.get_or_insert((Instant::now(), processor_s()?));
        let so_far: f64 = seconds.iter().sum();
        if committed >= WARM_UP + BATCHES * (seconds.len() as u64 + 1) {
            seconds.push(at.elapsed().as_secs_f64() - so_far);
        }
        if seconds.len() as u64 == STRETCHES {
            let processor = processor_s()? - processor;
            return Ok(Measured { seconds, processor });
        }
    }
    anyhow::bail!("the other end is gone")
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Of this process alone: the other end is another one.
fn processor_s() -> Result<f64> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

/// The most memory that this process ever held.
fn peak_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("VmHWM")?.parse()?)
}

/// What the history holds once every hour is sealed, without the pages that are free for what comes next.
async fn sealed_bytes(folder: &Path) -> Result<u64> {
    let history = davy_cloud::history::embedded::Embedded::open(folder.to_owned())?;
    history.seal().await?;
    drop(history);
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "sqlite") {
            let file = rusqlite::Connection::open(path)?;
            let number = |name| file.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let used = number("page_count")? - number("freelist_count")?;
            sum += u64::try_from(used * number("page_size")?)?;
        }
    }
    Ok(sum)
}
