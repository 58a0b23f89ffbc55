//! The records: registry of sites, alarm journal, occurrences, people, sessions, commands, quarantine, committed offsets and audit.
//!
//! Transitions are stored as they came and never judged again. A commit is idempotent by (site, stream, offset) and by (site, epoch, seq),
//! and returns when it is on disk. What is derived (present alarms, occurrences) is folded anew from the stored lines whenever one arrives, so
//! that order of arrival and repetition cannot matter. Lists are asked with a [`Scope`], and paged by key, never by position.
//!
//! The seam to the database is [`engine`]: a few calls. SQLite is the embedded engine, PostgreSQL the one of several collectors.

mod alarm;
mod birth;
mod command;
mod commit;
mod condition;
pub(crate) mod engine;
mod figures;
mod fold;
mod gap;
mod hold;
mod load;
#[cfg(feature = "simulation")]
pub mod memory;
mod model;
mod notice;
mod occurrence;
mod offset;
mod person;
mod postgres;
mod quarantine;
mod retention;
mod schema;
mod session;
mod site;
mod sqlite;
mod subject;
mod transition;

pub use alarm::Alarm;
pub use birth::{BornAlarm, DeviceBirth, NodeBirth, StoredBirth};
pub use command::Command;
pub(crate) use command::DONE;
pub use commit::{Aside, Batch, Committed, Sample};
pub(crate) use condition::Condition;
pub use condition::Scope;
pub use engine::StoreError;
pub use figures::{FigureLine, Figures, HeldAlarm, SilenceLine};
pub use fold::Suppressed;
pub use gap::{Gap, GapFilter, Gaps};
pub use hold::Hold;
pub use model::{
    Effect, Model, ModelArea, ModelDevice, ModelJudged, ModelLimit, ModelOutput, ModelPerson,
    ModelPoint, ModelVote,
};
pub(crate) use notice::{Heard, Notice, Others};
pub use occurrence::{Occurrence, OccurrenceFilter, OccurrenceKey};
pub use offset::Offset;
pub use person::{Person, Role};
pub use quarantine::Quarantined;
pub use retention::Step;
pub use session::Session;
pub use site::{Contact, DeviceLink, Link, Place, Registry, Risk, STALE_AFTER_MS, Site, Text};
pub(crate) use subject::Names;
pub use subject::Subject;
pub(crate) use transition::literal;
pub use transition::{Line, Transition, TransitionFilter, TransitionKey, condition_of, subject_of};

use crate::settings::{Postgres, Settings, Store};
use engine::{Engine, Value};
use std::path::Path;
use std::sync::Arc;

/// A handle to the records; cheap to clone.
#[derive(Clone)]
pub struct Records {
    pub(crate) engine: Arc<dyn Engine>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Records")
    }
}

/// Why the records did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no user named {0}")]
    NoUser(String),
    #[error("a user named {0} exists")]
    UserExists(String),
    #[error("{0} is the last administrator")]
    LastAdministrator(String),
    #[error("site {0} is not known")]
    NoSite(String),
}

impl Records {
    /// Opens, or makes, the embedded records in this file and brings them to the newest schema.
    pub async fn open(path: &Path, now_ms: i64) -> Result<Self, RecordsError> {
        let engine = sqlite::SqliteEngine::open(path).await?;
        schema::migrate(&engine, now_ms).await?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }

    /// How SQLite goes about a query, a step a line.
    #[cfg(test)]
    pub(crate) async fn plan(&self, sql: &str, values: Vec<engine::Value>) -> String {
        let steps = self
            .engine
            .read(format!("EXPLAIN QUERY PLAN {sql}"), values);
        let steps = steps.await.expect("a plan");
        let texts = steps.iter().map(|step| step.text(3).expect("a step"));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Connects to the records in PostgreSQL and brings them to the newest schema.
    pub async fn connect(settings: &Postgres, now_ms: i64) -> Result<Self, RecordsError> {
        let engine = postgres::PostgresEngine::connect(settings).await?;
        schema::migrate(&engine, now_ms).await?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }

    /// Where the settings say.
    pub async fn of(settings: &Settings, now_ms: i64) -> Result<Self, RecordsError> {
        match &settings.records {
            Store::Embedded => Self::open(&settings.records_file(), now_ms).await,
            Store::Postgres(postgres) => Self::connect(postgres, now_ms).await,
        }
    }

    /// One statement in a transaction of its own.
    pub(crate) async fn change(&self, sql: &str, values: Vec<Value>) -> Result<u64, RecordsError> {
        let mut change = self.engine.begin().await?;
        let touched = change.execute(sql, values).await?;
        change.commit().await?;
        Ok(touched)
    }
}
