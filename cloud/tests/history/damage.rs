//! A damaged file costs its month and nothing else, and it is said which.

use super::{START_MS, absent, measured};
use davy_alarm::NoValue;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, SeriesQuery};
use std::fs;
use std::path::Path;

const JANUARY: &str = "history-2026-01.sqlite";
const FEBRUARY_MS: i64 = START_MS + 3_600_000;

fn open(folder: &Path) -> Embedded {
    Embedded::open(folder.to_owned()).unwrap()
}

/// A sealed hour in January and a reading in February.
async fn two_months(folder: &Path) {
    let history = open(folder);
    let readings = (0..1_000).map(|at| measured("GD-101", START_MS + at * 1_000, (at % 13) as f64));
    history.commit(readings.collect()).await.unwrap();
    history.seal().await.unwrap();
    let february = vec![measured("GD-101", FEBRUARY_MS, 5.0)];
    history.commit(february).await.unwrap();
}

async fn count(history: &Embedded, from_ms: i64, to_ms: i64) -> Result<usize, HistoryError> {
    let found = history.readings("plant-1", "GD-101", from_ms, to_ms, 10_000);
    Ok(found.await?.len())
}

#[tokio::test]
async fn a_damaged_month_is_put_aside_and_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = folder.path().join(JANUARY);
    fs::write(&path, vec![0x5a; 8_192]).unwrap();
    let history = open(folder.path());
    let damaged = history.damaged();
    assert_eq!(damaged.len(), 1);
    assert_eq!(
        damaged[0].path,
        folder.path().join(format!("{JANUARY}.damaged-1"))
    );
    assert_eq!(fs::read(&damaged[0].path).unwrap(), vec![0x5a; 8_192]);
    assert_eq!(count(&history, 0, i64::MAX).await.unwrap(), 1);
    history
        .commit(vec![measured("GD-101", START_MS, 1.0)])
        .await
        .unwrap();
    assert_eq!(count(&history, 0, i64::MAX).await.unwrap(), 2);
}

#[tokio::test]
async fn a_chunk_that_was_altered_is_reported_and_never_read_as_readings() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    alter_chunk(&folder.path().join(JANUARY));
    let history = open(folder.path());
    match count(&history, START_MS, START_MS + 60_000).await {
        Err(HistoryError::Damaged { path, what }) => {
            assert!(path.ends_with(JANUARY), "{path}");
            assert!(what.contains("checksum"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(count(&history, FEBRUARY_MS, i64::MAX).await.unwrap(), 1);
    // What comes late for such an hour is kept all the same.
    let late = vec![absent("GD-101", START_MS + 1, NoValue::Exception(4))];
    history.commit(late).await.unwrap();
}

fn alter_chunk(path: &Path) {
    let file = rusqlite::Connection::open(path).unwrap();
    let mut bytes: Vec<u8> = file
        .query_row("SELECT bytes FROM chunk", [], |row| row.get(0))
        .unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    file.execute("UPDATE chunk SET bytes = ?1", [bytes])
        .unwrap();
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = folder.path().join(JANUARY);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let refused = Embedded::open(folder.path().to_owned()).unwrap_err();
    assert!(matches!(refused, HistoryError::Store { .. }), "{refused}");
    assert!(path.exists());
}

#[tokio::test]
async fn a_folder_serves_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    assert!(Embedded::open(folder.path().to_owned()).is_err());
    drop(first);
    open(folder.path());
}

#[tokio::test]
async fn times_of_a_clock_gone_wild_are_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let wild = [i64::MIN, -1, 0, 7_258_118_400_000, i64::MAX - 1];
    let history = open(folder.path());
    let readings = wild.map(|time_ms| measured("GD-101", time_ms, 1.5));
    history.commit(readings.to_vec()).await.unwrap();
    history.seal().await.unwrap();
    history.commit(readings.to_vec()).await.unwrap();
    assert_eq!(
        count(&history, i64::MIN, i64::MAX).await.unwrap(),
        wild.len()
    );
    let query = SeriesQuery {
        site: "plant-1".to_owned(),
        point: "GD-101".to_owned(),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        buckets: 2,
    };
    let series = history.series(query).await.unwrap();
    let counted: u32 = series.buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!(counted as usize, wild.len());
}
