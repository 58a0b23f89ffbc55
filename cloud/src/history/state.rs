//! How far a reading may be trusted, as one number on disk: good, uncertain, or the stable code of the cause of absence.

use davy_alarm::{NoValue, Quality, Reading, WallMs};

pub(super) const GOOD: u16 = 0;
/// No cause of absence has this code: its low byte is no kind.
pub(super) const UNCERTAIN: u16 = 255;
const _: () =
    assert!(NoValue::from_code(GOOD).is_none() && NoValue::from_code(UNCERTAIN).is_none());

pub(super) fn of(reading: &Reading) -> u16 {
    match (reading.value(), reading.quality()) {
        (Err(cause), _) => cause.code(),
        (Ok(_), Quality::Good) => GOOD,
        (Ok(_), Quality::Uncertain | Quality::Bad | Quality::Stale) => UNCERTAIN,
    }
}

pub(super) const fn has_value(state: u16) -> bool {
    state == GOOD || state == UNCERTAIN
}

/// The reading of a state with its value; `None` if they contradict each other.
pub(super) fn reading(time: WallMs, state: u16, value: Option<f64>) -> Option<Reading> {
    match (state, value) {
        (GOOD, Some(value)) if value.is_finite() => Some(Reading::measured(value, time)),
        (UNCERTAIN, Some(value)) if value.is_finite() => Some(Reading::uncertain(value, time)),
        (cause, None) => NoValue::from_code(cause).map(|cause| Reading::absent(cause, time)),
        (_, Some(_)) => None,
    }
}
