//! Judgement as a bare machine would have it: `alarm` for a Cortex-M, linked without a heap, and with no way to panic left in it.
//!
//! `tests/cortex-m` calls every public entry. What the linker keeps of it is what a firmware would carry; the compiler proves every panic away that it can,
//! and what is left bears its name in the symbols.

use crate::run::{cargo, check as run, step};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "thumbv7m-none-eabi";
const PROGRAM: &str = "tests/cortex-m/src/main.rs";

/// Panics that may be left, each with its reason. None is.
const ALLOWED: [&str; 0] = [];

/// Builds and searches. `Some` says what was left out, and why.
pub(crate) fn check(root: &Path) -> Result<Option<String>> {
    step("alarm on a Cortex-M: no heap, no way to panic");
    if !has_target() {
        return Ok(Some(format!(
            "alarm on a Cortex-M was not checked: rustc has no {TARGET}, and `rustup target add {TARGET}` did not bring it"
        )));
    }
    let forgotten = forgotten(root)?;
    ensure!(
        forgotten.is_empty(),
        "{PROGRAM} does not call {forgotten:?}: nobody has looked whether they can panic"
    );
    // First that the search finds what it looks for.
    let control = panics_in(&build(root, &["--features", "panics"])?);
    ensure!(
        !control.is_empty(),
        "a program that panics on purpose shows no panic: the search is blind"
    );
    let found = panics_in(&build(root, &[])?);
    let new: Vec<&String> = (found.iter())
        .filter(|symbol| !ALLOWED.iter().any(|allowed| symbol.contains(allowed)))
        .collect();
    ensure!(new.is_empty(), "alarm can panic: {new:#?}");
    Ok(None)
}

/// Installs the target where it is missing and can be had.
fn has_target() -> bool {
    has_core() || {
        let added = Command::new("rustup")
            .args(["target", "add", TARGET])
            .status();
        added.is_ok_and(|status| status.success()) && has_core()
    }
}

fn has_core() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|sysroot| {
        let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
        let libraries = PathBuf::from(sysroot).join("lib/rustlib").join(TARGET);
        libraries.exists()
    })
}

fn build(root: &Path, features: &[&str]) -> Result<Vec<u8>> {
    let built = root.join("target/cortex-m");
    let arguments = ["build", "--quiet", "--release", "--target", TARGET];
    run(cargo(&arguments)
        .args(features)
        .current_dir(root.join("tests/cortex-m"))
        .env("CARGO_TARGET_DIR", &built)
        .env_remove("RUSTFLAGS"))?;
    let program = built.join(TARGET).join("release/davy-cortex-m");
    std::fs::read(&program).with_context(|| program.display().to_string())
}

/// The names in a program that belong to panicking. Names are text that ends with a zero, wherever they stand: more is found than there is, never less.
pub(crate) fn panics_in(program: &[u8]) -> BTreeSet<String> {
    let names = program.split(|byte| *byte == 0);
    let names = names.filter_map(|name| std::str::from_utf8(name).ok());
    let panics = names.filter(|name| {
        ["panic", "unwrap_failed", "expect_failed", "slice_index"]
            .iter()
            .any(|part| name.contains(part))
    });
    panics.map(str::to_owned).collect()
}

/// Public functions of `alarm` that the program does not call.
fn forgotten(root: &Path) -> Result<Vec<String>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
    };
    let program = read(&root.join(PROGRAM))?;
    let mut forgotten = Vec::new();
    for entry in std::fs::read_dir(root.join("alarm/src"))? {
        for name in public_functions(&read(&entry?.path())?) {
            if !program.contains(&format!("{name}(")) {
                forgotten.push(name);
            }
        }
    }
    Ok(forgotten)
}

fn public_functions(source: &str) -> Vec<String> {
    let heads = source.lines().filter_map(|line| {
        let head = line.trim_start().strip_prefix("pub ")?;
        head.strip_prefix("const ")
            .unwrap_or(head)
            .strip_prefix("fn ")
    });
    let names = heads.filter_map(|head| head.split(['(', '<']).next());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_by_its_name_and_nothing_else_is_one() {
        let program = b"\x7fELF\0\xff\xfe\0_ZN4core9panicking5panic17h0E\0_ZN10davy_alarm3actE\0";
        let found: Vec<String> = panics_in(program).into_iter().collect();
        assert_eq!(found, ["_ZN4core9panicking5panic17h0E"]);
        assert!(panics_in(b"_ZN10davy_alarm3actE\0").is_empty());
    }

    #[test]
    fn public_functions_are_found_whatever_they_are() {
        let source =
            "    pub const fn one(&self) {\npub fn two<T>(t: T) {\n pub(crate) fn no()\nfn nor()";
        assert_eq!(public_functions(source), ["one", "two"]);
    }
}
