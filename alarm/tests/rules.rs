//! The alarm rules at their edges. R1 to R20 are the numbers that `alarm/src/machine.rs` cites.

use davy_alarm::{
    Action, Actor, Alarm, Cause, Condition, Definition, Instant, NoValue, Priority, Reading,
    Refusal, Saved, Shown, Transition, WallMs,
};
use proptest::prelude::*;

const LOCAL: Actor = Actor {
    remote: false,
    maintenance: false,
};
const REMOTE: Actor = Actor {
    remote: true,
    maintenance: false,
};
const MAINTENANCE: Actor = Actor {
    remote: false,
    maintenance: true,
};

/// HH at 50 with a deadband of 2, immediate, not latching, priority 2.
fn definition() -> Definition {
    Definition {
        condition: Condition::HiHi {
            set_point: 50.0,
            deadband: 2.0,
        },
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

fn new(definition: Definition) -> Alarm {
    Alarm::new(definition, Instant(0))
}

fn see(alarm: &mut Alarm, value: Result<f64, NoValue>, at: u64) -> Option<Transition> {
    let reading = match value {
        Ok(value) => Reading::measured(value, WallMs(0)),
        Err(cause) => Reading::absent(cause, WallMs(0)),
    };
    alarm.observe(&reading, Instant(at))
}

fn ack(occurrence: u32) -> Action {
    Action::Acknowledge {
        occurrence: Some(occurrence),
    }
}

const SHELVE: Action = Action::Shelve {
    minutes: 10,
    reason: true,
    second: false,
};

/// An alarm of this definition, active and unacknowledged.
fn raised(definition: Definition) -> Alarm {
    let mut alarm = new(definition);
    let transition = see(&mut alarm, Ok(60.0), 0).expect("it trips at once");
    assert_eq!(transition.cause, Cause::Active);
    alarm
}

#[test]
fn a_limit_trips_at_its_set_point_and_clears_beyond_its_deadband_alone() {
    let mut alarm = new(definition());
    assert_eq!(see(&mut alarm, Ok(49.999), 0), None);
    assert!(see(&mut alarm, Ok(50.0), 1).is_some());
    assert_eq!(see(&mut alarm, Ok(48.0), 2), None);
    assert_eq!(
        see(&mut alarm, Ok(47.999), 3).map(|line| line.to),
        Some(Shown::ReturnedUnacknowledged)
    );
    let low = Condition::LoLo {
        set_point: 10.0,
        deadband: 1.0,
    };
    let mut alarm = new(Definition {
        condition: low,
        ..definition()
    });
    assert_eq!(see(&mut alarm, Ok(10.001), 0), None);
    assert!(see(&mut alarm, Ok(10.0), 1).is_some());
    assert_eq!(see(&mut alarm, Ok(11.0), 2), None);
    assert!(see(&mut alarm, Ok(11.001), 3).is_some());
}

#[test]
fn a_delay_fires_at_its_own_time_and_a_good_value_ends_it() {
    let mut alarm = new(Definition {
        on_delay_ms: 2000,
        off_delay_ms: 5000,
        ..definition()
    });
    assert_eq!(see(&mut alarm, Ok(60.0), 0), None);
    // Inside the deadband is a good value that is not set: nothing accumulates (R5).
    assert_eq!(see(&mut alarm, Ok(49.0), 1000), None);
    assert_eq!(alarm.fire(Instant(9000)), None);
    see(&mut alarm, Ok(60.0), 10_000);
    assert_eq!(alarm.fire(Instant(11_999)), None);
    let (at, transition) = alarm.fire(Instant(15_000)).expect("it is due");
    assert_eq!(at, Instant(12_000));
    assert_eq!(transition.map(|line| line.cause), Some(Cause::Active));
    see(&mut alarm, Ok(40.0), 20_000);
    see(&mut alarm, Ok(49.0), 21_000);
    assert_eq!(alarm.fire(Instant(30_000)), None);
    see(&mut alarm, Ok(40.0), 30_000);
    let (at, transition) = alarm.fire(Instant(40_000)).expect("it is due");
    assert_eq!(
        (at, transition.map(|line| line.cause)),
        (Instant(35_000), Some(Cause::Clear))
    );
}

#[test]
fn a_bad_reading_never_clears_an_alarm_and_stops_its_off_delay() {
    let mut alarm = raised(Definition {
        off_delay_ms: 5000,
        ..definition()
    });
    see(&mut alarm, Ok(40.0), 1000);
    assert_eq!(see(&mut alarm, Err(NoValue::Timeout), 2000), None);
    assert_eq!(alarm.fire(Instant(60_000)), None);
    assert!(alarm.is_active());
    see(&mut alarm, Ok(40.0), 60_000);
    assert!(alarm.fire(Instant(65_000)).is_some());
    assert!(!alarm.is_active());
}

#[test]
fn an_on_delay_runs_on_through_a_missing_value() {
    let mut alarm = new(Definition {
        on_delay_ms: 2000,
        ..definition()
    });
    see(&mut alarm, Ok(60.0), 0);
    see(&mut alarm, Err(NoValue::Timeout), 1000);
    assert!(alarm.fire(Instant(2000)).is_some());
    assert!(alarm.is_active());
}

#[test]
fn over_range_trips_every_high_limit_and_under_range_none() {
    let mut alarm = new(definition());
    assert_eq!(see(&mut alarm, Err(NoValue::UnderRange), 0), None);
    assert_eq!(see(&mut alarm, Err(NoValue::SensorFault), 1), None);
    assert_eq!(see(&mut alarm, Ok(f64::NAN), 2), None);
    assert!(see(&mut alarm, Err(NoValue::OverRange), 3).is_some());
    let low = Condition::Lo {
        set_point: 10.0,
        deadband: 1.0,
    };
    let mut alarm = new(Definition {
        condition: low,
        ..definition()
    });
    assert_eq!(see(&mut alarm, Err(NoValue::OverRange), 0), None);
    assert_eq!(see(&mut alarm, Err(NoValue::UnderRange), 1), None);
}

#[test]
fn every_cause_of_absence_is_a_fault_and_a_value_ends_it() {
    for code in 0..=u16::MAX {
        let Some(cause) = NoValue::from_code(code) else {
            continue;
        };
        let mut alarm = new(Definition {
            condition: Condition::Bad,
            ..definition()
        });
        assert!(see(&mut alarm, Err(cause), 0).is_some(), "{cause:?}");
        assert!(see(&mut alarm, Ok(1.0), 1).is_some(), "{cause:?}");
    }
}

#[test]
fn a_point_that_falls_silent_goes_stale_counted_from_the_start_and_any_reading_ends_it() {
    let mut alarm = new(Definition {
        condition: Condition::Stale { after_ms: 10_000 },
        ..definition()
    });
    assert_eq!(alarm.fire(Instant(9_999)), None);
    let (at, transition) = alarm.fire(Instant(20_000)).expect("it is due");
    assert_eq!((at, transition.is_some()), (Instant(10_000), true));
    let end = see(&mut alarm, Err(NoValue::Timeout), 21_000);
    assert_eq!(end.map(|line| line.cause), Some(Cause::Clear));
    assert!(alarm.fire(Instant(31_000)).is_some());
}

#[test]
fn a_device_that_does_not_answer_alarms_until_it_does() {
    let mut alarm = new(Definition {
        condition: Condition::CommsLost,
        ..definition()
    });
    assert!(alarm.observe_contact(false, Instant(0)).is_some());
    assert_eq!(alarm.observe_contact(false, Instant(1)), None);
    assert!(alarm.observe_contact(true, Instant(2)).is_some());
}

#[test]
fn an_acknowledgement_counts_for_the_occurrence_that_it_saw_alone() {
    let mut alarm = raised(definition());
    see(&mut alarm, Ok(10.0), 1);
    see(&mut alarm, Ok(60.0), 2);
    assert_eq!(alarm.occurrence(), 2);
    let now = Instant(3);
    assert_eq!(alarm.act(ack(1), LOCAL, now), Err(Refusal::NewerOccurrence));
    assert_eq!(alarm.act(ack(3), LOCAL, now), Err(Refusal::Occurrence));
    let unnamed = Action::Acknowledge { occurrence: None };
    assert_eq!(alarm.act(unnamed, REMOTE, now), Err(Refusal::Occurrence));
    assert_eq!(
        alarm.act(ack(2), REMOTE, now).map(|line| line.to),
        Ok(Shown::Acknowledged)
    );
    assert_eq!(
        alarm.act(ack(2), LOCAL, now),
        Err(Refusal::NotUnacknowledged)
    );
}

#[test]
fn a_return_to_normal_is_no_acknowledgement() {
    let mut alarm = raised(definition());
    see(&mut alarm, Ok(10.0), 1);
    assert_eq!(alarm.shown(), Shown::ReturnedUnacknowledged);
    assert_eq!(
        alarm.act(ack(1), LOCAL, Instant(2)).map(|line| line.to),
        Ok(Shown::Normal)
    );
}

#[test]
fn a_latch_ends_by_a_local_reset_after_clearing_acknowledging_and_a_good_value() {
    let mut alarm = raised(Definition {
        latching: true,
        ..definition()
    });
    let reset = |alarm: &mut Alarm, actor| alarm.act(Action::Reset, actor, Instant(9));
    assert_eq!(reset(&mut alarm, LOCAL), Err(Refusal::Active));
    see(&mut alarm, Ok(10.0), 10);
    assert_eq!(alarm.shown(), Shown::LatchedUnacknowledged);
    assert_eq!(reset(&mut alarm, LOCAL), Err(Refusal::Unacknowledged));
    assert!(alarm.act(ack(1), LOCAL, Instant(11)).is_ok());
    see(&mut alarm, Err(NoValue::Timeout), 12);
    assert_eq!(reset(&mut alarm, LOCAL), Err(Refusal::BadQuality));
    see(&mut alarm, Ok(10.0), 13);
    assert_eq!(reset(&mut alarm, REMOTE), Err(Refusal::Remote));
    assert!(alarm.demands());
    assert_eq!(
        reset(&mut alarm, LOCAL).map(|line| line.to),
        Ok(Shown::Normal)
    );
    assert!(!alarm.demands());
}

#[test]
fn shelving_needs_a_reason_a_bound_and_for_the_highest_priority_a_second_person() {
    let mut alarm = raised(definition());
    let mut shelve = |minutes, reason| {
        let action = Action::Shelve {
            minutes,
            reason,
            second: false,
        };
        alarm.act(action, LOCAL, Instant(1))
    };
    assert_eq!(shelve(10, false), Err(Refusal::Reason));
    assert_eq!(shelve(0, true), Err(Refusal::Minutes));
    assert_eq!(shelve(481, true), Err(Refusal::Minutes));
    assert_eq!(shelve(480, true).map(|line| line.to), Ok(Shown::Shelved));
    assert_eq!(shelve(480, true), Err(Refusal::Already));
    let mut first = raised(Definition {
        priority: Priority::P1,
        ..definition()
    });
    assert_eq!(
        first.act(SHELVE, LOCAL, Instant(1)),
        Err(Refusal::SecondPerson)
    );
    let mut gas = raised(Definition {
        gas_level_2: true,
        ..definition()
    });
    assert_eq!(
        gas.act(SHELVE, REMOTE, Instant(1)),
        Err(Refusal::NotShelvable)
    );
}

#[test]
fn a_shelving_ends_by_itself_and_the_alarm_stands_unacknowledged_again() {
    let mut alarm = raised(definition());
    assert!(alarm.act(ack(1), LOCAL, Instant(1)).is_ok());
    assert!(alarm.act(SHELVE, LOCAL, Instant(2)).is_ok());
    assert_eq!(
        alarm.act(ack(1), LOCAL, Instant(3)),
        Err(Refusal::Suppressed)
    );
    assert_eq!(alarm.fire(Instant(600_001)), None);
    let (at, transition) = alarm.fire(Instant(700_000)).expect("it is due");
    let line = transition.expect("it tells");
    assert_eq!(
        (at, line.cause, line.to),
        (
            Instant(600_002),
            Cause::ShelveExpired,
            Shown::Unacknowledged
        )
    );
    assert_eq!(alarm.occurrence(), 2);
}

#[test]
fn nobody_takes_an_alarm_out_of_service_from_afar_or_without_the_role() {
    let out = Action::OutOfService { reason: true };
    let mut alarm = raised(definition());
    let remote = Actor {
        remote: true,
        maintenance: true,
    };
    assert!(alarm.act(out, remote, Instant(1)).is_err());
    assert!(alarm.act(out, LOCAL, Instant(1)).is_err());
    assert!(!alarm.is_out_of_service());
    let silent = Action::OutOfService { reason: false };
    assert_eq!(
        alarm.act(silent, MAINTENANCE, Instant(1)),
        Err(Refusal::Reason)
    );
    assert!(alarm.act(out, MAINTENANCE, Instant(1)).is_ok());
    assert!(!alarm.demands());
}

#[test]
fn a_shelved_alarm_goes_on_being_judged_and_demands_its_outputs() {
    let mut alarm = new(definition());
    assert!(alarm.act(SHELVE, LOCAL, Instant(1)).is_ok());
    let line = see(&mut alarm, Ok(60.0), 2).expect("it is recorded");
    assert_eq!(
        (line.from, line.to, line.cause),
        (Shown::Shelved, Shown::Shelved, Cause::Active)
    );
    assert!(alarm.demands());
}

#[test]
fn a_restart_keeps_the_state_and_runs_what_fell_due_meanwhile() {
    let mut alarm = raised(Definition {
        latching: true,
        ..definition()
    });
    assert!(alarm.act(SHELVE, LOCAL, Instant(0)).is_ok());
    let saved = alarm.saved(Instant(0), WallMs(1_000_000));
    let saved = Saved::from_bytes(&saved.to_bytes()).expect("its own bytes read back");
    let wall = WallMs(1_000_000 + 300_000);
    let mut again = Alarm::restore(*alarm.definition(), &saved, Instant(0), wall);
    assert_eq!(
        (
            again.shown(),
            again.is_active(),
            again.is_latched(),
            again.occurrence()
        ),
        (Shown::Shelved, true, true, 1)
    );
    assert_eq!(again.fire(Instant(299_999)), None);
    assert!(again.fire(Instant(300_000)).is_some());
    let late = WallMs(1_000_000 + 900_000);
    let mut late = Alarm::restore(*alarm.definition(), &saved, Instant(0), late);
    let (at, _) = late.fire(Instant(0)).expect("it fell due while down");
    assert_eq!(at, Instant(0));
}

/// Something that happens to an alarm.
#[derive(Clone, Copy, Debug)]
enum Event {
    Value(f64),
    Missing(NoValue),
    Wait(u64),
    Act(Action, Actor),
}

fn event() -> impl Strategy<Value = Event> {
    let actor = (any::<bool>(), any::<bool>()).prop_map(|(remote, maintenance)| Actor {
        remote,
        maintenance,
    });
    let action = prop_oneof![
        (0_u32..4).prop_map(ack),
        Just(Action::Reset),
        Just(SHELVE),
        Just(Action::Unshelve),
        Just(Action::OutOfService { reason: true }),
        Just(Action::InService),
        Just(Action::Suppress),
        Just(Action::Unsuppress),
    ];
    prop_oneof![
        4 => (0.0_f64..100.0).prop_map(Event::Value),
        2 => prop_oneof![Just(NoValue::Timeout), Just(NoValue::Inhibit), Just(NoValue::UnderRange)].prop_map(Event::Missing),
        3 => (0_u64..8000).prop_map(Event::Wait),
        3 => (action, actor).prop_map(|(action, actor)| Event::Act(action, actor)),
    ]
}

proptest! {
    /// The invariants of every walk: only a good value below the deadband, and the delay after it, clears; a latch ends by a reset alone; what is refused
    /// changes nothing; each line begins in the state that the one before left; the bytes of any state read back.
    #[test]
    fn no_walk_loses_an_alarm(events in proptest::collection::vec(event(), 1..120), latching: bool, on_delay_ms in 0_u32..3000, off_delay_ms in 0_u32..6000) {
        let mut alarm = new(Definition { latching, on_delay_ms, off_delay_ms, ..definition() });
        let (mut now, mut last_good) = (Instant(0), None);
        for event in events {
            let (before, shown) = (alarm.clone(), alarm.shown());
            let mut lines = Vec::new();
            match event {
                Event::Value(value) => {
                    last_good = Some(value);
                    lines.extend(see(&mut alarm, Ok(value), now.0));
                }
                Event::Missing(cause) => {
                    last_good = None;
                    lines.extend(see(&mut alarm, Err(cause), now.0));
                }
                Event::Wait(ms) => {
                    now = now.after(ms);
                    while let Some((at, line)) = alarm.fire(now) {
                        prop_assert!(at <= now);
                        lines.extend(line);
                    }
                }
                Event::Act(action, actor) => match alarm.act(action, actor, now) {
                    Ok(line) => lines.push(line),
                    Err(_) => {
                        prop_assert_eq!(alarm.saved(now, WallMs(0)), before.saved(now, WallMs(0)));
                        prop_assert_eq!(alarm.due(), before.due());
                    }
                },
            }
            let mut standing = shown;
            for line in &lines {
                prop_assert_eq!(line.from, standing);
                standing = line.to;
            }
            prop_assert_eq!(standing, alarm.shown());
            if before.is_active() && !alarm.is_active() {
                prop_assert!(last_good.is_some_and(|value| value < 48.0), "cleared by {last_good:?}");
            }
            if before.is_latched() && !alarm.is_latched() {
                let by_reset = matches!(event, Event::Act(Action::Reset, Actor { remote: false, .. }));
                prop_assert!(by_reset, "a latch was lost");
            }
            prop_assert!(alarm.occurrence() >= before.occurrence());
            let saved = alarm.saved(now, WallMs(0));
            prop_assert_eq!(Saved::from_bytes(&saved.to_bytes()), Some(saved));
        }
    }

    #[test]
    fn no_bytes_make_a_saved_state_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = Saved::from_bytes(&bytes);
    }
}
