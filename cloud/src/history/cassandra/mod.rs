//! Cassandra or ScyllaDB as the engine, where one machine ends: the embedded engine's chunks, keyed (series, month) → hour, on nodes that may fail one at a
//! time.
//!
//! Several collectors write at once and know nothing of each other, so that nothing is ever changed in place. What lies there are sets:
//!
//! - A commit is one row a site and hour (`commit`), named by the digest of its bytes; then the hour is marked as open by this collector (`opened`), and only
//!   then the caller is answered. All at QUORUM.
//! - An hour that is over is sealed (`seal`): its commits and the chunks that are there become one chunk a series, again named by its digest. Only when that is
//!   written what went into it is taken away, row by row, by the times at which those rows were written: whoever seals the same hour meanwhile, or commits to it,
//!   loses nothing. At worst an hour has two chunks that tell the same.
//! - A reader takes the union: first the marks, then the commits, then the chunks, in which order everything moves.
//! - A reading is known by (site, point, source time). Of two different ones, which a gateway sends only when its clock was set back, one stands whatever order
//!   they came in: a value before an absence, good before uncertain, then the higher (`union`).
//! - What waits is bounded in readings, and beyond that callers are told `Busy`; so are the statements on their way. A statement that fails is tried again a few
//!   times, ever later.

mod awaited;
mod commit;
mod nodes;
mod read;
mod seal;
mod union;

use super::{History, HistoryError, PointReading, Series, SeriesQuery};
use crate::settings::Cassandra as Address;
pub use awaited::Awaited;
use davy_alarm::Reading;
use futures_util::future::BoxFuture;
use nodes::Nodes;
use seal::Touched;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Readings that wait or are on their way; beyond that, `Busy`, unless nothing else waits. About 100 MB.
const MOST_READINGS: usize = 1_000_000;
/// How often hours are looked through, and how often for those of collectors that have gone.
const TICK: Duration = Duration::from_secs(5);
const TICKS_TO_ORPHANS: u32 = 120;

/// The history on the nodes of a cluster.
#[derive(Debug)]
pub struct Cassandra {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    nodes: Nodes,
    waiting: Arc<Semaphore>,
    touched: Touched,
}

impl Cassandra {
    /// Connects, makes keyspace and tables where they are missing, and begins to seal hours that are over, until this value goes.
    ///
    /// # Errors
    /// If no node answers or the nodes refuse, or the password's file cannot be read.
    pub async fn connect(address: &Address) -> Result<Self, HistoryError> {
        let inner = Arc::new(Inner {
            nodes: Nodes::connect(address).await?,
            waiting: Arc::new(Semaphore::new(MOST_READINGS)),
            touched: Touched::default(),
        });
        tokio::spawn(keep_sealing(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Seals all that is open of a site, also hours that are not over. The engine does so by itself once an hour is over; this is for a test, or before a
    /// copy is made.
    ///
    /// # Errors
    /// As [`History::commit`].
    pub async fn seal(&self, site: &str) -> Result<(), HistoryError> {
        for hour in self.inner.nodes.opened(site, (i64::MIN, i64::MAX)).await? {
            seal::seal(&self.inner.nodes, site, hour).await?;
        }
        Ok(())
    }
}

/// Ends with the engine.
async fn keep_sealing(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut count = 0_u32;
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        if count.is_multiple_of(TICKS_TO_ORPHANS)
            && let Err(error) = seal::find_orphans(&inner.nodes, &inner.touched).await
        {
            tracing::warn!(%error, "hours of collectors that have gone cannot be looked for");
        }
        count = count.wrapping_add(1);
        seal::seal_due(&inner.nodes, &inner.touched).await;
    }
}

impl Inner {
    async fn commit(&self, readings: Vec<PointReading>) -> Result<(), HistoryError> {
        let room = u32::try_from(readings.len().min(MOST_READINGS)).unwrap_or(u32::MAX);
        let Ok(_waiting) = Arc::clone(&self.waiting).try_acquire_many_owned(room) else {
            return Err(HistoryError::Busy);
        };
        let hours = commit::write(&self.nodes, readings).await?;
        self.touched.note(hours);
        Ok(())
    }
}

impl History for Cassandra {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(self.inner.commit(readings))
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(read::series(&self.inner.nodes, query))
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        let (site, point) = (site.to_owned(), point.to_owned());
        Box::pin(async move {
            let name = (site.as_str(), point.as_str());
            read::readings(&self.inner.nodes, name, (from_ms, to_ms), limit).await
        })
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        let site = site.to_owned();
        Box::pin(async move { read::latest(&self.inner.nodes, &site).await })
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(seal::forget_before(&self.inner.nodes, before_ms))
    }
}
