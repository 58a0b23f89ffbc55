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

/// A difference to the monotonic clock that somebody made: synchronisation that only slews makes less in a second.
const SET_BY_MS: i64 = 500;

/// Sees that the wall clock was set, by the monotonic one. Pure: both times are arguments.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    before: (Instant, WallMs),
}

impl Settings {
    pub const fn new(now: Instant, wall: WallMs) -> Self {
        Self {
            before: (now, wall),
        }
    }

    /// By how many milliseconds it was set since the last look, below 0 back; `None` if it only ran.
    pub fn look(&mut self, now: Instant, wall: WallMs) -> Option<i64> {
        let (then, told) = std::mem::replace(&mut self.before, (now, wall));
        let passed = i64::try_from(now.since(then)).unwrap_or(i64::MAX);
        let by_ms = wall.0.saturating_sub(told.0).saturating_sub(passed);
        (by_ms.unsigned_abs() >= SET_BY_MS.unsigned_abs()).then_some(by_ms)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_seen_once_with_how_far_and_one_that_drifts_is_not() {
        let mut settings = Settings::new(Instant(0), WallMs(10_000_000));
        // 500 ppm fast, and a look that came late.
        assert_eq!(settings.look(Instant(1_000), WallMs(10_001_000)), None);
        assert_eq!(settings.look(Instant(61_000), WallMs(10_061_030)), None);
        let year = 31_536_000_000;
        let set = settings.look(Instant(62_000), WallMs(10_062_030 + year));
        assert_eq!(set, Some(year));
        assert_eq!(
            settings.look(Instant(63_000), WallMs(10_063_030 + year)),
            None
        );
        let back = settings.look(Instant(64_000), WallMs(10_064_030));
        assert_eq!(back, Some(-year));
    }
}
