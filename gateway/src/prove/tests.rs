//! The core of proving: plans from a site, drafts to verdicts, due dates, and the ledger over crashes.
#![allow(clippy::unwrap_used)]

use super::draft::{Alarms, Draft, DraftError, Sight, Taken};
use super::due::{Calendar, Due, DueAt, Standing, State};
use super::ledger::{Entry, Ledger};
use super::plan::{Kind, Plan, Side, StepKind, basis};
use super::proof::{Of, Proof, Run, StepDone, Verdict};
use super::window::Still;
use davy_alarm::Signal;
use davy_config::site::{Every, Proving, Site, Text};
use proptest::prelude::*;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
const NOW: i64 = 1_800_000_000_000;

fn site() -> Site {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/site.toml");
    davy_config::load(&path).unwrap().site
}

fn plan(kind: Kind) -> Plan {
    let site = site();
    Plan::of(&site, &site.points[0], kind).unwrap()
}

fn draft(plan: &Plan) -> Draft {
    let steps = plan.steps.iter().map(|step| StepDone {
        kind: step.kind,
        alarm: step.alarm.clone(),
        expected: step.expected,
        tolerance: step.tolerance,
        found: None,
        left: None,
        skipped: None,
    });
    Draft {
        of: Of::Point,
        subject: "GT-1".into(),
        kind: plan.kind,
        by: "wang".into(),
        name: "王".into(),
        begun_ms: NOW,
        touched_ms: NOW,
        gas: None,
        instrument: None,
        under_test: false,
        taken_out: Vec::new(),
        basis: "b".into(),
        steps: steps.collect(),
        run: None,
    }
}

fn still(value: f64) -> Option<Still> {
    Some(Still {
        value,
        spread: 0.0,
        readings: 5,
    })
}

fn sight<'a>(still: Option<Still>, alarms: &'a Alarms, plan: &'a Plan) -> Sight<'a> {
    Sight {
        still,
        alarms,
        bounds: &plan.bounds,
        at_ms: NOW,
    }
}

/// The alarms that a value must have on.
fn alarms(plan: &Plan, value: f64) -> Alarms {
    let on = plan
        .bounds
        .iter()
        .filter(|bound| bound.must(value) == Some(true));
    Alarms {
        on: on.map(|bound| bound.alarm.clone()).collect(),
        ..Alarms::default()
    }
}

fn done(plan: &Plan, off_by: f64) -> Draft {
    let mut draft = draft(plan);
    for (step, planned) in plan.steps.iter().enumerate() {
        let value = planned.expected + off_by;
        let alarms = alarms(plan, planned.expected);
        draft
            .take(step, Taken::Found, None, sight(still(value), &alarms, plan))
            .unwrap();
    }
    draft
}

#[test]
fn a_loop_test_goes_from_zero_past_every_limit_to_span_and_back() {
    let plan = plan(Kind::Loop);
    let kinds: Vec<StepKind> = plan.steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds.first(), Some(&StepKind::Zero));
    assert_eq!(kinds.last(), Some(&StepKind::Return));
    let limits = kinds
        .iter()
        .filter(|kind| **kind == StepKind::Limit)
        .count();
    assert_eq!(limits, plan.bounds.len());
    for step in plan
        .steps
        .iter()
        .filter(|step| step.kind == StepKind::Limit)
    {
        let own = plan
            .bounds
            .iter()
            .find(|bound| Some(&bound.alarm) == step.alarm.as_ref());
        assert_eq!(own.unwrap().must(step.expected), Some(true), "{step:?}");
    }
    let back = plan.steps.last().unwrap().expected;
    assert!(
        plan.bounds
            .iter()
            .all(|bound| bound.must(back) == Some(false))
    );
}

#[test]
fn inside_the_deadband_an_alarm_may_be_on_or_off() {
    let plan = plan(Kind::Loop);
    let bound = plan
        .bounds
        .iter()
        .find(|bound| bound.side == Side::High)
        .unwrap();
    assert_eq!(bound.must(bound.set_point), Some(true));
    assert_eq!(bound.must(bound.set_point - 0.001), None);
    assert_eq!(bound.must(0.0), Some(false));
}

#[test]
fn what_is_seen_as_expected_passes_and_what_is_off_fails() {
    let plan = plan(Kind::Loop);
    assert_eq!(done(&plan, 0.0).verdict(Some(&plan)), Ok(Verdict::Pass));
    let off = plan.steps[0].tolerance * 1.01;
    assert_eq!(done(&plan, off).verdict(Some(&plan)), Ok(Verdict::Fail));
}

#[test]
fn an_alarm_that_does_not_come_fails_the_proof_and_is_named() {
    let plan = plan(Kind::Loop);
    let mut draft = done(&plan, 0.0);
    let step = plan
        .steps
        .iter()
        .position(|step| step.kind == StepKind::Limit)
        .unwrap();
    let value = plan.steps[step].expected;
    let seen = draft
        .take(
            step,
            Taken::Found,
            None,
            sight(still(value), &Alarms::default(), &plan),
        )
        .unwrap();
    assert_eq!(Some(&seen.missing[0]), plan.steps[step].alarm.as_ref());
    assert_eq!(draft.verdict(Some(&plan)), Ok(Verdict::Fail));
}

#[test]
fn what_was_adjusted_counts_as_it_was_left_and_keeps_what_was_found() {
    let plan = plan(Kind::Calibration);
    let mut draft = done(&plan, 50.0);
    assert_eq!(draft.verdict(Some(&plan)), Ok(Verdict::Fail));
    for (step, planned) in plan.steps.iter().enumerate() {
        let value = still(planned.expected);
        draft
            .take(
                step,
                Taken::Left,
                None,
                sight(value, &Alarms::default(), &plan),
            )
            .unwrap();
    }
    assert_eq!(draft.verdict(Some(&plan)), Ok(Verdict::Pass));
    assert!(
        draft
            .steps
            .iter()
            .all(|step| !step.found.as_ref().unwrap().good)
    );
}

#[test]
fn a_value_that_moves_is_not_taken_and_open_steps_are_no_verdict() {
    let plan = plan(Kind::Loop);
    let mut draft = draft(&plan);
    let taken = draft.take(
        0,
        Taken::Found,
        None,
        sight(None, &Alarms::default(), &plan),
    );
    assert_eq!(taken.unwrap_err(), DraftError::Unsteady);
    assert_eq!(draft.verdict(Some(&plan)), Err(DraftError::Open));
    assert_eq!(draft.skip_open(Some("  "), NOW), Err(DraftError::Open));
}

#[test]
fn a_proof_whose_every_alarm_was_left_out_proves_nothing() {
    let plan = plan(Kind::Loop);
    let mut draft = draft(&plan);
    let zero = plan.steps[0].expected;
    draft
        .take(
            0,
            Taken::Found,
            None,
            sight(still(zero), &alarms(&plan, zero), &plan),
        )
        .unwrap();
    draft.skip_open(Some("no injector"), NOW).unwrap();
    assert_eq!(draft.verdict(Some(&plan)), Ok(Verdict::Skipped));
}

#[test]
fn an_output_passes_only_when_both_edges_were_seen_in_time() {
    let run = |on, off| Run {
        requested_ms: NOW,
        demand_ms: 1000,
        timeout_ms: 5000,
        on_after_ms: on,
        off_after_ms: off,
    };
    assert!(run(Some(100), Some(5000)).is_good());
    for bad in [
        run(None, Some(1)),
        run(Some(1), None),
        run(Some(5001), Some(1)),
    ] {
        assert!(!bad.is_good(), "{bad:?}");
    }
}

fn proof(number: u64, kind: Kind, verdict: Verdict, ended_ms: i64) -> Proof {
    Proof {
        number,
        of: Of::Point,
        subject: "GT-1".into(),
        kind,
        verdict,
        reason: None,
        by: "wang".into(),
        name: "王伟".into(),
        begun_ms: ended_ms,
        ended_ms,
        clock: "unknown".into(),
        gas: None,
        instrument: None,
        under_test: false,
        unit: "%LEL".into(),
        basis: "b".into(),
        steps: Vec::new(),
        run: None,
    }
}

fn proving() -> Proving {
    let every = |days| {
        Some(Every {
            days,
            practice: Some(Arc::new(Text {
                zh: "通行做法".into(),
                en: "usual".into(),
            })),
        })
    };
    Proving {
        proof: every(90),
        calibration: every(365),
        tolerance: 5.0,
        alarm: None,
    }
}

fn due(proofs: &[Proof], basis: &str, now_ms: i64) -> Due {
    let mut standing = Standing::default();
    proofs.iter().for_each(|proof| standing.follow(proof));
    let newest_ms = standing.latest_ms();
    Due::of(&standing, &proving(), basis, Calendar { now_ms, newest_ms })
}

#[test]
fn only_a_passing_proof_ends_what_is_overdue() {
    let at = |days: i64| NOW + days * DAY_MS;
    let pass = proof(1, Kind::Loop, Verdict::Pass, at(0));
    let never = due(&[], "b", at(0));
    assert_eq!(
        (never.state, never.signal(at(0))),
        (State::Unproved, Signal::Set)
    );
    let fresh = due(std::slice::from_ref(&pass), "b", at(89));
    assert_eq!(
        (fresh.state, fresh.signal(at(89))),
        (State::Proved, Signal::Clear)
    );
    let late = due(std::slice::from_ref(&pass), "b", at(90));
    assert_eq!(
        (late.state, late.signal(at(90))),
        (State::Overdue, Signal::Set)
    );
    for verdict in [Verdict::Fail, Verdict::Skipped, Verdict::Abandoned] {
        let kind = if verdict == Verdict::Skipped {
            Kind::None
        } else {
            Kind::Bump
        };
        let more = [pass.clone(), proof(2, kind, verdict, at(91))];
        assert_eq!(
            due(&more, "b", at(92)).signal(at(92)),
            Signal::Set,
            "{verdict:?}"
        );
    }
    let again = [pass.clone(), proof(2, Kind::Bump, Verdict::Pass, at(91))];
    assert_eq!(due(&again, "b", at(92)).signal(at(92)), Signal::Clear);
    let calibrated = [proof(1, Kind::Calibration, Verdict::Pass, at(0))];
    assert_eq!(
        due(&calibrated, "b", at(1)).state,
        State::Unproved,
        "a calibration proves no alarm"
    );
}

#[test]
fn a_site_file_that_changed_what_was_proved_makes_it_unproved() {
    let pass = [proof(1, Kind::Loop, Verdict::Pass, NOW)];
    let changed = due(&pass, "another", NOW + DAY_MS);
    assert_eq!((changed.state, changed.proof), (State::Changed, DueAt::Now));
    assert_eq!(changed.signal(NOW + DAY_MS), Signal::Set);
    let site = site();
    let mut other = site.clone();
    other.points[0].range.1 += 1.0;
    assert_ne!(
        basis(&site, &site.points[0]),
        basis(&other, &other.points[0])
    );
}

#[test]
fn a_clock_behind_its_own_proofs_is_told_and_changes_no_alarm() {
    let pass = [proof(1, Kind::Loop, Verdict::Pass, NOW)];
    let doubtful = due(&pass, "b", NOW - 400 * DAY_MS);
    assert_eq!(
        (doubtful.state, doubtful.proof),
        (State::ClockDoubtful, DueAt::ClockDoubtful)
    );
    assert_eq!(doubtful.signal(NOW), Signal::Unknown);
}

#[test]
fn the_ledger_remembers_over_a_restart_and_passes_over_damage() {
    let data = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(data.path()).unwrap();
    for number in 1..=3 {
        let entry = proof(number, Kind::Loop, Verdict::Pass, NOW + number as i64);
        ledger.append(Entry::Proof(Box::new(entry))).unwrap();
    }
    ledger.append(Entry::Journalled(2)).unwrap();
    let file = data.path().join("prove/ledger");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text = text.replacen("\"number\":1", "\"number\":9", 1);
    std::fs::write(&file, &text).unwrap();
    let mut torn = std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap();
    torn.write_all(b"1 00000000 {\"proof\"").unwrap();
    let mut ledger = Ledger::open(data.path()).unwrap();
    assert_eq!((ledger.damaged(), ledger.next()), (1, 4));
    assert_eq!(
        ledger.unjournalled().len(),
        1,
        "what was not marked goes again"
    );
    let fourth = proof(4, Kind::Bump, Verdict::Fail, NOW + 4);
    ledger.append(Entry::Proof(Box::new(fourth))).unwrap();
    let ledger = Ledger::open(data.path()).unwrap();
    let standing = ledger.standing(Of::Point, "GT-1");
    assert_eq!(standing.tested.unwrap().number, 4);
    assert_eq!(standing.proved.unwrap().number, 3);
}

#[test]
fn the_format_of_the_ledger_is_as_it_is_documented() {
    let data = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(data.path()).unwrap();
    ledger.append(Entry::Journalled(7)).unwrap();
    let text = std::fs::read_to_string(data.path().join("prove/ledger")).unwrap();
    let json = "{\"journalled\":7}";
    let crc = crc32c::crc32c(json.as_bytes());
    assert_eq!(text, format!("1 {crc:08x} {json}\n"));
}

proptest! {
    #[test]
    fn nothing_passes_that_was_seen_further_off_than_its_tolerance(off in prop::collection::vec(-20.0_f64..20.0, 8)) {
        let plan = plan(Kind::Loop);
        let mut draft = draft(&plan);
        let mut within = true;
        for (step, planned) in plan.steps.iter().enumerate() {
            let off = off[step % off.len()];
            within &= off.abs() <= planned.tolerance;
            let alarms = alarms(&plan, planned.expected);
            draft.take(step, Taken::Found, None, sight(still(planned.expected + off), &alarms, &plan)).unwrap();
        }
        let verdict = draft.verdict(Some(&plan)).unwrap();
        prop_assert_eq!(verdict == Verdict::Pass, within);
    }

    #[test]
    fn any_bytes_are_a_ledger_that_opens(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(data.path().join("prove")).unwrap();
        std::fs::write(data.path().join("prove/ledger"), &bytes).unwrap();
        let mut ledger = Ledger::open(data.path()).unwrap();
        ledger.append(Entry::Proof(Box::new(proof(1, Kind::Loop, Verdict::Pass, NOW)))).unwrap();
        let again = Ledger::open(data.path()).unwrap();
        prop_assert!(again.standing(Of::Point, "GT-1").proved.is_some());
    }
}
