//! What of an alarm survives a restart (R20), and its bytes.
//!
//! 24 bytes, little-endian:
//!
//! | Bytes | Content |
//! |---|---|
//! | 0 | version, 1 |
//! | 1 | bits: 0 active, 1 acknowledged, 2 latched, 3 shelved, 4 by design, 5 out of service; 6–7 zero |
//! | 2–3 | zero |
//! | 4–7 | occurrence, u32 |
//! | 8–15 | shelving ends, i64 UTC milliseconds; `i64::MIN` = none |
//! | 16–23 | re-alarm at, i64 UTC milliseconds; `i64::MIN` = none |

use crate::machine::Suppressions;
use crate::time::WallMs;

const VERSION: u8 = 1;
const NONE: i64 = i64::MIN;

/// The durable state of one alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    pub(crate) active: bool,
    pub(crate) acknowledged: bool,
    pub(crate) latched: bool,
    pub(crate) suppressions: Suppressions,
    pub(crate) occurrence: u32,
    pub(crate) shelved_until: Option<WallMs>,
    pub(crate) re_alarm_at: Option<WallMs>,
}

impl Saved {
    /// Length of the byte form.
    pub const BYTES: usize = 24;

    /// The byte form.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let flags = [
            self.active,
            self.acknowledged,
            self.latched,
            self.suppressions.shelved,
            self.suppressions.by_design,
            self.suppressions.out_of_service,
        ];
        let mut bytes = [0; Self::BYTES];
        bytes[0] = VERSION;
        bytes[1] = flags.iter().enumerate().fold(0, |bits, (position, flag)| {
            bits | u8::from(*flag) << position
        });
        bytes[4..8].copy_from_slice(&self.occurrence.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.shelved_until.map_or(NONE, |at| at.0).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.re_alarm_at.map_or(NONE, |at| at.0).to_le_bytes());
        bytes
    }

    /// Reads the byte form; `None` for another length or version, or a state that no alarm can be in.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let [version, flags, 0, 0, o0, o1, o2, o3, ..] = *bytes else {
            return None;
        };
        if version != VERSION || flags & 0xc0 != 0 {
            return None;
        }
        let flag = |bit: u8| flags & 1 << bit != 0;
        let time = |from: usize| {
            let bytes: [u8; 8] = bytes[from..from + 8].try_into().ok()?;
            Some(i64::from_le_bytes(bytes))
                .filter(|at| *at != NONE)
                .map(WallMs)
        };
        let saved = Self {
            active: flag(0),
            acknowledged: flag(1),
            latched: flag(2),
            suppressions: Suppressions {
                shelved: flag(3),
                by_design: flag(4),
                out_of_service: flag(5),
            },
            occurrence: u32::from_le_bytes([o0, o1, o2, o3]),
            shelved_until: time(8),
            re_alarm_at: time(16),
        };
        saved.can_be().then_some(saved)
    }

    /// Shelving ends at its time; a re-alarm waits in ACKED alone (R15, R19).
    const fn can_be(&self) -> bool {
        let acked = self.active && self.acknowledged && !self.suppressions.any();
        self.suppressions.shelved == self.shelved_until.is_some()
            && (acked || self.re_alarm_at.is_none())
    }
}
