//! Quarantined messages put through again because somebody asked: after a birth that declares what was unknown, or an upgrade that can read it.
//!
//! What they hold is committed as history: readings that are there already stay as they are, lines are known by their numbers, and nothing of it is shown
//! as of now. What still cannot be read keeps the message in the quarantine, with the reason of today.

use super::decode::{self, Data};
use super::edge::Edge;
use super::outbox::EdgeName;
use super::store::GaveUp;
use super::worker::Worker;
use crate::records::{Batch, Offset, Quarantined};
use davy_wire::{Payload, Topic, Verb};

/// Messages put through between two groups of what arrives.
const MOST_AT_A_TIME: u32 = 16;

impl Worker {
    /// Puts through what somebody asked for.
    pub(super) async fn replays(&mut self) -> Result<(), GaveUp> {
        for message in self.store.replays(MOST_AT_A_TIME).await? {
            let outcome = self.replay(&message).await?;
            let now_ms = (self.clock)();
            self.store.replayed(&message, outcome, now_ms).await?;
        }
        Ok(())
    }

    /// What was committed, or why the message stays.
    async fn replay(
        &mut self,
        message: &Quarantined,
    ) -> Result<Result<serde_json::Value, String>, GaveUp> {
        let (name, device) = match of_data(&message.topic) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let Some(edge) = self.edge(&name).await? else {
            return Ok(Err("the birth of its node is not known".to_owned()));
        };
        let born_ms = self.tables.born_ms(&name).unwrap_or(i64::MAX);
        let mut data = match read(message, &device, &edge, born_ms) {
            Ok(data) => data,
            Err(why) => return Ok(Err(why)),
        };
        let counts = serde_json::json!({ "site": &*edge.site, "readings": data.readings.len(), "lines": data.lines.len() });
        self.store
            .readings(std::mem::take(&mut data.readings))
            .await?;
        let journal = edge.stream.zip(data.offset);
        let batch = Batch {
            site: edge.site.to_string(),
            offset: journal.and_then(|(stream, offset)| Offset::new(stream, offset)),
            received_ms: (self.clock)(),
            newest_ms: data.newest_ms,
            lines: std::mem::take(&mut data.lines),
            late_after_ms: self.late_after_ms,
            samples: std::mem::take(&mut data.samples),
            again: true,
            entries: vec![],
            aside: None,
        };
        let live = self.live.clone();
        let _turn = live.turn().await;
        for outcome in self.store.batches(std::slice::from_ref(&batch)).await? {
            self.tell(&edge.site, Data::default(), outcome).await;
        }
        Ok(Ok(counts))
    }
}

/// Whose data a topic carries.
fn of_data(topic: &str) -> Result<(EdgeName, String), String> {
    match Topic::parse(topic) {
        Ok(Topic::Message {
            group,
            verb: Verb::NodeData | Verb::DeviceData,
            edge,
            device,
        }) => Ok((EdgeName { group, edge }, device.unwrap_or_default())),
        Ok(_) => Err(
            "a birth or death of the past is not put through again: ask for a new birth".to_owned(),
        ),
        Err(_) => Err("its topic is none of Sparkplug's".to_owned()),
    }
}

/// Reads a message by the node's present table, if that can be meant by it, and only if it can be read whole.
fn read(message: &Quarantined, device: &str, edge: &Edge, born_ms: i64) -> Result<Data, String> {
    let mut payload = Payload::from_bytes(&message.payload).map_err(|error| error.to_string())?;
    if message.by_present_birth {
        for metric in &mut payload.metrics {
            if metric.property(davy_wire::name::BIRTH).is_some() {
                metric.properties = None;
            }
        }
    }
    let data = decode::data(&payload, device, edge, message.received_ms);
    let says_birth = payload
        .metrics
        .iter()
        .any(|metric| metric.property(davy_wire::name::BIRTH).is_some());
    let by_alias = payload.metrics.iter().any(|metric| metric.name.is_none());
    let is_known = message.by_present_birth || says_birth || born_ms <= message.received_ms;
    if by_alias && !is_known {
        return Err(
            "its node was born again since, and it does not say whose aliases it uses".to_owned(),
        );
    }
    if edge.stream.is_some() && data.offset.is_none() && !data.lines.is_empty() {
        return Err("alarm lines without a valid Store/Offset".to_owned());
    }
    let faults: Vec<String> = data
        .undeclared
        .iter()
        .map(|name| format!("no birth declared {name}"))
        .chain(data.faults.iter().cloned())
        .collect();
    if faults.is_empty() {
        Ok(data)
    } else {
        Err(faults.join("; "))
    }
}
