//! The gateway's two clocks in one value: monotonic for judgement, wall for people (invariant 7: the wall clock orders nothing).

use davy_alarm::{Instant, WallMs};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// Cheap to copy; every copy counts from the same start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: tokio::time::Instant,
    started: WallMs,
    wall: Wall,
}

/// Where the wall clock is read.
#[derive(Clone, Copy, Debug)]
enum Wall {
    Machine,
    Hand(&'static Hand),
}

/// A wall clock that runs with the monotonic one, and that somebody sets.
#[derive(Debug)]
pub struct Hand {
    began: tokio::time::Instant,
    /// UTC milliseconds when it began.
    ms: AtomicI64,
}

impl Hand {
    /// One that says `wall` now.
    pub fn new(wall: WallMs) -> Self {
        Self {
            began: tokio::time::Instant::now(),
            ms: AtomicI64::new(wall.0),
        }
    }

    /// Moves it forwards or back.
    pub fn move_by(&self, ms: i64) {
        self.ms.fetch_add(ms, Relaxed);
    }

    pub fn now(&self) -> WallMs {
        let since = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        WallMs(self.ms.load(Relaxed).saturating_add(since))
    }
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self::of(Wall::Machine)
    }

    /// A clock that starts now, whose wall clock is another than the machine's: a simulation has a time of its own.
    pub fn by(hand: &'static Hand) -> Self {
        Self::of(Wall::Hand(hand))
    }

    fn of(wall: Wall) -> Self {
        Self {
            start: tokio::time::Instant::now(),
            started: wall.now(),
            wall,
        }
    }

    /// Since the start.
    pub fn now(&self) -> Instant {
        self.then(tokio::time::Instant::now())
    }

    /// When `at` was, of the runtime's timers: what [`Clock::when`] is the other way round.
    pub fn then(&self, at: tokio::time::Instant) -> Instant {
        let since = at.saturating_duration_since(self.start);
        Instant(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// When `at` comes, for the runtime's timers.
    pub fn when(&self, at: Instant) -> tokio::time::Instant {
        self.start + std::time::Duration::from_millis(at.0)
    }

    /// The wall clock.
    pub fn wall(&self) -> WallMs {
        self.wall.now()
    }

    /// Both clocks, read once: every time reckoned by it agrees with every other.
    pub fn moment(&self) -> Moment {
        Moment {
            now: self.now(),
            wall: self.wall(),
        }
    }

    /// The wall clock at the start.
    pub const fn started(&self) -> WallMs {
        self.started
    }
}

/// What both clocks said at one time.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Instant,
    pub wall: WallMs,
}

impl Moment {
    /// The wall clock at a monotonic instant of the recent past.
    pub fn wall_at(self, past: Instant) -> WallMs {
        WallMs(self.wall.0 - i64::try_from(self.now.since(past)).unwrap_or(0))
    }

    /// The wall clock at a monotonic instant that is to come.
    pub fn wall_then(self, to_come: Instant) -> WallMs {
        let left = i64::try_from(to_come.since(self.now)).unwrap_or(i64::MAX / 2);
        WallMs(self.wall.0 + left)
    }
}

impl Wall {
    fn now(self) -> WallMs {
        match self {
            Self::Machine => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let ms = since.unwrap_or_default().as_millis();
                WallMs(i64::try_from(ms).unwrap_or(i64::MAX))
            }
            Self::Hand(hand) => hand.now(),
        }
    }
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
