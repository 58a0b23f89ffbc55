//! A site under judgement for tests: points A, B, C, … in the order of the file, on one device, and whatever else the test adds.
#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used
)]

use davy_alarm::{Action, Actor, Cause, Instant, NoValue, Reading, Refusal, Saved, Shown, WallMs};
use davy_config::site::{AlarmIndex, PointIndex, Site};
use davy_gateway::judge::{Ask, Change, Happening, Judge, Person, Switched};
use std::path::Path;
use std::sync::Arc;

pub const OPERATOR: Actor = Actor {
    remote: false,
    maintenance: false,
};
pub const MAINTENANCE: Actor = Actor {
    remote: false,
    maintenance: true,
};

const HEAD: &str = r#"
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
"#;

/// HH at 50, at once, cleared below 49; bad at once; stale after ten seconds.
pub const HH: &str = r#"
stale_s = 10
[point.alarms.BAD]
on_delay_s = 0
[point.alarms.HH]
set_point = 50
deadband = 1
priority = 2
on_delay_s = 0
off_delay_s = 0
"#;

/// A measured point, 0 to 100, with these further keys and alarms.
pub fn point(id: &str, register: u16, rest: &str) -> String {
    format!(
        r#"
[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "a"
device = "d"
register = {{ table = "holding", address = {register} }}
kind = "other"
unit = "%"
range = [0, 100]
{rest}"#
    )
}

/// A discrete point with alarm ON, P3.
pub fn discrete(id: &str, register: u16, rest: &str) -> String {
    format!(
        r#"
[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "a"
device = "d"
register = {{ table = "holding", address = {register} }}
kind = "discrete"
stale_s = 86400
[point.alarms.BAD]
on_delay_s = 0
[point.alarms.ON]
priority = 3
{rest}"#
    )
}

/// An output on the relay module.
pub fn output(id: &str, number: u8, rest: &str) -> String {
    format!(
        r#"
[[output]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "a"
kind = "fan"
device = "io"
signal = "do{number}"
{rest}"#
    )
}

pub fn site(parts: &[String]) -> Arc<Site> {
    let text = format!("{HEAD}{}", parts.concat());
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

/// A judge with its site, the outputs as last told, and what was told of alarms since it was last asked.
pub struct Bench {
    pub site: Arc<Site>,
    pub judge: Judge,
    pub on: Vec<bool>,
    /// When each output changed last, by the wall clock.
    pub since: Vec<Option<WallMs>>,
    /// The wall clock at time 0.
    pub wall: WallMs,
    pub told: Vec<Change>,
    pub now: u64,
}

impl Bench {
    pub fn new(parts: &[String]) -> Self {
        Self::of(site(parts), &[], &[], WallMs(0))
    }

    pub fn of(
        site: Arc<Site>,
        saved: &[Option<Saved>],
        switched: &[Switched],
        wall: WallMs,
    ) -> Self {
        let judge = Judge::new(site.clone(), saved, switched, Instant(0), wall);
        let mut bench = Self {
            on: (0..site.outputs.len())
                .map(|output| switched.get(output).is_some_and(|output| output.on))
                .collect(),
            since: (0..site.outputs.len())
                .map(|output| switched.get(output).and_then(|output| output.since))
                .collect(),
            wall,
            site,
            judge,
            told: Vec::new(),
            now: 0,
        };
        bench.end_instant();
        bench
    }

    /// The same site after a restart: what survives, and nothing else.
    pub fn restarted(&self) -> Self {
        self.restarted_after(0)
    }

    /// The same, so many milliseconds later.
    pub fn restarted_after(&self, down: i64) -> Self {
        let wall = WallMs(self.wall.0 + self.now as i64 + down);
        let saved: Vec<_> = (0..self.site.alarms.len())
            .map(|alarm| Some(self.judge.saved(AlarmIndex(alarm), WallMs(wall.0 - down))))
            .collect();
        let switched: Vec<_> = std::iter::zip(&self.on, &self.since)
            .map(|(&on, &since)| Switched { on, since })
            .collect();
        Self::of(self.site.clone(), &saved, &switched, wall)
    }

    pub fn alarm(&self, id: &str) -> AlarmIndex {
        let position = self.site.alarms.iter().position(|alarm| alarm.id == id);
        AlarmIndex(position.unwrap_or_else(|| panic!("no alarm {id}")))
    }

    pub fn shown(&self, id: &str) -> Shown {
        self.judge.alarm(self.alarm(id)).shown()
    }

    pub fn active(&self, id: &str) -> bool {
        self.judge.alarm(self.alarm(id)).is_active()
    }

    pub fn occurrence(&self, id: &str) -> u32 {
        self.judge.alarm(self.alarm(id)).occurrence()
    }

    pub fn output(&self, id: &str) -> bool {
        let position = self.site.outputs.iter().position(|output| output.id == id);
        self.on[position.unwrap()]
    }

    /// A reading, without the end of its instant.
    pub fn read(&mut self, point: &str, value: Result<f64, NoValue>, at: u64) {
        let reading = match value {
            Ok(value) => Reading::measured(value, WallMs(0)),
            Err(cause) => Reading::absent(cause, WallMs(0)),
        };
        let position = self.site.points.iter().position(|known| known.id == point);
        let index = PointIndex(position.unwrap_or_else(|| panic!("no point {point}")));
        self.now = at;
        self.judge.reading(index, &reading, Instant(at));
    }

    pub fn see(&mut self, point: &str, value: f64, at: u64) {
        self.read(point, Ok(value), at);
        self.end_instant();
    }

    pub fn lose(&mut self, point: &str, cause: NoValue, at: u64) {
        self.read(point, Err(cause), at);
        self.end_instant();
    }

    pub fn wait(&mut self, until: u64) {
        self.now = until;
        self.judge.advance(Instant(until));
        self.end_instant();
    }

    pub fn act(&mut self, id: &str, action: Action, at: u64) -> Result<(), Refusal> {
        let ask = Ask::Alarm {
            alarm: self.alarm(id),
            action,
            actor: MAINTENANCE,
            person: Person {
                actor: "wang".into(),
                reason: None,
                second: None,
            },
        };
        self.now = at;
        let answer = self.judge.act(&ask, Instant(at));
        self.end_instant();
        answer
    }

    /// What was told of an alarm: when, and why.
    pub fn lines(&mut self, id: &str) -> Vec<(u64, Cause, Shown)> {
        let alarm = self.alarm(id);
        let told = self.told.iter().filter(|change| change.alarm == alarm);
        told.map(|change| (change.at.0, change.cause, change.to))
            .collect()
    }

    /// Settles the instant. What was told of the outputs must be what the judge demands.
    pub fn end_instant(&mut self) {
        self.judge.settle();
        for happening in self.judge.take_happenings() {
            match happening {
                Happening::Output { output, on, at } => {
                    assert_ne!(self.on[output.0], on, "told twice");
                    self.since[output.0] = Some(WallMs(self.wall.0 + at.0 as i64));
                    self.on[output.0] = on;
                }
                Happening::Changed(change) => self.told.push(change),
                Happening::Horn { .. } | Happening::Acted { .. } => {}
            }
        }
        assert_eq!(self.on, self.judge.demand());
    }
}
