//! Buses: one wire each.

use super::names::{Index, host_port, id, list};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Bus, Link, Parity};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(super) fn buses(root: &Section<'_, '_>) -> (Vec<Bus>, Index) {
    let mut links: Vec<(Link, String)> = Vec::new();
    list(root, "bus", |section| {
        let bus = bus(section)?;
        if let Some((_, first)) = links.iter().find(|(link, _)| same_wire(link, &bus.link)) {
            section.problem(Code::SameLink, vec![("first", first.as_str().into())]);
        }
        links.push((bus.link.clone(), bus.id.clone()));
        Some(bus)
    })
}

/// Two tasks on one wire would talk over each other; a socket is one wire whatever it carries.
fn same_wire(one: &Link, other: &Link) -> bool {
    fn socket(link: &Link) -> Option<(&str, u16)> {
        match link {
            Link::Tcp { host, port } | Link::RtuOverTcp { host, port } => Some((host, *port)),
            Link::Rtu { .. } => None,
        }
    }
    match (one, other) {
        (Link::Rtu { path: one, .. }, Link::Rtu { path: other, .. }) => one == other,
        (one, other) => socket(one).is_some() && socket(one) == socket(other),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    RtuOverTcp,
    Rtu,
}

const KINDS: &[(&str, Kind)] = &[
    ("tcp", Kind::Tcp),
    ("rtu-over-tcp", Kind::RtuOverTcp),
    ("rtu", Kind::Rtu),
];

/// Of a line, unless the file says; and what a line may be set to.
const BAUD: u32 = 9600;
const BAUD_RANGE: RangeInclusive<i64> = 300..=1_000_000;

/// Assumed of an exchange over a network: the way there and back, and the answering of a server, microseconds.
const NETWORK_US: u32 = 5_000;

const SOCKET_KEYS: &[&str] = &["address"];
const SERIAL_KEYS: &[&str] = &["path", "baud", "parity", "stop_bits"];

fn bus(section: &Section<'_, '_>) -> Option<Bus> {
    let id = id(section);
    let kind = section.need_one_of("kind", KINDS).map(|at| at.value);
    let timeout_ms = section
        .whole("timeout_ms", 10..=10_000)
        .map_or(500, |at| at.value as u32);
    let link = match kind {
        Some(Kind::Tcp) => socket(section).map(|(host, port)| Link::Tcp { host, port }),
        Some(Kind::RtuOverTcp) => {
            socket(section).map(|(host, port)| Link::RtuOverTcp { host, port })
        }
        Some(Kind::Rtu) => rtu(section),
        None => {
            section.ignore(SOCKET_KEYS);
            section.ignore(SERIAL_KEYS);
            None
        }
    };
    let turnaround_ms = match kind {
        // Frames on TCP are told apart by their header: there is no silence to keep.
        Some(Kind::Tcp) => None,
        Some(Kind::RtuOverTcp | Kind::Rtu) | None => section.whole("turnaround_ms", 0..=1000),
    };
    let converter_baud = match kind {
        Some(Kind::RtuOverTcp) => section.whole("baud", BAUD_RANGE).map(|at| at.value as u32),
        Some(Kind::Tcp | Kind::Rtu) | None => None,
    };
    let network_ms = match kind {
        Some(Kind::Tcp | Kind::RtuOverTcp) => section.number_in("exchange_ms", 0.01..=1000.0),
        Some(Kind::Rtu) | None => None,
    };
    Some(Bus {
        id: id?,
        link: link?,
        timeout_ms,
        network_us: network_ms.map_or(NETWORK_US, |at| (at.value * 1000.0).round() as u32),
        converter_baud: converter_baud.unwrap_or(BAUD),
        turnaround_ms: turnaround_ms.map_or(0, |at| at.value as u32),
    })
}

fn socket(section: &Section<'_, '_>) -> Option<(String, u16)> {
    let address = section.need_text("address")?;
    host_port(section, &address)
}

fn rtu(section: &Section<'_, '_>) -> Option<Link> {
    let path = section.need_text("path");
    path.iter().for_each(|path| warn_of_number(section, path));
    let baud = section
        .whole("baud", BAUD_RANGE)
        .map_or(BAUD, |at| at.value as u32);
    let parity = section.one_of(
        "parity",
        &[
            ("none", Parity::None),
            ("even", Parity::Even),
            ("odd", Parity::Odd),
        ],
    );
    let stop_bits = section
        .whole("stop_bits", 1..=2)
        .map_or(1, |at| at.value as u8);
    Some(Link::Rtu {
        path: path?.value.into(),
        baud,
        parity: parity.map_or(Parity::None, |at| at.value),
        stop_bits,
    })
}

/// The kernel numbers plugged adapters in the order in which it finds them.
fn warn_of_number(section: &Section<'_, '_>, path: &At<String>) {
    let port = path.value.strip_prefix("/dev/").unwrap_or_default();
    if !["ttyUSB", "ttyACM"]
        .iter()
        .any(|kind| port.starts_with(kind))
    {
        return;
    }
    let stable =
        (STABLE.iter()).find_map(|folder| stable_name(path.value.as_ref(), folder.as_ref()));
    let mut args = vec![
        ("value", path.value.as_str().into()),
        ("how", stable.as_ref().map_or("unknown", |_| "known").into()),
    ];
    args.extend(stable.map(|name| ("stable", name.display().to_string().into())));
    section.at(path, Code::UnstablePort, args);
}

/// Where the system keeps names of ports that stay: by the adapter's own number, and for those without one by the socket.
const STABLE: [&str; 2] = ["/dev/serial/by-id", "/dev/serial/by-path"];

/// The name in `folder` that means this port; the first of several.
fn stable_name(port: &Path, folder: &Path) -> Option<PathBuf> {
    let port = port.canonicalize().ok()?;
    let names = std::fs::read_dir(folder).ok()?.flatten();
    let same = |name: &PathBuf| name.canonicalize().is_ok_and(|real| real == port);
    names.map(|entry| entry.path()).filter(same).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_by_its_stable_name_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other, folder] =
            ["ttyUSB0", "ttyUSB1", "by-id"].map(|name| dir.path().join(name));
        std::fs::write(&one, "").unwrap();
        std::fs::write(&other, "").unwrap();
        assert_eq!(stable_name(&one, &folder), None);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(stable_name(&one, &folder), None);
        let name = folder.join("usb-FTDI-if00-port0");
        std::os::unix::fs::symlink("../ttyUSB0", &name).unwrap();
        assert_eq!(stable_name(&one, &folder), Some(name));
        assert_eq!(stable_name(&other, &folder), None);
    }
}
