//! What differs between two files is told in the file's own keys, once, and what protects less is told apart.
#![allow(clippy::unwrap_used)]

use davy_config::site::Site;
use davy_config::{Change, Difference, Part, differences, weakens};
use std::path::Path;

const TANK_FARM: &str = include_str!("../examples/tank-farm.toml");

fn site(text: &str) -> Site {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let loaded = davy_config::parse("site.toml", text, &folder);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).site
}

/// A gas point, a level, a relay with a fan, a rule and a vote: everything that can be loosened.
const SITE: &str = r#"schema = 1
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
profile = "generic-relay"
period_ms = 1000
[[point]]
id = "G"
name = { zh = "气", en = "Gas" }
area = "a"
device = "d"
register = { table = "holding", address = 0, as = "f32" }
kind = "combustible-gas"
substance = "methane"
unit = "%LEL"
range = [0, 100]
[point.alarms.HH]
set_point = 50
re_alarm_min = 30
[[point]]
id = "L"
name = { zh = "位", en = "Level" }
area = "a"
device = "d"
register = { table = "holding", address = 2, as = "f32" }
kind = "level"
unit = "m"
range = [0, 10]
[point.alarms.L]
set_point = 2
priority = 2
[[point]]
id = "R"
name = { zh = "行", en = "Runs" }
area = "a"
device = "d"
signal = "di1"
kind = "discrete"
[point.alarms.ON]
priority = 4
[[output]]
id = "FAN"
name = { zh = "风机", en = "Fan" }
area = "a"
kind = "fan"
device = "d"
signal = "do1"
latching = true
min_run_s = 60
[[effect]]
causes = ["G.HH", "L.L"]
outputs = ["FAN"]
[[vote]]
id = "V"
name = { zh = "决", en = "Vote" }
area = "a"
members = ["G.HH", "L.L", "R.ON"]
needed = 1
fault = "vote-trip"
[[suppress]]
id = "S"
name = { zh = "规", en = "Rule" }
when = "R"
alarms = ["L.L"]
"#;

fn between(before: &str, after: &str) -> Vec<(Difference, bool)> {
    let (before, after) = (site(before), site(after));
    let found = differences(&before, &after).into_iter();
    found
        .map(|difference| {
            let weaker = weakens(&difference);
            (difference, weaker)
        })
        .collect()
}

/// The one difference of a file with `old` replaced, and whether it weakens.
fn one(old: &str, new: &str) -> (String, bool) {
    assert_eq!(SITE.matches(old).count(), 1, "{old}");
    let found = between(SITE, &SITE.replace(old, new));
    let [(difference, weaker)] = &found[..] else {
        panic!("{old} → {new}: {found:?}");
    };
    let said = match &difference.change {
        Change::Added => format!("{} added", difference.id),
        Change::Removed => format!("{} removed", difference.id),
        Change::Changed { key, from, to } => {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
            format!("{} {key} {} {}", difference.id, text(from), text(to))
        }
    };
    (said, *weaker)
}

#[test]
fn comments_order_and_spelling_are_no_difference() {
    assert_eq!(between(SITE, SITE), []);
    let spelt = SITE
        .replace("set_point = 50\n", "# a comment\nset_point = 50.0\n")
        .replace("[\"G.HH\", \"L.L\"]", "[\"L.L\", \"G.HH\"]");
    assert_eq!(between(SITE, &spelt), []);
    assert_eq!(between(TANK_FARM, TANK_FARM), []);
}

#[test]
fn what_loosens_is_told_from_what_tightens() {
    for (old, loose, tight, said) in [
        (
            "set_point = 50\n",
            "set_point = 60\n",
            "set_point = 40\n",
            "G.HH set_point 50 %LEL 60 %LEL",
        ),
        (
            "set_point = 2\n",
            "set_point = 1\n",
            "set_point = 3\n",
            "L.L set_point 2 m 1 m",
        ),
        (
            "priority = 2\n",
            "priority = 3\n",
            "priority = 1\non_delay_s = 60\n",
            "L.L priority 2 3",
        ),
        (
            "re_alarm_min = 30\n",
            "\n",
            "re_alarm_min = 20\n",
            "G.HH re_alarm_min 30 —",
        ),
        (
            "latching = true\nmin_run_s",
            "latching = false\nmin_run_s",
            "",
            "FAN latching true false",
        ),
        (
            "min_run_s = 60",
            "min_run_s = 30",
            "min_run_s = 90",
            "FAN min_run_s 60 30",
        ),
        (
            "causes = [\"G.HH\", \"L.L\"]",
            "causes = [\"G.HH\"]",
            "causes = [\"G.HH\", \"L.L\", \"R.ON\"]",
            "FAN causes G.HH, L.L G.HH",
        ),
        (
            "alarms = [\"L.L\"]",
            "alarms = [\"L.L\", \"L.BAD\"]",
            "",
            "S alarms L.L L.L, L.BAD",
        ),
        (
            "period_ms = 1000",
            "period_ms = 2000",
            "period_ms = 500",
            "d period_ms 1000 2000",
        ),
        ("needed = 1", "needed = 2", "", "V needed 1 2"),
        (
            "fault = \"vote-trip\"",
            "fault = \"exclude\"",
            "",
            "V fault vote-trip exclude",
        ),
    ] {
        assert_eq!(one(old, loose), (said.to_owned(), true));
        if !tight.is_empty() {
            assert!(!one(old, tight).1, "{old} → {tight}");
        }
    }
}

#[test]
fn a_point_that_goes_takes_its_own_alarms_along_and_leaves_less() {
    let found = between(TANK_FARM, &without_a_point(TANK_FARM));
    let removed: Vec<_> = found
        .iter()
        .filter(|(difference, _)| difference.change == Change::Removed)
        .collect();
    let parts: Vec<Part> = removed
        .iter()
        .map(|(difference, _)| difference.part)
        .collect();
    assert!(parts.contains(&Part::Point), "{removed:?}");
    assert!(removed.iter().all(|(_, weaker)| *weaker), "{removed:?}");
    let faults = |it: &Difference| it.id.ends_with(".BAD") || it.id.ends_with(".STALE");
    assert!(!removed.iter().any(|(difference, _)| faults(difference)));
    // The other way round the same parts come, and nothing is weaker.
    let back = between(&without_a_point(TANK_FARM), TANK_FARM);
    let added = back
        .iter()
        .filter(|(difference, _)| difference.change == Change::Added);
    assert_eq!(added.clone().count(), removed.len());
    assert!(added.clone().all(|(_, weaker)| !weaker));
}

/// Without the last point of a file that no cause, vote or rule names.
fn without_a_point(text: &str) -> String {
    let starts: Vec<usize> = text.match_indices("[[point]]").map(|(at, _)| at).collect();
    for start in starts.into_iter().rev() {
        let end = text[start + 2..]
            .find("\n[[")
            .map_or(text.len(), |end| start + 2 + end + 1);
        let rest = format!("{}{}", &text[..start], &text[end..]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        if davy_config::parse("site.toml", &rest, &folder).is_ok() {
            return rest;
        }
    }
    panic!("every point is named by something");
}

#[test]
fn a_pin_is_told_apart_and_never_told() {
    let before = site(TANK_FARM);
    let mut after = before.clone();
    let person = after.people.first_mut().unwrap();
    let hash = std::mem::replace(&mut person.pin_hash, "$argon2id$other".to_owned());
    let found = differences(&before, &after);
    assert_eq!(found.len(), 1, "{found:?}");
    let told = format!("{found:?}");
    assert!(told.contains("\"pin\"") && !told.contains(&hash) && !told.contains("argon2id"));
}
