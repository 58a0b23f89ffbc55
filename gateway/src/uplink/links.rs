//! How the links to broker and cloud do, and since when.

use davy_alarm::WallMs;

/// A link's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Up,
    /// Up, and batches that were made since wait behind newer ones: they came faster than they were committed.
    Behind,
    Down,
    /// Not configured.
    Off,
}

impl LinkState {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Behind => "behind",
            Self::Down => "down",
            Self::Off => "off",
        }
    }

    /// Whether anything comes through.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Behind)
    }

    pub(super) const fn of(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}

/// The MQTT connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerLink {
    pub state: LinkState,
    pub since: WallMs,
}

/// The collector behind it: up while acknowledgements come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloudLink {
    pub state: LinkState,
    pub since: WallMs,
    /// Batches in the journal that the cloud has not committed.
    pub backlog_batches: u64,
}

/// Both links of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    pub broker: BrokerLink,
    pub cloud: CloudLink,
}

impl Links {
    pub(super) const fn new(configured: bool, since: WallMs) -> Self {
        let state = if configured {
            LinkState::Down
        } else {
            LinkState::Off
        };
        Self {
            broker: BrokerLink { state, since },
            cloud: CloudLink {
                state,
                since,
                backlog_batches: 0,
            },
        }
    }

    /// Takes the present states over; answers whether one changed.
    pub(super) fn set(&mut self, broker: bool, cloud: LinkState, now: WallMs) -> bool {
        let broker = LinkState::of(broker);
        let changed = (self.broker.state, self.cloud.state) != (broker, cloud);
        if self.broker.state != broker {
            (self.broker.state, self.broker.since) = (broker, now);
        }
        if self.cloud.state != cloud {
            (self.cloud.state, self.cloud.since) = (cloud, now);
        }
        changed
    }
}
