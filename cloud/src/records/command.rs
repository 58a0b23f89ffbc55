//! Commands that people sent to gateways, and what became of each.

use super::engine::values;
use super::notice::Notice;
use super::{Records, RecordsError};

/// What is recorded of a command that was done.
pub(crate) const DONE: &str = "done";

/// A command as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub id: String,
    pub site: String,
    pub alarm: String,
    pub action: String,
    pub actor: String,
    pub sent_ms: i64,
}

impl Records {
    /// Records a command before it is sent.
    pub async fn command_sent(&self, command: &Command) -> Result<(), RecordsError> {
        let sql = "INSERT INTO commands (id, site, alarm, action, actor, sent_ms) VALUES ($1, $2, $3, $4, $5, $6)";
        let Command {
            id,
            site,
            alarm,
            action,
            actor,
            sent_ms,
        } = command;
        self.change(sql, values![id, site, alarm, action, actor, *sent_ms])
            .await?;
        Ok(())
    }

    /// Records the answer, the first only: [`DONE`], or why it was refused. Answers whether it was the first.
    pub async fn command_answered(
        &self,
        id: &str,
        outcome: &str,
        now_ms: i64,
    ) -> Result<bool, RecordsError> {
        let sql =
            "UPDATE commands SET outcome = $2, answered_ms = $3 WHERE id = $1 AND outcome IS NULL";
        let mut change = self.engine.begin().await?;
        let is_first = change.execute(sql, values![id, outcome, now_ms]).await? > 0;
        // What was done comes as a line of the journal.
        if is_first && outcome != DONE {
            let of = "SELECT site, alarm FROM commands WHERE id = $1";
            for row in change.rows(of, values![id]).await? {
                change.tell(Notice::Refused {
                    command: id.to_owned(),
                    site: row.text(0)?,
                    alarm: row.text(1)?,
                    why: outcome.to_owned(),
                });
            }
        }
        change.commit().await?;
        Ok(is_first)
    }
}
