//! `cargo xtask test`: sets up what the suites need and runs them all. Ends with the runners' own lines.

use crate::machine;
use crate::postgres::Postgres;
use crate::run::{cargo, check, step, tell};
use crate::web;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Runs every suite; the first failing one ends it.
pub(crate) fn run(root: &Path) -> Result<()> {
    machine::install_packages()?;
    let python = machine::python(root)?;
    step("screens: build, unit tests, a real browser");
    web::build(root)?;
    let web = root.join("web");
    for script in ["test", "test:browser"] {
        check(
            Command::new("npm")
                .args(["run", "--silent", script])
                .current_dir(&web),
        )?;
    }
    let left_out = crate::check::run(root)?;
    step("daemons");
    check(&mut cargo(&["build", "--workspace", "--bins"]))?;
    step("tests");
    let postgres = Postgres::start()?;
    check(
        cargo(&["test", "--workspace", "--no-fail-fast"])
            .env("DAVY_PYTHON", python)
            .env("DAVY_POSTGRES", postgres.address()),
    )?;
    step("records in PostgreSQL: the same tests again");
    records_in(&postgres)?;
    tell(left_out);
    Ok(())
}

/// The suites whose records may lie in either database.
const OF_RECORDS: [&str; 4] = ["records", "audit", "api", "ingest"];

/// Of the whole workspace again: for one package cargo would choose other features of the dependencies, and build them all anew.
fn records_in(server: &Postgres) -> Result<()> {
    let suites = OF_RECORDS.iter().flat_map(|suite| ["--test", suite]);
    check(
        cargo(&["test", "--workspace", "--no-fail-fast"])
            .args(suites)
            .env("DAVY_POSTGRES", server.address())
            .env("DAVY_TEST_RECORDS", "postgresql"),
    )
}
