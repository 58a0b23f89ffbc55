//! The time that the lines tell: monotonic milliseconds, which never run backwards (R3).

use davy_alarm::Instant;

/// The latest time told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    latest: Instant,
}

impl Clock {
    /// When a line that tells `t` is handled, and whether `t` was earlier than that.
    pub(super) fn at(&mut self, t: u64) -> (Instant, bool) {
        let told = Instant(t);
        let is_earlier = told < self.latest;
        self.latest = self.latest.max(told);
        (self.latest, is_earlier)
    }

    /// Goes on to a time that no line told: a restart's end.
    pub(super) fn set(&mut self, now: Instant) {
        self.latest = self.latest.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_an_earlier_time_is_handled_at_the_latest() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(50), (Instant(50), false));
        assert_eq!(clock.at(50), (Instant(50), false));
        assert_eq!(clock.at(20), (Instant(50), true));
        clock.set(Instant(90));
        assert_eq!(clock.at(89), (Instant(90), true));
    }
}
