//! Long random walks over every kind of condition, every setting, every act by everybody.

use crate::definitions::{HIGH, definition};
use crate::reference::Input;
use crate::walk::{Event, Walk};
use davy_alarm::{Action, Actor, Condition, Definition, NoValue, Priority, Signal};
use proptest::prelude::*;

/// Every kind, with its edges among the values below.
fn condition(step: u64) -> impl Strategy<Value = Condition> {
    let (set_point, deadband) = (50.0, 5.0);
    let after_ms = (3 * step) as u32;
    prop_oneof![
        4 => Just(HIGH),
        1 => Just(Condition::Hi { set_point, deadband }),
        2 => Just(Condition::Lo { set_point, deadband }),
        1 => Just(Condition::LoLo { set_point, deadband }),
        1 => Just(Condition::Deviation { limit: set_point, deadband }),
        1 => Just(Condition::RateOfChange { limit: set_point, deadband }),
        1 => Just(Condition::Stel { limit: set_point, deadband: 0.0 }),
        1 => Just(Condition::Twa { limit: set_point, deadband }),
        1 => any::<bool>().prop_map(|when| Condition::Discrete { when }),
        1 => Just(Condition::Bad),
        3 => Just(Condition::Stale { after_ms }),
        1 => Just(Condition::CommsLost),
        1 => Just(Condition::Vote),
        1 => Just(Condition::Degraded),
        1 => Just(Condition::Unmonitored),
        1 => Just(Condition::Discrepancy),
        1 => Just(Condition::OutputFailed),
        2 => Just(Condition::Frozen),
    ]
}

fn settings(step: u64) -> impl Strategy<Value = Definition> {
    let delay = move || (0_u32..4).prop_map(move |steps| steps * step as u32);
    let priority = (1_u8..=4).prop_map(|number| Priority::from_number(number).expect("1 to 4"));
    let re_alarm = proptest::option::of((1_u32..6).prop_map(move |steps| steps * step as u32));
    let flags = any::<(bool, bool, bool)>();
    (condition(step), delay(), delay(), priority, re_alarm, flags).prop_map(
        |(condition, on_delay_ms, off_delay_ms, priority, re_alarm_ms, flags)| Definition {
            on_delay_ms,
            off_delay_ms,
            priority,
            re_alarm_ms,
            latching: flags.0,
            gas_level_2: flags.1,
            remote_reset: flags.2,
            ..definition(condition)
        },
    )
}

fn input(condition: Condition) -> BoxedStrategy<Input> {
    let says = [Signal::Set, Signal::Clear, Signal::Unknown];
    let says = proptest::sample::select(says.to_vec()).prop_map(Input::Says);
    let values = [0.0, 1.0, 44.9, 45.0, 49.9, 50.0, 50.1, 55.0, 55.1, f64::NAN];
    let values = proptest::sample::select([&values[..], &[f64::INFINITY]].concat());
    let causes = [
        NoValue::Timeout,
        NoValue::OverRange,
        NoValue::UnderRange,
        NoValue::SensorFault,
        NoValue::Inhibit,
        NoValue::Exception(2),
    ];
    let missing = proptest::sample::select(causes.to_vec()).prop_map(Input::Missing);
    match condition {
        Condition::CommsLost => any::<bool>().prop_map(Input::Answered).boxed(),
        Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed => says.boxed(),
        Condition::Frozen => prop_oneof![3 => says, 1 => missing, 1 => Just(Input::Silent)].boxed(),
        Condition::Stale { .. } => prop_oneof![values.prop_map(Input::Value), missing].boxed(),
        _ => {
            prop_oneof![6 => values.prop_map(Input::Value), 2 => missing, 1 => Just(Input::Silent)]
                .boxed()
        }
    }
}

fn act() -> impl Strategy<Value = Event> {
    let shelve = (0_u32..4, any::<bool>(), any::<bool>()).prop_map(|(minutes, reason, second)| {
        Action::Shelve {
            minutes,
            reason,
            second,
        }
    });
    let action = prop_oneof![
        2 => proptest::option::of(0_u32..6).prop_map(|occurrence| Action::Acknowledge { occurrence }),
        2 => Just(Action::Reset),
        2 => shelve,
        1 => Just(Action::Unshelve),
        1 => any::<bool>().prop_map(|reason| Action::OutOfService { reason }),
        1 => Just(Action::InService),
        1 => Just(Action::Suppress),
        1 => Just(Action::Unsuppress),
    ];
    let actor = any::<(bool, bool)>().prop_map(|(remote, maintenance)| Actor {
        remote: remote && maintenance,
        maintenance,
    });
    (action, actor).prop_map(|(action, actor)| Event::Act(action, actor))
}

fn event(condition: Condition, step: u64) -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => input(condition).prop_map(Event::Input),
        6 => (1_u64..4).prop_map(move |steps| Event::Wait(steps * step)),
        3 => act(),
        2 => Just(Event::AcknowledgePresent),
        1 => (0_u64..5).prop_map(move |steps| Event::Restart(steps * step)),
    ]
}

/// By the millisecond, where nothing shelved comes back; and by 20 s, three to a minute.
pub(crate) fn walk() -> impl Strategy<Value = (Definition, u64, Vec<Event>)> {
    let step = prop_oneof![Just(1_u64), Just(20_000)];
    let settings = step.prop_flat_map(|step| (settings(step), Just(step)));
    settings.prop_flat_map(|(definition, step)| {
        let events = proptest::collection::vec(event(definition.condition, step), 1..60);
        (Just(definition), Just(step), events)
    })
}

proptest! {
    // A fault is told within seconds, if not by its shortest walk.
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_time: 5000, ..ProptestConfig::default() })]

    #[test]
    fn on_no_walk_does_the_engine_differ_from_the_rules((definition, step, events) in walk()) {
        let mut walk = Walk::new(definition, step);
        for event in events {
            let taken = walk.take(event);
            prop_assert!(taken.is_ok(), "{} after {:?}", taken.unwrap_err(), event);
        }
    }
}
