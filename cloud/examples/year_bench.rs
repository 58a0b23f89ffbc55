//! One point's year, drawn in a thousand buckets: the embedded engine beside InfluxDB 2, on the same readings.
//!
//! `cargo run --release -p davy-cloud --example year_bench -- FOLDER URL TOKEN_FILE`; lines of `name value unit`. A reading every ten seconds, 3.15 million, so that
//! writing them to the server takes seconds. InfluxDB is asked twice: for what a Davy trend shows of each bucket (number, good ones, lowest, highest, mean), and for
//! the mean alone, which is the least that anybody draws.

use anyhow::{Context as _, Result};
use davy_alarm::{Reading, WallMs};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::influx::Influx;
use davy_cloud::history::{History, PointReading, SeriesQuery};
use davy_cloud::settings;
use std::path::Path;
use std::time::Instant;

/// 2025-01-01T00:00:00Z.
const START_MS: i64 = 1_735_689_600_000;
const EVERY_MS: i64 = 10_000;
const READINGS: i64 = 365 * 86_400_000 / EVERY_MS;
const BUCKETS: u32 = 1_000;
const A_COMMIT: i64 = 100_000;
const ROUNDS: usize = 11;

#[tokio::main]
async fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let [folder, url, token_file] = &asked[..] else {
        anyhow::bail!("FOLDER URL TOKEN_FILE")
    };
    let folder = tempfile::tempdir_in(folder)?;
    let embedded = Embedded::open(folder.path().join("history"))?;
    let address = settings::Influx {
        url: url.clone(),
        org: "davy".into(),
        bucket: "davy".into(),
        token_file: Path::new(token_file).into(),
    };
    let influx = Influx::new(&address)?;
    fill(&embedded).await?;
    embedded.seal().await?;
    fill(&influx).await?;
    let ours = median(&embedded).await?;
    let theirs = median(&influx).await?;
    let means = means(url, &std::fs::read_to_string(token_file)?).await?;
    println!("one_points_year_embedded {ours:.2} ms 100");
    println!("one_points_year_influxdb {theirs:.2} ms");
    println!("one_points_year_influxdb_means_alone {means:.2} ms");
    println!(
        "one_points_year_influxdb_by_embedded {:.1} x >10",
        theirs / ours
    );
    println!(
        "one_points_year_influxdb_means_by_embedded {:.1} x >10",
        means / ours
    );
    Ok(())
}

async fn fill(history: &dyn History) -> Result<()> {
    for begin in (0..READINGS).step_by(A_COMMIT as usize) {
        let readings = (begin..(begin + A_COMMIT).min(READINGS)).map(reading);
        history.commit(readings.collect()).await?;
    }
    Ok(())
}

/// A slow wander with noise of some counts of twelve bits.
fn reading(number: i64) -> PointReading {
    let noise = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    let counts = (number as f64 / 2_000.0).sin() * 80.0 + 200.0 + noise as f64;
    let value = (counts.round() / 4_095.0 * 10_000.0).round() / 100.0;
    PointReading {
        site: "plant-1".into(),
        point: "GD-101".into(),
        reading: Reading::measured(value, WallMs(START_MS + number * EVERY_MS)),
    }
}

/// Milliseconds, of some rounds after one that warms up.
async fn median(history: &dyn History) -> Result<f64> {
    let mut spent = Vec::new();
    for round in 0..=ROUNDS {
        let query = SeriesQuery {
            site: "plant-1".into(),
            point: "GD-101".into(),
            from_ms: START_MS,
            to_ms: START_MS + READINGS * EVERY_MS,
            buckets: BUCKETS,
        };
        let begun = Instant::now();
        let series = history.series(query).await?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        let count: i64 = series.buckets.iter().map(|one| i64::from(one.count)).sum();
        anyhow::ensure!(count == READINGS, "{count} of {READINGS} readings");
        spent.extend((round > 0).then_some(took));
    }
    spent.sort_by(f64::total_cmp);
    Ok(spent[ROUNDS / 2])
}

async fn means(url: &str, token: &str) -> Result<f64> {
    let (from, to) = (START_MS, START_MS + READINGS * EVERY_MS);
    let step = (to - from) / i64::from(BUCKETS);
    let question = format!(
        "SELECT MEAN(\"value\") FROM \"reading\" WHERE \"point\" = 'GD-101' AND \"site\" = 'plant-1' AND time >= {from}ms AND time < {to}ms GROUP BY time({step}ms)"
    );
    let mut spent = Vec::new();
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        let answer = ureq::get(format!("{url}/query"))
            .query("db", "davy")
            .query("epoch", "ms")
            .query("q", &question)
            .header("authorization", format!("Token {}", token.trim()))
            .header("accept", "application/csv")
            .call()?;
        let text = answer.into_body().read_to_string()?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        let lines = text.lines().count();
        anyhow::ensure!(lines > BUCKETS as usize / 2, "an answer of {lines} lines");
        spent.extend((round > 0).then_some(took));
    }
    spent.sort_by(f64::total_cmp);
    spent.get(ROUNDS / 2).copied().context("rounds")
}
