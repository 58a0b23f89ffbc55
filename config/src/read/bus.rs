//! Buses: one wire each.

use super::names::{Index, host_port, id, list};
use crate::problem::Code;
use crate::section::Section;
use crate::site::{Bus, Link, Parity};
use std::ops::RangeInclusive;

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
