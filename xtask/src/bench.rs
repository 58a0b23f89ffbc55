//! `cargo xtask bench`: measures release builds beside their peers. Progress goes to standard error, so that standard output holds figures alone.

use crate::machine;
use crate::run::{cargo, check};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

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
    /// Polls a second on a serial line of 9600 baud
    Serial,
    /// The city's embedded history: a year of one point at 1 Hz
    History,
}

const ALL: [Bench; 3] = [Bench::Edge, Bench::Serial, Bench::History];

/// Runs what was asked for. A missed target is printed and no error: figures are the product.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let asked = options.name.as_ref().map_or(&ALL[..], std::slice::from_ref);
    for bench in asked {
        match bench {
            Bench::Edge => edge(root, options.json)?,
            Bench::Serial => serial(root, options.json)?,
            Bench::History => history(root, options.json)?,
        }
    }
    Ok(())
}

/// The gateway's journal is measured on the disk that holds the build.
fn edge(root: &Path, json: bool) -> Result<()> {
    machine::install_packages()?;
    let python = machine::python(root)?;
    eprintln!("bench edge: building for release");
    let mut bench = suite_bench(root, "bench-edge", json)?;
    eprintln!("bench edge: 10 s of warm-up, then a minute measured");
    check(bench.env("DAVY_PYTHON", python))
}

fn serial(root: &Path, json: bool) -> Result<()> {
    eprintln!("bench serial: building for release");
    let mut bench = suite_bench(root, "bench-serial", json)?;
    eprintln!("bench serial: 3 s of warm-up, then 20 s measured");
    check(&mut bench)
}

/// A bench of the suite beside a gateway, both built for release.
fn suite_bench(root: &Path, name: &str, json: bool) -> Result<Command> {
    build(root, &["-p", "davy-gateway", "-p", "davy-suite", "--bins"])?;
    let dir = root.join("target/bench");
    std::fs::create_dir_all(&dir)?;
    // Not by `cargo run`: for one package alone it chooses other features of the dependencies, and builds them all anew.
    let mut bench = Command::new(root.join("target/release").join(name));
    bench
        .arg("--dir")
        .arg(&dir)
        .args(json.then_some("--json"))
        .current_dir(root);
    Ok(bench)
}

/// The example prints `name value unit` a line; they are passed on as they come.
fn history(root: &Path, json: bool) -> Result<()> {
    eprintln!("bench history: building for release");
    build(root, &["-p", "davy-cloud", "--example", "history_bench"])?;
    eprintln!("bench history: a year of readings is written, then asked for");
    let mut bench = cargo(&["run", "--quiet", "--release"]);
    bench
        .args(["-p", "davy-cloud", "--example", "history_bench"])
        .current_dir(root)
        .stdout(Stdio::piped());
    let mut child = bench.spawn().context("cannot start the history bench")?;
    let lines = child.stdout.take().context("its output is a pipe")?;
    for line in BufReader::new(lines).lines() {
        println!("{}", figure(&line?, json)?);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the history bench ended with {status}");
    }
    Ok(())
}

/// One figure in the form of `bench edge`.
fn figure(line: &str, json: bool) -> Result<String> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let [name, value, unit] = parts[..] else {
        bail!("`{line}` is no figure: name, value and unit");
    };
    let (name, number) = (format!("history.{name}"), value.parse::<f64>());
    let number = number.with_context(|| format!("`{value}` of {name} is no number"))?;
    Ok(if json {
        serde_json::json!({ "name": name, "value": number, "unit": unit }).to_string()
    } else {
        format!("{name:<40} {value:>9} {unit}")
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_history_bench_is_a_figure_and_anything_else_an_error() {
        let line = figure("bytes_per_reading 1.250 B", false);
        assert!(line.is_ok_and(|line| line.ends_with("    1.250 B")));
        let json = figure("year 12.5 ms", true).unwrap_or_default();
        assert!(
            json.contains("\"name\":\"history.year\"") && json.contains("12.5"),
            "{json}"
        );
        assert!(figure("year 12.5", true).is_err());
        assert!(figure("year fast ms", true).is_err());
    }
}
