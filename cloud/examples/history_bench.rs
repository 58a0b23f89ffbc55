//! Measures the embedded history on a year of one point at 1 Hz: bytes a reading, readings a second, and how long a trend takes.
//!
//! `cargo run --release -p davy-cloud --example history_bench [folder]`; lines of `name value unit`. Without a folder, a temporary one. The year is 2025, so
//! that every hour of it is over.

use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, PointReading, SeriesQuery};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// 2025-01-01T00:00:00Z.
const START_MS: i64 = 1_735_689_600_000;
const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 365;
const DAY_READINGS: i64 = 86_400;
const BUCKETS: u32 = 1_000;
const ROUNDS: usize = 21;
/// A site's points at 1 Hz, for the cost of a second of living.
const LIVE_POINTS: usize = 1_000;
const LIVE_SECONDS: i64 = 60;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = std::env::temp_dir().join(format!("history-bench-{}", std::process::id()));
    let given = std::env::args().nth(1).map(PathBuf::from);
    let folder = given.clone().unwrap_or_else(|| temporary.clone());
    let done = measure(&folder).await;
    if given.is_none() {
        std::fs::remove_dir_all(&temporary)?;
    }
    Ok(done?)
}

async fn measure(folder: &Path) -> Result<(), HistoryError> {
    let history = Embedded::open(folder.to_owned())?;
    fill(&history).await?;
    let readings = (DAYS * DAY_READINGS) as f64;
    // Closed, so that the logs are in the files.
    drop(history);
    report("bytes_per_reading", bytes(folder) as f64 / readings, "B");
    let history = Embedded::open(folder.to_owned())?;
    for (name, days) in [("year", DAYS), ("month", 30), ("day", 1)] {
        trend(&history, name, days, 0).await?;
        // From a time that lies on no second: every edge is cut from readings.
        trend(&history, &format!("{name}_unaligned"), days, 12_345).await?;
    }
    live(&history).await
}

fn report(name: &str, value: f64, unit: &str) {
    println!("{name} {value:.3} {unit}");
}

fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|data| data.len())
        .sum()
}

/// Commits the year, a day at a time.
async fn fill(history: &Embedded) -> Result<(), HistoryError> {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut spent = 0.0;
    for day in 0..DAYS {
        let seconds = day * DAY_READINGS..(day + 1) * DAY_READINGS;
        let batch: Vec<PointReading> = seconds.map(|at| reading(at, &mut noise)).collect();
        let began = Instant::now();
        history.commit(batch).await?;
        spent += began.elapsed().as_secs_f64();
    }
    report(
        "commit_in_bulk",
        (DAYS * DAY_READINGS) as f64 / spent,
        "readings/s",
    );
    Ok(())
}

/// A gas detector of 12 bits over 0 to 100 % LEL: a slow wander, noise of a few counts, a spike and an outage now and then; its poll jitters by milliseconds.
fn reading(second: i64, noise: &mut Noise) -> PointReading {
    let time = WallMs(START_MS + second * 1_000 + (noise.next() % 8) as i64);
    let wander = (second as f64 / 20_000.0).sin() * 80.0 + 200.0;
    let mut counts = wander.round() + (noise.next() % 7) as f64;
    if noise.next().is_multiple_of(100_000) {
        counts = 4_000.0;
    }
    let value = (counts / 4_095.0 * 10_000.0).round() / 100.0;
    let reading = match second % 500_000 {
        0..120 => Reading::absent(NoValue::Timeout, time),
        _ => Reading::measured(value, time),
    };
    PointReading {
        site: "plant-1".into(),
        point: "GD-101".into(),
        reading,
    }
}

/// The median and the 95th percentile of a trend's time, files warm.
async fn trend(history: &Embedded, name: &str, days: i64, off_ms: i64) -> Result<(), HistoryError> {
    let mut spent = Vec::new();
    for round in 0..=ROUNDS {
        let from_ms = START_MS + off_ms + (DAYS - days) * DAY_MS / 2 / DAY_MS * DAY_MS;
        let query = SeriesQuery {
            site: "plant-1".to_owned(),
            point: "GD-101".to_owned(),
            from_ms,
            to_ms: from_ms + days * DAY_MS,
            buckets: BUCKETS,
        };
        let began = Instant::now();
        let series = history.series(query).await?;
        if round == 0 {
            report(
                &format!("series_{name}_buckets"),
                series.buckets.len() as f64,
                "1",
            );
        } else {
            spent.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    spent.sort_by(f64::total_cmp);
    report(&format!("series_{name}_median"), spent[ROUNDS / 2], "ms");
    report(
        &format!("series_{name}_p95"),
        spent[ROUNDS * 95 / 100],
        "ms",
    );
    Ok(())
}

/// One commit a second of all points of a site, without the waiting.
async fn live(history: &Embedded) -> Result<(), HistoryError> {
    let mut noise = Noise(7);
    let mut spent = Vec::new();
    for second in 0..LIVE_SECONDS {
        let batch = (0..LIVE_POINTS).map(|point| PointReading {
            site: "plant-2".into(),
            point: format!("P-{point}").into(),
            ..reading(DAYS * DAY_READINGS + second, &mut noise)
        });
        let batch: Vec<PointReading> = batch.collect();
        let began = Instant::now();
        history.commit(batch).await?;
        spent.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    let total: f64 = spent.iter().sum::<f64>() / 1_000.0;
    report(
        "commit_live",
        LIVE_POINTS as f64 * LIVE_SECONDS as f64 / total,
        "readings/s",
    );
    spent.sort_by(f64::total_cmp);
    report("commit_live_median", spent[spent.len() / 2], "ms");
    report("commit_live_p95", spent[spent.len() * 95 / 100], "ms");
    Ok(())
}

/// The same noise at every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
