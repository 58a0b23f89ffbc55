//! What is sealed answers as what is not: repeats change nothing, and buckets cut hours and minutes where they must.

use super::{START_MS, measured};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, PointReading, SeriesQuery};

/// A reading a second from this second of the hour on.
fn seconds(from: i64, to: i64) -> Vec<PointReading> {
    (from..to)
        .map(|at| measured("GD-101", START_MS + at * 1_000, at as f64))
        .collect()
}

async fn count(history: &Embedded) -> usize {
    let all = history.readings("plant-1", "GD-101", 0, i64::MAX, 10_000);
    all.await.unwrap().len()
}

#[tokio::test]
async fn an_hour_sealed_by_a_large_commit_takes_a_repeat_of_a_small_one_once() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    history.commit(seconds(0, 10)).await.unwrap();
    history.commit(seconds(10, 1_500)).await.unwrap();
    history.commit(seconds(5, 20)).await.unwrap();
    assert_eq!(count(&history).await, 1_500);
    history.commit(seconds(1_495, 1_510)).await.unwrap();
    history.seal().await.unwrap();
    assert_eq!(count(&history).await, 1_510);
}

#[tokio::test]
async fn a_trend_counts_no_reading_beyond_its_span_though_it_ends_within_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    history.commit(seconds(0, 3_600)).await.unwrap();
    for (from, to) in [(0, 3_599), (60, 3_570), (61, 3_600), (7, 3_001)] {
        let query = SeriesQuery {
            site: "plant-1".to_owned(),
            point: "GD-101".to_owned(),
            from_ms: START_MS + from * 1_000,
            to_ms: START_MS + to * 1_000,
            buckets: 4,
        };
        let series = history.series(query).await.unwrap();
        assert_eq!(series.step_ms % 60_000, 0);
        let counted: u32 = series.buckets.iter().map(|bucket| bucket.count).sum();
        assert_eq!(i64::from(counted), to - from);
        let first = series.buckets.first().unwrap().span.unwrap();
        let last = series.buckets.last().unwrap().span.unwrap();
        assert_eq!((first.min, last.max), (from as f64, (to - 1) as f64));
    }
}
