//! Whatever somebody writes into `CLOUD.toml`: valid settings, or problems that can be found in the text; never a panic.

use super::{LONGEST_KEY, Settings};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

#[rustfmt::skip]
const TABLES: [&str; 7] = ["", "[broker]", "[records]", "[history]", "[retention]", "[[broker]]", "[broker.listen]"];
#[rustfmt::skip]
const KEYS: [&str; 34] = [
    "listen", "data", "zone", "reorder_timeout_ms", "late_after_s", "secure_cookie", "broker", "kind", "host", "port", "username", "password_file", "share",
    "database", "engine", "url", "org", "bucket", "token_file", "nodes", "keyspace", "replication", "readings_months", "rollups_months", "alarms_months", "audit_months",
    "lisen", "\"listen\"", "broker.kind", "地址", "", "history.url", "retention", "records",
];
#[rustfmt::skip]
const VALUES: [&str; 27] = [
    "\"127.0.0.1:8080\"", "\"[::1]:0\"", "\"embedded\"", "\"external\"", "\"postgresql\"", "\"influxdb\"", "\"cassandra\"", "\"http://tsdb:8086\"", "\"https://\"",
    "\"+08:00\"", "\"+99:99\"", "\"\"", "\"../../x\"", "\"a:9042\"", "[\"a:9042\"]", "[]", "0", "1", "-1", "9223372036854775807", "1e400", "nan", "true",
    "{ kind = \"embedded\" }", "1979-05-27", "\"\\u0000\"", "'''",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    let Err(problems) = Settings::parse(text, Path::new("/etc/davy")) else {
        return Ok(());
    };
    prop_assert!(!problems.is_empty());
    for problem in problems {
        let lines = text.split('\n').count();
        let line = problem.line;
        prop_assert!((1..=lines).contains(&line), "line {line} of {lines}");
        let key = problem.key;
        prop_assert!(key.chars().count() <= LONGEST_KEY, "{key}");
        // Where something stands on the line that is told, it is named.
        let written = text.lines().nth(line - 1).unwrap_or("").trim();
        let stands = written.contains('=') && !written.starts_with('=');
        prop_assert!(!key.is_empty() || !stands, "{text:?}");
    }
    Ok(())
}

/// A line as somebody might write it.
fn a_line() -> impl Strategy<Value = String> {
    let pick = proptest::sample::select::<&'static str>;
    prop_oneof![
        1 => pick(TABLES.to_vec()).prop_map(str::to_owned),
        4 => (pick(KEYS.to_vec()), pick(VALUES.to_vec()))
            .prop_map(|(key, value)| format!("{key} = {value}")),
        1 => ".*",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn lines_in_any_order_are_settings_or_problems_that_can_be_found(lines in vec(a_line(), 0..14)) {
        check(&lines.join("\n"))?;
        let least = "listen = \"127.0.0.1:8080\"\n[broker]\nkind = \"external\"\n";
        check(&format!("{least}{}", lines.join("\r\n")))?;
    }

    #[test]
    fn any_text_is_refused_and_never_a_panic(text in any::<String>(), bytes in vec(any::<u8>(), 0..400)) {
        check(&text)?;
        check(&String::from_utf8_lossy(&bytes))?;
    }
}

#[test]
fn a_text_nested_without_end_is_refused() {
    for (open, count) in [
        ("[", 100_000),
        ("x=[", 50_000),
        ("a={", 50_000),
        ("a.", 100_000),
    ] {
        let text = open.repeat(count);
        assert!(Settings::parse(&text, Path::new("")).is_err(), "{open}");
    }
}

#[test]
fn a_key_that_is_missing_is_told_by_its_own_name() {
    let told = |text: &str| {
        let problems = Settings::parse(text, Path::new("")).expect_err("a refused file");
        let told = |problem: super::Problem| (problem.line, problem.key);
        problems.into_iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(told("zone = \"+08:00\"\n"), [(1, "listen".to_owned())]);
    let broker = "listen = \"127.0.0.1:80\"\n\n[broker]\nhost = \"b\"\n";
    assert_eq!(told(broker), [(3, "broker.kind".to_owned())]);
    // What the root lacks is not the first table's.
    let root = "[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:80\"\n";
    assert_eq!(told(root), [(1, "listen".to_owned())]);
    assert_eq!(
        told("listen = \"127.0.0.1:80\"\n[records]\n"),
        [(1, "broker".to_owned())]
    );
}

#[test]
fn a_key_of_an_inline_table_is_told_with_its_table_and_line() {
    let told = |broker: &str| {
        let text = format!("listen = \"127.0.0.1:80\"\n{broker}\n");
        let problems = Settings::parse(&text, Path::new("")).expect_err("a refused file");
        let told = |problem: super::Problem| (problem.line, problem.key);
        problems.into_iter().map(told).collect::<Vec<_>>()
    };
    let at = |key: &str| vec![(2, key.to_owned())];
    assert_eq!(told("broker = { host = \"b\" }"), at("broker.kind"));
    assert_eq!(
        told("broker = { kind = \"embedded\", listen = 5 }"),
        at("broker.listen")
    );
    assert_eq!(
        told("broker = { kind = \"embedded\", lisen = 5 }"),
        at("broker.lisen")
    );
    assert_eq!(
        told("broker = { kind = \"embedded\" }"),
        at("broker.listen")
    );
    assert_eq!(
        told("broker.kind = \"external\"\nbroker.host = \"\""),
        vec![(3, "broker.host".to_owned())]
    );
}
