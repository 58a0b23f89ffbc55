//! Whole months are forgotten, and only those that ended.

use super::{START_MS, absent, measured};
use davy_alarm::NoValue;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, SeriesQuery};

const FEBRUARY_MS: i64 = START_MS + 3_600_000;

async fn times(history: &Embedded, point: &str) -> Vec<i64> {
    let all = history.readings("plant-1", point, 0, i64::MAX, 1_000).await;
    all.unwrap().iter().map(|one| one.source_time().0).collect()
}

#[tokio::test]
async fn only_months_that_ended_before_are_forgotten_and_may_begin_again() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    let both = vec![
        measured("GD-101", START_MS, 1.0),
        measured("GD-101", FEBRUARY_MS, 2.0),
        measured("TT-7", START_MS, 3.0),
    ];
    history.commit(both).await.unwrap();
    history.forget_before(FEBRUARY_MS - 1).await.unwrap();
    assert_eq!(times(&history, "GD-101").await, [START_MS, FEBRUARY_MS]);
    history.forget_before(FEBRUARY_MS).await.unwrap();
    assert_eq!(times(&history, "GD-101").await, [FEBRUARY_MS]);
    let latest = history.latest("plant-1").await.unwrap();
    let names: Vec<&str> = latest.iter().map(|(point, _)| point.as_str()).collect();
    assert_eq!(names, ["GD-101"]);
    let again = vec![measured("GD-101", START_MS + 5, 4.0)];
    history.commit(again).await.unwrap();
    assert_eq!(times(&history, "GD-101").await, [START_MS + 5, FEBRUARY_MS]);
    drop(history);
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    assert_eq!(times(&history, "GD-101").await, [START_MS + 5, FEBRUARY_MS]);
}

#[tokio::test]
async fn a_spike_of_one_second_shows_in_the_trend_of_a_month() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    let month_ms = 28 * 86_400_000_i64;
    let spike_ms = FEBRUARY_MS + month_ms / 2 + 61_000;
    let calm = (0..month_ms / 10_000).map(|at| measured("GD-101", FEBRUARY_MS + at * 10_000, 1.0));
    history.commit(calm.collect()).await.unwrap();
    history
        .commit(vec![measured("GD-101", spike_ms, 99.0)])
        .await
        .unwrap();
    history.seal().await.unwrap();
    let query = SeriesQuery {
        site: "plant-1".to_owned(),
        point: "GD-101".to_owned(),
        from_ms: FEBRUARY_MS,
        to_ms: FEBRUARY_MS + month_ms,
        buckets: 100,
    };
    let series = history.series(query).await.unwrap();
    let spikes: Vec<i64> = series
        .buckets
        .iter()
        .filter(|bucket| bucket.span.unwrap().max == 99.0)
        .map(|bucket| bucket.time_ms)
        .collect();
    assert_eq!(spikes.len(), 1);
    assert!((spikes[0]..spikes[0] + series.step_ms).contains(&spike_ms));
}

#[tokio::test]
async fn a_bucket_without_a_value_names_its_newest_cause_with_the_exceptions_code() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    let newest = absent("GD-101", START_MS + 2, NoValue::Exception(11));
    history
        .commit(vec![newest, absent("GD-101", START_MS, NoValue::Timeout)])
        .await
        .unwrap();
    let query = SeriesQuery {
        site: "plant-1".to_owned(),
        point: "GD-101".to_owned(),
        from_ms: START_MS,
        to_ms: START_MS + 10,
        buckets: 1,
    };
    history.seal().await.unwrap();
    let series = history.series(query).await.unwrap();
    assert_eq!(series.buckets.len(), 1);
    assert_eq!(series.buckets[0].span, Err(NoValue::Exception(11)));
    assert_eq!((series.buckets[0].count, series.buckets[0].good), (2, 0));
}
