//! What the alarm figures are made of: the lines of a span of time, and the recorded signal of one point. Both keep the newest when there are too many.

use super::Journal;
use super::reader::Reader;
use super::record::{Act, Batch, Record, Transition};
use davy_alarm::{Cause, Priority, Reading, Shown, WallMs};
use std::collections::VecDeque;
use std::sync::Arc;

/// Most lines of one answer, some 15 MB.
const MOST_LINES: usize = 200_000;
/// Most silences of one answer.
const MOST_SILENCES: usize = 20_000;
/// Most readings of one signal.
const MOST_READINGS: usize = 20_000;

/// A transition without what the figures do not ask.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmLine {
    pub seq: u64,
    pub alarm: Arc<str>,
    pub priority: Priority,
    pub time: WallMs,
    pub cause: Cause,
    pub to: Shown,
    pub actor: Option<Arc<str>>,
}

/// The lines of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmLines {
    /// By rising number.
    pub lines: Vec<AlarmLine>,
    /// Who silenced the horn, when, in the order of writing; at most 20,000, the newest.
    pub silences: Vec<(Arc<str>, WallMs)>,
    /// Where the journal begins, or the first line that was kept when there were too many; `None` = it is empty.
    pub record_from: Option<WallMs>,
    /// Lines were left out.
    pub truncated: bool,
}

impl Journal {
    /// Every transition and silence of `from` ≤ time < `to`, at most 200,000, the newest. Takes the time of reading that part of the journal.
    pub async fn alarm_lines(&self, from: WallMs, to: WallMs) -> AlarmLines {
        let read = move |reader: &Reader| reader.alarm_lines(from, to, MOST_LINES);
        self.off_runtime(read).await.unwrap_or_default()
    }

    /// Every reading of a point between two times, both included, in the order of writing, at most 20,000, the newest.
    pub async fn readings(&self, point: &str, from: WallMs, to: WallMs) -> Vec<Reading> {
        let point = point.to_owned();
        let read = move |reader: &Reader| reader.readings(&point, from, to, MOST_READINGS);
        self.off_runtime(read).await.unwrap_or_default()
    }
}

impl Reader {
    fn alarm_lines(&self, from: WallMs, to: WallMs, most: usize) -> AlarmLines {
        let mut kept = Kept::new(most);
        let mut silences = Kept::new(MOST_SILENCES);
        let segments = self.segments();
        let span = from.0..to.0;
        for segment in &segments {
            let times = segment.summary.times;
            if times.is_none_or(|(least, greatest)| greatest < span.start || least >= span.end) {
                continue;
            }
            self.each(
                segment,
                |head| head.urgent,
                |batch| {
                    for record in &batch.records {
                        match record {
                            Record::Transition(transition) if span.contains(&transition.time.0) => {
                                if let Some(line) = line(&batch, transition) {
                                    kept.push(line);
                                }
                            }
                            Record::Act {
                                act: Act::Silence,
                                actor,
                                time,
                            } if span.contains(&time.0) => silences.push((actor.clone(), *time)),
                            _ => {}
                        }
                    }
                },
            );
        }
        let oldest = segments
            .iter()
            .filter_map(|segment| segment.summary.times)
            .map(|(least, _)| WallMs(least))
            .min();
        let truncated = kept.dropped;
        let mut lines = Vec::from(kept.newest);
        // Batches of several devices stand side by side.
        lines.sort_by_key(|line| line.seq);
        let first_kept = lines.iter().map(|line| line.time).min();
        AlarmLines {
            record_from: if truncated { first_kept } else { oldest },
            lines,
            silences: silences.newest.into(),
            truncated,
        }
    }

    fn readings(&self, point: &str, from: WallMs, to: WallMs, most: usize) -> Vec<Reading> {
        let mut kept = Kept::new(most);
        for segment in &self.segments() {
            let times = segment.summary.times;
            if times.is_none_or(|(least, greatest)| greatest < from.0 || least > to.0) {
                continue;
            }
            self.each(
                segment,
                |_| true,
                |batch| {
                    for record in &batch.records {
                        if let Record::Reading { point: at, reading } = record
                            && (from..=to).contains(&reading.source_time())
                            && batch
                                .names
                                .points
                                .get(*at as usize)
                                .is_some_and(|id| &**id == point)
                        {
                            kept.push(*reading);
                        }
                    }
                },
            );
        }
        kept.newest.into()
    }
}

fn line(batch: &Batch, transition: &Transition) -> Option<AlarmLine> {
    Some(AlarmLine {
        seq: transition.seq,
        alarm: batch.names.alarms.get(transition.alarm as usize)?.clone(),
        priority: Priority::from_number(transition.priority)?,
        time: transition.time,
        cause: transition.cause,
        to: transition.to,
        actor: transition
            .person
            .as_ref()
            .map(|person| person.actor.clone()),
    })
}

/// The newest of what comes.
struct Kept<T> {
    newest: VecDeque<T>,
    most: usize,
    dropped: bool,
}

impl<T> Kept<T> {
    const fn new(most: usize) -> Self {
        Self {
            newest: VecDeque::new(),
            most,
            dropped: false,
        }
    }

    fn push(&mut self, one: T) {
        if self.newest.len() == self.most {
            self.newest.pop_front();
            self.dropped = true;
        }
        self.newest.push_back(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_it_is_said_that_others_were_not() {
        let mut kept = Kept::new(3);
        (0..3).for_each(|n| kept.push(n));
        assert!(!kept.dropped);
        kept.push(3);
        assert!(kept.dropped);
        assert_eq!(Vec::from(kept.newest), [1, 2, 3]);
    }
}
