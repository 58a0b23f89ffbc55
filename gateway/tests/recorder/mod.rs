//! A gateway for tests, which polls, judges and journals as the real one does, on a clock of the test's own.
#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used
)]

use davy_alarm::{Action, Actor, Instant, NoValue, Reading, Refusal, Saved, WallMs};
use davy_config::site::{AlarmIndex, DeviceIndex, OutputIndex, PointIndex, Site};
use davy_gateway::clock::Clock;
use davy_gateway::journal::{self, Archive, Batch, Exception, Journal, Record, Transition};
use davy_gateway::judge::{Ask, Deed, Happening, Judge, Person, Switched};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub const LIMIT: Duration = Duration::from_secs(20);

/// A gateway on a clock of the test's own: it polls each point once a second, judges, and journals as the gateway does.
pub struct Gateway {
    pub site: Arc<Site>,
    pub judge: Judge,
    pub journal: Journal,
    pub exceptions: Vec<Exception>,
    /// What each point reads; `None` = it is not polled.
    pub values: Vec<Option<Result<f64, NoValue>>>,
    /// What each output's register is seen to hold; the outer `None` = it does as demanded.
    pub registers: Vec<Option<Option<bool>>>,
    pub started: i64,
    /// Milliseconds since the start.
    pub now: u64,
    pub seq: u64,
    pub kept: u64,
    /// Outputs as journalled.
    pub switched: Vec<Switched>,
}

impl Gateway {
    pub fn start(
        dir: &Path,
        site: &Arc<Site>,
        started: i64,
        saved: &[Option<Saved>],
        switched: &[Switched],
    ) -> Self {
        let (journal, restored) = Journal::open(dir, site, Clock::start()).unwrap();
        let wall = WallMs(started);
        let mut gateway = Self {
            site: site.clone(),
            judge: Judge::new(site.clone(), saved, switched, Instant(0), wall),
            exceptions: site
                .points
                .iter()
                .map(|point| Exception::new(point.exception, point.heartbeat_ms))
                .collect(),
            values: vec![Some(Ok(0.0)); site.points.len()],
            registers: vec![None; site.outputs.len()],
            started,
            now: 0,
            seq: restored.next_seq,
            kept: 0,
            journal,
            switched: (0..site.outputs.len())
                .map(|output| switched.get(output).copied().unwrap_or_default())
                .collect(),
        };
        gateway.keep(None, vec![Record::Started { time: wall }]);
        gateway.journal_what_happened(vec![]);
        gateway
    }

    pub fn wall(&self, at: Instant) -> WallMs {
        WallMs(self.started + at.0 as i64)
    }

    pub fn keep(&mut self, device: Option<usize>, records: Vec<Record>) {
        if !records.is_empty() {
            self.journal.append(device.map(DeviceIndex), records);
        }
    }

    pub fn journal_what_happened(&mut self, readings: Vec<Record>) {
        self.judge.settle();
        let mut records = Vec::new();
        let mut outputs = Vec::new();
        for happening in self.judge.take_happenings() {
            match happening {
                Happening::Changed(change) => {
                    let alarm = self.judge.alarm(change.alarm);
                    let left = alarm.shelved_until().map(|at| self.wall(at));
                    records.push(Record::Transition(Box::new(Transition {
                        seq: self.seq,
                        alarm: change.alarm.0 as u32,
                        from: change.from,
                        to: change.to,
                        cause: change.cause,
                        occurrence: change.occurrence,
                        time: self.wall(change.at),
                        value: change.value,
                        limit: alarm.definition().condition.set_point(),
                        priority: alarm.definition().priority.number(),
                        person: change.person,
                        command: None,
                        shelved_until: left,
                        saved: self.judge.saved(change.alarm, self.wall(Instant(self.now))),
                    })));
                    self.seq += 1;
                }
                Happening::Output { output, at, on } => {
                    let time = self.wall(at);
                    self.switched[output.0] = Switched {
                        on,
                        since: Some(time),
                    };
                    let output = output.0 as u32;
                    outputs.push(Record::Output { output, on, time });
                }
                Happening::Acted { at, deed, person } => outputs.push(Record::Act {
                    act: match deed {
                        Deed::Silenced => journal::Act::Silence,
                        Deed::ResetOutput(output) => journal::Act::ResetOutput(output.0 as u32),
                        Deed::TestedOutput(output, for_ms) => journal::Act::TestOutput {
                            output: output.0 as u32,
                            for_ms,
                        },
                    },
                    actor: person.actor,
                    time: self.wall(at),
                }),
                Happening::Horn { .. } => {}
            }
        }
        records.extend(readings);
        self.keep(None, outputs);
        self.keep(Some(0), records);
    }

    /// One poll a second for so long.
    pub fn poll(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1000;
            let now = Instant(self.now);
            let comms = self.site.devices[0].comms_alarm;
            self.judge.contact(comms, true, now);
            let mut kept = Vec::new();
            for point in 0..self.values.len() {
                let Some(value) = self.values[point] else {
                    continue;
                };
                let reading = match value {
                    Ok(value) => Reading::measured(value, self.wall(now)),
                    Err(cause) => Reading::absent(cause, self.wall(now)),
                };
                self.judge.reading(PointIndex(point), &reading, now);
                if self.exceptions[point].take(&reading, now) {
                    self.kept += 1;
                    kept.push(Record::Reading {
                        point: point as u32,
                        reading,
                    });
                }
            }
            let demand = self.judge.demand();
            for (output, on) in demand.into_iter().enumerate() {
                let held = self.registers[output].unwrap_or(Some(on));
                self.judge.feedback(OutputIndex(output), held, now);
            }
            self.journal_what_happened(kept);
        }
    }

    /// Acts, and it must not be refused.
    pub fn act(&mut self, alarm: &str, action: Action) {
        self.try_act(alarm, action).unwrap();
    }

    /// Acts a tenth of a second after the last poll.
    pub fn try_act(&mut self, alarm: &str, action: Action) -> Result<(), Refusal> {
        let position = self.site.alarms.iter().position(|known| known.id == alarm);
        let ask = Ask::Alarm {
            alarm: AlarmIndex(position.unwrap()),
            action,
            actor: Actor {
                remote: false,
                maintenance: true,
            },
            person: wang(),
        };
        self.ask(&ask)
    }

    pub fn ask(&mut self, ask: &Ask) -> Result<(), Refusal> {
        self.now += 100;
        let outcome = self.judge.act(ask, Instant(self.now));
        self.journal_what_happened(vec![]);
        self.now += 900;
        outcome
    }

    pub fn reset_fan(&mut self) {
        self.try_reset_fan().unwrap();
    }

    /// Resets the first output.
    pub fn try_reset_fan(&mut self) -> Result<(), Refusal> {
        self.ask(&Ask::ResetOutput {
            output: OutputIndex(0),
            actor: Actor::default(),
            person: wang(),
        })
    }

    /// A person demands what a manual cause switches, or ends it.
    pub fn demand(&mut self, alarm: &str, demand: bool) -> Result<(), Refusal> {
        let position = self.site.alarms.iter().position(|known| known.id == alarm);
        self.ask(&Ask::Manual {
            alarm: AlarmIndex(position.unwrap()),
            demand,
            actor: Actor::default(),
            person: wang(),
        })
    }

    pub fn state(&self) -> (Vec<Option<Saved>>, Vec<Switched>) {
        let wall = self.wall(Instant(self.now));
        let saved = (0..self.site.alarms.len())
            .map(|alarm| Some(self.judge.saved(AlarmIndex(alarm), wall)));
        (saved.collect(), self.switched.clone())
    }

    /// Waits until all that was kept is on disk.
    pub async fn synced(&self, dir: &Path) {
        let mut synced = self.journal.synced();
        let written = tokio::time::timeout(LIMIT, async {
            loop {
                synced.borrow_and_update();
                if on_disk(dir) == (self.kept, self.seq - 1) {
                    break;
                }
                synced.changed().await.unwrap();
            }
        });
        written.await.unwrap();
    }
}

/// Readings, and the sequence number of the last transition.
pub fn on_disk(dir: &Path) -> (u64, u64) {
    let archive = Archive::open(dir);
    let (mut readings, mut seq) = (0, 0);
    if let Ok(archive) = archive {
        let count = |batch: &Batch| {
            for record in &batch.records {
                match record {
                    Record::Reading { .. } => readings += 1,
                    Record::Transition(transition) => seq = seq.max(transition.seq),
                    _ => {}
                }
            }
            ControlFlow::Continue(())
        };
        archive.each(0, count).unwrap();
    }
    (readings, seq)
}

pub fn wang() -> Person {
    Person {
        actor: "wang".into(),
        reason: Some("test".into()),
        second: Some("li".into()),
    }
}
