//! What the collector does for its record by the clock: the audit log's end is signed every minute in which it grew, once a day at least, and when the service
//! ends; once an hour, what is older than retention says is taken away. What cannot be done is told and tried again; nothing waits for it.

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

const EVERY: Duration = Duration::from_secs(60);
/// Looks between two works of retention: an hour.
const LOOKS: u32 = 60;

/// The task; the collector's key is made here, before anything is served.
pub(crate) fn task(
    settings: &Settings,
    records: &Records,
    history: &Arc<dyn History>,
    health: &Health,
    ending: &CancellationToken,
) -> Result<Task> {
    let keeper = Keeper::open(settings, records.clone())?;
    let keeping = Keeping {
        retention: settings.retention,
        records: records.clone(),
        history: history.clone(),
    };
    tracing::info!(fingerprint = %keeper.fingerprint(), "this collector's key");
    Ok(Task {
        name: "upkeep",
        run: Box::pin(keep(keeper, keeping, health.clone(), ending.clone())),
    })
}

/// What retention works on.
struct Keeping {
    retention: Retention,
    records: Records,
    history: Arc<dyn History>,
}

impl Keeping {
    async fn work(&self, health: &Health) {
        let Self {
            retention,
            records,
            history,
        } = self;
        let round = retention::enforce(retention, records, &**history, now_ms()).await;
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

async fn keep(
    mut keeper: Keeper,
    keeping: Keeping,
    health: Health,
    ending: CancellationToken,
) -> Result<()> {
    let mut looks = 0;
    loop {
        if looks % LOOKS == 0 {
            keeping.work(&health).await;
        }
        looks = looks.wrapping_add(1);
        match keeper.keep(now_ms()).await {
            Ok(_) => health.say("audit", Status::Ok, ""),
            Err(error) => {
                tracing::error!(%error, "the audit log's end is not signed");
                health.say("audit", Status::Degraded, error.to_string());
            }
        }
        tokio::select! {
            () = ending.cancelled() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    // What was done until now is under a signature when the service is gone.
    keeper.keep(now_ms()).await?;
    Ok(())
}
