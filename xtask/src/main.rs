//! `cargo xtask`: every developer's command.

mod bench;
mod check;
mod cloud_settings;
mod demo;
mod licences;
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
    /// Builds the screens, where their sources changed
    Web,
    /// Checks format, lints, licences, bans and sources
    Check,
    /// Runs everything that CI runs
    Test,
    /// Prints measured figures beside those of peers
    Bench(bench::Options),
}

fn main() -> Result<()> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Web => web::build(root),
        Command::Check => check::run(root),
        Command::Test => test::run(root),
        Command::Bench(options) => bench::run(root, &options),
    }
}
