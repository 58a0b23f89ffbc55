//! `cargo xtask test`: sets up what the suites need and runs them all. Ends with the runners' own lines.

use crate::machine;
use crate::run::{cargo, check, step, tell};
use crate::web;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Runs every suite; the first failing one ends it.
pub(crate) fn run(root: &Path) -> Result<()> {
    machine::install_packages()?;
    let python = machine::python(root)?;
    step("screens: build, unit tests, a real browser");
    web::build(root)?;
    let web = root.join("web");
    for script in ["test", "test:browser"] {
        check(
            Command::new("npm")
                .args(["run", "--silent", script])
                .current_dir(&web),
        )?;
    }
    let left_out = crate::check::run(root)?;
    step("daemons");
    check(&mut cargo(&["build", "--workspace", "--bins"]))?;
    step("tests");
    check(cargo(&["test", "--workspace", "--no-fail-fast"]).env("DAVY_PYTHON", python))?;
    tell(left_out);
    Ok(())
}
