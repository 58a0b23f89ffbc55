//! The desk where people and the cloud hand in what they ask of judgement, and get their answer.
//!
//! Judgement owns every alarm and never waits; so a request goes into a bounded queue and its answer comes back by itself. When the queue
//! is full the asker is told at once: an act that is not known to have happened must not look as if it had.

use crate::judge::Ask;
use davy_alarm::Refusal;
use davy_config::site::Site;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait. Judgement takes microseconds for each; a full queue means that it does not turn.
const WAITING_MAX: usize = 64;
/// Longest that an asker waits for the answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// One request and where its answer goes.
#[derive(Debug)]
pub struct Request {
    /// The site whose positions it speaks in.
    pub site: Arc<Site>,
    pub ask: Ask,
    /// The cloud's name for the command, carried by the transition that answers it.
    pub command: Option<String>,
    pub reply: oneshot::Sender<Result<(), Refusal>>,
}

/// Why a request came to nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    #[error("refused by the alarm's rules: {0}")]
    Refused(Refusal),
    #[error("judgement does not answer")]
    NoAnswer,
}

/// The asker's side; cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    site: Arc<Site>,
    requests: mpsc::Sender<Request>,
}

impl Desk {
    /// The desk and the queue that judgement empties.
    pub fn new(site: Arc<Site>) -> (Self, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(WAITING_MAX);
        (Self { site, requests }, queue)
    }

    /// The same desk for whoever speaks in the positions of another site.
    pub fn of(&self, site: Arc<Site>) -> Self {
        Self {
            site,
            requests: self.requests.clone(),
        }
    }

    /// Hands a request in and waits for the answer, at most two seconds.
    pub async fn ask(&self, ask: Ask, command: Option<String>) -> Result<(), DeskError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .try_send(Request {
                site: self.site.clone(),
                ask,
                command,
                reply,
            })
            .map_err(|_| DeskError::NoAnswer)?;
        let answer = tokio::time::timeout(ANSWER_LIMIT, answer).await;
        answer
            .ok()
            .and_then(Result::ok)
            .ok_or(DeskError::NoAnswer)?
            .map_err(DeskError::Refused)
    }
}
