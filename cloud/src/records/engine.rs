//! The narrow seam of the records: what a database must do for us. Everything above it is SQL that SQLite and PostgreSQL both take
//! (`$1` places, `ON CONFLICT`, no `OFFSET`), so an engine is these few calls and nothing else.

use super::notice::{Notice, Others};
use futures_util::future::BoxFuture;
use std::borrow::Cow;

/// A database that holds the records.
pub(crate) trait Engine: Send + Sync {
    /// Runs a query that changes nothing, on a snapshot.
    fn read(&self, sql: String, values: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>, StoreError>>;

    /// Begins the only kind of change: a serialisable transaction. Dropped without commit, it never was.
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>>;

    /// A statement of the schema in the database's own words.
    fn spell<'a>(&self, statement: &'a str) -> Cow<'a, str> {
        statement.into()
    }

    /// Hears what other collectors on this store commit; none of a store that only one may write.
    fn others(&self) -> Option<Box<dyn Others>> {
        None
    }
}

/// A change in progress.
pub(crate) trait Transaction: Send {
    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>>;

    /// Answers how many rows it touched.
    fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Tells the other collectors on this store, with the commit. Where there are none nobody listens.
    fn tell(&mut self, _notice: Notice) {}

    /// Returns when the change is on disk.
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// A value bound to a place, or of a column. Absence keeps its type, since PostgreSQL asks for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

/// PostgreSQL keeps no U+0000 in a text; the sign for it stands in its place, so that nobody's message is refused for ever.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// Binds values to `$1`, `$2`, … in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::records::engine::Value::from($value)),*] };
}
pub(crate) use values;

/// One row of an answer, read by column position from 0.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    pub(crate) fn maybe_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(at) {
            Some(Value::Int(value)) => Ok(*value),
            Some(value) if value.is_null() => Ok(None),
            _ => Err(StoreError::Column {
                at,
                wanted: "integer",
            }),
        }
    }

    pub(crate) fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.maybe_int(at)?.ok_or(StoreError::Column {
            at,
            wanted: "integer",
        })
    }

    pub(crate) fn flag(&self, at: usize) -> Result<bool, StoreError> {
        Ok(self.int(at)? != 0)
    }

    pub(crate) fn maybe_real(&self, at: usize) -> Result<Option<f64>, StoreError> {
        match self.0.get(at) {
            Some(Value::Real(value)) => Ok(*value),
            Some(Value::Int(value)) => Ok(value.map(|value| value as f64)),
            Some(value) if value.is_null() => Ok(None),
            _ => Err(StoreError::Column {
                at,
                wanted: "number",
            }),
        }
    }

    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        match self.0.get(at) {
            Some(Value::Text(value)) => Ok(value.clone()),
            Some(value) if value.is_null() => Ok(None),
            _ => Err(StoreError::Column { at, wanted: "text" }),
        }
    }

    pub(crate) fn text(&self, at: usize) -> Result<String, StoreError> {
        self.maybe_text(at)?
            .ok_or(StoreError::Column { at, wanted: "text" })
    }

    pub(crate) fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        match self.0.get(at) {
            Some(Value::Bytes(Some(value))) => Ok(value.clone()),
            _ => Err(StoreError::Column {
                at,
                wanted: "bytes",
            }),
        }
    }
}

impl Value {
    fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Int(None) | Self::Real(None) | Self::Text(None) | Self::Bytes(None)
        )
    }
}

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the records at {path}: {source}")]
    Open { path: String, source: sqlx::Error },
    #[error("the password for the records in {path} cannot be read: {source}")]
    Password {
        path: String,
        source: std::io::Error,
    },
    #[error(
        "the records' database sorts texts by a language, not by their bytes: make it by CREATE DATABASE … TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
    )]
    Order,
    #[error("the records' database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("column {at} of an answer is not {wanted}")]
    Column { at: usize, wanted: &'static str },
    #[error("the records were written by a newer Davy: schema {found}, known up to {known}")]
    Newer { found: i64, known: i64 },
    #[error("schema step {0} differs from the one that was applied")]
    SchemaChanged(i64),
    #[error("a stored {what} cannot be read: {value}")]
    Stored { what: &'static str, value: String },
}
