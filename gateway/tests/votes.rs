//! Groups under judgement: they vote once an instant, degrade as told, and never take a member's own alarm away.
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, HH, output, point};
use davy_alarm::{
    Action, Ballot, Cause, FaultPolicy, Instant, NoValue, Refusal, Scheme, Shown, Signal,
};
use davy_gateway::judge::Happening;
use proptest::prelude::*;

const OUT: Action = Action::OutOfService { reason: true };

fn group(needed: u8, members: &str, rest: &str) -> String {
    format!(
        r#"
[[vote]]
id = "G"
name = {{ zh = "组", en = "Group" }}
area = "a"
members = {members}
needed = {needed}
{rest}"#
    )
}

fn three(needed: u8, rest: &str) -> Bench {
    Bench::new(&[
        point("A", 0, HH),
        point("B", 1, HH),
        point("C", 2, HH),
        group(needed, r#"["A.HH", "B.HH", "C.HH"]"#, rest),
    ])
}

const EXCLUDE: &str = "fault = \"exclude\"\n";

#[test]
fn one_of_three_annunciates_unvoted_and_two_trip_the_group() {
    let mut bench = three(2, EXCLUDE);
    bench.see("A", 60.0, 1000);
    assert_eq!(bench.shown("A.HH"), Shown::Unacknowledged);
    assert_eq!(bench.shown("G.VOTE"), Shown::Normal);
    bench.see("B", 60.0, 2000);
    assert_eq!(bench.shown("G.VOTE"), Shown::Unacknowledged);
    assert_eq!(bench.shown("A.HH"), Shown::Unacknowledged);
    bench.see("A", 10.0, 3000);
    assert_eq!(bench.shown("G.VOTE"), Shown::ReturnedUnacknowledged);
}

#[test]
fn a_group_votes_once_an_instant_however_many_members_change_in_it() {
    let mut bench = three(1, EXCLUDE);
    bench.see("A", 60.0, 1000);
    // A gives over to B within one instant: the group never sees a gap.
    bench.read("A", Ok(10.0), 2000);
    bench.read("B", Ok(60.0), 2000);
    bench.end_instant();
    assert_eq!(
        bench.lines("G.VOTE"),
        [(1000, Cause::Active, Shown::Unacknowledged)]
    );
}

#[test]
fn a_lost_member_degrades_the_group_and_losing_all_holds_its_vote() {
    let mut bench = three(2, EXCLUDE);
    bench.see("A", 60.0, 1000);
    bench.see("B", 60.0, 1000);
    assert!(bench.active("G.VOTE") && !bench.active("G.DEGRADED"));
    bench.lose("C", NoValue::Timeout, 2000);
    assert!(bench.active("G.DEGRADED"));
    // A and B clear and then fail: nobody is left, and the group was clear.
    for member in ["A", "B"] {
        bench.see(member, 10.0, 3000);
        bench.lose(member, NoValue::Timeout, 4000);
    }
    assert!(bench.active("G.UNMON") && !bench.active("G.VOTE"));
    bench.see("A", 60.0, 5000);
    assert!(!bench.active("G.UNMON"));
    assert!(bench.active("G.VOTE"), "one left: one is enough");
}

#[test]
fn a_group_that_tripped_holds_when_its_last_member_falls_out() {
    let mut bench = Bench::new(&[point("A", 0, HH), group(1, r#"["A.HH"]"#, EXCLUDE)]);
    bench.see("A", 60.0, 1000);
    bench.act("A.HH", OUT, 2000).unwrap();
    assert!(bench.active("G.UNMON") && bench.active("G.VOTE"));
    bench.see("A", 10.0, 3000);
    assert!(
        bench.active("G.VOTE"),
        "an unmonitored group does not clear"
    );
    bench.act("A.HH", Action::InService, 4000).unwrap();
    assert!(!bench.active("G.VOTE") && !bench.active("G.UNMON"));
}

#[test]
fn a_fault_counts_as_a_trip_where_the_group_says_so() {
    let mut bench = three(2, "fault = \"vote-trip\"\n");
    bench.see("A", 60.0, 1000);
    bench.see("B", 10.0, 1000);
    assert!(!bench.active("G.VOTE"));
    bench.lose("B", NoValue::SensorFault, 2000);
    assert!(bench.active("G.VOTE") && bench.active("G.DEGRADED"));
}

#[test]
fn one_member_at_a_time_is_bypassed_and_every_other_reason_to_refuse_comes_first() {
    let mut bench = three(2, EXCLUDE);
    bench.act("A.HH", OUT, 1000).unwrap();
    assert!(bench.active("G.DEGRADED"));
    assert_eq!(bench.act("B.HH", OUT, 2000), Err(Refusal::BypassInGroup));
    assert_eq!(bench.act("A.HH", OUT, 2000), Err(Refusal::Already));
    let no_reason = Action::OutOfService { reason: false };
    assert_eq!(bench.act("B.HH", no_reason, 2000), Err(Refusal::Reason));
    bench.act("B.BAD", OUT, 2000).unwrap();
    bench.act("A.HH", Action::InService, 3000).unwrap();
    bench.act("B.HH", OUT, 4000).unwrap();
    // 2oo3 with one bypassed is 2oo2.
    bench.see("A", 60.0, 5000);
    assert!(!bench.active("G.VOTE"));
    bench.see("C", 60.0, 6000);
    assert!(bench.active("G.VOTE"));
}

#[test]
fn a_shelved_member_votes() {
    let mut bench = three(2, EXCLUDE);
    let shelve = Action::Shelve {
        minutes: 10,
        reason: true,
        second: true,
    };
    bench.act("A.HH", shelve, 500).unwrap();
    bench.act("B.HH", Action::Suppress, 500).unwrap();
    bench.see("A", 60.0, 1000);
    bench.see("B", 60.0, 1000);
    assert!(bench.active("G.VOTE"));
}

#[test]
fn members_that_disagree_are_told_after_the_delay_at_its_own_time() {
    let mut bench = three(2, EXCLUDE);
    bench.see("B", 10.0, 900);
    bench.see("A", 60.0, 1000);
    bench.see("B", 60.0, 20_000);
    bench.see("C", 60.0, 21_000);
    for _ in 0..2 {
        // All agree, and then one does not: the delay starts anew.
        bench.see("C", 60.0, 22_000);
    }
    assert!(!bench.active("G.DISC"));
    bench.see("C", 10.0, 23_000);
    // The points go stale meanwhile: they are faults then, and C's own says nothing any more.
    for second in 24..60 {
        for member in ["A", "B"] {
            bench.see(member, 60.0, second * 1000);
        }
        bench.see("C", 10.0, second * 1000);
    }
    assert_eq!(
        bench.lines("G.DISC"),
        [(53_000, Cause::Active, Shown::Unacknowledged)]
    );
}

#[test]
fn a_timer_that_a_vote_starts_fires_at_its_own_time_however_far_time_leaps() {
    let rest = format!("{EXCLUDE}[vote.alarms.VOTE]\non_delay_s = 1.5\npriority = 3\n");
    let mut bench = three(1, &rest);
    bench.read("A", Ok(60.0), 1000);
    bench.wait(9_000);
    assert_eq!(
        bench.lines("G.VOTE"),
        [(2500, Cause::Active, Shown::Unacknowledged)]
    );
}

#[test]
fn an_output_that_a_delayed_vote_demands_comes_on_at_the_votes_own_time() {
    let rest = format!("{EXCLUDE}[vote.alarms.VOTE]\non_delay_s = 1.5\npriority = 3\n");
    let effect = "\n[[effect]]\ncauses = [\"G.VOTE\"]\noutputs = [\"FAN\"]\n";
    let mut bench = Bench::new(&[
        point("A", 0, HH),
        group(1, r#"["A.HH"]"#, &rest),
        output("FAN", 1, ""),
        effect.to_owned(),
    ]);
    bench.read("A", Ok(60.0), 1000);
    bench.judge.advance(Instant(9000));
    bench.judge.settle();
    let told = bench.judge.take_happenings();
    let came_on = told.iter().find_map(|told| match told {
        Happening::Output { at, on: true, .. } => Some(*at),
        _ => None,
    });
    assert_eq!(came_on, Some(Instant(2500)));
}

#[test]
fn what_a_vote_does_comes_before_its_shelving_ends_in_the_same_instant() {
    let slow = HH.replace("on_delay_s = 0\noff_delay_s", "on_delay_s = 1\noff_delay_s");
    let slow = slow.replace("stale_s = 10\n", "stale_s = 3600\n");
    let mut bench = Bench::new(&[point("A", 0, &slow), group(1, r#"["A.HH"]"#, EXCLUDE)]);
    let shelve = Action::Shelve {
        minutes: 1,
        reason: true,
        second: true,
    };
    bench.act("G.VOTE", shelve, 1000).unwrap();
    bench.see("A", 60.0, 60_000);
    bench.told.clear();
    bench.wait(100_000);
    assert_eq!(
        bench.lines("G.VOTE"),
        [
            (61_000, Cause::Active, Shown::Shelved),
            (61_000, Cause::ShelveExpired, Shown::Unacknowledged)
        ]
    );
}

#[test]
fn a_restart_prints_nothing_of_a_group_and_its_delays_run_from_the_first_reading() {
    let mut bench = three(2, EXCLUDE);
    bench.see("A", 60.0, 1000);
    bench.see("B", 60.0, 1000);
    let mut again = bench.restarted();
    again.wait(5000);
    assert!(again.told.is_empty(), "{:?}", again.told);
    assert!(again.active("G.VOTE"));
    again.see("A", 60.0, 6000);
    for second in 7..40 {
        for (member, value) in [("A", 60.0), ("B", 60.0), ("C", 10.0)] {
            again.see(member, value, second * 1000);
        }
    }
    assert_eq!(
        again.lines("G.DISC"),
        [(36_000, Cause::Active, Shown::Unacknowledged)]
    );
}

#[test]
fn a_latched_vote_is_reset_only_while_somebody_is_left_to_vote() {
    let rest = format!("{EXCLUDE}[vote.alarms.VOTE]\nlatching = true\n");
    let mut bench = Bench::new(&[point("A", 0, HH), group(1, r#"["A.HH"]"#, &rest)]);
    bench.see("A", 60.0, 1000);
    bench.see("A", 10.0, 2000);
    let ack = Action::Acknowledge { occurrence: None };
    bench.act("G.VOTE", ack, 3000).unwrap();
    bench.lose("A", NoValue::Timeout, 4000);
    assert_eq!(
        bench.act("G.VOTE", Action::Reset, 5000),
        Err(Refusal::BadQuality)
    );
    bench.see("A", 10.0, 6000);
    bench.act("G.VOTE", Action::Reset, 7000).unwrap();
    assert_eq!(bench.shown("G.VOTE"), Shown::Normal);
}

/// What may happen to one of three members.
#[derive(Clone, Copy, Debug)]
enum Event {
    Value(usize, f64),
    Absent(usize),
    Out(usize),
    In(usize),
    Wait,
}

fn event() -> impl Strategy<Value = Event> {
    let member = 0..3_usize;
    prop_oneof![
        4 => (member.clone(), prop_oneof![Just(10.0), Just(49.5), Just(60.0)])
            .prop_map(|(member, value)| Event::Value(member, value)),
        2 => member.clone().prop_map(Event::Absent),
        1 => member.clone().prop_map(Event::Out),
        1 => member.prop_map(Event::In),
        1 => Just(Event::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A naive model that recounts everything after every event, from nothing but what came in.
    #[test]
    fn a_group_on_a_random_walk_is_what_recounting_everything_says(
        events in proptest::collection::vec((event(), 0..15_000_u64), 1..60),
        needed in 1..4_u8,
        exclude: bool,
        safety: bool,
    ) {
        let policy = if exclude { FaultPolicy::Exclude } else { FaultPolicy::VoteTrip };
        let rest = format!("fault = \"{}\"\nsafety = {safety}\n", policy.name());
        let mut bench = three(needed, &rest);
        let scheme = Scheme { needed, fault: policy, safety };
        let names = ["A", "B", "C"];
        let (mut active, mut bad, mut out) = ([false; 3], [false; 3], [false; 3]);
        let (mut seen, mut heard) = ([0_u64; 3], [false; 3]);
        let mut now = 0;
        for (event, pause) in events {
            let before = now;
            now += pause;
            // Step by step, so that a vote between two events is not missed by the model.
            for step in (before..now).step_by(250) {
                bench.wait(step);
            }
            match event {
                Event::Value(member, value) => {
                    bench.see(names[member], value, now);
                    (seen[member], heard[member]) = (now, true);
                    bad[member] = false;
                    active[member] = value >= 50.0 || value >= 49.0 && active[member];
                }
                Event::Absent(member) => {
                    bench.lose(names[member], NoValue::Timeout, now);
                    (seen[member], heard[member]) = (now, true);
                    bad[member] = true;
                }
                Event::Out(member) => {
                    let others = (0..3).any(|other| other != member && out[other]);
                    let answer = bench.act(&format!("{}.HH", names[member]), OUT, now);
                    prop_assert_eq!(answer.is_ok(), !others && !out[member]);
                    out[member] |= answer.is_ok();
                }
                Event::In(member) => {
                    let answer = bench.act(&format!("{}.HH", names[member]), Action::InService, now);
                    prop_assert_eq!(answer.is_ok(), out[member]);
                    out[member] = false;
                }
                Event::Wait => bench.wait(now),
            }
            let ballots: Vec<Ballot> = (0..3)
                .map(|member| {
                    let stale = now - seen[member] >= 10_000;
                    Ballot::of(out[member], active[member], bad[member] || stale)
                })
                .collect();
            let tally = scheme.count(ballots.iter().copied());
            let vote = match tally.vote {
                Signal::Set => true,
                Signal::Clear => false,
                // Whatever it was when the last one fell out; another test pins that.
                Signal::Unknown => bench.active("G.VOTE"),
            };
            // Before anything was heard or fell stale, a group has nothing to count.
            if heard.iter().any(|heard| *heard) || now >= 10_000 {
                prop_assert_eq!(bench.active("G.VOTE"), vote, "{:?}", ballots);
                prop_assert_eq!(bench.active("G.DEGRADED"), tally.degraded, "{:?}", ballots);
                prop_assert_eq!(bench.active("G.UNMON"), tally.unmonitored, "{:?}", ballots);
            }
        }
    }
}
