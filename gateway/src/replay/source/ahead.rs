//! What shows in a journal only afterwards: when polls had ended, and when a device or an output had begun to do otherwise than it should.

use super::timeline::{Timeline, time};
use super::{Ids, JournalSource};
use crate::journal::{Names, Record, Transition};
use davy_alarm::{Cause, Condition};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site, Subject};
use std::collections::BTreeMap;
use std::io;

/// What a pass through the span finds.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// By point: when it was recorded as stale.
    pub(super) stale: BTreeMap<usize, Vec<u64>>,
    /// Of a device without points: when contact was lost and found. It is known by its alarm alone.
    pub(super) contact: Vec<(u64, AlarmIndex, bool)>,
    /// Of an output without a feedback point: what its register was seen to hold around a recorded failure; `None` once that is told.
    pub(super) feedback: Vec<(u64, OutputIndex, Option<bool>)>,
    /// When the gateway had stopped before each start: just after its last record.
    pub(super) stopped: Vec<u64>,
}

/// The pass itself.
struct Looking<'s> {
    site: &'s Site,
    ids: &'s Ids,
    has_points: &'s [bool],
    outputs: Vec<Demand>,
    ahead: Ahead,
}

/// An output's demand, by what was recorded so far.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    on: bool,
    /// Since when, and what it was before.
    since: u64,
    before: bool,
}

impl Demand {
    const fn standing(on: bool) -> Self {
        Self {
            on,
            since: 0,
            before: on,
        }
    }

    const fn follow(&mut self, on: bool, at: u64) {
        if at > self.since {
            self.before = self.on;
            self.since = at;
        }
        self.on = on;
    }

    /// What it was when the instant `at` began.
    const fn before(self, at: u64) -> bool {
        if self.since >= at {
            self.before
        } else {
            self.on
        }
    }
}

impl JournalSource<'_> {
    /// Finds what shows only afterwards. `on` are the outputs that are on at the beginning, by position.
    pub(super) fn look_ahead(&self, begin: usize, on: Vec<bool>) -> io::Result<Ahead> {
        let mut timeline = Timeline::new(self.span.from);
        let mut looking = Looking {
            site: &self.site,
            ids: &self.ids,
            has_points: &self.has_points,
            outputs: on.into_iter().map(Demand::standing).collect(),
            ahead: Ahead::default(),
        };
        let mut latest = 0;
        self.archive.each(begin, |batch| {
            timeline.follow(batch.made);
            for record in &batch.records {
                let Some(time) = time(record) else { continue };
                let at = timeline.at(time);
                looking.follow_output(&batch.names, record, at);
                if !self.is_within(time) {
                    continue;
                }
                match record {
                    Record::Transition(transition) => looking.note(&batch.names, transition, at),
                    Record::Started { .. } if at > latest + 1 => {
                        looking.ahead.stopped.push(latest + 1);
                    }
                    _ => {}
                }
                latest = latest.max(at);
            }
            self.goes_on(batch)
        })?;
        let mut ahead = looking.ahead;
        ahead.contact.sort_by_key(|(at, ..)| *at);
        ahead.feedback.sort_by_key(|(at, ..)| *at);
        let stale = ahead.stale.values_mut();
        stale.for_each(|times| times.sort_unstable());
        Ok(ahead)
    }
}

impl Looking<'_> {
    fn follow_output(&mut self, names: &Names, record: &Record, at: u64) {
        if let Record::Output { output, on, .. } = record
            && let Some(id) = names.outputs.get(*output as usize)
            && let Some(output) = self.ids.output(id)
        {
            self.outputs[output.0].follow(*on, at);
        }
    }

    fn note(&mut self, names: &Names, transition: &Transition, at: u64) {
        let id = names.alarms.get(transition.alarm as usize);
        let Some(index) = id.and_then(|id| self.ids.alarm(id)) else {
            return;
        };
        let is_active = match transition.cause {
            Cause::Active => true,
            Cause::Clear => false,
            _ => return,
        };
        let alarm = &self.site.alarms[index.0];
        let delay = if is_active {
            alarm.definition.on_delay_ms
        } else {
            alarm.definition.off_delay_ms
        };
        let began = at.saturating_sub(u64::from(delay));
        match (alarm.definition.condition, alarm.subject) {
            (Condition::Stale { .. }, Subject::Point(PointIndex(point))) if is_active => {
                self.ahead.stale.entry(point).or_default().push(at);
            }
            (Condition::CommsLost, Subject::Device(device)) if !self.has_points[device.0] => {
                self.ahead.contact.push((began, index, !is_active));
            }
            (Condition::OutputFailed, Subject::Output(output))
                if self.site.outputs[output.0].feedback.is_none() =>
            {
                // It failed by what was demanded until then, and recovered by what is demanded since.
                let demand = self.outputs[output.0];
                let held = if is_active {
                    !demand.before(at)
                } else {
                    demand.on
                };
                // What it held later is not recorded: unknown, which holds the alarm as it is.
                self.ahead.feedback.push((began, output, Some(held)));
                self.ahead.feedback.push((at + 1, output, None));
            }
            _ => {}
        }
    }
}
