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

/// A node is asked at most this often; the pause doubles while no birth comes, and by collectors that share also where births come: each of them has a part of a
/// birth and of what follows it, and asks for the next while the others still read this one. Without the pause such a storm never ends.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// Where births come, and one is asked for all the same.
const LONGEST_ANSWERED: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// A node that was not asked for so long is asked as if it never had been.
const CALM_AFTER: Duration = Duration::from_secs(120);

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
    /// A birth has come since.
    is_answered: bool,
}

impl Asked {
    /// The pause after another asking at this time; none while this one lasts. The first birth that is found wanting may be asked for anew at once.
    fn next_pause(self, now: Instant) -> Option<Duration> {
        let since = now.duration_since(self.at);
        let is_second = self.is_answered && self.pause == FIRST_PAUSE;
        let longest = if self.is_answered {
            LONGEST_ANSWERED
        } else {
            LONGEST_PAUSE
        };
        // A birth that came ends a pause that grew long because none did.
        let pause = self.pause.min(longest);
        match since {
            _ if since < pause && !is_second => None,
            _ if since >= pause + CALM_AFTER => Some(FIRST_PAUSE),
            _ => Some((pause * 2).min(longest)),
        }
    }
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
            .is_some_and(|asked| !asked.is_answered && asked.at.elapsed() < asked.pause);
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
        // Who listens alone hears all of a birth, and in order: another may be wanted at once.
        if self.trust == Trust::Heard {
            self.asked.remove(name);
        }
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
            Some(asked) => asked.next_pause(now),
            None if self.asked.len() >= MOST_EDGES => None,
            None => Some(FIRST_PAUSE),
        };
        let Some(pause) = pause else { return false };
        let asked = Asked {
            at: now,
            pause,
            is_answered: false,
        };
        self.asked.insert(name.clone(), asked);
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
        if self.born_ms(name) != Some(born_ms)
            && let Some(asked) = self.asked.get_mut(name)
        {
            asked.is_answered = true;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses, in seconds, of a node for which a birth is wanted again as soon as one may be asked for.
    fn pauses(count: usize, is_answered: bool) -> Vec<u64> {
        let mut asked = Asked {
            at: Instant::now(),
            pause: FIRST_PAUSE,
            is_answered,
        };
        let mut pauses = Vec::new();
        for _ in 0..count {
            let early = asked.at + asked.pause - Duration::from_millis(1);
            let is_second = is_answered && asked.pause == FIRST_PAUSE;
            assert_eq!(asked.next_pause(early).is_some(), is_second);
            let at = asked.at + asked.pause;
            let pause = asked.next_pause(at).expect("the pause is over");
            pauses.push(pause.as_secs());
            asked = Asked { at, pause, ..asked };
        }
        pauses
    }

    #[tokio::test]
    async fn a_node_is_asked_ever_more_rarely_also_where_its_births_come() {
        assert_eq!(pauses(7, false), [4, 8, 16, 32, 64, 120, 120]);
        assert_eq!(pauses(7, true), [4, 8, 16, 30, 30, 30, 30]);
    }

    #[tokio::test]
    async fn a_birth_that_came_ends_a_pause_that_grew_long_without_one() {
        let asked = Asked {
            at: Instant::now(),
            pause: LONGEST_PAUSE,
            is_answered: true,
        };
        assert_eq!(
            asked.next_pause(asked.at + LONGEST_ANSWERED),
            Some(LONGEST_ANSWERED)
        );
    }

    #[tokio::test]
    async fn a_node_that_was_long_in_order_is_asked_as_if_it_never_had_been() {
        let asked = Asked {
            at: Instant::now(),
            pause: LONGEST_ANSWERED,
            is_answered: true,
        };
        let calm = asked.at + LONGEST_ANSWERED + CALM_AFTER;
        assert_eq!(asked.next_pause(calm), Some(FIRST_PAUSE));
        let not_yet = calm - Duration::from_millis(1);
        assert_eq!(asked.next_pause(not_yet), Some(LONGEST_ANSWERED));
    }
}
