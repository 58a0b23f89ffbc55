//! Lines out: transitions, refusals and changes of outputs, a JSON object each.
//!
//! | Line | Fields |
//! |---|---|
//! | transition | `t` (when it was due), `alarm`, `occurrence`, `from`, `to`, `cause` |
//! | refusal | `t`, `alarm` or `output`, `refused`, `why` |
//! | output | `t`, `output`, `value` |
//!
//! Of a journal's replay each has `time` too: the wall clock at `t`, RFC 3339 in UTC.

use super::error::ReplayError;
use super::rehearsal::{Rehearsal, Target, Told};
use crate::judge::Change;
use davy_alarm::{Instant, WallMs};
use davy_config::site::Site;
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct Transition<'a> {
    t: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    alarm: &'a str,
    occurrence: u32,
    from: &'static str,
    to: &'static str,
    cause: &'static str,
}

#[derive(Debug, Serialize)]
struct Refused<'a> {
    t: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
    refused: &'a str,
    why: &'static str,
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    t: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    output: &'a str,
    value: bool,
}

/// Prints what a rehearsal tells.
#[derive(Debug)]
pub(super) struct Printer<W: Write> {
    site: Arc<Site>,
    output: BufWriter<W>,
    has_time: bool,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(site: &Arc<Site>, output: W) -> Self {
        Self {
            site: site.clone(),
            output: BufWriter::with_capacity(1 << 16, output),
            has_time: false,
        }
    }

    /// With the wall clock on each line.
    pub(super) fn with_time(site: &Arc<Site>, output: W) -> Self {
        Self {
            has_time: true,
            ..Self::new(site, output)
        }
    }

    /// Prints what was told since the last time.
    pub(super) fn print(&mut self, rehearsal: &mut Rehearsal) -> Result<(), ReplayError> {
        let started = rehearsal.wall(Instant(0));
        for told in rehearsal.take_told() {
            self.line(&told, started)?;
        }
        Ok(())
    }

    /// Prints one thing told; `started` is the wall clock at time 0.
    pub(super) fn line(&mut self, told: &Told, started: WallMs) -> Result<(), ReplayError> {
        let Self {
            site,
            output: to,
            has_time,
        } = self;
        let time = |at: Instant| {
            has_time.then(|| rfc3339(WallMs(started.0.saturating_add_unsigned(at.0))))
        };
        match told {
            Told::Changed(change) => put(to, &transition(site, change, time(change.at))),
            Told::Refused {
                at,
                target,
                action,
                why,
            } => {
                let (alarm, output) = match target {
                    Target::Site => (None, None),
                    Target::Alarm(alarm) => (Some(&**alarm), None),
                    Target::Output(output) => (None, Some(&**output)),
                };
                let line = Refused {
                    t: at.0,
                    time: time(*at),
                    alarm,
                    output,
                    refused: action,
                    why: why.why(),
                };
                put(to, &line)
            }
            Told::Output { at, output, on } => {
                let line = Output {
                    t: at.0,
                    time: time(*at),
                    output: &site.outputs[output.0].id,
                    value: *on,
                };
                put(to, &line)
            }
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), ReplayError> {
        self.output.flush().map_err(ReplayError::Write)
    }
}

fn put(to: &mut impl Write, line: &impl Serialize) -> Result<(), ReplayError> {
    serde_json::to_writer(&mut *to, line).map_err(|error| ReplayError::Write(error.into()))?;
    to.write_all(b"\n").map_err(ReplayError::Write)
}

fn transition<'a>(site: &'a Site, change: &Change, time: Option<String>) -> Transition<'a> {
    Transition {
        t: change.at.0,
        time,
        alarm: &site.alarms[change.alarm.0].id,
        occurrence: change.occurrence,
        from: change.from.name(),
        to: change.to.name(),
        cause: change.cause.name(),
    }
}

/// A wall-clock time for people and programs, milliseconds in UTC; the number itself for one that no calendar holds.
pub(super) fn rfc3339(time: WallMs) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .map_or_else(|_| time.0.to_string(), |time| format!("{time:.3}"))
}
