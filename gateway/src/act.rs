//! Carries out what judgement decided, in this order: outputs' demand, sequence number and journal, the picture for screens (docs/decisions/0001).
//!
//! None of the three can make judgement wait: a watch value, a bounded inbox that counts what it refuses, a lock held only to copy plain values.

use crate::clock::Clock;
use crate::journal::{self, Journal, Record, Story};
use crate::judge::{Change, Happening, Horn, Judge};
use crate::live::{AlarmNow, HornNow, Live, ValueNow};
use davy_alarm::{Alarm, Cause, Condition, Instant, WallMs};
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, Site, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The hands of judgement.
#[derive(Debug)]
pub struct Act {
    site: Arc<Site>,
    clock: Clock,
    demand: watch::Sender<Vec<bool>>,
    journal: Journal,
    live: Arc<Live>,
    next_seq: u64,
    /// Of the alarms that ever changed, by their position in `Site::alarms`: few of a large site's.
    stories: BTreeMap<usize, Story>,
}

impl Act {
    /// `stories` by position in `Site::alarms`, and the next transition's number, as the journal restored them.
    pub fn new(
        site: Arc<Site>,
        clock: Clock,
        demand: watch::Sender<Vec<bool>>,
        journal: Journal,
        live: Arc<Live>,
        next_seq: u64,
        stories: impl Iterator<Item = Story>,
    ) -> Self {
        Self {
            site,
            clock,
            demand,
            journal,
            live,
            next_seq,
            stories: (0..)
                .zip(stories)
                .filter(|(_, story)| story.seq > 0)
                .collect(),
        }
    }

    /// Carries out what happened. `readings` are those of `device` that the journal is to keep; `command` is what the cloud calls the act that led
    /// here. A device's transitions and readings enter the journal together, as one batch.
    pub fn carry_out(
        &mut self,
        judge: &Judge,
        happenings: Vec<Happening>,
        device: Option<DeviceIndex>,
        readings: Vec<Record>,
        command: Option<&Arc<str>>,
    ) {
        self.switch(&happenings);
        let mut batches: BTreeMap<Option<DeviceIndex>, Vec<Record>> = BTreeMap::new();
        let mut changed = Vec::new();
        for happening in &happenings {
            match happening {
                Happening::Changed(change) => {
                    let transition = self.transition(judge, change, command);
                    let story = self.stories.entry(change.alarm.0).or_default();
                    story.follow(&transition);
                    changed.push(change.alarm);
                    let device = self.site.home(change.alarm);
                    batches
                        .entry(Some(device))
                        .or_default()
                        .push(Record::Transition(Box::new(transition)));
                }
                Happening::Output { output, at, on } => {
                    batches.entry(None).or_default().push(Record::Output {
                        output: position(output.0),
                        on: *on,
                        time: self.clock.wall_at(*at),
                    });
                }
                Happening::Horn { .. } => {}
            }
        }
        if !readings.is_empty() {
            batches.entry(device).or_default().extend(readings);
        }
        for (device, records) in batches {
            self.journal.append(device, records);
        }
        self.show(judge, &happenings, &changed);
    }

    /// The demand of every output, before anything else.
    fn switch(&self, happenings: &[Happening]) {
        let outputs = happenings.iter().filter_map(|happening| match happening {
            Happening::Output { output, on, .. } => Some((*output, *on)),
            Happening::Changed(_) | Happening::Horn { .. } => None,
        });
        let outputs: Vec<(OutputIndex, bool)> = outputs.collect();
        if !outputs.is_empty() {
            self.demand.send_modify(|demand| {
                for (output, on) in outputs {
                    demand[output.0] = on;
                }
            });
        }
    }

    fn transition(
        &mut self,
        judge: &Judge,
        change: &Change,
        command: Option<&Arc<str>>,
    ) -> journal::Transition {
        let seq = self.next_seq;
        self.next_seq += 1;
        let alarm = judge.alarm(change.alarm);
        let definition = alarm.definition();
        journal::Transition {
            seq,
            alarm: position(change.alarm.0),
            from: change.from,
            to: change.to,
            cause: change.cause,
            occurrence: change.occurrence,
            time: self.clock.wall_at(change.at),
            value: change.value,
            limit: definition.condition.set_point(),
            priority: definition.priority.number(),
            person: change.person.clone(),
            command: command.cloned(),
            shelved_until: self.shelved_until(alarm),
            saved: judge.saved(change.alarm, self.clock.wall()),
        }
    }

    fn shelved_until(&self, alarm: &Alarm) -> Option<WallMs> {
        let left = |at: Instant| {
            let left = at.since(self.clock.now());
            WallMs(self.clock.wall().0 + i64::try_from(left).unwrap_or(i64::MAX / 2))
        };
        alarm.shelved_until().map(left)
    }

    fn show(&self, judge: &Judge, happenings: &[Happening], changed: &[AlarmIndex]) {
        for happening in happenings {
            match happening {
                Happening::Output { output, at, on } => {
                    self.live.set_demand(*output, *on, self.clock.wall_at(*at));
                }
                Happening::Horn { horn, .. } => self.live.set_horn(horn_now(*horn)),
                Happening::Changed(change) => {
                    let wall = self.clock.wall_at(change.at);
                    self.live.follow(change.cause, change.to, change.at, wall);
                    self.show_stale(change);
                }
            }
        }
        for alarm in changed {
            if let Some(story) = self.stories.get(&alarm.0) {
                self.live
                    .set_alarm(alarm_now(*alarm, judge.alarm(*alarm), story));
            }
        }
    }

    /// A value that has gone stale is shown so, until the next reading.
    fn show_stale(&self, change: &Change) {
        let alarm = &self.site.alarms[change.alarm.0];
        let (Condition::Stale { .. }, Cause::Active, Subject::Point(point)) =
            (alarm.definition.condition, change.cause, alarm.subject)
        else {
            return;
        };
        if let Some(value) = self.live.value(point) {
            self.live.values(&[ValueNow {
                stale: true,
                ..value
            }]);
        }
    }
}

/// An alarm for the picture: its state, and the story of its present occurrence.
pub fn alarm_now(index: AlarmIndex, alarm: &Alarm, story: &Story) -> AlarmNow {
    AlarmNow {
        alarm: index,
        shown: alarm.shown(),
        active: alarm.is_active(),
        acknowledged: alarm.is_acknowledged(),
        latched: alarm.is_latched(),
        shelved: alarm.is_shelved(),
        suppressed_by_design: alarm.is_suppressed_by_design(),
        out_of_service: alarm.is_out_of_service(),
        occurrence: alarm.occurrence(),
        seq: story.seq,
        raised: story.raised,
        changed: story.changed,
        cleared: story.cleared,
        acknowledged_at: story.acknowledged,
        shelved_until: story.shelved_until,
        value_then: story.value_then,
        actor: story.actor.clone(),
        reason: story.reason.clone(),
    }
}

const fn horn_now(horn: Horn) -> HornNow {
    HornNow {
        sounding: horn.sounding,
        priority: horn.priority,
        silenced: horn.silenced,
    }
}

/// A site file of 16 MiB holds far fewer parts than this reaches.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a site has fewer than 2^32 parts")
}
