//! A site's judgement on events that are written down: each rule of the alarm rules that a replay can show, as a transcript.
#![allow(clippy::unwrap_used)]

use davy_alarm::{Action, Actor, Instant, NoValue, Reading, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};
use davy_gateway::judge::{Ask, Happening, Judge, Person, Switched};
use davy_gateway::replay::{self, Remarks, ReplayError};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay")
}

fn site() -> Arc<Site> {
    static SITE: OnceLock<Arc<Site>> = OnceLock::new();
    let load = || {
        let loaded = davy_config::load(&folder().join("site.toml"));
        Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
    };
    SITE.get_or_init(load).clone()
}

fn replayed(events: &str) -> (String, Result<Remarks, ReplayError>) {
    let mut output = Vec::new();
    let outcome = replay::events(&site(), events.as_bytes(), &mut output);
    (String::from_utf8(output).unwrap(), outcome)
}

/// The transcripts: `> line in`, `< line out`, `# remark`. The lines out must be those that stand there, in their order.
#[test]
fn every_transcript_is_replayed_to_the_letter() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 22, "{paths:?}");
    let mut wrong = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let of = |mark: &str| -> String {
            let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
            lines.map(|line| format!("{}\n", line.trim())).collect()
        };
        let (told, outcome) = replayed(&of(">"));
        outcome.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if told != of("<") {
            wrong += &format!(
                "{}\n--- expected\n{}--- told\n{told}",
                path.display(),
                of("<")
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_line_that_cannot_be_read_ends_the_run_with_its_number_and_what_is_wrong() {
    let wrong = [
        (r#"{"t":1,"point":"GT-9","value":1}"#, "GT-9"),
        (r#"{"t":1,"point":"GT-1"}"#, "value"),
        (r#"{"t":1,"value":3}"#, "point"),
        (r#"{"point":"GT-1","value":1}"#, "`t`"),
        (r#"{"t":-1}"#, "-1"),
        (r#"{"t":1,"point":"GT-1","value":"high"}"#, "high"),
        (r#"{"t":1,"point":"GT-1","value":1,"bad":"timeout"}"#, "bad"),
        (r#"{"t":1,"point":"GT-1","bad":"overrange"}"#, "overrange"),
        (r#"{"t":1,"action":"reset"}"#, "alarm"),
        (r#"{"t":1,"action":"shelve","output":"FAN-1"}"#, "alarm"),
        (
            r#"{"t":1,"action":"reset","alarm":"GT-1.HH","output":"FAN-1"}"#,
            "output",
        ),
        (
            r#"{"t":1,"action":"reset","alarm":"GT-1.HH","role":"boss"}"#,
            "boss",
        ),
        (
            r#"{"t":1,"action":"reset","alarm":"GT-1.HH","remtoe":true}"#,
            "remtoe",
        ),
        (r#"{"t":1,"restart":true,"point":"GT-1"}"#, "restart"),
        (r#"{"t":1,"down":5}"#, "restart"),
        (r#"{"t":1"#, "column"),
        ("[1]", "JSON"),
    ];
    for (line, what) in wrong {
        let events = format!("{{\"t\":0,\"point\":\"LT-1\",\"value\":1}}\n\n{line}\n{{\"t\":5}}\n");
        let (told, outcome) = replayed(&events);
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, ReplayError::Line { number: 3, .. }),
            "{line}: {error}"
        );
        assert!(error.to_string().contains(what), "{line}: {error}");
        assert!(told.contains("LT-1.L"), "what came before it is told");
    }
    let long = format!("{{\"t\":0}}\n{}", "x".repeat(1 << 20));
    let error = replayed(&long).1.unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("65536"),
        "{error}"
    );
}

#[test]
fn earlier_times_and_reasons_of_others_are_remarked_on() {
    let (told, outcome) = replayed(
        "{\"t\":5}\n{\"t\":4}\n{\"t\":5,\"point\":\"GT-1\",\"bad\":\"gremlins\"}\n{\"t\":4006}\n{\"t\":1}\n",
    );
    let remarks = outcome.unwrap();
    assert_eq!((remarks.lines, remarks.earlier), (5, 2));
    assert_eq!(remarks.first_earlier, Some(2));
    assert_eq!(remarks.unknown_reason, Some((3, "gremlins".to_owned())));
    assert!(told.contains("GT-1.BAD"), "whatever the reason, it is bad");
}

#[test]
fn the_command_prints_its_lines_and_ends_with_two_where_it_cannot_read_on() {
    let run = |events: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_davy-gateway"))
            .args([
                "replay".as_ref(),
                folder().join("site.toml").as_os_str(),
                "-".as_ref(),
            ])
            .env("LC_ALL", "en_US.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(events.as_bytes())
            .unwrap();
        let ended = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ended.status.code(), text(ended.stdout), text(ended.stderr))
    };
    let (code, told, said) = run("{\"t\":0,\"point\":\"LT-1\",\"value\":2}\n");
    assert_eq!((code, &*said), (Some(0), ""));
    assert_eq!(
        told,
        "{\"t\":0,\"alarm\":\"LT-1.L\",\"occurrence\":1,\"from\":\"NORM\",\"to\":\"UNACK\",\"cause\":\"active\"}\n\
         {\"t\":0,\"output\":\"HORN\",\"value\":true}\n"
    );
    let (code, _, said) = run("{\"t\":0}\n{\"t\":1,\"point\":\"GT-9\",\"value\":2}\n");
    assert_eq!(code, Some(2));
    assert!(said.contains("line 2") && said.contains("GT-9"), "{said}");
}

/// One step of a random run.
#[derive(Clone, Debug)]
enum Step {
    Reading(usize, Result<f64, NoValue>),
    Pass,
    Restart(u64),
    Act(usize, Action, Actor),
    Silence,
    ResetOutput(usize, Actor),
}

fn steps(with_restarts: bool) -> impl Strategy<Value = Vec<(u64, Step)>> {
    let value = prop_oneof![
        6 => prop_oneof![Just(1.0), Just(2.0), Just(5.0), Just(8.0), Just(9.0), Just(18.0), Just(20.0), Just(50.0), Just(60.0)].prop_map(Ok),
        1 => prop_oneof![Just(NoValue::OverRange), Just(NoValue::UnderRange), Just(NoValue::Timeout)].prop_map(Err),
    ];
    let actor = (any::<bool>(), any::<bool>()).prop_map(|(remote, maintenance)| Actor {
        remote,
        maintenance,
    });
    let action = prop_oneof![
        (0_u32..4).prop_map(|seen| Action::Acknowledge {
            occurrence: seen.checked_sub(1)
        }),
        Just(Action::Reset),
        (0_u32..3, any::<bool>(), any::<bool>()).prop_map(|(minutes, reason, second)| {
            Action::Shelve {
                minutes,
                reason,
                second,
            }
        }),
        Just(Action::Unshelve),
        any::<bool>().prop_map(|reason| Action::OutOfService { reason }),
        Just(Action::InService),
        Just(Action::Suppress),
        Just(Action::Unsuppress),
    ];
    let step = prop_oneof![
        8 => (0_usize..3, value).prop_map(|(point, value)| Step::Reading(point, value)),
        1 => Just(Step::Pass),
        u32::from(with_restarts) => prop_oneof![Just(0), Just(1), Just(30_000), Just(120_000)].prop_map(Step::Restart),
        6 => (0_usize..13, action, actor.clone()).prop_map(|(alarm, action, actor)| Step::Act(alarm, action, actor)),
        1 => Just(Step::Silence),
        1 => (0_usize..3, actor).prop_map(|(output, actor)| Step::ResetOutput(output, actor)),
    ];
    let pause = prop_oneof![3 => Just(0_u64), 3 => Just(500), 2 => Just(1000), 2 => 0_u64..12_000, 1 => 0_u64..100_000];
    proptest::collection::vec((pause, step), 1..60)
}

/// The lines of a random run, at times that never run backwards.
fn written(site: &Site, steps: &[(u64, Step)]) -> String {
    let mut t = 0;
    let mut text = String::new();
    for (pause, step) in steps {
        t += pause;
        let line = match step {
            Step::Pass => json!({ "t": t }),
            Step::Restart(down) => json!({ "t": t, "restart": true, "down": down }),
            Step::Reading(point, Ok(value)) => {
                json!({ "t": t, "point": site.points[*point].id, "value": value })
            }
            Step::Reading(point, Err(cause)) => {
                json!({ "t": t, "point": site.points[*point].id, "bad": cause.name() })
            }
            Step::Silence => json!({ "t": t, "action": "silence", "actor": "wang" }),
            Step::ResetOutput(output, actor) => json!({
                "t": t, "action": "reset", "output": site.outputs[*output].id, "actor": "wang", "remote": actor.remote,
            }),
            Step::Act(alarm, action, actor) => {
                let mut line = json!({
                    "t": t, "action": action.name(), "alarm": site.alarms[*alarm].id, "actor": "wang", "remote": actor.remote,
                    "role": if actor.maintenance { "maintenance" } else { "operator" },
                });
                match action {
                    Action::Acknowledge { occurrence } => line["occurrence"] = json!(occurrence),
                    Action::Shelve {
                        minutes,
                        reason,
                        second,
                    } => {
                        line["minutes"] = json!(minutes);
                        line["reason"] = json!(if *reason { "test" } else { " " });
                        line["second"] = json!(if *second { "li" } else { "wang" });
                    }
                    Action::OutOfService { reason: true } => line["reason"] = json!("test"),
                    _ => {}
                }
                line
            }
        };
        text += &format!("{line}\n");
    }
    text
}

fn wang() -> Person {
    Person {
        actor: "wang".into(),
        reason: None,
        second: None,
    }
}

/// The same run on the judge itself: an instant ends when time goes on, and its outputs are told then.
struct Driven {
    site: Arc<Site>,
    judge: Judge,
    now: u64,
    on: Vec<bool>,
    switched: Vec<Switched>,
    lines: Vec<Value>,
}

impl Driven {
    fn new(site: &Arc<Site>) -> Self {
        Self {
            judge: Judge::new(site.clone(), &[], &[], Instant(0), WallMs(0)),
            on: vec![false; site.outputs.len()],
            switched: vec![Switched::default(); site.outputs.len()],
            site: site.clone(),
            now: 0,
            lines: Vec::new(),
        }
    }

    fn hear(&mut self) {
        for happening in self.judge.take_happenings() {
            if let Happening::Output { output, at, on } = happening {
                self.switched[output.0] = Switched {
                    on,
                    since: Some(WallMs(at.0 as i64)),
                };
            }
            if let Happening::Changed(change) = happening {
                self.lines.push(json!({
                    "t": change.at.0, "alarm": self.site.alarms[change.alarm.0].id, "occurrence": change.occurrence,
                    "from": change.from.name(), "to": change.to.name(), "cause": change.cause.name(),
                }));
            }
        }
    }

    /// Goes on from due time to due time, and at the end of each instant looks at every output.
    fn go_on(&mut self, t: u64) {
        while self.now < t {
            self.end_instant();
            let due = self
                .judge
                .next_due()
                .map_or(t, |due| due.0.clamp(self.now + 1, t));
            self.now = due;
            self.judge.advance(Instant(due));
            self.hear();
        }
        self.judge.advance(Instant(t));
        self.hear();
    }

    fn end_instant(&mut self) {
        self.judge.settle();
        self.hear();
        for (output, on) in self.judge.demand().into_iter().enumerate() {
            if std::mem::replace(&mut self.on[output], on) != on {
                let id = &self.site.outputs[output].id;
                self.lines
                    .push(json!({ "t": self.now, "output": id, "value": on }));
            }
        }
    }

    fn act(&mut self, ask: &Ask, what: &str, id: &str, action: &str) {
        let outcome = self.judge.act(ask, Instant(self.now));
        self.hear();
        if let Err(why) = outcome {
            self.lines
                .push(json!({ "t": self.now, what: id, "refused": action, "why": why.why() }));
        }
    }

    fn restart(&mut self, down: u64) {
        self.judge.settle();
        self.hear();
        if down > 0 {
            self.end_instant();
        }
        let wall = WallMs(self.now as i64);
        let saved: Vec<_> = (0..self.site.alarms.len())
            .map(|alarm| Some(self.judge.saved(AlarmIndex(alarm), wall)))
            .collect();
        self.now += down;
        let (now, wall) = (Instant(self.now), WallMs(self.now as i64));
        self.judge = Judge::new(self.site.clone(), &saved, &self.switched, now, wall);
        self.judge.advance(now);
        self.hear();
    }

    fn run(mut self, steps: &[(u64, Step)]) -> Vec<Value> {
        let mut t = 0;
        let site = self.site.clone();
        for (pause, step) in steps {
            t += pause;
            // A line from a time when the gateway was down is handled when it is back (R3).
            self.go_on(t.max(self.now));
            match step {
                Step::Pass => {}
                Step::Restart(down) => self.restart(*down),
                Step::Reading(point, value) => {
                    let reading = match value {
                        Ok(value) => Reading::measured(*value, WallMs(0)),
                        Err(cause) => Reading::absent(*cause, WallMs(0)),
                    };
                    let now = Instant(self.now);
                    self.judge.reading(PointIndex(*point), &reading, now);
                    self.hear();
                }
                Step::Silence => self.act(&Ask::Silence { person: wang() }, "alarm", "", "silence"),
                Step::ResetOutput(output, actor) => {
                    let ask = Ask::ResetOutput {
                        output: OutputIndex(*output),
                        actor: *actor,
                        person: wang(),
                    };
                    self.act(&ask, "output", &site.outputs[*output].id, "reset");
                }
                Step::Act(alarm, action, actor) => {
                    let ask = Ask::Alarm {
                        alarm: AlarmIndex(*alarm),
                        action: *action,
                        actor: *actor,
                        person: wang(),
                    };
                    self.act(&ask, "alarm", &site.alarms[*alarm].id, action.name());
                }
            }
        }
        self.end_instant();
        self.lines
    }
}

fn lines(told: &str) -> Vec<Value> {
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Outputs of one instant come in no order that means anything.
fn ordered(mut lines: Vec<Value>) -> Vec<Value> {
    let mut start = 0;
    while start < lines.len() {
        let is_output = |line: &Value| line.get("value").is_some();
        let run = lines[start..]
            .iter()
            .take_while(|line| is_output(line) && line["t"] == lines[start]["t"])
            .count();
        lines[start..start + run].sort_by_key(|line| line["output"].to_string());
        start += run.max(1);
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_tells_what_driving_the_judge_itself_tells(steps in steps(true)) {
        let site = site();
        let (told, outcome) = replayed(&written(&site, &steps));
        prop_assert!(outcome.is_ok());
        prop_assert_eq!(ordered(lines(&told)), ordered(Driven::new(&site).run(&steps)));
    }

    #[test]
    fn the_same_events_tell_the_same_lines(steps in steps(true)) {
        let events = written(&site(), &steps);
        prop_assert_eq!(replayed(&events).0, replayed(&events).0);
    }

    /// R20: what is pending and the horn's silence go; no alarm changes.
    #[test]
    fn a_restart_of_no_length_tells_of_no_alarm(steps in steps(false), at in 0_usize..60) {
        let site = site();
        let steps = &steps[..steps.len().min(at + 1)];
        let before = written(&site, steps);
        let now: u64 = steps.iter().map(|(pause, _)| pause).sum();
        let after = format!("{before}{{\"t\":{now},\"restart\":true,\"down\":0}}\n");
        let alarms = |told: &str| -> Vec<Value> {
            lines(told).into_iter().filter(|line| line.get("alarm").is_some()).collect()
        };
        prop_assert_eq!(alarms(&replayed(&before).0), alarms(&replayed(&after).0));
        let fans = |told: &str| lines(told).into_iter().rfind(|line| line["output"] == "FAN-1" && line.get("value").is_some());
        prop_assert_eq!(fans(&replayed(&before).0), fans(&replayed(&after).0), "a latched output survives");
    }

    /// Without delays there is nothing pending that a restart could end, so alarms go on as if there had been none.
    #[test]
    fn without_delays_a_restart_at_any_moment_changes_no_transition(steps in steps(false), cuts in proptest::collection::btree_set(0_usize..60, 1..6)) {
        let site = prompt_site();
        // Good values alone (a fault has its delay), no reset (it needs a reading since the start), less time than anything expires in.
        let steady: Vec<(u64, Step)> = steps
            .into_iter()
            .filter(|(_, step)| !matches!(step, Step::Reading(_, Err(_)) | Step::Act(_, Action::Reset, _) | Step::ResetOutput(..)))
            .map(|(pause, step)| (pause.min(90), step))
            .collect();
        let mut cut = steady.clone();
        for at in cuts.iter().rev().filter(|at| **at < steady.len()) {
            cut.insert(*at, (0, Step::Restart(0)));
        }
        let alarms = |steps: &[(u64, Step)]| -> Vec<Value> {
            let mut output = Vec::new();
            replay::events(&site, written(&site, steps).as_bytes(), &mut output).unwrap();
            let told = lines(&String::from_utf8(output).unwrap());
            told.into_iter().filter(|line| line.get("alarm").is_some()).collect()
        };
        prop_assert_eq!(alarms(&steady), alarms(&cut));
    }
}

fn prompt_site() -> Arc<Site> {
    static SITE: OnceLock<Arc<Site>> = OnceLock::new();
    SITE.get_or_init(prompt).clone()
}

fn prompt() -> Arc<Site> {
    let text = std::fs::read_to_string(folder().join("site.toml")).unwrap();
    let prompt = text
        .replace("on_delay_s = 10\n", "on_delay_s = 0\n")
        .replace("on_delay_s = 1\n", "on_delay_s = 0\n")
        .replace("off_delay_s = 10\n", "off_delay_s = 0\n")
        .replace("off_delay_s = 5\n", "off_delay_s = 0\n");
    let loaded = davy_config::parse("site.toml", &prompt, &folder());
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

#[test]
fn the_example_of_the_documentation_is_told_as_it_stands_there() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples");
    let site = davy_config::load(&examples.join("tank-farm.toml"))
        .unwrap()
        .site;
    let events = std::fs::File::open(examples.join("tank-farm.events.jsonl")).unwrap();
    let mut output = Vec::new();
    replay::events(&Arc::new(site), events, &mut output).unwrap();
    let told = String::from_utf8(output).unwrap();
    let page = std::fs::read_to_string(examples.join("../../docs/replay.md")).unwrap();
    let shown = page.split("<!-- told -->\n```json\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    assert_eq!(told, shown);
}
