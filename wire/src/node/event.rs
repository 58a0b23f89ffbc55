//! One event of a node's ring, twelve registers:
//!
//! | Words | Content |
//! |---|---|
//! | 0–1 | number, u32, from 1, one more with each event, over restarts too |
//! | 2 | which start since power came (`BootCount`) |
//! | 3 | quality of the time: 0 ms since that start, 1 wall clock as the gateway set it |
//! | 4–7 | time, i64 ms |
//! | 8 | kind (high byte: 1 alarm, 2 start, 3 configuration, 4 relay, 5 gateway silent, 6 unlock, 7 clock set, 8 update) and its number (low byte) |
//! | 9 | alarm: from (bits 12–15), to (8–11), cause (0–7); relay, gateway, unlock: 1 on, 0 off; start: its cause; configuration: its version; update: the slot's state (8–15) and why (0–7; 0: as it should), its number the slot |
//! | 10–11 | alarm: occurrence, u32; else 0 |

use super::{Slot, SlotState, Why};
use davy_alarm::{Cause, Shown, Transition};

/// Registers of one event.
pub const EVENT_WORDS: usize = 12;

/// How far an event's time may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeQuality {
    /// Milliseconds since the start that the event names.
    SinceStart,
    /// Wall clock, as the gateway set it.
    SetByGateway,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Alarm {
        number: u8,
        transition: Transition,
    },
    /// With the code of its [`super::ResetCause`].
    Started {
        cause: u16,
    },
    Configured {
        version: u16,
    },
    Relay {
        number: u8,
        demanded: bool,
    },
    GatewaySilent(bool),
    Unlocked(bool),
    ClockSet,
    /// A slot of the firmware came to this.
    Updated {
        slot: Slot,
        state: SlotState,
        why: Option<Why>,
    },
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub number: u32,
    pub boot: u16,
    pub quality: TimeQuality,
    pub time_ms: i64,
    pub what: Happening,
}

impl Event {
    /// The registers.
    pub fn to_words(&self) -> [u16; EVENT_WORDS] {
        let [n1, n0] = halves(self.number);
        let [_, t3, t2, t1, t0] = words(self.time_ms);
        let (kind, of, detail, occurrence) = self.what.parts();
        let [o1, o0] = halves(occurrence);
        let quality = match self.quality {
            TimeQuality::SinceStart => 0,
            TimeQuality::SetByGateway => 1,
        };
        let what = u16::from(kind) << 8 | u16::from(of);
        [
            n1, n0, self.boot, quality, t3, t2, t1, t0, what, detail, o1, o0,
        ]
    }

    /// Reads the registers; `None` for a slot that never held an event, or one of another making.
    pub fn from_words(words: &[u16; EVENT_WORDS]) -> Option<Self> {
        let [n1, n0, boot, quality, t3, t2, t1, t0, what, detail, o1, o0] = *words;
        let time = [t3, t2, t1, t0]
            .iter()
            .fold(0_u64, |time, word| time << 16 | u64::from(*word));
        let number = joined(n1, n0);
        Some(Self {
            number: Some(number).filter(|number| *number != 0)?,
            boot,
            quality: match quality {
                0 => TimeQuality::SinceStart,
                1 => TimeQuality::SetByGateway,
                _ => return None,
            },
            time_ms: time.cast_signed(),
            what: Happening::of((what >> 8) as u8, what as u8, detail, joined(o1, o0))?,
        })
    }
}

impl Happening {
    const fn parts(self) -> (u8, u8, u16, u32) {
        match self {
            Self::Alarm { number, transition } => {
                let (from, to) = (transition.from.code() as u16, transition.to.code() as u16);
                let detail = from << 12 | to << 8 | transition.cause.code() as u16;
                (1, number, detail, transition.occurrence)
            }
            Self::Started { cause } => (2, 0, cause, 0),
            Self::Configured { version } => (3, 0, version, 0),
            Self::Relay { number, demanded } => (4, number, demanded as u16, 0),
            Self::GatewaySilent(silent) => (5, 0, silent as u16, 0),
            Self::Unlocked(unlocked) => (6, 0, unlocked as u16, 0),
            Self::ClockSet => (7, 0, 0, 0),
            Self::Updated { slot, state, why } => {
                let why = match why {
                    Some(why) => why.code() as u16,
                    None => 0,
                };
                (8, slot.number(), (state.code() as u16) << 8 | why, 0)
            }
        }
    }

    fn of(kind: u8, number: u8, detail: u16, occurrence: u32) -> Option<Self> {
        let on = detail == 1;
        Some(match kind {
            1 => Self::Alarm {
                number,
                transition: Transition {
                    from: Shown::from_code((detail >> 12) as u8)?,
                    to: Shown::from_code((detail >> 8 & 0xf) as u8)?,
                    cause: Cause::from_code(detail as u8)?,
                    occurrence,
                },
            },
            2 => Self::Started { cause: detail },
            3 => Self::Configured { version: detail },
            4 => Self::Relay {
                number,
                demanded: on,
            },
            5 => Self::GatewaySilent(on),
            6 => Self::Unlocked(on),
            7 => Self::ClockSet,
            8 => Self::Updated {
                slot: Slot::from_number(number)?,
                state: SlotState::from_code((detail >> 8) as u8)?,
                why: match detail as u8 {
                    0 => None,
                    code => Some(Why::from_code(code)?),
                },
            },
            _ => return None,
        })
    }
}

const fn halves(value: u32) -> [u16; 2] {
    [(value >> 16) as u16, value as u16]
}

const fn joined(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

/// Most significant first; the first is unused.
const fn words(value: i64) -> [u16; 5] {
    let bits = value.cast_unsigned();
    [
        0,
        (bits >> 48) as u16,
        (bits >> 32) as u16,
        (bits >> 16) as u16,
        bits as u16,
    ]
}
