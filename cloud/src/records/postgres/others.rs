//! The other collectors on the same PostgreSQL, heard by its notifications. These are sent with a commit, or not at all, and arrive in the order of the commits.
//!
//! One connection of its own waits for them. Where it is silent it is asked whether it lives: of one whose other end is gone without a word nothing would ever
//! come again.

use super::{CHANNEL, WAIT};
use crate::records::engine::StoreError;
use crate::records::notice::{self, Heard, Notice, Others};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use std::time::Duration;
use tokio::time::timeout;

/// Silence after which the connection is asked whether it lives, and how long it may take to say so.
const SILENCE: Duration = Duration::from_secs(5);
/// Letters that are taken at once.
const MOST_AT_ONCE: usize = 256;

/// What the server is told of the connection: letters for one that takes nothing for half a minute must not gather, for where their room ends no change is
/// committed any more.
const OPTIONS: [(&str, &str); 1] = [("tcp_user_timeout", "30000")];

/// How an ear connects.
pub(super) fn options(options: PgConnectOptions) -> PgConnectOptions {
    options
        .application_name("davy-cloud-replicas")
        .options(OPTIONS)
}

/// The ear of one collector.
pub(super) struct Ear {
    pub(super) options: PgConnectOptions,
    /// By what a collector knows its own letters.
    pub(super) own: u64,
    pub(super) listener: Option<PgListener>,
}

impl Others for Ear {
    fn next(&mut self) -> BoxFuture<'_, Result<Heard, StoreError>> {
        Box::pin(async move {
            // Put back if it lives.
            let Some(mut listener) = self.listener.take() else {
                let begun = timeout(WAIT, listen(self.options.clone())).await;
                self.listener = Some(begun.unwrap_or_else(|_| Err(lost()))?);
                return Ok(Heard::Begun);
            };
            let notices = heard(&mut listener, self.own).await?;
            self.listener = Some(listener);
            Ok(Heard::Notices(notices))
        })
    }
}

async fn listen(options: PgConnectOptions) -> Result<PgListener, StoreError> {
    let pool = PgPoolOptions::new().max_connections(1);
    let mut listener = PgListener::connect_with(&pool.connect_with(options).await?).await?;
    // A loss must be told before letters come again.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// The next letters that are not one's own, and what else has come with them.
async fn heard(listener: &mut PgListener, own: u64) -> Result<Vec<Notice>, StoreError> {
    loop {
        let first = next(listener).await?;
        let mut notices = notice::read(own, first.payload());
        for _ in 1..MOST_AT_ONCE {
            match listener.try_recv().now_or_never() {
                Some(Ok(Some(more))) => notices.extend(notice::read(own, more.payload())),
                Some(Ok(None)) => return Err(lost()),
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
        }
        if !notices.is_empty() {
            return Ok(notices);
        }
    }
}

async fn next(listener: &mut PgListener) -> Result<PgNotification, StoreError> {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(letter))) => return Ok(letter),
            Ok(Ok(None)) => return Err(lost()),
            Ok(Err(error)) => return Err(error.into()),
            Err(_silent) => {
                let lives = timeout(SILENCE, listener.execute("SELECT 1")).await;
                lives.unwrap_or_else(|_| Err(gone()))?;
            }
        }
    }
}

fn lost() -> StoreError {
    gone().into()
}

fn gone() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())
}
