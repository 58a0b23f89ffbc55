//! Outputs that do not do what is demanded of them.
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, HH, discrete, output, point};
use davy_alarm::{Cause, Instant, NoValue, Shown, WallMs};
use davy_config::site::OutputIndex;

const FAN: OutputIndex = OutputIndex(0);

fn effect(causes: &str, outputs: &str) -> String {
    format!("\n[[effect]]\ncauses = [{causes}]\noutputs = [{outputs}]\n")
}

/// A.HH demands FAN, and FAN's failure demands SIREN.
fn site(feedback: &str) -> Bench {
    Bench::new(&[
        point("A", 0, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        discrete("RUNS", 1, ""),
        output("FAN", 1, feedback),
        output("SIREN", 2, ""),
        effect("\"A.HH\"", "\"FAN\""),
        effect("\"FAN.FAILED\"", "\"SIREN\""),
    ])
}

fn feed(bench: &mut Bench, feedback: Option<bool>, at: u64) {
    bench.judge.feedback(FAN, feedback, Instant(at));
    bench.end_instant();
}

#[test]
fn an_output_that_does_not_come_on_fails_at_the_end_of_its_time_out_and_switches_another() {
    let mut bench = site("");
    feed(&mut bench, Some(false), 500);
    bench.see("A", 60.0, 1000);
    feed(&mut bench, Some(false), 2000);
    bench.wait(10_999);
    assert!(!bench.active("FAN.FAILED"));
    bench.wait(20_000);
    assert_eq!(
        bench.lines("FAN.FAILED"),
        [(11_000, Cause::Active, Shown::Unacknowledged)]
    );
    assert!(bench.output("SIREN"));
    feed(&mut bench, Some(true), 21_000);
    assert!(!bench.active("FAN.FAILED") && !bench.output("SIREN"));
}

#[test]
fn an_output_that_obeys_within_its_time_out_does_not_fail() {
    let mut bench = site("");
    feed(&mut bench, Some(false), 500);
    bench.see("A", 60.0, 1000);
    feed(&mut bench, Some(true), 10_999);
    bench.wait(60_000);
    assert!(bench.lines("FAN.FAILED").is_empty());
    // And one that stays on when it should not fails as well.
    bench.see("A", 10.0, 61_000);
    bench.wait(71_000);
    assert_eq!(
        bench.lines("FAN.FAILED"),
        [(71_000, Cause::Active, Shown::Unacknowledged)]
    );
}

#[test]
fn a_feedback_that_cannot_be_read_neither_raises_nor_clears() {
    let mut bench = site("");
    feed(&mut bench, None, 500);
    bench.see("A", 60.0, 1000);
    bench.wait(60_000);
    assert!(!bench.active("FAN.FAILED"));
    feed(&mut bench, Some(false), 61_000);
    feed(&mut bench, None, 62_000);
    bench.wait(80_000);
    assert!(bench.active("FAN.FAILED"), "what ran ran on");
    feed(&mut bench, None, 81_000);
    assert!(bench.active("FAN.FAILED"));
}

#[test]
fn a_feedback_point_counts_in_place_of_the_register() {
    let mut bench =
        site("[output.feedback]\npoint = \"RUNS\"\nwhen = false\ntimeout_s = 2\npriority = 1\n");
    bench.see("RUNS", 1.0, 500);
    bench.see("A", 60.0, 1000);
    feed(&mut bench, Some(true), 1500);
    bench.wait(3000);
    assert!(bench.active("FAN.FAILED"), "the register is not asked");
    bench.lose("RUNS", NoValue::Timeout, 4000);
    assert!(bench.active("FAN.FAILED"));
    bench.see("RUNS", 0.0, 5000);
    assert!(!bench.active("FAN.FAILED"));
}

#[test]
fn a_minimum_run_ends_at_its_own_time_however_far_time_leaps() {
    let mut bench = Bench::new(&[
        point("A", 0, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        output("FAN", 1, "min_run_s = 60\n"),
        effect("\"A.HH\"", "\"FAN\""),
    ]);
    bench.see("A", 60.0, 1000);
    bench.see("A", 10.0, 2000);
    bench.judge.advance(Instant(3_600_000 * 5));
    bench.judge.settle();
    let ended = bench
        .judge
        .take_happenings()
        .into_iter()
        .find_map(|told| match told {
            davy_gateway::judge::Happening::Output { at, on: false, .. } => Some(at),
            _ => None,
        });
    assert_eq!(ended, Some(Instant(61_000)));
}

/// A siren that A.HH demands and that runs a minute at least; it came on at 1 s and nothing demands it from 2 s on.
fn runs_on() -> Bench {
    let mut bench = Bench::new(&[
        point("A", 0, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        output("FAN", 1, "min_run_s = 60\n"),
        effect("\"A.HH\"", "\"FAN\""),
    ]);
    bench.see("A", 60.0, 1000);
    bench.see("A", 10.0, 2000);
    bench.wait(21_000);
    assert!(bench.output("FAN"), "a third of its run is over");
    bench
}

#[test]
fn a_minimum_run_goes_on_over_a_restart_by_the_time_that_passed() {
    let mut again = runs_on().restarted_after(10_000);
    assert!(again.output("FAN"), "half of its run is left");
    again.wait(29_999);
    assert!(again.output("FAN"));
    again.wait(30_000);
    assert!(!again.output("FAN"));
}

#[test]
fn a_minimum_run_that_ended_while_the_gateway_was_down_is_over_at_its_start() {
    let again = runs_on().restarted_after(40_000);
    assert!(!again.output("FAN"));
    assert_eq!(again.since, [Some(WallMs(61_000))], "and that is told");
}

#[test]
fn a_minimum_run_outlasts_two_restarts_and_is_not_begun_anew_by_either() {
    let mut again = runs_on().restarted_after(0);
    again.wait(20_000);
    let mut again = again.restarted_after(0);
    again.wait(19_999);
    assert!(again.output("FAN"));
    again.wait(20_000);
    assert!(
        !again.output("FAN"),
        "on at 1 s, two restarts at 21 s and 41 s, off at 61 s"
    );
}

#[test]
fn an_output_that_is_demanded_over_a_restart_is_not_told_anew() {
    let mut bench = Bench::new(&[
        point("A", 0, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        output("FAN", 1, "min_run_s = 60\n"),
        effect("\"A.HH\"", "\"FAN\""),
    ]);
    bench.see("A", 60.0, 1000);
    let mut again = bench.restarted_after(100_000);
    assert!(again.output("FAN"));
    assert_eq!(again.since, [Some(WallMs(1000))], "it is on as before");
    again.see("A", 10.0, 1000);
    assert!(!again.output("FAN"), "its minimum run is long over");
}
