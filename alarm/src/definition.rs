//! What is watched and how: one [`Definition`] for each alarm, built by configuration, never changed by judgement.

/// What an alarm watches. Its [`Condition::suffix`] completes the alarm's id: `<point>.<suffix>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Value ≥ `set_point`; clears below `set_point − deadband` (R1). `HiHi` is the higher of two.
    HiHi { set_point: f64, deadband: f64 },
    /// As `HiHi`, the lower of two.
    Hi { set_point: f64, deadband: f64 },
    /// Value ≤ `set_point`; clears above `set_point + deadband` (R1).
    Lo { set_point: f64, deadband: f64 },
    /// As `Lo`, the lower of two.
    LoLo { set_point: f64, deadband: f64 },
    /// A discrete point stands in its alarm state: value ≠ 0 equals `when`.
    Discrete { when: bool },
    /// How far the value is from where it should be: ≥ `limit`; clears below `limit − deadband`.
    Deviation { limit: f64, deadband: f64 },
    /// How far the value moved within a window: ≥ `limit`; clears below `limit − deadband`.
    RateOfChange { limit: f64, deadband: f64 },
    /// The value has not moved for the alarm's on-delay.
    Frozen,
    /// The time-weighted mean over a short window, 15 min as a rule, as `Hi`.
    Stel { limit: f64, deadband: f64 },
    /// The time-weighted mean over a shift, 8 h as a rule, as `Hi`.
    Twa { limit: f64, deadband: f64 },
    /// The point's readings are bad (R9), whatever the cause.
    Bad,
    /// No reading, good or bad, for `after_ms` (R9).
    Stale { after_ms: u32 },
    /// A device that does not answer; watched once a device, not once a point.
    CommsLost,
    /// A group's vote (R18).
    Vote,
    /// A group with a member that is faulted or bypassed.
    Degraded,
    /// A group with no member left to vote.
    Unmonitored,
    /// A group whose members disagree.
    Discrepancy,
    /// An output whose feedback is not its demand.
    OutputFailed,
    /// What a person demands at the plant, until a person ends it.
    Manual,
    /// A proof test or calibration that was not done when it was due, or never.
    Unproved,
}

impl Condition {
    /// The last part of the alarm's id.
    pub const fn suffix(&self) -> &'static str {
        match self {
            Self::HiHi { .. } => "HH",
            Self::Hi { .. } => "H",
            Self::Lo { .. } => "L",
            Self::LoLo { .. } => "LL",
            Self::Discrete { .. } => "ON",
            Self::Deviation { .. } => "DEV",
            Self::RateOfChange { .. } => "ROC",
            Self::Frozen => "FROZEN",
            Self::Stel { .. } => "STEL",
            Self::Twa { .. } => "TWA",
            Self::Bad => "BAD",
            Self::Stale { .. } => "STALE",
            Self::CommsLost => "COMMS",
            Self::Vote => "VOTE",
            Self::Degraded => "DEGRADED",
            Self::Unmonitored => "UNMON",
            Self::Discrepancy => "DISC",
            Self::OutputFailed => "FAILED",
            Self::Manual => "MANUAL",
            Self::Unproved => "PROOF",
        }
    }

    /// How far a value must go back before the condition is clear, in the point's engineering unit, where it has a set-point (R1).
    pub const fn deadband(&self) -> Option<f64> {
        match self {
            Self::HiHi { deadband, .. }
            | Self::Hi { deadband, .. }
            | Self::Lo { deadband, .. }
            | Self::LoLo { deadband, .. }
            | Self::Deviation { deadband, .. }
            | Self::RateOfChange { deadband, .. }
            | Self::Stel { deadband, .. }
            | Self::Twa { deadband, .. } => Some(*deadband),
            Self::Discrete { .. }
            | Self::Frozen
            | Self::Bad
            | Self::Stale { .. }
            | Self::CommsLost
            | Self::Vote
            | Self::Degraded
            | Self::Unmonitored
            | Self::Discrepancy
            | Self::OutputFailed
            | Self::Manual
            | Self::Unproved => None,
        }
    }

    /// The set-point in the point's engineering unit, where the condition has one.
    pub const fn set_point(&self) -> Option<f64> {
        match self {
            Self::HiHi { set_point, .. }
            | Self::Hi { set_point, .. }
            | Self::Lo { set_point, .. }
            | Self::LoLo { set_point, .. } => Some(*set_point),
            Self::Deviation { limit, .. }
            | Self::RateOfChange { limit, .. }
            | Self::Stel { limit, .. }
            | Self::Twa { limit, .. } => Some(*limit),
            Self::Discrete { .. }
            | Self::Frozen
            | Self::Bad
            | Self::Stale { .. }
            | Self::CommsLost
            | Self::Vote
            | Self::Degraded
            | Self::Unmonitored
            | Self::Discrepancy
            | Self::OutputFailed
            | Self::Manual
            | Self::Unproved => None,
        }
    }
}

/// Alarm priority, highest first (safety.md §10: 紧急, 高, 中, 低).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
}

impl Priority {
    /// 1 to 4.
    pub const fn number(self) -> u8 {
        match self {
            Self::P1 => 1,
            Self::P2 => 2,
            Self::P3 => 3,
            Self::P4 => 4,
        }
    }

    /// The priority with this number, 1 to 4.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::P1,
            2 => Self::P2,
            3 => Self::P3,
            4 => Self::P4,
            _ => return None,
        })
    }
}

/// One alarm as configured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Definition {
    pub condition: Condition,
    pub priority: Priority,
    /// How long the condition must hold before the alarm becomes active, milliseconds; 0 acts on the reading itself (R2).
    pub on_delay_ms: u32,
    /// How long it must be gone before the alarm clears, milliseconds.
    pub off_delay_ms: u32,
    /// Stays latched until reset (R10).
    pub latching: bool,
    /// Gas level 2: never shelved remotely (R15).
    pub gas_level_2: bool,
    /// Re-alarm this long after an acknowledgement while still active, milliseconds; `None` = never (R19).
    pub re_alarm_ms: Option<u32>,
    /// Longest shelving, minutes (R15); default 480, one shift.
    pub shelve_max_minutes: u16,
    /// Whether a remote party may reset it; default no, for every latch (R10).
    pub remote_reset: bool,
}
