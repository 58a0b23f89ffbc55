//! The site file of `bench edge`: every register a point with a high limit, journalled at every change.

use super::{REGISTERS, UNITS};
use std::fmt::Write as _;

/// Sparkplug group and edge node of the measured gateway.
pub const GROUP: &str = "bench";
pub const NODE: &str = "edge";

/// Where the gateway finds its devices and broker, and where it serves its screen; loopback ports.
#[derive(Clone, Copy, Debug)]
pub struct Ports<'a> {
    /// Of each bus, one after the other; units 1 to [`UNITS`] are on each.
    pub modbus: &'a [u16],
    pub broker: u16,
    pub screen: u16,
}

/// The text of the site file; every unit is polled each `period_ms`.
pub fn text(ports: Ports, period_ms: u64) -> String {
    let mut text = head(ports);
    for (position, port) in ports.modbus.iter().enumerate() {
        bus(&mut text, position, *port);
        for unit in 1..=UNITS {
            device(&mut text, position, unit, period_ms);
            let device = device_number(position, unit);
            (0..REGISTERS).for_each(|register| point(&mut text, device, register));
        }
    }
    text
}

/// Of a unit (from 1) of a bus (from 0): devices are numbered through all buses, from 1.
pub fn device_number(bus: usize, unit: usize) -> usize {
    bus * UNITS + unit
}

/// The id of a register's point.
pub fn point_id(device: usize, register: usize) -> String {
    format!("u{device}-r{register}")
}

/// Device and register of a point's id.
pub fn parse_point_id(id: &str) -> Option<(usize, usize)> {
    let (device, register) = id.strip_prefix('u')?.split_once("-r")?;
    Some((device.parse().ok()?, register.parse().ok()?))
}

fn head(ports: Ports) -> String {
    let Ports { broker, screen, .. } = ports;
    format!(
        r#"schema = 1
[site]
id = "{NODE}"
name = {{ zh = "测量", en = "Bench" }}
[screen]
listen = "127.0.0.1:{screen}"
[uplink]
broker = "127.0.0.1:{broker}"
group = "{GROUP}"
[[area]]
id = "all"
name = {{ zh = "全部", en = "All" }}
"#
    )
}

fn bus(text: &mut String, position: usize, port: u16) {
    let _ = write!(
        text,
        r#"[[bus]]
id = "field{position}"
kind = "tcp"
address = "127.0.0.1:{port}"
timeout_ms = 500
exchange_ms = 0.2
"#
    );
}

fn device(text: &mut String, bus: usize, unit: usize, period_ms: u64) {
    let number = device_number(bus, unit);
    let _ = write!(
        text,
        r#"[[device]]
id = "u{number}"
name = {{ zh = "{number} 号", en = "Unit {number}" }}
bus = "field{bus}"
unit = {unit}
period_ms = {period_ms}
"#
    );
}

/// The limit stands above every value that a run reaches: it is judged at each reading and never trips.
fn point(text: &mut String, device: usize, register: usize) {
    let id = point_id(device, register);
    let _ = write!(
        text,
        r#"[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "all"
device = "u{device}"
register = {{ table = "holding", address = {register} }}
kind = "other"
unit = "1"
range = [0, 65535]
decimals = 0
exception = 0
[point.alarms.H]
set_point = 65500
deadband = 1
priority = 3
"#
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_accepted_whole_and_without_a_warning() {
        let ports = Ports {
            modbus: &[1502, 1503],
            broker: 1883,
            screen: 8080,
        };
        let loaded = davy_config::parse("bench.toml", &text(ports, 50), std::path::Path::new("."))
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert_eq!(loaded.site.points.len(), 2 * UNITS * REGISTERS);
        assert!(
            loaded
                .site
                .points
                .iter()
                .all(|point| point.exception == 0.0)
        );
    }

    #[test]
    fn a_point_id_tells_its_register() {
        assert_eq!(parse_point_id(&point_id(10, 99)), Some((10, 99)));
        assert_eq!(parse_point_id("bdSeq"), None);
    }
}
