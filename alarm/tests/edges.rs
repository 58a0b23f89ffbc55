//! Edges of the rules that the reference in `tests/model` found the engine on the wrong side of.

use davy_alarm::{
    Action, Actor, Alarm, Condition, Definition, Instant, Priority, Reading, Refusal, Shown,
    Signal, WallMs,
};

/// At once, not latching, priority 2.
const fn definition(condition: Condition) -> Definition {
    Definition {
        condition,
        priority: Priority::P2,
        on_delay_ms: 0,
        off_delay_ms: 0,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 480,
        remote_reset: false,
    }
}

fn value(value: f64) -> Reading {
    Reading::measured(value, WallMs(0))
}

#[test]
fn a_reading_ends_the_on_delay_of_a_silence() {
    let mut alarm = Alarm::new(
        Definition {
            on_delay_ms: 5000,
            ..definition(Condition::Stale { after_ms: 10_000 })
        },
        Instant(0),
    );
    assert_eq!(alarm.fire(Instant(10_000)), Some((Instant(10_000), None)));
    for second in 11..60 {
        assert_eq!(alarm.observe(&value(1.0), Instant(second * 1000)), None);
        assert_eq!(alarm.fire(Instant(second * 1000)), None);
    }
    assert!(!alarm.is_active());
}

#[test]
fn the_plants_logic_suppresses_and_nobody_from_afar() {
    let mut alarm = Alarm::new(definition(Condition::Bad), Instant(0));
    let from_afar = Actor {
        remote: true,
        maintenance: true,
    };
    let logic = Actor::default();
    let mut act = |action, actor| alarm.act(action, actor, Instant(1)).map(|line| line.to);
    assert_eq!(act(Action::Suppress, from_afar), Err(Refusal::Remote));
    let suppressed = Ok(Shown::SuppressedByDesign);
    assert_eq!(act(Action::Suppress, logic), suppressed);
    assert_eq!(act(Action::Unsuppress, from_afar), Err(Refusal::Remote));
    assert_eq!(act(Action::Unsuppress, logic), Ok(Shown::Normal));
}

#[test]
fn a_latched_frozen_alarm_is_reset_once_its_value_moves() {
    let mut alarm = Alarm::new(
        Definition {
            latching: true,
            on_delay_ms: 60_000,
            ..definition(Condition::Frozen)
        },
        Instant(0),
    );
    alarm.observe_signal(Signal::Set, Instant(0));
    assert!(alarm.fire(Instant(60_000)).is_some());
    // It moves, and from then on stands again: that is how the value of any sensor goes.
    alarm.observe_signal(Signal::Clear, Instant(61_000));
    alarm.observe_signal(Signal::Set, Instant(61_000));
    let mut act = |action| alarm.act(action, Actor::default(), Instant(61_000));
    let acknowledge = Action::Acknowledge { occurrence: None };
    let acknowledged = act(acknowledge).map(|line| line.to);
    assert_eq!(acknowledged, Ok(Shown::LatchedAcknowledged));
    assert_eq!(act(Action::Reset).map(|line| line.to), Ok(Shown::Normal));
}
