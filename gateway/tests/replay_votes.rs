//! Groups on events that are written down (R4, R17, R18, R20): each row of the table of degraded votes, and what people may do to a group, to the letter.
//!
//! A transcript is `> line in`, `< line out`, `# remark`; its first line says which group it is of: `# site: <m>oo<n> <policy>`, then perhaps `safety`,
//! `latching`, `slow`. Members are HH of the points A, B, C: at 50, cleared below 49, without delays (`slow`: on after 1 s), bad at once, stale after an
//! hour. The group G demands FAN. `DAVY_BLESS=1` writes what is told; read every line of it against the rules before you keep it.
#![allow(clippy::unwrap_used)]

use davy_config::site::Site;
use davy_gateway::replay;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HEAD: &str = r#"
schema = 1
[site]
id = "votes"
name = { zh = "表决", en = "Votes" }
[screen]
listen = "127.0.0.1:8080"
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
[[effect]]
causes = ["G.VOTE"]
outputs = ["FAN"]
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/votes")
}

fn point(id: &str, register: usize, on_delay_s: u32) -> String {
    format!(
        r#"
[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "a"
device = "d"
register = {{ table = "holding", address = {register} }}
kind = "other"
unit = "%"
range = [0, 100]
stale_s = 3600
[point.alarms.BAD]
on_delay_s = 0
[point.alarms.HH]
set_point = 50
deadband = 1
priority = 2
on_delay_s = {on_delay_s}
off_delay_s = 0
"#
    )
}

/// The site of a transcript, as its first line says.
fn site(told: &str) -> Arc<Site> {
    let mut words = told.split_whitespace();
    let (needed, members) = words.next().unwrap().split_once("oo").unwrap();
    let policy = words.next().unwrap();
    let rest: Vec<&str> = words.collect();
    let ids = &["A", "B", "C"][..members.parse().unwrap()];
    let points = ids
        .iter()
        .zip(0..)
        .map(|(id, at)| point(id, at, u32::from(rest.contains(&"slow"))));
    let members: Vec<String> = ids.iter().map(|id| format!("\"{id}.HH\"")).collect();
    let group = format!(
        r#"
[[vote]]
id = "G"
name = {{ zh = "组", en = "Group" }}
area = "a"
members = [{}]
needed = {needed}
fault = "{policy}"
safety = {}
[vote.alarms.VOTE]
latching = {}
[vote.alarms.DISC]
on_delay_s = 30
"#,
        members.join(", "),
        rest.contains(&"safety"),
        rest.contains(&"latching"),
    );
    let text = format!("{HEAD}{}{group}", points.collect::<String>());
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

/// What is told of each line in, under it: the lines that it alone adds to what its predecessors told.
fn annotated(text: &str, site: &Arc<Site>) -> String {
    let mut events = String::new();
    let (mut before, mut shown) = (0, String::new());
    let mut ended = String::new();
    for line in text.lines().filter(|line| !line.starts_with('<')) {
        shown += &format!("{line}\n");
        if let Some(event) = line.strip_prefix('>') {
            events += &format!("{}\n", event.trim());
            let mut output = Vec::new();
            replay::events(site, events.as_bytes(), &mut output).unwrap();
            ended = String::from_utf8(output).unwrap();
            for told in ended.lines().skip(before) {
                shown += &format!("< {told}\n");
            }
            before = ended.lines().count();
        }
    }
    let told: String = (shown.lines())
        .filter_map(|line| line.strip_prefix("< "))
        .map(|line| format!("{line}\n"))
        .collect();
    if told == ended {
        return shown;
    }
    // The end of the input ends an instant early: what each line adds is not to be seen so.
    let lines = text.lines().filter(|line| !line.starts_with('<'));
    let whole = ended.lines().map(|line| format!("< {line}"));
    let all: Vec<String> = lines.map(str::to_owned).chain(whole).collect();
    all.join("\n") + "\n"
}

#[test]
fn every_transcript_of_a_group_is_replayed_to_the_letter() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 24, "{paths:?}");
    let mut wrong = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let site = site(
            text.lines()
                .next()
                .unwrap()
                .strip_prefix("# site: ")
                .unwrap(),
        );
        if std::env::var_os("DAVY_BLESS").is_some() {
            std::fs::write(&path, annotated(&text, &site)).unwrap();
            continue;
        }
        let of = |mark: &str| -> String {
            let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
            lines.map(|line| format!("{}\n", line.trim())).collect()
        };
        let mut output = Vec::new();
        replay::events(&site, of(">").as_bytes(), &mut output).unwrap();
        let told = String::from_utf8(output).unwrap();
        if told != of("<") {
            let (path, expected) = (path.display(), of("<"));
            wrong += &format!("{path}\n--- expected\n{expected}--- told\n{told}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
