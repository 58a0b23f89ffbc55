//! Points of whose values their alarms have nothing to say, as they stand: a reading of one costs a look at two numbers, whatever the alarms are.
//!
//! Invariant: of a point whose calm has begun no alarm changes before the calm has ended, and what was heard in it is passed on to them then.

use super::Judge;
use davy_alarm::{Alarm, Calm, Instant};
use davy_config::site::{AlarmIndex, Input, PointIndex, Subject};

#[derive(Clone, Copy, Debug)]
struct Heard {
    calm: Calm,
    /// The latest reading.
    at: Instant,
}

/// By point.
#[derive(Debug)]
pub(super) struct Calms(Vec<Heard>);

impl Calms {
    /// None has begun.
    pub(super) fn new(points: usize) -> Self {
        let none = Heard {
            calm: Calm::NONE,
            at: Instant(0),
        };
        Self(vec![none; points])
    }

    fn begin(&mut self, point: PointIndex, calm: Calm, now: Instant) {
        self.0[point.0] = Heard { calm, at: now };
    }

    /// Takes a value of the point that came at `now`, if nothing is to be said of it.
    pub(super) fn take(&mut self, point: PointIndex, value: f64, now: Instant) -> bool {
        let heard = &mut self.0[point.0];
        let is_calm = heard.calm.holds(value);
        if is_calm {
            heard.at = now;
        }
        is_calm
    }

    /// When the point was last heard, if its calm has begun.
    pub(super) fn heard(&self, point: PointIndex) -> Option<Instant> {
        let heard = &self.0[point.0];
        (heard.calm != Calm::NONE).then_some(heard.at)
    }

    /// As [`Calms::heard`]; the calm ends.
    fn end(&mut self, point: PointIndex) -> Option<Instant> {
        let heard = self.heard(point);
        self.0[point.0].calm = Calm::NONE;
        heard
    }
}

impl Judge {
    /// After the point's alarms have seen a reading.
    pub(super) fn begin_calm(&mut self, point: PointIndex) {
        let calm = self.calm(point);
        self.calms.begin(point, calm, self.now);
    }

    /// What none of a point's alarms has anything to say about, as they stand. Whatever comes of a point that something follows, or that is measured by
    /// more than its value, is to be looked at.
    fn calm(&self, point: PointIndex) -> Calm {
        if !self.followers.of(point).is_empty() {
            return Calm::NONE;
        }
        let mut calm = Calm::EVERY;
        for place in self.watching.places(point) {
            let run = self.watching.runs[place];
            match run.input {
                Input::Value => {}
                Input::Deviation(_)
                | Input::Moved { .. }
                | Input::Stands { .. }
                | Input::Exposure { .. } => return Calm::NONE,
            }
            for alarm in run.alarms() {
                calm = calm.and(self.alarms[alarm.0].calm());
            }
        }
        calm
    }

    /// Before any alarm of the point changes.
    pub(super) fn end_calm(&mut self, point: PointIndex) {
        let Some(heard) = self.calms.end(point) else {
            return;
        };
        for place in self.watching.places(point) {
            for alarm in self.watching.runs[place].alarms() {
                self.alarms[alarm.0].heard(heard);
            }
        }
    }

    /// An alarm that is to change by something else than its point's reading.
    pub(super) fn alarm_mut(&mut self, alarm: AlarmIndex) -> &mut Alarm {
        if let Subject::Point(point) = self.site.alarms[alarm.0].subject {
            self.end_calm(point);
        }
        &mut self.alarms[alarm.0]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::judge::{Ask, Happening, Person};
    use crate::succession::Succession;
    use davy_alarm::{Action, Actor, NoValue, Reading, WallMs};
    use davy_config::site::Site;
    use proptest::prelude::*;
    use std::path::Path;
    use std::sync::Arc;

    const SITE: &str = include_str!("../../tests/replay/site.toml");

    #[derive(Clone, Debug)]
    enum Event {
        Read(usize, Result<f64, NoValue>),
        Wait(u64),
        Act(usize, Action),
        /// Another site file: its delays are as many seconds longer.
        Change(u32),
    }

    fn event() -> impl Strategy<Value = Event> {
        let around = [
            0.0, 0.5, 1.0, 1.9, 2.0, 2.1, 3.0, 3.1, 7.0, 8.0, 8.1, 17.9, 18.0, 20.0, 47.9, 48.0,
            50.0, 51.0,
        ];
        let value = proptest::sample::select(around.to_vec()).prop_map(Ok);
        let cause = [NoValue::Timeout, NoValue::OverRange, NoValue::Inhibit];
        let cause = proptest::sample::select(cause.to_vec()).prop_map(Err);
        let value = prop_oneof![8 => value, 1 => cause];
        let wait = [1, 900, 1000, 4000, 9_000, 40_000, 80_000, 91_000];
        let act = [
            Action::Acknowledge { occurrence: None },
            Action::Reset,
            Action::Shelve {
                minutes: 1,
                reason: true,
                second: true,
            },
            Action::OutOfService { reason: true },
            Action::InService,
        ];
        prop_oneof![
            12 => (0_usize..3, value).prop_map(|(point, value)| Event::Read(point, value)),
            6 => proptest::sample::select(wait.to_vec()).prop_map(Event::Wait),
            2 => (0_usize..14, proptest::sample::select(act.to_vec()))
                .prop_map(|(alarm, action)| Event::Act(alarm, action)),
            1 => (0_u32..2).prop_map(Event::Change),
        ]
    }

    fn site(longer: u32) -> Arc<Site> {
        let text = SITE.replace(
            "on_delay_s = 1\n",
            &format!("on_delay_s = {}\n", 1 + longer),
        );
        let parsed = davy_config::parse("site.toml", &text, Path::new("tests/replay"));
        Arc::new(parsed.expect("a valid site").site)
    }

    /// Judges all that happens; with or without its calms.
    struct Bench {
        judge: Judge,
        site: Arc<Site>,
        has_calms: bool,
        now: u64,
    }

    impl Bench {
        fn new(has_calms: bool) -> Self {
            let site = site(0);
            let judge = Judge::new(site.clone(), &[], &[], Instant(0), WallMs(0));
            Self {
                judge,
                site,
                has_calms,
                now: 0,
            }
        }

        fn take(&mut self, event: &Event) -> Vec<Happening> {
            if !self.has_calms {
                (0..self.site.points.len())
                    .for_each(|point| self.judge.end_calm(PointIndex(point)));
            }
            match event {
                Event::Read(point, value) => {
                    let reading = match value {
                        Ok(value) => Reading::measured(*value, WallMs(0)),
                        Err(cause) => Reading::absent(*cause, WallMs(0)),
                    };
                    self.judge
                        .reading(PointIndex(*point), &reading, Instant(self.now));
                }
                Event::Wait(ms) => {
                    self.now += ms;
                    self.judge.advance(Instant(self.now));
                }
                Event::Act(alarm, action) => {
                    let actor = Actor {
                        remote: false,
                        maintenance: true,
                    };
                    let person = Person {
                        actor: "p".into(),
                        reason: None,
                        second: None,
                    };
                    let ask = Ask::Alarm {
                        alarm: AlarmIndex(*alarm),
                        action: *action,
                        actor,
                        person,
                    };
                    // Refused is as good.
                    let _ = self.judge.act(&ask, Instant(self.now));
                }
                Event::Change(longer) => {
                    let next = site(*longer);
                    let change = Succession::of(&self.site, &next);
                    self.judge = self.judge.under(&change, WallMs(0));
                    self.site = next;
                }
            }
            self.judge.settle();
            self.judge.take_happenings()
        }
    }

    proptest! {
        #[test]
        fn what_happens_is_the_same_as_if_every_alarm_looked_at_every_reading(
            events in proptest::collection::vec(event(), 1..80),
        ) {
            let (mut with, mut without) = (Bench::new(true), Bench::new(false));
            for event in &events {
                prop_assert_eq!(with.take(event), without.take(event), "at {}: {:?}", with.now, event);
                prop_assert_eq!(with.judge.demand(), without.judge.demand());
            }
        }
    }

    #[test]
    fn a_reading_that_says_nothing_changes_no_alarm_and_holds_off_the_stale_one() {
        let mut bench = Bench::new(true);
        let read = Event::Read(0, Ok(3.0));
        bench.take(&read);
        let before = bench.judge.alarms.clone();
        let of_point = bench.site.points[0].alarms.clone();
        for _ in 0..89 {
            bench.take(&Event::Wait(1000));
            bench.take(&read);
        }
        for alarm in &of_point {
            assert_eq!(before[alarm.0], bench.judge.alarms[alarm.0]);
        }
        bench.take(&Event::Wait(89_000));
        let stale = |bench: &Bench| {
            let is_active = |alarm: &&AlarmIndex| bench.judge.alarm(**alarm).is_active();
            of_point.iter().filter(is_active).count()
        };
        assert_eq!(stale(&bench), 0, "ninety seconds from the last one");
        bench.take(&Event::Wait(1000));
        assert_eq!(stale(&bench), 1);
    }
}
