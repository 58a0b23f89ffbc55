//! How many annunciations come, when, and from where.

use crate::INTERVAL_MS;
use crate::line::{Line, Period};
use davy_alarm::Priority;
use std::collections::BTreeMap;

/// What annunciated in the period, and when anything did.
#[derive(Debug, Default)]
pub(crate) struct Load<'a> {
    /// All annunciations before the period's end, also those before it begins, in rising order.
    pub(crate) times: Vec<i64>,
    /// Those within the period.
    pub(crate) count: usize,
    pub(crate) sources: BTreeMap<&'a str, SourceLoad>,
    /// P1 to P4.
    pub(crate) priorities: [usize; 4],
}

#[derive(Debug)]
pub(crate) struct SourceLoad {
    pub(crate) priority: Priority,
    /// Within the period, in rising order.
    pub(crate) times: Vec<i64>,
}

impl<'a> Load<'a> {
    pub(crate) fn of(lines: &[Line<'a>], period: &Period) -> Self {
        let mut load = Self::default();
        for line in lines.iter().filter(|line| line.annunciates()) {
            if line.time_ms < period.to_ms {
                load.times.push(line.time_ms);
            }
            if !period.holds(line.time_ms) {
                continue;
            }
            load.count += 1;
            load.priorities[usize::from(line.priority.number() - 1)] += 1;
            let source = load.sources.entry(line.alarm).or_insert(SourceLoad {
                priority: line.priority,
                times: Vec::new(),
            });
            source.priority = line.priority;
            source.times.push(line.time_ms);
        }
        load.times.sort_unstable();
        for source in load.sources.values_mut() {
            source.times.sort_unstable();
        }
        load
    }

    /// Annunciations in each ten minutes from `start` on; the last interval may be cut short by the period's end.
    pub(crate) fn intervals(&self, start: i64, end: i64) -> Vec<usize> {
        let length = end.saturating_sub(start).max(0);
        let number = usize::try_from(length.div_euclid(INTERVAL_MS)).unwrap_or(0)
            + usize::from(length % INTERVAL_MS != 0);
        let mut counts = vec![0; number];
        for time in &self.times {
            let place = usize::try_from(time.saturating_sub(start).div_euclid(INTERVAL_MS));
            if let Some(count) = place.ok().and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        }
        counts
    }

    /// The busiest sources, at most `most`.
    pub(crate) fn busiest(&self, most: usize) -> Vec<(&'a str, &SourceLoad)> {
        let mut sources: Vec<_> = self
            .sources
            .iter()
            .map(|(alarm, load)| (*alarm, load))
            .collect();
        sources.sort_by_key(|(alarm, load)| (std::cmp::Reverse(load.times.len()), *alarm));
        sources.truncate(most);
        sources
    }
}
