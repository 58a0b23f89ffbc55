//! docs/hazards.md names no test that does not exist, and says of every hazard what proves it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/hazards.md");
/// Folders that hold no source of ours.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", ".git"];

/// Every file under `dir` whose name ends so.
fn sources(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
        let path = entry.expect("an entry of it").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !SKIPPED.contains(&&*name) {
            sources(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Names of all functions that stand under a test's attribute, or in a `proptest!` where the attribute is a few lines up as well.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root(), ".rs", &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a source is text");
        let mut awaited = false;
        for line in text.lines().map(str::trim) {
            awaited |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let line = line.strip_prefix("async ").unwrap_or(line);
            if let Some(rest) = line.strip_prefix("fn ").filter(|_| awaited) {
                names.insert(rest.split('(').next().unwrap_or_default().to_owned());
                awaited = false;
            }
        }
    }
    names
}

/// All of the tests that run in a browser, as text: a test's sentence stands in it behind `test(`, or before the `(%s)` of a table of cases.
fn browser_tests() -> String {
    let mut files = Vec::new();
    for folder in ["web/browser", "web/story", "web/installer"] {
        sources(&root().join(folder), ".test.ts", &mut files);
    }
    let text = |file: &PathBuf| std::fs::read_to_string(file).expect("a source is text");
    files.iter().map(text).collect()
}

/// What stands in backquotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Sentences of six words or more: tests in a browser.
fn watched(line: &str) -> impl Iterator<Item = &str> {
    quoted(line).filter(|name| name.matches(' ').count() >= 5)
}

/// Names of three words or more: tests in Rust.
fn named(line: &str) -> impl Iterator<Item = &str> {
    quoted(line).filter(|name| {
        name.matches('_').count() >= 2
            && name.chars().all(|letter| {
                letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit()
            })
    })
}

fn rows() -> impl Iterator<Item = &'static str> {
    PAGE.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Hazard"))
}

#[test]
fn every_test_that_the_page_names_exists() {
    let tests = tests();
    let missing: Vec<&str> = (PAGE.lines().flat_map(named))
        .filter(|name| !tests.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
    let browser = browser_tests();
    let stands = |name: &&str| {
        let forms = [format!("test('{name}'"), format!(")('{name} (%s)'")];
        forms.iter().any(|form| browser.contains(form))
    };
    let missing: Vec<&str> = rows()
        .flat_map(watched)
        .filter(|name| !stands(name))
        .collect();
    assert!(
        missing.is_empty(),
        "no such test in a browser: {missing:#?}"
    );
}

#[test]
fn every_hazard_has_a_rule_and_a_proof_or_the_issue_that_owes_it() {
    let mut count = 0;
    for row in rows() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let proved = named(cells[2]).chain(watched(cells[2])).next().is_some();
        assert!(proved || cells[2].contains("issue "), "{row}");
        count += 1;
    }
    assert!(count >= 40, "{count} hazards");
}
