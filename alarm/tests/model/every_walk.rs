//! Every walk of up to so many events: none of them is a case that nobody thought of.

use crate::definitions::{CITY, HIGH, MAINTENANCE, OUT, PLANT, SHELVE, definition};
use crate::reference::Input;
use crate::walk::{Event, Walk};
use davy_alarm::{Action, Condition, Definition, NoValue, Signal};

const STEP: u64 = 1000;
const ABOVE: Event = Event::Input(Input::Value(50.0));
const BETWEEN: Event = Event::Input(Input::Value(45.0));
const BELOW: Event = Event::Input(Input::Value(44.9));
const BAD: Event = Event::Input(Input::Missing(NoValue::Timeout));
const OVER: Event = Event::Input(Input::Missing(NoValue::OverRange));
const SILENT: Event = Event::Input(Input::Silent);
const TICK: Event = Event::Wait(STEP);
const RESTART: Event = Event::Restart(STEP);
const RESET: Event = Event::Act(Action::Reset, PLANT);

/// Tries every walk of `alphabet` up to `length`. Returns how many there were.
fn every(definition: Definition, step: u64, alphabet: &[Event], length: usize) -> usize {
    let mut path = Vec::new();
    further(&Walk::new(definition, step), alphabet, length, &mut path)
}

fn further(walk: &Walk, alphabet: &[Event], left: usize, path: &mut Vec<Event>) -> usize {
    if left == 0 {
        return 0;
    }
    let mut walks = 0;
    for event in alphabet {
        let mut walk = walk.clone();
        path.push(*event);
        if let Err(difference) = walk.take(*event) {
            panic!("{difference}\nafter {path:#?}");
        }
        walks += 1 + further(&walk, alphabet, left - 1, path);
        path.pop();
    }
    walks
}

/// How many walks there are of up to `length` events out of `events`.
fn walks(events: usize, length: u32) -> usize {
    (1..=length).map(|length| events.pow(length)).sum()
}

#[test]
fn every_order_of_values_and_delays_is_judged_by_the_rules() {
    let alphabet = [ABOVE, BETWEEN, BELOW, BAD, OVER, TICK];
    for (on_delay_ms, off_delay_ms) in [(0, 0), (2000, 0), (0, 2000), (1000, 2000)] {
        let definition = Definition {
            on_delay_ms,
            off_delay_ms,
            ..definition(HIGH)
        };
        assert_eq!(every(definition, STEP, &alphabet, 6), walks(6, 6));
    }
}

#[test]
fn every_order_of_a_low_limit_is_judged_by_the_rules() {
    let low = Condition::Lo {
        set_point: 45.0,
        deadband: 5.0,
    };
    let definition = Definition {
        on_delay_ms: 1000,
        off_delay_ms: 1000,
        ..definition(low)
    };
    let (within, gone) = (ABOVE, Event::Input(Input::Value(50.1)));
    let alphabet = [BETWEEN, BELOW, within, gone, BAD, OVER, TICK];
    assert_eq!(every(definition, STEP, &alphabet, 5), walks(7, 5));
}

#[test]
fn every_way_through_the_latch_follows_the_rules() {
    let acknowledge = Event::AcknowledgePresent;
    let from_afar = Event::Act(Action::Reset, CITY);
    let alphabet = [
        ABOVE,
        BELOW,
        BAD,
        TICK,
        acknowledge,
        RESET,
        from_afar,
        RESTART,
    ];
    for remote_reset in [false, true] {
        let definition = Definition {
            latching: true,
            on_delay_ms: 1000,
            remote_reset,
            ..definition(HIGH)
        };
        assert_eq!(every(definition, STEP, &alphabet, 5), walks(8, 5));
    }
    let alphabet = [ABOVE, BELOW, acknowledge, RESET, SILENT];
    let definition = Definition {
        latching: true,
        ..definition(HIGH)
    };
    assert_eq!(every(definition, STEP, &alphabet, 7), walks(5, 7));
}

#[test]
fn every_order_of_suppressions_follows_the_rules() {
    let alphabet = [
        ABOVE,
        BELOW,
        Event::AcknowledgePresent,
        RESET,
        Event::Act(SHELVE, PLANT),
        Event::Act(Action::Unshelve, PLANT),
        Event::Act(OUT, MAINTENANCE),
        Event::Act(Action::InService, MAINTENANCE),
        Event::Act(Action::Suppress, PLANT),
        Event::Act(Action::Unsuppress, PLANT),
        Event::Wait(60_000),
    ];
    for latching in [false, true] {
        let definition = Definition {
            latching,
            re_alarm_ms: Some(60_000),
            ..definition(HIGH)
        };
        assert_eq!(every(definition, 60_000, &alphabet, 5), walks(11, 5));
    }
}

#[test]
fn every_order_of_readings_and_silence_makes_a_point_stale_by_the_rules() {
    let good = BELOW;
    let alphabet = [good, BAD, TICK, RESTART, Event::AcknowledgePresent];
    for (on_delay_ms, off_delay_ms) in [(0, 0), (1000, 0), (0, 2000), (1000, 3000)] {
        let definition = Definition {
            on_delay_ms,
            off_delay_ms,
            ..definition(Condition::Stale { after_ms: 2000 })
        };
        assert_eq!(every(definition, STEP, &alphabet, 6), walks(5, 6));
    }
}

#[test]
fn every_order_of_acknowledgement_and_pause_re_alarms_by_the_rules() {
    let alphabet = [
        ABOVE,
        BELOW,
        Event::AcknowledgePresent,
        TICK,
        RESTART,
        Event::Act(Action::Suppress, PLANT),
        Event::Act(Action::Unsuppress, PLANT),
    ];
    let definition = Definition {
        re_alarm_ms: Some(2000),
        off_delay_ms: 2000,
        ..definition(HIGH)
    };
    assert_eq!(every(definition, STEP, &alphabet, 6), walks(7, 6));
}

#[test]
fn every_order_of_what_a_group_says_is_judged_by_the_rules() {
    let says = |signal| Event::Input(Input::Says(signal));
    let alphabet = [
        says(Signal::Set),
        says(Signal::Clear),
        says(Signal::Unknown),
        TICK,
        Event::AcknowledgePresent,
        RESET,
    ];
    for condition in [Condition::Discrepancy, Condition::Frozen] {
        let definition = Definition {
            latching: true,
            on_delay_ms: 1000,
            off_delay_ms: 1000,
            ..definition(condition)
        };
        assert_eq!(every(definition, STEP, &alphabet, 5), walks(6, 5));
    }
}

#[test]
fn every_order_of_a_devices_answers_is_judged_by_the_rules() {
    let answered = |answered| Event::Input(Input::Answered(answered));
    let acknowledge = Event::AcknowledgePresent;
    let alphabet = [answered(true), answered(false), TICK, acknowledge, RESTART];
    let definition = Definition {
        on_delay_ms: 2000,
        off_delay_ms: 1000,
        ..definition(Condition::CommsLost)
    };
    assert_eq!(every(definition, STEP, &alphabet, 6), walks(5, 6));
}

#[test]
fn every_order_of_a_discrete_points_states_is_judged_by_the_rules() {
    let state = |value| Event::Input(Input::Value(value));
    let acknowledge = Event::AcknowledgePresent;
    let alphabet = [state(0.0), state(1.0), BAD, TICK, acknowledge, RESTART];
    for when in [false, true] {
        let definition = Definition {
            on_delay_ms: 1000,
            off_delay_ms: 1000,
            ..definition(Condition::Discrete { when })
        };
        assert_eq!(every(definition, STEP, &alphabet, 5), walks(6, 5));
    }
}
