//! A whole site under judgement: outputs by cause and effect, the horn, and a point of which nothing is heard.
#![allow(clippy::unwrap_used)]

use davy_alarm::{Action, Actor, Instant, NoValue, Priority, Reading, Refusal, Shown, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};
use davy_gateway::judge::{Ask, Happening, Judge, Person, Switched};
use std::path::Path;
use std::sync::Arc;

/// Two gas points. GT-1.HH starts a latching fan that runs a minute at least and a siren; GT-1.H and GT-2.H are P3.
const SITE: &str = r#"
schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:502"
[[device]]
id = "d"
name = { zh = "器", en = "Device" }
bus = "b"
unit = 1
[[device]]
id = "io"
name = { zh = "模块", en = "Module" }
bus = "b"
unit = 2
profile = "generic-relay"
[[point]]
id = "GT-1"
name = { zh = "一", en = "One" }
area = "a"
device = "d"
register = { table = "holding", address = 0 }
kind = "other"
unit = "%"
range = [0, 100]
stale_s = 10
[point.alarms.H]
set_point = 20
deadband = 1
priority = 3
on_delay_s = 0
off_delay_s = 0
[point.alarms.HH]
set_point = 50
deadband = 1
priority = 1
on_delay_s = 0
off_delay_s = 0
[[point]]
id = "GT-2"
name = { zh = "二", en = "Two" }
area = "a"
device = "d"
register = { table = "holding", address = 1 }
kind = "other"
unit = "%"
range = [0, 100]
stale_s = 10
[point.alarms.H]
set_point = 20
deadband = 1
priority = 3
on_delay_s = 0
off_delay_s = 0
[[output]]
id = "FAN"
name = { zh = "风机", en = "Fan" }
area = "a"
kind = "fan"
device = "io"
signal = "do1"
latching = true
[[output]]
id = "SIREN"
name = { zh = "声光", en = "Siren" }
area = "a"
kind = "siren"
device = "io"
signal = "do2"
min_run_s = 60
[[output]]
id = "HORN"
name = { zh = "喇叭", en = "Horn" }
area = "a"
kind = "horn"
device = "io"
signal = "do3"
[[effect]]
causes = ["GT-1.HH"]
outputs = ["FAN", "SIREN"]
"#;

const LOCAL: Actor = Actor {
    remote: false,
    maintenance: false,
};
const FAN: OutputIndex = OutputIndex(0);

fn wang() -> Person {
    Person {
        actor: "wang".into(),
        reason: None,
        second: None,
    }
}

/// A judge with its site, and the outputs as they were last told.
struct Bench {
    site: Arc<Site>,
    judge: Judge,
    on: Vec<bool>,
}

impl Bench {
    fn new() -> Self {
        let loaded = davy_config::parse("site.toml", SITE, Path::new("."));
        let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
        let judge = Judge::new(site.clone(), &[], &[], Instant(0), WallMs(0));
        Self {
            on: vec![false; site.outputs.len()],
            site,
            judge,
        }
    }

    fn alarm(&self, id: &str) -> AlarmIndex {
        let position = self.site.alarms.iter().position(|alarm| alarm.id == id);
        AlarmIndex(position.unwrap())
    }

    fn shown(&self, id: &str) -> Shown {
        self.judge.alarm(self.alarm(id)).shown()
    }

    fn see(&mut self, point: usize, value: Result<f64, NoValue>, at: u64) {
        let reading = match value {
            Ok(value) => Reading::measured(value, WallMs(0)),
            Err(cause) => Reading::absent(cause, WallMs(0)),
        };
        self.judge.reading(PointIndex(point), &reading, Instant(at));
        self.end_instant();
    }

    fn wait(&mut self, until: u64) {
        self.judge.advance(Instant(until));
        self.end_instant();
    }

    fn act(&mut self, id: &str, action: Action, at: u64) -> Result<(), Refusal> {
        let ask = Ask::Alarm {
            alarm: self.alarm(id),
            action,
            actor: LOCAL,
            person: Person {
                actor: "wang".into(),
                reason: None,
                second: None,
            },
        };
        let answer = self.judge.act(&ask, Instant(at));
        self.end_instant();
        answer
    }

    fn ask(&mut self, ask: &Ask, at: u64) -> Result<(), Refusal> {
        let answer = self.judge.act(ask, Instant(at));
        self.end_instant();
        answer
    }

    /// Settles the instant. What was told of the outputs must be what the judge demands.
    fn end_instant(&mut self) {
        self.judge.settle();
        for happening in self.judge.take_happenings() {
            if let Happening::Output { output, on, .. } = happening {
                assert_ne!(self.on[output.0], on, "told twice");
                self.on[output.0] = on;
            }
        }
        assert_eq!(self.on, self.judge.demand());
    }
}

#[test]
fn an_alarm_switches_its_outputs_in_the_instant_of_its_reading() {
    let mut bench = Bench::new();
    bench.see(0, Ok(49.9), 1000);
    assert_eq!(bench.on, [false, false, true]);
    bench.see(0, Ok(50.0), 2000);
    assert_eq!(bench.on, [true, true, true]);
}

#[test]
fn a_bad_value_keeps_the_outputs_of_an_alarm_on() {
    let mut bench = Bench::new();
    bench.see(0, Ok(60.0), 1000);
    for (second, cause) in (2_u64..).zip([NoValue::Timeout, NoValue::Inhibit, NoValue::LinkDown]) {
        bench.see(0, Err(cause), second * 1000);
        bench.wait(second * 1000 + 900);
        assert!(bench.on[0] && bench.on[1], "{cause:?}");
    }
    bench.wait(3_600_000);
    assert!(bench.on[0] && bench.on[1], "silence ended the outputs");
}

#[test]
fn a_latched_output_stays_on_until_it_is_reset_on_site_and_a_siren_runs_its_minimum() {
    let mut bench = Bench::new();
    bench.see(0, Ok(60.0), 1000);
    let reset = |actor| Ask::ResetOutput {
        output: FAN,
        actor,
        person: wang(),
    };
    assert_eq!(bench.ask(&reset(LOCAL), 2000), Err(Refusal::Active));
    bench.see(0, Ok(10.0), 3000);
    assert_eq!(bench.on[..2], [true, true]);
    bench.wait(60_999);
    assert_eq!(bench.on[..2], [true, true]);
    bench.wait(61_000);
    assert_eq!(bench.on[..2], [true, false]);
    let remote = Actor {
        remote: true,
        maintenance: true,
    };
    assert_eq!(bench.ask(&reset(remote), 62_000), Err(Refusal::Remote));
    assert_eq!(bench.ask(&reset(LOCAL), 63_000), Ok(()));
    assert!(!bench.on[0]);
}

#[test]
fn shelving_and_acknowledging_silence_people_and_not_the_fan() {
    let mut bench = Bench::new();
    bench.see(0, Ok(60.0), 1000);
    let shelve = Action::Shelve {
        minutes: 10,
        reason: true,
        second: true,
    };
    bench.act("GT-1.HH", shelve, 2000).unwrap();
    bench
        .act(
            "GT-1.H",
            Action::Acknowledge {
                occurrence: Some(1),
            },
            3000,
        )
        .unwrap();
    assert_eq!(bench.on, [true, true, false], "only the horn ends");
    bench.wait(602_000);
    assert_eq!(bench.shown("GT-1.HH"), Shown::Unacknowledged);
    assert_eq!(bench.on, [true, true, true], "the horn is back");
}

#[test]
fn silence_changes_no_alarm_and_a_new_urgent_one_ends_it() {
    let mut bench = Bench::new();
    bench.see(0, Ok(30.0), 1000);
    bench.ask(&Ask::Silence { person: wang() }, 2000).unwrap();
    assert_eq!(
        (bench.on[2], bench.shown("GT-1.H")),
        (false, Shown::Unacknowledged)
    );
    bench.see(1, Ok(30.0), 3000);
    assert!(!bench.on[2], "a new P3 stays silent");
    bench.see(0, Ok(60.0), 4000);
    assert!(bench.on[2], "a new P1 sounds");
    assert_eq!(bench.judge.horn().priority, Some(Priority::P1));
}

#[test]
fn a_point_that_falls_silent_is_an_alarm_and_its_limits_hold() {
    let mut bench = Bench::new();
    bench.see(0, Ok(60.0), 1000);
    bench.see(1, Ok(5.0), 1000);
    bench.wait(60_000);
    assert_eq!(bench.shown("GT-1.STALE"), Shown::Unacknowledged);
    assert_eq!(bench.shown("GT-2.STALE"), Shown::Unacknowledged);
    assert!(bench.judge.alarm(bench.alarm("GT-1.HH")).is_active());
    assert!(!bench.judge.alarm(bench.alarm("GT-2.H")).is_active());
}

#[test]
fn an_unread_point_is_never_normal_for_longer_than_its_stale_time() {
    let mut bench = Bench::new();
    bench.wait(60_000);
    assert_eq!(bench.shown("GT-1.STALE"), Shown::Unacknowledged);
    assert!(bench.on[2]);
}

#[test]
fn a_restart_switches_no_output_off_that_was_on() {
    let mut bench = Bench::new();
    bench.see(0, Ok(60.0), 1000);
    let saved: Vec<_> = (0..bench.site.alarms.len())
        .map(|alarm| Some(bench.judge.saved(AlarmIndex(alarm), WallMs(1000))))
        .collect();
    let on = Switched {
        on: true,
        since: Some(WallMs(1000)),
    };
    let mut again = Judge::new(
        bench.site.clone(),
        &saved,
        &[on; 3],
        Instant(0),
        WallMs(5000),
    );
    again.settle();
    assert_eq!(again.demand(), [true, true, true]);
    let told = again.take_happenings();
    assert!(
        !(told.iter()).any(|told| matches!(told, Happening::Changed(_) | Happening::Output { .. })),
        "a restart is no transition, and switches nothing anew: {told:?}"
    );
}
