//! A period is copied from one engine to another: all of it, verified, and from where it was broken off.

use super::{START_MS, absent, measured};
use crate::engine::{Engine, cassandra, embedded, influxdb};
use davy_alarm::NoValue;
use davy_cloud::history::copy::{Copied, Copy, CopyError, Ledger, series};
use davy_cloud::history::{History, PointReading, SeriesQuery};

const READINGS: i64 = 25_000;

fn copy() -> Copy {
    Copy {
        from: "one".to_owned(),
        to: "another".to_owned(),
        from_ms: START_MS + 1_000,
        to_ms: START_MS + (READINGS - 1) * 1_000,
    }
}

/// One a second, with absences, the first and the last of which are not of the period.
fn readings() -> Vec<PointReading> {
    let reading = |at: i64| match at % 97 {
        13 => absent("p", START_MS + at * 1_000, NoValue::Timeout),
        _ => measured("p", START_MS + at * 1_000, at as f64 / 8.0),
    };
    (0..READINGS).map(reading).collect()
}

async fn all(engine: &Engine, site: &str) -> Vec<davy_alarm::Reading> {
    let query = SeriesQuery {
        site: site.to_owned(),
        point: "p".to_owned(),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        buckets: 1,
    };
    crate::model::pages(engine.history(), &query).await
}

async fn is_copied(from: Engine, to: Engine) {
    from.commit(&readings()).await;
    let (site, folder) = (from.site(), tempfile::tempdir().unwrap());
    let path = folder.path().join("ledger");
    let sides: (&dyn History, &dyn History) = (from.history(), to.history());
    let mut ledger = Ledger::open(&path, &copy()).unwrap();
    let copied = series(sides, &copy(), (&site, "p"), &mut ledger).await;
    let copied = copied.unwrap();
    assert_eq!(copied.readings, READINGS as u64 - 2);
    let expected: Vec<_> = readings().into_iter().map(|one| one.reading).collect();
    let (_, rest) = expected.split_first().unwrap();
    assert_eq!(all(&to, &site).await, rest[..rest.len() - 1]);
    // Again from the beginning: nothing is doubled, and the checksum is the same.
    let mut anew = Ledger::open(&folder.path().join("anew"), &copy()).unwrap();
    let again = series(sides, &copy(), (&site, "p"), &mut anew).await;
    assert_eq!(again.unwrap(), copied);
}

#[tokio::test]
async fn a_period_comes_whole_from_files_to_files() {
    is_copied(embedded().await, embedded().await).await;
}

#[tokio::test]
async fn a_period_comes_whole_from_files_to_what_lies_on_influxdb_and_back() {
    is_copied(embedded().await, influxdb().await).await;
    is_copied(influxdb().await, embedded().await).await;
}

#[tokio::test]
async fn a_period_comes_whole_from_files_to_what_lies_on_cassandra_and_back() {
    is_copied(embedded().await, cassandra().await).await;
    is_copied(cassandra().await, embedded().await).await;
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_told_with_both_numbers() {
    let (from, to) = (embedded().await, embedded().await);
    from.commit(&readings()).await;
    let other = PointReading {
        site: from.site().as_str().into(),
        ..measured("p", START_MS + 5_500, 1.0)
    };
    to.history().commit(vec![other]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let mut ledger = Ledger::open(&path, &copy()).unwrap();
    let sides = (from.history(), to.history());
    let told = series(sides, &copy(), (&from.site(), "p"), &mut ledger).await;
    let Err(CopyError::Differs { from, to, .. }) = told else {
        panic!("{told:?}")
    };
    assert_eq!((from, to), (READINGS as u64 - 2, READINGS as u64 - 1));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn what_the_ledger_has_is_not_copied_again_and_a_line_cut_off_is_nothing() {
    let (from, to) = (embedded().await, embedded().await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let copied = |point: &str| Copied {
        site: from.site(),
        point: point.to_owned(),
        readings: 7,
        checksum: "told".to_owned(),
    };
    let line = |what: &Copied| serde_json::to_string(what).unwrap();
    let cut = &line(&copied("q"))[..20];
    let first = serde_json::to_string(&copy()).unwrap();
    std::fs::write(&path, format!("{first}\n{}\n{cut}", line(&copied("p")))).unwrap();
    let mut ledger = Ledger::open(&path, &copy()).unwrap();
    let sides = (from.history(), to.history());
    let site = from.site();
    let of_p = series(sides, &copy(), (&site, "p"), &mut ledger).await;
    assert_eq!(of_p.unwrap(), copied("p"));
    let of_q = series(sides, &copy(), (&site, "q"), &mut ledger).await;
    assert_eq!(of_q.unwrap().readings, 0);
    let mut ledger = Ledger::open(&path, &copy()).unwrap();
    let of_q = series(sides, &copy(), (&site, "q"), &mut ledger).await;
    assert_eq!(of_q.unwrap().readings, 0);
    let other = Copy { to_ms: 5, ..copy() };
    let refused = Ledger::open(&path, &other);
    assert!(matches!(refused, Err(CopyError::OtherLedger { .. })));
}
