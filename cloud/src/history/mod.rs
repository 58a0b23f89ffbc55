//! The narrow seam of the history of readings: what an engine must do, so that another one follows by configuration.
//!
//! A reading is known by (site, point, source time): committing it again changes nothing. Quality and cause of absence survive.

pub mod cassandra;
mod chunk;
pub mod copy;
pub mod embedded;
mod grid;
pub mod influx;
mod minute;
mod month;
mod rollup;
mod state;

use davy_alarm::{NoValue, Reading};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// A place for readings.
pub trait History: Send + Sync + 'static {
    /// Returns when the readings are on disk.
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>>;

    /// One point's trend over `from_ms` ≤ time < `to_ms` in at most `buckets` buckets of equal length, spikes kept; raw readings where there are
    /// no more than that.
    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>>;

    /// Raw readings of one point from `from_ms` on and before `to_ms`, oldest first, at most `limit`: the next page begins one millisecond later.
    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>>;

    /// How many readings, and how many good ones, each minute of `from_ms` ≤ time < `to_ms` holds, oldest first; both ends are whole minutes. Minutes without
    /// any are left out. Memory is that of the span: callers ask for a month at most.
    fn minutes(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> BoxFuture<'_, Result<Vec<Minute>, HistoryError>> {
        let name = (site.to_owned(), point.to_owned());
        Box::pin(async move {
            let name = (name.0.as_str(), name.1.as_str());
            minute::of_series(self, name, (from_ms, to_ms)).await
        })
    }

    /// The newest reading of each point of a site that has one.
    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>>;

    /// Forgets the readings of whole months that ended before this time, and keeps their rollups, where the engine has rollups of its own; with the others all of
    /// them go.
    fn forget_readings_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        self.forget_before(before_ms)
    }

    /// Forgets whole months that ended before this time.
    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>>;
}

/// A reading with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct PointReading {
    pub site: Arc<str>,
    pub point: Arc<str>,
    pub reading: Reading,
}

/// What a minute holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Where it begins, UTC milliseconds.
    pub time_ms: i64,
    pub readings: u32,
    pub good: u32,
}

/// A question for a trend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesQuery {
    pub site: String,
    pub point: String,
    pub from_ms: i64,
    pub to_ms: i64,
    /// 1 to 10,000.
    pub buckets: u32,
}

/// One point's trend; buckets without any reading are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Length of a bucket, milliseconds; 0 for raw readings.
    pub step_ms: i64,
    pub buckets: Vec<Bucket>,
}

/// The readings of one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Where the bucket begins, or the time of a raw reading.
    pub time_ms: i64,
    /// Over the measured values, good and uncertain; the cause where there is none.
    pub span: Result<Span, NoValue>,
    /// Readings in the bucket.
    pub count: u32,
    /// Of which good.
    pub good: u32,
}

/// Lowest, highest and mean value, in the point's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
}

/// Why the history did not answer.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Its queue is full: the caller waits and comes again; nothing was committed.
    #[error("the history is busy")]
    Busy,
    #[error("the history's store at {path}: {source}")]
    Store {
        path: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the history's store at {path} holds what cannot be read: {what}")]
    Damaged { path: String, what: String },
    #[error("the history has stopped")]
    Stopped,
    /// Of several months that were to be forgotten; the others are.
    #[error("{}", told(.0))]
    Several(Vec<HistoryError>),
}

impl HistoryError {
    /// What became of several works of which some failed.
    pub(crate) fn of_all(mut failed: Vec<Self>) -> Result<(), Self> {
        match failed.len() {
            0 | 1 => failed.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(failed)),
        }
    }
}

/// Each of them, since each names its own file.
fn told(errors: &[HistoryError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}
