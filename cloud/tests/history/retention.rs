//! Whole months are forgotten, and only those that ended; where their rollups stay, these tell of each minute what the readings told.

use super::{START_MS, absent, measured};
use davy_alarm::NoValue;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, Minute, PointReading, SeriesQuery};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

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

const HOUR_MS: i64 = 3_600_000;
/// Hours of January that the property test fills.
const HOURS: i64 = 6;

/// The minutes of the end of January.
async fn minutes(history: &Embedded) -> Vec<Minute> {
    let from_ms = FEBRUARY_MS - HOURS * HOUR_MS;
    let found = history.minutes("plant-1", "GD-101", from_ms, FEBRUARY_MS);
    found.await.unwrap()
}

/// Readings in hours of every density, from one in an hour to one a second.
fn hours() -> impl Strategy<Value = Vec<PointReading>> {
    let hour = (1_000..HOUR_MS, 0..HOUR_MS, 0..20_i64);
    vec(hour, HOURS as usize).prop_map(|hours| {
        let mut all = Vec::new();
        for (at, (step_ms, offset_ms, absences)) in (0_i64..).zip(hours) {
            let begin_ms = FEBRUARY_MS - (HOURS - at) * HOUR_MS;
            let times = (offset_ms % step_ms..HOUR_MS).step_by(step_ms as usize);
            all.extend(
                times.map(|time_ms| match (begin_ms + time_ms) / 1_000 % 20 {
                    which if which < absences => {
                        absent("GD-101", begin_ms + time_ms, NoValue::Timeout)
                    }
                    which => measured("GD-101", begin_ms + time_ms, which as f64),
                }),
            );
        }
        all
    })
}

#[test]
fn every_minute_is_as_covered_after_its_readings_went_as_before() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    proptest!(ProptestConfig::with_cases(24), |(readings in hours(), is_sealed in any::<bool>())| {
        let (before, after) = runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let history = Embedded::open(folder.path().to_owned()).unwrap();
            history.commit(readings).await.unwrap();
            if is_sealed {
                history.seal().await.unwrap();
            }
            let before = minutes(&history).await;
            history.forget_readings_before(FEBRUARY_MS).await.unwrap();
            assert_eq!(times(&history, "GD-101").await, [0_i64; 0]);
            (before, minutes(&history).await)
        });
        prop_assert_eq!(before, after);
    });
}

/// A reading a minute over the last hour of a month, sealed.
async fn fill(history: &Embedded, end_ms: i64) {
    let readings = (0..60).map(|at| measured("GD-101", end_ms - HOUR_MS + at * 60_000, 1.0));
    history.commit(readings.collect()).await.unwrap();
    history.seal().await.unwrap();
}

/// Spoils every page of a month's file behind its first, which the writer has read.
fn spoil(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len() as usize;
    file.write_all_at(&vec![0x5a; length - 16_384], 16_384)
        .unwrap();
}

#[tokio::test]
async fn a_damaged_month_keeps_no_other_from_being_forgotten_and_is_named() {
    // 2025-11 to 2026-01.
    let ends_ms = [1_764_547_200_000, 1_767_225_600_000, FEBRUARY_MS];
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    for end_ms in ends_ms {
        fill(&history, end_ms).await;
    }
    drop(history);
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    assert!(history.damaged().is_empty());
    // Answered when the writer has opened every month.
    history.seal().await.unwrap();
    for name in ["history-2025-11.sqlite", "history-2025-12.sqlite"] {
        spoil(&folder.path().join(name));
    }
    let told = history.forget_readings_before(FEBRUARY_MS).await;
    let Err(error @ HistoryError::Several(_)) = told else {
        panic!("{told:?}")
    };
    let told = error.to_string();
    assert!(
        told.contains("history-2025-11") && told.contains("history-2025-12"),
        "{told}"
    );
    assert!(!told.contains("history-2026-01"), "{told}");
    let left = history.readings("plant-1", "GD-101", ends_ms[1], FEBRUARY_MS, 100);
    assert_eq!(left.await.unwrap(), []);
}

#[tokio::test]
async fn room_that_a_thinning_left_in_a_file_is_given_back_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    let noise = |at: i64| {
        measured(
            "GD-101",
            FEBRUARY_MS - at * 1_000,
            (at * at % 9_973) as f64 * 0.37,
        )
    };
    history
        .commit((1..40_000).map(noise).collect())
        .await
        .unwrap();
    history.seal().await.unwrap();
    drop(history);
    let path = folder.path().join("history-2026-01.sqlite");
    let hand = rusqlite::Connection::open(&path).unwrap();
    hand.execute_batch("UPDATE chunk SET bytes = x''; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(hand);
    let before = fs::metadata(&path).unwrap().len();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    history.forget_readings_before(FEBRUARY_MS).await.unwrap();
    drop(history);
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before / 2, "{before} bytes, then {after}");
}
