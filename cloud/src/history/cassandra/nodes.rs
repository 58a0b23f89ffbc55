//! The cluster: its tables, and the statements that Davy knows. Everything at QUORUM: what is answered outlives a node of three, and is seen by whoever asks
//! after it.

use crate::history::HistoryError;
use crate::settings::Cassandra as Address;
use futures_util::TryStreamExt as _;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::time::Duration;

/// How often a statement is tried, and the pause after the first failure, doubled each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);
/// Longest that one try may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rows of one page of an answer: chunks of some kilobytes.
const PAGE: i32 = 500;

const TABLES: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS commits (site text, hour bigint, id blob, bytes blob, PRIMARY KEY ((site, hour), id))",
    "CREATE TABLE IF NOT EXISTS opened (site text, hour bigint, writer bigint, is_open boolean, PRIMARY KEY ((site), hour, writer))",
    "CREATE TABLE IF NOT EXISTS chunks (site text, point text, month int, hour bigint, generation int, id blob, \
     rollup blob, minutes blob, bytes blob, PRIMARY KEY ((site, point, month), hour, generation, id))",
    "CREATE TABLE IF NOT EXISTS months (site text, point text, month int, is_there boolean, PRIMARY KEY ((site), point, month))",
    // Written at the reading's own time: the newest stands whatever order they came in.
    "CREATE TABLE IF NOT EXISTS newest (site text, point text, reading blob, PRIMARY KEY ((site), point))",
];

macro_rules! statements {
    ($($name:ident = $text:literal;)+) => {
        /// Prepared once.
        #[derive(Debug)]
        pub(super) struct Statements {
            $(pub(super) $name: PreparedStatement,)+
        }

        impl Statements {
            async fn prepare(session: &Session) -> Result<Self, Box<dyn Error + Send + Sync>> {
                Ok(Self {
                    $($name: {
                        let mut prepared = session.prepare($text).await?;
                        // Each may be sent again: rows are named by what they hold.
                        prepared.set_is_idempotent(true);
                        prepared.set_page_size(PAGE);
                        prepared
                    },)+
                })
            }
        }
    };
}

statements! {
    put_commit = "INSERT INTO commits (site, hour, id, bytes) VALUES (?, ?, ?, ?)";
    commits = "SELECT id, bytes, WRITETIME(bytes) FROM commits WHERE site = ? AND hour = ?";
    drop_commit = "DELETE FROM commits USING TIMESTAMP ? WHERE site = ? AND hour = ? AND id = ?";
    open = "INSERT INTO opened (site, hour, writer, is_open) VALUES (?, ?, ?, true)";
    opened = "SELECT hour, writer, WRITETIME(is_open) FROM opened WHERE site = ? AND hour >= ? AND hour <= ?";
    close = "DELETE FROM opened USING TIMESTAMP ? WHERE site = ? AND hour = ? AND writer = ?";
    sites_opened = "SELECT DISTINCT site FROM opened";
    put_chunk = "INSERT INTO chunks (site, point, month, hour, generation, id, rollup, minutes, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    chunks_of_hour = "SELECT generation, id, bytes, WRITETIME(bytes) FROM chunks WHERE site = ? AND point = ? AND month = ? AND hour = ?";
    chunks = "SELECT hour, bytes FROM chunks WHERE site = ? AND point = ? AND month = ? AND hour >= ? AND hour <= ?";
    hours = "SELECT hour, rollup FROM chunks WHERE site = ? AND point = ? AND month = ? AND hour >= ? AND hour <= ?";
    minutes = "SELECT hour, minutes FROM chunks WHERE site = ? AND point = ? AND month = ? AND hour >= ? AND hour <= ?";
    drop_chunk = "DELETE FROM chunks USING TIMESTAMP ? WHERE site = ? AND point = ? AND month = ? AND hour = ? AND generation = ? AND id = ?";
    drop_month = "DELETE FROM chunks WHERE site = ? AND point = ? AND month = ?";
    put_month = "INSERT INTO months (site, point, month, is_there) VALUES (?, ?, ?, true)";
    months = "SELECT month FROM months WHERE site = ? AND point = ? AND month >= ? AND month <= ?";
    all_months = "SELECT point, month FROM months WHERE site = ?";
    forget_month = "DELETE FROM months WHERE site = ? AND point = ? AND month = ?";
    sites = "SELECT DISTINCT site FROM months";
    put_newest = "INSERT INTO newest (site, point, reading) VALUES (?, ?, ?) USING TIMESTAMP ?";
    newest = "SELECT point, reading, WRITETIME(reading) FROM newest WHERE site = ?";
    drop_newest = "DELETE FROM newest USING TIMESTAMP ? WHERE site = ? AND point = ?";
}

/// A handle on the cluster.
#[derive(Debug)]
pub(super) struct Nodes {
    session: Session,
    pub(super) statements: Statements,
    /// This collector among all, of all times.
    writer: i64,
    name: String,
}

impl Nodes {
    pub(super) async fn connect(address: &Address) -> Result<Self, HistoryError> {
        let name = address.to_string();
        let failed = |source: Box<dyn Error + Send + Sync>| HistoryError::Store {
            path: name.clone(),
            source,
        };
        let session = session(address).await.map_err(failed)?;
        let statements = ready(&session, address).await.map_err(failed)?;
        Ok(Self {
            session,
            statements,
            writer: rand::random(),
            name,
        })
    }

    /// Writes, or takes away.
    pub(super) async fn run(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<(), HistoryError> {
        let run = || self.session.execute_unpaged(statement, &values);
        self.persist(run).await.map(drop)
    }

    /// Every row of an answer, page by page.
    pub(super) async fn rows<T>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Vec<T>, HistoryError>
    where
        T: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
    {
        self.persist(|| async {
            let pager = self
                .session
                .execute_iter(statement.clone(), &values)
                .await
                .map_err(boxed)?;
            let rows = pager.rows_stream::<T>().map_err(boxed)?;
            rows.try_collect::<Vec<T>>().await.map_err(boxed)
        })
        .await
    }

    pub(super) async fn put_commit(
        &self,
        site: &str,
        hour: i64,
        bytes: &[u8],
    ) -> Result<(), HistoryError> {
        let values = (site, hour, digest(bytes), bytes);
        self.run(&self.statements.put_commit, values).await
    }

    /// Marks an hour of a site as one that has commits.
    pub(super) async fn open(&self, site: &str, hour: i64) -> Result<(), HistoryError> {
        let values = (site, hour, self.writer);
        self.run(&self.statements.open, values).await
    }

    /// The hours of a site that may have commits, within these, in order.
    pub(super) async fn opened(
        &self,
        site: &str,
        (first, last): (i64, i64),
    ) -> Result<Vec<i64>, HistoryError> {
        let marks = self.rows::<(i64, i64, i64)>(&self.statements.opened, (site, first, last));
        let mut hours: Vec<i64> = marks.await?.into_iter().map(|(hour, ..)| hour).collect();
        hours.dedup();
        Ok(hours)
    }

    pub(super) fn damaged(&self, what: String) -> HistoryError {
        HistoryError::Damaged {
            path: self.name.clone(),
            what,
        }
    }

    async fn persist<T, E, F>(&self, run: impl Fn() -> F) -> Result<T, HistoryError>
    where
        E: Into<Box<dyn Error + Send + Sync>> + std::fmt::Display,
        F: Future<Output = Result<T, E>>,
    {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match run().await {
                Ok(done) => return Ok(done),
                Err(error) => {
                    tracing::warn!(nodes = self.name, %error, ?pause, "Cassandra is tried again");
                }
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        run().await.map_err(|error| HistoryError::Store {
            path: self.name.clone(),
            source: error.into(),
        })
    }
}

/// The name of a row by what it holds.
pub(super) fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes)[..16].to_vec()
}

fn boxed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
    Box::new(error)
}

async fn session(address: &Address) -> Result<Session, Box<dyn Error + Send + Sync>> {
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::Quorum)
        .request_timeout(Some(PATIENCE))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&address.nodes)
        .default_execution_profile_handle(profile.into_handle());
    if let Some(username) = &address.username {
        builder = builder.user(username, address.password()?);
    }
    Ok(builder.build().await?)
}

/// The statements; keyspace and tables are made first where they are missing. Collectors that begin at once may make the same ones, and see each other's a
/// little later: then once more.
async fn ready(
    session: &Session,
    address: &Address,
) -> Result<Statements, Box<dyn Error + Send + Sync>> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        if let Ok(statements) = prepared(session, address).await {
            return Ok(statements);
        }
        if let Err(error) = make(session, address).await {
            tracing::warn!(%error, ?pause, "the tables of the history are not there yet");
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    prepared(session, address).await
}

async fn prepared(
    session: &Session,
    address: &Address,
) -> Result<Statements, Box<dyn Error + Send + Sync>> {
    session.use_keyspace(&address.keyspace, false).await?;
    Statements::prepare(session).await
}

async fn make(session: &Session, address: &Address) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Address {
        keyspace,
        replication,
        ..
    } = address;
    // The name is of small letters, digits and underscores: the settings see to it.
    let keyspace_text = format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replication}}}"
    );
    session.query_unpaged(keyspace_text, ()).await?;
    session.use_keyspace(keyspace, false).await?;
    for table in TABLES {
        session.query_unpaged(table, ()).await?;
    }
    Ok(())
}
