//! What an alarm says that it has nothing to say about. That it is right is looked at on every walk; here, that it says enough.

use crate::definitions::{HIGH, definition};
use davy_alarm::{Alarm, Condition, Definition, Instant, NoValue, Reading, WallMs};

const LOW: Condition = Condition::Lo {
    set_point: 50.0,
    deadband: 5.0,
};

/// Which of some values lie in the calm of an alarm that has just seen one.
fn calm_after(seen: f64, condition: Condition) -> Vec<f64> {
    let mut alarm = Alarm::new(definition(condition), Instant(0));
    alarm.observe(&Reading::measured(seen, WallMs(0)), Instant(0));
    let values = [0.0, 1.0, 45.0, 49.0, 50.0, 51.0, 55.0, 100.0];
    let calm = alarm.calm();
    values
        .into_iter()
        .filter(|value| calm.holds(*value))
        .collect()
}

#[test]
fn a_limit_that_is_kept_has_nothing_to_say_of_values_on_its_side_of_the_set_point() {
    assert_eq!(calm_after(0.0, HIGH), [0.0, 1.0, 45.0, 49.0]);
    assert_eq!(calm_after(100.0, LOW), [51.0, 55.0, 100.0]);
}

#[test]
fn a_limit_that_is_passed_has_nothing_to_say_until_the_deadband_is_left() {
    assert_eq!(calm_after(60.0, HIGH), [49.0, 50.0, 51.0, 55.0, 100.0]);
    assert_eq!(calm_after(40.0, LOW), [0.0, 1.0, 45.0, 49.0, 50.0, 51.0]);
}

#[test]
fn a_discrete_point_has_nothing_to_say_of_the_state_that_it_is_in() {
    for when in [true, false] {
        let condition = Condition::Discrete { when };
        assert_eq!(calm_after(0.0, condition), [0.0]);
        let ones = calm_after(1.0, condition);
        assert!(ones.contains(&1.0) && !ones.contains(&0.0));
    }
}

#[test]
fn any_value_keeps_a_bad_and_a_stale_alarm_calm() {
    for condition in [Condition::Bad, Condition::Stale { after_ms: 1000 }] {
        assert_eq!(calm_after(1.0, condition).len(), 8);
    }
}

#[test]
fn an_alarm_that_waits_or_has_seen_no_value_has_something_to_say_of_each() {
    let waits = Definition {
        on_delay_ms: 1000,
        ..definition(HIGH)
    };
    let mut alarm = Alarm::new(waits, Instant(0));
    assert!(!alarm.calm().holds(1.0), "nothing is read yet");
    alarm.observe(&Reading::measured(60.0, WallMs(0)), Instant(0));
    assert!(!alarm.calm().holds(1.0), "it ends the on-delay");
    alarm.observe(&Reading::measured(1.0, WallMs(0)), Instant(1));
    assert!(alarm.calm().holds(1.0));
    let absent = Reading::absent(NoValue::Timeout, WallMs(0));
    alarm.observe(&absent, Instant(2));
    assert!(!alarm.calm().holds(1.0), "it is there again");
}
