//! The one state that a person sees, and what led to it.

/// The displayed state, derived from condition, acknowledgement, latch and suppressions (ISA-18.2 fig. 2; safety.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shown {
    Normal,
    Unacknowledged,
    Acknowledged,
    /// Returned to normal before anybody acknowledged it.
    ReturnedUnacknowledged,
    LatchedUnacknowledged,
    /// Gone and acknowledged; waits for a reset.
    LatchedAcknowledged,
    Shelved,
    SuppressedByDesign,
    OutOfService,
}

impl Shown {
    const ALL: [Self; 9] = [
        Self::Normal,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::ReturnedUnacknowledged,
        Self::LatchedUnacknowledged,
        Self::LatchedAcknowledged,
        Self::Shelved,
        Self::SuppressedByDesign,
        Self::OutOfService,
    ];

    /// The short name of files, API and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORM",
            Self::Unacknowledged => "UNACK",
            Self::Acknowledged => "ACKED",
            Self::ReturnedUnacknowledged => "RTNUN",
            Self::LatchedUnacknowledged => "LATCH-UNACK",
            Self::LatchedAcknowledged => "LATCH-ACK",
            Self::Shelved => "SHLVD",
            Self::SuppressedByDesign => "DSUPR",
            Self::OutOfService => "OOSRV",
        }
    }

    /// The stable number of wire and disk, 0 to 8.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The state with this number, if it is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The state with this name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| shown.name() == name)
    }

    /// Whether the horn sounds for it (R21).
    pub const fn is_annunciated(self) -> bool {
        matches!(
            self,
            Self::Unacknowledged | Self::ReturnedUnacknowledged | Self::LatchedUnacknowledged
        )
    }
}

/// Why a transition happened (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    Active,
    Clear,
    Acknowledge,
    Reset,
    ReAlarm,
    StepUp,
    Shelve,
    Unshelve,
    ShelveExpired,
    OutOfService,
    InService,
    Suppress,
    Unsuppress,
    /// The site file no longer has the alarm: whatever it was ends.
    Removed,
}

impl Cause {
    const ALL: [Self; 14] = [
        Self::Active,
        Self::Clear,
        Self::Acknowledge,
        Self::Reset,
        Self::ReAlarm,
        Self::StepUp,
        Self::Shelve,
        Self::Unshelve,
        Self::ShelveExpired,
        Self::OutOfService,
        Self::InService,
        Self::Suppress,
        Self::Unsuppress,
        Self::Removed,
    ];

    /// The name of files, API and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Clear => "clear",
            Self::Acknowledge => "acknowledge",
            Self::Reset => "reset",
            Self::ReAlarm => "re-alarm",
            Self::StepUp => "step-up",
            Self::Shelve => "shelve",
            Self::Unshelve => "unshelve",
            Self::ShelveExpired => "shelve-expired",
            Self::OutOfService => "out-of-service",
            Self::InService => "in-service",
            Self::Suppress => "suppress",
            Self::Unsuppress => "unsuppress",
            Self::Removed => "removed",
        }
    }

    /// The stable number of disk, 0 to 13.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The cause with this number, if it is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The cause with this name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// One change of one alarm (R14): `from` and `to` may be equal, as when a shelved alarm becomes active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    pub from: Shown,
    pub to: Shown,
    pub cause: Cause,
    /// The occurrence after the change.
    pub occurrence: u32,
}
