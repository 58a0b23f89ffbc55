//! The stores as ingest meets them: a busy one is waited for, a failing one is tried a few times and told of. While it waits nobody takes from the
//! queue, so that in the end the socket is not read: gateways and broker hold what we cannot.

use super::decode::{Act, ClockSet, Deed, Lost, Proved};
use super::outbox::EdgeName;
use super::worker::Message;
use crate::api::{Health, Status};
use crate::audit::Entry;
use crate::history::{History, HistoryError, PointReading};
use crate::records::{
    Alarm, Batch, Committed, DeviceBirth, NodeBirth, Quarantined, Records, RecordsError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a failing store is tried before the message is let go, unacknowledged.
const TRIES: u32 = 4;

/// Pause after a failure, doubled each time.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Pause while the history is busy, doubled up to the longest.
const WHILE_BUSY: Duration = Duration::from_millis(10);
const LONGEST_WHILE_BUSY: Duration = Duration::from_millis(500);

/// A store failed, or the service ends: the message is not acknowledged and comes again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GaveUp;

/// Records and history behind one policy of failure.
pub(crate) struct Store {
    records: Records,
    history: Arc<dyn History>,
    health: Health,
    ending: CancellationToken,
    is_failing: AtomicBool,
}

impl Store {
    pub(crate) fn new(
        records: Records,
        history: Arc<dyn History>,
        health: Health,
        ending: CancellationToken,
    ) -> Self {
        Self {
            records,
            history,
            health,
            ending,
            is_failing: AtomicBool::new(false),
        }
    }

    /// Commits readings; waits as long as the history is busy.
    pub(crate) async fn readings(&self, readings: Vec<PointReading>) -> Result<(), GaveUp> {
        if readings.is_empty() {
            return Ok(());
        }
        let (mut tries, mut pause) = (0, WHILE_BUSY);
        loop {
            match self.history.commit(readings.clone()).await {
                Ok(()) => {
                    self.well();
                    return Ok(());
                }
                Err(HistoryError::Busy) => {
                    metrics::counter!("davy_ingest_history_busy_total").increment(1);
                    self.pause(pause).await?;
                    pause = (pause * 2).min(LONGEST_WHILE_BUSY);
                }
                Err(error) => self.failed("history", &error, &mut tries).await?,
            }
        }
    }

    /// Commits batches in one transaction.
    pub(crate) async fn batches(&self, batches: &[Batch]) -> Result<Vec<Committed>, GaveUp> {
        self.persist("batches", || self.records.commit(batches))
            .await
    }

    pub(crate) async fn node_born(&self, birth: &NodeBirth) -> Result<String, GaveUp> {
        self.persist("a birth", || self.records.node_born(birth))
            .await
    }

    pub(crate) async fn device_born(&self, birth: &DeviceBirth) -> Result<Vec<Alarm>, GaveUp> {
        self.persist("a birth", || self.records.device_born(birth))
            .await
    }

    pub(crate) async fn node_died(
        &self,
        site: &str,
        bd_seq: Option<u64>,
        at_ms: i64,
    ) -> Result<bool, GaveUp> {
        self.persist("a death", || self.records.node_died(site, bd_seq, at_ms))
            .await
    }

    pub(crate) async fn device_died(
        &self,
        site: &str,
        device: &str,
        at_ms: i64,
    ) -> Result<(), GaveUp> {
        self.persist("a death", || self.records.device_died(site, device, at_ms))
            .await
    }

    pub(crate) async fn site_of(&self, edge: &EdgeName) -> Result<Option<String>, GaveUp> {
        self.persist("a site", || {
            self.records.site_of_edge(&edge.group, &edge.edge)
        })
        .await
    }

    /// Puts a message aside, whole.
    pub(crate) async fn quarantine(&self, message: &Message, why: &str) -> Result<(), GaveUp> {
        let topic = message.topic.to_string();
        tracing::warn!(
            topic,
            why,
            bytes = message.payload.len(),
            "a message is quarantined"
        );
        metrics::counter!("davy_ingest_quarantined_total").increment(1);
        let Message {
            payload,
            received_ms,
            ..
        } = message;
        self.persist("quarantine", || {
            self.records.quarantine(&topic, *received_ms, why, payload)
        })
        .await?;
        Ok(())
    }

    /// Quarantined messages that somebody asked to be put through again.
    pub(crate) async fn replays(&self, limit: u32) -> Result<Vec<Quarantined>, GaveUp> {
        self.persist("replays", || self.records.replays(limit))
            .await
    }

    /// Tells for ever how it went, and takes the message out if nothing of it is left unread.
    pub(crate) async fn replayed(
        &self,
        message: &Quarantined,
        outcome: Result<serde_json::Value, String>,
    ) -> Result<(), GaveUp> {
        let (action, detail) = match &outcome {
            Ok(detail) => ("quarantine-replayed", detail.clone()),
            Err(why) => ("quarantine-kept", serde_json::json!({ "why": why })),
        };
        let entry = Entry {
            time_ms: crate::run::now_ms(),
            actor: message.replay_asked_by.clone().unwrap_or_default(),
            action,
            subject: message.id.to_string(),
            detail,
        };
        // Told first: should this end between the two, it is put through once more, which changes nothing.
        self.persist("a replay", || self.records.audit(&entry))
            .await?;
        self.persist("a replay", || async {
            match &outcome {
                Ok(_) => self.records.replayed(message.id).await,
                Err(why) => self.records.not_replayed(message.id, why).await,
            }
        })
        .await
    }

    /// Keeps for ever that a gateway lost readings: a loss is a record too.
    pub(crate) async fn lost(&self, site: &str, lost: &Lost) -> Result<(), GaveUp> {
        tracing::error!(site, ?lost, "a gateway lost batches to a full disk");
        let entry = Entry {
            time_ms: lost.time_ms,
            actor: "gateway".to_owned(),
            action: "readings-lost",
            subject: site.to_owned(),
            detail: serde_json::json!({ "from": lost.from, "to": lost.to, "readings": lost.readings }),
        };
        self.persist("a loss", || self.records.audit(&entry))
            .await?;
        Ok(())
    }

    /// Keeps for ever that a gateway's clock was set, so that the times before it can be read for what they are.
    pub(crate) async fn clock_set(&self, site: &str, set: &ClockSet) -> Result<(), GaveUp> {
        tracing::warn!(site, ?set, "a gateway's clock was set");
        let entry = Entry {
            time_ms: set.time_ms,
            actor: "gateway".to_owned(),
            action: "clock-set",
            subject: site.to_owned(),
            detail: serde_json::json!({ "by_ms": set.by_ms }),
        };
        self.persist("a setting of a clock", || self.records.audit(&entry))
            .await?;
        Ok(())
    }

    /// Keeps for ever who silenced a horn, reset or tested an output, proved a loop, made a report or changed the site file at a plant.
    pub(crate) async fn acted(&self, site: &str, act: &Act) -> Result<(), GaveUp> {
        let (action, detail) = match &act.deed {
            Deed::Silence => (crate::audit::PLANT_SILENCE, serde_json::json!({})),
            Deed::Reload { from, to, changes } => {
                let changes =
                    serde_json::from_str(changes).unwrap_or_else(|_| serde_json::json!(changes));
                let detail = serde_json::json!({ "from": from, "to": to, "changes": changes });
                ("plant-reload", detail)
            }
            Deed::Reset(output) => ("plant-reset", serde_json::json!({ "output": output })),
            Deed::Test(output) => ("plant-test", serde_json::json!({ "output": output })),
            Deed::Prove(proved) => ("plant-prove", proof(proved)),
            Deed::Report(proved) => ("plant-report", proof(proved)),
        };
        let entry = Entry {
            time_ms: act.time_ms,
            actor: format!("{site}/{}", act.actor),
            action,
            subject: site.to_owned(),
            detail,
        };
        self.persist("an act", || self.records.audit(&entry))
            .await?;
        Ok(())
    }

    /// What a single question answered; its failure counts as a store's.
    pub(crate) async fn found<T>(
        &self,
        what: &'static str,
        answer: Result<T, RecordsError>,
    ) -> Result<T, GaveUp> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let mut tries = TRIES;
                self.failed(what, &error, &mut tries).await?;
                Err(GaveUp)
            }
        }
    }

    async fn persist<T, F>(&self, what: &'static str, act: impl Fn() -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, RecordsError>>,
    {
        let mut tries = 0;
        loop {
            match act().await {
                Ok(done) => {
                    self.well();
                    return Ok(done);
                }
                Err(error) => self.failed(what, &error, &mut tries).await?,
            }
        }
    }

    async fn failed(
        &self,
        what: &'static str,
        error: &(dyn std::error::Error + Send + Sync),
        tries: &mut u32,
    ) -> Result<(), GaveUp> {
        *tries += 1;
        tracing::error!(what, %error, tries, "a store failed");
        metrics::counter!("davy_ingest_store_failures_total").increment(1);
        self.is_failing.store(true, Ordering::Relaxed);
        let detail = format!("not committed, not acknowledged: {what}: {error}");
        self.health.say("ingest", Status::Failed, detail);
        self.pause(AFTER_FAILURE * 2_u32.pow((*tries).min(TRIES)))
            .await?;
        if *tries >= TRIES { Err(GaveUp) } else { Ok(()) }
    }

    fn well(&self) {
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the stores commit again");
            self.health
                .say("ingest", Status::Ok, "the stores commit again");
        }
    }

    async fn pause(&self, pause: Duration) -> Result<(), GaveUp> {
        tokio::select! {
            () = self.ending.cancelled() => Err(GaveUp),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

/// A proof in the audit log: whole, as the plant told it.
fn proof(proved: &Proved) -> serde_json::Value {
    let Proved {
        of,
        number,
        kind,
        outcome,
        digest,
        detail,
    } = proved;
    // What is no JSON is kept as the text that it is.
    let text = || serde_json::Value::from(detail.as_str());
    let told: serde_json::Value = serde_json::from_str(detail).unwrap_or_else(|_| text());
    serde_json::json!({
        "of": of, "number": number, "kind": kind, "outcome": outcome, "digest": digest, "proof": told
    })
}
