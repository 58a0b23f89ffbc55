//! What is to be said to gateways: acknowledgements, gathered a gateway, and requests to be born again. Whoever commits puts here and never waits, so
//! that the task that reads the socket and the task that commits cannot wait for each other.

use super::link::Speaker;
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long acknowledgements of one gateway are gathered.
const GATHER: Duration = Duration::from_millis(10);

/// Offsets of one gateway that wait to be said. Beyond it they are forgotten: the gateway sends those batches again.
const MOST_OFFSETS: usize = 20_000;

/// Offsets in one message.
const OFFSETS_A_MESSAGE: usize = 1_000;

/// An edge node's name on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EdgeName {
    pub(crate) group: String,
    pub(crate) edge: String,
}

impl std::fmt::Display for EdgeName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.group, self.edge)
    }
}

/// The outbox; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(Arc<Shelves>);

#[derive(Debug)]
struct Shelves {
    waiting: Mutex<Waiting>,
    filled: Notify,
    clock: fn() -> i64,
}

#[derive(Debug, Default)]
struct Waiting {
    committed: BTreeMap<(EdgeName, u64), Vec<u64>>,
    rebirths: BTreeSet<EdgeName>,
}

impl Outbox {
    pub(crate) fn new(clock: fn() -> i64) -> Self {
        Self(Arc::new(Shelves {
            waiting: Mutex::default(),
            filled: Notify::new(),
            clock,
        }))
    }

    /// This batch is committed, or put aside: it need not come again.
    pub(crate) fn acknowledge(&self, edge: &EdgeName, stream: u64, offset: u64) {
        let mut waiting = self.waiting();
        let offsets = waiting.committed.entry((edge.clone(), stream)).or_default();
        if offsets.len() < MOST_OFFSETS {
            offsets.push(offset);
        }
        drop(waiting);
        self.0.filled.notify_one();
    }

    /// The node shall be born again.
    pub(crate) fn ask_rebirth(&self, edge: &EdgeName) {
        self.waiting().rebirths.insert(edge.clone());
        self.0.filled.notify_one();
    }

    /// Says what waits until the service ends, or the client.
    pub(crate) async fn run(self, speaker: Speaker, ending: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = self.0.filled.notified() => tokio::time::sleep(GATHER).await,
            }
            let waiting = std::mem::take(&mut *self.waiting());
            for (topic, payload) in messages(waiting, (self.0.clock)()) {
                if speaker.publish(topic, payload).await.is_err() {
                    return;
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn messages(waiting: Waiting, now_ms: i64) -> Vec<(String, Vec<u8>)> {
    let mut messages = Vec::new();
    for ((edge, stream), offsets) in waiting.committed {
        for offsets in offsets.chunks(OFFSETS_A_MESSAGE) {
            let text = Value::Text(Ack::of(stream, offsets).to_string());
            let metric = Metric::named(name::ACK, DataType::Text, Some(text));
            messages.push(command(&edge, metric, now_ms));
        }
    }
    for edge in waiting.rebirths {
        let metric = Metric::named(name::REBIRTH, DataType::Boolean, Some(Value::Flag(true)));
        messages.push(command(&edge, metric, now_ms));
    }
    messages
}

fn command(edge: &EdgeName, metric: Metric, now_ms: i64) -> (String, Vec<u8>) {
    let topic = Topic::node(&edge.group, Verb::NodeCommand, &edge.edge).to_string();
    (topic, payload(metric, now_ms).to_bytes())
}

/// A command's payload: with a timestamp, without a sequence number.
pub(crate) fn payload(metric: Metric, now_ms: i64) -> Payload {
    Payload {
        timestamp: u64::try_from(now_ms).ok(),
        metrics: vec![metric.at(now_ms)],
        seq: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gateways_acknowledgements_are_one_message() {
        let outbox = Outbox::new(|| 1);
        let edge = EdgeName {
            group: "g".into(),
            edge: "e".into(),
        };
        for offset in [3, 1, 2, 9] {
            outbox.acknowledge(&edge, 7, offset);
        }
        outbox.ask_rebirth(&edge);
        outbox.ask_rebirth(&edge);
        let messages = messages(std::mem::take(&mut *outbox.waiting()), 1);
        assert_eq!(messages.len(), 2);
        let payload = Payload::from_bytes(&messages[0].1).expect("a payload");
        let text = payload
            .metric(name::ACK)
            .and_then(|metric| metric.value(None));
        assert_eq!(text, Some(Value::Text("7:1-3,9".into())));
        assert_eq!(messages[0].0, "spBv1.0/g/NCMD/e");
        assert_eq!(payload.seq, None);
    }
}
