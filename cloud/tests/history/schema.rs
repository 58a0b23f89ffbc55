//! A file of every schema that was released is read, and goes on in the newest.

use super::{START_MS, measured};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::History;
use davy_cloud::history::embedded::Embedded;
use std::path::Path;

/// As version 1 wrote it.
const SCHEMA_1: &str = include_str!("schema-1.sql");
const HOUR: i64 = START_MS / 3_600_000;

/// A file of version 1 with three readings of two hours in its buffer.
fn of_version_1(folder: &Path) {
    let file = rusqlite::Connection::open(folder.join("history-2026-01.sqlite")).unwrap();
    file.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; {SCHEMA_1} PRAGMA application_id = {}; PRAGMA user_version = 1;
         INSERT INTO series VALUES (1, 'plant-1', 'GD-101', {START_MS}, 0, 1.5);
         INSERT INTO buffer VALUES (1, {START_MS}, 0, 1.5), (1, {}, 2, NULL), (1, {}, 255, -3.0);",
        0x4456_4859,
        START_MS - 1_000,
        START_MS - 2_000,
    ))
    .unwrap();
}

#[tokio::test]
async fn what_a_file_of_version_1_holds_is_read_and_sealed_with_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    of_version_1(folder.path());
    let expected = vec![
        Reading::uncertain(-3.0, WallMs(START_MS - 2_000)),
        Reading::absent(NoValue::Timeout, WallMs(START_MS - 1_000)),
        Reading::measured(1.5, WallMs(START_MS)),
    ];
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    assert!(history.damaged().is_empty());
    let all = async || {
        history
            .readings("plant-1", "GD-101", 0, i64::MAX, 100)
            .await
            .unwrap()
    };
    assert_eq!(all().await, expected);
    // A repeat changes nothing, before it is sealed and after.
    let again = vec![measured("GD-101", START_MS, 9.0)];
    history.commit(again.clone()).await.unwrap();
    history.seal().await.unwrap();
    history.commit(again).await.unwrap();
    assert_eq!(all().await, expected);
    drop(history);
    let file = rusqlite::Connection::open(folder.path().join("history-2026-01.sqlite")).unwrap();
    let number = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), 2);
    assert_eq!(number("SELECT count(*) FROM hour"), 2);
    assert_eq!(number("SELECT max(hour) FROM hour"), HOUR);
    assert_eq!(
        number("SELECT count(*) FROM sqlite_schema WHERE name = 'buffer'"),
        0
    );
}

#[tokio::test]
async fn a_commit_that_was_altered_on_disk_costs_its_own_readings_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    for at in 0..3 {
        let reading = measured("GD-101", START_MS + at * 1_000, at as f64);
        history.commit(vec![reading]).await.unwrap();
    }
    drop(history);
    let file = rusqlite::Connection::open(folder.path().join("history-2026-01.sqlite")).unwrap();
    let altered = file.execute(
        "UPDATE recent SET bytes = substr(bytes, 2) WHERE id = 2",
        [],
    );
    assert_eq!(altered, Ok(1));
    drop(file);
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    let left = history
        .readings("plant-1", "GD-101", 0, i64::MAX, 100)
        .await
        .unwrap();
    let left: Vec<_> = left.iter().map(|one| one.value()).collect();
    assert_eq!(left, [Ok(0.0), Ok(2.0)]);
}
