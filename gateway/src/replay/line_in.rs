//! Lines in: readings, time that passes, restarts and acts, a JSON object each.
//!
//! | Line | Fields |
//! |---|---|
//! | reading | `t`, `point`, `value` (a number, `"NaN"`, `"inf"` or `"-inf"`) or `bad` (a reason) |
//! | time passes | `t` |
//! | restart | `t`, `"restart":true`, `down` (stopped at `t`, back at `t + down`) |
//! | act | `t`, `action`, `alarm` (of `reset` also `output`; of `silence` none), `actor`, `remote`, `role`, `occurrence`, `minutes`, `reason`, `second` |
//!
//! An unknown field is refused: a misspelt `remote` would make the act another one.

use super::error::{ReplayError, Unreadable};
use super::rehearsal::{Act, Target};
use crate::judge::{Ask, Person};
use davy_alarm::{Action, Actor, NoValue, Reading, Refusal, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// Longest line, bytes.
const LONGEST: usize = 64 << 10;

/// One line, resolved against the site.
#[derive(Debug)]
pub(super) enum Line {
    Pass {
        t: u64,
    },
    Reading {
        t: u64,
        point: PointIndex,
        reading: Reading,
        /// A reason that is none of Davy's.
        unknown: Option<String>,
    },
    Restart {
        t: u64,
        down: u64,
    },
    Act {
        t: u64,
        act: Box<Act>,
    },
}

impl Line {
    pub(super) const fn t(&self) -> u64 {
        match self {
            Self::Pass { t }
            | Self::Reading { t, .. }
            | Self::Restart { t, .. }
            | Self::Act { t, .. } => *t,
        }
    }
}

/// Where a site's ids stand.
#[derive(Debug)]
pub(super) struct Names {
    points: HashMap<String, PointIndex>,
    alarms: HashMap<String, AlarmIndex>,
    outputs: HashMap<String, OutputIndex>,
}

impl Names {
    pub(super) fn of(site: &Site) -> Self {
        let points = site.points.iter().enumerate();
        let alarms = site.alarms.iter().enumerate();
        let outputs = site.outputs.iter().enumerate();
        Self {
            points: points
                .map(|(at, point)| (point.id.clone(), PointIndex(at)))
                .collect(),
            alarms: alarms
                .map(|(at, alarm)| (alarm.id.clone(), AlarmIndex(at)))
                .collect(),
            outputs: outputs
                .map(|(at, output)| (output.id.clone(), OutputIndex(at)))
                .collect(),
        }
    }

    pub(super) fn point(&self, id: &str) -> Option<PointIndex> {
        self.points.get(id).copied()
    }

    pub(super) fn alarm(&self, id: &str) -> Option<AlarmIndex> {
        self.alarms.get(id).copied()
    }

    pub(super) fn output(&self, id: &str) -> Option<OutputIndex> {
        self.outputs.get(id).copied()
    }
}

/// The lines of an input, one in memory at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(super) const fn new(input: BufReader<R>) -> Self {
        Self {
            input,
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line with its number, from 1; empty ones are passed over.
    pub(super) fn next(&mut self, names: &Names) -> Result<Option<(u64, Line)>, ReplayError> {
        loop {
            self.buffer.clear();
            let mut bounded = (&mut self.input).take(LONGEST as u64 + 1);
            let count = bounded.read_until(b'\n', &mut self.buffer);
            if count.map_err(ReplayError::Read)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line = self.buffer.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let outcome = if self.buffer.len() > LONGEST {
                Err(Unreadable::Long(LONGEST))
            } else {
                read(line, names)
            };
            return match outcome {
                Ok(line) => Ok(Some((self.number, line))),
                Err(why) => Err(ReplayError::Line {
                    number: self.number,
                    why,
                }),
            };
        }
    }

    /// Whether the next line has to be waited for.
    pub(super) fn is_drained(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

/// A line as it is written; which kind it is, its fields say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    t: u64,
    point: Option<String>,
    value: Option<Value>,
    bad: Option<String>,
    restart: Option<bool>,
    down: Option<u64>,
    action: Option<String>,
    alarm: Option<String>,
    output: Option<String>,
    actor: Option<String>,
    remote: Option<bool>,
    role: Option<String>,
    occurrence: Option<u64>,
    minutes: Option<i64>,
    reason: Option<String>,
    second: Option<String>,
}

/// A number, or one of the three that JSON cannot write (R6).
#[derive(Debug)]
struct Value(f64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value(value as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match text {
            "NaN" => Ok(Value(f64::NAN)),
            "inf" => Ok(Value(f64::INFINITY)),
            "-inf" => Ok(Value(f64::NEG_INFINITY)),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }
}

fn read(line: &[u8], names: &Names) -> Result<Line, Unreadable> {
    let written: Written = serde_json::from_slice(line).map_err(|error| {
        // The place in the file is the line's number; serde's own is always its first.
        Unreadable::Json(error.to_string().replace(" at line 1 column ", ", column "))
    })?;
    let t = written.t;
    match (written.is_reading(), written.is_restart(), written.is_act()) {
        (false, false, false) => Ok(Line::Pass { t }),
        (true, false, false) => reading(written, names),
        (false, true, false) => match written.restart {
            None => Err(Unreadable::Missing("restart")),
            Some(false) => Err(Unreadable::Together("restart = false, down")),
            Some(true) => Ok(Line::Restart {
                t,
                down: written.down.unwrap_or(0),
            }),
        },
        (false, false, true) => Ok(Line::Act {
            t,
            act: Box::new(act(written, names)?),
        }),
        _ => Err(Unreadable::Together("point, restart, action")),
    }
}

impl Written {
    const fn is_reading(&self) -> bool {
        self.point.is_some() || self.value.is_some() || self.bad.is_some()
    }

    const fn is_restart(&self) -> bool {
        self.down.is_some() || matches!(self.restart, Some(true))
    }

    const fn is_act(&self) -> bool {
        self.action.is_some()
            || self.alarm.is_some()
            || self.output.is_some()
            || self.actor.is_some()
            || self.remote.is_some()
            || self.role.is_some()
            || self.occurrence.is_some()
            || self.minutes.is_some()
            || self.reason.is_some()
            || self.second.is_some()
    }
}

fn reading(written: Written, names: &Names) -> Result<Line, Unreadable> {
    let id = written.point.ok_or(Unreadable::Missing("point"))?;
    let point = names.point(&id).ok_or(Unreadable::Point(id))?;
    let t = written.t;
    let time = WallMs(i64::try_from(t).unwrap_or(i64::MAX));
    let (reading, unknown) = match (written.value, written.bad) {
        (Some(Value(value)), None) => (Reading::measured(value, time), None),
        (None, Some(reason)) => {
            let (cause, unknown) = cause(reason)?;
            (Reading::absent(cause, time), unknown)
        }
        (None, None) => return Err(Unreadable::Missing("value")),
        (Some(_), Some(_)) => return Err(Unreadable::Together("value, bad")),
    };
    Ok(Line::Reading {
        t,
        point,
        reading,
        unknown,
    })
}

/// The cause of this name. Any other text is a reason as good: bad is bad (R7). But what looks like one of the two special ones (R8) must be one.
fn cause(reason: String) -> Result<(NoValue, Option<String>), Unreadable> {
    match NoValue::from_name(&reason) {
        Some(cause) => Ok((cause, None)),
        None if reason.to_ascii_lowercase().contains("range") => Err(Unreadable::Range(reason)),
        None => Ok((NoValue::SensorFault, Some(reason))),
    }
}

fn act(written: Written, names: &Names) -> Result<Act, Unreadable> {
    let action = written
        .action
        .clone()
        .ok_or(Unreadable::Missing("action"))?;
    let actor = Actor {
        remote: written.remote.unwrap_or(false),
        maintenance: match written.role.as_deref() {
            None | Some("operator") => false,
            Some("maintenance") => true,
            Some(other) => return Err(Unreadable::Role(other.to_owned())),
        },
    };
    if written.alarm.is_some() && written.output.is_some() {
        return Err(Unreadable::Together("alarm, output"));
    }
    if action == "silence" {
        return Ok(Act {
            target: Target::Site,
            action,
            ask: Ok(Ask::Silence {
                person: person(&written),
            }),
        });
    }
    if let Some(demand) = demanded(&action) {
        return manual(action, demand, actor, &written, names);
    }
    let asked = asked(&action, &written);
    let target = match (&written.alarm, &written.output) {
        (Some(alarm), _) => Target::Alarm(alarm.clone()),
        (None, Some(output)) => Target::Output(output.clone()),
        (None, None) => Target::Site,
    };
    let ask = match (asked, &target) {
        (None, _) => Err(Refusal::UnknownAction),
        (Some(Action::Reset), Target::Output(id)) => names
            .output(id)
            .map(|output| Ask::ResetOutput {
                output,
                actor,
                person: person(&written),
            })
            .ok_or(Refusal::UnknownOutput),
        (Some(action), Target::Alarm(id)) => names
            .alarm(id)
            .map(|alarm| Ask::Alarm {
                alarm,
                action,
                actor,
                person: person(&written),
            })
            .ok_or(Refusal::UnknownAlarm),
        (Some(_), Target::Output(_) | Target::Site) => return Err(Unreadable::Missing("alarm")),
    };
    Ok(Act {
        target,
        action,
        ask,
    })
}

/// Whether an action demands what a manual cause switches, or ends that.
fn demanded(action: &str) -> Option<bool> {
    match action {
        "demand" => Some(true),
        "withdraw" => Some(false),
        _ => None,
    }
}

fn manual(
    action: String,
    demand: bool,
    actor: Actor,
    written: &Written,
    names: &Names,
) -> Result<Act, Unreadable> {
    let id = written.alarm.clone().ok_or(Unreadable::Missing("alarm"))?;
    let ask = names.alarm(&id).map(|alarm| Ask::Manual {
        alarm,
        demand,
        actor,
        person: person(written),
    });
    Ok(Act {
        target: Target::Alarm(id),
        action,
        ask: ask.ok_or(Refusal::UnknownAlarm),
    })
}

/// The action of this name, with what the line says to it.
fn asked(action: &str, written: &Written) -> Option<Action> {
    let reason = said(written.reason.as_deref()).is_some();
    Some(match action {
        "acknowledge" => Action::Acknowledge {
            occurrence: written
                .occurrence
                .map(|occurrence| u32::try_from(occurrence).unwrap_or(u32::MAX)),
        },
        "reset" => Action::Reset,
        "shelve" => Action::Shelve {
            // Out of every range is out of this one: refused by its rule, not by its spelling.
            minutes: written.minutes.map_or(0, |minutes| {
                u32::try_from(minutes.max(0)).unwrap_or(u32::MAX)
            }),
            reason,
            second: second(written).is_some(),
        },
        "unshelve" => Action::Unshelve,
        "out-of-service" => Action::OutOfService { reason },
        "in-service" => Action::InService,
        "suppress" => Action::Suppress,
        "unsuppress" => Action::Unsuppress,
        _ => return None,
    })
}

fn person(written: &Written) -> Person {
    Person {
        actor: written.actor.as_deref().unwrap_or_default().into(),
        reason: said(written.reason.as_deref()).map(Into::into),
        second: second(written).map(Into::into),
    }
}

/// A second person other than the actor (R15).
fn second(written: &Written) -> Option<&str> {
    said(written.second.as_deref()).filter(|second| said(written.actor.as_deref()) != Some(second))
}

/// A text that says something.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
