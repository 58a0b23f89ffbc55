//! Messages that could not be read. They are kept whole and then acknowledged, since an unacknowledged one would wedge the gateway's window.

use super::engine::{Row, StoreError, Transaction, values};
use super::{Records, RecordsError};

/// A message put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Rises by one a message.
    pub id: i64,
    pub topic: String,
    pub received_ms: i64,
    pub why: String,
    pub payload: Vec<u8>,
}

/// Messages kept; beyond it the oldest goes, so that a babbling node cannot fill the disk.
const MOST_KEPT: i64 = 10_000;

impl Records {
    /// Puts a message aside; returns when it is on disk.
    pub async fn quarantine(
        &self,
        topic: &str,
        received_ms: i64,
        why: &str,
        payload: &[u8],
    ) -> Result<i64, RecordsError> {
        let mut change = self.engine.begin().await?;
        let id = put(&mut *change, topic, received_ms, why, payload).await?;
        change.commit().await?;
        Ok(id)
    }

    /// The newest first, older than `before` if given.
    pub async fn quarantined(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Quarantined>, RecordsError> {
        let sql = format!(
            "SELECT id, topic, received_ms, why, payload FROM quarantine WHERE id < $1 ORDER BY id DESC LIMIT {limit}"
        );
        let rows = self
            .engine
            .read(sql, values![before.unwrap_or(i64::MAX)])
            .await?;
        let message = |row: &Row| {
            Ok(Quarantined {
                id: row.int(0)?,
                topic: row.text(1)?,
                received_ms: row.int(2)?,
                why: row.text(3)?,
                payload: row.bytes(4)?,
            })
        };
        Ok(rows
            .iter()
            .map(message)
            .collect::<Result<_, StoreError>>()?)
    }
}

/// Puts a message aside within a change.
pub(crate) async fn put(
    change: &mut dyn Transaction,
    topic: &str,
    received_ms: i64,
    why: &str,
    payload: &[u8],
) -> Result<i64, StoreError> {
    let newest = change
        .rows("SELECT COALESCE(MAX(id), 0) FROM quarantine", vec![])
        .await?;
    let id = newest.first().map_or(Ok(0), |row| row.int(0))? + 1;
    let sql =
        "INSERT INTO quarantine (id, topic, received_ms, why, payload) VALUES ($1, $2, $3, $4, $5)";
    change
        .execute(sql, values![id, topic, received_ms, why, payload])
        .await?;
    let drop = "DELETE FROM quarantine WHERE id <= $1";
    change.execute(drop, values![id - MOST_KEPT]).await?;
    Ok(id)
}
