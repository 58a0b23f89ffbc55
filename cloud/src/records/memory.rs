//! An engine in memory for simulations: SQLite itself, on one connection that several collectors share, called where it stands, so that all of it happens in
//! one order. At each step a [`Fate`] may make the database fail, or the process that called it die on the spot.

use super::engine::{Engine, Row, StoreError, Transaction, Value};
use super::{Records, RecordsError, schema};
use futures_util::future::BoxFuture;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, params_from_iter};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What the database is about to do for a process, or has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Read,
    Begin,
    /// Within a change.
    Statement,
    Commit,
    /// It is on disk, and nobody knows yet.
    Committed,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fortune {
    Good,
    /// The database answers with an error, and nothing was changed.
    Fails,
    /// The calling process never goes on.
    Dies,
}

/// Decides over one process.
pub trait Fate: Send + Sync {
    fn of(&self, moment: Moment) -> Fortune;
}

/// A database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// An empty one with the newest schema.
    ///
    /// # Errors
    /// If SQLite does not start.
    pub async fn make(now_ms: i64) -> Result<Self, RecordsError> {
        let connection = Connection::open_in_memory().map_err(database)?;
        let made = Self(Arc::new(Mutex::new(connection)));
        let engine = Process {
            database: made.clone(),
            fate: Arc::new(Kind),
        };
        schema::migrate(&engine, now_ms).await?;
        Ok(made)
    }

    /// The records as one process has them.
    pub fn records(&self, fate: Arc<dyn Fate>) -> Records {
        Records {
            engine: Arc::new(Process {
                database: self.clone(),
                fate,
            }),
        }
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Database {
    /// Looks at the tables past all processes: what is committed, and nothing else.
    ///
    /// # Errors
    /// If SQLite refuses the question.
    pub async fn examine(&self, sql: &str) -> Result<Vec<Vec<Cell>>, RecordsError> {
        let rows = rows(&*self.0.lock().await, sql, &[])?;
        let cells = |row: Row| row.0.into_iter().map(Cell::from).collect();
        Ok(rows.into_iter().map(cells).collect())
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Int(Some(value)) => Self::Int(value),
            Value::Real(Some(value)) => Self::Real(value),
            Value::Text(Some(value)) => Self::Text(value),
            Value::Bytes(Some(value)) => Self::Bytes(value),
            Value::Int(None) | Value::Real(None) | Value::Text(None) | Value::Bytes(None) => {
                Self::Null
            }
        }
    }
}

struct Kind;

impl Fate for Kind {
    fn of(&self, _: Moment) -> Fortune {
        Fortune::Good
    }
}

struct Process {
    database: Database,
    fate: Arc<dyn Fate>,
}

impl Engine for Process {
    fn read(&self, sql: String, values: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            meet(&*self.fate, Moment::Read).await?;
            rows(&*self.database.0.lock().await, &sql, &values)
        })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async move {
            meet(&*self.fate, Moment::Begin).await?;
            let connection = self.database.0.clone().lock_owned().await;
            connection
                .execute_batch("BEGIN IMMEDIATE")
                .map_err(database)?;
            Ok(Box::new(Change {
                open: Open(Some(connection)),
                fate: self.fate.clone(),
            }) as Box<dyn Transaction>)
        })
    }
}

/// A change in progress; dropped, or when its process dies, it is rolled back.
struct Change {
    open: Open,
    fate: Arc<dyn Fate>,
}

/// The connection while a change is under way; none once its process has died, for a database does not wait for the dead.
struct Open(Option<OwnedMutexGuard<Connection>>);

impl Open {
    fn get(&self) -> Result<&Connection, StoreError> {
        let gone = || StoreError::Database(sqlx::Error::PoolClosed);
        self.0.as_deref().ok_or_else(gone)
    }

    fn end(&mut self) {
        if let Some(connection) = self.0.take()
            && !connection.is_autocommit()
        {
            // It fails only if there is nothing to roll back.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.end();
    }
}

impl Change {
    async fn meet(&mut self, moment: Moment) -> Result<(), StoreError> {
        let fortune = self.fate.of(moment);
        if fortune == Fortune::Dies {
            self.open.end();
        }
        suffer(fortune).await
    }
}

impl Transaction for Change {
    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            self.meet(Moment::Statement).await?;
            rows(self.open.get()?, sql, &values)
        })
    }

    fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.meet(Moment::Statement).await?;
            let connection = self.open.get()?;
            let mut statement = connection.prepare_cached(sql).map_err(database)?;
            let touched = statement.execute(bound(&values)).map_err(database)?;
            Ok(touched as u64)
        })
    }

    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            self.meet(Moment::Commit).await?;
            let connection = self.open.get()?;
            connection.execute_batch("COMMIT").map_err(database)?;
            let fate = self.fate.clone();
            drop(self);
            meet(&*fate, Moment::Committed).await
        })
    }
}

async fn meet(fate: &dyn Fate, moment: Moment) -> Result<(), StoreError> {
    suffer(fate.of(moment)).await
}

async fn suffer(fortune: Fortune) -> Result<(), StoreError> {
    match fortune {
        Fortune::Good => Ok(()),
        Fortune::Fails => Err(StoreError::Database(sqlx::Error::PoolTimedOut)),
        Fortune::Dies => std::future::pending().await,
    }
}

fn bound(values: &[Value]) -> impl rusqlite::Params + '_ {
    params_from_iter(values.iter().map(|value| -> &dyn ToSql {
        match value {
            Value::Int(value) => value,
            Value::Real(value) => value,
            Value::Text(value) => value,
            Value::Bytes(value) => value,
        }
    }))
}

fn rows(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(database)?;
    let columns = statement.column_count();
    let mut found = statement.query(bound(values)).map_err(database)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(database)? {
        let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
        rows.push(Row(cells.collect::<Result<_, _>>().map_err(database)?));
    }
    Ok(rows)
}

fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Int(None),
        ValueRef::Integer(value) => Value::Int(Some(value)),
        ValueRef::Real(value) => Value::Real(Some(value)),
        ValueRef::Text(text) => Value::Text(Some(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Value::Bytes(Some(bytes.to_vec())),
    }
}

fn database(error: rusqlite::Error) -> StoreError {
    StoreError::Database(sqlx::Error::Protocol(error.to_string()))
}
