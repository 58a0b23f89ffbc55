//! What would have quietened a chattering alarm: the recorded signal is judged again, by the alarm's own rules, under another deadband or delay.
//!
//! A proposal is one parameter changed, as little as removes nine in ten of the repeats. It never removes the first trip, and delays it by no more
//! than is allowed. An on-delay is never proposed where a trip must come at once: HH, LL, gas level 2, P1.

use davy_alarm::{Alarm, Cause, Condition, Definition, Instant, Priority, Reading};
use serde::Serialize;

/// Fewer trips than this in the recorded signal show no chatter: it was recorded too coarsely, or is another.
const TRIPS_LEAST: usize = 3;
/// A wider deadband would change what the alarm means; share of the span.
const DEADBAND_MOST: f64 = 0.1;
/// The longest delay that is proposed: the longest of the recommended ones.
const DELAY_MOST_S: u32 = 60;

/// Within what a proposal must stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowed {
    /// Measuring range in the point's unit, low < high.
    pub range: (f64, f64),
    /// The instrument's decimals, 0 to 6: a deadband is rounded up to them.
    pub decimals: u8,
    /// How much later the first trip may come, milliseconds.
    pub later_ms: u32,
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unproposed {
    /// The alarm looks at no recorded value itself, but at what is made of it.
    NoSignal,
    /// The recorded signal shows no chatter.
    TooFewTrips,
    /// How the alarm judges its point is not known here: the gateway does not say, or no longer has it.
    NotTold,
}

/// Which parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Parameter {
    /// In the point's unit.
    Deadband,
    /// Seconds.
    OffDelay,
    /// Seconds.
    OnDelay,
}

/// One parameter changed, and what judging the recorded signal again gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Proposal {
    pub parameter: Parameter,
    pub now: f64,
    pub proposed: f64,
    pub trips_after: u64,
    /// How much later the first trip came, milliseconds.
    pub later_ms: u64,
}

/// What the recorded signal says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Proposals {
    /// Trips of the recorded signal under the present parameters.
    pub trips: u64,
    /// Greatest less least value from the first trip to the last, point's unit; null without a value.
    pub peak_to_peak: Option<f64>,
    /// The longest that it was clear between two trips, milliseconds.
    pub longest_return_ms: u64,
    /// Deadband, off-delay, on-delay, where one of them would have helped.
    pub proposals: Vec<Proposal>,
}

/// Looks for the least change of each parameter. `readings` are the point's, in the order of time, from before the first trip on.
///
/// # Errors
/// If the alarm looks at no recorded value, or the signal shows no chatter.
pub fn propose(
    definition: &Definition,
    readings: &[Reading],
    allowed: &Allowed,
) -> Result<Proposals, Unproposed> {
    if !looks_at_value(&definition.condition) {
        return Err(Unproposed::NoSignal);
    }
    let before = Run::of(definition, readings);
    if before.trips.len() < TRIPS_LEAST {
        return Err(Unproposed::TooFewTrips);
    }
    let search = Search {
        definition,
        readings,
        allowed,
        before: &before,
    };
    let proposals = [search.deadband(), search.off_delay(), search.on_delay()];
    Ok(Proposals {
        trips: before.trips.len() as u64,
        peak_to_peak: before.peak_to_peak(readings),
        longest_return_ms: before.longest_return_ms(),
        proposals: proposals.into_iter().flatten().collect(),
    })
}

const fn looks_at_value(condition: &Condition) -> bool {
    match condition {
        Condition::HiHi { .. }
        | Condition::Hi { .. }
        | Condition::Lo { .. }
        | Condition::LoLo { .. }
        | Condition::Discrete { .. }
        | Condition::Bad => true,
        Condition::Deviation { .. }
        | Condition::RateOfChange { .. }
        | Condition::Frozen
        | Condition::Stel { .. }
        | Condition::Twa { .. }
        | Condition::Stale { .. }
        | Condition::CommsLost
        | Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed
        | Condition::Manual
        | Condition::Unproved => false,
    }
}

/// A trip of these must not wait.
const fn is_prompt(definition: &Definition) -> bool {
    definition.gas_level_2
        || matches!(definition.priority, Priority::P1)
        || matches!(
            definition.condition,
            Condition::HiHi { .. } | Condition::LoLo { .. }
        )
}

/// The recorded signal, judged: when it tripped and cleared, milliseconds from its first reading.
struct Run {
    trips: Vec<u64>,
    clears: Vec<u64>,
}

impl Run {
    fn of(definition: &Definition, readings: &[Reading]) -> Self {
        let mut run = Self {
            trips: Vec::new(),
            clears: Vec::new(),
        };
        let mut alarm = Alarm::new(*definition, Instant(0));
        for reading in readings {
            let now = Instant(since_first(readings, reading));
            while let Some((at, transition)) = alarm.fire(now) {
                run.take(at, transition.map(|one| one.cause));
            }
            let cause = alarm.observe(reading, now).map(|one| one.cause);
            run.take(now, cause);
        }
        run
    }

    fn take(&mut self, at: Instant, cause: Option<Cause>) {
        match cause {
            Some(Cause::Active) => self.trips.push(at.0),
            Some(Cause::Clear) => self.clears.push(at.0),
            _ => {}
        }
    }

    fn peak_to_peak(&self, readings: &[Reading]) -> Option<f64> {
        let span = *self.trips.first()?..=*self.trips.last()?;
        let during = readings
            .iter()
            .filter(|reading| span.contains(&since_first(readings, reading)))
            .filter_map(|reading| reading.value().ok());
        let (least, greatest) = during.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, greatest), value| (least.min(value), greatest.max(value)),
        );
        (least <= greatest).then_some(greatest - least)
    }

    /// An alarm that was not active at first trips, clears, trips, and so on.
    fn longest_return_ms(&self) -> u64 {
        let returns = self.clears.iter().zip(self.trips.iter().skip(1));
        returns
            .map(|(clear, trip)| trip.saturating_sub(*clear))
            .max()
            .unwrap_or(0)
    }
}

/// A clock that was set back stands still (R3).
fn since_first(readings: &[Reading], reading: &Reading) -> u64 {
    let first = readings.first().map_or(0, |first| first.source_time().0);
    u64::try_from(reading.source_time().0.saturating_sub(first)).unwrap_or(0)
}

struct Search<'a> {
    definition: &'a Definition,
    readings: &'a [Reading],
    allowed: &'a Allowed,
    before: &'a Run,
}

impl Search<'_> {
    /// The least multiple of the instrument's last decimal. A wider deadband never trips more often, so that halving finds it.
    fn deadband(&self) -> Option<Proposal> {
        let (set_point, now, room) = self.deadband_room()?;
        let steps_a_unit = 10_f64.powi(i32::from(self.allowed.decimals.min(6)));
        let width = |steps: u64| steps as f64 / steps_a_unit;
        let with = |steps: u64| self.with_deadband(set_point, width(steps));
        let (mut low, mut high) = (
            (now * steps_a_unit).floor() as u64,
            (room * steps_a_unit).floor() as u64,
        );
        if high <= low {
            return None;
        }
        let mut best = self.helps(&with(high))?;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.helps(&with(middle)) {
                Some(found) => (high, best) = (middle, found),
                None => low = middle,
            }
        }
        Some(best.proposal(Parameter::Deadband, now, width(high)))
    }

    /// Set-point, present deadband, and the widest that is allowed: some value in range must clear the alarm (R23).
    fn deadband_room(&self) -> Option<(f64, f64, f64)> {
        let (low, high) = self.allowed.range;
        let most = (high - low) * DEADBAND_MOST;
        let (set_point, now, room) = match self.definition.condition {
            Condition::HiHi {
                set_point,
                deadband,
            }
            | Condition::Hi {
                set_point,
                deadband,
            } => (set_point, deadband, set_point - low),
            Condition::Lo {
                set_point,
                deadband,
            }
            | Condition::LoLo {
                set_point,
                deadband,
            } => (set_point, deadband, high - set_point),
            _ => return None,
        };
        // At the very edge no value is left that clears.
        let room = most.min(room - f64::EPSILON * room.abs());
        (now >= 0.0 && room > 0.0).then_some((set_point, now, room))
    }

    fn with_deadband(&self, set_point: f64, deadband: f64) -> Definition {
        let condition = match self.definition.condition {
            Condition::HiHi { .. } => Condition::HiHi {
                set_point,
                deadband,
            },
            Condition::Hi { .. } => Condition::Hi {
                set_point,
                deadband,
            },
            Condition::Lo { .. } => Condition::Lo {
                set_point,
                deadband,
            },
            Condition::LoLo { .. } => Condition::LoLo {
                set_point,
                deadband,
            },
            other => other,
        };
        Definition {
            condition,
            ..*self.definition
        }
    }

    /// Whole seconds. It makes the alarm last longer, never come later.
    fn off_delay(&self) -> Option<Proposal> {
        self.delay(Parameter::OffDelay, self.definition.off_delay_ms, |ms| {
            Definition {
                off_delay_ms: ms,
                ..*self.definition
            }
        })
    }

    fn on_delay(&self) -> Option<Proposal> {
        if is_prompt(self.definition) {
            return None;
        }
        self.delay(Parameter::OnDelay, self.definition.on_delay_ms, |ms| {
            Definition {
                on_delay_ms: ms,
                ..*self.definition
            }
        })
    }

    fn delay(
        &self,
        parameter: Parameter,
        now_ms: u32,
        with: impl Fn(u32) -> Definition,
    ) -> Option<Proposal> {
        let seconds = now_ms / 1_000 + 1..=DELAY_MOST_S;
        seconds.into_iter().find_map(|seconds| {
            let found = self.helps(&with(seconds * 1_000))?;
            Some(found.proposal(parameter, f64::from(now_ms) / 1_000.0, f64::from(seconds)))
        })
    }

    /// Judges the signal under another definition: whether nine in ten of the repeats are gone, and the first trip is not.
    fn helps(&self, definition: &Definition) -> Option<Found> {
        let after = Run::of(definition, self.readings);
        let repeats = self.before.trips.len() - 1;
        let first = *after.trips.first()?;
        let later_ms = first.saturating_sub(self.before.trips[0]);
        let is_enough = after.trips.len() <= 1 + repeats / 10;
        let is_in_time = later_ms <= u64::from(self.allowed.later_ms);
        (is_enough && is_in_time).then_some(Found {
            trips: after.trips.len(),
            later_ms,
        })
    }
}

#[derive(Clone, Copy)]
struct Found {
    trips: usize,
    later_ms: u64,
}

impl Found {
    fn proposal(self, parameter: Parameter, now: f64, proposed: f64) -> Proposal {
        Proposal {
            parameter,
            now,
            proposed,
            trips_after: self.trips as u64,
            later_ms: self.later_ms,
        }
    }
}
