//! The stores as ingest meets them: a busy one is waited for, a failing one is tried a few times and told of. While it waits nobody takes from the
//! queue, so that in the end the socket is not read: gateways and broker hold what we cannot.

use super::decode::{Act, ClockSet, Deed, Lost, Proved, Told};
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
        told_aside(message, why);
        let topic = message.topic.to_string();
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
        now_ms: i64,
    ) -> Result<(), GaveUp> {
        let (action, detail) = match &outcome {
            Ok(detail) => ("quarantine-replayed", detail.clone()),
            Err(why) => ("quarantine-kept", serde_json::json!({ "why": why })),
        };
        let entry = Entry {
            time_ms: now_ms,
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
            biased;
            () = self.ending.cancelled() => Err(GaveUp),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

/// Tells whoever runs the collector that a message is put aside.
pub(crate) fn told_aside(message: &Message, why: &str) {
    tracing::warn!(
        topic = message.topic.to_string(),
        why,
        bytes = message.payload.len(),
        "a message is quarantined"
    );
    metrics::counter!("davy_ingest_quarantined_total").increment(1);
}

/// What is kept for ever of a gateway's loss: it is a record too.
pub(crate) fn lost(site: &str, lost: &Lost) -> Entry {
    Entry {
        time_ms: lost.time_ms,
        actor: "gateway".to_owned(),
        action: "readings-lost",
        subject: site.to_owned(),
        detail: serde_json::json!({ "from": lost.from, "to": lost.to, "readings": lost.readings }),
    }
}

/// What is kept for ever of who silenced a horn, reset or tested an output, proved a loop, made a report or changed the site file at a plant.
pub(crate) fn acted(site: &str, act: &Act) -> Entry {
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
    Entry {
        time_ms: act.time_ms,
        actor: format!("{site}/{}", act.actor),
        action,
        subject: site.to_owned(),
        detail,
    }
}

/// What is kept for ever of a gateway's clock that was set, so that the times before it can be read for what they are.
pub(crate) fn clock_set(site: &str, set: &ClockSet) -> Entry {
    Entry {
        time_ms: set.time_ms,
        actor: "gateway".to_owned(),
        action: "clock-set",
        subject: site.to_owned(),
        detail: serde_json::json!({ "by_ms": set.by_ms }),
    }
}

/// What is kept for ever of a node's own record: what it saw while nobody asked it stands at its own time, and says when it was learnt, so that it is never taken for
/// news.
pub(crate) fn told(site: &str, told: &Told) -> Entry {
    let mut detail = told.detail.clone();
    detail.insert("kind".to_owned(), told.kind.as_str().into());
    let collected = detail.get("collected").and_then(serde_json::Value::as_i64);
    let late_ms = collected.map(|collected| collected.saturating_sub(told.time_ms).max(0));
    detail.insert("late_ms".to_owned(), late_ms.into());
    Entry {
        time_ms: told.time_ms,
        actor: format!("{site}/{}", told.device),
        action: match &*told.kind {
            "missed" | "renumbered" => "node-events-lost",
            _ => "node-event",
        },
        subject: site.to_owned(),
        detail: detail.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::embedded::Embedded;
    use crate::questions::{self, Asked, By, Question, Stores};
    use crate::records::{Line, Offset, Scope};
    use crate::table::Cell;
    use davy_alarm::{Cause, Priority, Shown};

    fn proved(number: u64, time_ms: i64, outcome: &str) -> Act {
        Act {
            actor: "li".into(),
            time_ms,
            deed: Deed::Prove(Box::new(Proved {
                of: Some("GT-1".into()),
                number,
                kind: "bump".into(),
                outcome: outcome.into(),
                digest: "ab".repeat(32),
                detail: r#"{"expected":50}"#.into(),
            })),
        }
    }

    async fn overdue(records: &Records) {
        let birth = NodeBirth {
            edge: "tank-farm".into(),
            ..NodeBirth::default()
        };
        records.node_born(&birth).await.expect("a birth");
        let line = Line {
            seq: 1,
            alarm: "GT-1.PROOF".into(),
            occurrence: 1,
            from: Shown::Normal,
            to: Shown::Unacknowledged,
            cause: Cause::Active,
            time_ms: 5_000,
            value: None,
            value_cause: None,
            limit: None,
            priority: Priority::P3,
            actor: None,
            reason: None,
            shelved_until_ms: None,
            command: None,
        };
        let batch = Batch {
            site: "tank-farm".into(),
            offset: Offset::new(1, 1),
            received_ms: 5_000,
            newest_ms: 5_000,
            lines: vec![line],
            late_after_ms: i64::MAX,
            samples: vec![],
            entries: vec![],
            aside: None,
            again: false,
        };
        records.commit(&[batch]).await.expect("a commit");
    }

    /// The question about overdue proofs reads what this file writes: the two must spell the same.
    #[tokio::test]
    async fn the_last_proof_that_a_plant_told_is_found_by_the_question_about_overdue_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::open(&folder.path().join("records.db"), 0).await;
        let records = records.expect("records");
        let history = Embedded::open(folder.path().join("history")).expect("a history");
        overdue(&records).await;
        for act in [
            proved(1, 1_000, "fail"),
            proved(2, 2_000, "pass"),
            proved(3, 3_000, "abandoned"),
        ] {
            let entry = acted("tank-farm", &act);
            assert_eq!(entry.action, "plant-prove");
            assert_eq!(entry.detail["proof"]["expected"], 50);
            records.audit(&entry).await.expect("an entry");
        }
        let asked = Asked {
            question: Question::Proofs,
            scope: Scope::All,
            site: None,
            town: None,
            from_ms: 0,
            to_ms: 10_000,
            now_ms: 10_000,
            priorities: vec![],
            conditions: vec![],
            unacknowledged_over_ms: None,
            minutes: 0,
            by: By::default(),
            points: vec![],
            known: None,
            zone: jiff::tz::Offset::UTC,
            cursor: None,
            limit: 10,
        };
        let stores = Stores {
            records: &records,
            history: &history,
        };
        let page = questions::ask(stores, &asked).await.expect("an answer");
        let row = &page.rows[0];
        let at = |key: &str| {
            let columns = Question::Proofs.columns();
            let found = columns.iter().position(|column| column.key == key);
            row[found.expect("a column")].clone()
        };
        assert_eq!(at("subject"), Cell::Text("GT-1".into()));
        assert_eq!(at("overdue-for"), Cell::Whole(5_000));
        // The bench that was left proves nothing.
        assert_eq!(at("last-proof"), Cell::Whole(2_000));
        assert_eq!(at("verdict"), Cell::Text("pass".into()));
    }
}
