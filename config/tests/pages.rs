//! What the pages show of a site file is a site file, and no key of the format is left out of them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/site-file.md");
const README: &str = include_str!("../../README.md");

/// Every TOML block of a page, one after the other: they are parts of one file.
fn blocks(page: &str) -> String {
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_file_that_a_page_shows_may_run() {
    for (page, text) in [("docs/site-file.md", PAGE), ("README.md", README)] {
        let text = blocks(text);
        let loaded = davy_config::parse(page, &text, Path::new("."));
        let loaded = loaded.unwrap_or_else(|problems| panic!("{page}\n{problems}"));
        // That something is held back, or armed without a proof, is told as often as the file is read.
        let mut others = loaded.warnings.iter().filter(|warning| {
            let key = warning.key.rsplit('.').next();
            !matches!(key, Some("armed" | "unproved"))
        });
        assert!(others.next().is_none(), "{page}\n{}", loaded.warnings);
    }
    let first = PAGE.split("```toml\n").nth(1).unwrap();
    let first = first.split("```").next().unwrap();
    davy_config::parse("the example", first, Path::new("."))
        .unwrap_or_else(|problems| panic!("{problems}"));
}

/// What a section is asked for stands in the sources of the reader as `.kind("key"`.
fn keys_of_reader() -> BTreeSet<String> {
    const KINDS: &[&str] = &[
        "text",
        "need_text",
        "texts",
        "need_texts",
        "need_date",
        "flag",
        "number",
        "number_in",
        "whole",
        "need_whole",
        "seconds",
        "pair",
        "one_of",
        "need_one_of",
        "text_or_number",
        "section",
        "need_section",
        "sections",
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/read");
    let mut keys = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for kind in KINDS {
            for rest in source.split(&format!(".{kind}(")).skip(1) {
                if let Some(key) = rest.trim_start().strip_prefix('"') {
                    keys.insert(key.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    keys
}

#[test]
fn the_page_names_every_key_of_the_format() {
    let keys = keys_of_reader();
    assert!(keys.len() > 60, "{} {keys:?}", keys.len());
    let words: BTreeSet<&str> = PAGE
        .split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .collect();
    let missing: Vec<_> = keys.iter().filter(|key| !words.contains(&***key)).collect();
    assert!(
        missing.is_empty(),
        "docs/site-file.md does not name {missing:?}"
    );
}
