//! `cargo xtask test`: sets up what the suites need and runs them all. Ends with the runners' own lines.

use crate::cassandra::Cluster;
use crate::firmware;
use crate::influxdb::InfluxDb;
use crate::machine;
use crate::postgres::Postgres;
use crate::run::{cargo, check, step, tell};
use crate::web;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Which suites.
#[derive(clap::Args)]
pub(crate) struct Options {
    suites: Option<Suites>,
}

/// A part that runs by itself.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Suites {
    /// The node: its core, and its image in QEMU
    Firmware,
}

/// Runs every suite, or the part that is asked for; the first failing one ends it.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    machine::install_packages()?;
    let python = machine::python(root)?;
    if let Some(Suites::Firmware) = options.suites {
        return of_firmware(root, &python);
    }
    step("screens: build, unit tests");
    web::build(root)?;
    screens(root, "test")?;
    let mut left_out: Vec<String> = crate::check::run(root)?.into_iter().collect();
    step("screens: a real browser");
    screens(root, "test:browser")?;
    step("daemons");
    check(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let image = firmware::judged_and_drilled(root)?;
    step("tests");
    let postgres = Postgres::start()?;
    let engines = Engines::start(&mut left_out);
    check(
        engines
            .named_to(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))
            .env("DAVY_PYTHON", &python)
            .env("DAVY_FIRMWARE", image)
            .env("DAVY_POSTGRES", postgres.address()),
    )?;
    step("records in PostgreSQL: the same tests again");
    records_in(&postgres, &python)?;
    step("three Cassandra nodes: history and replicas");
    on_nodes(&postgres, &mut left_out)?;
    tell_all(&left_out);
    Ok(())
}

/// Runs one of the suites that the screens' package names.
fn screens(root: &Path, script: &str) -> Result<()> {
    check(
        Command::new("npm")
            .args(["run", "--silent", script])
            .current_dir(root.join("web")),
    )
}

/// The suites of the history's engines alone.
pub(crate) fn engines() -> Result<()> {
    let mut left_out = Vec::new();
    let postgres = Postgres::start()?;
    let engines = Engines::start(&mut left_out);
    let suites = [
        "test",
        "--workspace",
        "--test",
        "history",
        "--test",
        "ingest",
    ];
    check(
        engines
            .named_to(&mut cargo(&suites))
            .env("DAVY_POSTGRES", postgres.address()),
    )?;
    on_nodes(&postgres, &mut left_out)?;
    tell_all(&left_out);
    Ok(())
}

fn tell_all(left_out: &[String]) {
    tell((!left_out.is_empty()).then(|| left_out.join("\n          ")));
}

/// The node alone: host suites of its core, then its image in QEMU beside the gateway.
fn of_firmware(root: &Path, python: &Path) -> Result<()> {
    let image = firmware::judged_and_drilled(root)?;
    step("daemons");
    check(&mut cargo(&["build", "--workspace", "--bins"]))?;
    step("tests of the node");
    let suites = [
        "node",
        "kept",
        "equal",
        "server",
        "update",
        "stm32g474",
        "node_map",
        "node_in_qemu",
        "node_update",
        "node_second_board",
    ];
    let suites = suites.iter().flat_map(|suite| ["--test", suite]);
    check(
        cargo(&["test", "--workspace", "--no-fail-fast"])
            .args(suites)
            .env("DAVY_PYTHON", python)
            .env("DAVY_FIRMWARE", image),
    )
}

/// The servers of the history's engines, as far as this machine can have them.
struct Engines {
    influxdb: Option<InfluxDb>,
}

impl Engines {
    /// A server that cannot be had takes its suites along, which is told at the end.
    fn start(left_out: &mut Vec<String>) -> Self {
        let influxdb = InfluxDb::start().map_err(|error| {
            left_out.push(format!("the history on InfluxDB, not run: {error:#}"));
        });
        Self {
            influxdb: influxdb.ok(),
        }
    }

    /// Names the servers to the tests, and passes over those whose server is not there: they have its name in theirs.
    fn named_to<'a>(&self, tests: &'a mut Command) -> &'a mut Command {
        match &self.influxdb {
            Some(server) => {
                tests
                    .env("DAVY_INFLUXDB", server.address())
                    .args(["--", "--skip", ON_CASSANDRA])
            }
            None => tests.args(["--", "--skip", ON_CASSANDRA, "--skip", ON_INFLUXDB]),
        }
    }
}

/// What the tests that need a server have in their names.
const ON_INFLUXDB: &str = "on_influxdb";
const ON_CASSANDRA: &str = "on_cassandra";

/// Apart from the others: the nodes take three processes, and one of them is killed by the history's suite, the last.
fn on_nodes(postgres: &Postgres, left_out: &mut Vec<String>) -> Result<()> {
    let cluster = match Cluster::start() {
        Ok(cluster) => cluster,
        Err(error) => {
            left_out.push(format!(
                "history and replicas on Cassandra, not run: {error:#}"
            ));
            return Ok(());
        }
    };
    for suite in ["ingest", "history"] {
        check(
            cargo(&["test", "--workspace", "--test", suite, "--", ON_CASSANDRA])
                .env("DAVY_POSTGRES", postgres.address())
                .env("DAVY_CASSANDRA", cluster.addresses())
                .env("DAVY_CASSANDRA_VICTIM", cluster.victim()),
        )?;
    }
    Ok(())
}

/// The suites whose records may lie in either database.
const OF_RECORDS: [&str; 6] = ["records", "audit", "api", "ingest", "retention", "backup"];

/// Of the whole workspace again: for one package cargo would choose other features of the dependencies, and build them all anew.
fn records_in(server: &Postgres, python: &Path) -> Result<()> {
    let suites = OF_RECORDS.iter().flat_map(|suite| ["--test", suite]);
    check(
        cargo(&["test", "--workspace", "--no-fail-fast"])
            .args(suites)
            .env("DAVY_PYTHON", python)
            .env("DAVY_POSTGRES", server.address())
            .env("DAVY_TEST_RECORDS", "postgresql")
            // These have brought both their stores the first time.
            .args(["--", "--skip", ON_INFLUXDB, "--skip", ON_CASSANDRA]),
    )
}
