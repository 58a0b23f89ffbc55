//! Telegraf for benches: built once from its Go module with what they need of it, kept outside the repository by its version.

use crate::machine;
use crate::run::{check, step};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const VERSION: &str = "1.37.2";
/// Its own tags: nothing but what reads Modbus or MQTT and writes MQTT or InfluxDB.
const TAGS: &str = "custom,inputs.modbus,inputs.mqtt_consumer,outputs.mqtt,outputs.influxdb_v2,parsers.influx,serializers.influx";

/// Builds it where it is not built yet; answers its path.
///
/// # Errors
/// Go or its module cannot be had.
pub(crate) fn program() -> Result<PathBuf> {
    let home = machine::cache()?.join(format!("telegraf-{VERSION}"));
    let program = home.join("telegraf");
    if program.exists() {
        return Ok(program);
    }
    let mut version = Command::new("go");
    check(version.arg("version").stdout(Stdio::null())).context("Go is missing")?;
    step(&format!("Telegraf {VERSION}: built once, a minute"));
    let module = home.join("module");
    std::fs::create_dir_all(&module).with_context(|| module.display().to_string())?;
    let go_mod = format!(
        "module davy.invalid/telegraf\n\ngo 1.25\n\nrequire github.com/influxdata/telegraf v{VERSION}\n"
    );
    std::fs::write(module.join("go.mod"), go_mod)?;
    let unfinished = home.join("telegraf.unfinished");
    check(
        Command::new("go")
            .args(["build", "-mod=mod", "-tags", TAGS, "-o"])
            .arg(&unfinished)
            .arg("github.com/influxdata/telegraf/cmd/telegraf")
            .current_dir(&module),
    )?;
    std::fs::rename(&unfinished, &program)?;
    Ok(program)
}
