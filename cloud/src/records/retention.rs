//! What retention takes away, class by class. Each step is in the audit log: rows of the records with how many they are, in the transaction that takes them;
//! months of the history, which is another store, before they are asked to go. What a hold keeps, and the lines of an alarm that still stands, stay; holds are
//! looked at in the transaction that they must stop. One change runs at a time over all collectors (`engine`), so that of several one takes a row.

use super::engine::{StoreError, Transaction, values};
use super::{Records, RecordsError};
use crate::audit::{Entry, PURGE, append, head::KEY};

/// Rows that one transaction takes: ingest waits no longer than for these.
const ROWS_AT_ONCE: u64 = 5_000;

/// A table of the class of alarms: its name, its key, when a row begins and when it ends, and what must be past for it to go. `x` is the row.
struct Part {
    table: &'static str,
    key: &'static str,
    begins: &'static str,
    time: &'static str,
    and: &'static str,
}

/// A standing alarm is folded from its lines: they stay.
const STANDING: &str = "NOT EXISTS (SELECT 1 FROM alarms a WHERE a.site = x.site AND a.alarm = x.alarm AND a.state <> 0)";

const PARTS: [Part; 4] = [
    Part {
        table: "transitions",
        key: "site, epoch, seq",
        begins: "time_ms",
        time: "time_ms",
        and: STANDING,
    },
    Part {
        table: "occurrences",
        key: "site, epoch, alarm, occurrence",
        begins: "raised_ms",
        time: "cleared_ms",
        and: STANDING,
    },
    Part {
        table: "outages",
        key: "site, from_ms",
        begins: "from_ms",
        time: "to_ms",
        and: "1 = 1",
    },
    Part {
        table: "commands",
        key: "id",
        begins: "sent_ms",
        time: "sent_ms",
        and: "outcome IS NOT NULL",
    },
];

impl Part {
    /// The rows that may go. A hold keeps what reaches into its time from either side.
    fn of(&self) -> String {
        let Self {
            table,
            begins,
            time,
            and,
            ..
        } = self;
        format!(
            "FROM {table} x WHERE x.{time} < $1 AND {and} AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.lifted_ms IS NULL \
             AND (h.site = '' OR h.site = x.site) AND x.{time} >= h.from_ms AND (h.to_ms IS NULL OR x.{begins} < h.to_ms))"
        )
    }
}

/// A step of the history's retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is older goes.
    pub before_ms: i64,
    /// Nobody took a step as far before.
    pub is_first: bool,
}

impl Records {
    /// Says in the audit log that a step is taken, as far as the holds allow, unless one was already that goes as far.
    pub async fn retention_step(
        &self,
        class: &str,
        before_ms: i64,
        now_ms: i64,
    ) -> Result<Step, RecordsError> {
        let mut change = self.engine.begin().await?;
        let before_ms = held_back(&mut *change, before_ms).await?;
        let is_first = mark(&mut *change, class, before_ms).await?;
        if is_first {
            let detail = serde_json::json!({ "class": class, "before_ms": before_ms });
            append(&mut *change, &entry(class, detail, now_ms)).await?;
        }
        change.commit().await?;
        Ok(Step {
            before_ms,
            is_first,
        })
    }

    /// Takes alarm lines, occurrences, silences and orders that are older away; answers how many rows. What one transaction takes, the audit log says in the same
    /// one: of several collectors none takes, or tells, a row that another took.
    pub async fn purge_alarms(&self, before_ms: i64, now_ms: i64) -> Result<u64, RecordsError> {
        let mut taken = 0;
        loop {
            let mut change = self.engine.begin().await?;
            let mut counts = serde_json::Map::new();
            let mut room = ROWS_AT_ONCE;
            for part in &PARTS {
                let Part { table, key, .. } = part;
                let sql = format!(
                    "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} {} LIMIT {room})",
                    part.of()
                );
                let gone = change.execute(&sql, values![before_ms]).await?;
                room = room.saturating_sub(gone);
                counts.insert((*table).to_owned(), gone.into());
            }
            let gone = ROWS_AT_ONCE - room;
            if gone == 0 {
                return Ok(taken);
            }
            let detail =
                serde_json::json!({ "class": "alarms", "before_ms": before_ms, "rows": counts });
            append(&mut *change, &entry("alarms", detail, now_ms)).await?;
            change.commit().await?;
            taken += gone;
        }
    }

    /// Takes the oldest rows of the audit log away, up to the first that is as young as this; answers how many. The chain then begins at the last one taken,
    /// which its own entry names with the keys that the chain knew (`audit/verify.rs`).
    pub async fn purge_audit(&self, before_ms: i64, now_ms: i64) -> Result<i64, RecordsError> {
        let mut change = self.engine.begin().await?;
        let before_ms = held_back(&mut *change, before_ms).await?;
        let sql = "SELECT seq, hash FROM audit WHERE seq < (SELECT MIN(seq) FROM audit WHERE time_ms >= $1) ORDER BY seq DESC LIMIT 1";
        let rows = change.rows(sql, values![before_ms]).await?;
        let Some(row) = rows.first() else {
            return Ok(0);
        };
        let (seq, hash) = (row.int(0)?, row.text(1)?);
        let base = change
            .rows("SELECT seq FROM audit_base WHERE id = 1", vec![])
            .await?;
        let base = base.first().map_or(Ok(0), |row| row.int(0))?;
        let keys = keys(&mut *change).await?;
        let audit =
            serde_json::json!({ "seq": seq, "hash": hash, "rows": seq - base, "keys": keys });
        let detail =
            serde_json::json!({ "class": "audit", "before_ms": before_ms, "audit": audit });
        append(&mut *change, &entry("audit", detail, now_ms)).await?;
        let sql = "UPDATE audit_base SET seq = $1, hash = $2 WHERE id = 1";
        change.execute(sql, values![seq, hash]).await?;
        change
            .execute("DELETE FROM audit WHERE seq <= $1", values![seq])
            .await?;
        change.commit().await?;
        Ok(seq - base)
    }
}

/// Every key that the chain knows, told by itself or by an earlier purge.
async fn keys(change: &mut dyn Transaction) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT public_key FROM audit_heads GROUP BY public_key ORDER BY public_key";
    let signed = change.rows(sql, vec![]).await?;
    let told = "SELECT subject FROM audit WHERE action = $1";
    let told = change.rows(told, values![KEY]).await?;
    let earlier = "SELECT detail FROM audit WHERE action = $1";
    let earlier = change.rows(earlier, values![PURGE]).await?;
    let mut known = std::collections::BTreeSet::new();
    for row in &told {
        known.insert(row.text(0)?);
    }
    for row in &earlier {
        let detail: serde_json::Value = serde_json::from_str(&row.text(0)?).unwrap_or_default();
        let keys = detail["audit"]["keys"].as_array().into_iter().flatten();
        known.extend(keys.filter_map(|key| key.as_str().map(str::to_owned)));
    }
    // A key that only signed, and was never told, stays unknown.
    let mut keys = Vec::new();
    for row in &signed {
        keys.extend(Some(row.text(0)?).filter(|key| known.contains(key)));
    }
    Ok(keys)
}

/// Not past the beginning of the earliest hold.
async fn held_back(change: &mut dyn Transaction, before_ms: i64) -> Result<i64, StoreError> {
    let sql = "SELECT MIN(from_ms) FROM holds WHERE lifted_ms IS NULL";
    let rows = change.rows(sql, vec![]).await?;
    let earliest = rows.first().map_or(Ok(None), |row| row.maybe_int(0))?;
    Ok(earliest.map_or(before_ms, |held_ms| before_ms.min(held_ms)))
}

async fn mark(
    change: &mut dyn Transaction,
    class: &str,
    before_ms: i64,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO retained (class, before_ms) VALUES ($1, $2) ON CONFLICT (class) DO UPDATE SET before_ms = excluded.before_ms \
        WHERE retained.before_ms < excluded.before_ms";
    Ok(change.execute(sql, values![class, before_ms]).await? > 0)
}

fn entry(class: &str, detail: serde_json::Value, now_ms: i64) -> Entry {
    Entry {
        time_ms: now_ms,
        actor: "collector".to_owned(),
        action: PURGE,
        subject: class.to_owned(),
        detail,
    }
}
