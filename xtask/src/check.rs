//! `cargo xtask check`: what is judged without running anything of ours.

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

/// Format, lints, licences, bans and sources; the first that fails ends it.
pub(crate) fn run(root: &Path) -> Result<()> {
    step("format");
    check(cargo(&["fmt", "--all", "--check"]).current_dir(root))?;
    licences::check(root)?;
    step("lints");
    check(cargo(&CLIPPY).current_dir(root))
}
