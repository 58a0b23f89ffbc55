//! Sequence numbers of Sparkplug messages: a message that is missing between others is waited for, and then its node is asked to be born again.
//!
//! Order of arrival decides nothing here: offsets and source times do. But a node without a journal never repeats what was lost on its way, and only a
//! birth tells how things stand. Collectors that share a subscription each hear a part, and police nothing.

use super::outbox::EdgeName;
use super::tables::Trust;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Nodes that are followed. Beyond it all are forgotten, and each is followed again from its next birth on.
const MOST_NODES: usize = 20_000;
/// Fewer are taken for messages that are missing; more, for a number of long ago.
const MOST_MISSING: u8 = 128;

/// Where every node's numbers stand.
#[derive(Debug)]
pub(crate) struct Sequences {
    are_followed: bool,
    timeout: Duration,
    nodes: HashMap<EdgeName, Sequence>,
}

#[derive(Debug)]
struct Sequence {
    next: u8,
    missing: BTreeSet<u8>,
    /// Since when something has been missing.
    since: Option<Instant>,
}

impl Sequences {
    pub(crate) fn new(trust: Trust, timeout: Duration) -> Self {
        Self {
            are_followed: trust == Trust::Heard,
            timeout,
            nodes: HashMap::new(),
        }
    }

    /// We connected anew: what was sent meanwhile was not heard.
    pub(crate) fn forget(&mut self) {
        self.nodes.clear();
    }

    /// A node's birth begins its numbers.
    pub(crate) fn born(&mut self, name: &EdgeName, seq: Option<u64>) {
        self.nodes.remove(name);
        let Some(first) = seq
            .and_then(|seq| u8::try_from(seq).ok())
            .filter(|_| self.are_followed)
        else {
            return;
        };
        if self.nodes.len() >= MOST_NODES {
            self.nodes.clear();
        }
        let sequence = Sequence {
            next: first.wrapping_add(1),
            missing: BTreeSet::new(),
            since: None,
        };
        self.nodes.insert(name.clone(), sequence);
    }

    /// A message of a node that was born.
    pub(crate) fn heard(&mut self, name: &EdgeName, seq: Option<u64>, now: Instant) {
        let seq = seq.and_then(|seq| u8::try_from(seq).ok());
        if let Some((sequence, seq)) = self.nodes.get_mut(name).zip(seq) {
            sequence.take(seq, now);
        }
    }

    /// Nodes of which something has been missing for too long. They are not followed until they are born again.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<EdgeName> {
        let timeout = self.timeout;
        let is_late = |sequence: &Sequence| {
            sequence
                .since
                .is_some_and(|since| now.duration_since(since) >= timeout)
        };
        let late = self.nodes.extract_if(|_, sequence| is_late(sequence));
        late.map(|(name, _)| name).collect()
    }
}

impl Sequence {
    fn take(&mut self, seq: u8, now: Instant) {
        if self.missing.remove(&seq) {
            self.since = self.since.filter(|_| !self.missing.is_empty());
            return;
        }
        let ahead = seq.wrapping_sub(self.next);
        if ahead > MOST_MISSING {
            return;
        }
        for step in 0..ahead {
            self.missing.insert(self.next.wrapping_add(step));
            self.since.get_or_insert(now);
        }
        self.next = seq.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> EdgeName {
        EdgeName {
            group: "g".into(),
            edge: "e".into(),
        }
    }

    /// Which numbers come, and whether the node is asked to be born again two seconds later.
    fn check(numbers: &[u64], is_asked: bool) {
        let mut sequences = Sequences::new(Trust::Heard, Duration::from_secs(2));
        let begun = Instant::now();
        sequences.born(&name(), Some(0));
        for seq in numbers {
            sequences.heard(&name(), Some(*seq), begun);
        }
        assert!(
            sequences
                .overdue(begun + Duration::from_millis(1_999))
                .is_empty()
        );
        let asked = sequences.overdue(begun + Duration::from_secs(2));
        assert_eq!(!asked.is_empty(), is_asked, "{numbers:?}");
        assert!(
            sequences
                .overdue(begun + Duration::from_secs(60))
                .is_empty(),
            "once"
        );
    }

    #[test]
    fn a_message_that_stays_missing_is_asked_about_once_and_one_that_comes_late_is_not() {
        check(&[1, 2, 3], false);
        check(&[1, 3], true);
        check(&[1, 3, 4, 2], false);
        check(&[2, 5, 1, 3], true);
        check(&[2, 5, 1, 3, 4], false);
    }

    #[test]
    fn numbers_begin_again_after_255_and_a_doubled_one_is_none_missing() {
        let around: Vec<u64> = (1..=255).chain([0, 1]).collect();
        check(&around, false);
        check(&[around, vec![3]].concat(), true);
        check(&[1, 1, 2, 1], false);
    }

    #[test]
    fn collectors_that_share_police_nothing() {
        let mut sequences = Sequences::new(Trust::Stored, Duration::ZERO);
        sequences.born(&name(), Some(0));
        sequences.heard(&name(), Some(9), Instant::now());
        assert!(sequences.overdue(Instant::now()).is_empty());
    }
}
