//! Running other programs, with their failure told plainly.

use anyhow::{Context, Result, bail};
use std::process::Command;

/// Says what comes next, so that a long wait is never silent; on standard error, which leaves the other to results.
pub(crate) fn step(what: &str) {
    eprintln!("\n== {what}");
}

/// Runs a program to its end; its failure names it.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// Cargo, as started by the one who started us.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}
