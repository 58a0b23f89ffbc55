//! Conditions that look at more than the present value: deviation, rate of change, standing still, exposure.
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, point};
use davy_alarm::{Cause, NoValue, Shown};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;

fn with(alarm: &str) -> String {
    format!("stale_s = 3600\n[point.alarms.BAD]\non_delay_s = 0\n{alarm}")
}

const DELAYS: &str = "on_delay_s = 0\noff_delay_s = 0\npriority = 3\n";

#[test]
fn a_deviation_from_a_set_point_counts_both_ways_and_clears_inside_its_deadband() {
    let alarm = format!("[point.alarms.DEV]\nfrom = 50\nset_point = 10\ndeadband = 2\n{DELAYS}");
    let mut bench = Bench::new(&[point("A", 0, &with(&alarm))]);
    for (at, (value, active)) in (1..).zip([
        (59.9, false),
        (60.0, true),
        (58.0, true),
        (57.9, false),
        (40.0, true),
    ]) {
        bench.see("A", value, at * SECOND);
        assert_eq!(bench.active("A.DEV"), active, "{value}");
    }
    bench.lose("A", NoValue::Timeout, 10 * SECOND);
    assert!(bench.active("A.DEV"), "bad never clears");
}

#[test]
fn a_deviation_from_another_point_is_judged_when_either_is_read_and_holds_while_one_is_lost() {
    let alarm = format!("[point.alarms.DEV]\nfrom = \"A\"\nset_point = 10\ndeadband = 2\n{DELAYS}");
    let mut bench = Bench::new(&[
        point(
            "A",
            0,
            &with(&format!("[point.alarms.HH]\nset_point = 90\n{DELAYS}")),
        ),
        point("B", 1, &with(&alarm)),
    ]);
    bench.see("B", 50.0, SECOND);
    assert!(!bench.active("B.DEV"), "nothing to compare with yet");
    bench.see("A", 50.0, 2 * SECOND);
    bench.see("A", 40.0, 3 * SECOND);
    assert!(bench.active("B.DEV"));
    bench.lose("A", NoValue::OverRange, 4 * SECOND);
    bench.see("B", 40.0, 5 * SECOND);
    assert!(bench.active("B.DEV"), "there is nothing to be near to");
    bench.see("A", 40.0, 6 * SECOND);
    assert!(!bench.active("B.DEV"));
    // B falls silent: A's readings say nothing of it.
    for minute in 1..70 {
        bench.see(
            "A",
            80.0 * f64::from(u8::from(minute > 61)) + 5.0,
            minute * MINUTE + 7 * SECOND,
        );
        if minute < 2 {
            bench.see("B", 5.0, minute * MINUTE + 7 * SECOND);
        }
    }
    assert!(bench.active("B.STALE") && !bench.active("B.DEV"));
}

#[test]
fn a_jump_within_the_window_alarms_at_once_and_clears_when_the_window_has_passed() {
    let alarm = format!(
        "[point.alarms.ROC]\nwindow_s = 60\nmoves = \"up\"\nset_point = 20\ndeadband = 5\n{DELAYS}"
    );
    let mut bench = Bench::new(&[point("A", 0, &with(&alarm))]);
    bench.see("A", 10.0, SECOND);
    bench.see("A", 29.9, 2 * SECOND);
    assert!(!bench.active("A.ROC"));
    bench.see("A", 30.0, 3 * SECOND);
    assert!(bench.active("A.ROC"));
    bench.see("A", 30.0, 50 * SECOND);
    assert!(bench.active("A.ROC"));
    bench.see("A", 30.0, 70 * SECOND);
    assert!(!bench.active("A.ROC"));
    bench.see("A", 0.0, 71 * SECOND);
    assert!(!bench.active("A.ROC"), "a fall is not a rise");
    // The same rise over minutes is none.
    for step in 0..30_u32 {
        bench.see(
            "A",
            f64::from(step),
            200 * SECOND + u64::from(step) * 10 * SECOND,
        );
    }
    assert!(!bench.active("A.ROC"));
}

#[test]
fn a_value_that_stands_still_is_frozen_after_its_time_and_any_movement_ends_it() {
    let alarm = "[point.alarms.FROZEN]\non_delay_s = 600\nband = 0.1\n";
    let mut bench = Bench::new(&[point("A", 0, &with(alarm))]);
    for minute in 0..=20 {
        // A movement in the fifth minute starts the time anew.
        let value = if minute < 5 { 20.0 } else { 20.2 };
        bench.see(
            "A",
            value + 0.05 * f64::from(minute as u8 % 2),
            minute * MINUTE,
        );
    }
    assert_eq!(
        bench.lines("A.FROZEN"),
        [(15 * MINUTE, Cause::Active, Shown::Unacknowledged)]
    );
    bench.see("A", 25.0, 21 * MINUTE);
    assert_eq!(bench.shown("A.FROZEN"), Shown::ReturnedUnacknowledged);
    bench.wait(32 * MINUTE);
    assert!(bench.active("A.FROZEN"), "it stands still again");
}

fn exposure(kind: &str) -> Bench {
    let alarm = format!("[point.alarms.{kind}]\nset_point = 30\ndeadband = 1\n{DELAYS}");
    Bench::new(&[point("A", 0, &with(&alarm))])
}

#[test]
fn a_short_term_exposure_is_the_mean_of_fifteen_minutes_once_four_fifths_are_known() {
    let mut bench = exposure("STEL");
    let mut first = None;
    for second in (0..=1200).step_by(15) {
        bench.see("A", 31.0, second * SECOND);
        if first.is_none() && bench.active("A.STEL") {
            first = Some(second);
        }
    }
    assert_eq!(first, Some(720), "80 % of 900 s");
    for second in (1215..=1300).step_by(15) {
        bench.see("A", 0.0, second * SECOND);
    }
    assert!(!bench.active("A.STEL"), "{:?}", bench.lines("A.STEL"));
}

#[test]
fn what_is_known_of_an_exposure_proves_an_excess_and_never_the_want_of_one() {
    let mut bench = exposure("STEL");
    // 100 for 270 s is a mean of 30 over 900 s, whatever the rest may be.
    for second in (0..270).step_by(15) {
        bench.see("A", 100.0, second * SECOND);
        assert!(!bench.active("A.STEL"), "{second}");
    }
    bench.see("A", 100.0, 270 * SECOND);
    assert!(bench.active("A.STEL"));
    bench.lose("A", NoValue::Timeout, 271 * SECOND);
    for second in (300..3000).step_by(15) {
        bench.lose("A", NoValue::Timeout, second * SECOND);
    }
    assert!(bench.active("A.STEL"), "too little is known to clear it");
    for second in (3000..4000).step_by(15) {
        bench.see("A", 0.0, second * SECOND);
    }
    assert!(!bench.active("A.STEL"));
}

#[test]
fn over_range_counts_as_the_top_of_the_range_in_an_exposure() {
    let mut bench = exposure("STEL");
    for second in (0..=270).step_by(15) {
        bench.lose("A", NoValue::OverRange, second * SECOND);
    }
    assert!(bench.active("A.STEL"));
}

#[test]
fn a_shift_is_eight_hours() {
    let mut bench = exposure("TWA");
    let mut first = None;
    for minute in 0..600 {
        bench.see("A", 31.0, minute * MINUTE);
        if first.is_none() && bench.active("A.TWA") {
            first = Some(minute);
        }
    }
    assert_eq!(first, Some(384), "80 % of eight hours");
}
