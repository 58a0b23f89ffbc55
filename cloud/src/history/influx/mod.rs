//! InfluxDB 2 as the engine: readings as points of a bucket, for cities that live in Grafana and Flux, and for collectors that share one history.
//!
//! One reading is one point of the measurement `reading`, known by the tags `site` and `point` and its source time in milliseconds:
//!
//! | field | what |
//! |---|---|
//! | `value` | the value; none of an absent reading, so that no mean ever counts one |
//! | `good` | 1 of a good reading, 0 of any other: their sum counts the good ones, their number all |
//! | `absent` | the stable code of the cause, of an absent reading alone |
//!
//! - Writing a point again changes nothing, so that a batch may come as often as it likes. Of two *different* readings of one time, which a gateway sends only
//!   when its clock was set back, the one that was written last stands; the embedded engine keeps the first.
//! - Source times outside of 1970 to 2109, which only a wrong clock makes, lie in the measurement `reading_beyond` (`line`): none is dropped.
//! - `commit` returns when InfluxDB has written its log. What waits is bounded in readings, and beyond that callers are told `Busy`; a failing server is tried
//!   again a few times, ever later (`client`).
//! - A trend is reckoned by the server, by the same buckets as the embedded engine's.

mod client;
mod line;
mod read;

use super::month::Month;
use super::{History, HistoryError, PointReading, Series, SeriesQuery};
use crate::settings::Influx as Address;
use client::Client;
use davy_alarm::Reading;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Lines of one request: InfluxDB's own advice is 5,000 to 10,000.
const MOST_LINES: usize = 10_000;

/// The history in a bucket of an InfluxDB server.
#[derive(Clone, Debug)]
pub struct Influx {
    client: Arc<Client>,
}

impl Influx {
    /// Makes the engine; the server need not answer yet.
    ///
    /// # Errors
    /// If the token's file cannot be read.
    pub fn new(address: &Address) -> Result<Self, HistoryError> {
        Ok(Self {
            client: Arc::new(Client::new(address)?),
        })
    }

    /// Asks whether the server lets us read the bucket.
    ///
    /// # Errors
    /// If it does not answer, or refuses.
    pub async fn check(&self) -> Result<(), HistoryError> {
        let question = "SHOW MEASUREMENTS LIMIT 1".to_owned();
        self.client.ask(question, |_| Ok(())).await
    }

    async fn write(&self, readings: Vec<PointReading>) -> Result<(), HistoryError> {
        let Some(_waiting) = self.client.admit(readings.len()) else {
            return Err(HistoryError::Busy);
        };
        let bodies = readings.chunks(MOST_LINES).map(line::body);
        let written = bodies.map(|body| self.client.write(body));
        futures_util::future::try_join_all(written).await.map(drop)
    }
}

impl History for Influx {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.write(readings))
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(read::series(&self.client, query))
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        let name = (site.to_owned(), point.to_owned());
        Box::pin(async move {
            read::readings(&self.client, (&name.0, &name.1), (from_ms, to_ms), limit).await
        })
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        let site = site.to_owned();
        Box::pin(async move { read::latest(&self.client, &site).await })
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.client.forget(Month::of(before_ms).start_ms()))
    }
}
