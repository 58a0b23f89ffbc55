//! The figures against a slow reference that counts every window by itself, and at their boundaries.

use davy_alarm::{Cause, Priority, Shown};
use davy_kpi::{
    ChatterRule, Held, LEAD_MS, Line, Period, Record, Report, Silence, Verdict, report,
};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const TEN: i64 = 10 * MINUTE;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn line(alarm: &str, priority: Priority, time_ms: i64, cause: Cause, to: Shown) -> Line<'_> {
    Line {
        alarm,
        priority,
        time_ms,
        cause,
        to,
        actor: None,
    }
}

fn trip(alarm: &str, time_ms: i64) -> Line<'_> {
    line(
        alarm,
        Priority::P3,
        time_ms,
        Cause::Active,
        Shown::Unacknowledged,
    )
}

fn clear(alarm: &str, time_ms: i64) -> Line<'_> {
    line(alarm, Priority::P3, time_ms, Cause::Clear, Shown::Normal)
}

fn acknowledged<'a>(alarm: &'a str, time_ms: i64, actor: &'a str) -> Line<'a> {
    Line {
        actor: Some(actor),
        ..line(
            alarm,
            Priority::P3,
            time_ms,
            Cause::Acknowledge,
            Shown::Acknowledged,
        )
    }
}

fn period(from_ms: i64, to_ms: i64) -> Period {
    Period {
        from_ms,
        to_ms,
        lines_from_ms: from_ms - LEAD_MS,
        record_from_ms: Some(0),
    }
}

fn figures(lines: &[Line<'_>], period: &Period) -> Report {
    report(
        &Record {
            lines,
            ..Record::default()
        },
        period,
        ChatterRule::default(),
    )
}

#[test]
fn only_what_calls_for_a_person_is_load() {
    let to = |cause, to| line("A", Priority::P2, 1_000, cause, to);
    let lines = [
        to(Cause::Active, Shown::Unacknowledged),
        to(Cause::ReAlarm, Shown::Unacknowledged),
        to(Cause::StepUp, Shown::Unacknowledged),
        to(Cause::Unshelve, Shown::Unacknowledged),
        to(Cause::ShelveExpired, Shown::Unacknowledged),
        to(Cause::InService, Shown::Unacknowledged),
        to(Cause::Unsuppress, Shown::Unacknowledged),
        to(Cause::Active, Shown::Shelved),
        to(Cause::Unshelve, Shown::Normal),
        to(Cause::Unshelve, Shown::OutOfService),
        to(Cause::Unshelve, Shown::LatchedUnacknowledged),
        to(Cause::Clear, Shown::ReturnedUnacknowledged),
        to(Cause::Acknowledge, Shown::Acknowledged),
    ];
    assert_eq!(figures(&lines, &period(0, DAY)).annunciations, 7);
}

#[test]
fn ten_in_an_interval_are_within_and_eleven_are_over() {
    let at = |count: i64| -> Vec<Line<'static>> {
        (0..count).map(|n| trip("A", n * MINUTE / 2)).collect()
    };
    let ten = figures(&at(10), &period(0, DAY));
    assert_eq!((ten.intervals.over, ten.rate.worst), (0, 10));
    assert_eq!((ten.intervals.verdict, ten.floods.total), (Verdict::Met, 0));
    let eleven = figures(&at(11), &period(0, DAY));
    assert_eq!((eleven.intervals.over, eleven.rate.worst), (1, 11));
    assert_eq!(eleven.intervals.total, 144);
    // One in 144 is 0.7 %, two are 1.4 %.
    assert_eq!(eleven.intervals.verdict, Verdict::Met);
    assert_eq!(eleven.floods.total, 1);
}

#[test]
fn a_rate_of_one_is_met_of_two_manageable_and_more_missed() {
    let at = |count: i64| -> Verdict {
        let lines: Vec<_> = (0..count).map(|n| trip("A", n * DAY / count)).collect();
        figures(&lines, &period(0, DAY)).rate.verdict
    };
    assert_eq!(at(144), Verdict::Met);
    assert_eq!(at(145), Verdict::Manageable);
    assert_eq!(at(288), Verdict::Manageable);
    assert_eq!(at(289), Verdict::Missed);
}

#[test]
fn thirty_days_on_record_are_enough_and_less_is_said() {
    assert!(figures(&[], &period(0, 30 * DAY)).enough);
    assert!(!figures(&[], &period(1, 30 * DAY)).enough);
    let young = Period {
        record_from_ms: Some(29 * DAY),
        ..period(0, 30 * DAY)
    };
    let young = figures(&[], &young);
    assert_eq!((young.days, young.enough), (1.0, false));
    let empty = Period {
        record_from_ms: None,
        ..period(0, 30 * DAY)
    };
    let empty = figures(&[], &empty);
    assert_eq!(empty.rate.average, None);
    assert_eq!(empty.rate.verdict, Verdict::Unjudged);
    assert_eq!(empty.chattering.verdict, Verdict::Unjudged);
}

#[test]
fn a_day_of_activity_is_not_standing_and_a_millisecond_more_is() {
    let lines = |until| [trip("A", HOUR), clear("A", HOUR + until)];
    let week = period(0, 7 * DAY);
    assert_eq!(figures(&lines(DAY), &week).standing.total, 0);
    let standing = figures(&lines(DAY + 1), &week).standing;
    assert_eq!((standing.total, standing.worst_day), (1, 1));
    assert_eq!(standing.list[0].since_ms, Some(HOUR));
}

#[test]
fn five_standing_on_one_day_miss_the_target_and_four_meet_it() {
    let names = ["A", "B", "C", "D", "E"];
    let all: Vec<_> = names.iter().map(|name| trip(name, 0)).collect();
    let week = period(0, 7 * DAY);
    let four = figures(&all[..4], &week).standing;
    assert_eq!((four.worst_day, four.verdict), (4, Verdict::Met));
    let five = figures(&all, &week).standing;
    assert_eq!((five.worst_day, five.verdict), (5, Verdict::Missed));
}

#[test]
fn an_alarm_older_than_its_lines_stands_since_when_it_is_known_to() {
    let week = period(30 * DAY, 37 * DAY);
    let held = [Held {
        alarm: "A",
        priority: Priority::P2,
        since_ms: 3 * DAY,
    }];
    let known = report(
        &Record {
            held: &held,
            ..Record::default()
        },
        &week,
        ChatterRule::default(),
    )
    .standing;
    assert_eq!(known.list[0].since_ms, Some(3 * DAY));
    assert_eq!(known.list[0].until_ms, None);
    let unknown = figures(&[clear("B", 31 * DAY)], &week).standing;
    assert_eq!((unknown.total, unknown.list[0].since_ms), (1, None));
    // It cleared a day after the lines begin, and perhaps tripped just then.
    assert_eq!(figures(&[clear("B", 30 * DAY)], &week).standing.total, 0);
}

#[test]
fn the_load_of_the_ten_busiest_is_judged_from_two_hundred_on() {
    let names: Vec<String> = (0..200).map(|n| format!("A{n}")).collect();
    let one_each: Vec<_> = names.iter().map(|name| trip(name, HOUR)).collect();
    let few = figures(&one_each[..199], &period(0, DAY)).sources;
    assert_eq!(few.verdict, Verdict::Unjudged);
    let judged = figures(&one_each, &period(0, DAY)).sources;
    assert_eq!((judged.share, judged.verdict), (Some(0.05), Verdict::Met));
}

#[test]
fn the_priorities_are_held_against_eighty_fifteen_five_and_less_than_one() {
    let mix = |counts: [usize; 4]| -> Vec<Verdict> {
        let priorities = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];
        let lines: Vec<_> = priorities
            .iter()
            .zip(counts)
            .flat_map(|(priority, count)| {
                let one = line("A", *priority, HOUR, Cause::Active, Shown::Unacknowledged);
                std::iter::repeat_n(one, count)
            })
            .collect();
        let shares = figures(&lines, &period(0, DAY)).priorities;
        shares.iter().map(|share| share.verdict).collect()
    };
    use Verdict::{Met, Missed};
    assert_eq!(mix([0, 50, 150, 800]), [Met; 4]);
    assert_eq!(mix([9, 41, 150, 800]), [Met; 4]);
    assert_eq!(mix([10, 60, 160, 770]), [Missed; 4]);
}

#[test]
fn an_answer_is_timed_from_the_occurrence_that_it_names_and_counts_for_who_gave_it() {
    let lines = [
        trip("A", 0),
        trip("A", 10_000),
        acknowledged("A", 15_000, "wang"),
        trip("B", 20_000),
        acknowledged("B", 120_000, "wang"),
        trip("C", 30_000),
        acknowledged("C", 31_000, "li"),
        Line {
            cause: Cause::Shelve,
            to: Shown::Shelved,
            ..acknowledged("D", 40_000, "li")
        },
        trip("E", 50_000),
    ];
    let found = figures(&lines, &period(0, DAY));
    let p3 = found.acknowledgement[2];
    assert_eq!((p3.acknowledged, p3.waiting), (3, 1));
    assert_eq!((p3.median_ms, p3.p90_ms), (Some(5_000), Some(100_000)));
    let [wang, li] = &found.people[..] else {
        panic!("two people");
    };
    assert_eq!(
        (&*wang.actor, wang.acknowledged, wang.median_ms),
        ("wang", 2, Some(5_000))
    );
    assert_eq!((&*li.actor, li.acknowledged, li.shelved), ("li", 1, 1));
}

#[test]
fn what_is_shelved_waits_for_nobody() {
    let shelve = line("A", Priority::P3, 1_000, Cause::Shelve, Shown::Shelved);
    let found = figures(&[trip("A", 0), shelve], &period(0, DAY));
    assert_eq!(found.acknowledgement[2].waiting, 0);
}

#[test]
fn a_flood_that_began_before_the_period_takes_its_share_of_it() {
    let lines: Vec<_> = (0..11)
        .map(|n| trip("A", DAY - 30_000 + n * 1_000))
        .collect();
    let found = figures(&lines, &period(DAY, 2 * DAY));
    assert_eq!((found.annunciations, found.floods.total), (0, 1));
    let end = DAY - 30_000 + 6_000 + TEN;
    assert_eq!(found.floods.list[0].to_ms, Some(end));
    assert_eq!(found.floods.share, Some((end - DAY) as f64 / DAY as f64));
}

/// Every window counted by itself, at every moment at which anything could change.
mod reference {
    use super::{Line, TEN};

    pub(super) fn annunciations(lines: &[Line<'_>]) -> Vec<i64> {
        let mut times: Vec<i64> = lines
            .iter()
            .filter(|line| line.annunciates())
            .map(|line| line.time_ms)
            .collect();
        times.sort_unstable();
        times
    }

    pub(super) fn in_window(times: &[i64], at: i64, window: i64) -> usize {
        times
            .iter()
            .filter(|time| **time <= at && **time > at - window)
            .count()
    }

    /// From, to and most of every flood before `to`.
    pub(super) fn floods(times: &[i64], to: i64) -> Vec<(i64, Option<i64>, u64)> {
        let mut moments: Vec<i64> = times.iter().flat_map(|time| [*time, time + TEN]).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut found: Vec<(i64, Option<i64>, u64)> = vec![];
        let mut on = false;
        for at in moments.into_iter().filter(|at| *at < to) {
            let count = in_window(times, at, TEN);
            match (on, found.last_mut()) {
                (true, Some(flood)) => {
                    flood.2 = flood.2.max(count as u64);
                    if count < 5 {
                        (on, flood.1) = (false, Some(at));
                    }
                }
                _ if count > 10 => {
                    on = true;
                    found.push((at, None, count as u64));
                }
                _ => {}
            }
        }
        found
    }

    pub(super) fn chatters(times: &[i64]) -> usize {
        times
            .iter()
            .map(|at| in_window(times, *at, 60_000))
            .max()
            .unwrap_or(0)
    }
}

const ALARMS: [&str; 4] = ["A.H", "B.HH", "C.L", "D.BAD"];

fn lines() -> impl Strategy<Value = Vec<Line<'static>>> {
    let cause = prop_oneof![
        6 => Just((Cause::Active, Shown::Unacknowledged)),
        1 => Just((Cause::ReAlarm, Shown::Unacknowledged)),
        1 => Just((Cause::Active, Shown::Shelved)),
        2 => Just((Cause::Clear, Shown::Normal)),
    ];
    // Distances that lie about the edges: within a second, about a minute, minutes.
    let step = prop_oneof![
        0_i64..2_000,
        19_999_i64..20_002,
        59_998_i64..60_003,
        0_i64..400_000
    ];
    prop::collection::vec((0_usize..4, cause, step), 0..160).prop_map(|all| {
        let mut now = HOUR;
        all.into_iter()
            .map(|(alarm, (cause, to), step)| {
                now += step;
                line(ALARMS[alarm], Priority::P3, now, cause, to)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn the_figures_are_those_of_counting_each_window(lines in lines(), from in 0_i64..6 * HOUR, length in 1_i64..20 * HOUR) {
        let period = period(from, from + length);
        let found = figures(&lines, &period);
        let times = reference::annunciations(&lines);
        let within: Vec<i64> = times.iter().copied().filter(|time| (from..from + length).contains(time)).collect();
        prop_assert_eq!(found.annunciations, within.len() as u64);

        let intervals: Vec<usize> = (0..).map(|n| from + n * TEN).take_while(|begin| *begin < from + length)
            .map(|begin| within.iter().filter(|time| (begin..begin + TEN).contains(time)).count()).collect();
        prop_assert_eq!(found.intervals.total, intervals.len() as u64);
        prop_assert_eq!(found.intervals.over, intervals.iter().filter(|count| **count > 10).count() as u64);
        prop_assert_eq!(found.rate.worst, intervals.iter().copied().max().unwrap_or(0) as u64);

        let known: Vec<i64> = times.iter().copied().filter(|time| *time < from + length).collect();
        let floods: Vec<_> = reference::floods(&known, from + length).into_iter()
            .filter(|flood| flood.1.is_none_or(|to| to > from)).collect();
        let listed: Vec<_> = found.floods.list.iter().rev().map(|flood| (flood.from_ms, flood.to_ms, flood.most)).collect();
        prop_assert_eq!(&listed, &floods);
        let flooded: i64 = floods.iter().map(|flood| (flood.1.unwrap_or(from + length) - flood.0.max(from)).max(0)).sum();
        prop_assert_eq!(found.floods.share, Some(flooded as f64 / length as f64));

        for alarm in ALARMS {
            let of_alarm: Vec<i64> = lines.iter().filter(|line| line.alarm == alarm && line.annunciates())
                .map(|line| line.time_ms).filter(|time| (from..from + length).contains(time)).collect();
            let most = reference::chatters(&of_alarm);
            let named = found.chattering.list.iter().find(|one| one.alarm == alarm);
            prop_assert_eq!(named.map(|one| one.most), (most >= 3).then_some(most as u64));
            let source = found.sources.list.iter().find(|one| one.alarm == alarm);
            prop_assert_eq!(source.map_or(0, |one| one.annunciations), of_alarm.len() as u64);
        }
    }
}

#[test]
fn who_silenced_the_horn_is_counted_for_each_person_within_the_period() {
    let silence = |actor, time_ms| Silence { actor, time_ms };
    let silences = [
        silence("wang", HOUR - 1),
        silence("wang", HOUR),
        silence("local", HOUR + 1),
        silence("wang", 2 * HOUR - 1),
        silence("wang", 2 * HOUR),
    ];
    let lines = [trip("A", HOUR), acknowledged("A", HOUR + 5, "wang")];
    let record = Record {
        lines: &lines,
        silences: &silences,
        ..Record::default()
    };
    let people = report(&record, &period(HOUR, 2 * HOUR), ChatterRule::default()).people;
    let silenced: Vec<_> = people
        .iter()
        .map(|one| (&*one.actor, one.acknowledged, one.silenced))
        .collect();
    assert_eq!(silenced, [("wang", 1, 2), ("local", 0, 1)]);
}
