//! The schema's steps, embedded. Each is applied once, in order, in a transaction of its own, and remembered with its SHA-256.

use super::engine::{Engine, StoreError, Transaction, values};
use davy_print::text_of;
use sha2::{Digest as _, Sha256};

/// A step that was ever released is never edited; a change is a new step.
const STEPS: [&str; 7] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
];

/// Brings the database to the newest schema.
pub(crate) async fn migrate(engine: &dyn Engine, now_ms: i64) -> Result<(), StoreError> {
    let mut change = engine.begin().await?;
    let table = "CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT PRIMARY KEY, sha256 TEXT NOT NULL, applied_ms BIGINT NOT NULL)";
    change.execute(table, vec![]).await?;
    let applied = change
        .rows(
            "SELECT step, sha256 FROM schema_steps ORDER BY step",
            vec![],
        )
        .await?;
    change.commit().await?;
    let known = STEPS.len() as i64;
    for row in &applied {
        let step = row.int(0)?;
        let text = usize::try_from(step - 1).ok().and_then(|at| STEPS.get(at));
        let text = text.ok_or(StoreError::Newer { found: step, known })?;
        if row.text(1)? != digest(text) {
            return Err(StoreError::SchemaChanged(step));
        }
    }
    for (at, text) in STEPS.iter().enumerate().skip(applied.len()) {
        let mut change = engine.begin().await?;
        let step = at as i64 + 1;
        // Another collector on the same store may have been first.
        let there = "SELECT step FROM schema_steps WHERE step = $1";
        if change.rows(there, values![step]).await?.is_empty() {
            apply(engine, &mut *change, step, text, now_ms).await?;
        }
        change.commit().await?;
    }
    Ok(())
}

async fn apply(
    engine: &dyn Engine,
    change: &mut dyn Transaction,
    step: i64,
    text: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    for statement in statements(text) {
        change.execute(&engine.spell(&statement), vec![]).await?;
    }
    let remember = "INSERT INTO schema_steps (step, sha256, applied_ms) VALUES ($1, $2, $3)";
    change
        .execute(remember, values![step, digest(text), now_ms])
        .await?;
    Ok(())
}

/// Splits at `;`: the steps hold none inside a text or comment (a test keeps it so).
fn statements(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"));
    let code = code.collect::<Vec<_>>().join("\n");
    code.split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn digest(text: &str) -> String {
    text_of(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_the_schema_begins_with_a_verb() {
        for statement in STEPS.iter().flat_map(|step| statements(step)) {
            assert!(
                statement.starts_with("CREATE ") || statement.starts_with("INSERT "),
                "{statement}"
            );
        }
    }
}
