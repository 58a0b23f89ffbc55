//! Log-ins that stand. The token itself is never stored, only its SHA-256.

use super::engine::values;
use super::person::{PERSON_COLUMNS, Person, person};
use super::{Records, RecordsError};

/// A session to begin.
#[derive(Clone, Debug)]
pub struct Session {
    /// SHA-256 of the token, hexadecimal.
    pub token_hash: String,
    pub person: String,
    pub created_ms: i64,
    pub expires_ms: i64,
}

/// Sessions of one person at once; beyond it the oldest ends.
const MOST_A_PERSON: u32 = 20;

impl Records {
    /// Begins a session; forgets those that have expired.
    pub async fn begin_session(&self, session: &Session) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        change
            .execute(
                "DELETE FROM sessions WHERE expires_ms <= $1",
                values![session.created_ms],
            )
            .await?;
        let sql = "INSERT INTO sessions (token_hash, user_id, created_ms, expires_ms) VALUES ($1, $2, $3, $4)";
        let Session {
            token_hash,
            person,
            created_ms,
            expires_ms,
        } = session;
        change
            .execute(sql, values![token_hash, person, *created_ms, *expires_ms])
            .await?;
        let sql = format!(
            "DELETE FROM sessions WHERE user_id = $1 AND token_hash NOT IN \
             (SELECT token_hash FROM sessions WHERE user_id = $1 ORDER BY created_ms DESC LIMIT {MOST_A_PERSON})"
        );
        change.execute(&sql, values![person]).await?;
        change.commit().await?;
        Ok(())
    }

    /// Whose session this is, if it stands at `now_ms`.
    pub async fn session_person(
        &self,
        token_hash: &str,
        now_ms: i64,
    ) -> Result<Option<Person>, RecordsError> {
        let sql = format!(
            "SELECT {PERSON_COLUMNS} FROM sessions t JOIN users u ON u.id = t.user_id WHERE t.token_hash = $1 AND t.expires_ms > $2"
        );
        let rows = self.engine.read(sql, values![token_hash, now_ms]).await?;
        Ok(rows.first().map(person).transpose()?)
    }

    pub async fn end_session(&self, token_hash: &str) -> Result<(), RecordsError> {
        self.change(
            "DELETE FROM sessions WHERE token_hash = $1",
            values![token_hash],
        )
        .await?;
        Ok(())
    }
}
