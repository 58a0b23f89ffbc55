//! A journal judged again by its own site file tells the record, line by line: alarms, votes, suppression by design, outputs, over restarts.
#![allow(clippy::unwrap_used)]

mod recorder;

use davy_alarm::{Action, NoValue, WallMs};
use davy_config::site::Site;
use davy_gateway::journal::{Archive, Batch, Record};
use davy_gateway::judge::Ask;
use davy_gateway::replay::{self, Span};
use proptest::prelude::*;
use recorder::{Gateway, LIMIT};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

const BEGAN: i64 = 1_790_000_000_000;

fn site() -> Arc<Site> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/plant.toml");
    let loaded = davy_config::load(&path);
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

/// What happens to the plant, between polls.
#[derive(Clone, Debug)]
enum Step {
    Reads(usize, Option<Result<f64, NoValue>>),
    /// An output's register sticks, or does as demanded again.
    Sticks(usize, Option<Option<bool>>),
    Act(&'static str, Action),
    ResetFan,
    Silence,
    /// A person demands the purge, or ends it.
    Manual(bool),
    /// The heartbeat counter moves, or stands.
    Beats(f64),
    Restart(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        8 => prop_oneof![Just(5.0), Just(19.0), Just(30.0), Just(49.0), Just(60.0)].prop_map(|value| Some(Ok(value))),
        2 => prop_oneof![Just(NoValue::OverRange), Just(NoValue::SensorFault)].prop_map(|cause| Some(Err(cause))),
        1 => Just(None),
    ];
    let stuck = prop_oneof![Just(Some(Some(false))), Just(Some(Some(true))), Just(None)];
    let alarm = prop_oneof![
        Just("A.H"),
        Just("B.H"),
        Just("A.HH"),
        Just("C.HH"),
        Just("G.VOTE"),
        Just("G.DEGRADED"),
        Just("FAN.FAILED"),
        Just("A.BAD")
    ];
    let action = prop_oneof![
        3 => Just(Action::Acknowledge { occurrence: None }),
        2 => Just(Action::Reset),
        1 => Just(Action::Shelve { minutes: 1, reason: true, second: true }),
        1 => Just(Action::Unshelve),
        1 => Just(Action::OutOfService { reason: true }),
        1 => Just(Action::InService),
    ];
    prop_oneof![
        6 => (0_usize..3, value).prop_map(|(point, value)| Step::Reads(point, value)),
        3 => (3_usize..5, any::<bool>()).prop_map(|(point, on)| Step::Reads(point, Some(Ok(f64::from(u8::from(on)))))),
        2 => (prop_oneof![Just(1_usize), Just(3)], stuck).prop_map(|(output, held)| Step::Sticks(output, held)),
        5 => (alarm, action).prop_map(|(alarm, action)| Step::Act(alarm, action)),
        1 => Just(Step::ResetFan),
        2 => Just(Step::Silence),
        2 => any::<bool>().prop_map(Step::Manual),
        3 => prop_oneof![Just(1.0), Just(2.0), Just(3.0)].prop_map(Step::Beats),
        1 => prop_oneof![Just(1000_i64), Just(15_000), Just(90_000)].prop_map(Step::Restart),
    ]
}

async fn recorded(dir: &Path, site: &Arc<Site>, steps: &[(u64, Step)]) -> Gateway {
    let mut gateway = Gateway::start(dir, site, BEGAN, &[], &[]);
    gateway.values[3] = Some(Ok(1.0));
    gateway.poll(2);
    for (pause, step) in steps {
        match step {
            Step::Reads(point, value) => gateway.values[*point] = *value,
            Step::Sticks(output, held) => gateway.registers[*output] = *held,
            // Refused or not.
            Step::Act(alarm, action) => {
                let _ = gateway.try_act(alarm, *action);
            }
            Step::ResetFan => {
                let _ = gateway.try_reset_fan();
            }
            Step::Beats(count) => gateway.values[5] = Some(Ok(*count)),
            Step::Manual(demand) => {
                let _ = gateway.demand("PURGE.MANUAL", *demand);
            }
            Step::Silence => {
                let person = recorder::wang();
                let _ = gateway.ask(&Ask::Silence { person });
            }
            Step::Restart(down) => gateway = restarted(gateway, dir, site, *down).await,
        }
        gateway.poll(*pause);
    }
    gateway.synced(dir).await;
    gateway
}

async fn restarted(gateway: Gateway, dir: &Path, site: &Arc<Site>, down: i64) -> Gateway {
    gateway.synced(dir).await;
    let (saved, switched) = gateway.state();
    let back = gateway.started + gateway.now as i64 + down;
    let (kept, values, registers) = (
        gateway.kept,
        gateway.values.clone(),
        gateway.registers.clone(),
    );
    assert!(gateway.journal.close(LIMIT).await);
    drop(gateway);
    let mut gateway = Gateway::start(dir, site, back, &saved, &switched);
    (gateway.kept, gateway.values, gateway.registers) = (kept, values, registers);
    gateway
}

/// What the journal says, as replay would tell it, by time; within one time in no order.
fn record(dir: &Path) -> BTreeSet<(i64, String)> {
    let mut all = BTreeSet::new();
    let archive = Archive::open(dir).unwrap();
    let tell = |batch: &Batch| {
        for record in &batch.records {
            match record {
                Record::Transition(transition) => {
                    let alarm = &batch.names.alarms[transition.alarm as usize];
                    let (from, to) = (transition.from.name(), transition.to.name());
                    let (cause, seen) = (transition.cause.name(), transition.occurrence);
                    all.insert((
                        transition.time.0,
                        format!("{alarm} {seen} {from} {to} {cause}"),
                    ));
                }
                Record::Output { output, on, time } => {
                    let output = &batch.names.outputs[*output as usize];
                    all.insert((time.0, format!("{output} {on}")));
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    };
    archive.each(0, tell).unwrap();
    all
}

fn told(lines: &str) -> BTreeSet<(i64, String)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let time: jiff::Timestamp = text("time").parse().unwrap();
        let what = if line.get("refused").is_some() {
            format!(
                "refused {} {} {}",
                text("alarm"),
                text("refused"),
                text("why")
            )
        } else if line.get("alarm").is_some() {
            let what = ["from", "to", "cause"].map(text).join(" ");
            format!("{} {} {what}", text("alarm"), line["occurrence"])
        } else {
            format!("{} {}", text("output"), line["value"])
        };
        (time.as_millisecond(), what)
    };
    lines.lines().map(line).collect()
}

fn replayed(dir: &Path, site: &Arc<Site>, from: Option<i64>) -> BTreeSet<(i64, String)> {
    let archive = Archive::open(dir).unwrap();
    let mut output = Vec::new();
    let span = Span {
        from: from.map(WallMs),
        to: None,
    };
    replay::journal(site, &archive, span, &mut output).unwrap();
    told(&String::from_utf8(output).unwrap())
}

fn differences(recorded: &BTreeSet<(i64, String)>, told: &BTreeSet<(i64, String)>) -> Vec<String> {
    let lines = |mark: &str, lines: Vec<&(i64, String)>| -> Vec<String> {
        let line = |(time, what): &(i64, String)| format!("{} {mark} {what}", time - BEGAN);
        lines.into_iter().map(line).collect()
    };
    let mut all = lines("recorded", recorded.difference(told).collect());
    all.extend(lines("told", told.difference(recorded).collect()));
    all.sort();
    all
}

fn run(steps: &[(u64, Step)]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    runtime.block_on(async {
        let gateway = recorded(dir.path(), &site, steps).await;
        let found = differences(&record(dir.path()), &replayed(dir.path(), &site, None));
        drop(gateway);
        found
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_under_its_own_site_file_tells_every_line_of_the_record(
        steps in proptest::collection::vec((1_u64..25, step()), 5..50)
    ) {
        prop_assert_eq!(run(&steps), Vec::<String>::new());
    }
}

#[test]
fn a_rule_of_the_record_suppresses_nothing_under_a_file_that_does_not_have_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/plant.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let rule = text.find("[[suppress]]\nid = \"STOPPED\"").unwrap();
    let next = rule + text[rule + 1..].find("[[suppress]]").unwrap() + 1;
    let without = format!("{}{}", &text[..rule], &text[next..]);
    let other = davy_config::parse("site.toml", &without, path.parent().unwrap());
    let other = Arc::new(other.unwrap_or_else(|problems| panic!("{problems}")).site);
    let stop_and_go = [
        (10, Step::Reads(3, Some(Ok(0.0)))),
        (60, Step::Reads(3, Some(Ok(1.0)))),
    ];
    let gateway = runtime.block_on(recorded(dir.path(), &site(), &stop_and_go));
    let suppressions = |lines: BTreeSet<(i64, String)>| -> Vec<(i64, String)> {
        let of = |(_, what): &(i64, String)| what.contains("suppress");
        lines.into_iter().filter(of).collect()
    };
    assert_eq!(suppressions(replayed(dir.path(), &site(), None)).len(), 4);
    assert_eq!(suppressions(replayed(dir.path(), &other, None)), []);
    // A span that begins while the rule held: what it had suppressed is free at once, as at a start under that file.
    let ended = suppressions(replayed(dir.path(), &other, Some(BEGAN + 8_000)));
    let at_once: Vec<i64> = ended.iter().map(|(time, _)| time - BEGAN).collect();
    assert_eq!(at_once, [8_000, 8_000], "{ended:?}");
    drop(gateway);
}
