//! What a node is configured to do: values as the node reckons, whole numbers alone. Its registers: [`super::Block`].

use super::{AlarmId, BANDS, CHANNELS, GROUPS, LIMITS, RELAYS};
use davy_alarm::{NoValue, Priority, Scheme};

/// A whole node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What counts as the gateway's life.
    pub life: Life,
    /// Silent after so many seconds without it; at least [`super::LEAST_SILENT_S`] where `life` is not [`Life::None`].
    pub silent_after_s: u16,
    /// Unit id that the node answers to, 1–247; another takes effect with the commit's answer sent.
    pub unit: u8,
    pub channels: [Option<Channel>; CHANNELS],
    pub groups: [Option<Group>; GROUPS],
    pub relays: [Relay; RELAYS],
}

/// What counts as a sign of the gateway's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing: the gateway is never silent.
    None,
    /// Any request to this node.
    Request,
    /// A changed value in register `Heartbeat`.
    Heartbeat,
}

/// One 4–20 mA channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The value at 4 mA, thousandths of the unit.
    pub low: i32,
    /// The value at 20 mA, thousandths of the unit; above `low`.
    pub high: i32,
    /// Time constant of the first-order filter, milliseconds; 0 filters nothing.
    pub filter_ms: u16,
    /// On-delay of the channel's BAD alarm, tenths of a second.
    pub bad_delay_ds: u16,
    /// So long after a start the transmitter warms up and measures nothing, seconds.
    pub warm_up_s: u16,
    pub bands: [Band; BANDS],
    pub limits: [Option<Limit>; LIMITS],
}

/// A step of loop current: below `below_ua`, and not below the step before, it means this. The last step in use reaches 65535, and those after it are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    pub below_ua: u16,
    pub means: Meaning,
}

/// What a current means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Measures,
    Uncertain,
    /// [`NoValue::OverRange`] to [`NoValue::WarmUp`].
    Absent(NoValue),
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub priority: Priority,
    pub latching: bool,
    /// Never shelved from afar, on-delay at most 2 s (alarm rule R23).
    pub gas_level_2: bool,
    /// Thousandths of the unit.
    pub set_point: i32,
    /// Thousandths of the unit, not negative; some value in the range must clear it (R23).
    pub deadband: i32,
    /// Tenths of a second.
    pub on_delay_ds: u16,
    /// Tenths of a second.
    pub off_delay_ds: u16,
}

/// Which way a limit looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    HiHi,
    Hi,
    Lo,
    LoLo,
}

impl LimitKind {
    /// Whether it sets at or above its set-point.
    pub const fn is_high(self) -> bool {
        matches!(self, Self::HiHi | Self::Hi)
    }
}

/// A voting group over one limit of several channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Bit n: channel n is a member.
    pub members: u8,
    /// Which limit of each member trips.
    pub limit: u8,
    pub scheme: Scheme,
    pub latching: bool,
    /// On-delay of the vote, tenths of a second.
    pub on_delay_ds: u16,
    /// On-delay of the discrepancy alarm, tenths of a second.
    pub discrepancy_ds: u16,
}

/// One relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Bit n: alarm n demands it (R22).
    pub causes: u64,
    pub flags: RelayFlags,
    pub when_silent: Silence,
    /// Once on it stays on at least so long, seconds.
    pub run_s: u16,
}

impl Relay {
    /// Whether anything can demand it.
    pub const fn is_in_use(&self) -> bool {
        self.causes != 0 || self.flags.horn || self.flags.gateway_may_request
    }
}

/// Switches of a relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayFlags {
    /// Fail-safe: the coil is driven while nothing is demanded, so that a cut wire or a dead node demands.
    pub normally_energised: bool,
    /// Demanded while some alarm is not acknowledged (R21): a node has no silence but the acknowledgement.
    pub horn: bool,
    /// The gateway may request it besides.
    pub gateway_may_request: bool,
    /// Demanded from a panic or fault until the node judges again. Always true in effect where `normally_energised`.
    pub demanded_when_failed: bool,
}

/// What becomes of the gateway's request while the gateway is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Stays as it was.
    Keep,
    /// Ends.
    Drop,
    /// The relay is demanded, whatever was requested.
    Demand,
}

impl Settings {
    /// Whether a node so configured has this alarm.
    pub fn has(&self, id: AlarmId) -> bool {
        let channel = |channel: u8| self.channels.get(usize::from(channel))?.as_ref();
        match id {
            AlarmId::Limit {
                channel: nth,
                limit,
            } => channel(nth)
                .and_then(|channel| channel.limits.get(usize::from(limit)))
                .is_some_and(Option::is_some),
            AlarmId::Bad { channel: nth } => channel(nth).is_some(),
            AlarmId::Vote { group }
            | AlarmId::Degraded { group }
            | AlarmId::Unmonitored { group }
            | AlarmId::Discrepancy { group } => self
                .groups
                .get(usize::from(group))
                .is_some_and(Option::is_some),
            AlarmId::RelayFailed { relay } => self
                .relays
                .get(usize::from(relay))
                .is_some_and(Relay::is_in_use),
        }
    }

    /// Nothing is read and nothing driven: a node that was never configured.
    pub const EMPTY: Self = Self {
        life: Life::None,
        silent_after_s: 0,
        unit: 1,
        channels: [None; CHANNELS],
        groups: [None; GROUPS],
        relays: [Relay {
            causes: 0,
            flags: RelayFlags {
                normally_energised: false,
                horn: false,
                gateway_may_request: false,
                demanded_when_failed: false,
            },
            when_silent: Silence::Keep,
            run_s: 0,
        }; RELAYS],
    };
}
