//! The audit log: every human action, append-only, each row's hash over the one before it.
//!
//! `hash = SHA-256(previous hash (64 bytes of lower-case hexadecimal; none for the first) ‖ seq u64 ‖ time_ms i64 ‖ four fields)`, integers little-endian,
//! the fields actor, action, subject, detail each as u32 length in bytes and UTF-8. `seq` counts from 1 without a hole. The chain's end is kept apart
//! (`audit_head`), so that rows taken from the end are missed too, and is signed daily (`head`), so that a log written anew is found. `verify` walks it.

pub mod head;
mod verify;

pub use verify::{Fault, Verdict};

use crate::records::engine::{Row, StoreError, Transaction, storable, values};
use crate::records::{Records, RecordsError};
use davy_print::text_of;
use sha2::{Digest as _, Sha256};

/// The action of a horn that was silenced at a plant: who did it counts in the alarm figures.
pub(crate) const PLANT_SILENCE: &str = "plant-silence";

/// The action of retention that took something away; its detail says what.
pub(crate) const PURGE: &str = "retention";

/// What is to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub time_ms: i64,
    /// The person; `command-line` for whoever works at the machine itself; `gateway`; `<site>/<person>` of somebody at a plant, `<site>/local` of its screen.
    pub actor: String,
    /// `login`, `login-failed`, `logout`, `export`, `acknowledge`, `shelve`, `unshelve`, `user-add`, `user-change`, `user-remove`, `site-set`;
    /// `readings-lost` and `clock-set` of a gateway; `node-event` and `node-events-lost` of a node behind one (actor `<site>/<device>`), at its own time; `plant-silence`, `plant-reset`, `plant-reload`, `plant-test`, `plant-prove` and `plant-report` of a plant.
    pub action: &'static str,
    /// What it was done to: a site, an alarm, a person.
    pub subject: String,
    /// JSON.
    pub detail: serde_json::Value,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    pub seq: i64,
    pub time_ms: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
    pub hash: String,
}

impl Records {
    /// Appends an entry; returns when it is on disk. Who must be remembered for an act calls this before the act.
    pub async fn audit(&self, entry: &Entry) -> Result<i64, RecordsError> {
        let mut change = self.engine.begin().await?;
        let seq = append(&mut *change, entry).await?;
        change.commit().await?;
        Ok(seq)
    }

    /// Rows, newest first, older than `before` if given.
    pub async fn audited(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Audited>, RecordsError> {
        let all = i64::MIN..i64::MAX;
        self.audited_within(all, before, limit).await
    }

    /// Rows of a span of time, by number, newest first, those before the number `before` if given. A row may be of an earlier time than the one before it: a
    /// gateway tells afterwards what was done at a plant.
    pub async fn audited_within(
        &self,
        span_ms: std::ops::Range<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Audited>, RecordsError> {
        let sql = format!(
            "{SELECT} WHERE seq < $1 AND time_ms >= $2 AND time_ms < $3 ORDER BY seq DESC LIMIT {limit}"
        );
        let values = values![before.unwrap_or(i64::MAX), span_ms.start, span_ms.end];
        let rows = self.engine.read(sql, values).await?;
        Ok(rows.iter().map(audited).collect::<Result<_, _>>()?)
    }
}

const SELECT: &str = "SELECT seq, time_ms, actor, action, subject, detail, hash FROM audit";

/// Appends within a change that must stand or fall with its entry.
pub(crate) async fn append(change: &mut dyn Transaction, entry: &Entry) -> Result<i64, StoreError> {
    let head = change
        .rows("SELECT seq, hash FROM audit_head WHERE id = 1", vec![])
        .await?;
    let head = head
        .first()
        .map(|row| Ok::<_, StoreError>((row.int(0)?, row.text(1)?)))
        .transpose()?;
    let (seq, before) = head.unwrap_or_default();
    // What is hashed is what every database keeps.
    let mut row = Audited {
        seq: seq + 1,
        time_ms: entry.time_ms,
        actor: storable(&entry.actor),
        action: entry.action.to_owned(),
        subject: storable(&entry.subject),
        detail: entry.detail.to_string(),
        hash: String::new(),
    };
    row.hash = hash(&before, &row);
    let sql = "INSERT INTO audit (seq, time_ms, actor, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Audited {
        seq,
        time_ms,
        actor,
        action,
        subject,
        detail,
        hash,
    } = &row;
    change
        .execute(
            sql,
            values![*seq, *time_ms, actor, action, subject, detail, hash],
        )
        .await?;
    change
        .execute(
            "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1",
            values![*seq, hash],
        )
        .await?;
    Ok(*seq)
}

fn hash(before: &str, row: &Audited) -> String {
    let mut digest = Sha256::new();
    digest.update(before.as_bytes());
    digest.update((row.seq as u64).to_le_bytes());
    digest.update(row.time_ms.to_le_bytes());
    for field in [&row.actor, &row.action, &row.subject, &row.detail] {
        digest.update((field.len() as u32).to_le_bytes());
        digest.update(field.as_bytes());
    }
    text_of(&digest.finalize())
}

fn audited(row: &Row) -> Result<Audited, StoreError> {
    Ok(Audited {
        seq: row.int(0)?,
        time_ms: row.int(1)?,
        actor: row.text(2)?,
        action: row.text(3)?,
        subject: row.text(4)?,
        detail: row.text(5)?,
        hash: row.text(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_the_format_says() {
        let row = Audited {
            seq: 1,
            time_ms: 1_795_500_000_000,
            actor: "王".into(),
            action: "login".into(),
            subject: "王".into(),
            detail: "{}".into(),
            hash: String::new(),
        };
        let mut bytes = Vec::new();
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(1_795_500_000_000_i64.to_le_bytes());
        bytes.extend([3, 0, 0, 0, 0xe7, 0x8e, 0x8b]);
        bytes.extend(b"\x05\0\0\0login");
        bytes.extend([3, 0, 0, 0, 0xe7, 0x8e, 0x8b]);
        bytes.extend(b"\x02\0\0\0{}");
        assert_eq!(hash("", &row), text_of(&Sha256::digest(&bytes)));
    }
}
