//! A site judged under another file from one moment on (docs/decisions/0009).
#![allow(clippy::unwrap_used)]

mod bench;

use bench::{Bench, HH, discrete, output, point, site};
use davy_alarm::{Cause, Instant, Shown, WallMs};
use davy_config::site::OutputIndex;
use davy_gateway::judge::Happening;
use davy_gateway::succession::Succession;

/// A with HH at 50 and an on-delay of 5 s on H at 20.
fn gas(high: u32) -> String {
    let delayed = format!(
        "[point.alarms.H]\nset_point = {high}\ndeadband = 1\npriority = 3\non_delay_s = 5\n"
    );
    point("A", 0, &format!("{HH}{delayed}"))
}

fn effect() -> String {
    "\n[[effect]]\ncauses = [\"A.HH\"]\noutputs = [\"FAN\"]\n".to_owned()
}

/// Goes over to another file; answers the outputs that hold it back.
fn change(bench: &mut Bench, parts: &[String]) -> Vec<OutputIndex> {
    let next = site(parts);
    let change = Succession::of(&bench.site, &next);
    let mut judge = bench.judge.under(&change, WallMs(0));
    judge.settle();
    let held = bench.judge.loses(&judge, &change);
    if held.is_empty() {
        bench.judge.retire(&change, &mut judge, WallMs(0));
        (bench.judge, bench.site) = (judge, next);
        bench.on.resize(bench.site.outputs.len(), false);
    }
    held
}

#[test]
fn a_delay_that_runs_goes_on_over_a_change_elsewhere_and_a_new_limit_counts_from_the_next_reading()
{
    let mut bench = Bench::new(&[gas(20)]);
    bench.see("A", 30.0, 1000);
    assert!(change(&mut bench, &[discrete("X", 5, ""), gas(20)]).is_empty());
    bench.wait(6000);
    assert_eq!(
        bench.lines("A.H"),
        [(6000, Cause::Active, Shown::Unacknowledged)]
    );
    assert!(change(&mut bench, &[gas(45)]).is_empty());
    assert!(bench.active("A.H"), "a limit alone clears nothing");
    bench.see("A", 30.0, 7000);
    bench.wait(3_600_000);
    assert!(!bench.active("A.H"));
}

#[test]
fn a_file_that_takes_away_the_last_demand_of_an_output_or_the_output_itself_is_held_back() {
    let all = [gas(20), output("FAN", 1, ""), effect()];
    let mut bench = Bench::new(&all);
    bench.see("A", 60.0, 1000);
    assert!(bench.output("FAN"));
    let moved = [gas(20), output("FAN", 2, ""), effect()];
    let undemanded = [
        gas(20),
        output("FAN", 1, ""),
        effect().replace("A.HH", "A.BAD"),
    ];
    for parts in [&moved[..], &undemanded[..], &[gas(20)]] {
        assert_eq!(change(&mut bench, parts), [OutputIndex(0)]);
        assert!(bench.output("FAN") && bench.active("A.HH"));
    }
    assert!(
        change(
            &mut bench,
            &[
                discrete("X", 5, ""),
                gas(30),
                output("FAN", 1, ""),
                effect()
            ]
        )
        .is_empty()
    );
    assert_eq!(bench.judge.demand(), [true]);
    bench.see("A", 1.0, 2000);
    assert!(change(&mut bench, &moved).is_empty());
}

#[test]
fn an_alarm_that_is_gone_while_it_stands_ends_with_a_record_and_one_that_was_normal_without() {
    let mut bench = Bench::new(&[gas(20), point("B", 1, HH)]);
    bench.see("A", 60.0, 1000);
    let next = site(&[point("C", 2, HH)]);
    let change = Succession::of(&bench.site, &next);
    let mut judge = bench.judge.under(&change, WallMs(0));
    bench.judge.retire(&change, &mut judge, WallMs(0));
    let ended = bench.judge.take_happenings();
    let removed: Vec<_> = ended
        .iter()
        .filter_map(|happening| match happening {
            Happening::Changed(change) => Some((
                bench.site.alarms[change.alarm.0].id.as_str(),
                change.from,
                change.to,
                change.cause,
            )),
            _ => None,
        })
        .collect();
    let expected = ("A.HH", Shown::Unacknowledged, Shown::Normal, Cause::Removed);
    assert_eq!(removed, [expected]);
}

#[test]
fn a_point_that_is_measured_otherwise_is_unread_and_holds_what_stood() {
    let mut bench = Bench::new(&[gas(20)]);
    bench.see("A", 60.0, 1000);
    bench.see("A", 1.0, 1500);
    bench.see("A", 60.0, 2000);
    let other = gas(20).replace("address = 0", "address = 7");
    assert!(change(&mut bench, &[other]).is_empty());
    bench.judge.advance(Instant(3000));
    assert!(bench.active("A.HH"), "what is not read clears nothing");
    bench.wait(20_000);
    assert!(bench.active("A.STALE") && bench.active("A.HH"));
}

#[test]
fn an_alarm_that_was_gone_and_comes_back_counts_its_occurrences_on() {
    let mut bench = Bench::new(&[gas(20), point("B", 1, HH)]);
    bench.see("A", 60.0, 1000);
    bench.see("A", 1.0, 2000);
    bench.see("A", 60.0, 3000);
    let before = bench.occurrence("A.HH");
    assert!(change(&mut bench, &[point("B", 1, HH)]).is_empty());
    assert!(change(&mut bench, &[point("B", 1, HH), discrete("X", 5, "")]).is_empty());
    assert!(change(&mut bench, &[gas(20), point("B", 1, HH)]).is_empty());
    assert!(!bench.active("A.HH"), "nothing is read yet");
    bench.see("A", 60.0, 4000);
    assert_eq!(bench.occurrence("A.HH"), before + 1);
}
