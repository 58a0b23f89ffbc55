//! `cargo xtask bench`: measures release builds beside their peers. Progress goes to standard error, so that standard output holds figures alone.

use crate::machine;
use crate::run::{cargo, check};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which bench; all of them if none is named
    name: Option<Bench>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// The gateway beside a bare Rust loop and a Python script: cost, memory, latency, period
    Edge,
}

const ALL: [Bench; 1] = [Bench::Edge];

/// Runs what was asked for. A missed target is printed and no error: figures are the product.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let asked = options.name.as_ref().map_or(&ALL[..], std::slice::from_ref);
    for bench in asked {
        match bench {
            Bench::Edge => edge(root, options.json)?,
        }
    }
    Ok(())
}

/// The gateway's journal is measured on the disk that holds the build.
fn edge(root: &Path, json: bool) -> Result<()> {
    machine::install_packages()?;
    let python = machine::python(root)?;
    eprintln!("bench edge: building for release");
    build(root, &["-p", "davy-gateway", "-p", "davy-suite", "--bins"])?;
    let dir = root.join("target/bench");
    std::fs::create_dir_all(&dir)?;
    eprintln!("bench edge: 10 s of warm-up, then a minute measured");
    let mut bench = cargo(&["run", "--quiet", "--release"]);
    bench
        .args(["-p", "davy-suite", "--bin", "bench-edge", "--", "--dir"])
        .arg(&dir)
        .args(json.then_some("--json"))
        .env("DAVY_PYTHON", python)
        .current_dir(root);
    check(&mut bench)
}

/// A release build, out of the way of other work on the machine.
fn build(root: &Path, what: &[&str]) -> Result<()> {
    let cargo = cargo(&["build", "--quiet", "--release"]);
    check(
        Command::new("nice")
            .arg(cargo.get_program())
            .args(cargo.get_args())
            .args(what)
            .current_dir(root),
    )
}
