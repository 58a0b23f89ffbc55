//! A node of three dies while collectors write: what was answered is there, and questions go on.

use super::{START_MS, measured};
use crate::engine::cluster;
use davy_cloud::history::cassandra::Cassandra;
use davy_cloud::history::{History, PointReading, SeriesQuery};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

const COLLECTORS: i64 = 3;
const BATCHES: i64 = 120;
/// Readings of a batch, one a second, of one point a collector.
const READINGS: i64 = 60;
/// Batches of all collectors after which the node dies, and after which hours are sealed.
const KILLED_AFTER: i64 = 120;
const SEALED_EVERY: i64 = 50;

fn site() -> Arc<str> {
    format!("cluster-{}", std::process::id()).into()
}

fn batch(site: &Arc<str>, collector: i64, number: i64) -> Vec<PointReading> {
    let seconds = number * READINGS..(number + 1) * READINGS;
    let reading = |second: i64| PointReading {
        site: site.clone(),
        ..measured(
            &format!("P-{collector}"),
            START_MS + second * 1_000,
            second as f64,
        )
    };
    seconds.map(reading).collect()
}

/// Writes batch after batch, each a second time as a gateway does that saw no acknowledgement; what was answered must be found at once.
async fn collect(site: Arc<str>, collector: i64, committed: Arc<AtomicI64>) {
    let history = Cassandra::connect(&cluster()).await.unwrap();
    let point = format!("P-{collector}");
    for number in 0..BATCHES {
        history
            .commit(batch(&site, collector, number))
            .await
            .unwrap();
        if number > 0 {
            history
                .commit(batch(&site, collector, number - 1))
                .await
                .unwrap();
        }
        let all = committed.fetch_add(1, Relaxed) + 1;
        let from_ms = START_MS + number * READINGS * 1_000;
        let found = history
            .readings(&site, &point, from_ms, i64::MAX, 1_000)
            .await;
        assert_eq!(found.unwrap().len() as i64, READINGS, "batch {number}");
        if all % SEALED_EVERY == 0 {
            history.seal(&site).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_cassandra_a_node_that_dies_under_load_costs_no_reading_and_no_answer() {
    let victim = std::env::var("DAVY_CASSANDRA_VICTIM").expect(
        "DAVY_CASSANDRA_VICTIM is the process of a node that may die: run `cargo xtask test`",
    );
    let victim = Pid::from_raw(victim.parse().unwrap());
    let (site, committed) = (site(), Arc::new(AtomicI64::new(0)));
    let mut collectors = tokio::task::JoinSet::new();
    for collector in 0..COLLECTORS {
        collectors.spawn(collect(site.clone(), collector, committed.clone()));
    }
    while committed.load(Relaxed) < KILLED_AFTER && collectors.try_join_next().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    kill(victim, Signal::SIGKILL).unwrap();
    assert!(committed.load(Relaxed) < COLLECTORS * BATCHES, "under load");
    while let Some(ended) = collectors.join_next().await {
        ended.unwrap();
    }
    let history = Cassandra::connect(&cluster()).await.unwrap();
    check(&history, &site).await;
    history.seal(&site).await.unwrap();
    check(&history, &site).await;
}

async fn check(history: &Cassandra, site: &Arc<str>) {
    for collector in 0..COLLECTORS {
        let point = format!("P-{collector}");
        let expected: Vec<_> = (0..BATCHES)
            .flat_map(|number| batch(site, collector, number))
            .map(|one| one.reading)
            .collect();
        let found = history.readings(site, &point, i64::MIN, i64::MAX, usize::MAX);
        assert!(found.await.unwrap() == expected, "{point}");
        let query = SeriesQuery {
            site: site.to_string(),
            point,
            from_ms: START_MS,
            to_ms: START_MS + BATCHES * READINGS * 1_000,
            buckets: 2,
        };
        let series = history.series(query).await.unwrap();
        let counts: Vec<i64> = series.buckets.iter().map(|one| one.count.into()).collect();
        assert_eq!(counts, [BATCHES * READINGS / 2; 2]);
    }
    let latest = history.latest(site).await.unwrap();
    assert_eq!(latest.len() as i64, COLLECTORS);
}
