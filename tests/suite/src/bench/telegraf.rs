//! Telegraf's configuration for `bench edge`: the same registers, published by its MQTT output as soon as each unit is read.

use super::site::device_number;
use super::{REGISTERS, UNITS};
use crate::daemon::Daemon;
use std::fmt::Write as _;
use std::path::Path;

/// Topics begin with this, a unit's id behind.
pub const PREFIX: &str = "telegraf";

/// Loopback ports, of Modbus one a bus, and how often each unit is read, `phase_ms` after the full period.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub modbus: &'a [u16],
    pub broker: u16,
    pub period_ms: u64,
    pub phase_ms: u64,
}

/// Starts the Telegraf that `DAVY_TELEGRAF` names; none where it names none.
pub(super) fn start(dir: &Path, reading: Reading) -> Option<Daemon> {
    let program = std::env::var_os("DAVY_TELEGRAF")?;
    let config = dir.join("telegraf.conf");
    std::fs::write(&config, text(reading)).expect("the bench's directory is writable");
    let config = config.to_string_lossy().into_owned();
    let args = ["--config", config.as_str(), "--quiet"];
    Some(Daemon::start("telegraf", program, &args, dir))
}

/// A batch of one metric: it is sent when it is there, not at the next flush.
fn text(reading: Reading) -> String {
    let Reading {
        modbus,
        broker,
        period_ms,
        phase_ms,
    } = reading;
    let mut text = format!(
        r#"[agent]
interval = "{period_ms}ms"
collection_offset = "{phase_ms}ms"
round_interval = true
precision = "1ms"
metric_batch_size = 1
metric_buffer_limit = 100000
flush_interval = "1s"
omit_hostname = true
[[outputs.mqtt]]
servers = ["tcp://127.0.0.1:{broker}"]
topic = "{PREFIX}/{{{{ .Tag \"unit\" }}}}"
qos = 1
layout = "non-batch"
data_format = "influx"
"#
    );
    for (position, port) in modbus.iter().enumerate() {
        bus(&mut text, position, *port);
    }
    text
}

fn bus(text: &mut String, position: usize, port: u16) {
    let _ = write!(
        text,
        r#"[[inputs.modbus]]
name = "field{position}"
controller = "tcp://127.0.0.1:{port}"
timeout = "1s"
configuration_type = "metric"
"#
    );
    for unit in 1..=UNITS {
        let number = device_number(position, unit);
        let _ = writeln!(
            text,
            "[[inputs.modbus.metric]]\nslave_id = {unit}\nbyte_order = \"ABCD\"\nmeasurement = \"m\"\nfields = ["
        );
        for register in 0..REGISTERS {
            let _ = writeln!(
                text,
                r#"{{ register = "holding", address = {register}, name = "r{register}", type = "UINT16" }},"#
            );
        }
        let _ = writeln!(text, "]\ntags = {{ unit = \"{number}\" }}");
    }
}
