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

/// Says at the end what was left out, if anything was: a run that did less than it should must not look like one that did all.
pub(crate) fn tell(left_out: Option<String>) {
    if let Some(what) = left_out {
        eprintln!("\nLEFT OUT: {what}");
    }
}

/// Cargo, as started by the one who started us.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}
