//! What people and logic may do to an alarm, and every reason for which it is refused.

/// Who acts: what the rules need to know of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// From the city, not from the plant.
    pub remote: bool,
    /// Holds the role maintenance.
    pub maintenance: bool,
}

/// An act upon one alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Names the occurrence it saw; none means the current one, which only a local button may mean (R11).
    Acknowledge {
        occurrence: Option<u32>,
    },
    Reset,
    /// `reason` and `second`: whether a reason was given, and a second person other than the actor (R15).
    Shelve {
        minutes: u32,
        reason: bool,
        second: bool,
    },
    Unshelve,
    OutOfService {
        reason: bool,
    },
    InService,
    /// By the plant's own logic alone (R16).
    Suppress,
    Unsuppress,
}

impl Action {
    /// The name of files, API and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Reset => "reset",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve => "unshelve",
            Self::OutOfService { .. } => "out-of-service",
            Self::InService => "in-service",
            Self::Suppress => "suppress",
            Self::Unsuppress => "unsuppress",
        }
    }
}

/// Why an act was refused; a refused act changes nothing (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    UnknownAlarm,
    UnknownOutput,
    UnknownAction,
    Suppressed,
    NotUnacknowledged,
    /// It tripped again since the occurrence that was named.
    NewerOccurrence,
    /// No such occurrence, or none named from afar.
    Occurrence,
    NotLatched,
    Active,
    Unacknowledged,
    /// No good value now (R10).
    BadQuality,
    Remote,
    Role,
    Reason,
    Minutes,
    SecondPerson,
    /// Gas level 2, from afar (R15).
    NotShelvable,
    Already,
    NotShelved,
    NotOutOfService,
    NotSuppressed,
    BypassInGroup,
}

impl Refusal {
    /// The `why` of files, API and logs.
    pub const fn why(self) -> &'static str {
        match self {
            Self::UnknownAlarm => "unknown-alarm",
            Self::UnknownOutput => "unknown-output",
            Self::UnknownAction => "unknown-action",
            Self::Suppressed => "suppressed",
            Self::NotUnacknowledged => "not-unacknowledged",
            Self::NewerOccurrence => "newer-occurrence",
            Self::Occurrence => "occurrence",
            Self::NotLatched => "not-latched",
            Self::Active => "active",
            Self::Unacknowledged => "unacknowledged",
            Self::BadQuality => "bad-quality",
            Self::Remote => "remote",
            Self::Role => "role",
            Self::Reason => "reason",
            Self::Minutes => "minutes",
            Self::SecondPerson => "second-person",
            Self::NotShelvable => "not-shelvable",
            Self::Already => "already",
            Self::NotShelved => "not-shelved",
            Self::NotOutOfService => "not-out-of-service",
            Self::NotSuppressed => "not-suppressed",
            Self::BypassInGroup => "bypass-in-group",
        }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.why())
    }
}

impl core::error::Error for Refusal {}
