//! `cargo xtask bench`: measures release builds beside their peers. Progress goes to standard error, so that standard output holds figures alone.

use crate::cassandra::Cluster;
use crate::influxdb::{self, InfluxDb};
use crate::machine;
use crate::run::{cargo, check};
use crate::telegraf;
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
    /// The gateway beside a bare Rust loop, a Python script and Telegraf: cost, memory, latency, period; alone, polling often, and flat out
    Edge,
    /// Polls a second on a serial line of 9600 baud
    Serial,
    /// The city's embedded history: a year of one point at 1 Hz
    History,
    /// Journal and uplink: readings a processor second, bytes on disk and wire, wear, memory, an alarm beside backlog
    Durability,
    /// The city: committed readings and processor time with each engine of the history, on its server
    Cloud,
    /// Live: an alarm from a gateway's session to a thousand browsers, under 20,000 readings a second
    Live,
    /// Judgement: a reading with four limits, and a point of sites of 1,000 to 100,000
    Alarm,
    /// The regulator's questions on a synthesised year of 200 sites
    Questions,
}

const ALL: [Bench; 8] = [
    Bench::Edge,
    Bench::Serial,
    Bench::History,
    Bench::Durability,
    Bench::Cloud,
    Bench::Live,
    Bench::Alarm,
    Bench::Questions,
];

/// Runs what was asked for. A missed target is printed and no error: figures are the product.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let asked = options.name.as_ref().map_or(&ALL[..], std::slice::from_ref);
    for bench in asked {
        match bench {
            Bench::Edge => edge(root, options.json)?,
            Bench::Serial => serial(root, options.json)?,
            Bench::History => drop(example(root, options.json, &HISTORY)?),
            Bench::Durability => durability(root, options.json)?,
            Bench::Cloud => cloud(root, options.json)?,
            Bench::Live => live(root, options.json)?,
            Bench::Alarm => drop(example(root, options.json, &ALARM)?),
            Bench::Questions => drop(example(root, options.json, &QUESTIONS)?),
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
    eprintln!(
        "bench edge: 10 s of warm-up and a minute measured, beside the peers, then alone and polling often, then twenty buses flat out; the latter two also of Telegraf"
    );
    match telegraf::program() {
        Ok(telegraf) => _ = bench.env("DAVY_TELEGRAF", telegraf),
        Err(error) => {
            eprintln!("bench edge: without Telegraf, which cannot be had here: {error:#}")
        }
    }
    check(bench.env("DAVY_PYTHON", python))
}

fn serial(root: &Path, json: bool) -> Result<()> {
    eprintln!("bench serial: building for release");
    let mut bench = suite_bench(root, "bench-serial", json)?;
    eprintln!("bench serial: 3 s of warm-up, then 20 s measured");
    check(&mut bench)
}

/// Gateway and collector, each on the disk that holds the build.
fn durability(root: &Path, json: bool) -> Result<()> {
    std::fs::create_dir_all(root.join(FOLDER))?;
    example(root, json, &DURABILITY)?;
    example(root, json, &INGEST)?;
    Ok(())
}

fn live(root: &Path, json: bool) -> Result<()> {
    std::fs::create_dir_all(root.join(FOLDER))?;
    example(root, json, &LIVE)?;
    Ok(())
}

/// A collector with each engine, one after the other, and Telegraf before InfluxDB beside it on the same readings.
fn cloud(root: &Path, json: bool) -> Result<()> {
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let embedded = example(root, json, &CLOUD)?;
    let token = folder.join("influxdb-token");
    std::fs::write(&token, format!("{}\n", influxdb::TOKEN))?;
    let token = token.display().to_string();
    let server = InfluxDb::start()?;
    let url = format!("http://{}", server.address());
    let table = format!("engine = \"influxdb\"\nurl = \"{url}\"\ntoken_file = \"{token}\"");
    let influxdb = on_server(root, json, ("influxdb", &table), &server.processes())?;
    example_with(root, json, &YEAR, &[FOLDER, &url, &token])?;
    drop(server);
    match telegraf::program() {
        Ok(program) => beside_telegraf(root, json, &program, [&embedded, &influxdb])?,
        Err(error) => {
            eprintln!("bench cloud: without Telegraf, which cannot be had here: {error:#}")
        }
    }
    let cluster = Cluster::start()?;
    let nodes = cluster.addresses().replace(',', "\", \"");
    let table = format!("engine = \"cassandra\"\nnodes = [\"{nodes}\"]");
    on_server(root, json, ("cassandra", &table), &cluster.processes())?;
    Ok(())
}

/// Telegraf before a server of its own, which holds nothing yet as ours did not; then what our engines committed by what it committed.
fn beside_telegraf(root: &Path, json: bool, program: &Path, ours: [&Figures; 2]) -> Result<()> {
    let server = InfluxDb::start()?;
    let (program, url) = (
        program.display().to_string(),
        format!("http://{}", server.address()),
    );
    let arguments = [FOLDER, &program, &url, influxdb::TOKEN, &server.processes()];
    let theirs = example_with(root, json, &TELEGRAF, &arguments)?;
    let of = |figures: &Figures, name: &str| {
        let found = figures.iter().find(|(of, _)| of == name);
        found
            .map(|(_, value)| *value)
            .with_context(|| format!("no figure {name}"))
    };
    let theirs = of(&theirs, "telegraf_committed_readings_per_second")?;
    let names = ["ingest", "influxdb"].map(|name| format!("{name}_committed_readings_per_second"));
    for ((figures, name), least) in ours.iter().zip(names).zip([10, 1]) {
        let ratio = of(figures, &name)? / theirs;
        let name = name.split('_').next().unwrap_or_default();
        println!(
            "{}",
            figure(
                "cloud",
                &format!("{name}_by_telegraf {ratio:.1} x >{least}"),
                json
            )?
        );
    }
    Ok(())
}

/// The example on an engine behind a network, by its table of the settings.
fn on_server(
    root: &Path,
    json: bool,
    (name, table): (&str, &str),
    processes: &str,
) -> Result<Figures> {
    let file = format!("{FOLDER}/{name}.toml");
    std::fs::write(root.join(&file), format!("[history]\n{table}\n"))?;
    let arguments = [FOLDER, name, &file, processes];
    example_with(root, json, &CLOUD, &arguments)
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
    arguments: &'static [&'static str],
}

/// Names and values, as a bench printed them.
type Figures = Vec<(String, f64)>;

/// Where benches write, in the folder of the build.
const FOLDER: &str = "target/bench";

const DURABILITY: Example = Example {
    bench: "durability",
    package: "davy-gateway",
    name: "durability_bench",
    what: "a minute or two of journal and uplink",
    arguments: &[FOLDER],
};
const INGEST: Example = Example {
    bench: "durability",
    package: "davy-cloud",
    name: "ingest_bench",
    what: "a collector takes what gateways send as fast as it can",
    arguments: &[FOLDER],
};
const CLOUD: Example = Example {
    bench: "cloud",
    ..INGEST
};
const LIVE: Example = Example {
    bench: "live",
    package: "davy-cloud",
    name: "live_bench",
    what: "a collector, 200 gateways and 1,000 browsers; a minute",
    arguments: &[FOLDER],
};
const TELEGRAF: Example = Example {
    bench: "cloud",
    package: "davy-cloud",
    name: "telegraf_bench",
    what: "Telegraf takes the same readings into InfluxDB",
    arguments: &[],
};
const YEAR: Example = Example {
    bench: "cloud",
    package: "davy-cloud",
    name: "year_bench",
    what: "one point's year, in the embedded engine and in InfluxDB",
    arguments: &[],
};
const HISTORY: Example = Example {
    bench: "history",
    package: "davy-cloud",
    name: "history_bench",
    what: "a year of readings is written, then asked for",
    arguments: &[],
};
const QUESTIONS: Example = Example {
    bench: "questions",
    package: "davy-cloud",
    name: "questions_bench",
    what: "a year of 200 sites is synthesised, then asked what regulators ask, and taken as files",
    arguments: &[],
};
const ALARM: Example = Example {
    bench: "alarm",
    package: "davy-gateway",
    name: "judge_bench",
    what: "sites of up to 100,000 points are judged",
    arguments: &[],
};

/// The example prints `name value unit` a line, or `name value unit target`, where the target is at most a number or, behind `>`, at least; they are passed on as they come.
fn example(root: &Path, json: bool, example: &Example) -> Result<Figures> {
    example_with(root, json, example, example.arguments)
}

fn example_with(root: &Path, json: bool, example: &Example, arguments: &[&str]) -> Result<Figures> {
    let bench = example.bench;
    let what = ["-p", example.package, "--example", example.name];
    eprintln!("bench {bench}: building for release");
    build(root, &what)?;
    eprintln!("bench {bench}: {}", example.what);
    let mut child = cargo(&["run", "--quiet", "--release"])
        .args(what)
        .arg("--")
        .args(arguments)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start the {bench} bench"))?;
    let lines = child.stdout.take().context("its output is a pipe")?;
    let mut figures = Figures::new();
    for line in BufReader::new(lines).lines() {
        let line = line?;
        println!("{}", figure(bench, &line, json)?);
        let mut parts = line.split_whitespace();
        if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            figures.push((name.to_owned(), number(value)?));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the {bench} bench ended with {status}");
    }
    Ok(figures)
}

/// One figure in the form of `bench edge`.
fn figure(bench: &str, line: &str, json: bool) -> Result<String> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let (name, value, unit, target) = match parts[..] {
        [name, value, unit] => (name, value, unit, None),
        [name, value, unit, target] => (name, value, unit, Some(Target::of(target)?)),
        _ => bail!("`{line}` is no figure: name, value and unit"),
    };
    let (name, measured) = (format!("{bench}.{name}"), number(value)?);
    if json {
        let mut figure = serde_json::json!({ "name": name, "value": measured, "unit": unit });
        if let Some(target) = &target {
            let held = target.is_held(measured);
            figure["target"] = serde_json::json!({ (target.side): target.limit, "held": held });
        }
        return Ok(figure.to_string());
    }
    let verdict = target.map_or(String::new(), |target| {
        let verdict = if target.is_held(measured) {
            "held"
        } else {
            "missed"
        };
        let side = target.side.replace('_', " ");
        format!("  | {side} {} {verdict}", target.limit)
    });
    Ok(format!("{name:<40} {value:>9} {unit}{verdict}"))
}

/// What a figure should be.
struct Target {
    side: &'static str,
    is_least: bool,
    limit: f64,
}

impl Target {
    fn of(text: &str) -> Result<Self> {
        let (side, rest) = match text.strip_prefix('>') {
            Some(rest) => ("at_least", rest),
            None => ("at_most", text.strip_prefix('<').unwrap_or(text)),
        };
        Ok(Self {
            side,
            is_least: side == "at_least",
            limit: number(rest)?,
        })
    }

    fn is_held(&self, measured: f64) -> bool {
        if self.is_least {
            measured >= self.limit
        } else {
            measured <= self.limit
        }
    }
}

fn number(text: &str) -> Result<f64> {
    let number = text.parse::<f64>();
    number.with_context(|| format!("`{text}` is no number"))
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
        let line = figure("durability", "path 2e6 1/s >1e6", false).unwrap_or_default();
        assert!(line.ends_with("| at least 1000000 held"), "{line}");
        let json = figure("durability", "path 9e5 1/s >1e6", true).unwrap_or_default();
        assert!(
            json.contains("\"at_least\":1000000.0,\"held\":false"),
            "{json}"
        );
    }
}
