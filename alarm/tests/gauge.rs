//! Rolling windows against naive sums over every millisecond's value.

use davy_alarm::{Exposure, Extremes, Instant, Mean};
use proptest::prelude::*;

/// The value held at each millisecond.
fn held(events: &[(u64, Option<f64>)], until: u64) -> Vec<Option<f64>> {
    let mut line = Vec::new();
    let mut now = None;
    let mut events = events.iter().peekable();
    for at in 0..until {
        while let Some((_, value)) = events.next_if(|(time, _)| *time <= at) {
            now = *value;
        }
        line.push(now);
    }
    line
}

fn events() -> impl Strategy<Value = Vec<(u64, Option<f64>)>> {
    let event = (1..60_u64, proptest::option::weighted(0.8, 0.0..100.0_f64));
    proptest::collection::vec(event, 1..40).prop_map(|steps| {
        let mut at = 0;
        let mut events = Vec::new();
        for (pause, value) in steps {
            at += pause;
            events.push((at, value));
        }
        events
    })
}

proptest! {
    #[test]
    fn a_mean_at_a_buckets_end_is_the_exact_mean_of_what_is_covered(events in events(), after in 0..30_u64) {
        // Ten buckets of ten milliseconds.
        let mut mean = Mean::<10>::new(100, Instant(0));
        for (at, value) in &events {
            match value {
                Some(value) => mean.see(*value, Instant(*at)),
                None => mean.lose(Instant(*at)),
            }
        }
        let last = events.last().map_or(0, |event| event.0);
        let now = (last / 10 + 1 + after) * 10;
        let line = held(&events, now);
        let window = &line[line.len().saturating_sub(100)..];
        let known: Vec<f64> = window.iter().copied().flatten().collect();
        let sum: f64 = known.iter().sum();
        match mean.exposure(Instant(now)) {
            Exposure::Mean(found) => {
                prop_assert!(known.len() >= 80);
                prop_assert!((found - sum / known.len() as f64).abs() < 1e-6);
            }
            Exposure::AtLeast(found) => {
                prop_assert!(known.len() < 80);
                prop_assert!((found - sum / 100.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_movement_is_seen_over_the_window_at_least_and_one_bucket_more_at_most(events in events()) {
        let mut extremes = Extremes::<10>::new(100, Instant(0));
        let mut last = None;
        for (at, value) in &events {
            match value {
                Some(value) => last = Some((*at, *value, extremes.see(*value, Instant(*at)))),
                None => extremes.lose(Instant(*at)),
            }
            let Some((now, value, (up, down))) = last.filter(|last| last.0 == *at) else { continue };
            let line = held(&events, now);
            let over = |ms: usize| {
                let window = &line[line.len().saturating_sub(ms)..];
                window.iter().flatten().fold((0.0_f64, 0.0_f64), |(up, down), old| {
                    (up.max(value - old), down.max(old - value))
                })
            };
            let (least, most) = (over(100), over(111));
            prop_assert!(up >= least.0 && up <= most.0, "{up} {least:?} {most:?}");
            prop_assert!(down >= least.1 && down <= most.1);
        }
    }
}

#[test]
fn four_fifths_of_a_window_are_enough_and_missing_is_never_zero() {
    let mut mean = Mean::<60>::new(900_000, Instant(0));
    mean.see(100.0, Instant(180_001));
    assert_eq!(
        mean.exposure(Instant(900_000)),
        Exposure::AtLeast(100.0 * 719_999.0 / 900_000.0)
    );
    let mut mean = Mean::<60>::new(900_000, Instant(0));
    mean.see(100.0, Instant(180_000));
    assert_eq!(mean.exposure(Instant(900_000)), Exposure::Mean(100.0));
}

#[test]
fn a_pause_of_years_costs_no_more_than_a_window() {
    let mut mean = Mean::<60>::new(900_000, Instant(0));
    mean.see(7.0, Instant(0));
    let years = Instant(u64::MAX / 4);
    assert_eq!(mean.exposure(years), Exposure::Mean(7.0));
    let mut extremes = Extremes::<16>::new(60_000, Instant(0));
    extremes.see(5.0, Instant(0));
    assert_eq!(extremes.see(9.0, years), (4.0, 0.0));
}

#[test]
fn within_a_bucket_the_oldest_one_leaves_evenly() {
    // Ten buckets of ten milliseconds; the first holds 100, the others 0.
    let mut mean = Mean::<10>::new(100, Instant(0));
    mean.see(100.0, Instant(0));
    mean.see(0.0, Instant(10));
    assert_eq!(mean.exposure(Instant(100)), Exposure::Mean(10.0));
    let parts: Vec<Exposure> = (101..=110).map(|now| mean.exposure(Instant(now))).collect();
    for (ms, found) in (1..).zip(parts) {
        let Exposure::Mean(found) = found else {
            panic!("the window is covered");
        };
        assert!(
            (found - (10.0 - f64::from(ms))).abs() < 1e-9,
            "{ms}: {found}"
        );
    }
}

#[test]
fn a_window_knows_when_its_mean_is_exact_again() {
    let mut mean = Mean::<10>::new(100, Instant(35));
    assert_eq!(mean.next_bucket(), Instant(40));
    mean.see(1.0, Instant(39));
    assert_eq!(mean.next_bucket(), Instant(40));
    mean.see(1.0, Instant(40));
    assert_eq!(mean.next_bucket(), Instant(50));
}

#[test]
fn what_was_lost_for_a_whole_window_is_known_no_more() {
    let mut mean = Mean::<10>::new(100, Instant(0));
    mean.see(5.0, Instant(0));
    mean.lose(Instant(100));
    assert_eq!(mean.exposure(Instant(100)), Exposure::Mean(5.0));
    assert_eq!(mean.exposure(Instant(110)), Exposure::Mean(5.0));
    assert_eq!(mean.exposure(Instant(120)), Exposure::Mean(5.0));
    assert_eq!(mean.exposure(Instant(130)), Exposure::AtLeast(3.5));
    assert_eq!(mean.exposure(Instant(1000)), Exposure::AtLeast(0.0));
}

#[test]
fn a_window_shorter_than_its_buckets_has_buckets_of_a_millisecond() {
    let mut mean = Mean::<60>::new(0, Instant(0));
    mean.see(3.0, Instant(0));
    assert_eq!(mean.next_bucket(), Instant(1));
    assert_eq!(mean.exposure(Instant(60)), Exposure::Mean(3.0));
}

/// Ten buckets of ten milliseconds, and pauses that end in each of them: what stood before the window is forgotten, what stands in it is not.
#[test]
fn after_any_pause_a_mean_holds_its_window_and_nothing_else() {
    for buckets in 0..50 {
        let pause = 100 + buckets * 10;
        let mut mean = Mean::<10>::new(100, Instant(0));
        mean.see(1000.0, Instant(0));
        mean.see(5.0, Instant(5));
        // The first bucket is leaving at a pause of 100, and has left after it.
        let first = if buckets == 0 { 995.0 * 5.0 } else { 0.0 };
        mean.see(0.0, Instant(pause));
        assert_eq!(
            mean.exposure(Instant(pause)),
            Exposure::Mean((500.0 + first) / 100.0)
        );
        let half = Exposure::Mean((475.0 + first / 2.0) / 100.0);
        assert_eq!(mean.exposure(Instant(pause + 5)), half, "{pause}");
    }
}

#[test]
fn after_any_pause_a_movement_is_that_of_its_window_alone() {
    for buckets in 0..50 {
        let mut extremes = Extremes::<10>::new(100, Instant(0));
        extremes.see(0.0, Instant(5));
        extremes.see(50.0, Instant(8));
        let now = Instant(104 + buckets * 10);
        let up = if buckets == 0 { 50.0 } else { 0.0 };
        assert_eq!(extremes.see(50.0, now), (up, 0.0), "{now:?}");
        assert_eq!(extremes.see(60.0, now), (up + 10.0, 0.0));
    }
}
