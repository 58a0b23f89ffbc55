//! The connection to InfluxDB, over its HTTP API: a few requests at once, each on a thread that may block; failures of the server are tried again, ever
//! later, and refusals are not.

use crate::history::HistoryError;
use crate::settings::Influx as Address;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use ureq::{Agent, RequestBuilder};

/// Readings that wait or are on their way; beyond that, `Busy`, unless nothing else waits. About 200 MB.
const MOST_READINGS: usize = 1_000_000;
/// Requests at once that write, and that ask.
const WRITERS: usize = 4;
const READERS: usize = 4;
/// How long a question waits for its turn before it is told that the history is busy.
const WAIT: Duration = Duration::from_secs(10);
/// Longest that a request may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request is tried, and the pause after the first failure, doubled each time.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);
/// Of what a server says of its refusal, so much is told.
const SAID: u64 = 500;

/// A handle on the server; what it holds is bounded by the constants above.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// Without a slash at its end.
    url: String,
    org: String,
    bucket: String,
    token: String,
    waiting: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

/// Why a request failed.
enum Failure {
    /// It may do better the next time.
    Passing(String),
    /// It will not.
    Refused(String),
}

impl Client {
    pub(super) fn new(address: &Address) -> Result<Self, HistoryError> {
        let token = address.token().map_err(|error| HistoryError::Store {
            path: address.url.clone(),
            source: error.into(),
        })?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(WRITERS + READERS)
            .build();
        Ok(Self {
            agent: config.into(),
            url: address.url.trim_end_matches('/').to_owned(),
            org: address.org.clone(),
            bucket: address.bucket.clone(),
            token,
            waiting: Arc::new(Semaphore::new(MOST_READINGS)),
            writers: Arc::new(Semaphore::new(WRITERS)),
            readers: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// Room for so many readings, as long as the answer is held; none if too many wait. One call alone always has room.
    pub(super) fn admit(&self, readings: usize) -> Option<OwnedSemaphorePermit> {
        let room = u32::try_from(readings.min(MOST_READINGS)).unwrap_or(u32::MAX);
        Arc::clone(&self.waiting).try_acquire_many_owned(room).ok()
    }

    /// Writes a body of lines; returns when the server has it on disk.
    pub(super) async fn write(self: &Arc<Self>, body: String) -> Result<(), HistoryError> {
        // The turn ends with the last request, also if its caller has gone.
        let held = Arc::new((turn(&self.writers).await?, Arc::clone(self), body));
        self.persist(move || {
            let held = Arc::clone(&held);
            move || held.1.post_lines(&held.2)
        })
        .await
    }

    /// Asks in InfluxQL, and hands the answer to `read` as CSV, with times in milliseconds.
    pub(super) async fn ask<T, F>(
        self: &Arc<Self>,
        question: String,
        read: F,
    ) -> Result<T, HistoryError>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Read) -> Result<T, String> + Send + Sync + 'static,
    {
        let turn = tokio::time::timeout(WAIT, turn(&self.readers))
            .await
            .map_err(|_| HistoryError::Busy)??;
        let held = Arc::new((turn, Arc::clone(self), question, read));
        self.persist(move || {
            let held = Arc::clone(&held);
            move || held.1.get(&held.2, &held.3)
        })
        .await
    }

    /// Takes away what is older.
    pub(super) async fn forget(self: &Arc<Self>, before_ms: i64) -> Result<(), HistoryError> {
        if before_ms <= 0 {
            return Ok(());
        }
        let client = Arc::clone(self);
        self.persist(move || {
            let client = Arc::clone(&client);
            move || client.delete(before_ms)
        })
        .await
    }

    fn post_lines(&self, body: &str) -> Result<(), Failure> {
        let request = self
            .agent
            .post(format!("{}/api/v2/write", self.url))
            .query("org", &self.org)
            .query("bucket", &self.bucket)
            .query("precision", "ms");
        self.signed(request).send(body).done().map(drop)
    }

    fn get<T>(
        &self,
        question: &str,
        read: impl Fn(&mut dyn Read) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = self
            .agent
            .get(format!("{}/query", self.url))
            .query("db", &self.bucket)
            .query("epoch", "ms")
            .query("q", question)
            .header("accept", "application/csv");
        let answer = self.signed(request).call().done()?;
        read(&mut answer.into_body().into_reader()).map_err(Failure::Passing)
    }

    fn delete(&self, before_ms: i64) -> Result<(), Failure> {
        // The server takes `stop` away too.
        let stop = jiff::Timestamp::from_millisecond(before_ms - 1)
            .map_err(|error| Failure::Refused(error.to_string()))?;
        let body = serde_json::json!({
            "start": "1970-01-01T00:00:00Z",
            "stop": stop.to_string(),
            "predicate": format!("_measurement=\"{}\"", super::line::MEASUREMENT),
        });
        let request = self
            .agent
            .post(format!("{}/api/v2/delete", self.url))
            .query("org", &self.org)
            .query("bucket", &self.bucket);
        self.signed(request).send_json(body).done().map(drop)
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request.header("authorization", format!("Token {}", self.token))
    }

    /// Runs a request on a thread that may block, and again after a failure that may pass.
    async fn persist<T, F>(&self, request: impl Fn() -> F) -> Result<T, HistoryError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.run(request()).await? {
                Ok(done) => return Ok(done),
                Err(Failure::Refused(why)) => return Err(self.failed(why)),
                Err(Failure::Passing(why)) => {
                    tracing::warn!(url = self.url, why, ?pause, "InfluxDB is tried again");
                }
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        match self.run(request()).await? {
            Ok(done) => Ok(done),
            Err(Failure::Passing(why) | Failure::Refused(why)) => Err(self.failed(why)),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        request: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<Result<T, Failure>, HistoryError> {
        tokio::task::spawn_blocking(request)
            .await
            .map_err(|_| HistoryError::Stopped)
    }

    fn failed(&self, why: String) -> HistoryError {
        HistoryError::Store {
            path: format!("{} (bucket {})", self.url, self.bucket),
            source: why.into(),
        }
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, HistoryError> {
    let turn = Arc::clone(turns).acquire_owned().await;
    turn.map_err(|_| HistoryError::Stopped)
}

/// What came back, told apart.
trait Done {
    fn done(self) -> Result<ureq::http::Response<ureq::Body>, Failure>;
}

impl Done for Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    fn done(self) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let answer = self.map_err(|error| Failure::Passing(error.to_string()))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let mut said = String::new();
        let body = answer.into_body().into_reader();
        // The status is told all the same.
        let _unread = body.take(SAID).read_to_string(&mut said);
        let why = format!("{status}: {}", said.trim());
        if status.is_server_error() || status.as_u16() == 429 {
            Err(Failure::Passing(why))
        } else {
            Err(Failure::Refused(why))
        }
    }
}
