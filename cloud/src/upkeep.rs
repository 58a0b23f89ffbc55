//! What the collector does for its record by the clock, in two tasks: the audit log's end is signed every minute in which it grew, once a day at least, and when
//! the service ends; once an hour, what is older than retention says is taken away. What cannot be done is told and tried again; neither waits for the other.

use crate::api::{Health, Status};
use crate::audit::head::Keeper;
use crate::collector::Task;
use crate::history::History;
use crate::records::Records;
use crate::retention;
use crate::run::now_ms;
use crate::settings::{Retention, Settings};
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the audit log's end.
const SIGNED_EVERY: Duration = Duration::from_secs(60);
/// Between two rounds of retention.
const TAKEN_EVERY: Duration = Duration::from_secs(3_600);

/// The tasks; the collector's key is made here, before anything is served.
pub(crate) fn tasks(
    settings: &Settings,
    records: &Records,
    history: &Arc<dyn History>,
    health: &Health,
    ending: &CancellationToken,
) -> Result<[Task; 2]> {
    let keeper = Keeper::open(settings, records.clone())?;
    let keeping = Keeping {
        retention: settings.retention,
        records: records.clone(),
        history: history.clone(),
        reached: retention::Reached::default(),
    };
    tracing::info!(fingerprint = %keeper.fingerprint(), "this collector's key");
    Ok([
        Task {
            name: "heads",
            run: Box::pin(sign(keeper, health.clone(), ending.clone())),
        },
        Task {
            name: "retention",
            run: Box::pin(take(keeping, health.clone(), ending.clone())),
        },
    ])
}

/// What retention works on.
struct Keeping {
    retention: Retention,
    records: Records,
    history: Arc<dyn History>,
    reached: retention::Reached,
}

impl Keeping {
    async fn work(&mut self, health: &Health) {
        let Self {
            retention,
            records,
            history,
            reached,
        } = self;
        let round = retention::enforce(retention, records, &**history, reached, now_ms()).await;
        if round.taken != retention::Taken::default() {
            tracing::info!(taken = ?round.taken, "retention took away what was old enough");
        }
        let mut told = Vec::new();
        for (class, error) in round.failed {
            tracing::error!(class, %error, "retention of a class is not done");
            told.push(format!("{class}: {error}"));
        }
        match told.is_empty() {
            true => health.say("retention", Status::Ok, ""),
            false => health.say("retention", Status::Degraded, told.join("; ")),
        }
    }
}

async fn sign(mut keeper: Keeper, health: Health, ending: CancellationToken) -> Result<()> {
    loop {
        match keeper.keep(now_ms()).await {
            Ok(_) => health.say("audit", Status::Ok, ""),
            Err(error) => {
                tracing::error!(%error, "the audit log's end is not signed");
                health.say("audit", Status::Degraded, error.to_string());
            }
        }
        tokio::select! {
            () = ending.cancelled() => break,
            () = tokio::time::sleep(SIGNED_EVERY) => {}
        }
    }
    // What was done until now is under a signature when the service is gone.
    keeper.keep(now_ms()).await?;
    Ok(())
}

/// A round that the service's end meets is broken off: each step of it is whole or not at all, and is taken again.
async fn take(mut keeping: Keeping, health: Health, ending: CancellationToken) -> Result<()> {
    let rounds = async {
        loop {
            keeping.work(&health).await;
            tokio::time::sleep(TAKEN_EVERY).await;
        }
    };
    tokio::select! {
        () = ending.cancelled() => Ok(()),
        () = rounds => Ok(()),
    }
}
