//! What one collector commits: readings of several gateways, from the socket to synced stores and back as acknowledgements.
//!
//! `cargo run --release -p davy-cloud --example ingest_bench -- FOLDER`: FOLDER is on the disk to measure. Lines of `name value unit`, or with a target behind
//! them. With `-- FOLDER NAME TABLE PROCESSES` readings go to the engine whose table `[history]` the file TABLE holds; figures begin with NAME, and the processor
//! time of its server, whose process ids PROCESSES names with commas between, is told too. The broker and the gateways of the other end are a process of its own (`-- feed`) that sends encoded batches and waits for nothing but the window.

#[path = "ingest/feed.rs"]
mod feed;
#[path = "ingest/plant.rs"]
mod plant;
#[path = "cost/process.rs"]
mod process;
#[path = "ingest/stretch.rs"]
mod stretch;

use anyhow::{Context as _, Result};
use davy_cloud::run::Service;
use davy_cloud::settings::Settings;
use feed::Form;
use std::path::Path;
use stretch::{BATCHES, Feed, Measured, STRETCHES, STRETCHES_OF_SERVER, WARM_UP};

fn main() -> Result<()> {
    let asked = std::env::args().nth(1).context("a folder, or `feed`")?;
    if asked == "feed" {
        return feed::serve(Form::Sparkplug);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let server = Server::asked()?;
    runtime.block_on(measure(Path::new(&asked), server.as_ref()))
}

/// An engine behind a network.
struct Server {
    name: String,
    /// Of the settings.
    table: String,
    processes: Vec<u32>,
}

impl Server {
    fn asked() -> Result<Option<Self>> {
        let mut asked = std::env::args().skip(2);
        let (Some(name), Some(table)) = (asked.next(), asked.next()) else {
            return Ok(None);
        };
        let table = std::fs::read_to_string(&table).with_context(|| table)?;
        let processes = asked.next().unwrap_or_default();
        let processes = processes.split(',').map(str::parse);
        Ok(Some(Self {
            name,
            table,
            processes: processes.collect::<Result<_, _>>()?,
        }))
    }

    /// What its processes have taken of the processor, seconds.
    fn processor_s(&self) -> Result<f64> {
        process::processor_s(&self.processes)
    }
}

async fn measure(folder: &Path, server: Option<&Server>) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let (feed, port) = Feed::start("feed")?;
    let table = server.map_or("", |server| &server.table);
    let text = format!(
        "listen = \"127.0.0.1:0\"\n{table}\n[broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {port}\n"
    );
    let settings =
        Settings::parse(&text, folder.path()).map_err(|_| anyhow::anyhow!("the settings"))?;
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let service = Service::start(&settings, figures.handle()).await?;
    let stretches = server.map_or(STRETCHES, |_| STRETCHES_OF_SERVER);
    let before = server.map_or(Ok(0.0), Server::processor_s)?;
    let Measured { seconds, processor } = feed.follow(stretches, own_s).await?;
    let readings = plant::readings(BATCHES) as f64;
    if let Some(server) = server {
        let all = plant::readings(WARM_UP + stretches * BATCHES) as f64;
        let of_server = server.processor_s()? - before;
        println!(
            "{}_committed_readings_per_second {:.0} 1/s",
            server.name,
            readings / stretch::median(seconds)
        );
        println!(
            "{}_collector_processor_per_million_readings {:.2} s",
            server.name,
            processor / (readings * stretches as f64) * 1e6
        );
        println!(
            "{}_server_processor_per_million_readings {:.2} s",
            server.name,
            of_server / all * 1e6
        );
        return service.until(std::future::ready(())).await;
    }
    println!(
        "ingest_committed_readings_per_second {:.0} 1/s >300000",
        readings / stretch::median(seconds)
    );
    println!(
        "ingest_processor_per_million_readings {:.2} s",
        processor / (readings * STRETCHES as f64) * 1e6
    );
    println!(
        "ingest_memory_peak {:.0} MB",
        process::peak_kb(std::process::id())? as f64 / 1_000.0
    );
    service.until(std::future::ready(())).await?;
    let all = plant::readings(WARM_UP + STRETCHES * BATCHES) as f64;
    println!(
        "ingest_bytes_a_reading {:.2} B",
        sealed_bytes(&settings.history_folder()).await? as f64 / all
    );
    Ok(())
}

/// Of this process alone: the other end is another one.
fn own_s() -> Result<f64> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
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
