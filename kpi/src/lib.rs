//! How well alarms serve the people who answer them: the figures of ISA-18.2 / IEC 62682 over a period, made of the alarm journal's lines.
//!
//! Shared by gateway and cloud. Pure: lines in, a [`Report`] out; it reads no clock and no store, and judges no alarm, but where [`propose`]
//! judges a recorded signal again to see what another parameter would have done.
//!
//! Only *annunciations* count as load: an activation, a re-alarm, a step-up, or a return from suppression to UNACK. A line of an alarm that is
//! suppressed annunciates nothing. Times are wall-clock UTC milliseconds, because a period is; lines come in the order of their numbers, and a
//! wall clock that was set back makes a duration 0, never negative.
#![forbid(unsafe_code)]

mod answer;
mod chatter;
mod flood;
mod line;
mod load;
mod propose;
mod report;
mod signal;
mod standing;
mod target;

pub use chatter::ChatterRule;
pub use flood::{FLOOD_LEAD_MS, Flood, FloodNow, FloodWatch, flood_now};
pub use line::annunciates;
pub use line::{Held, Line, Period, Record, Silence};
pub use propose::{Allowed, Parameter, Proposal, Proposals, Unproposed, propose};
pub use report::{
    Acknowledgement, Chatterer, Chattering, Floods, Intervals, Person, PriorityShare, Rate, Report,
    Source, Sources, Standing, StandingAlarm, report,
};
pub use signal::{SIGNALS_MOST, Signal};
pub use target::Verdict;

/// How far before its period a report wants lines: what is active, flooding or unacknowledged when the period begins shows in them.
pub const LEAD_MS: i64 = DAY_MS;

/// Length of an interval of load.
pub const INTERVAL_MS: i64 = 600_000;

pub(crate) const DAY_MS: i64 = 86_400_000;
