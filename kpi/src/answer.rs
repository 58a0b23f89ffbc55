//! How people answered: who acknowledged what, and how long it took from the annunciation of that occurrence.

use crate::line::{Line, Period, Record};
use davy_alarm::{Cause, Priority};
use std::collections::BTreeMap;

/// The answers within the period.
#[derive(Debug, Default)]
pub(crate) struct Answers<'a> {
    /// P1 to P4.
    pub(crate) priorities: [Answered; 4],
    pub(crate) people: BTreeMap<&'a str, PersonAnswers>,
}

#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) acknowledged: u64,
    /// Annunciated within the period, and unacknowledged at its end.
    pub(crate) waiting: u64,
    pub(crate) times_ms: Vec<i64>,
}

#[derive(Debug, Default)]
pub(crate) struct PersonAnswers {
    pub(crate) acknowledged: u64,
    pub(crate) shelved: u64,
    pub(crate) silenced: u64,
    pub(crate) times_ms: Vec<i64>,
}

impl<'a> Answers<'a> {
    pub(crate) fn of(record: &Record<'a>, period: &Period) -> Self {
        let mut answers = Self::default();
        let mut waiting: BTreeMap<&str, (i64, Priority)> = BTreeMap::new();
        let lines = record.lines.iter();
        for line in lines.filter(|line| line.time_ms < period.to_ms) {
            if line.annunciates() {
                waiting.insert(line.alarm, (line.time_ms, line.priority));
                continue;
            }
            match line.cause {
                Cause::Acknowledge => {
                    let since = waiting.remove(line.alarm).map(|(since, _)| since);
                    answers.acknowledge(line, since, period);
                }
                Cause::Shelve => {
                    waiting.remove(line.alarm);
                    answers.shelve(line, period);
                }
                // What is suppressed waits for nobody (R12).
                Cause::OutOfService | Cause::Suppress | Cause::Removed => {
                    waiting.remove(line.alarm);
                }
                Cause::Active
                | Cause::Clear
                | Cause::Reset
                | Cause::ReAlarm
                | Cause::StepUp
                | Cause::Unshelve
                | Cause::ShelveExpired
                | Cause::InService
                | Cause::Unsuppress => {}
            }
        }
        for (since, priority) in waiting.values() {
            if period.holds(*since) {
                answers.of_priority(*priority).waiting += 1;
            }
        }
        for silence in record.silences {
            if period.holds(silence.time_ms) {
                answers.people.entry(silence.actor).or_default().silenced += 1;
            }
        }
        answers
    }

    fn acknowledge(&mut self, line: &Line<'a>, since: Option<i64>, period: &Period) {
        if !period.holds(line.time_ms) {
            return;
        }
        let took = since.map(|since| line.time_ms.saturating_sub(since).max(0));
        let answered = self.of_priority(line.priority);
        answered.acknowledged += 1;
        answered.times_ms.extend(took);
        if let Some(actor) = line.actor {
            let person = self.people.entry(actor).or_default();
            person.acknowledged += 1;
            person.times_ms.extend(took);
        }
    }

    fn shelve(&mut self, line: &Line<'a>, period: &Period) {
        if let Some(actor) = line.actor.filter(|_| period.holds(line.time_ms)) {
            self.people.entry(actor).or_default().shelved += 1;
        }
    }

    fn of_priority(&mut self, priority: Priority) -> &mut Answered {
        &mut self.priorities[usize::from(priority.number() - 1)]
    }
}

/// By nearest rank: the least value that at least `percent` of them do not exceed.
pub(crate) fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}
