//! Whose clock told a node's event, and what that makes of its time. Pure.

use super::Status;
use davy_alarm::WallMs;
use davy_wire::node::{Event, TimeQuality};

/// How far the time of a node's event can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventClock {
    /// The node's wall clock, as a gateway had set it: as good as that gateway's clock was, and the node's crystal since.
    Node,
    /// The node had no wall clock; reckoned by the gateway from how long before it was asked it happened.
    Reckoned,
    /// Of an earlier run of a node without a wall clock: it happened before this time, nobody knows how long before.
    Before,
}

impl EventClock {
    /// As journal and wire spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Reckoned => "reckoned",
            Self::Before => "before",
        }
    }

    /// As the journal numbers it.
    pub const fn code(self) -> u8 {
        match self {
            Self::Node => 0,
            Self::Reckoned => 1,
            Self::Before => 2,
        }
    }

    /// The clock of a number that [`EventClock::code`] gave.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Node,
            1 => Self::Reckoned,
            2 => Self::Before,
            _ => return None,
        })
    }
}

/// When an event happened, by the status that was read at `looked`. A time of the node's own clock stays as it told it, right or wrong.
pub(super) fn time_of(event: &Event, status: &Status, looked: WallMs) -> (WallMs, EventClock) {
    let started = looked.0.saturating_sub(status.uptime_ms);
    match event.quality {
        TimeQuality::SetByGateway => (WallMs(event.time_ms), EventClock::Node),
        TimeQuality::SinceStart if event.boot == status.boot_count => (
            WallMs(started.saturating_add(event.time_ms)),
            EventClock::Reckoned,
        ),
        TimeQuality::SinceStart => (WallMs(started), EventClock::Before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_wire::node::Happening;

    fn told(quality: TimeQuality, boot: u16) -> (WallMs, EventClock) {
        let event = Event {
            number: 9,
            boot,
            quality,
            time_ms: 4_000,
            what: Happening::ClockSet,
        };
        let status = Status {
            uptime_ms: 10_000,
            boot_count: 3,
            ..Status::default()
        };
        time_of(&event, &status, WallMs(1_000_000))
    }

    #[test]
    fn a_time_is_the_nodes_own_or_reckoned_or_a_bound_and_says_which() {
        let own = told(TimeQuality::SetByGateway, 3);
        assert_eq!(own, (WallMs(4_000), EventClock::Node));
        let reckoned = told(TimeQuality::SinceStart, 3);
        assert_eq!(reckoned, (WallMs(994_000), EventClock::Reckoned));
        let before = told(TimeQuality::SinceStart, 2);
        assert_eq!(before, (WallMs(990_000), EventClock::Before));
    }

    #[test]
    fn every_clock_has_a_number_of_its_own() {
        for clock in [EventClock::Node, EventClock::Reckoned, EventClock::Before] {
            assert_eq!(EventClock::from_code(clock.code()), Some(clock));
        }
        assert_eq!(EventClock::from_code(3), None);
    }
}
