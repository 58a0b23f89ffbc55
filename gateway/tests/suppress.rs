//! Suppression by design: a rule of the site file, its start and its end.
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, HH, discrete, point, site};
use davy_alarm::{Cause, NoValue, Shown};

/// While RUN shows 0, A.HH and B.HH say nothing; while C.HH is active, B.HH does not either.
fn parts() -> Vec<String> {
    let rule = |id: &str, when: &str, alarms: &str| {
        format!(
            "\n[[suppress]]\nid = \"{id}\"\nname = {{ zh = \"规则\", en = \"Rule\" }}\nwhen = {when}\nalarms = [{alarms}]\n"
        )
    };
    vec![
        point("A", 0, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        point("B", 1, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        point("C", 2, &HH.replace("stale_s = 10\n", "stale_s = 3600\n")),
        discrete("RUN", 3, ""),
        rule("STOPPED", "\"RUN\"\nis = false", "\"A.HH\", \"B.HH\""),
        rule("TRIPPED", "\"C.HH\"", "\"B.HH\""),
    ]
}

#[test]
fn a_rule_suppresses_its_alarms_while_it_holds_and_both_ends_are_told_with_the_rule() {
    let mut bench = Bench::new(&parts());
    bench.see("RUN", 0.0, 1000);
    assert_eq!(bench.shown("A.HH"), Shown::SuppressedByDesign);
    bench.see("A", 60.0, 2000);
    assert_eq!(bench.shown("A.HH"), Shown::SuppressedByDesign);
    assert!(bench.active("A.HH"), "it is judged all the same");
    bench.see("RUN", 1.0, 3000);
    assert_eq!(
        bench.lines("A.HH"),
        [
            (1000, Cause::Suppress, Shown::SuppressedByDesign),
            (2000, Cause::Active, Shown::SuppressedByDesign),
            (3000, Cause::Unsuppress, Shown::Unacknowledged),
        ]
    );
    let person = bench.told[0].person.clone().unwrap();
    assert_eq!(&*person.actor, "STOPPED");
    assert_eq!(person.reason.as_deref(), Some("RUN"));
}

#[test]
fn an_alarm_under_two_rules_is_suppressed_until_both_have_ended() {
    let mut bench = Bench::new(&parts());
    bench.see("RUN", 0.0, 1000);
    bench.see("C", 60.0, 2000);
    bench.see("RUN", 1.0, 3000);
    assert_eq!(bench.shown("A.HH"), Shown::Normal);
    assert_eq!(bench.shown("B.HH"), Shown::SuppressedByDesign);
    bench.see("C", 10.0, 4000);
    assert_eq!(bench.shown("B.HH"), Shown::Normal);
    assert_eq!(bench.lines("B.HH").len(), 2, "one start, one end");
}

#[test]
fn a_rule_whose_state_is_no_longer_seen_ends() {
    let mut bench = Bench::new(&parts());
    bench.see("RUN", 0.0, 1000);
    bench.see("A", 60.0, 2000);
    bench.lose("RUN", NoValue::Timeout, 3000);
    assert_eq!(bench.shown("A.HH"), Shown::Unacknowledged);
    bench.see("RUN", 0.0, 4000);
    assert_eq!(bench.shown("A.HH"), Shown::SuppressedByDesign);
}

#[test]
fn a_restart_keeps_a_rule_until_its_state_is_read_and_tells_nothing() {
    let mut bench = Bench::new(&parts());
    bench.see("RUN", 0.0, 1000);
    let mut again = bench.restarted();
    again.wait(5000);
    assert!(again.told.is_empty(), "{:?}", again.told);
    assert_eq!(again.shown("A.HH"), Shown::SuppressedByDesign);
    again.see("RUN", 1.0, 6000);
    assert_eq!(again.shown("A.HH"), Shown::Normal);
    assert_eq!(again.shown("B.HH"), Shown::Normal);
}

#[test]
fn a_rule_that_is_gone_from_the_file_suppresses_nothing_for_ever() {
    let mut bench = Bench::new(&parts());
    bench.see("RUN", 0.0, 1000);
    bench.see("A", 60.0, 2000);
    let saved: Vec<_> = (0..bench.site.alarms.len())
        .map(|alarm| {
            let alarm = davy_config::site::AlarmIndex(alarm);
            Some(bench.judge.saved(alarm, davy_alarm::WallMs(0)))
        })
        .collect();
    let mut again = Bench::of(site(&parts()[..4]), &saved, &[], davy_alarm::WallMs(0));
    assert_eq!(again.shown("A.HH"), Shown::SuppressedByDesign);
    again.judge.end_suppressions_without_a_rule();
    again.end_instant();
    assert_eq!(again.shown("A.HH"), Shown::Unacknowledged);
    assert_eq!(again.shown("B.HH"), Shown::Normal);
}
