//! A disk that others filled: what cannot be kept is refused and never acknowledged, what was acknowledged is there, and all goes on by itself once there is room.

use super::small_disk::SmallDisk;
use super::{START_MS, measured};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, PointReading};
use std::fs::File;

const BATCH: i64 = 1_000;
/// More than the disk takes, and a bound for a disk that takes everything.
const MOST_BATCHES: i64 = 1_000;

fn batch(number: i64) -> Vec<PointReading> {
    (number * BATCH..(number + 1) * BATCH)
        .map(|at| measured("GD-101", START_MS + at, at as f64))
        .collect()
}

/// Every reading of the batches before this one is there, once, and nothing else.
async fn holds(history: &Embedded, batches: i64) {
    let all = history.readings("plant-1", "GD-101", 0, i64::MAX, usize::MAX);
    let all = all.await.unwrap();
    assert_eq!(all.len() as i64, batches * BATCH);
    for (at, one) in (0..).zip(&all) {
        assert_eq!(
            (one.source_time().0, one.value()),
            (START_MS + at, Ok(at as f64))
        );
    }
}

/// Commits until the disk takes no more; answers how many batches were acknowledged.
async fn commit_until_refused(history: &Embedded, from: i64) -> i64 {
    for number in from..MOST_BATCHES {
        match history.commit(batch(number)).await {
            Ok(()) => {}
            Err(HistoryError::Store { path, source }) => {
                assert!(path.contains("2026-01"), "{path}");
                assert!(source.to_string().contains("full"), "{source}");
                return number;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the disk is never full");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged_and_is_taken_up_again() {
    let disk = SmallDisk::mount(6);
    let folder = disk.path().join("history");
    let history = Embedded::open(folder.clone()).unwrap();
    history.commit(batch(0)).await.unwrap();
    // Room for a few commits, none for what settles.
    let others = disk.fill();
    let taken = std::fs::metadata(&others).unwrap().len();
    let room = File::options().write(true).open(&others).unwrap();
    room.set_len(taken - (200 << 10)).unwrap();
    drop(room);
    let acknowledged = commit_until_refused(&history, 1).await;
    holds(&history, acknowledged).await;
    disk.fill();
    assert!(history.seal().await.is_err(), "a full disk takes no chunk");
    holds(&history, acknowledged).await;
    assert!(history.commit(batch(acknowledged)).await.is_err());

    std::fs::remove_file(&others).unwrap();
    history.commit(batch(acknowledged)).await.unwrap();
    holds(&history, acknowledged + 1).await;
    history.seal().await.unwrap();
    holds(&history, acknowledged + 1).await;
    drop(history);
    let again = Embedded::open(folder).unwrap();
    assert!(again.damaged().is_empty());
    holds(&again, acknowledged + 1).await;
}
