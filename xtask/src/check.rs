//! `cargo xtask check`: what is judged without running anything of ours.

use crate::cortex_m;
use crate::licences;
use crate::run::{cargo, check, step};
use anyhow::Result;
use std::path::Path;

const CLIPPY: [&str; 6] = [
    "clippy",
    "--workspace",
    "--all-targets",
    "--quiet",
    "--",
    "-Dwarnings",
];

/// Format, lints, licences, bans, sources, and alarm on a bare machine; the first that fails ends it. `Some` says what was left out, and why.
pub(crate) fn run(root: &Path) -> Result<Option<String>> {
    step("format");
    check(cargo(&["fmt", "--all", "--check"]).current_dir(root))?;
    licences::check(root)?;
    step("lints");
    check(cargo(&CLIPPY).current_dir(root))?;
    cortex_m::check(root)
}
