//! `cargo xtask`: every developer's command.

mod cloud_settings;
mod demo;
mod machine;
mod ports;
mod run;
mod site_files;
mod supervise;
mod test;
mod web;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::Path;

#[derive(Parser)]
#[command(about = "Every developer's command of Davy")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the simulated plant with a gateway at each site, until Ctrl-C
    Demo(demo::Options),
    /// Runs everything that CI runs
    Test,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test => test::run(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))),
    }
}
