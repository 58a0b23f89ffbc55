//! Edges of the rules that the reference in `tests/model` found the engine on the wrong side of.

use davy_alarm::{
    Action, Actor, Alarm, Condition, Definition, Instant, NoValue, Priority, Reading, Refusal,
    Saved, Shown, Signal, WallMs,
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

#[test]
fn a_clock_set_back_while_down_makes_no_shelving_or_re_alarm_longer_than_its_maximum() {
    const HOUR_MS: i64 = 3_600_000;
    let definition = Definition {
        re_alarm_ms: Some(600_000),
        shelve_max_minutes: 60,
        ..definition(Condition::Bad)
    };
    let bad = Reading::absent(NoValue::Timeout, WallMs(0));
    let mut alarm = Alarm::new(definition, Instant(0));
    alarm.observe(&bad, Instant(0));
    let mut acknowledged = alarm.clone();
    let acknowledge = Action::Acknowledge { occurrence: None };
    let shelve = Action::Shelve {
        minutes: 60,
        reason: true,
        second: false,
    };
    let plant = Actor::default();
    assert!(acknowledged.act(acknowledge, plant, Instant(0)).is_ok());
    assert!(alarm.act(shelve, plant, Instant(0)).is_ok());
    for (alarm, longest) in [(alarm, 3_600_000), (acknowledged, 600_000)] {
        for hours in [-1000, -10, -1, 0] {
            let wall = WallMs(50_000 * HOUR_MS);
            let saved = alarm.saved(Instant(0), wall);
            let back = WallMs(wall.0 + hours * HOUR_MS);
            let mut again = Alarm::restore(definition, &saved, Instant(7), back);
            assert_eq!(again.fire(Instant(7 + longest - 1)), None, "{hours} h");
            let fired = again.fire(Instant(7 + longest));
            assert!(fired.is_some_and(|(_, line)| line.is_some()), "{hours} h");
        }
    }
}

#[test]
fn a_saved_state_that_no_alarm_can_be_in_is_refused() {
    const ACTIVE: u8 = 1;
    const ACKNOWLEDGED: u8 = 2;
    const SHELVED: u8 = 8;
    let reads = |flags: u8, shelved_until: i64, re_alarm_at: i64| {
        let mut bytes = [0; Saved::BYTES];
        (bytes[0], bytes[1], bytes[4]) = (1, flags, 1);
        bytes[8..16].copy_from_slice(&shelved_until.to_le_bytes());
        bytes[16..24].copy_from_slice(&re_alarm_at.to_le_bytes());
        Saved::from_bytes(&bytes).is_some()
    };
    let none = i64::MIN;
    assert!(reads(ACTIVE | ACKNOWLEDGED, none, 5));
    assert!(reads(ACTIVE | ACKNOWLEDGED | SHELVED, 5, none));
    for (flags, shelved_until, re_alarm_at) in [
        (ACTIVE, none, 5),
        (ACKNOWLEDGED, none, 5),
        (ACTIVE | ACKNOWLEDGED | SHELVED, 5, 5),
        (ACTIVE | ACKNOWLEDGED | SHELVED, none, none),
        (ACTIVE | ACKNOWLEDGED, 5, none),
    ] {
        assert!(!reads(flags, shelved_until, re_alarm_at), "{flags:b}");
    }
}

#[test]
fn bytes_of_another_version_or_length_or_with_unknown_bits_are_no_saved_state() {
    let saved = Alarm::new(definition(Condition::Bad), Instant(0)).saved(Instant(0), WallMs(0));
    let bytes = saved.to_bytes();
    assert_eq!(Saved::from_bytes(&bytes), Some(saved));
    // Bit 1 is set in a new alarm.
    for (place, value) in [(0, 0), (0, 2), (1, 0x42), (1, 0x82), (2, 1), (3, 1)] {
        let mut other = bytes;
        other[place] = value;
        assert_eq!(Saved::from_bytes(&other), None, "byte {place}: {value}");
    }
    assert_eq!(Saved::from_bytes(&bytes[..Saved::BYTES - 1]), None);
    assert_eq!(Saved::from_bytes(&[&bytes[..], &[0]].concat()), None);
}
