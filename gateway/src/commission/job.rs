//! A search from the screen: one at a time, with its progress, until it ends or somebody ends it. What it found stays until the next one.

use super::link::{self, Target};
use super::search::{self, Asked, Report, Step};
use davy_config::site::Bus;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Nobody has searched since the gateway started.
    #[default]
    None,
    Running,
    Done,
    /// Ended by a person; what was found until then stands.
    Cancelled,
}

#[derive(Debug, Default)]
struct Job {
    state: State,
    target: Option<Target>,
    step: Step,
    report: Report,
    /// Hosts that were left out, since a bus of the running site holds them.
    held: Vec<String>,
    started_ms: i64,
}

/// The search and whoever looks at it.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    job: Arc<Mutex<Job>>,
    ending: Mutex<CancellationToken>,
}

/// One runs already: a line has one speaker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl Scans {
    /// Begins a search on the runtime that this is called on. It ends with `shutdown`, or by [`Scans::end`].
    pub(super) fn begin(
        &self,
        target: Target,
        buses: Vec<Bus>,
        asked: Asked,
        held: Vec<String>,
        now_ms: i64,
        shutdown: &CancellationToken,
    ) -> Result<(), Busy> {
        let ending = shutdown.child_token();
        {
            let mut job = lock(&self.job);
            if job.state == State::Running {
                return Err(Busy);
            }
            *job = Job {
                state: State::Running,
                target: Some(target),
                held,
                started_ms: now_ms,
                ..Job::default()
            };
            *lock(&self.ending) = ending.clone();
        }
        let job = self.job.clone();
        tokio::spawn(async move {
            let told = job.clone();
            let tell = |step: &Step, report: &Report| {
                let mut job = lock(&told);
                job.step = step.clone();
                job.report = report.clone();
            };
            let outcome = ending
                .run_until_cancelled(search::search(buses, &asked, tell))
                .await;
            let mut job = lock(&job);
            job.state = match outcome {
                Some(report) => {
                    job.report = report;
                    State::Done
                }
                None => State::Cancelled,
            };
        });
        Ok(())
    }

    /// Ends the search, if one runs.
    pub(crate) fn end(&self) {
        lock(&self.ending).cancel();
    }

    pub(crate) fn is_running(&self) -> bool {
        lock(&self.job).state == State::Running
    }

    /// What a page shows.
    pub(crate) fn shown(&self) -> Value {
        let job = lock(&self.job);
        let found: Vec<Value> = (job.report.found.iter())
            .map(|found| {
                let mut shown = json!(found);
                shown["bus"] = link::tree(&found.bus.link);
                shown
            })
            .collect();
        json!({
            "state": job.state,
            "target": job.target,
            "step": job.step,
            "found": found,
            "garbled": job.report.garbled,
            "closed": job.report.closed,
            "held": job.held,
            "started_ms": job.started_ms,
        })
    }
}

/// A holder that panicked left a whole job: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
