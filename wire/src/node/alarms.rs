//! A node's alarms and their numbers.

use super::{CHANNELS, GROUPS, LIMITS, RELAYS};

/// One alarm of a node. Its number stands in registers, events and the relays' causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmId {
    /// 0–31: limit of a channel, `channel × 4 + limit`.
    Limit { channel: u8, limit: u8 },
    /// 32–39: the channel is bad.
    Bad { channel: u8 },
    /// 40–43: the group's vote.
    Vote { group: u8 },
    /// 44–47: a member of the group is faulted or bypassed.
    Degraded { group: u8 },
    /// 48–51: no member of the group is left.
    Unmonitored { group: u8 },
    /// 52–55: the group's members disagree.
    Discrepancy { group: u8 },
    /// 56–59: the relay's feedback is not its drive.
    RelayFailed { relay: u8 },
}

const BAD: u8 = (CHANNELS * LIMITS) as u8;
const VOTE: u8 = BAD + CHANNELS as u8;
const DEGRADED: u8 = VOTE + GROUPS as u8;
const UNMONITORED: u8 = DEGRADED + GROUPS as u8;
const DISCREPANCY: u8 = UNMONITORED + GROUPS as u8;
const RELAY_FAILED: u8 = DISCREPANCY + GROUPS as u8;
const END: u8 = RELAY_FAILED + RELAYS as u8;
const _: () = assert!(END as usize == super::ALARMS);

impl AlarmId {
    /// 0 to 59.
    pub const fn number(self) -> u8 {
        match self {
            Self::Limit { channel, limit } => channel * LIMITS as u8 + limit,
            Self::Bad { channel } => BAD + channel,
            Self::Vote { group } => VOTE + group,
            Self::Degraded { group } => DEGRADED + group,
            Self::Unmonitored { group } => UNMONITORED + group,
            Self::Discrepancy { group } => DISCREPANCY + group,
            Self::RelayFailed { relay } => RELAY_FAILED + relay,
        }
    }

    /// The alarm of this number, if it is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0..BAD => Self::Limit {
                channel: number / LIMITS as u8,
                limit: number % LIMITS as u8,
            },
            BAD..VOTE => Self::Bad {
                channel: number - BAD,
            },
            VOTE..DEGRADED => Self::Vote {
                group: number - VOTE,
            },
            DEGRADED..UNMONITORED => Self::Degraded {
                group: number - DEGRADED,
            },
            UNMONITORED..DISCREPANCY => Self::Unmonitored {
                group: number - UNMONITORED,
            },
            DISCREPANCY..RELAY_FAILED => Self::Discrepancy {
                group: number - DISCREPANCY,
            },
            RELAY_FAILED..END => Self::RelayFailed {
                relay: number - RELAY_FAILED,
            },
            END.. => return None,
        })
    }
}
