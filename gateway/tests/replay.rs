//! A site's judgement on events that are written down: each rule of the alarm rules that a replay can show, as a transcript.
#![allow(clippy::unwrap_used)]

use davy_config::site::Site;
use davy_gateway::replay::{self, Remarks, ReplayError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay")
}

fn site() -> Arc<Site> {
    let loaded = davy_config::load(&folder().join("site.toml"));
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
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
    assert!(paths.len() >= 20, "{paths:?}");
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
