//! What alarms look at beside the value itself: one gauge for each alarm that needs one, none for all others.

use davy_alarm::{Exposure, Extremes, Instant, Mean, NoValue};
use davy_config::site::{Alarm, AlarmIndex, Input, Moves, Site, Subject};
use std::collections::HashMap;

/// Buckets of a window: a 15-minute mean in steps of 15 s, an 8-hour mean in steps of 5 min, a movement to within a sixteenth.
const STEL: usize = 60;
const TWA: usize = 96;
const MOVED: usize = 16;

/// What a gauge says of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measured {
    /// Judged like a value.
    Value(Result<f64, NoValue>),
    /// The value moved, so that standing still begins anew; or it stands where it stood.
    Stands { moved: bool },
}

#[derive(Clone, Debug)]
enum Gauge {
    Moved(Moves, Box<Extremes<MOVED>>),
    Stands { band: f64, anchor: Option<f64> },
    Stel(Box<Mean<STEL>>),
    Twa(Box<Mean<TWA>>),
}

#[derive(Debug)]
pub(super) struct Gauges {
    of_alarm: HashMap<AlarmIndex, Gauge>,
    /// Of an exposure: the top of its point's range, which an over-range value is at least (R8), and its limit.
    exposed: HashMap<AlarmIndex, (f64, f64)>,
}

impl Gauges {
    pub(super) fn new(site: &Site, now: Instant) -> Self {
        let (mut of_alarm, mut exposed) = (HashMap::new(), HashMap::new());
        for (position, alarm) in site.alarms.iter().enumerate() {
            if let Some(gauge) = gauge(alarm, now) {
                of_alarm.insert(AlarmIndex(position), gauge);
            }
            if let (Subject::Point(point), Input::Exposure { .. }, Some(limit)) = (
                alarm.subject,
                alarm.input,
                alarm.definition.condition.set_point(),
            ) {
                let top = site.points[point.0].range.1;
                exposed.insert(AlarmIndex(position), (top, limit));
            }
        }
        Self { of_alarm, exposed }
    }

    /// What the alarm's gauge makes of its point's value.
    pub(super) fn measure(
        &mut self,
        alarm: AlarmIndex,
        value: Result<f64, NoValue>,
        now: Instant,
    ) -> Measured {
        let Some(gauge) = self.of_alarm.get_mut(&alarm) else {
            return Measured::Value(value);
        };
        match gauge {
            Gauge::Moved(moves, extremes) => {
                Measured::Value(value.map(|value| moved(*moves, extremes.see(value, now))))
                    .or_lost(|| extremes.lose(now))
            }
            Gauge::Stands { band, anchor } => match value {
                Err(cause) => Measured::Value(Err(cause)),
                Ok(value) => {
                    let moved = anchor.is_none_or(|anchor| (value - anchor).abs() > *band);
                    if moved {
                        *anchor = Some(value);
                    }
                    Measured::Stands { moved }
                }
            },
            Gauge::Stel(mean) => exposed(mean, value, self.exposed.get(&alarm), now),
            Gauge::Twa(mean) => exposed(mean, value, self.exposed.get(&alarm), now),
        }
    }

    /// The alarm's gauge goes on with what another one's has seen.
    pub(super) fn go_on(&mut self, alarm: AlarmIndex, before: &Self, known: AlarmIndex) {
        if let Some(gauge) = before.of_alarm.get(&known) {
            self.of_alarm.insert(alarm, gauge.clone());
        }
    }

    /// The alarm's point went silent at `now`.
    pub(super) fn lose(&mut self, alarm: AlarmIndex, now: Instant) {
        match self.of_alarm.get_mut(&alarm) {
            Some(Gauge::Moved(_, extremes)) => extremes.lose(now),
            Some(Gauge::Stel(mean)) => mean.lose(now),
            Some(Gauge::Twa(mean)) => mean.lose(now),
            Some(Gauge::Stands { .. }) | None => {}
        }
    }
}

impl Measured {
    fn or_lost(self, lose: impl FnOnce()) -> Self {
        if matches!(self, Self::Value(Err(_))) {
            lose();
        }
        self
    }
}

fn gauge(alarm: &Alarm, now: Instant) -> Option<Gauge> {
    Some(match alarm.input {
        Input::Value | Input::Deviation(_) => return None,
        Input::Moved { window_ms, moves } => {
            Gauge::Moved(moves, Box::new(Extremes::new(window_ms, now)))
        }
        Input::Stands { band } => Gauge::Stands { band, anchor: None },
        Input::Exposure { window_ms } if window_ms <= 3_600_000 => {
            Gauge::Stel(Box::new(Mean::new(window_ms, now)))
        }
        Input::Exposure { window_ms } => Gauge::Twa(Box::new(Mean::new(window_ms, now))),
    })
}

const fn moved(moves: Moves, (up, down): (f64, f64)) -> f64 {
    match moves {
        Moves::Up => up,
        Moves::Down => down,
        Moves::Either => up.max(down),
    }
}

/// The mean where enough is known; else the least that it can be, which proves an excess and never the want of one.
fn exposed<const N: usize>(
    mean: &mut Mean<N>,
    value: Result<f64, NoValue>,
    known: Option<&(f64, f64)>,
    now: Instant,
) -> Measured {
    match (value, known) {
        (Ok(value), _) => mean.see(value, now),
        (Err(NoValue::OverRange), Some((top, _))) => mean.see(*top, now),
        (Err(_), _) => mean.lose(now),
    }
    match mean.exposure(now) {
        Exposure::Mean(mean) => Measured::Value(Ok(mean)),
        Exposure::AtLeast(least) if known.is_some_and(|(_, limit)| least >= *limit) => {
            Measured::Value(Ok(least))
        }
        Exposure::AtLeast(_) => Measured::Value(Err(NoValue::NotYetRead)),
    }
}
