//! `cargo xtask mutants`: breaks `alarm` in every way that cargo-mutants knows, one at a time, and looks whether a test notices. An hour on two busy cores, so
//! it is not part of `test`. `alarm/mutants.md` tells what may live, and why.

use crate::run::{cargo, check, step};
use anyhow::{Context as _, Result};
use std::path::Path;

/// Tries every mutant, in a copy of the workspace. An error if one lives.
pub(crate) fn run(root: &Path) -> Result<()> {
    let version = cargo(&["mutants", "--version"]).output();
    if !version.is_ok_and(|version| version.status.success()) {
        step("cargo-mutants");
        check(&mut cargo(&["install", "cargo-mutants", "--locked"]))?;
    }
    step("every mutant of alarm");
    let output = root.join("target/mutants");
    std::fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    // Elsewhere than the copy's own folder, so that what does not change is built once.
    let built = output.join("build");
    check(
        cargo(&[
            "mutants",
            "--package",
            "davy-alarm",
            "--profile",
            "mutants",
            "--output",
        ])
        .arg(&output)
        .env("CARGO_TARGET_DIR", built)
        .current_dir(root),
    )
}
