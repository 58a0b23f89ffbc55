//! What every engine must do, on each of them: the embedded one in a folder, the others on the servers that `cargo xtask test` starts and names
//! (`DAVY_INFLUXDB`, `DAVY_CASSANDRA`).

use super::{START_MS, model};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::cassandra::Cassandra;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::influx::Influx;
use davy_cloud::history::{History, HistoryError, PointReading, SeriesQuery};
use davy_cloud::settings;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static SITES: AtomicU32 = AtomicU32::new(0);

const HOUR_MS: i64 = 3_600_000;

/// An engine with a site of its own, whoever else uses the same server.
pub(crate) struct Engine {
    kind: Kind,
    site: String,
    folder: tempfile::TempDir,
}

enum Kind {
    /// None while it is closed.
    Embedded(Option<Embedded>),
    Influx(Influx),
    Cassandra(Cassandra),
}

fn site() -> String {
    format!(
        "plant-{}-{}",
        std::process::id(),
        SITES.fetch_add(1, Relaxed)
    )
}

pub(crate) async fn embedded() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let history = Embedded::open(folder.path().to_owned()).unwrap();
    Engine {
        kind: Kind::Embedded(Some(history)),
        site: site(),
        folder,
    }
}

pub(crate) async fn influxdb() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let server = std::env::var("DAVY_INFLUXDB")
        .expect("DAVY_INFLUXDB names an InfluxDB server: run `cargo xtask test`");
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "davy-test-token\n").unwrap();
    let address = settings::Influx {
        url: format!("http://{server}"),
        org: "davy".to_owned(),
        bucket: "davy".to_owned(),
        token_file,
    };
    Engine {
        kind: Kind::Influx(Influx::new(&address).unwrap()),
        site: site(),
        folder,
    }
}

/// The cluster of the suites, from some of its nodes.
pub(crate) fn cluster() -> settings::Cassandra {
    let nodes = std::env::var("DAVY_CASSANDRA")
        .expect("DAVY_CASSANDRA names the nodes of a cluster: run `cargo xtask test`");
    settings::Cassandra {
        nodes: nodes.split(',').map(str::to_owned).collect(),
        keyspace: "davy_test".to_owned(),
        replication: 3,
        username: None,
        password_file: None,
    }
}

pub(crate) async fn cassandra() -> Engine {
    Engine {
        kind: Kind::Cassandra(Cassandra::connect(&cluster()).await.unwrap()),
        site: site(),
        folder: tempfile::tempdir().unwrap(),
    }
}

impl Engine {
    pub(crate) fn history(&self) -> &dyn History {
        match &self.kind {
            Kind::Embedded(history) => history.as_ref().unwrap(),
            Kind::Influx(history) => history,
            Kind::Cassandra(history) => history,
        }
    }

    pub(crate) fn site(&self) -> String {
        self.site.clone()
    }

    /// Whether of two different readings of one time the first stays.
    pub(crate) fn keeps_first(&self) -> bool {
        matches!(self.kind, Kind::Embedded(_))
    }

    /// Which of two different readings of one time stands.
    fn standing(&self, first: Reading, second: Reading) -> Reading {
        match &self.kind {
            Kind::Embedded(_) => first,
            Kind::Influx(_) => second,
            // A value before an absence, and the higher value.
            Kind::Cassandra(_) => match (first.value(), second.value()) {
                (Ok(one), Ok(other)) if one >= other => first,
                (Ok(_), Err(_)) => first,
                _ => second,
            },
        }
    }

    /// Commits the batch as this engine's site's.
    pub(crate) async fn commit(&self, batch: &[PointReading]) {
        let at_site = |one: &PointReading| PointReading {
            site: self.site.as_str().into(),
            ..one.clone()
        };
        let batch = batch.iter().map(at_site).collect();
        self.history().commit(batch).await.unwrap();
    }

    pub(crate) async fn seal(&self) {
        match &self.kind {
            Kind::Embedded(history) => history.as_ref().unwrap().seal().await.unwrap(),
            Kind::Influx(_) => {}
            Kind::Cassandra(history) => history.seal(&self.site).await.unwrap(),
        }
    }

    /// As a collector that was started again finds it.
    pub(crate) async fn reopen(&mut self) {
        if let Kind::Embedded(history) = &mut self.kind {
            drop(history.take());
            *history = Some(Embedded::open(self.folder.path().to_owned()).unwrap());
        }
    }

    async fn all(&self, point: &str) -> Vec<Reading> {
        self.within(point, i64::MIN, i64::MAX).await
    }

    async fn within(&self, point: &str, from_ms: i64, to_ms: i64) -> Vec<Reading> {
        let query = SeriesQuery {
            site: self.site(),
            point: point.to_owned(),
            from_ms,
            to_ms,
            buckets: 1,
        };
        model::pages(self.history(), &query).await
    }
}

fn of(point: &str, readings: impl IntoIterator<Item = Reading>) -> Vec<PointReading> {
    let named = |reading| super::named(point, reading);
    readings.into_iter().map(named).collect()
}

/// A reading of every kind, one a second.
fn of_every_kind() -> Vec<Reading> {
    let causes = (0..=u16::MAX).filter_map(NoValue::from_code);
    let values = [
        0.0,
        -0.0,
        0.1 + 0.2,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -273.15,
        9_007_199_254_740_993.0,
    ];
    let absent = causes.map(|cause| Box::new(move |time| Reading::absent(cause, time)) as Make);
    let good = values.map(|value| Box::new(move |time| Reading::measured(value, time)) as Make);
    let uncertain =
        values.map(|value| Box::new(move |time| Reading::uncertain(value, time)) as Make);
    let all = absent.chain(good).chain(uncertain);
    (0..)
        .zip(all)
        .map(|(at, make)| make(WallMs(START_MS + at * 1_000)))
        .collect()
}

type Make = Box<dyn Fn(WallMs) -> Reading>;

/// Bit for bit: a negative zero is none.
fn assert_same(found: &[Reading], expected: &[Reading]) {
    let bits = |one: &Reading| {
        let value = one.value().map(f64::to_bits);
        (one.source_time(), value, one.quality())
    };
    let bits = |all: &[Reading]| all.iter().map(bits).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected));
}

async fn every_kind_survives(engine: Engine) {
    let readings = of_every_kind();
    engine.commit(&of("p", readings.clone())).await;
    assert_same(&engine.all("p").await, &readings);
    engine.seal().await;
    assert_same(&engine.all("p").await, &readings);
}

/// Held by what forgets, and by what would be forgotten by it on a shared server.
static OLD_TIMES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn wrong_clocks_survive(engine: Engine) {
    let _alone = OLD_TIMES.lock().await;
    let times = [i64::MIN, -1, 0, START_MS, 5_000_000_000_000, i64::MAX - 1];
    let readings = times.map(|time| Reading::measured(1.5, WallMs(time)));
    engine.commit(&of("p", readings)).await;
    assert_same(&engine.all("p").await, &readings);
    assert_same(&engine.within("p", -1, 1).await, &readings[1..3]);
    let latest = engine.history().latest(&engine.site()).await.unwrap();
    assert_eq!(latest, [("p".to_owned(), readings[5])]);
    let query = SeriesQuery {
        site: engine.site(),
        point: "p".to_owned(),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        buckets: 2,
    };
    let series = engine.history().series(query).await.unwrap();
    let counts: Vec<u32> = series.buckets.iter().map(|one| one.count).collect();
    // Buckets of that length are whole hours, so that 1970 begins in the first.
    assert_eq!(counts, [3, 3]);
}

async fn again_changes_nothing(engine: Engine) {
    let readings = of_every_kind();
    let batch = of("p", readings.clone());
    let reversed: Vec<PointReading> = batch.iter().rev().cloned().collect();
    engine.commit(&batch[100..]).await;
    engine.commit(&batch).await;
    engine.seal().await;
    engine.commit(&reversed).await;
    engine.commit(&batch[..150]).await;
    engine.commit(&reversed[30..90]).await;
    assert_same(&engine.all("p").await, &readings);
    engine.seal().await;
    assert_same(&engine.all("p").await, &readings);
    let query = SeriesQuery {
        site: engine.site(),
        point: "p".to_owned(),
        from_ms: START_MS,
        to_ms: START_MS + HOUR_MS,
        buckets: 1,
    };
    let series = engine.history().series(query).await.unwrap();
    assert_eq!(series.buckets[0].count as usize, readings.len());
    assert_eq!(series.buckets[0].good, 9);
}

async fn writers_at_once_lose_nothing(engine: Engine) {
    const WRITERS: i64 = 4;
    const BATCHES: i64 = 40;
    // Each batch is sent by two of them.
    let batch = |at: i64| {
        let second = |of: i64| WallMs(START_MS + (at * 10 + of) * 1_000);
        of(
            "p",
            (0..10).map(|of| Reading::measured(of as f64, second(of))),
        )
    };
    let engine = &engine;
    let write = |writer: i64| async move {
        for at in (0..BATCHES).filter(|at| at % WRITERS == writer || at % 3 == writer) {
            engine.commit(&batch(at)).await;
        }
    };
    futures_util::future::join_all((0..WRITERS).map(write)).await;
    let expected: Vec<Reading> = (0..BATCHES)
        .flat_map(batch)
        .map(|one| one.reading)
        .collect();
    assert_same(&engine.all("p").await, &expected);
}

async fn one_of_two_stands(engine: Engine) {
    let time = |at: i64| WallMs(START_MS + at * 1_000);
    let pairs = [
        (
            Reading::measured(1.0, time(0)),
            Reading::measured(2.0, time(0)),
        ),
        (
            Reading::measured(1.0, time(1)),
            Reading::absent(NoValue::Timeout, time(1)),
        ),
        (
            Reading::absent(NoValue::Timeout, time(2)),
            Reading::measured(2.0, time(2)),
        ),
    ];
    engine.commit(&of("p", pairs.map(|pair| pair.0))).await;
    engine.commit(&of("p", pairs.map(|pair| pair.1))).await;
    let found = engine.all("p").await;
    assert_eq!(found.len(), pairs.len(), "{found:?}");
    for (one, (first, second)) in found.iter().zip(pairs) {
        assert_eq!(*one, engine.standing(first, second));
    }
}

async fn names_are_kept_apart(engine: Engine) {
    let names = [
        "",
        "%",
        "a",
        "A",
        " a",
        "a,b=c d",
        "a\\",
        "a\\,b",
        "a\nreading,site=x value=1",
        "'; DROP MEASUREMENT reading; --",
        "\"q\"",
        "罐区 氨气#1",
        "%41",
        "a\0b",
    ];
    for (at, name) in (0..).zip(names) {
        let reading = Reading::measured(at as f64, WallMs(START_MS + at));
        engine.commit(&of(name, [reading])).await;
    }
    let mut expected = Vec::new();
    for (at, name) in (0..).zip(names) {
        let reading = Reading::measured(at as f64, WallMs(START_MS + at));
        assert_same(&engine.all(name).await, &[reading]);
        expected.push((name.to_owned(), reading));
    }
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let latest = engine.history().latest(&engine.site()).await.unwrap();
    assert_eq!(latest, expected);
}

async fn gaps_and_causes_stay(engine: Engine) {
    let time = |minute: i64, second: i64| WallMs(START_MS + (minute * 60 + second) * 1_000);
    // Minutes 0 to 2 are measured, 3 to 5 lost with a cause that changes, of 6 to 9 there is nothing.
    let mut readings: Vec<Reading> = (0..180)
        .map(|at| Reading::measured(at as f64, time(0, at)))
        .collect();
    readings.extend((0..180).map(|at| {
        let cause = if at < 90 {
            NoValue::Timeout
        } else {
            NoValue::LinkDown
        };
        Reading::absent(cause, time(3, at))
    }));
    readings.push(Reading::uncertain(7.0, time(10, 0)));
    engine.commit(&of("p", readings)).await;
    let query = SeriesQuery {
        site: engine.site(),
        point: "p".to_owned(),
        from_ms: START_MS,
        to_ms: time(11, 0).0,
        buckets: 11,
    };
    for sealed in [false, true] {
        if sealed {
            engine.seal().await;
        }
        let series = engine.history().series(query.clone()).await.unwrap();
        let told: Vec<_> = series
            .buckets
            .iter()
            .map(|one| {
                let minute = (one.time_ms - START_MS) / 60_000;
                (
                    minute,
                    one.count,
                    one.good,
                    one.span.map(|span| (span.min, span.max)),
                )
            })
            .collect();
        let expected = [
            (0, 60, 60, Ok((0.0, 59.0))),
            (1, 60, 60, Ok((60.0, 119.0))),
            (2, 60, 60, Ok((120.0, 179.0))),
            (3, 60, 0, Err(NoValue::Timeout)),
            (4, 60, 0, Err(NoValue::LinkDown)),
            (5, 60, 0, Err(NoValue::LinkDown)),
            (10, 1, 0, Ok((7.0, 7.0))),
        ];
        assert_eq!((series.step_ms, told.as_slice()), (60_000, &expected[..]));
    }
}

async fn months_are_forgotten(engine: Engine) {
    let _alone = OLD_TIMES.lock().await;
    // In 2001, so that on a shared server nobody else's are.
    const FEBRUARY_MS: i64 = 980_985_600_000;
    const MARCH_MS: i64 = 983_404_800_000;
    let readings = [FEBRUARY_MS - 1, FEBRUARY_MS, MARCH_MS - 1, MARCH_MS]
        .map(|time| Reading::measured(1.0, WallMs(time)));
    engine.commit(&of("p", readings)).await;
    let history = engine.history();
    history.forget_before(FEBRUARY_MS + 5).await.unwrap();
    assert_same(&engine.all("p").await, &readings[1..]);
    history.forget_before(MARCH_MS - 1).await.unwrap();
    assert_same(&engine.all("p").await, &readings[1..]);
    engine.seal().await;
    history.forget_before(MARCH_MS).await.unwrap();
    assert_same(&engine.all("p").await, &readings[3..]);
}

async fn nothing_is_an_answer_too(engine: Engine) {
    let history = engine.history();
    history.commit(Vec::new()).await.unwrap();
    let found: Result<Vec<_>, HistoryError> = history.latest(&engine.site()).await;
    assert_eq!(found.unwrap(), []);
    assert_eq!(engine.all("nobody").await, []);
    let query = SeriesQuery {
        site: engine.site(),
        point: "nobody".to_owned(),
        from_ms: 5,
        to_ms: 5,
        buckets: 10,
    };
    let series = history.series(query).await.unwrap();
    assert_eq!((series.step_ms, series.buckets), (0, vec![]));
}

/// The same sentences for each engine.
macro_rules! conformance {
    ($name:ident, $engine:path, $cases:expr) => {
        mod $name {
            #[test]
            fn it_answers_as_a_plain_list_would() {
                super::model::check($cases, $engine);
            }
            conformance! { $engine:
                value_quality_and_cause_of_every_kind_survive_bit_for_bit => every_kind_survives,
                readings_of_wrong_clocks_are_kept_and_found_by_their_times => wrong_clocks_survive,
                a_batch_that_comes_again_reordered_or_in_part_changes_nothing => again_changes_nothing,
                collectors_that_write_at_once_lose_and_double_nothing => writers_at_once_lose_nothing,
                of_two_readings_of_one_time_one_stands_as_it_was => one_of_two_stands,
                names_are_kept_apart_whatever_they_hold => names_are_kept_apart,
                a_gap_stays_a_gap_and_an_absence_names_its_cause => gaps_and_causes_stay,
                whole_months_are_forgotten_and_nothing_else => months_are_forgotten,
                where_there_is_nothing_the_answer_is_empty => nothing_is_an_answer_too,
            }
        }
    };
    ($engine:path: $($sentence:ident => $case:ident,)+) => {
        $(
            #[tokio::test]
            async fn $sentence() {
                super::$case($engine().await).await;
            }
        )+
    };
}

conformance!(on_files, crate::engine::embedded, 64);
conformance!(on_influxdb, crate::engine::influxdb, 12);
conformance!(on_cassandra, crate::engine::cassandra, 6);
