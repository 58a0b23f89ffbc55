//! The tables of all edge nodes, read through from stored births, and when a node may be asked to be born again.

use super::edge::Edge;
use super::outbox::EdgeName;
use crate::records::{Records, RecordsError, StoredBirth};
use davy_wire::Payload;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Tables kept in memory. Beyond it one is forgotten, and read or asked for again when its node speaks.
const MOST_EDGES: usize = 20_000;

/// A node is asked at most this often; the pause doubles while no birth comes.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Whether births that were stored earlier may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// We alone listen: a birth that we did not hear since we connected may have been replaced by one that nobody heard.
    Heard,
    /// Several listen: another one may have heard the birth, so that the shared store is asked.
    Stored,
}

/// Every edge node that is known.
#[derive(Debug)]
pub(crate) struct Tables {
    records: Records,
    trust: Trust,
    edges: HashMap<EdgeName, Entry>,
    asked: HashMap<EdgeName, Asked>,
}

#[derive(Debug)]
struct Entry {
    edge: Arc<Edge>,
    /// When its newest birth was received.
    born_ms: i64,
    read_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Instant,
    pause: Duration,
}

/// How long a table from the shared store is used before the store is asked for a newer birth.
const FRESH: Duration = Duration::from_secs(1);

/// How often and how far apart the shared store is looked at for a birth that must be on its way.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

impl Tables {
    pub(crate) fn new(records: Records, trust: Trust) -> Self {
        Self {
            records,
            trust,
            edges: HashMap::new(),
            asked: HashMap::new(),
        }
    }

    /// We connected anew: what happened meanwhile was not heard.
    pub(crate) fn connected(&mut self) {
        self.edges.clear();
        self.asked.clear();
    }

    /// The table of a node, if a birth of it may be trusted.
    pub(crate) async fn get(&mut self, name: &EdgeName) -> Result<Option<Arc<Edge>>, RecordsError> {
        let is_fresh = match (self.trust, self.edges.get(name)) {
            (Trust::Heard, _) => true,
            (Trust::Stored, Some(entry)) => entry.read_at.elapsed() < FRESH,
            (Trust::Stored, None) => false,
        };
        if !is_fresh {
            self.read(name).await?;
        }
        Ok(self.edges.get(name).map(|entry| entry.edge.clone()))
    }

    /// Asks the shared store anew for what a message of this node needs and its table does not have. Another collector may be about to commit the birth,
    /// so that it is waited for a little, though not again and again for a node that was just asked for a birth.
    pub(crate) async fn refresh(&mut self, name: &EdgeName) -> Result<(), RecordsError> {
        if self.trust == Trust::Heard {
            return Ok(());
        }
        let known_ms = self.born_ms(name);
        let was_asked = self
            .asked
            .get(name)
            .is_some_and(|asked| asked.at.elapsed() < asked.pause);
        for _ in 0..if was_asked { 1 } else { LOOKS } {
            self.read(name).await?;
            if self.born_ms(name) != known_ms {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// A node is born: its table begins anew, and its devices follow.
    pub(crate) fn node_born(&mut self, name: &EdgeName, edge: Edge, born_ms: i64) {
        self.asked.remove(name);
        self.put(name, edge, born_ms);
    }

    /// A device is born: the table with it, or none if its node is not known.
    pub(crate) fn device_born(
        &mut self,
        name: &EdgeName,
        device: &str,
        birth: &Payload,
    ) -> Option<Arc<Edge>> {
        let entry = self.edges.get_mut(name)?;
        Arc::make_mut(&mut entry.edge).declare(device, birth);
        Some(entry.edge.clone())
    }

    /// When the newest birth of this node that we know of came.
    pub(crate) fn born_ms(&self, name: &EdgeName) -> Option<i64> {
        self.edges.get(name).map(|entry| entry.born_ms)
    }

    /// Whether the node may be asked for a birth now; counts as asking.
    pub(crate) fn may_ask(&mut self, name: &EdgeName, now: Instant) -> bool {
        if self.asked.len() >= MOST_EDGES {
            self.asked
                .retain(|_, asked| now.duration_since(asked.at) < asked.pause);
        }
        let pause = match self.asked.get(name) {
            Some(asked) if now.duration_since(asked.at) < asked.pause => return false,
            Some(asked) => (asked.pause * 2).min(LONGEST_PAUSE),
            None if self.asked.len() >= MOST_EDGES => return false,
            None => FIRST_PAUSE,
        };
        self.asked.insert(name.clone(), Asked { at: now, pause });
        true
    }

    async fn read(&mut self, name: &EdgeName) -> Result<(), RecordsError> {
        let births = self.records.births(&name.group, &name.edge).await?;
        match from_births(&births) {
            Some((edge, born_ms)) => self.put(name, edge, born_ms),
            None => {
                self.edges.remove(name);
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &EdgeName, edge: Edge, born_ms: i64) {
        if self.edges.len() >= MOST_EDGES && !self.edges.contains_key(name) {
            let any = self.edges.keys().next().cloned();
            any.and_then(|any| self.edges.remove(&any));
        }
        let entry = Entry {
            edge: Arc::new(edge),
            born_ms,
            read_at: Instant::now(),
        };
        self.edges.insert(name.clone(), entry);
    }
}

/// Builds a table from stored births, the node's first, without device births of another session.
pub(crate) fn from_births(births: &[StoredBirth]) -> Option<(Edge, i64)> {
    let (node, devices) = births
        .split_first()
        .filter(|(node, _)| node.device.is_empty())?;
    let birth = Payload::from_bytes(&node.payload).ok()?;
    let mut edge = Edge::new(&node.site, &birth);
    let mut born_ms = node.received_ms;
    for stored in devices {
        let Ok(device) = Payload::from_bytes(&stored.payload) else {
            continue;
        };
        if edge.owns(&device) {
            edge.declare(&stored.device, &device);
            born_ms = born_ms.max(stored.received_ms);
        }
    }
    Some((edge, born_ms))
}
