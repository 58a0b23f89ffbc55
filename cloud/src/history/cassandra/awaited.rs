//! A cluster that may not answer yet when the collector starts: it is asked again until it does. Until then the history is busy, which ingest knows: nothing is
//! acknowledged, and gateways keep what they have. A collector that ended instead would take the records, the alarms and the screens with it.

use super::Cassandra;
use crate::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use crate::settings::Cassandra as Address;
use davy_alarm::Reading;
use futures_util::future::BoxFuture;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// The first pause between two tries, doubled up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// A history that is, or will be, on a cluster.
#[derive(Clone, Debug, Default)]
pub struct Awaited(Arc<OnceLock<Cassandra>>);

impl Awaited {
    /// Tries at once, and then again in the background, as long as anybody holds this value. `told` hears of every try: none where it is connected.
    ///
    /// # Errors
    /// If the password's file cannot be read: that is a mistake of the settings, which waiting does not mend.
    pub async fn connect(
        address: &Address,
        told: impl Fn(Option<&HistoryError>) + Send + Sync + 'static,
    ) -> Result<Self, HistoryError> {
        address.password().map_err(|what| HistoryError::Store {
            path: address.to_string(),
            source: what.into(),
        })?;
        let awaited = Self::default();
        match Cassandra::connect(address).await {
            Ok(connected) => {
                told(None);
                let _empty = awaited.0.set(connected);
            }
            Err(error) => {
                told(Some(&error));
                let cell = Arc::downgrade(&awaited.0);
                tokio::spawn(keep_trying(address.clone(), cell, told));
            }
        }
        Ok(awaited)
    }

    fn there(&self) -> Result<&Cassandra, HistoryError> {
        self.0.get().ok_or(HistoryError::Busy)
    }
}

async fn keep_trying(
    address: Address,
    cell: Weak<OnceLock<Cassandra>>,
    told: impl Fn(Option<&HistoryError>) + Send + Sync,
) {
    let mut pause = PAUSE;
    while cell.strong_count() > 0 {
        tokio::time::sleep(pause).await;
        match Cassandra::connect(&address).await {
            Ok(connected) => {
                if let Some(cell) = cell.upgrade() {
                    let _empty = cell.set(connected);
                    told(None);
                }
                return;
            }
            Err(error) => told(Some(&error)),
        }
        pause = (pause * 2).min(LONGEST);
    }
}

impl History for Awaited {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async move { self.there()?.commit(readings).await })
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(async move { self.there()?.series(query).await })
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
            let there = self.there()?;
            there.readings(&site, &point, from_ms, to_ms, limit).await
        })
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        let site = site.to_owned();
        Box::pin(async move { self.there()?.latest(&site).await })
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async move { self.there()?.forget_before(before_ms).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_is_waited_for_and_told_of() {
        // Bound and never listened on, so that nobody answers there.
        let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = held.local_addr().expect("its address");
        drop(held);
        let settings = Address {
            nodes: vec![address.to_string()],
            keyspace: "davy".into(),
            replication: 1,
            username: None,
            password_file: None,
        };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        let history = Awaited::connect(&settings, move |error| {
            let told = error.map(ToString::to_string);
            hearing.lock().expect("a lock").push(told);
        });
        let history = history.await.expect("a history that waits");
        let told = heard.lock().expect("a lock")[0].clone();
        assert!(told.expect("an error").contains(&address.to_string()));
        let committed = history.commit(vec![]).await;
        assert!(
            matches!(committed, Err(HistoryError::Busy)),
            "{committed:?}"
        );
        let read = history.readings("s", "p", 0, 1, 1).await;
        assert!(matches!(read, Err(HistoryError::Busy)), "{read:?}");
    }

    #[tokio::test]
    async fn a_password_that_cannot_be_read_is_a_mistake_and_not_waited_for() {
        let settings = Address {
            nodes: vec!["127.0.0.1:1".into()],
            keyspace: "davy".into(),
            replication: 1,
            username: Some("davy".into()),
            password_file: Some("/nowhere/at/all".into()),
        };
        let refused = Awaited::connect(&settings, |_| {}).await;
        let told = refused.expect_err("an error").to_string();
        assert!(told.contains("/nowhere/at/all"), "{told}");
    }
}
