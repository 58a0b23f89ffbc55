//! Wall-clock times of a journal as monotonic ones.

use crate::journal::Record;
use davy_alarm::WallMs;

/// A batch made so much before the one before it, milliseconds, was made by a clock that was set back.
const SET_BACK_MS: i64 = 5_000;

/// Wall-clock times as milliseconds since the span's beginning, which do not run backwards with the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    /// The wall clock at time 0, moved with each setting back.
    pub(super) base: Option<i64>,
    made: i64,
    pub(super) set_back: u64,
}

impl Timeline {
    pub(super) const fn new(from: Option<WallMs>) -> Self {
        Self {
            base: match from {
                Some(from) => Some(from.0),
                None => None,
            },
            made: i64::MIN,
            set_back: 0,
        }
    }

    /// Follows the next batch of the log.
    pub(super) fn follow(&mut self, made: WallMs) {
        if made.0.saturating_add(SET_BACK_MS) < self.made {
            if let Some(base) = &mut self.base {
                *base = base.saturating_add(made.0.saturating_sub(self.made));
                self.set_back += 1;
            }
            self.made = made.0;
        }
        self.made = self.made.max(made.0);
    }

    pub(super) fn at(&mut self, time: WallMs) -> u64 {
        let base = *self.base.get_or_insert(time.0);
        u64::try_from(time.0.saturating_sub(base)).unwrap_or(0)
    }
}

/// When a record says that it happened; a loss has no time of its own, and what a node told comes out of the order of times.
pub(super) fn time(record: &Record) -> Option<WallMs> {
    Some(match record {
        Record::Reading { reading, .. } => reading.source_time(),
        Record::Transition(transition) => transition.time,
        Record::Output { time, .. }
        | Record::Started { time }
        | Record::ClockSet { time, .. }
        | Record::Act { time, .. } => *time,
        Record::Proof(proof) => proof.time,
        Record::Reloaded(reloaded) => reloaded.time,
        Record::Lost { .. } => return None,
        // Of the past, by another's clock.
        Record::Told(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_an_hour_goes_on_here() {
        let mut timeline = Timeline::new(None);
        timeline.follow(WallMs(10_000_000));
        assert_eq!(timeline.at(WallMs(9_999_000)), 0);
        timeline.follow(WallMs(10_060_000));
        assert_eq!(timeline.at(WallMs(10_060_000)), 61_000);
        timeline.follow(WallMs(10_060_000 - 3_600_000));
        assert_eq!(timeline.at(WallMs(10_060_000 - 3_600_000)), 61_000);
        assert_eq!(timeline.at(WallMs(10_061_000 - 3_600_000)), 62_000);
        assert_eq!(timeline.set_back, 1);
        // A second of drift is no jump.
        timeline.follow(WallMs(10_059_000 - 3_600_000));
        assert_eq!(timeline.set_back, 1);
    }
}
