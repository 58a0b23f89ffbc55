//! The gateway's two clocks in one value: monotonic for judgement, wall for people (invariant 7: the wall clock orders nothing).

use davy_alarm::{Instant, WallMs};
use std::time::{SystemTime, UNIX_EPOCH};

/// Cheap to copy; every copy counts from the same start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: tokio::time::Instant,
    started: WallMs,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            start: tokio::time::Instant::now(),
            started: wall(),
        }
    }

    /// Since the start.
    pub fn now(&self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When `at` comes, for the runtime's timers.
    pub fn when(&self, at: Instant) -> tokio::time::Instant {
        self.start + std::time::Duration::from_millis(at.0)
    }

    /// The wall clock.
    pub fn wall(&self) -> WallMs {
        wall()
    }

    /// The wall clock at a monotonic instant of the recent past.
    pub fn wall_at(&self, at: Instant) -> WallMs {
        WallMs(wall().0 - i64::try_from(self.now().since(at)).unwrap_or(0))
    }

    /// The wall clock at the start.
    pub const fn started(&self) -> WallMs {
        self.started
    }
}

fn wall() -> WallMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    WallMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// systemd-timesyncd makes this file when it has set the clock, and removes it at boot.
const TIMESYNC_SIGN: &str = "/run/systemd/timesync/synchronized";

/// How well the system's clock is kept: `synchronised` where systemd-timesyncd says so, else `unknown`. Nothing is ordered by it (invariant 7);
/// people are told how far its times can be trusted.
pub fn quality() -> &'static str {
    if std::path::Path::new(TIMESYNC_SIGN).exists() {
        "synchronised"
    } else {
        "unknown"
    }
}
