//! Davy's judgement: readings, limits, votes and the ISA-18.2 alarm state machine.
//!
//! Shared by gateway, firmware and cloud. It knows no clock (`now` is an argument), no I/O, no register and no heap:
//! the core decides, the edges act.
//!
//! Glossary. *Condition*: what is watched (`HH`, `BAD`, …). *Active*: the condition holds, after its on-delay.
//! *Occurrence*: one activation, numbered from 1 for each alarm; an acknowledgement names the one it saw. *Latched*: an
//! alarm that stays until somebody resets it. *Shelved*, *suppressed by design*, *out of service*: three reasons for
//! which an alarm is judged and recorded but not annunciated. *Shown*: the one state a person sees, derived from these. *Calm*: values that
//! an alarm has nothing to say about, as it stands.
#![no_std]
#![forbid(unsafe_code)]

mod action;
mod calm;
mod definition;
mod gauge;
mod machine;
mod reading;
mod saved;
mod shown;
mod slot;
mod time;
mod vote;

pub use action::{Action, Actor, Refusal};
pub use calm::Calm;
pub use definition::{Condition, Definition, Priority};
pub use gauge::{Exposure, Extremes, Mean};
pub use machine::{Alarm, Due, Phase};
pub use reading::{NoValue, Quality, Reading};
pub use saved::Saved;
pub use shown::{Cause, Shown, Transition};
pub use time::{Instant, WallMs};
pub use vote::{Ballot, FaultPolicy, Scheme, Signal, Tally};
