//! An alarm whose site file changes while it is judged.

use davy_alarm::{
    Action, Actor, Alarm, Cause, Condition, Definition, Due, Instant, Phase, Priority, Reading,
    Shown, WallMs,
};

const MINUTE: u64 = 60_000;
const AT_THE_PLANT: Actor = Actor {
    remote: false,
    maintenance: true,
};

fn definition() -> Definition {
    Definition {
        condition: Condition::Hi {
            set_point: 50.0,
            deadband: 2.0,
        },
        priority: Priority::P3,
        on_delay_ms: 10_000,
        off_delay_ms: 5_000,
        latching: true,
        gas_level_2: false,
        re_alarm_ms: Some(600_000),
        shelve_max_minutes: 60,
        remote_reset: false,
    }
}

fn see(alarm: &mut Alarm, value: f64, at: u64) {
    alarm.observe(&Reading::measured(value, WallMs(0)), Instant(at));
}

/// Active since 10 s.
fn active() -> Alarm {
    let mut alarm = Alarm::new(definition(), Instant(0));
    see(&mut alarm, 60.0, 0);
    alarm.fire(Instant(10_000)).expect("the on-delay is over");
    assert!(alarm.is_active());
    alarm
}

fn act(alarm: &mut Alarm, action: Action, at: u64) {
    alarm
        .act(action, AT_THE_PLANT, Instant(at))
        .expect("allowed");
}

fn shelve(alarm: &mut Alarm, minutes: u32, at: u64) {
    let action = Action::Shelve {
        minutes,
        reason: true,
        second: false,
    };
    act(alarm, action, at);
}

fn acknowledge(alarm: &mut Alarm, at: u64) {
    act(alarm, Action::Acknowledge { occurrence: None }, at);
}

fn due(at: u64, phase: Phase) -> Option<Due> {
    Some(Due {
        at: Instant(at),
        phase,
    })
}

#[test]
fn an_alarm_that_leaves_the_site_ends_whatever_it_was_and_tells_it_once() {
    let mut alarm = active();
    acknowledge(&mut alarm, 11_000);
    see(&mut alarm, 10.0, 12_000);
    let told = alarm.remove().expect("it was not normal");
    assert_eq!(
        (told.from, told.to, told.cause, told.occurrence),
        (Shown::Acknowledged, Shown::Normal, Cause::Removed, 1)
    );
    assert!(!alarm.is_active() && !alarm.is_latched() && alarm.is_acknowledged());
    assert_eq!(alarm.due(), None);
    assert!(!alarm.demands());
    assert_eq!(alarm.remove(), None);
}

#[test]
fn a_suppressed_or_waiting_alarm_that_leaves_the_site_leaves_no_timer_behind() {
    let mut alarm = active();
    shelve(&mut alarm, 30, 11_000);
    act(&mut alarm, Action::OutOfService { reason: true }, 11_000);
    act(&mut alarm, Action::Suppress, 11_000);
    let told = alarm.remove().expect("it was not normal");
    assert_eq!((told.from, told.to), (Shown::OutOfService, Shown::Normal));
    assert!(!alarm.is_shelved() && !alarm.is_out_of_service() && !alarm.is_suppressed_by_design());
    assert_eq!((alarm.due(), alarm.shelved_until()), (None, None));

    // One that waits for its on-delay is normal still, and is heard no more.
    let mut alarm = Alarm::new(definition(), Instant(0));
    see(&mut alarm, 60.0, 0);
    assert_eq!(alarm.remove(), None);
    assert_eq!(alarm.due(), None);

    let stale = Condition::Stale { after_ms: 1_000 };
    let silence = Definition {
        condition: stale,
        ..definition()
    };
    let mut alarm = Alarm::new(silence, Instant(0));
    alarm.remove();
    assert_eq!(alarm.due(), None);
}

#[test]
fn under_the_same_definition_nothing_moves() {
    let mut alarm = Alarm::new(definition(), Instant(0));
    see(&mut alarm, 60.0, 0);
    alarm.redefine(definition(), Instant(9_000));
    assert_eq!(alarm.due(), due(10_000, Phase::Delay));
    let mut alarm = active();
    see(&mut alarm, 10.0, 11_000);
    alarm.redefine(definition(), Instant(15_000));
    assert_eq!(alarm.due(), due(16_000, Phase::Delay), "the off-delay");
}

#[test]
fn a_running_on_delay_ends_no_later_than_it_would_have() {
    let delayed = |on_delay_ms| Definition {
        on_delay_ms,
        ..definition()
    };
    for (on_delay_ms, expected) in [(2_000, 5_000), (60_000, 10_000)] {
        let mut alarm = Alarm::new(definition(), Instant(0));
        see(&mut alarm, 60.0, 0);
        alarm.redefine(delayed(on_delay_ms), Instant(3_000));
        assert_eq!(alarm.due(), due(expected, Phase::Delay));
        assert_eq!(alarm.definition().on_delay_ms, on_delay_ms);
    }
}

#[test]
fn an_active_alarm_stays_so_and_its_off_delay_begins_anew_with_the_next_clear_value() {
    let mut alarm = active();
    see(&mut alarm, 10.0, 11_000);
    let slower = Definition {
        off_delay_ms: 8_000,
        re_alarm_ms: None,
        ..definition()
    };
    alarm.redefine(slower, Instant(12_000));
    assert!(alarm.is_active() && alarm.is_latched());
    assert_eq!(alarm.due(), None);
    see(&mut alarm, 10.0, 13_000);
    assert_eq!(alarm.due(), due(21_000, Phase::Delay));
}

#[test]
fn a_shelving_is_shortened_to_the_new_maximum_and_never_lengthened() {
    for (most, expected) in [(10, 12 * MINUTE), (240, 30 * MINUTE)] {
        let mut alarm = Alarm::new(definition(), Instant(0));
        shelve(&mut alarm, 30, 0);
        let bounded = Definition {
            shelve_max_minutes: most,
            ..definition()
        };
        alarm.redefine(bounded, Instant(2 * MINUTE));
        assert_eq!(alarm.shelved_until(), Some(Instant(expected)));
    }
}

#[test]
fn a_re_alarm_comes_no_later_than_the_new_time_and_not_at_all_where_there_is_none() {
    let again = |re_alarm_ms| Definition {
        re_alarm_ms,
        ..definition()
    };
    for (re_alarm_ms, expected) in [
        (Some(60_000), due(80_000, Phase::ReAlarm)),
        (Some(6_000_000), due(610_000, Phase::ReAlarm)),
        (None, None),
    ] {
        let mut alarm = active();
        acknowledge(&mut alarm, 10_000);
        alarm.redefine(again(re_alarm_ms), Instant(20_000));
        assert_eq!(alarm.due(), expected);
    }
}

#[test]
fn a_silence_counts_anew_only_where_its_own_time_changed() {
    let silence = |after_ms, priority| Definition {
        condition: Condition::Stale { after_ms },
        priority,
        ..definition()
    };
    let mut alarm = Alarm::new(silence(10_000, Priority::P3), Instant(0));
    alarm.redefine(silence(10_000, Priority::P2), Instant(4_000));
    assert_eq!(alarm.due(), due(10_000, Phase::Stale));
    assert_eq!(alarm.definition().priority, Priority::P2);
    alarm.redefine(silence(20_000, Priority::P2), Instant(5_000));
    assert_eq!(alarm.due(), due(25_000, Phase::Stale));
}
