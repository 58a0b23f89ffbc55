//! What a report is made of.

use davy_alarm::{Cause, Priority, Shown};

/// One line of the alarm journal, as far as the figures need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub alarm: &'a str,
    pub priority: Priority,
    /// UTC milliseconds.
    pub time_ms: i64,
    pub cause: Cause,
    /// The state after it.
    pub to: Shown,
    /// The person, when one did it.
    pub actor: Option<&'a str>,
}

impl Line<'_> {
    /// Whether it calls for a person: what load is counted in.
    pub fn annunciates(&self) -> bool {
        annunciates(self.cause, self.to)
    }
}

/// Activation, re-alarm, step-up, and return from suppression, where they lead to UNACK (R11, R12, R19).
pub fn annunciates(cause: Cause, to: Shown) -> bool {
    let calls = match cause {
        Cause::Active
        | Cause::ReAlarm
        | Cause::StepUp
        | Cause::Unshelve
        | Cause::ShelveExpired
        | Cause::InService
        | Cause::Unsuppress => true,
        Cause::Clear
        | Cause::Acknowledge
        | Cause::Reset
        | Cause::Shelve
        | Cause::OutOfService
        | Cause::Suppress
        | Cause::Removed => false,
    };
    calls && to == Shown::Unacknowledged
}

/// An alarm that was active when the lines begin, since when. Without it the report says of such an alarm only that it is older than its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    pub alarm: &'a str,
    pub priority: Priority,
    pub since_ms: i64,
}

/// Somebody silenced the horn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence<'a> {
    /// The person; `local` for a screen that nobody was logged in at.
    pub actor: &'a str,
    /// UTC milliseconds.
    pub time_ms: i64,
}

/// All that a report is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// In the order of their numbers, from `Period::lines_from_ms` on.
    pub lines: &'a [Line<'a>],
    /// What was active where the lines begin.
    pub held: &'a [Held<'a>],
    pub silences: &'a [Silence<'a>],
}

/// What a report is about. Half-open: `from_ms` ≤ time < `to_ms`, UTC milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from_ms: i64,
    /// Not after now: what has not happened is no record.
    pub to_ms: i64,
    /// Where the lines begin, as a rule [`crate::LEAD_MS`] before `from_ms`.
    pub lines_from_ms: i64,
    /// The oldest thing on record; `None` = there is no record.
    pub record_from_ms: Option<i64>,
}

impl Period {
    /// Where the recorded part of the period begins; `None` if nothing of it is on record.
    pub(crate) fn start_ms(&self) -> Option<i64> {
        let start = self.record_from_ms?.max(self.from_ms);
        (start < self.to_ms).then_some(start)
    }

    pub(crate) fn holds(&self, time_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&time_ms)
    }

    /// Before this nothing is known.
    pub(crate) fn known_from_ms(&self) -> i64 {
        self.record_from_ms
            .map_or(self.lines_from_ms, |record| record.max(self.lines_from_ms))
    }
}
