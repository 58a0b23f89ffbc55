//! A gateway's own journal, judged again: by its own site file it tells what was recorded, by another what would have been.
#![allow(clippy::unwrap_used)]

mod recorder;

use davy_alarm::{Action, NoValue, WallMs};
use davy_config::site::Site;
use davy_gateway::journal::{Archive, Journal};
use davy_gateway::replay::{self, Comparison, Span};
use recorder::{Gateway, LIMIT};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// When the recorded shift began.
const BEGAN: i64 = 1_790_000_000_000;

/// What the points of the site read while nothing happens.
const CALM: [Option<Result<f64, NoValue>>; 3] = [Some(Ok(5.0)), Some(Ok(5.0)), Some(Ok(0.0))];

fn site_of(edit: impl Fn(String) -> String) -> Arc<Site> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay");
    let text = edit(std::fs::read_to_string(folder.join("site.toml")).unwrap());
    let loaded = davy_config::parse("site.toml", &text, &folder);
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

fn site() -> Arc<Site> {
    site_of(|text| text)
}

/// Two hours: a leak with everything that people do about it, a level that holds, a point that goes stale, a restart.
async fn recorded(dir: &Path) -> (Gateway, u64) {
    let site = site();
    let mut gateway = Gateway::start(dir, &site, BEGAN, &[], &[]);
    gateway.values = CALM.to_vec();
    gateway.poll(1200);
    gateway.values[0] = Some(Ok(30.0));
    gateway.poll(10);
    gateway.act(
        "GT-1.H",
        Action::Acknowledge {
            occurrence: Some(1),
        },
    );
    gateway.values[0] = Some(Ok(60.0));
    gateway.poll(400);
    gateway.act(
        "GT-1.HH",
        Action::Acknowledge {
            occurrence: Some(1),
        },
    );
    gateway.values[0] = Some(Ok(5.0));
    gateway.poll(20);
    gateway.act("GT-1.HH", Action::Reset);
    gateway.reset_fan();
    let shelve = Action::Shelve {
        minutes: 5,
        reason: true,
        second: true,
    };
    gateway.act("LT-1.L", shelve);
    gateway.values[1] = Some(Ok(1.5));
    gateway.poll(600);
    // The spark detector is heard no more, and comes back.
    gateway.values[2] = None;
    gateway.poll(60);
    gateway.values[2] = Some(Ok(0.0));
    gateway.poll(600);
    // It stops while an on-delay runs, which it takes with it.
    gateway.values[1] = Some(Ok(9.0));
    gateway.poll(5);
    gateway.synced(dir).await;
    let (saved, on) = gateway.state();
    let (now, kept) = (gateway.now, gateway.kept);
    assert!(gateway.journal.close(LIMIT).await);
    drop(gateway);
    let back = BEGAN + now as i64 + 90_000;
    let mut gateway = Gateway::start(dir, &site, back, &saved, &on);
    gateway.values = CALM.to_vec();
    gateway.kept = kept;
    gateway.values[1] = Some(Ok(1.5));
    gateway.poll(600);
    gateway.values[1] = Some(Ok(5.0));
    gateway.poll(600);
    gateway.synced(dir).await;
    let kept = gateway.kept;
    (gateway, kept)
}

fn again(dir: &Path, site: &Arc<Site>, span: Span) -> (Vec<Value>, Comparison) {
    let archive = Archive::open(dir).unwrap();
    let mut output = Vec::new();
    let comparison = replay::journal(site, &archive, span, &mut output).unwrap();
    let told = String::from_utf8(output).unwrap();
    let lines = told.lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), comparison)
}

/// What the journal says, as replay would tell it: alarm, states, cause, and when.
async fn transitions(journal: &Journal) -> Vec<(i64, String)> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = journal.transitions(before, 500, None).await;
        let Some((_, last)) = page.last() else { break };
        before = Some(last.seq);
        for (names, transition) in page {
            let alarm = &names.alarms[transition.alarm as usize];
            let (from, to) = (transition.from.name(), transition.to.name());
            let (cause, seen) = (transition.cause.name(), transition.occurrence);
            all.push((
                transition.time.0,
                format!("{alarm} {seen} {from} {to} {cause}"),
            ));
        }
    }
    all.sort();
    all
}

fn told(lines: &[Value]) -> Vec<(i64, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let mut all: Vec<(i64, String)> = lines
        .iter()
        .filter(|line| line.get("from").is_some())
        .map(|line| {
            let time: jiff::Timestamp = text(line, "time").parse().unwrap();
            let what = ["from", "to", "cause"].map(|key| text(line, key)).join(" ");
            let seen = line["occurrence"].as_u64().unwrap();
            (
                time.as_millisecond(),
                format!("{} {seen} {what}", text(line, "alarm")),
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_journal_judged_by_its_own_site_file_tells_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, kept) = recorded(dir.path()).await;
    // While the gateway has it open.
    let (lines, comparison) = again(dir.path(), &site(), Span::default());
    let recorded = transitions(&gateway.journal).await;
    assert!(recorded.len() >= 12, "{recorded:#?}");
    assert_eq!(told(&lines), recorded);
    assert_eq!(comparison.found.readings, kept);
    assert!(kept < 1000, "readings were journalled by exception: {kept}");
    assert_eq!(comparison.found.starts, 2);
    assert_eq!(
        comparison.found.acts, 5,
        "four upon alarms, and the fan's reset"
    );
    assert_eq!(comparison.refused, 0);
    assert!(comparison.is_own_site);
    assert_eq!(comparison.found.missing.batches, 0);
    assert!(comparison.found.unknown.is_empty());
    let fan = &comparison.outputs["FAN-1"];
    assert_eq!((fan.recorded.times, fan.here.times), (1, 1));
    let off = lines
        .iter()
        .find(|line| line["output"] == "FAN-1" && line["value"] == false);
    assert!(off.is_some(), "its reset is repeated");
}

#[tokio::test]
async fn another_site_file_tells_what_its_limits_would_have_done() {
    let dir = tempfile::tempdir().unwrap();
    let (_gateway, _) = recorded(dir.path()).await;
    let other = site_of(|text| text.replace("set_point = 50", "set_point = 70"));
    let (lines, comparison) = again(dir.path(), &other, Span::default());
    assert!(!comparison.is_own_site);
    let level_2 = &comparison.alarms["GT-1.HH"];
    assert_eq!((level_2.recorded.times, level_2.here.times), (1, 0));
    let first = level_2.recorded.first.unwrap();
    assert!((BEGAN + 1_200_000..BEGAN + 1_300_000).contains(&first.0));
    assert_eq!(comparison.outputs["FAN-1"].here.times, 0);
    let level_1 = &comparison.alarms["GT-1.H"];
    assert_eq!((level_1.recorded.times, level_1.here.times), (1, 1));
    // Acts upon what never happened are refused, and told.
    assert_eq!(comparison.refused, 3);
    let refused: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["why"].as_str())
        .collect();
    assert_eq!(
        refused,
        ["not-unacknowledged", "not-latched", "not-latched"],
        "of the alarm and of the fan"
    );
}

#[tokio::test]
async fn a_span_begins_with_what_stood_then_and_ends_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, _) = recorded(dir.path()).await;
    let (from, to) = (BEGAN + 1_500_000, BEGAN + 2_400_000);
    let span = Span {
        from: Some(WallMs(from)),
        to: Some(WallMs(to)),
    };
    let (lines, comparison) = again(dir.path(), &site(), span);
    let mut recorded = transitions(&gateway.journal).await;
    recorded.retain(|(time, _)| (from..=to).contains(time));
    assert!(recorded.len() >= 5, "{recorded:#?}");
    assert_eq!(told(&lines), recorded);
    let t = lines
        .iter()
        .find(|line| line.get("from").is_some())
        .unwrap()["t"]
        .as_u64();
    assert_eq!(
        t,
        Some((recorded[0].0 - from) as u64),
        "time 0 is the span's beginning"
    );
    assert_eq!(comparison.found.starts, 0);
    let nothing = Span {
        from: Some(WallMs(to + 86_400_000)),
        to: None,
    };
    let (lines, comparison) = again(dir.path(), &site(), nothing);
    assert_eq!((lines.len(), comparison.found.times), (0, None));
}

#[tokio::test]
async fn what_was_read_before_a_span_holds_at_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let (_gateway, _) = recorded(dir.path()).await;
    let lower = site_of(|text| text.replace("set_point = 8\n", "set_point = 4\n"));
    let span = Span {
        from: Some(WallMs(BEGAN + 605_500)),
        to: Some(WallMs(BEGAN + 700_000)),
    };
    let (lines, _) = again(dir.path(), &lower, span);
    // The level stood at 5 m all along; its next reading was kept half a minute later.
    assert_eq!(lines[0]["alarm"], "LT-1.H");
    assert_eq!(lines[0]["t"], 10_000);
}

#[tokio::test]
async fn a_torn_end_and_points_that_are_gone_stop_no_replay() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, _) = recorded(dir.path()).await;
    assert!(gateway.journal.close(LIMIT).await);
    let newest = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let bytes = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() - 7]).unwrap();
    let before: Vec<u8> = std::fs::read(&newest).unwrap();
    let other = site_of(|text| text.replace("GT-1", "GT-7"));
    let (_, comparison) = again(dir.path(), &other, Span::default());
    assert!(comparison.found.unknown.contains("GT-1"));
    assert!(comparison.found.unknown.contains("GT-1.HH"));
    assert_eq!(std::fs::read(&newest).unwrap(), before, "it is only read");
    let level = &comparison.alarms["LT-1.L"];
    assert_eq!((level.recorded.times, level.recorded), (2, level.here));
}

#[tokio::test]
async fn the_command_says_how_it_differs() {
    let dir = tempfile::tempdir().unwrap();
    let (_gateway, _) = recorded(dir.path()).await;
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/site.toml");
    let text = std::fs::read_to_string(&site).unwrap();
    let other = dir.path().join("other.toml");
    std::fs::write(&other, text.replace("set_point = 50", "set_point = 70")).unwrap();
    let run = |language: &str, arguments: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_davy-gateway"))
            .arg("replay")
            .args(arguments)
            .env("LC_ALL", language)
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code(), ended.stdout.len(), said)
    };
    let (journal, own) = (dir.path().to_str().unwrap(), site.to_str().unwrap());
    let other = other.to_str().unwrap();
    for (language, differs) in [
        ("en_US.UTF-8", "GT-1.HH: recorded 1 time (first"),
        ("zh_CN.UTF-8", "GT-1.HH：记录 1 次"),
    ] {
        let (code, _, said) = run(language, &["--journal", journal, "--site", other]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(differs), "{said}");
        assert!(!said.contains("replay-"), "{said}");
        let (code, told, said) = run(language, &[own, "--journal", journal]);
        assert_eq!(code, Some(0), "{said}");
        assert!(told > 0 && !said.contains("GT-1.HH"), "{said}");
    }
    let from = "2026-09-21T14:13:20Z";
    assert_eq!(
        from.parse::<jiff::Timestamp>().unwrap().as_millisecond(),
        BEGAN
    );
    let ms = (BEGAN + 60_000).to_string();
    let arguments = [own, "--journal", journal, "--from", from, "--to", &ms];
    let (code, told, said) = run("en_US.UTF-8", &arguments);
    assert_eq!((code, told), (Some(0), 0), "{said}");
    let nowhere = dir.path().join("nowhere");
    let arguments = [own, "--journal", nowhere.to_str().unwrap()];
    assert_eq!(run("en_US.UTF-8", &arguments).0, Some(2));
    let arguments = [own, "events.jsonl", "--journal", journal];
    assert_eq!(
        run("en_US.UTF-8", &arguments).0,
        Some(2),
        "one or the other"
    );
    assert_eq!(
        run("en_US.UTF-8", &["--journal", journal]).0,
        Some(2),
        "a site is needed"
    );
}
