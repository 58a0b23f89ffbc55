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
    /// Judgement: a reading with four limits, and a point of sites of 1,000 to 100,000
    Alarm,
}

const ALL: [Bench; 4] = [Bench::Edge, Bench::Serial, Bench::History, Bench::Alarm];

/// Runs what was asked for. A missed target is printed and no error: figures are the product.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let asked = options.name.as_ref().map_or(&ALL[..], std::slice::from_ref);
    for bench in asked {
        match bench {
            Bench::Edge => edge(root, options.json)?,
            Bench::Serial => serial(root, options.json)?,
            Bench::History => example(root, options.json, &HISTORY)?,
            Bench::Alarm => example(root, options.json, &ALARM)?,
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

/// A bench that is an example of its package.
struct Example {
    bench: &'static str,
    package: &'static str,
    name: &'static str,
    what: &'static str,
}

const HISTORY: Example = Example {
    bench: "history",
    package: "davy-cloud",
    name: "history_bench",
    what: "a year of readings is written, then asked for",
};
const ALARM: Example = Example {
    bench: "alarm",
    package: "davy-gateway",
    name: "judge_bench",
    what: "sites of up to 100,000 points are judged",
};

/// The example prints `name value unit` a line, or `name value unit limit`; they are passed on as they come.
fn example(root: &Path, json: bool, example: &Example) -> Result<()> {
    let bench = example.bench;
    let what = ["-p", example.package, "--example", example.name];
    eprintln!("bench {bench}: building for release");
    build(root, &what)?;
    eprintln!("bench {bench}: {}", example.what);
    let mut child = cargo(&["run", "--quiet", "--release"])
        .args(what)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start the {bench} bench"))?;
    let lines = child.stdout.take().context("its output is a pipe")?;
    for line in BufReader::new(lines).lines() {
        println!("{}", figure(bench, &line?, json)?);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the {bench} bench ended with {status}");
    }
    Ok(())
}

/// One figure in the form of `bench edge`.
fn figure(bench: &str, line: &str, json: bool) -> Result<String> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let (name, value, unit, limit) = match parts[..] {
        [name, value, unit] => (name, value, unit, None),
        [name, value, unit, limit] => (name, value, unit, Some(limit)),
        _ => bail!("`{line}` is no figure: name, value and unit"),
    };
    let name = format!("{bench}.{name}");
    let number = |text: &str| {
        let number = text.parse::<f64>();
        number.with_context(|| format!("`{text}` of {name} is no number"))
    };
    let measured = number(value)?;
    let limit = limit.map(number).transpose()?;
    let held = limit.map(|limit| (limit, measured <= limit));
    if json {
        let mut figure = serde_json::json!({ "name": name, "value": measured, "unit": unit });
        if let Some((at_most, held)) = held {
            figure["target"] = serde_json::json!({ "at_most": at_most, "held": held });
        }
        return Ok(figure.to_string());
    }
    let verdict = held.map_or(String::new(), |(limit, held)| {
        let verdict = if held { "held" } else { "missed" };
        format!("  | at most {limit} {verdict}")
    });
    Ok(format!("{name:<40} {value:>9} {unit}{verdict}"))
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
    fn a_line_of_a_bench_is_a_figure_and_anything_else_an_error() {
        let line = figure("history", "bytes_per_reading 1.250 B", false);
        assert!(line.is_ok_and(|line| line.ends_with("    1.250 B")));
        let json = figure("history", "year 12.5 ms", true).unwrap_or_default();
        assert!(
            json.contains("\"name\":\"history.year\"") && json.contains("12.5"),
            "{json}"
        );
        assert!(figure("history", "year 12.5", true).is_err());
        assert!(figure("history", "year fast ms", true).is_err());
        assert!(figure("history", "year 12.5 ms soon", true).is_err());
    }

    #[test]
    fn a_figure_with_a_limit_is_held_against_it() {
        let line = figure("alarm", "reading 51.0 ns 50", false).unwrap_or_default();
        assert!(line.ends_with("51.0 ns  | at most 50 missed"), "{line}");
        let json = figure("alarm", "reading 50 ns 50", true).unwrap_or_default();
        assert!(
            json.contains("\"target\":{\"at_most\":50.0,\"held\":true}"),
            "{json}"
        );
    }
}
