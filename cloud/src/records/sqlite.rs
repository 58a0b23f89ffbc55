//! The embedded engine: one SQLite file, WAL, `synchronous = FULL` (a commit that returned is on disk).
//!
//! One connection writes, so that a writer waits in the pool's queue and never meets `SQLITE_BUSY`; four read. A disk that is full or fails has SQLite roll a
//! transaction back by itself (sqlite.org/lang_transaction, §3), of which sqlx does not learn: a connection that it still takes to be in a transaction is
//! closed, and another one opened.

use super::engine::{Engine, Row, StoreError, Transaction, Value};
use futures_util::future::BoxFuture;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, Sqlite, TypeInfo as _, ValueRef as _};
use std::path::Path;
use std::time::Duration;

/// Readers at once; the next one waits.
const READERS: u32 = 4;
/// How long a caller waits for a connection before it is told that the store is busy.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) struct SqliteEngine {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteEngine {
    /// Opens or makes the file.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT);
        let fail = |source| StoreError::Open {
            path: path.display().to_string(),
            source,
        };
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(WAIT)
                .before_acquire(|connection, _| {
                    let is_fit = !connection.is_in_transaction();
                    if !is_fit {
                        tracing::warn!("a connection to the records is still in a transaction that failed, and is closed");
                    }
                    Box::pin(async move { Ok(is_fit) })
                })
        };
        Ok(Self {
            writer: pool(1).connect_with(options.clone()).await.map_err(fail)?,
            readers: pool(READERS).connect_with(options).await.map_err(fail)?,
        })
    }
}

impl Engine for SqliteEngine {
    fn read(&self, sql: String, values: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let rows = query(sql, values).fetch_all(&self.readers).await?;
            rows.iter().map(row).collect()
        })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async move {
            let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            Ok(Box::new(SqliteTransaction(begun)) as Box<dyn Transaction>)
        })
    }
}

struct SqliteTransaction(sqlx::Transaction<'static, Sqlite>);

impl Transaction for SqliteTransaction {
    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let rows = query(sql.to_owned(), values)
                .fetch_all(&mut *self.0)
                .await?;
            rows.iter().map(row).collect()
        })
    }

    fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            Ok(query(sql.to_owned(), values)
                .execute(&mut *self.0)
                .await?
                .rows_affected())
        })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.0.commit().await?) })
    }
}

/// Every text given here is made of constants of this crate; what comes from outside is bound, never spliced.
fn query(sql: String, values: Vec<Value>) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(sql));
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

fn row(row: &SqliteRow) -> Result<Row, StoreError> {
    (0..row.columns().len())
        .map(|at| cell(row, at))
        .collect::<Result<_, _>>()
        .map(Row)
}

fn cell(row: &SqliteRow, at: usize) -> Result<Value, StoreError> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Int(None));
    }
    Ok(match raw.type_info().name() {
        "INTEGER" => Value::Int(row.try_get_unchecked(at)?),
        "REAL" => Value::Real(row.try_get_unchecked(at)?),
        "BLOB" => Value::Bytes(row.try_get_unchecked(at)?),
        _ => Value::Text(row.try_get_unchecked(at)?),
    })
}
