//! Carries out what judgement decided, in this order: outputs' demand, sequence number and journal, the picture for screens (docs/decisions/0001).
//!
//! None of the three can make judgement wait: a watch value, a bounded inbox that counts what it refuses, a lock held only to copy plain values.

use crate::acquire::{Demand, Stats};
use crate::clock::{Clock, Moment};
use crate::journal::{self, Journal, Record, Reloaded, Story};
use crate::judge::{Change, Deed, Happening, Horn, Judge, Person};
use crate::live::{AlarmNow, HornNow, Live, ValueNow};
use crate::succession::Succession;
use davy_alarm::{Alarm, Cause, Condition, WallMs};
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, Site, Subject};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use tokio::sync::watch;

/// The hands of judgement.
#[derive(Debug)]
pub struct Act {
    site: Arc<Site>,
    clock: Clock,
    demand: watch::Sender<Demand>,
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
        demand: watch::Sender<Demand>,
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
        let moment = self.clock.moment();
        let mut batches: BTreeMap<Option<DeviceIndex>, Vec<Record>> = BTreeMap::new();
        let mut changed = Vec::new();
        for happening in &happenings {
            match happening {
                Happening::Changed(change) => {
                    let transition = self.transition(judge, change, command, moment);
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
                        time: moment.wall_at(*at),
                    });
                }
                Happening::Acted { at, deed, person } => {
                    let act = act(*deed, person, moment.wall_at(*at));
                    batches.entry(None).or_default().push(act);
                }
                Happening::Horn { .. } => {}
            }
        }
        if !readings.is_empty() {
            match batches.entry(device) {
                Entry::Vacant(alone) => {
                    alone.insert(readings);
                }
                Entry::Occupied(mut batch) => batch.get_mut().extend(readings),
            }
        }
        for (device, records) in batches {
            self.journal.append(device, records);
        }
        self.show(judge, &happenings, &changed, moment);
    }

    /// Goes over to the site that follows, which `judge` judges: the buses first, then the journal, whose first record under the new names tells of the
    /// change, and a new picture, which it answers.
    pub fn follow(
        &mut self,
        change: &Succession,
        judge: &Judge,
        stats: Arc<Stats>,
        record: Reloaded,
    ) -> Arc<Live> {
        let site = &change.after;
        self.demand.send_replace(Demand {
            site: site.clone(),
            stats,
            on: judge.demand(),
        });
        self.journal.rename(site);
        self.journal
            .append(None, vec![Record::Reloaded(Box::new(record))]);
        let alarms = (0..site.alarms.len()).map(AlarmIndex);
        let known = |alarm| Some((alarm, self.stories.get(&change.alarm(alarm)?.0)?.clone()));
        let stories = alarms.filter_map(known);
        self.stories = stories.map(|(alarm, story)| (alarm.0, story)).collect();
        let none = Story::default();
        let alarms = (0..site.alarms.len()).map(|at| {
            let (alarm, story) = (AlarmIndex(at), self.stories.get(&at).unwrap_or(&none));
            alarm_now(alarm, judge.alarm(alarm), story)
        });
        let now = self.clock.wall();
        let live = self
            .live
            .under(change, alarms.collect(), &judge.demand(), now);
        self.live = Arc::new(live);
        self.site = site.clone();
        self.live.clone()
    }

    /// The demand of every output, before anything else.
    fn switch(&self, happenings: &[Happening]) {
        let outputs = happenings.iter().filter_map(|happening| match happening {
            Happening::Output { output, on, .. } => Some((*output, *on)),
            Happening::Changed(_) | Happening::Horn { .. } | Happening::Acted { .. } => None,
        });
        let outputs: Vec<(OutputIndex, bool)> = outputs.collect();
        if !outputs.is_empty() {
            self.demand.send_modify(|demand| {
                for (output, on) in outputs {
                    demand.on[output.0] = on;
                }
            });
        }
    }

    fn transition(
        &mut self,
        judge: &Judge,
        change: &Change,
        command: Option<&Arc<str>>,
        moment: Moment,
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
            time: moment.wall_at(change.at),
            value: change.value,
            limit: definition.condition.set_point(),
            priority: definition.priority.number(),
            person: change.person.clone(),
            command: command.cloned(),
            shelved_until: alarm.shelved_until().map(|at| moment.wall_then(at)),
            saved: judge.saved(change.alarm, moment.wall),
        }
    }

    fn show(
        &self,
        judge: &Judge,
        happenings: &[Happening],
        changed: &[AlarmIndex],
        moment: Moment,
    ) {
        for happening in happenings {
            match happening {
                Happening::Output { output, at, on } => {
                    self.live.set_demand(*output, *on, moment.wall_at(*at));
                }
                Happening::Horn { horn, .. } => self.live.set_horn(horn_now(*horn)),
                Happening::Changed(change) => {
                    let wall = moment.wall_at(change.at);
                    self.live.follow(change.cause, change.to, change.at, wall);
                    self.show_stale(change);
                }
                Happening::Acted { .. } => {}
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
            self.live.set_value(ValueNow {
                stale: true,
                ..value
            });
        }
    }
}

fn act(deed: Deed, person: &Person, time: WallMs) -> Record {
    Record::Act {
        act: match deed {
            Deed::Silenced => journal::Act::Silence,
            Deed::ResetOutput(output) => journal::Act::ResetOutput(position(output.0)),
            Deed::TestedOutput(output, for_ms) => journal::Act::TestOutput {
                output: position(output.0),
                for_ms,
            },
        },
        actor: person.actor.clone(),
        time,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::journal::Archive;
    use crate::judge::{Ask, LOCAL};
    use davy_alarm::{Action, Actor, Instant, Reading};
    use davy_config::site::PointIndex;
    use std::ops::ControlFlow;
    use std::path::Path;
    use std::time::Duration;

    /// A gateway without buses: what is asked of it is judged, carried out and journalled.
    struct Hands {
        judge: Judge,
        act: Act,
    }

    impl Hands {
        fn new(site: &Arc<Site>, journal: &Journal) -> Self {
            let clock = Clock::start();
            let judge = Judge::new(site.clone(), &[], &[], Instant(0), clock.wall());
            let off = vec![crate::judge::Switched::default(); site.outputs.len()];
            let live = Arc::new(Live::new(site, normal(site, &judge), &off, clock.wall()));
            let (demand, _) = watch::channel(Demand::new(site, judge.demand()));
            let (site, journal) = (site.clone(), journal.clone());
            let act = Act::new(site, clock, demand, journal, live, 1, std::iter::empty());
            Self { judge, act }
        }

        fn finish(&mut self) {
            self.judge.settle();
            let happenings = self.judge.take_happenings();
            let Self { judge, act } = self;
            act.carry_out(judge, happenings, None, vec![], None);
        }

        fn read(&mut self, point: usize, value: f64, at: u64) {
            let reading = Reading::measured(value, WallMs(0));
            self.judge.reading(PointIndex(point), &reading, Instant(at));
            self.finish();
        }

        fn ask(&mut self, ask: &Ask, at: u64) {
            self.judge.act(ask, Instant(at)).unwrap();
            self.finish();
        }
    }

    fn normal(site: &Site, judge: &Judge) -> Vec<AlarmNow> {
        let alarms = (0..site.alarms.len()).map(AlarmIndex);
        alarms
            .map(|alarm| alarm_now(alarm, judge.alarm(alarm), &Story::default()))
            .collect()
    }

    fn person(actor: &str) -> Person {
        Person {
            actor: actor.into(),
            reason: None,
            second: None,
        }
    }

    #[tokio::test]
    async fn silence_and_resets_are_kept_with_who_and_when() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/site.toml");
        let site = Arc::new(davy_config::load(&path).unwrap().site);
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
        let before = Clock::start().wall();
        let mut hands = Hands::new(&site, &journal);
        let silence = |actor| Ask::Silence {
            person: person(actor),
        };
        // With nothing to silence nothing was done.
        hands.ask(&silence("nobody"), 500);
        hands.read(0, 60.0, 1000);
        hands.read(0, 60.0, 2000);
        hands.ask(&silence(LOCAL), 3000);
        hands.ask(&silence("again"), 3500);
        hands.read(0, 5.0, 4000);
        hands.read(0, 5.0, 9000);
        let high = site.alarms.iter().position(|alarm| alarm.id == "GT-1.HH");
        for (action, at) in [
            (Action::Acknowledge { occurrence: None }, 9100),
            (Action::Reset, 9200),
        ] {
            let ask = Ask::Alarm {
                alarm: AlarmIndex(high.unwrap()),
                action,
                actor: Actor::default(),
                person: person("wang"),
            };
            hands.ask(&ask, at);
        }
        let reset = Ask::ResetOutput {
            output: OutputIndex(0),
            actor: Actor::default(),
            person: person("wang"),
        };
        hands.ask(&reset, 9300);
        drop(hands);
        assert!(journal.close(Duration::from_secs(20)).await);
        let mut acts = Vec::new();
        let archive = Archive::open(dir.path()).unwrap();
        let keep = |batch: &journal::Batch| {
            for record in &batch.records {
                if let Record::Act { act, actor, time } = record {
                    assert!(time.0 + 60_000 > before.0, "{record:?}");
                    acts.push((*act, actor.to_string()));
                }
            }
            ControlFlow::Continue(())
        };
        archive.each(0, keep).unwrap();
        let expected = [
            (journal::Act::Silence, "local".to_owned()),
            (journal::Act::ResetOutput(0), "wang".to_owned()),
        ];
        assert_eq!(acts, expected);
    }

    #[tokio::test]
    async fn an_output_is_shown_since_the_time_that_the_record_tells() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/site.toml");
        let site = Arc::new(davy_config::load(&path).unwrap().site);
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
        let mut hands = Hands::new(&site, &journal);
        // Often enough to cross from one millisecond into the next between any two looks at a clock.
        let shown: Vec<WallMs> = (0..1000)
            .map(|turn| {
                let switched = Happening::Output {
                    output: OutputIndex(0),
                    at: Instant(0),
                    on: turn % 2 == 0,
                };
                let Hands { judge, act } = &mut hands;
                act.carry_out(judge, vec![switched], None, vec![], None);
                act.live.output(OutputIndex(0)).since
            })
            .collect();
        drop(hands);
        assert!(journal.close(Duration::from_secs(20)).await);
        let mut told = Vec::new();
        let keep = |batch: &journal::Batch| {
            let times = batch.records.iter().filter_map(|record| match record {
                Record::Output { time, .. } => Some(*time),
                _ => None,
            });
            told.extend(times);
            ControlFlow::Continue(())
        };
        Archive::open(dir.path()).unwrap().each(0, keep).unwrap();
        assert_eq!(told, shown);
    }
}
