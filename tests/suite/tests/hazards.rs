//! docs/hazards.md names no test that does not exist, and says of every hazard what proves it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/hazards.md");
/// Folders that hold no source of ours.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", ".git"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
        let path = entry.expect("an entry of it").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !SKIPPED.contains(&&*name) {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Names of all functions that stand under a test's attribute, or in a `proptest!` where the attribute is a few lines up as well.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    sources(&root, &mut files);
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

/// The sentences in backquotes: names of three words or more.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
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
}

#[test]
fn every_hazard_has_a_rule_and_a_proof_or_the_issue_that_owes_it() {
    let mut count = 0;
    for row in rows() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let proved = named(cells[2]).next().is_some();
        assert!(proved || cells[2].contains("issue "), "{row}");
        count += 1;
    }
    assert!(count >= 40, "{count} hazards");
}
