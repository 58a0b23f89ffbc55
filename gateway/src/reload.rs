//! Another site file takes the running one's place while the gateway runs (docs/decisions/0009): whole or not at all, touching only what differs.
//!
//! The gateway owns what changes; whoever wants a change holds a [`Reload`] and asks. Requests are taken one after the other.

use crate::judgement::Held;
use davy_config::site::Site;
use davy_config::{Difference, Problem, Problems, Severity};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Who asked, where a signal did.
pub const BY_SIGNAL: &str = "sighup";
/// Requests that may wait; a further one is told to come again.
const WAITING_MAX: usize = 4;
/// Bytes of the differences that a record keeps: texts of the journal are bounded. What does not fit is counted.
const TOLD_MAX: usize = 3500;

/// The file was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It says what runs already: nothing was touched, nothing recorded.
    Unchanged,
    Changed(Vec<Difference>),
}

/// The file was not taken over: what ran runs on.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the file cannot be used: {} problems", .0.len())]
    Invalid(Problems),
    /// What only a start can change, by key.
    #[error("only a restart changes {}", .0.join(", "))]
    NeedsRestart(Vec<&'static str>),
    /// It would switch off, or let go of, outputs that are on.
    #[error("these outputs are on, and the file would switch them off or let go of them: {}", .0.join(", "))]
    Demanded(Vec<String>),
    #[error("the gateway is busy with other changes, or ends")]
    Busy,
}

impl From<Held> for Refused {
    fn from(held: Held) -> Self {
        Self::Demanded(held.outputs)
    }
}

/// One request and where its answer goes.
#[derive(Debug)]
pub struct Request {
    pub actor: Arc<str>,
    pub reply: oneshot::Sender<Result<Applied, Refused>>,
}

/// The asker's side; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reload {
    requests: mpsc::Sender<Request>,
}

impl Reload {
    /// The handle, and the queue that the gateway empties.
    pub fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(WAITING_MAX);
        (Self { requests }, queue)
    }

    /// Reads the site file that the gateway was started with, and goes over to it. `actor` is a person's id; it is recorded with what differs.
    ///
    /// # Errors
    /// If the file is refused; the gateway runs on as it was.
    pub async fn apply(&self, actor: &str) -> Result<Applied, Refused> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            actor: actor.into(),
            reply,
        };
        self.requests.try_send(request).map_err(|_| Refused::Busy)?;
        answer.await.unwrap_or(Err(Refused::Busy))
    }
}

/// What a running gateway cannot change: the keys in which `after` differs.
pub(crate) fn needs_restart(before: &Site, after: &Site) -> Vec<&'static str> {
    let keys = [
        ("site.id", before.id != after.id),
        ("screen.listen", before.http != after.http),
        ("journal", before.journal != after.journal),
    ];
    let differing = keys.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(key, _)| key).collect()
}

/// The differences as the record keeps them: a JSON list, its last element `{"more": n}` where not all have room.
pub(crate) fn told(differences: &[Difference]) -> String {
    let mut text = "[".to_owned();
    for (position, difference) in differences.iter().enumerate() {
        let json = serde_json::json!(difference).to_string();
        if text.len() + json.len() > TOLD_MAX {
            let more = differences.len() - position;
            text += &format!("{{\"more\":{more}}},");
            break;
        }
        text += &json;
        text.push(',');
    }
    if text.len() > 1 {
        text.pop();
    }
    text + "]"
}

/// Logs how a request ended, every problem of a bad file among it.
pub(crate) fn log(outcome: &Result<Applied, Refused>, actor: &str) {
    match outcome {
        Ok(Applied::Unchanged) => tracing::info!(actor, "the site file is the one that runs"),
        Ok(Applied::Changed(differences)) => {
            tracing::info!(
                actor,
                differences = differences.len(),
                "site file taken over"
            );
        }
        Err(error) => {
            if let Refused::Invalid(problems) = error {
                problems.iter().for_each(log_problem);
            }
            tracing::error!(actor, %error, "the site file is not taken over; the one that ran runs on");
        }
    }
}

fn log_problem(problem: &Problem) {
    if problem.severity() == Severity::Error {
        tracing::error!(
            place = %problem.place(),
            key = problem.key,
            code = problem.code.name(),
            "{}",
            problem.message(davy_config::Language::En)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::{Change, Part};

    fn change(id: usize) -> Difference {
        Difference {
            part: Part::Alarm,
            id: format!("GT-{id}.HH"),
            change: Change::Changed {
                key: "set_point",
                from: Some("50 %LEL".into()),
                to: None,
            },
        }
    }

    #[test]
    fn a_record_keeps_the_differences_that_have_room_and_counts_the_rest() {
        assert_eq!(told(&[]), "[]");
        let one: serde_json::Value = serde_json::from_str(&told(&[change(1)])).unwrap();
        let expected = serde_json::json!([{ "part": "alarm", "id": "GT-1.HH", "change": "changed",
            "key": "set_point", "from": "50 %LEL", "to": null }]);
        assert_eq!(one, expected);
        let many: Vec<_> = (0..1000).map(change).collect();
        let text = told(&many);
        assert!(text.len() < TOLD_MAX + 30, "{}", text.len());
        let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let kept = list.len() - 1;
        assert_eq!(list[kept]["more"], 1000 - kept);
    }
}
