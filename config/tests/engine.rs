//! What the check says of voting groups and their like: by code and key.
#![allow(clippy::unwrap_used)]

use davy_config::site::Site;
use davy_config::{Language, Today};
use std::path::Path;

const HEAD: &str = r#"
schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:502"
[[device]]
id = "d"
name = { zh = "器", en = "Device" }
bus = "b"
unit = 1
"#;

fn point(id: &str, register: u16, kind: &str, rest: &str) -> String {
    let unit = if kind == "discrete" {
        String::new()
    } else {
        "unit = \"%LEL\"\nrange = [0, 100]\n".to_owned()
    };
    format!(
        r#"
[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "a"
device = "d"
register = {{ table = "holding", address = {register} }}
kind = "{kind}"
{unit}{rest}"#
    )
}

const RELAY: &str = r#"
[[device]]
id = "io"
name = { zh = "模块", en = "Module" }
bus = "b"
unit = 2
profile = "generic-relay"
[[output]]
id = "FAN"
name = { zh = "风机", en = "Fan" }
area = "a"
kind = "fan"
device = "io"
signal = "do1"
"#;

const HH: &str = "[point.alarms.HH]\nset_point = 50\n";

fn gas() -> String {
    point("A", 0, "combustible-gas", HH) + &point("B", 1, "combustible-gas", HH)
}

fn load(text: &str) -> Result<Site, Vec<(&'static str, String)>> {
    match davy_config::parse("site.toml", &format!("{HEAD}{text}"), Path::new(".")) {
        Ok(loaded) => Ok(loaded.site),
        Err(problems) => {
            for problem in problems.iter() {
                for language in [Language::Zh, Language::En] {
                    let texts = problem.message(language) + &problem.help(language);
                    assert!(!texts.contains('$') && !texts.contains("{ "), "{texts}");
                }
            }
            Err((problems.iter())
                .map(|problem| (problem.code.name(), problem.key.clone()))
                .collect())
        }
    }
}

/// The problems of a file, none of them a warning.
fn problems(text: &str) -> Vec<(&'static str, String)> {
    load(text).err().unwrap_or_default()
}

fn vote(rest: &str) -> String {
    format!(
        "{}\n[[vote]]\nid = \"G\"\nname = {{ zh = \"组\", en = \"Group\" }}\narea = \"a\"\n{rest}",
        gas()
    )
}

#[test]
fn a_group_of_gas_detectors_is_for_safety_latches_and_takes_the_highest_priority() {
    let site = load(&vote(
        "members = [\"A\", \"B\"]\ncondition = \"HH\"\nneeded = 2\nfault = \"exclude\"\n",
    ))
    .unwrap();
    let vote = &site.votes[0];
    assert!(vote.scheme.safety);
    let alarm = &site.alarms[vote.vote.0];
    assert_eq!(alarm.id, "G.VOTE");
    assert!(alarm.definition.latching && alarm.definition.gas_level_2);
    assert_eq!(alarm.definition.priority.number(), 1);
    let ids: Vec<_> = [vote.degraded, vote.unmonitored, vote.discrepancy]
        .map(|alarm| site.alarms[alarm.0].id.as_str())
        .into();
    assert_eq!(ids, ["G.DEGRADED", "G.UNMON", "G.DISC"]);
    assert_eq!(site.home(vote.vote), site.points[0].device);
}

#[test]
fn a_group_that_could_not_do_its_duty_is_refused_where_it_says_so() {
    let members = "members = [\"A.HH\", \"B.HH\"]\n";
    for (rest, wanted) in [
        (
            "needed = 3\nfault = \"exclude\"\n",
            ("out-of-range", "vote[0].needed"),
        ),
        (
            "needed = 0\nfault = \"exclude\"\n",
            ("out-of-range", "vote[0].needed"),
        ),
        ("needed = 1\n", ("missing-key", "vote[0].fault")),
        (
            "needed = 1\nfault = \"ignore\"\n",
            ("unknown-name", "vote[0].fault"),
        ),
        (
            "needed = 1\nfault = \"exclude\"\nsafety = false\n",
            ("vote-safety", "vote[0].safety"),
        ),
        (
            "needed = 1\nfault = \"exclude\"\n[vote.alarms.VOTE]\non_delay_s = 3\n",
            ("gas-level-2-delay", "vote[0].alarms.VOTE.on_delay_s"),
        ),
        (
            "needed = 1\nfault = \"exclude\"\n[vote.alarms.VOTE]\nremote_reset = true\n",
            ("remote-reset", "vote[0].alarms.VOTE.remote_reset"),
        ),
        (
            "needed = 1\nfault = \"exclude\"\n[vote.alarms.DISC]\nlatching = true\n",
            ("unknown-key", "vote[0].alarms.DISC.latching"),
        ),
    ] {
        let found = problems(&vote(&format!("{members}{rest}")));
        assert_eq!(found, [(wanted.0, wanted.1.to_owned())], "{rest}");
    }
}

#[test]
fn only_limits_and_states_of_points_vote_each_once() {
    let rest = "needed = 1\nfault = \"exclude\"\n";
    for (members, wanted) in [
        ("\"A.BAD\"", "vote-member"),
        ("\"d.COMMS\"", "vote-member"),
        ("\"A.HH\", \"A.HH\"", "same-member"),
        ("\"A.XX\"", "unknown-reference"),
    ] {
        let found = problems(&vote(&format!("members = [{members}]\n{rest}")));
        assert_eq!(found.len(), 1, "{members}: {found:?}");
        assert_eq!(found[0].0, wanted);
    }
}

#[test]
fn an_output_fails_after_its_time_out_and_never_switches_itself() {
    let causes = "[[effect]]\ncauses = [\"A.HH\"]\noutputs = [\"FAN\"]\n";
    let site = load(&format!("{}{RELAY}{causes}", gas())).unwrap();
    let failed = &site.alarms[site.outputs[0].failed.0];
    assert_eq!(failed.id, "FAN.FAILED");
    assert_eq!(failed.definition.on_delay_ms, 10_000);
    assert_eq!(failed.definition.priority.number(), 2);
    let own = causes.replace("A.HH", "FAN.FAILED");
    let found = problems(&format!("{}{RELAY}{own}", gas()));
    assert_eq!(found, [("effect-self", "effect[0]".to_owned())]);
    let measured = "[output.feedback]\npoint = \"A\"\n";
    let found = problems(&format!("{}{RELAY}{measured}{causes}", gas()));
    assert_eq!(
        found,
        [("not-discrete", "output[0].feedback.point".to_owned())]
    );
    let at_once = "[output.feedback]\ntimeout_s = 0\n";
    let found = problems(&format!("{}{RELAY}{at_once}{causes}", gas()));
    assert_eq!(
        found,
        [("out-of-range", "output[0].feedback.timeout_s".to_owned())]
    );
}

#[test]
fn a_rule_that_suppresses_itself_or_gas_level_2_is_told() {
    let rule = |when: &str, alarms: &str| {
        let run = point("RUN", 2, "discrete", "[point.alarms.ON]\npriority = 3\n");
        format!(
            "{}{run}\n[[suppress]]\nid = \"R\"\nname = {{ zh = \"规\", en = \"R\" }}\nwhen = \"{when}\"\nalarms = [{alarms}]\n",
            gas()
        )
    };
    let site = load(&rule("RUN", "\"A.BAD\", \"B.BAD\"")).unwrap();
    assert_eq!(site.suppressions[0].alarms.len(), 2);
    let key = "suppress[0].alarms[0]".to_owned();
    assert_eq!(
        problems(&rule("RUN.ON", "\"RUN.ON\"")),
        [("suppress-self", key.clone())]
    );
    let both = problems(&rule("RUN", "\"A.HH\", \"A.HH\""));
    assert!(both.contains(&("suppress-danger", key)));
    assert!(both.contains(&("same-member", "suppress[0].alarms[1]".to_owned())));
    assert_eq!(
        problems(&rule("A", "\"B.BAD\"")),
        [("not-discrete", "suppress[0].when".to_owned())]
    );
}

#[test]
fn a_condition_that_could_not_do_its_duty_is_refused_where_it_says_so() {
    for (kind, rest, wanted) in [
        (
            "other",
            "DEV]\nset_point = 5\n",
            ("missing-key", "point[0].alarms.DEV"),
        ),
        (
            "other",
            "DEV]\nset_point = 5\nfrom = \"B\"\n",
            ("unknown-reference", "point[0].alarms.DEV.from"),
        ),
        (
            "other",
            "DEV]\nset_point = 5\nfrom = 1\ndeadband = 5\n",
            ("deadband", "point[0].alarms.DEV.deadband"),
        ),
        (
            "other",
            "ROC]\nset_point = 101\n",
            ("limit-outside-range", "point[0].alarms.ROC.set_point"),
        ),
        (
            "other",
            "ROC]\nset_point = 10\nmoves = \"sideways\"\n",
            ("unknown-name", "point[0].alarms.ROC.moves"),
        ),
        (
            "other",
            "STEL]\nset_point = 10\nwindow_s = 4000\n",
            ("out-of-range", "point[0].alarms.STEL.window_s"),
        ),
        (
            "level",
            "TWA]\nset_point = 10\n",
            ("alarm-kind", "point[0].alarms.TWA"),
        ),
        (
            "other",
            "FROZEN]\nset_point = 10\n",
            ("unknown-key", "point[0].alarms.FROZEN.set_point"),
        ),
    ] {
        let text = point("A", 0, kind, &format!("[point.alarms.{rest}"));
        let found = problems(&text);
        let (code, key) = (wanted.0, wanted.1.to_owned());
        assert!(found.contains(&(code, key)), "{rest}: {found:?}");
    }
}

#[test]
fn a_gas_point_may_be_watched_for_standing_still_over_hours() {
    let frozen = "[point.alarms.FROZEN]\nband = 0.2\non_delay_s = 14400\npriority = 3\n";
    let site = load(&point("A", 0, "combustible-gas", frozen)).unwrap();
    let alarm = site.alarms.iter().find(|alarm| alarm.id == "A.FROZEN");
    assert_eq!(alarm.unwrap().definition.on_delay_ms, 14_400_000);
}

const PURGE: &str = r#"
[[manual]]
id = "PURGE"
name = { zh = "手动吹扫", en = "Purge by hand" }
area = "a"
priority = 2
guidance = { zh = "现场确认", en = "Confirm on site" }
"#;

#[test]
fn a_manual_cause_is_an_alarm_of_its_own_that_never_latches_and_may_stand_in_an_effect() {
    let effect = "[[effect]]\ncauses = [\"PURGE.MANUAL\"]\noutputs = [\"FAN\"]\n";
    let site = load(&format!("{}{RELAY}{PURGE}{effect}", gas())).unwrap();
    let manual = &site.manuals[0];
    let alarm = &site.alarms[manual.alarm.0];
    assert_eq!(
        (&*alarm.id, alarm.definition.latching),
        ("PURGE.MANUAL", false)
    );
    assert_eq!(alarm.definition.priority.number(), 2);
    assert_eq!(alarm.definition.on_delay_ms, 0);
    assert_eq!(site.effects[0].causes, [manual.alarm]);
    assert_eq!(site.name_of(alarm.subject).en, "Purge by hand");
    assert_eq!(site.home(manual.alarm), site.outputs[0].device);
}

#[test]
fn a_manual_cause_that_would_do_nothing_is_refused() {
    let other = "[[effect]]\ncauses = [\"A.HH\"]\noutputs = [\"FAN\"]\n";
    let found = problems(&format!("{}{RELAY}{PURGE}{other}", gas()));
    assert_eq!(found, [("idle-manual", "manual[0]".to_owned())]);
    let misspelt = "[[effect]]\ncauses = [\"PURGE.MANUEL\"]\noutputs = [\"FAN\"]\n";
    let found = problems(&format!("{}{RELAY}{PURGE}{misspelt}", gas()));
    assert!(
        found.contains(&("unknown-reference", "effect[0].causes[0]".to_owned())),
        "{found:?}"
    );
    // What is wrong with the cause itself is told once.
    let nameless = PURGE.replace("area = \"a\"", "area = \"b\"");
    let effect = "[[effect]]\ncauses = [\"PURGE.MANUAL\"]\noutputs = [\"FAN\"]\n";
    let found = problems(&format!("{}{RELAY}{nameless}{effect}", gas()));
    let errors: Vec<_> = found
        .iter()
        .map(|(code, _)| *code)
        .filter(|code| *code != "idle-output")
        .collect();
    assert_eq!(errors, ["unknown-reference"], "{found:?}");
}

#[test]
fn an_output_may_say_what_its_device_does_without_the_gateway() {
    let effect = "[[effect]]\ncauses = [\"A.HH\"]\noutputs = [\"FAN\"]\n";
    let with = |state: &str| {
        let relay = RELAY.replace("signal = \"do1\"", &format!("signal = \"do1\"\n{state}"));
        load(&format!("{}{relay}{effect}", gas()))
    };
    let said = |state: &str| {
        with(state).unwrap().outputs[0]
            .fail_safe
            .map(|state| state.name())
    };
    assert_eq!(said(""), None);
    for state in ["on", "off", "hold"] {
        assert_eq!(said(&format!("fail_safe = \"{state}\"")), Some(state));
    }
    let wrong = with("fail_safe = \"open\"").unwrap_err();
    assert_eq!(wrong[0], ("unknown-name", "output[0].fail_safe".to_owned()));
}

#[test]
fn the_alarms_of_a_point_that_is_wrong_elsewhere_are_judged_in_the_same_pass() {
    let alarms = "stale_s = 0\n[point.alarms.HH]\nset_point = 150\non_delay_s = 3\npriority = 7\nguidance = { zh = \"\", en = \"Go\" }\n\
        [point.alarms.H]\nset_point = 20\ndeadbnad = 1\n";
    let text = point("A", 0, "combustible-gas", alarms);
    let every = [
        ("out-of-range", "point[0].stale_s"),
        ("out-of-range", "point[0].alarms.HH.priority"),
        ("empty-text", "point[0].alarms.HH.guidance.zh"),
        ("unknown-key", "point[0].alarms.H.deadbnad"),
    ];
    let judged = [
        ("limit-outside-range", "point[0].alarms.HH.set_point"),
        ("gas-level-2-delay", "point[0].alarms.HH.on_delay_s"),
    ];
    let sound = "kind = \"combustible-gas\"";
    for (right, wrong, is_judged) in [
        ("area = \"a\"", "area = \"nowhere\"", true),
        ("device = \"d\"", "device = \"none\"", true),
        ("register =", "signal = \"gas\" #", true),
        ("address = 0", "address = -1", true),
        (sound, "kind = \"gas\"", false),
        ("range = [0, 100]", "range = [100, 0]", false),
        ("unit = \"%LEL\"", "unit = \"\"", false),
    ] {
        let text = text.replacen(right, wrong, 1);
        let found = problems(&text);
        for (code, key) in every {
            assert!(
                found.contains(&(code, key.to_owned())),
                "{wrong}: {code} {key} {found:?}"
            );
        }
        for (code, key) in judged {
            let has = found.contains(&(code, key.to_owned()));
            assert_eq!(has, is_judged, "{wrong}: {code} {key} {found:?}");
        }
        assert_eq!(
            found.len(),
            if is_judged { 7 } else { 5 },
            "{wrong}: {found:?}"
        );
    }
}

#[test]
fn a_point_that_is_wrong_makes_nothing_wrong_that_names_it() {
    let broken = point("B", 1, "other", "[point.alarms.H]\nset_point = 5\n")
        .replace("area = \"a\"", "area = \"x\"");
    let follows = "[point.alarms.DEV]\nset_point = 5\nfrom = \"B\"\n";
    let found = problems(&(broken + &point("A", 0, "other", follows)));
    assert_eq!(found, [("unknown-reference", "point[0].area".to_owned())]);
}

#[test]
fn a_number_that_is_none_is_told_as_such() {
    for (wrong, key) in [
        ("set_point = nan", "point[0].alarms.HH.set_point"),
        ("set_point = -inf", "point[0].alarms.HH.set_point"),
        ("on_delay_s = inf", "point[0].alarms.HH.on_delay_s"),
    ] {
        let alarms = HH.replace("set_point = 50", &format!("deadband = 2\n{wrong}"));
        let text = point("A", 0, "combustible-gas", &alarms);
        let found = problems(&text);
        assert!(
            found.contains(&("not-finite", key.to_owned())),
            "{wrong}: {found:?}"
        );
        assert!(
            !found.iter().any(|(code, _)| *code == "wrong-type"),
            "{found:?}"
        );
    }
    let text = point("A", 0, "combustible-gas", HH).replace("[0, 100]", "[0, nan]");
    assert!(problems(&text).contains(&("not-finite", "point[0].range".to_owned())));
}

#[test]
fn a_sign_off_of_a_day_that_has_not_come_is_refused_or_by_a_doubtful_clock_a_warning() {
    let signed = |date: &str| {
        let sign = format!("[site]\nsign_off = {{ by = \"Li\", date = {date} }}\n");
        HEAD.replace("[site]\n", &sign) + &gas()
    };
    let on = |date: &str, today| {
        davy_config::parse_on("site.toml", &signed(date), Path::new("."), today)
    };
    // 2026-11-02.
    let (certain, doubtful) = (Today::Certain(20_759), Today::Doubtful(20_759));
    for right in ["2026-11-02", "2026-11-03", "1999-01-01"] {
        assert!(on(right, certain).unwrap().warnings.is_empty(), "{right}");
    }
    let ahead = "2026-11-04";
    let refused = on(ahead, certain).unwrap_err();
    let codes: Vec<_> = refused
        .iter()
        .map(|one| (one.code.name(), &*one.key))
        .collect();
    assert_eq!(codes, [("sign-off-in-future", "site.sign_off.date")]);
    let warned = on(ahead, doubtful).unwrap().warnings;
    let codes: Vec<_> = warned.iter().map(|one| one.code.name()).collect();
    assert_eq!(codes, ["sign-off-ahead"]);
    assert!(on(ahead, Today::Unknown).unwrap().warnings.is_empty());
}

#[test]
fn a_file_that_is_not_there_is_told_without_a_line() {
    let problems = davy_config::load(Path::new("no-such-site.toml")).unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!(
        (problem.code.name(), problem.place()),
        ("unreadable", "no-such-site.toml".into())
    );
    assert!(problem.message(Language::En).contains("no file"));
    assert!(!problems.to_string().contains(":0"));
}

#[test]
fn a_serial_port_by_the_order_of_plugging_is_a_warning_that_tells_of_stable_names() {
    let on = |path: &str| {
        let serial = format!("kind = \"rtu\"\npath = \"{path}\"\n");
        let text = HEAD.replace("kind = \"tcp\"\naddress = \"127.0.0.1:502\"\n", &serial) + &gas();
        let warnings = davy_config::parse("site.toml", &text, Path::new("."))
            .unwrap()
            .warnings;
        let told =
            |one: &davy_config::Problem| (one.code.name(), one.key.clone(), one.help(Language::En));
        warnings.iter().map(told).collect::<Vec<_>>()
    };
    for path in ["/dev/ttyUSB0", "/dev/ttyACM3"] {
        let [(code, key, help)] = &on(path)[..] else {
            panic!("{path}: {:?}", on(path));
        };
        assert_eq!((*code, &**key), ("unstable-port", "bus[0].path"));
        assert!(help.contains("stable name"), "{help}");
    }
    for path in [
        "/dev/ttyS1",
        "/dev/serial/by-id/usb-FTDI-if00-port0",
        "/dev/ttymxc2",
    ] {
        assert_eq!(on(path), [], "{path}");
    }
}

#[test]
fn a_unit_that_thinks_as_long_as_its_bus_waits_is_refused_and_the_longer_time_counts() {
    let profile = |answer_ms: u32| {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "id = \"p\"\nname = {{ zh = \"器\", en = \"Device\" }}\nsource = \"manual\"\nconfidence = \"M\"\nanswer_ms = {answer_ms}\n[[signal]]\nid = \"do1\"\ntable = \"coil\"\naddress = 0\n"
        );
        std::fs::write(dir.path().join("p.toml"), text).unwrap();
        dir
    };
    let read = |rest: &str, dir: &Path| {
        let text = HEAD
            .replace("502\"\n", "502\"\ntimeout_ms = 200\n")
            .replace("unit = 1\n", &format!("unit = 1\n{rest}"));
        davy_config::parse("site.toml", &(text + &gas()), dir)
    };
    let dir = profile(60);
    let by_profile = "profile_file = \"p.toml\"\n";
    for (rest, expected) in [
        ("answer_ms = 199\n", 199),
        (by_profile, 60),
        (&*format!("{by_profile}answer_ms = 12\n"), 60),
        (&*format!("{by_profile}answer_ms = 80\n"), 80),
    ] {
        let loaded = read(rest, dir.path()).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.site.devices[0].answer_ms, expected, "{rest}");
    }
    let told = |rest: &str, dir: &Path| {
        let problems = read(rest, dir).unwrap_err();
        let one = problems.iter().next().unwrap();
        assert!(one.message(Language::En).contains("200 ms"), "{one:?}");
        (one.code.name(), one.key.clone())
    };
    let late = |key: &str| ("answer-too-late", key.to_owned());
    assert_eq!(
        told("answer_ms = 200\n", Path::new(".")),
        late("device[0].answer_ms")
    );
    assert_eq!(told(by_profile, profile(200).path()), late("device[0]"));
}
