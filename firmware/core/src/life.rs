//! Whether the gateway lives, as far as a node can see.

use davy_alarm::Instant;
use davy_wire::node::{Life, Settings};

/// The last sign of the gateway's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gateway {
    /// None since it was silent before a reset.
    seen: Option<Instant>,
    heartbeat: u16,
    pub(crate) silent: bool,
}

impl Gateway {
    /// Its time counts from the start, unless it was silent before a reset: that lasts until it is heard.
    pub(crate) const fn new(now: Instant, was_silent: bool) -> Self {
        Self {
            seen: if was_silent { None } else { Some(now) },
            heartbeat: 0,
            silent: was_silent,
        }
    }

    pub(crate) const fn heartbeat(&self) -> u16 {
        self.heartbeat
    }

    /// A request to this node came.
    pub(crate) fn asked(&mut self, settings: &Settings, now: Instant) {
        if settings.life == Life::Request {
            self.seen = Some(now);
        }
    }

    /// The register was written; life is a changed value.
    pub(crate) fn beat(&mut self, value: u16, settings: &Settings, now: Instant) {
        if settings.life == Life::Heartbeat && value != self.heartbeat {
            self.seen = Some(now);
        }
        self.heartbeat = value;
    }

    /// Looks again; whether it fell silent or spoke again since the last look.
    pub(crate) fn look(&mut self, settings: &Settings, now: Instant) -> bool {
        let longest_ms = u64::from(settings.silent_after_s) * 1_000;
        let is_long = self.seen.is_none_or(|seen| now.since(seen) >= longest_ms);
        let silent = settings.life != Life::None && is_long;
        let changed = silent != self.silent;
        self.silent = silent;
        changed
    }

    pub(crate) fn silent_s(&self, now: Instant) -> u16 {
        let seconds = self.seen.map(|seen| now.since(seen) / 1_000);
        seconds.map_or(u16::MAX, |seconds| {
            u16::try_from(seconds).unwrap_or(u16::MAX)
        })
    }
}
