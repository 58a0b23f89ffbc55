//! `cargo xtask simulate`: the whole system on a virtual clock (tests/simulation), built so that thousands of seeds are a matter of an hour.

use crate::run::{cargo, check};
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What the simulation takes: --seeds, --seed, --days, --mutant, --verbose; --help tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds and runs it; a seed that fails is printed with what replays it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--profile",
        "simulation",
        "-p",
        "davy-simulation",
        "--",
    ]);
    check(command.args(&options.rest))
}
