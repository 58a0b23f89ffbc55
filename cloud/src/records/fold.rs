//! Pure folding of journal lines into what is derived from them: the state of an alarm, and the story of one occurrence.
//! The lines decide; nothing here judges a value against a limit.

use super::transition::{Line, condition_of};
use davy_alarm::{Cause, Priority, Shown};

/// What suppresses an alarm now, as bits of a column: 1 shelved, 2 by design, 4 out of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppressed(u8);

impl Suppressed {
    const SHELVED: u8 = 1;
    const BY_DESIGN: u8 = 2;
    const OUT_OF_SERVICE: u8 = 4;

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: i64) -> Self {
        Self((bits & 7) as u8)
    }

    /// The least that a shown state implies.
    pub(crate) const fn implied_by(state: Shown) -> Self {
        match state {
            Shown::Shelved => Self(Self::SHELVED),
            Shown::SuppressedByDesign => Self(Self::BY_DESIGN),
            Shown::OutOfService => Self(Self::OUT_OF_SERVICE),
            Shown::Normal
            | Shown::Unacknowledged
            | Shown::Acknowledged
            | Shown::ReturnedUnacknowledged
            | Shown::LatchedUnacknowledged
            | Shown::LatchedAcknowledged => Self(0),
        }
    }

    /// The names of the API, in the order in which they are shown (R13).
    pub fn names(self) -> Vec<&'static str> {
        let named = [
            (Self::OUT_OF_SERVICE, "out-of-service"),
            (Self::SHELVED, "shelved"),
            (Self::BY_DESIGN, "by-design"),
        ];
        named
            .into_iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, name)| name)
            .collect()
    }

    const fn after(self, cause: Cause) -> Self {
        match cause {
            Cause::Shelve => Self(self.0 | Self::SHELVED),
            Cause::Unshelve | Cause::ShelveExpired => Self(self.0 & !Self::SHELVED),
            Cause::Suppress => Self(self.0 | Self::BY_DESIGN),
            Cause::Unsuppress => Self(self.0 & !Self::BY_DESIGN),
            Cause::OutOfService => Self(self.0 | Self::OUT_OF_SERVICE),
            Cause::InService => Self(self.0 & !Self::OUT_OF_SERVICE),
            Cause::Removed => Self(0),
            Cause::Active
            | Cause::Clear
            | Cause::Acknowledge
            | Cause::Reset
            | Cause::ReAlarm
            | Cause::StepUp => self,
        }
    }
}

/// The state of one alarm after its newest lines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) state: Shown,
    pub(crate) active: bool,
    pub(crate) latched: bool,
    pub(crate) suppressed: Suppressed,
    /// Who did the newest thing that a person did in this occurrence, and the reason of a standing suppression.
    pub(crate) actor: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) shelved_until_ms: Option<i64>,
}

/// Folds the newest lines of one alarm, oldest first; `None` for no line.
pub(crate) fn standing(lines: &[&Line]) -> Option<Standing> {
    let last = lines.last()?;
    let first = lines.first()?;
    let start = Standing {
        state: first.from,
        active: is_active(first.from).unwrap_or(false),
        latched: false,
        suppressed: Suppressed::implied_by(first.from),
        actor: None,
        reason: None,
        shelved_until_ms: None,
    };
    let mut standing = lines
        .iter()
        .fold(start, |standing, line| step(standing, line));
    let own = lines
        .iter()
        .rev()
        .take_while(|line| line.occurrence == last.occurrence);
    standing.actor = own.filter_map(|line| line.actor.clone()).next();
    Some(standing)
}

fn step(before: Standing, line: &Line) -> Standing {
    let suppressed = match before.suppressed.after(line.cause) {
        suppressed if suppressed == Suppressed::default() => Suppressed::implied_by(line.to),
        suppressed => suppressed,
    };
    let active = match line.cause {
        Cause::Active | Cause::ReAlarm | Cause::StepUp => true,
        Cause::Clear | Cause::Removed => false,
        _ => is_active(line.to).unwrap_or(before.active),
    };
    let begins = matches!(
        line.cause,
        Cause::Shelve | Cause::OutOfService | Cause::Suppress
    );
    let ended = suppressed == Suppressed::default();
    Standing {
        state: line.to,
        active,
        latched: matches!(
            line.to,
            Shown::LatchedUnacknowledged | Shown::LatchedAcknowledged
        ),
        suppressed,
        actor: before.actor,
        reason: if begins {
            line.reason.clone()
        } else {
            before.reason.filter(|_| !ended)
        },
        shelved_until_ms: match line.cause {
            Cause::Shelve => line.shelved_until_ms,
            Cause::Unshelve | Cause::ShelveExpired => None,
            _ => before.shelved_until_ms,
        },
    }
}

/// Whether the condition holds in a shown state; a suppressed one does not say.
pub(crate) const fn is_active(state: Shown) -> Option<bool> {
    match state {
        Shown::Unacknowledged | Shown::Acknowledged => Some(true),
        Shown::Normal
        | Shown::ReturnedUnacknowledged
        | Shown::LatchedUnacknowledged
        | Shown::LatchedAcknowledged => Some(false),
        Shown::Shelved | Shown::SuppressedByDesign | Shown::OutOfService => None,
    }
}

/// One occurrence as its lines tell it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Story {
    pub(crate) raised_ms: i64,
    pub(crate) cleared_ms: Option<i64>,
    pub(crate) acknowledged_ms: Option<i64>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) peak: Option<f64>,
    pub(crate) limit: Option<f64>,
    pub(crate) priority: Priority,
    pub(crate) late: bool,
}

/// Folds the lines of one occurrence, in order of sequence, each with its late mark. `next_raised_ms` is when the following one began: an occurrence
/// that a re-alarm or a return from suppression superseded ends there, since its own clearing will never be written.
pub(crate) fn story(lines: &[(&Line, bool)], next_raised_ms: Option<i64>) -> Option<Story> {
    let (first, late) = lines.first()?;
    let cleared = lines
        .iter()
        .find(|(line, _)| line.cause == Cause::Clear)
        .map(|(line, _)| line.time_ms);
    let acknowledged = lines
        .iter()
        .find(|(line, _)| line.cause == Cause::Acknowledge)
        .map(|(line, _)| line);
    Some(Story {
        raised_ms: first.time_ms,
        cleared_ms: cleared.or(next_raised_ms),
        acknowledged_ms: acknowledged.map(|line| line.time_ms),
        acknowledged_by: acknowledged.and_then(|line| line.actor.clone()),
        peak: lines.iter().fold(None, |peak, (line, _)| {
            worst(condition_of(&first.alarm), peak, line.value)
        }),
        limit: first.limit,
        priority: first.priority,
        late: *late,
    })
}

/// The worse of two values for a condition: the higher for high limits and discrete alarms, the lower for low ones, none where there is no value to speak of.
pub(crate) fn worst(condition: &str, one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (condition, one, other) {
        ("HH" | "H" | "ON", Some(one), Some(other)) => Some(one.max(other)),
        ("LL" | "L", Some(one), Some(other)) => Some(one.min(other)),
        ("HH" | "H" | "ON" | "LL" | "L", one, other) => one.or(other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, occurrence: u32, from: Shown, to: Shown, cause: Cause) -> Line {
        Line {
            seq,
            alarm: "GT-101.HH".into(),
            occurrence,
            from,
            to,
            cause,
            time_ms: seq as i64 * 1_000,
            value: Some(seq as f64),
            value_cause: None,
            limit: Some(50.0),
            priority: Priority::P1,
            actor: (cause == Cause::Acknowledge || cause == Cause::Shelve).then(|| "wang".into()),
            reason: (cause == Cause::Shelve).then(|| "calibration".into()),
            shelved_until_ms: (cause == Cause::Shelve).then_some(99_000),
            command: None,
        }
    }

    fn told(lines: &[Line], next: Option<i64>) -> Story {
        story(
            &lines.iter().map(|line| (line, false)).collect::<Vec<_>>(),
            next,
        )
        .expect("lines")
    }

    #[test]
    fn an_occurrence_tells_when_it_came_went_and_was_acknowledged() {
        let lines = [
            line(1, 1, Shown::Normal, Shown::Unacknowledged, Cause::Active),
            line(
                2,
                1,
                Shown::Unacknowledged,
                Shown::Acknowledged,
                Cause::Acknowledge,
            ),
            line(3, 1, Shown::Acknowledged, Shown::Normal, Cause::Clear),
        ];
        let story = told(&lines, None);
        assert_eq!(
            (story.raised_ms, story.cleared_ms, story.acknowledged_ms),
            (1_000, Some(3_000), Some(2_000))
        );
        assert_eq!(story.acknowledged_by.as_deref(), Some("wang"));
        assert_eq!(story.peak, Some(3.0));
    }

    #[test]
    fn a_superseded_occurrence_ends_where_the_next_begins() {
        let lines = [line(
            1,
            1,
            Shown::Normal,
            Shown::Unacknowledged,
            Cause::Active,
        )];
        assert_eq!(told(&lines, None).cleared_ms, None);
        assert_eq!(told(&lines, Some(7_000)).cleared_ms, Some(7_000));
    }

    #[test]
    fn a_shelved_alarm_that_becomes_active_stands_active_and_shelved() {
        let lines = [
            line(1, 0, Shown::Normal, Shown::Shelved, Cause::Shelve),
            line(2, 1, Shown::Shelved, Shown::Shelved, Cause::Active),
        ];
        let standing = standing(&lines.iter().collect::<Vec<_>>()).expect("lines");
        assert!(standing.active);
        assert_eq!(standing.suppressed.names(), ["shelved"]);
        assert_eq!(standing.reason.as_deref(), Some("calibration"));
        assert_eq!(standing.shelved_until_ms, Some(99_000));
    }

    #[test]
    fn unshelving_ends_the_suppression_its_reason_and_its_expiry() {
        let lines = [
            line(1, 1, Shown::Normal, Shown::Unacknowledged, Cause::Active),
            line(2, 1, Shown::Unacknowledged, Shown::Shelved, Cause::Shelve),
            line(3, 2, Shown::Shelved, Shown::Unacknowledged, Cause::Unshelve),
        ];
        let standing = standing(&lines.iter().collect::<Vec<_>>()).expect("lines");
        assert!(standing.active);
        assert_eq!(standing.suppressed, Suppressed::default());
        assert_eq!((standing.reason, standing.shelved_until_ms), (None, None));
    }

    #[test]
    fn out_of_service_and_shelved_are_kept_apart() {
        let lines = [
            line(1, 0, Shown::Normal, Shown::Shelved, Cause::Shelve),
            line(
                2,
                0,
                Shown::Shelved,
                Shown::OutOfService,
                Cause::OutOfService,
            ),
            line(
                3,
                0,
                Shown::OutOfService,
                Shown::OutOfService,
                Cause::ShelveExpired,
            ),
        ];
        let two = standing(&lines[..2].iter().collect::<Vec<_>>()).expect("lines");
        assert_eq!(two.suppressed.names(), ["out-of-service", "shelved"]);
        let one = standing(&lines.iter().collect::<Vec<_>>()).expect("lines");
        assert_eq!(one.suppressed.names(), ["out-of-service"]);
    }

    #[test]
    fn the_worst_value_is_the_highest_of_a_high_alarm_and_the_lowest_of_a_low_one() {
        assert_eq!(worst("HH", Some(1.0), Some(2.0)), Some(2.0));
        assert_eq!(worst("LL", Some(1.0), Some(2.0)), Some(1.0));
        assert_eq!(worst("H", None, Some(2.0)), Some(2.0));
        assert_eq!(worst("BAD", Some(1.0), Some(2.0)), None);
    }
}
