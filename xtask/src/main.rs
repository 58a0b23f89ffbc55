//! `cargo xtask`: every developer's command.

mod bench;
mod cassandra;
mod check;
mod cloud_settings;
mod code_order;
mod cortex_m;
mod demo;
mod firmware;
mod influxdb;
mod licences;
mod machine;
mod mutants;
mod ports;
mod postgres;
mod run;
mod simulate;
mod site_files;
mod supervise;
mod telegraf;
mod test;
mod web;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

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
    /// Checks format, lints, licences, bans and sources, and that alarm runs on a Cortex-M and cannot panic
    Check,
    /// Runs the suites of the history's engines alone, each on its server
    Engines,
    /// Runs everything that CI runs; with `firmware`, the suites of the node in QEMU alone
    Test(test::Options),
    /// Builds the node's firmware for a board, and holds its sizes, stack and panics against their budgets
    Firmware(firmware::Options),
    /// Breaks alarm in every way, and looks whether a test notices: half an hour
    Mutants,
    /// Lives through seeds of the whole system on a virtual clock, under every fault: --seeds N --seed S --days D
    Simulate(simulate::Options),
    /// Prints measured figures beside those of peers
    Bench(bench::Options),
    /// Orders the released gateway's code by what runs, from three dumps of callgrind: start, work, screens
    CodeOrder(code_order::Options),
}

fn main() -> Result<()> {
    let root = &root()?;
    match Cli::parse().command {
        Command::Demo(options) => demo::run(root, &options),
        Command::Web => web::build(root),
        Command::Check => check::run(root).map(run::tell),
        Command::Engines => test::engines(),
        Command::Test(options) => test::run(root, &options),
        Command::Firmware(options) => firmware::run(root, &options),
        Command::Mutants => mutants::run(root),
        Command::Simulate(options) => simulate::run(&options),
        Command::Bench(options) => bench::run(root, &options),
        Command::CodeOrder(options) => code_order::run(root, &options),
    }
}

/// The workspace that cargo runs this in. Not the one it was built in: a cache of builds may come from another folder.
fn root() -> Result<PathBuf> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    // A test's variable names another package of the same workspace.
    let mut folders = own.ancestors();
    let root = folders.find(|folder| folder.join("Cargo.lock").exists());
    Ok(root.context("no workspace above this package")?.to_owned())
}
