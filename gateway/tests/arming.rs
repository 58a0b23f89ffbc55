//! What is not armed: judged and recorded, never annunciated, and nothing is switched by it (docs/decisions/0013).
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, HH, output, point, site};
use davy_alarm::{Cause, Shown, WallMs};
use davy_config::site::AlarmIndex;

const EFFECT: &str = "\n[[effect]]\ncauses = [\"A.HH\", \"B.HH\"]\noutputs = [\"FAN\"]\n";

fn part(id: &str, register: u16, armed: bool) -> String {
    let key = format!("armed = {armed}\n");
    let alarms = HH.replace("stale_s = 10\n", "stale_s = 3600\n");
    point(id, register, &(key + &alarms))
}

fn parts(a: bool, b: bool, fan: bool) -> Vec<String> {
    let fan = output("FAN", 1, &format!("armed = {fan}\n"));
    vec![part("A", 0, a), part("B", 1, b), fan, EFFECT.to_owned()]
}

/// The same record under another file, as after a restart.
fn under(bench: &Bench, parts: &[String]) -> Bench {
    let saved: Vec<_> = (0..bench.site.alarms.len())
        .map(|alarm| Some(bench.judge.saved(AlarmIndex(alarm), WallMs(0))))
        .collect();
    let mut again = Bench::of(site(parts), &saved, &[], WallMs(0));
    again.judge.end_suppressions_without_a_rule();
    again.end_instant();
    again
}

#[test]
fn a_point_that_is_not_armed_is_judged_and_neither_sounds_nor_switches() {
    let mut bench = Bench::new(&parts(false, true, true));
    bench.see("A", 60.0, 1000);
    assert!(bench.active("A.HH"), "it is judged all the same");
    assert_eq!(bench.shown("A.HH"), Shown::SuppressedByDesign);
    assert!(!bench.judge.horn().sounding);
    assert_eq!(bench.judge.demand(), [false]);
    bench.see("B", 60.0, 2000);
    assert_eq!(bench.shown("B.HH"), Shown::Unacknowledged);
    assert_eq!(bench.judge.demand(), [true], "what is armed demands");
}

#[test]
fn an_output_that_is_not_armed_is_demanded_by_nothing() {
    let mut bench = Bench::new(&parts(true, true, false));
    bench.see("A", 60.0, 1000);
    assert_eq!(bench.shown("A.HH"), Shown::Unacknowledged);
    assert_eq!(bench.judge.demand(), [false]);
}

#[test]
fn arming_annunciates_what_is_active_and_demands_its_outputs_and_both_ends_are_recorded() {
    let mut bench = Bench::new(&parts(false, true, true));
    bench.see("A", 60.0, 1000);
    let first = bench.lines("A.HH");
    assert_eq!(first[0].1, Cause::Suppress);
    assert_eq!(&*bench.told[0].person.clone().unwrap().actor, "unarmed");
    let mut armed = under(&bench, &parts(true, true, true));
    assert_eq!(armed.shown("A.HH"), Shown::Unacknowledged);
    assert_eq!(armed.judge.demand(), [true]);
    assert_eq!(armed.lines("A.HH")[0].1, Cause::Unsuppress);
    armed.wait(2000);
}

#[test]
fn a_file_that_holds_back_more_than_before_lets_nothing_sound_in_between() {
    let mut bench = Bench::new(&parts(false, true, true));
    bench.see("A", 60.0, 1000);
    let mut more = under(&bench, &parts(false, false, true));
    assert_eq!(more.shown("A.HH"), Shown::SuppressedByDesign);
    assert_eq!(more.shown("B.HH"), Shown::SuppressedByDesign);
    assert_eq!(more.lines("A.HH"), [], "nothing is told of it");
}

#[test]
fn a_group_with_a_member_that_is_not_armed_is_not_armed() {
    let vote = r#"
[[vote]]
id = "V"
name = { zh = "组", en = "Group" }
area = "a"
members = ["A.HH", "B.HH"]
needed = 1
fault = "exclude"
[[effect]]
causes = ["V.VOTE"]
outputs = ["FAN"]
"#;
    let fan = output("FAN", 1, "");
    let all = [part("A", 0, false), part("B", 1, true), vote.to_owned()];
    let mut bench = Bench::new(&[&all[..2], &[fan], &all[2..]].concat());
    bench.see("B", 60.0, 1000);
    assert!(bench.active("V.VOTE"));
    assert_eq!(bench.shown("V.VOTE"), Shown::SuppressedByDesign);
    assert_eq!(bench.judge.demand(), [false]);
    assert_eq!(
        bench.shown("B.HH"),
        Shown::Unacknowledged,
        "by itself it sounds"
    );
}
