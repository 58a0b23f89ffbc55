//! `cargo xtask code-order`: which functions the gateway runs, by valgrind's callgrind, becomes the order in which they are linked.
//!
//! The kernel brings sixteen pages of a program for each one that is touched. Where what runs every second lies scattered over seven megabytes of code, all of
//! it becomes resident; where it lies together, it alone does (docs/decisions/0032).
//!
//! The order is by name without the compiler's hash, so that it outlives a change of the code: a function that is renamed lies with the rest again, and
//! nothing else comes of it.

use anyhow::{Context as _, Result, bail};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FILE: &str = "gateway/link/near-code.ld";

/// Crates and modules whose functions belong to the way from sensor to alarm, even where a profile has them run at the start alone.
const ALARM_PATH: [&str; 12] = [
    "10davy_alarm",
    "davy_alarm..",
    "9davy_wire",
    "12davy_gateway7acquire",
    "12davy_gateway6decode",
    "12davy_gateway5judge",
    "12davy_gateway9judgement",
    "12davy_gateway3act",
    "12davy_gateway7journal",
    "12davy_gateway4live",
    "12davy_gateway6uplink",
    "davy_gateway..uplink",
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Dumps of `valgrind --tool=callgrind --demangle=no` of a release build: the start first, one behind the other with that of a site whose alarms come
    /// and go, then a minute of work, then screens
    #[arg(required = true, num_args = 3)]
    dumps: Vec<PathBuf>,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        text.map(|text| patterns(&text))
            .with_context(|| path.display().to_string())
    };
    let [start, work, screens] = &options.dumps[..] else {
        bail!("three dumps: start, work, screens");
    };
    let (start, work, screens) = (read(start)?, read(work)?, read(screens)?);
    std::fs::write(root.join(FILE), script(&start, &work, &screens))?;
    Ok(())
}

/// The linker's script: what works, the alarm's whole way, screens, and what the start alone runs.
fn script(start: &[String], work: &[String], screens: &[String]) -> String {
    let (alarm, rest): (Vec<&String>, Vec<&String>) = start
        .iter()
        .partition(|name| ALARM_PATH.iter().any(|part| name.contains(part)));
    let mut text = String::from(
        "/* Written by `cargo xtask code-order`: functions in the order of how often they run (docs/decisions/0032). */\nSECTIONS\n{\n  .text.near :\n  {\n",
    );
    let mut known = HashSet::new();
    let parts: [(&str, Vec<&String>); 4] = [
        ("every second", work.iter().collect()),
        ("with an alarm", alarm),
        ("with a screen", screens.iter().collect()),
        ("at the start", rest),
    ];
    for (when, names) in parts {
        let _ = writeln!(text, "    /* {when} */");
        for name in names.into_iter().filter(|name| known.insert(*name)) {
            let _ = writeln!(text, "    *(.text.{name})");
        }
    }
    text + "  }\n}\nINSERT BEFORE .text;\n"
}

/// The names of the program's own functions in a dump, as patterns, sorted.
fn patterns(dump: &str) -> Vec<String> {
    let names = dump.lines().filter_map(|line| {
        let called = line.strip_prefix("fn=").or(line.strip_prefix("cfn="))?;
        called.split_once(") ").map(|(_, name)| name)
    });
    let mut found: Vec<String> = names.filter_map(pattern).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A Rust function's name with its hashes left open; `None` for any other.
fn pattern(name: &str) -> Option<String> {
    // Callgrind numbers the depth of a recursion.
    let name = name.split('\'').next().unwrap_or(name);
    if name.starts_with("_ZN") {
        let (path, hash) = name.rsplit_once("17h")?;
        // What was split off a function has more behind its hash.
        (hash.as_bytes().get(16) == Some(&b'E')).then(|| format!("{path}17h*"))
    } else {
        name.starts_with("_R").then(|| without_crate_hashes(name))
    }
}

/// `Cs<hash>_` is a crate in the newer way of spelling.
fn without_crate_hashes(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("Cs") {
        let hash = after.find('_').filter(|length| (8..=14).contains(length));
        text += before;
        text += "Cs";
        rest = match hash {
            Some(length) => {
                text += "*";
                &after[length..]
            }
            None => after,
        };
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_again_whatever_its_hashes_are() {
        let old = "_ZN12davy_gateway3act3Act9carry_out17h6d15001823d893f8E";
        assert_eq!(
            pattern(old).as_deref(),
            Some("_ZN12davy_gateway3act3Act9carry_out17h*")
        );
        let recursive = format!("{old}'2");
        assert_eq!(pattern(&recursive), pattern(old));
        let new = "_RNvMs4_NtCslNYArtu3iFV_5alloc7raw_vec";
        assert_eq!(
            pattern(new).as_deref(),
            Some("_RNvMs4_NtCs*_5alloc7raw_vec")
        );
        assert_eq!(pattern("(below main)"), None);
        assert_eq!(pattern("0x00000000006514c0"), None);
    }

    #[test]
    fn what_works_comes_first_then_the_alarms_way_and_the_start_last_each_once() {
        let of =
            |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).into()).collect() };
        let text = script(
            &of(&["_ZN4toml17h*", "_ZN10davy_alarm17h*", "_ZN5tokio17h*"]),
            &of(&["_ZN5tokio17h*"]),
            &of(&["_ZN4axum17h*", "_ZN5tokio17h*"]),
        );
        let places: Vec<usize> = ["tokio", "davy_alarm", "axum", "toml"]
            .iter()
            .map(|name| text.find(name).expect("it is there"))
            .collect();
        assert!(places.is_sorted(), "{text}");
        assert_eq!(text.matches("tokio").count(), 1);
    }

    #[test]
    fn a_dump_gives_the_functions_that_ran() {
        let dump = "ob=(1) /x\nfn=(4) _ZN4toml5parse17h0123456789abcdefE\ncfn=(5) _ZN4toml3key17h0123456789abcdefE\nfn=(4)\n";
        assert_eq!(patterns(dump), ["_ZN4toml3key17h*", "_ZN4toml5parse17h*"]);
    }
}
