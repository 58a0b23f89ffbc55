//! Every engine against a plain list of readings.

use super::{START_MS, named};
use crate::engine::Engine;
use davy_alarm::{NoValue, Quality, Reading, WallMs};
use davy_cloud::history::{Bucket, History, PointReading, SeriesQuery};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

const POINTS: [&str; 2] = ["GD-101", "TT-7"];
/// Over the end of a month and a few hours of either side.
const LENGTH_MS: i64 = 4 * 3_600_000;

/// A plain list: the first reading of a time stays.
#[derive(Default)]
struct Model(BTreeMap<(String, i64), Reading>);

impl Model {
    /// Those of a batch whose time is not known yet, each time once.
    fn fresh(&self, batch: Vec<PointReading>) -> Vec<PointReading> {
        let mut seen = BTreeSet::new();
        let mut is_fresh = |one: &PointReading| {
            let key = (one.point.to_string(), one.reading.source_time().0);
            !self.0.contains_key(&key) && seen.insert(key)
        };
        batch.into_iter().filter(|one| is_fresh(one)).collect()
    }

    fn commit(&mut self, batch: &[PointReading]) {
        for one in batch {
            let key = (one.point.to_string(), one.reading.source_time().0);
            self.0.entry(key).or_insert(one.reading);
        }
    }

    fn readings(&self, point: &str, from_ms: i64, to_ms: i64) -> Vec<Reading> {
        let within = |((of, time_ms), _): &(&(String, i64), &Reading)| {
            of == point && (from_ms..to_ms).contains(time_ms)
        };
        self.0.iter().filter(within).map(|(_, one)| *one).collect()
    }

    fn latest(&self) -> Vec<(String, Reading)> {
        let mut newest = BTreeMap::new();
        for ((point, _), reading) in &self.0 {
            newest.insert(point.clone(), *reading);
        }
        newest.into_iter().collect()
    }

    /// The buckets of this length, by the words of the seam.
    fn buckets(&self, query: &SeriesQuery, step_ms: i64) -> Vec<Bucket> {
        let all = self.readings(&query.point, query.from_ms, query.to_ms);
        let bucket_of = |one: &Reading| (one.source_time().0 - query.from_ms) / step_ms;
        all.chunk_by(|a, b| bucket_of(a) == bucket_of(b))
            .map(|of_bucket| {
                bucket(
                    query.from_ms + bucket_of(&of_bucket[0]) * step_ms,
                    of_bucket,
                )
            })
            .collect()
    }
}

fn bucket(time_ms: i64, readings: &[Reading]) -> Bucket {
    let values: Vec<f64> = readings.iter().filter_map(|one| one.value().ok()).collect();
    let span = if values.is_empty() {
        Err(readings.last().unwrap().value().unwrap_err())
    } else {
        Ok(davy_cloud::history::Span {
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean: values.iter().sum::<f64>() / values.len() as f64,
        })
    };
    let good = readings
        .iter()
        .filter(|one| one.quality() == Quality::Good)
        .count();
    Bucket {
        time_ms,
        span,
        count: readings.len() as u32,
        good: good as u32,
    }
}

#[derive(Clone, Debug)]
enum Act {
    Commit(Vec<PointReading>),
    /// Commits a part of what was committed before again, as a gateway does that saw no acknowledgement; other values come with it where the engine keeps the
    /// first of two.
    Repeat(usize),
    Seal,
    Reopen,
    Ask(SeriesQuery),
}

fn reading() -> impl Strategy<Value = (u8, f64, u8)> {
    (0..12_u8, -50.0..50.0_f64, 1..=255_u8)
}

fn made(time_ms: i64, (kind, value, code): (u8, f64, u8)) -> Reading {
    let time = WallMs(time_ms);
    match kind {
        0 => Reading::absent(NoValue::Exception(code), time),
        1 => Reading::absent(NoValue::Timeout, time),
        2 => Reading::uncertain(value, time),
        3 => Reading::measured(-0.0, time),
        _ => Reading::measured((value * 10.0).round() / 10.0, time),
    }
}

/// A run of readings at an even pace, as gateways send them, forwards or backwards.
fn batch() -> impl Strategy<Value = Vec<PointReading>> {
    let pace = prop_oneof![Just(1_000_i64), Just(250), Just(60_000), Just(7_001)];
    let run = (0..POINTS.len(), 0..LENGTH_MS, pace, any::<bool>());
    let lengths = prop_oneof![4 => 1..400_usize, 1 => 900..2_500_usize];
    (run, lengths.prop_flat_map(|length| vec(reading(), length))).prop_map(
        |((point, offset, pace, is_backwards), rows)| {
            // On a grid of a quarter of a second, so that runs meet.
            let start_ms = START_MS + offset / 250 * 250;
            let mut batch: Vec<PointReading> = rows
                .into_iter()
                .enumerate()
                .map(|(at, row)| named(POINTS[point], made(start_ms + at as i64 * pace, row)))
                .collect();
            if is_backwards {
                batch.reverse();
            }
            batch
        },
    )
}

fn query() -> impl Strategy<Value = SeriesQuery> {
    let unit = prop_oneof![Just(1_i64), Just(1_000), Just(60_000), Just(3_600_000)];
    let edges = (-LENGTH_MS..2 * LENGTH_MS, 1..3 * LENGTH_MS, unit);
    (0..POINTS.len(), edges, 1..60_u32).prop_map(|(point, (offset, length, unit), buckets)| {
        let from_ms = START_MS + offset / unit * unit;
        SeriesQuery {
            site: "plant-1".to_owned(),
            point: POINTS[point].to_owned(),
            from_ms,
            to_ms: from_ms + (length / unit * unit).max(1),
            buckets,
        }
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => batch().prop_map(Act::Commit),
        2 => (0..20_usize).prop_map(Act::Repeat),
        2 => Just(Act::Seal),
        1 => Just(Act::Reopen),
        4 => query().prop_map(Act::Ask),
    ];
    vec(act, 1..20)
}

/// Lives through random acts on an engine, so many times.
pub(crate) fn check(cases: u32, engine: impl AsyncFn() -> Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let tried = runner.run(&(acts(), vec(query(), 4)), |(acts, last)| {
        runtime.block_on(async { follow(engine().await, acts, last).await })
    });
    tried.unwrap();
}

async fn follow(
    mut engine: Engine,
    acts: Vec<Act>,
    last: Vec<SeriesQuery>,
) -> Result<(), TestCaseError> {
    let (mut model, mut committed) = (Model::default(), Vec::<Vec<PointReading>>::new());
    for act in acts {
        match act {
            Act::Commit(batch) => {
                // Other values at a time that is known are told by which engine keeps which: see `engine`.
                let batch = if engine.keeps_first() {
                    batch
                } else {
                    model.fresh(batch)
                };
                model.commit(&batch);
                committed.push(batch.clone());
                engine.commit(&batch).await;
            }
            Act::Repeat(at) if !committed.is_empty() => {
                let before = &committed[at % committed.len()];
                engine.commit(&again(before, engine.keeps_first())).await;
            }
            Act::Repeat(_) => {}
            Act::Seal => engine.seal().await,
            Act::Reopen => engine.reopen().await,
            Act::Ask(query) => compare(&engine, &model, query).await?,
        }
    }
    for query in last {
        compare(&engine, &model, query).await?;
    }
    Ok(())
}

fn again(before: &[PointReading], with_other_values: bool) -> Vec<PointReading> {
    let other = |one: &PointReading| {
        let time = one.reading.source_time();
        named(&one.point, Reading::measured(99.0, time))
    };
    let half = before.len() / 2;
    if with_other_values {
        before.iter().map(other).collect()
    } else {
        before[half..].iter().rev().cloned().collect()
    }
}

async fn compare(engine: &Engine, model: &Model, query: SeriesQuery) -> Result<(), TestCaseError> {
    let query = &SeriesQuery {
        site: engine.site(),
        ..query
    };
    let history = engine.history();
    let expected = model.readings(&query.point, query.from_ms, query.to_ms);
    prop_assert_eq!(&pages(history, query).await, &expected);
    prop_assert_eq!(history.latest(&query.site).await.unwrap(), model.latest());
    let series = history.series(query.clone()).await.unwrap();
    prop_assert!(series.buckets.len() <= query.buckets as usize);
    let is_raw = expected.len() <= query.buckets as usize;
    prop_assert_eq!(series.step_ms == 0, is_raw);
    let expected = if is_raw {
        model.buckets(query, 1)
    } else {
        model.buckets(query, series.step_ms)
    };
    prop_assert_eq!(series.buckets.len(), expected.len());
    for (found, expected) in series.buckets.iter().zip(&expected) {
        prop_assert!(
            is_same(found, expected),
            "{found:?} is not {expected:?} of {query:?}"
        );
    }
    Ok(())
}

/// Equal, but for the last bits of a mean, which depend on the order of adding.
fn is_same(found: &Bucket, expected: &Bucket) -> bool {
    let is_span_same = match (found.span, expected.span) {
        (Ok(found), Ok(expected)) => {
            found.min == expected.min
                && found.max == expected.max
                && (found.mean - expected.mean).abs() < 1e-9
        }
        (found, expected) => found == expected,
    };
    is_span_same
        && (found.time_ms, found.count, found.good)
            == (expected.time_ms, expected.count, expected.good)
}

/// Everything of a range, by pages of an odd size.
pub(crate) async fn pages(history: &dyn History, query: &SeriesQuery) -> Vec<Reading> {
    let (mut from_ms, mut found) = (query.from_ms, Vec::new());
    loop {
        let page = history
            .readings(&query.site, &query.point, from_ms, query.to_ms, 701)
            .await
            .unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        from_ms = last.source_time().0 + 1;
        found.extend(page);
    }
}
