//! The same readings by Telegraf's `mqtt_consumer` into InfluxDB 2, beside `ingest_bench`: from the socket to the database, counted there at the end.
//!
//! `cargo run --release -p davy-cloud --example telegraf_bench -- FOLDER TELEGRAF URL TOKEN PROCESSES`: Telegraf's program, the server's address, its token, and its
//! process ids with commas between. Telegraf takes messages at QoS 1 in a persistent session, and so acknowledges one when its readings are written, as a collector
//! does; messages on the way, batches and stretches are those of `ingest_bench`.

#[path = "ingest/feed.rs"]
mod feed;
#[path = "ingest/plant.rs"]
mod plant;
#[path = "cost/process.rs"]
mod process;
#[path = "ingest/stretch.rs"]
mod stretch;

use anyhow::{Context as _, Result, bail};
use feed::Form;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stretch::{BATCHES, Feed, Measured, STRETCHES_OF_SERVER, WARM_UP};

/// Longest that the database may take until it counts what was acknowledged.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

/// Ends with this value.
struct Telegraf(Child);

impl Drop for Telegraf {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match &asked[..] {
        [feed] if feed == "feed" => feed::serve(Form::Lines),
        [folder, program, url, token, processes] => {
            let processes = processes.split(',').map(str::parse);
            let processes = processes.collect::<Result<Vec<u32>, _>>()?;
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(measure(Path::new(folder), program, (url, token), processes))
        }
        _ => bail!("FOLDER TELEGRAF URL TOKEN PROCESSES"),
    }
}

async fn measure(
    folder: &Path,
    program: &str,
    (url, token): (&str, &str),
    processes: Vec<u32>,
) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let (feed, port) = Feed::start("feed")?;
    let file = folder.path().join("telegraf.conf");
    std::fs::write(&file, settings(&port, (url, token)))?;
    let child = Command::new(program)
        .arg("--config")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let telegraf = Telegraf(child.context("Telegraf")?);
    let own = [telegraf.0.id()];
    let before = process::processor_s(&processes)?;
    let follow = feed.follow(STRETCHES_OF_SERVER, move || process::processor_s(&own));
    let Measured { seconds, processor } = follow.await?;
    let of_server = process::processor_s(&processes)? - before;
    let all = plant::readings(WARM_UP + STRETCHES_OF_SERVER * BATCHES);
    let counted = counted(url, token, all).await?;
    let measured = plant::readings(STRETCHES_OF_SERVER * BATCHES) as f64;
    let median = plant::readings(BATCHES) as f64 / stretch::median(seconds);
    println!("telegraf_committed_readings_per_second {median:.0} 1/s");
    println!(
        "telegraf_processor_per_million_readings {:.2} s",
        processor / measured * 1e6
    );
    println!(
        "telegraf_server_processor_per_million_readings {:.2} s",
        of_server / all as f64 * 1e6
    );
    println!(
        "telegraf_acknowledged_and_not_counted {} n 0",
        all.saturating_sub(counted)
    );
    Ok(())
}

fn settings(port: &str, (url, token): (&str, &str)) -> String {
    format!(
        "[agent]\ninterval = \"1s\"\nflush_interval = \"1s\"\nmetric_batch_size = 10000\nmetric_buffer_limit = 1000000\nomit_hostname = true\n\
         [[inputs.mqtt_consumer]]\nservers = [\"tcp://127.0.0.1:{port}\"]\ntopics = [\"plant/#\"]\nqos = 1\n\
         persistent_session = true\nclient_id = \"telegraf\"\ntopic_tag = \"\"\nmax_undelivered_messages = 1000\ndata_format = \"influx\"\n\
         [[outputs.influxdb_v2]]\nurls = [\"{url}\"]\ntoken = \"{token}\"\norganization = \"davy\"\nbucket = \"davy\"\n"
    )
}

/// How many of the readings the database has; it is asked again while it has fewer.
async fn counted(url: &str, token: &str, wanted: u64) -> Result<u64> {
    let ask = || -> Result<u64> {
        let answer = ureq::get(format!("{url}/query"))
            .query("db", "davy")
            .query("q", "SELECT COUNT(\"value\") FROM \"reading\"")
            .header("authorization", format!("Token {token}"))
            .header("accept", "application/csv")
            .call()?;
        let text = answer.into_body().read_to_string()?;
        let row = text.lines().nth(1).unwrap_or_default();
        Ok(row
            .rsplit(',')
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or(0))
    };
    let begun = Instant::now();
    loop {
        let found = ask()?;
        if found >= wanted || begun.elapsed() > COUNTED_WITHIN {
            return Ok(found.min(wanted));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
