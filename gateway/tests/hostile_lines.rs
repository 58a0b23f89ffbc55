//! No line makes replay panic or hang: whatever bytes, whatever fields, times at the end of time, a restart anywhere.

use davy_config::site::Site;
use davy_gateway::replay;
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, LazyLock};

static SITE: LazyLock<Arc<Site>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/tank-farm.toml");
    let loaded = davy_config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    Arc::new(loaded.site)
});

/// Numbers at the ends of every type that a field may be read as, and what is none.
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "2",
    "480",
    "481",
    "60000",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "-0",
    "1.5",
    "1e308",
    "1e400",
    "\"NaN\"",
    "\"-inf\"",
    "null",
    "true",
    "[]",
];

fn number() -> impl Strategy<Value = String> {
    proptest::sample::select(NUMBERS.to_vec()).prop_map(str::to_owned)
}

/// A time of day more often than the end of time.
fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0_u64..100_000_000).prop_map(|t| t.to_string()),
        1 => number(),
    ]
}

fn point() -> impl Strategy<Value = String> {
    let ids: Vec<String> = SITE.points.iter().map(|point| point.id.clone()).collect();
    prop_oneof![9 => proptest::sample::select(ids), 1 => Just("none".to_owned())]
}

fn alarm() -> impl Strategy<Value = String> {
    let ids: Vec<String> = SITE.alarms.iter().map(|alarm| alarm.id.clone()).collect();
    prop_oneof![9 => proptest::sample::select(ids), 1 => Just("GT-101".to_owned())]
}

fn act() -> impl Strategy<Value = String> {
    let actions = [
        "acknowledge",
        "silence",
        "reset",
        "shelve",
        "unshelve",
        "out-of-service",
        "in-service",
        "suppress",
        "unsuppress",
        "explode",
    ];
    let action = proptest::sample::select(actions.to_vec());
    let role = proptest::sample::select(vec!["operator", "maintenance", "king"]);
    (time(), action, alarm(), number(), number(), role, any::<bool>()).prop_map(
        |(t, action, alarm, occurrence, minutes, role, remote)| {
            format!(
                r#"{{"t":{t},"action":"{action}","alarm":"{alarm}","actor":"w","second":"l","reason":"r","role":"{role}","remote":{remote},"occurrence":{occurrence},"minutes":{minutes}}}"#
            )
        },
    )
}

fn line() -> impl Strategy<Value = String> {
    let causes = ["timeout", "over-range", "under-range", "inhibit", "rust"];
    let cause = proptest::sample::select(causes.to_vec());
    prop_oneof![
        8 => (time(), point(), -10.0..200.0_f64).prop_map(|(t, point, value)| format!(r#"{{"t":{t},"point":"{point}","value":{value}}}"#)),
        2 => (time(), point(), number()).prop_map(|(t, point, value)| format!(r#"{{"t":{t},"point":"{point}","value":{value}}}"#)),
        2 => (time(), point(), cause).prop_map(|(t, point, cause)| format!(r#"{{"t":{t},"point":"{point}","bad":"{cause}"}}"#)),
        3 => act(),
        1 => (time(), number()).prop_map(|(t, down)| format!(r#"{{"t":{t},"restart":true,"down":{down}}}"#)),
        1 => time().prop_map(|t| format!(r#"{{"t":{t}}}"#)),
    ]
}

/// Replays every line that can be read: a line that cannot ends a run, so the rest runs without it.
fn replay(lines: &[String]) -> usize {
    let mut readable = String::new();
    let mut read = 0;
    for line in lines {
        let alone = format!("{line}\n");
        if replay::events(&SITE, alone.as_bytes(), &mut Vec::new()).is_ok() {
            readable.push_str(&alone);
            read += 1;
        }
    }
    let mut told = Vec::new();
    let outcome = replay::events(&SITE, readable.as_bytes(), &mut told);
    assert!(outcome.is_ok(), "a line that can be read alone is refused");
    assert!(String::from_utf8(told).is_ok());
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_line_makes_replay_panic_or_hang(lines in proptest::collection::vec(line(), 1..40)) {
        replay(&lines);
    }

    #[test]
    fn no_bytes_make_the_reader_of_lines_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = replay::events(&SITE, &bytes[..], &mut Vec::new());
    }

    #[test]
    fn no_torn_or_altered_line_makes_replay_panic(line in line(), at: prop::sample::Index, character: char) {
        let mut characters: Vec<char> = line.chars().collect();
        let at = at.index(characters.len());
        characters[at] = character;
        let altered: String = characters.iter().collect();
        let torn: String = characters[..at].iter().collect();
        for line in [altered, torn] {
            let _ = replay::events(&SITE, line.as_bytes(), &mut Vec::new());
        }
    }
}

#[test]
fn the_lines_that_these_tests_write_are_mostly_read() {
    let lines: Vec<String> = (SITE.points.iter())
        .map(|point| format!(r#"{{"t":5,"point":"{}","value":1.0}}"#, point.id))
        .collect();
    assert_eq!(replay(&lines), lines.len());
}
