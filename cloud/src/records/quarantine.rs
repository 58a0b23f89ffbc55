//! Messages that could not be read. They are kept whole and then acknowledged, since an unacknowledged one would wedge the gateway's window.

use super::engine::{Row, StoreError, values};
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
    /// Who asked that it be put through again, where that has not been done yet.
    pub replay_asked_by: Option<String>,
    /// That person says that the node's present birth explains the aliases in it.
    pub by_present_birth: bool,
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
        let newest = change
            .rows("SELECT COALESCE(MAX(id), 0) FROM quarantine", vec![])
            .await?;
        let id = newest.first().map_or(Ok(0), |row| row.int(0))? + 1;
        let sql = "INSERT INTO quarantine (id, topic, received_ms, why, payload) VALUES ($1, $2, $3, $4, $5)";
        change
            .execute(sql, values![id, topic, received_ms, why, payload])
            .await?;
        change
            .execute(
                "DELETE FROM quarantine WHERE id <= $1",
                values![id - MOST_KEPT],
            )
            .await?;
        change.commit().await?;
        Ok(id)
    }

    /// The newest first, older than `before` if given.
    pub async fn quarantined(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Quarantined>, RecordsError> {
        let sql = format!("{SELECT} WHERE q.id < $1 ORDER BY q.id DESC LIMIT {limit}");
        self.messages(sql, before.unwrap_or(i64::MAX)).await
    }

    /// One message; none with this id is held.
    pub async fn quarantined_as(&self, id: i64) -> Result<Option<Quarantined>, RecordsError> {
        let found = self
            .messages(format!("{SELECT} WHERE q.id = $1"), id)
            .await?;
        Ok(found.into_iter().next())
    }

    /// Asks that a message be put through again; false where none with this id is held. Asked twice is asked once.
    pub async fn ask_replay(
        &self,
        id: i64,
        actor: &str,
        by_present_birth: bool,
        now_ms: i64,
    ) -> Result<bool, RecordsError> {
        let mut change = self.engine.begin().await?;
        let held = change
            .rows("SELECT id FROM quarantine WHERE id = $1", values![id])
            .await?;
        if held.is_empty() {
            return Ok(false);
        }
        change
            .execute("DELETE FROM replays WHERE id = $1", values![id])
            .await?;
        let put =
            "INSERT INTO replays (id, actor, asked_ms, by_present_birth) VALUES ($1, $2, $3, $4)";
        change
            .execute(put, values![id, actor, now_ms, i64::from(by_present_birth)])
            .await?;
        change.commit().await?;
        Ok(true)
    }

    /// Messages that wait to be put through again, in the order in which they came.
    pub async fn replays(&self, limit: u32) -> Result<Vec<Quarantined>, RecordsError> {
        let asked = format!("{SELECT} WHERE r.id >= $1 ORDER BY q.id LIMIT {limit}");
        self.messages(asked, 0).await
    }

    /// It was put through: it is held no longer.
    pub async fn replayed(&self, id: i64) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        for table in ["replays", "quarantine"] {
            let drop = format!("DELETE FROM {table} WHERE id = $1");
            change.execute(&drop, values![id]).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// It could not be put through, and stays.
    pub async fn not_replayed(&self, id: i64, why: &str) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        change
            .execute("DELETE FROM replays WHERE id = $1", values![id])
            .await?;
        change
            .execute(
                "UPDATE quarantine SET why = $2 WHERE id = $1",
                values![id, why],
            )
            .await?;
        change.commit().await?;
        Ok(())
    }

    async fn messages(&self, sql: String, key: i64) -> Result<Vec<Quarantined>, RecordsError> {
        let rows = self.engine.read(sql, values![key]).await?;
        let message = |row: &Row| {
            Ok(Quarantined {
                id: row.int(0)?,
                topic: row.text(1)?,
                received_ms: row.int(2)?,
                why: row.text(3)?,
                payload: row.bytes(4)?,
                replay_asked_by: Some(row.text(5)?).filter(|actor| !actor.is_empty()),
                by_present_birth: row.int(6)? != 0,
            })
        };
        Ok(rows
            .iter()
            .map(message)
            .collect::<Result<_, StoreError>>()?)
    }
}

/// The last columns are empty and 0 where nobody asked.
const SELECT: &str = "SELECT q.id, q.topic, q.received_ms, q.why, q.payload, COALESCE(r.actor, ''), COALESCE(r.by_present_birth, 0) FROM quarantine q LEFT JOIN replays r ON r.id = q.id";
