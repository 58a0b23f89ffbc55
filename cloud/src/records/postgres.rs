//! PostgreSQL, for several collectors on one store.
//!
//! One change at a time over all replicas, as SQLite has it: a change begins by taking a lock that its end, or its connection's, gives back, so that each
//! sees all that was committed before it and none has to be tried again. A commit that returned is on disk (`synchronous_commit`).

mod others;

use super::engine::{Engine, Row, StoreError, Transaction, Value, storable};
use super::notice::{Notice, Others, letters};
use crate::settings::Postgres;
use futures_util::future::BoxFuture;
use others::Ear;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _};
use std::borrow::Cow;
use std::time::Duration;

/// Connections of one process: one changes, the others read.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for a connection before it is told that the store is busy.
const WAIT: Duration = Duration::from_secs(10);
/// The lock of whoever changes something: the letters `Davy`.
const CHANGING: i64 = 0x4461_7679;
/// Where collectors tell each other what they changed.
const CHANNEL: &str = "davy";
/// What the server is told at each connection. A change that its process forgot ends by itself, and with it the lock.
const OPTIONS: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("lock_timeout", "30s"),
    ("statement_timeout", "60s"),
    ("idle_in_transaction_session_timeout", "60s"),
];

pub(crate) struct PostgresEngine {
    pool: PgPool,
    options: PgConnectOptions,
    /// By what this process knows its own letters to the others.
    own: u64,
}

impl PostgresEngine {
    /// Connects to a database that sorts texts by their bytes, as pages by key rely on.
    pub(crate) async fn connect(settings: &Postgres) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open {
            path: settings.to_string(),
            source,
        };
        let options = PgConnectOptions::new_without_pgpass()
            .port(settings.port)
            .username(&settings.username)
            .database(&settings.database)
            .application_name("davy-cloud")
            .options(OPTIONS);
        let options = if settings.host.starts_with('/') {
            options.socket(&settings.host)
        } else {
            options.host(&settings.host)
        };
        let options = match settings.password()? {
            Some(password) => options.password(&password),
            None => options,
        };
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT);
        let engine = Self {
            pool: pool.connect_with(options.clone()).await.map_err(fail)?,
            options,
            own: rand::random(),
        };
        engine.look_at_the_order().await?;
        Ok(engine)
    }

    async fn look_at_the_order(&self) -> Result<(), StoreError> {
        let asked =
            "SELECT CASE WHEN 'B'::text < 'a'::text AND 'z'::text < 'é'::text THEN 1 ELSE 0 END";
        let rows = self.read(asked.to_owned(), vec![]).await?;
        match rows.first().map(|row| row.flag(0)).transpose()? {
            Some(true) => Ok(()),
            _ => Err(StoreError::Order),
        }
    }
}

impl Engine for PostgresEngine {
    fn read(&self, sql: String, values: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let rows = query(sql, values).fetch_all(&self.pool).await?;
            rows.iter().map(row).collect()
        })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async move {
            let mut begun = self.pool.begin().await?;
            let lock = "SELECT pg_advisory_xact_lock($1)".to_owned();
            query(lock, vec![CHANGING.into()])
                .execute(&mut *begun)
                .await?;
            Ok(Box::new(PostgresTransaction {
                begun,
                own: self.own,
                notices: vec![],
            }) as Box<dyn Transaction>)
        })
    }

    fn spell<'a>(&self, statement: &'a str) -> Cow<'a, str> {
        statement.replace(" BLOB", " BYTEA").into()
    }

    fn others(&self) -> Option<Box<dyn Others>> {
        Some(Box::new(Ear {
            options: others::options(self.options.clone()),
            own: self.own,
            listener: None,
        }))
    }
}

struct PostgresTransaction {
    begun: sqlx::Transaction<'static, sqlx::Postgres>,
    own: u64,
    /// As many as the change touched.
    notices: Vec<Notice>,
}

impl Transaction for PostgresTransaction {
    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let asked = query(sql.to_owned(), values);
            let rows = asked.fetch_all(&mut *self.begun).await?;
            rows.iter().map(row).collect()
        })
    }

    fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = query(sql.to_owned(), values);
            Ok(done.execute(&mut *self.begun).await?.rows_affected())
        })
    }

    fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        let Self {
            mut begun,
            own,
            notices,
        } = *self;
        Box::pin(async move {
            for letter in letters(own, notices) {
                let tell = "SELECT pg_notify($1, $2)".to_owned();
                query(tell, vec![CHANNEL.into(), letter.into()])
                    .execute(&mut *begun)
                    .await?;
            }
            Ok(begun.commit().await?)
        })
    }
}

/// Every text given here is made of constants of this crate; what comes from outside is bound, never spliced.
fn query(
    sql: String,
    values: Vec<Value>,
) -> sqlx::query::Query<'static, sqlx::Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql));
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Text(value) => query.bind(value.map(|text| storable(&text))),
        Value::Bytes(value) => query.bind(value),
    })
}

fn row(row: &PgRow) -> Result<Row, StoreError> {
    (0..row.columns().len())
        .map(|at| cell(row, at))
        .collect::<Result<_, _>>()
        .map(Row)
}

fn cell(row: &PgRow, at: usize) -> Result<Value, StoreError> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Int(None));
    }
    Ok(match raw.type_info().name() {
        "INT8" => Value::Int(row.try_get(at)?),
        "INT4" => Value::Int(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
        "FLOAT8" => Value::Real(row.try_get(at)?),
        "BYTEA" => Value::Bytes(row.try_get(at)?),
        _ => Value::Text(row.try_get(at)?),
    })
}
