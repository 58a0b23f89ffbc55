//! The present picture: what screens show and births carry. Judgement writes it, everybody else looks.
//!
//! Invariant: the lock is held only to copy plain values, never across I/O, serialisation or an `await`, so that a screen cannot hold
//! judgement up. Updates go out on a bounded broadcast; a reader that falls [`UPDATES_MAX`] behind is told so and takes a new picture.

use crate::judge::Switched;
use crate::succession::Succession;
use davy_alarm::{Cause, Instant, NoValue, Priority, Reading, Shown, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};
use davy_kpi::{FloodNow, FloodWatch};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Updates a reader may fall behind before it must take a new picture.
pub(crate) const UPDATES_MAX: usize = 1024;

/// A point's latest reading and whether it has gone stale since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueNow {
    pub point: PointIndex,
    pub reading: Reading,
    pub stale: bool,
}

/// An alarm's present state and the story of its present occurrence, in wall-clock times for people.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmNow {
    pub alarm: AlarmIndex,
    pub shown: Shown,
    pub active: bool,
    pub acknowledged: bool,
    pub latched: bool,
    pub shelved: bool,
    pub suppressed_by_design: bool,
    pub out_of_service: bool,
    pub occurrence: u32,
    /// Sequence number of the transition that led here; 0 before the first.
    pub seq: u64,
    pub raised: Option<WallMs>,
    pub changed: Option<WallMs>,
    pub cleared: Option<WallMs>,
    pub acknowledged_at: Option<WallMs>,
    pub shelved_until: Option<WallMs>,
    pub value_then: Option<Result<f64, NoValue>>,
    pub actor: Option<Arc<str>>,
    pub reason: Option<Arc<str>>,
}

/// An output: what is asked of it and what it answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputNow {
    pub output: OutputIndex,
    pub demand: bool,
    /// The read-back; `None` if it never could be read or its device is silent now.
    pub feedback: Option<bool>,
    /// When the demand last changed.
    pub since: WallMs,
}

/// The horn of this site (alarm rule R21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HornNow {
    pub sounding: bool,
    /// The highest priority among what is unacknowledged.
    pub priority: Option<Priority>,
    pub silenced: bool,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct Picture {
    pub values: Vec<ValueNow>,
    pub alarms: Vec<AlarmNow>,
    pub outputs: Vec<OutputNow>,
    pub horn: HornNow,
}

/// One change of the picture.
#[derive(Clone, Debug)]
pub enum Update {
    Values(Vec<ValueNow>),
    Alarm(AlarmNow),
    Output(OutputNow),
    Horn(HornNow),
}

/// The picture and its stream of updates.
#[derive(Debug)]
pub struct Live {
    picture: Mutex<Picture>,
    load: Mutex<FloodWatch>,
    updates: broadcast::Sender<Arc<Update>>,
}

impl Live {
    /// Nothing read yet, every alarm and output as given (restored or new). An output that never changed is so since `now`.
    pub fn new(site: &Site, alarms: Vec<AlarmNow>, outputs: &[Switched], now: WallMs) -> Self {
        let unread = |point| ValueNow {
            point: PointIndex(point),
            reading: Reading::absent(NoValue::NotYetRead, now),
            stale: false,
        };
        let asked = |(output, switched): (usize, &Switched)| OutputNow {
            output: OutputIndex(output),
            demand: switched.on,
            feedback: None,
            since: switched.since.unwrap_or(now),
        };
        let picture = Picture {
            values: (0..site.points.len()).map(unread).collect(),
            alarms,
            outputs: outputs.iter().enumerate().map(asked).collect(),
            horn: HornNow::default(),
        };
        Self {
            picture: Mutex::new(picture),
            load: Mutex::default(),
            updates: broadcast::Sender::new(UPDATES_MAX),
        }
    }

    /// A copy of everything, and the updates that follow it without a gap.
    pub fn watch(&self) -> (Picture, broadcast::Receiver<Arc<Update>>) {
        let picture = self.lock();
        (picture.clone(), self.updates.subscribe())
    }

    /// The picture of the site that follows: what the change leaves as it is is shown as it was. `alarms` by position there.
    pub fn under(
        &self,
        change: &Succession,
        alarms: Vec<AlarmNow>,
        on: &[bool],
        now: WallMs,
    ) -> Self {
        let before = self.lock();
        let switched: Vec<Switched> = on
            .iter()
            .map(|on| Switched {
                on: *on,
                since: None,
            })
            .collect();
        let next = Self::new(&change.after, alarms, &switched, now);
        {
            let mut picture = next.lock();
            picture.horn = before.horn;
            for (position, value) in picture.values.iter_mut().enumerate() {
                if let Some(known) = change.point(PointIndex(position)) {
                    *value = ValueNow {
                        point: value.point,
                        ..before.values[known.0]
                    };
                }
            }
            for (position, output) in picture.outputs.iter_mut().enumerate() {
                let known = change.output(OutputIndex(position));
                if let Some(known) = known.map(|known| before.outputs[known.0]) {
                    output.feedback = known.feedback;
                    if known.demand == output.demand {
                        output.since = known.since;
                    }
                }
            }
        }
        *next.load() = self.load().clone();
        next
    }

    /// A copy of everything.
    pub fn picture(&self) -> Picture {
        self.lock().clone()
    }

    /// One alarm as it stands.
    pub fn alarm(&self, alarm: AlarmIndex) -> AlarmNow {
        self.lock().alarms[alarm.0].clone()
    }

    /// One point's latest reading; `None` for a position that no point has.
    pub fn value(&self, point: PointIndex) -> Option<ValueNow> {
        self.lock().values.get(point.0).copied()
    }

    /// One output as it stands.
    pub fn output(&self, output: OutputIndex) -> OutputNow {
        self.lock().outputs[output.0]
    }

    /// Takes new readings over. They arrive by the scan; the copy for watchers is made only if there are any.
    pub fn values(&self, readings: &[(PointIndex, Reading)]) {
        let now = |&(point, reading): &(PointIndex, Reading)| ValueNow {
            point,
            reading,
            stale: false,
        };
        let mut picture = self.lock();
        for value in readings.iter().map(now) {
            picture.values[value.point.0] = value;
        }
        self.tell(|| Update::Values(readings.iter().map(now).collect()));
    }

    /// Takes over what is known of a value without a reading: that it has gone stale.
    pub fn set_value(&self, value: ValueNow) {
        let mut picture = self.lock();
        picture.values[value.point.0] = value;
        self.tell(|| Update::Values(vec![value]));
    }

    /// Takes an alarm's new state over.
    pub fn set_alarm(&self, alarm: AlarmNow) {
        let mut picture = self.lock();
        picture.alarms[alarm.alarm.0] = alarm.clone();
        self.tell(|| Update::Alarm(alarm));
    }

    /// Takes over what was annunciated before the restart: a flood goes on.
    pub fn resume(&self, before: &[i64], now: Instant, wall: WallMs) {
        self.load().resume(before, now, wall);
    }

    /// Counts a transition into the load, if it annunciates.
    pub fn follow(&self, cause: Cause, to: Shown, at: Instant, wall: WallMs) {
        self.load().follow(cause, to, at, wall);
    }

    /// How many annunciations came of late, and whether they are a flood.
    pub fn flood(&self, now: Instant) -> FloodNow {
        self.load().look(now)
    }

    /// Takes an output's new demand over.
    pub fn set_demand(&self, output: OutputIndex, demand: bool, since: WallMs) {
        let mut picture = self.lock();
        let now = &mut picture.outputs[output.0];
        (now.demand, now.since) = (demand, since);
        let now = *now;
        self.tell(|| Update::Output(now));
    }

    /// Takes an output's read-back over; tells watchers only if it changed.
    pub fn set_feedback(&self, output: OutputIndex, feedback: Option<bool>) {
        let mut picture = self.lock();
        let now = &mut picture.outputs[output.0];
        if now.feedback != feedback {
            now.feedback = feedback;
            let now = *now;
            self.tell(|| Update::Output(now));
        }
    }

    /// Takes the horn's state over; tells watchers only if it changed.
    pub fn set_horn(&self, horn: HornNow) {
        let mut picture = self.lock();
        if picture.horn != horn {
            picture.horn = horn;
            self.tell(|| Update::Horn(horn));
        }
    }

    /// Sent while the lock is held, so that a watcher's copy and its updates meet without a gap.
    fn tell(&self, update: impl FnOnce() -> Update) {
        if self.updates.receiver_count() > 0 {
            // Fails only when the last watcher has just left.
            let _ = self.updates.send(Arc::new(update()));
        }
    }

    fn load(&self) -> MutexGuard<'_, FloodWatch> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_shown_since_it_really_changed_and_not_since_the_gateway_started() {
        let text = include_str!("../tests/replay/site.toml");
        let site = davy_config::parse("site.toml", text, std::path::Path::new("tests/replay"))
            .expect("a valid site")
            .site;
        let on = Switched {
            on: true,
            since: Some(WallMs(1000)),
        };
        let live = Live::new(&site, vec![], &[on, Switched::default()], WallMs(9000));
        let outputs = live.picture().outputs;
        assert_eq!((outputs[0].demand, outputs[0].since), (true, WallMs(1000)));
        assert_eq!((outputs[1].demand, outputs[1].since), (false, WallMs(9000)));
    }
}
