//! What the gateway knows of its nodes: how far their events are in the record, how they did when last asked, and the newest that they told.

use super::registers::number_of;
use super::{EventClock, Status};
use crate::journal::{Journal, Record};
use davy_alarm::WallMs;
use davy_wire::node::{EVENT_WORDS, Event};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Newest events that are kept for screens, of each node; the journal has them all.
const RECENT: usize = 20;

/// Something that a node told when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The device's id. Not its position: a node's past outlives the site file that was in force.
    pub device: Arc<str>,
    /// When it was asked, by the gateway's clock.
    pub collected: WallMs,
    pub what: What,
}

/// What it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An event of its ring, as it stood there.
    Event {
        words: [u16; EVENT_WORDS],
        time: WallMs,
        clock: EventClock,
    },
    /// Events `from..=to` had given way to newer ones before they could be collected.
    Missed { from: u32, to: u32 },
    /// Its numbers begin anew: event `expected` was next and cannot be any more. Another board, or one that lost its memory. Collected from number `from` on.
    Renumbered { expected: u32, from: u32 },
}

impl Told {
    /// The event, if it is one that this gateway can read.
    pub fn event(&self) -> Option<Event> {
        match &self.what {
            What::Event { words, .. } => Event::from_words(words),
            What::Missed { .. } | What::Renumbered { .. } => None,
        }
    }

    /// When it happened, as far as known: of what was missed, when that was found.
    pub const fn time(&self) -> WallMs {
        match self.what {
            What::Event { time, .. } => time,
            What::Missed { .. } | What::Renumbered { .. } => self.collected,
        }
    }
}

/// How far a node's events are in the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The number that is collected next.
    pub next: u32,
    pub collected: u64,
    pub missed: u64,
}

impl Mark {
    /// Goes on with what was told. Told again, it changes nothing.
    pub fn follow(&mut self, what: &What) {
        match what {
            What::Event { words, .. } => {
                let number = number_of(words);
                if number >= self.next {
                    self.next = number.saturating_add(1);
                    self.collected += 1;
                }
            }
            What::Missed { from, to } => {
                if *to >= self.next {
                    self.next = to.saturating_add(1);
                    self.missed += u64::from(to.saturating_sub(*from)) + 1;
                }
            }
            What::Renumbered { from, .. } => self.next = *from,
        }
    }
}

/// A node for screens.
#[derive(Clone, Debug, Default)]
pub struct NodeNow {
    /// None before it has told of anything.
    pub mark: Option<Mark>,
    /// How it did when it was last asked, and when that was.
    pub status: Option<(Status, WallMs)>,
    /// The unit does not answer as a node whose map is known.
    pub is_strange: bool,
    /// Newest last.
    pub recent: VecDeque<Told>,
}

/// The nodes of a gateway. Cheap to clone; locks are held to copy, and to hand records to the journal, which never waits.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// None in a test of buses alone: nothing is recorded then.
    journal: Option<Journal>,
    nodes: Mutex<BTreeMap<Arc<str>, NodeNow>>,
}

impl Nodes {
    /// Goes on from where the journal says that it stands.
    pub fn new(journal: Journal, marks: BTreeMap<Arc<str>, Mark>) -> Self {
        let now = |mark| NodeNow {
            mark: Some(mark),
            ..NodeNow::default()
        };
        let nodes = marks.into_iter().map(|(id, mark)| (id, now(mark)));
        Self(Arc::new(Inner {
            journal: Some(journal),
            nodes: Mutex::new(nodes.collect()),
        }))
    }

    /// One node, by its device's id; all empty if it was never reached.
    pub fn now(&self, device: &str) -> NodeNow {
        self.lock().get(device).cloned().unwrap_or_default()
    }

    /// The number of the event that is collected next; none before its ring was looked at.
    pub(super) fn next(&self, device: &str) -> Option<u32> {
        Some(self.lock().get(device)?.mark?.next)
    }

    /// A unit does not answer as a node whose map is known; whether that is new.
    pub(super) fn strange(&self, device: &Arc<str>) -> bool {
        let mut nodes = self.lock();
        let node = nodes.entry(device.clone()).or_default();
        !std::mem::replace(&mut node.is_strange, true)
    }

    /// Whether the record takes events now without loss; a node keeps its own until then.
    pub(super) fn take_events(&self) -> bool {
        !self.0.journal.as_ref().is_some_and(Journal::is_behind)
    }

    /// A node was asked how it does. What its ring can no longer give is recorded: as missed, so far as it is known to have been, and as numbers that begin anew,
    /// where power went or the board is another.
    pub(super) fn look(&self, device: &Arc<str>, status: Status, at: WallMs) {
        let (mark, seen) = {
            let mut nodes = self.lock();
            let node = nodes.entry(device.clone()).or_default();
            let before = node.status.replace((status, at));
            node.is_strange = false;
            // Of a node that is met for the first time, what it saw elsewhere before its ring begins is nobody's loss.
            let first = Mark {
                next: status.event_oldest,
                ..Mark::default()
            };
            let seen = before.map_or(0, |(before, _)| before.event_next);
            (*node.mark.get_or_insert(first), seen)
        };
        let gaps = gaps(mark.next, seen, &status);
        if !gaps.is_empty() {
            tracing::warn!(
                device = &**device,
                ?gaps,
                "events of a node cannot be collected"
            );
            self.tell(device, gaps, at);
        }
    }

    /// Takes what a node told into the record, in its order.
    pub(super) fn tell(&self, device: &Arc<str>, what: Vec<What>, collected: WallMs) {
        if what.is_empty() {
            return;
        }
        let told = |what| Told {
            device: device.clone(),
            collected,
            what,
        };
        let told: Vec<Told> = what.into_iter().map(told).collect();
        let mut nodes = self.lock();
        let node = nodes.entry(device.clone()).or_default();
        for one in &told {
            node.mark.get_or_insert_default().follow(&one.what);
            if node.recent.len() == RECENT {
                node.recent.pop_front();
            }
            node.recent.push_back(one.clone());
        }
        // Still under the lock: the journal has them in the order of their numbers.
        if let Some(journal) = &self.0.journal {
            let records = told.into_iter().map(|told| Record::Told(Box::new(told)));
            journal.append(None, records.collect());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, NodeNow>> {
        // Every change is whole before the lock is left.
        self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a node can no longer give, of the numbers from `expected` on. When it was last seen before, its next number was `seen`; 0 if it was not.
///
/// Numbers below the first since power came were reserved in flash, and only some of them used: those below `seen` were, of the others nobody knows.
fn gaps(expected: u32, seen: u32, status: &Status) -> Vec<What> {
    let (first, oldest) = (status.event_first, status.event_oldest);
    if expected > status.event_next {
        let from = oldest;
        return vec![What::Renumbered { expected, from }];
    }
    let missed = |from: u32, end: u32| {
        let to = end.checked_sub(1).filter(|to| *to >= from)?;
        Some(What::Missed { from, to })
    };
    if expected >= first {
        return missed(expected, oldest).into_iter().collect();
    }
    let known = seen.clamp(expected, first);
    let anew = What::Renumbered {
        expected: known,
        from: first,
    };
    let gaps = [missed(expected, known), Some(anew), missed(first, oldest)];
    gaps.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn missed(from: u32, to: u32) -> What {
        What::Missed { from, to }
    }

    const fn anew(expected: u32, from: u32) -> What {
        What::Renumbered { expected, from }
    }

    #[test]
    fn what_is_known_to_be_lost_is_missed_and_what_nobody_knows_is_not_counted() {
        let ring = |event_first, event_oldest, event_next| Status {
            event_first,
            event_oldest,
            event_next,
            ..Status::default()
        };
        for (expected, seen, status, wanted) in [
            (11, 11, ring(1, 1, 11), vec![]),
            (11, 11, ring(1, 83, 211), vec![missed(11, 82)]),
            // Power went: nothing is known of 11 to 1,024.
            (11, 11, ring(1_025, 1_025, 1_030), vec![anew(11, 1_025)]),
            (11, 0, ring(1_025, 1_025, 1_030), vec![anew(11, 1_025)]),
            // Two events were seen to be there, and went with it.
            (
                11,
                13,
                ring(1_025, 1_025, 1_030),
                vec![missed(11, 12), anew(13, 1_025)],
            ),
            // And since then the ring overran.
            (
                11,
                11,
                ring(1_025, 1_173, 1_301),
                vec![anew(11, 1_025), missed(1_025, 1_172)],
            ),
            // Another board.
            (11, 11, ring(1, 1, 4), vec![anew(11, 1)]),
        ] {
            assert_eq!(gaps(expected, seen, &status), wanted, "{expected} {seen}");
            let mut mark = Mark {
                next: expected,
                ..Mark::default()
            };
            wanted.iter().for_each(|what| mark.follow(what));
            assert!((status.event_oldest..=status.event_next).contains(&mark.next));
        }
    }
}
