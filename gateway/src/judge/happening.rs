//! What judgement is asked, and what it tells.

use davy_alarm::{Action, Actor, Cause, Instant, NoValue, Priority, Shown, Signal};
use davy_config::site::{AlarmIndex, OutputIndex};
use std::sync::Arc;

/// Something that judgement decided, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    Changed(Change),
    Output {
        output: OutputIndex,
        at: Instant,
        on: bool,
    },
    Horn {
        at: Instant,
        horn: Horn,
    },
    /// Somebody did what no alarm's transition tells of.
    Acted {
        at: Instant,
        deed: Deed,
        person: Person,
    },
}

/// What somebody did, beside what they did to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Silenced,
    ResetOutput(OutputIndex),
    /// Demanded for a test, for so many milliseconds.
    TestedOutput(OutputIndex, u32),
}

/// One transition of one alarm, with what a record needs to tell of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub alarm: AlarmIndex,
    pub at: Instant,
    pub from: Shown,
    pub to: Shown,
    pub cause: Cause,
    pub occurrence: u32,
    /// The point's latest value, or why there is none; `None` for an alarm of a device.
    pub value: Option<Result<f64, NoValue>>,
    /// The person who acted, if one did; of a suppression by design its rule, and what the rule saw.
    pub person: Option<Person>,
}

/// Who acted and why, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// A person's id; [`LOCAL`] at a screen where nobody is logged in.
    pub actor: Arc<str>,
    pub reason: Option<Arc<str>>,
    pub second: Option<Arc<str>>,
}

/// The site's horn (R21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horn {
    pub sounding: bool,
    /// The highest priority among what is unacknowledged.
    pub priority: Option<Priority>,
    pub silenced: bool,
}

/// What somebody asks of judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Alarm {
        alarm: AlarmIndex,
        action: Action,
        actor: Actor,
        person: Person,
    },
    ResetOutput {
        output: OutputIndex,
        actor: Actor,
        person: Person,
    },
    Silence {
        person: Person,
    },
    /// A person demands what a manual cause switches, or ends that.
    Manual {
        alarm: AlarmIndex,
        demand: bool,
        actor: Actor,
        person: Person,
    },
    /// Maintenance at the plant has an output do its work for a while, to prove it. It ends by itself, and latches nothing.
    TestOutput {
        output: OutputIndex,
        for_ms: u32,
        actor: Actor,
        person: Person,
    },
    /// Whether a proof test is overdue, as the calendar says; unknown where the clock is doubtful.
    Proof {
        alarm: AlarmIndex,
        overdue: Signal,
    },
}

/// Who acts at the plant's screen without having logged in.
pub const LOCAL: &str = "local";
