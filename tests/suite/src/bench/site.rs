//! The site file of `bench edge`: every register a point with a high limit, journalled at every change.

use super::{REGISTERS, UNITS};
use std::fmt::Write as _;

/// Sparkplug group and edge node of the measured gateway.
pub const GROUP: &str = "bench";
pub const NODE: &str = "edge";

/// Where the gateway finds its devices and broker, and where it serves its screen; loopback ports.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub modbus: u16,
    pub broker: u16,
    pub screen: u16,
}

/// The text of the site file; every unit is polled each `period_ms`.
pub fn text(ports: Ports, period_ms: u64) -> String {
    let mut text = head(ports);
    for unit in 1..=UNITS {
        device(&mut text, unit, period_ms);
        (0..REGISTERS).for_each(|register| point(&mut text, unit, register));
    }
    text
}

/// The id of a register's point.
pub fn point_id(unit: usize, register: usize) -> String {
    format!("u{unit}-r{register}")
}

/// Unit and register of a point's id.
pub fn parse_point_id(id: &str) -> Option<(usize, usize)> {
    let (unit, register) = id.strip_prefix('u')?.split_once("-r")?;
    Some((unit.parse().ok()?, register.parse().ok()?))
}

fn head(ports: Ports) -> String {
    let Ports {
        modbus,
        broker,
        screen,
    } = ports;
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
[[bus]]
id = "field"
kind = "tcp"
address = "127.0.0.1:{modbus}"
timeout_ms = 500
exchange_ms = 0.2
"#
    )
}

fn device(text: &mut String, unit: usize, period_ms: u64) {
    let _ = write!(
        text,
        r#"[[device]]
id = "u{unit}"
name = {{ zh = "{unit} 号", en = "Unit {unit}" }}
bus = "field"
unit = {unit}
period_ms = {period_ms}
"#
    );
}

/// The limit stands above every value that a run reaches: it is judged at each reading and never trips.
fn point(text: &mut String, unit: usize, register: usize) {
    let id = point_id(unit, register);
    let _ = write!(
        text,
        r#"[[point]]
id = "{id}"
name = {{ zh = "{id}", en = "{id}" }}
area = "all"
device = "u{unit}"
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
            modbus: 1502,
            broker: 1883,
            screen: 8080,
        };
        let loaded = davy_config::parse("bench.toml", &text(ports, 50), std::path::Path::new("."))
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert_eq!(loaded.site.points.len(), UNITS * REGISTERS);
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
