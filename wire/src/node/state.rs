//! Codes of a node's own state.

use davy_alarm::NoValue;

/// Why a node started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    Power,
    /// Sampling, judging or serving made no progress.
    Watchdog,
    Panic,
    /// The processor's own fault: a bad address, an undefined instruction.
    Fault,
    Asked,
}

impl ResetCause {
    /// The register's number, 1 to 5.
    pub const fn code(self) -> u16 {
        match self {
            Self::Power => 1,
            Self::Watchdog => 2,
            Self::Panic => 3,
            Self::Fault => 4,
            Self::Asked => 5,
        }
    }
}

/// Self-tests, by the bit of register `SelfTest` that says that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTest {
    Ram = 0,
    Flash = 1,
    RelayFeedback = 2,
    Stack = 3,
    AnalogReference = 4,
    ConfigBanks = 5,
    StateBanks = 6,
}

/// What register `ChannelStatus` says: 0 measures, 15 not in use, else the cause's own number.
pub mod channel_status {
    use super::NoValue;

    pub const MEASURES: u16 = 0;
    pub const NOT_IN_USE: u16 = 15;

    /// Of a channel in use.
    pub const fn of(absent: Option<NoValue>) -> u16 {
        match absent {
            None => MEASURES,
            Some(cause) => cause.code(),
        }
    }
}
