//! Legal holds: what must be kept whatever retention says, until somebody lifts the hold. Setting and lifting one stand in the audit log.

use super::engine::{Row, StoreError, values};
use super::{Records, RecordsError};
use crate::audit::{Entry, append};

/// A hold on a site's record, or on every site's, from a time on, up to one or for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: i64,
    /// Empty for every site.
    pub site: String,
    pub from_ms: i64,
    pub to_ms: Option<i64>,
    pub reason: String,
    pub actor: String,
    pub made_ms: i64,
}

const SELECT: &str =
    "SELECT id, site, from_ms, to_ms, reason, actor, made_ms FROM holds WHERE lifted_ms IS NULL";

impl Records {
    /// The holds that stand, oldest first.
    pub async fn holds(&self) -> Result<Vec<Hold>, RecordsError> {
        let sql = format!("{SELECT} ORDER BY id");
        let rows = self.engine.read(sql, vec![]).await?;
        Ok(rows.iter().map(hold).collect::<Result<_, _>>()?)
    }

    /// Sets a hold and answers its number; that of `hold` is passed over.
    pub async fn set_hold(&self, hold: &Hold) -> Result<i64, RecordsError> {
        let mut change = self.engine.begin().await?;
        let newest = change
            .rows("SELECT COALESCE(MAX(id), 0) FROM holds", vec![])
            .await?;
        let id = newest.first().map_or(Ok(0), |row| row.int(0))? + 1;
        let sql = "INSERT INTO holds (id, site, from_ms, to_ms, reason, actor, made_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let Hold {
            site,
            from_ms,
            to_ms,
            reason,
            actor,
            made_ms,
            ..
        } = hold;
        let values = values![id, site, *from_ms, *to_ms, reason, actor, *made_ms];
        change.execute(sql, values).await?;
        let detail =
            serde_json::json!({ "hold": id, "from_ms": from_ms, "to_ms": to_ms, "reason": reason });
        append(
            &mut *change,
            &Entry {
                time_ms: *made_ms,
                actor: actor.clone(),
                action: "hold-set",
                subject: site.clone(),
                detail,
            },
        )
        .await?;
        change.commit().await?;
        Ok(id)
    }

    /// Lifts a hold; false if none of this number stands.
    pub async fn lift_hold(&self, id: i64, actor: &str, now_ms: i64) -> Result<bool, RecordsError> {
        let mut change = self.engine.begin().await?;
        let sql =
            "UPDATE holds SET lifted_ms = $2, lifted_by = $3 WHERE id = $1 AND lifted_ms IS NULL";
        let lifted = change.execute(sql, values![id, now_ms, actor]).await? > 0;
        if lifted {
            let entry = Entry {
                time_ms: now_ms,
                actor: actor.to_owned(),
                action: "hold-lift",
                subject: String::new(),
                detail: serde_json::json!({ "hold": id }),
            };
            append(&mut *change, &entry).await?;
        }
        change.commit().await?;
        Ok(lifted)
    }
}

fn hold(row: &Row) -> Result<Hold, StoreError> {
    Ok(Hold {
        id: row.int(0)?,
        site: row.text(1)?,
        from_ms: row.int(2)?,
        to_ms: row.maybe_int(3)?,
        reason: row.text(4)?,
        actor: row.text(5)?,
        made_ms: row.int(6)?,
    })
}
