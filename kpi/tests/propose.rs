//! Proposals on made signals whose right answer is known.

use davy_alarm::{Condition, Definition, NoValue, Priority, Reading, WallMs};
use davy_kpi::{Allowed, Parameter, Proposal, Proposals, Unproposed, propose};

fn definition(condition: Condition) -> Definition {
    Definition {
        condition,
        priority: Priority::P3,
        on_delay_ms: 0,
        off_delay_ms: 0,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 480,
        remote_reset: false,
    }
}

const HIGH: Condition = Condition::Hi {
    set_point: 50.0,
    deadband: 0.0,
};

fn allowed() -> Allowed {
    Allowed {
        range: (0.0, 100.0),
        decimals: 1,
        later_ms: 10_000,
    }
}

/// A value a second.
fn signal(values: impl IntoIterator<Item = f64>) -> Vec<Reading> {
    (0..)
        .zip(values)
        .map(|(second, value)| Reading::measured(value, WallMs(1_000_000 + second * 1_000)))
        .collect()
}

fn of(found: &Proposals, parameter: Parameter) -> Option<&Proposal> {
    found
        .proposals
        .iter()
        .find(|one| one.parameter == parameter)
}

/// Half a minute at 40, then noise about the set-point: one second above, one below by `dip`, twenty times over.
fn noisy(dip: f64) -> Vec<Reading> {
    let noise = (0..40).map(move |n| if n % 2 == 0 { 50.3 } else { 50.0 - dip });
    signal(std::iter::repeat_n(40.0, 30).chain(noise))
}

#[test]
fn noise_is_answered_by_the_deadband_that_just_covers_its_dips() {
    let found = propose(&definition(HIGH), &noisy(1.23), &allowed()).expect("chatter");
    assert_eq!(found.trips, 20);
    let peak_to_peak = found.peak_to_peak.expect("values");
    assert!((peak_to_peak - 1.53).abs() < 1e-9);
    assert_eq!(found.longest_return_ms, 1_000);
    let deadband = of(&found, Parameter::Deadband).expect("a deadband");
    // 1.23 is rounded up to the instrument's decimals.
    assert_eq!(
        (deadband.now, deadband.proposed, deadband.trips_after),
        (0.0, 1.3, 1)
    );
    assert_eq!(deadband.later_ms, 0);
}

#[test]
fn a_dip_to_the_very_edge_does_not_clear() {
    let found = propose(&definition(HIGH), &noisy(1.5), &allowed()).expect("chatter");
    assert_eq!(
        of(&found, Parameter::Deadband)
            .expect("a deadband")
            .proposed,
        1.5
    );
}

#[test]
fn returns_of_a_second_are_answered_by_an_off_delay_of_two() {
    // An off-delay of one second is over with the reading that trips again, and the timer fires before it (R4).
    let found = propose(&definition(HIGH), &noisy(1.2), &allowed()).expect("chatter");
    let off = of(&found, Parameter::OffDelay).expect("an off-delay");
    assert_eq!((off.proposed, off.trips_after, off.later_ms), (2.0, 1, 0));
}

#[test]
fn an_on_delay_answers_short_peaks_before_a_long_one_and_is_not_proposed_where_a_trip_must_be_prompt()
 {
    let peaks = (0..20).flat_map(|_| [51.0, 51.0, 30.0, 30.0, 30.0]);
    // The first peak is real and lasts.
    let readings = signal(
        std::iter::repeat_n(51.0, 20)
            .chain(std::iter::repeat_n(30.0, 90))
            .chain(peaks),
    );
    let found = propose(&definition(HIGH), &readings, &allowed()).expect("chatter");
    let on = of(&found, Parameter::OnDelay).expect("an on-delay");
    assert_eq!((on.proposed, on.trips_after, on.later_ms), (3.0, 1, 3_000));

    let short = Allowed {
        later_ms: 2_000,
        ..allowed()
    };
    let found = propose(&definition(HIGH), &readings, &short).expect("chatter");
    assert_eq!(
        of(&found, Parameter::OnDelay),
        None,
        "it would come too late"
    );

    let high_high = Condition::HiHi {
        set_point: 50.0,
        deadband: 0.0,
    };
    let low_low = Condition::LoLo {
        set_point: 30.0,
        deadband: 0.0,
    };
    let prompt = [
        definition(high_high),
        definition(low_low),
        Definition {
            priority: Priority::P1,
            ..definition(HIGH)
        },
        Definition {
            gas_level_2: true,
            ..definition(HIGH)
        },
    ];
    for definition in prompt {
        let found = propose(&definition, &readings, &allowed()).expect("chatter");
        assert_eq!(of(&found, Parameter::OnDelay), None, "{definition:?}");
    }
}

#[test]
fn an_alarm_that_would_never_have_come_is_no_proposal() {
    // Peaks alone: an on-delay that outlasts them would silence the alarm altogether.
    let peaks = (0..20).flat_map(|_| [51.0, 30.0, 30.0]);
    let found = propose(&definition(HIGH), &signal(peaks), &allowed()).expect("chatter");
    assert_eq!(of(&found, Parameter::OnDelay), None);
}

#[test]
fn a_swing_wider_than_a_deadband_may_be_gets_none() {
    let found = propose(&definition(HIGH), &noisy(25.0), &allowed()).expect("chatter");
    assert_eq!(of(&found, Parameter::Deadband), None);
    assert!(of(&found, Parameter::OffDelay).is_some());
}

#[test]
fn a_low_alarm_is_answered_as_a_high_one() {
    let low = Condition::Lo {
        set_point: 20.0,
        deadband: 0.5,
    };
    let values = (0..40).map(|n| if n % 2 == 0 { 19.8 } else { 20.9 });
    let found = propose(&definition(low), &signal(values), &allowed()).expect("chatter");
    let deadband = of(&found, Parameter::Deadband).expect("a deadband");
    assert_eq!((deadband.now, deadband.proposed), (0.5, 0.9));
}

#[test]
fn nine_in_ten_of_the_repeats_must_go_and_no_more_need_to() {
    // Eleven trips, ten repeats: nine dips of 0.4 and one of 2.
    let mut values = vec![40.0];
    for dip in [0.4; 9].into_iter().chain([2.0]) {
        values.extend([50.0, 50.0 - dip]);
    }
    values.push(50.0);
    let found = propose(&definition(HIGH), &signal(values.clone()), &allowed()).expect("chatter");
    assert_eq!(found.trips, 11);
    let deadband = of(&found, Parameter::Deadband).expect("a deadband");
    assert_eq!((deadband.proposed, deadband.trips_after), (0.4, 2));

    // With a second deep dip the shallow ones are but eight in ten.
    values[4] = 48.0;
    let found = propose(&definition(HIGH), &signal(values), &allowed()).expect("chatter");
    assert_eq!(
        of(&found, Parameter::Deadband)
            .expect("a deadband")
            .proposed,
        2.0
    );
}

#[test]
fn a_bad_value_between_two_trips_clears_nothing_in_the_judging_again() {
    let mut readings = noisy(1.2);
    let time = readings[31].source_time();
    readings[31] = Reading::absent(NoValue::Timeout, time);
    let found = propose(&definition(HIGH), &readings, &allowed()).expect("chatter");
    assert_eq!(found.trips, 19);
}

#[test]
fn where_the_signal_tells_nothing_nothing_is_proposed() {
    let twice = signal([40.0, 51.0, 40.0, 51.0]);
    assert_eq!(
        propose(&definition(HIGH), &twice, &allowed()),
        Err(Unproposed::TooFewTrips)
    );
    assert_eq!(
        propose(&definition(HIGH), &[], &allowed()),
        Err(Unproposed::TooFewTrips)
    );
    let moved = Condition::RateOfChange {
        limit: 5.0,
        deadband: 0.0,
    };
    assert_eq!(
        propose(&definition(moved), &twice, &allowed()),
        Err(Unproposed::NoSignal)
    );
}
