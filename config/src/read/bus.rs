//! Buses and the devices on them.

use super::{Names, id, name, resolve, split_address, unique};
use crate::problem::Code;
use crate::profile::{self, Choice, ORDERS, Profile};
use crate::section::Section;
use crate::site::{Alarm, AlarmIndex, Bus, BusIndex, Device, DeviceIndex, Link, Parity, Subject};
use davy_alarm::{Condition, Definition, Priority};
use std::collections::HashMap;
use std::path::Path;

pub(super) fn buses(root: &Section<'_, '_>) -> Vec<Bus> {
    unique(root, "bus");
    let mut links: Vec<(Link, String)> = Vec::new();
    let mut buses = Vec::new();
    for section in root.sections("bus") {
        let Some(bus) = bus(&section) else {
            section.finish();
            continue;
        };
        if let Some((_, first)) = links.iter().find(|(link, _)| same_wire(link, &bus.link)) {
            section.problem(Code::SameLink, vec![("first", first.clone())]);
        }
        links.push((bus.link.clone(), bus.id.clone()));
        buses.push(bus);
        section.finish();
    }
    buses
}

/// Two tasks on one wire would talk over each other.
fn same_wire(one: &Link, other: &Link) -> bool {
    match (one, other) {
        (Link::Rtu { path: one, .. }, Link::Rtu { path: other, .. }) => one == other,
        _ => one == other,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    RtuOverTcp,
    Rtu,
}

fn bus(section: &Section<'_, '_>) -> Option<Bus> {
    let id = id(section);
    let kind = section.need_one_of(
        "kind",
        &[
            ("tcp", Kind::Tcp),
            ("rtu-over-tcp", Kind::RtuOverTcp),
            ("rtu", Kind::Rtu),
        ],
    );
    let timeout_ms = section
        .whole("timeout_ms", 10..=10_000)
        .map_or(500, |at| at.value as u32);
    let turnaround_ms = section
        .whole("turnaround_ms", 0..=1000)
        .map_or(0, |at| at.value as u32);
    let link = match kind?.value {
        Kind::Tcp => {
            let (host, port) = section
                .need_text("address")
                .and_then(|at| split_address(section, &at))?;
            Link::Tcp { host, port }
        }
        Kind::RtuOverTcp => {
            let (host, port) = section
                .need_text("address")
                .and_then(|at| split_address(section, &at))?;
            Link::RtuOverTcp { host, port }
        }
        Kind::Rtu => rtu(section)?,
    };
    Some(Bus {
        id: id?,
        link,
        timeout_ms,
        turnaround_ms,
    })
}

fn rtu(section: &Section<'_, '_>) -> Option<Link> {
    let path = section.need_text("path");
    let baud = section
        .whole("baud", 300..=1_000_000)
        .map_or(9600, |at| at.value as u32);
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

/// The devices, and the alarm of each one's silence by the device's position.
pub(super) fn devices(
    root: &Section<'_, '_>,
    names: &mut Names,
    buses: &[Bus],
    base: &Path,
) -> (Vec<Device>, Vec<(usize, Alarm)>) {
    unique(root, "device");
    let (mut devices, mut comms, mut units) = (Vec::new(), Vec::new(), HashMap::new());
    for section in root.sections("device") {
        let profile = load_profile(&section, base);
        let device = device(&section, names, buses, profile.as_ref());
        let delay = comms_definition(&section);
        let Some(device) = device else {
            section.finish();
            continue;
        };
        if let Some(first) = units.insert((device.bus, device.unit), device.id.clone()) {
            section.problem(
                Code::SameUnit,
                vec![("unit", device.unit.to_string()), ("first", first)],
            );
        }
        let subject = Subject::Device(DeviceIndex(devices.len()));
        comms.push((
            devices.len(),
            Alarm {
                id: format!("{}.COMMS", device.id),
                subject,
                definition: delay,
                guidance: None,
                source: "built in".into(),
            },
        ));
        devices.push(device);
        names.profiles.push(profile);
        section.finish();
    }
    (devices, comms)
}

fn device(
    section: &Section<'_, '_>,
    names: &Names,
    buses: &[Bus],
    profile: Option<&Profile>,
) -> Option<Device> {
    let id = id(section);
    let name = name(section);
    let bus = section
        .need_text("bus")
        .and_then(|at| resolve(section, &at, &names.buses));
    let tcp = bus
        .and_then(|bus| buses.get(bus))
        .is_some_and(|bus| matches!(bus.link, Link::Tcp { .. }));
    let unit = section.need_whole("unit", if tcp { 0..=255 } else { 1..=247 });
    let period_ms = section
        .whole("period_ms", 50..=3_600_000)
        .map_or(1000, |at| at.value as u32);
    Some(Device {
        id: id?,
        name: name?,
        bus: BusIndex(bus?),
        unit: unit?.value as u8,
        period_ms,
        max_block: profile.map_or(125, |profile| profile.max_block),
        max_gap: profile.map_or(0, |profile| profile.max_gap),
        max_bits: profile.map_or(2000, |profile| profile.max_bits),
        comms_alarm: AlarmIndex(0),
    })
}

/// The profile by `profile` or `profile_file`; a device may have none, when its points name registers themselves.
fn load_profile(section: &Section<'_, '_>, base: &Path) -> Option<Profile> {
    let choice = section
        .section("registers")
        .map_or_else(Choice::default, |registers| {
            let base = registers
                .whole("base", 0..=65_535)
                .map(|at| at.value as u16);
            let order = registers.one_of("order", ORDERS).map(|at| at.value);
            registers.finish();
            Choice { base, order }
        });
    let (name, file) = (section.text("profile"), section.text("profile_file"));
    let (at, label, text) = match (name, file) {
        (Some(name), _) => match profile::embedded(&name.value) {
            Ok(text) => (name.clone(), name.value, text.to_owned()),
            Err(near) => {
                section.at(
                    &name,
                    Code::UnknownName,
                    vec![("value", name.value.clone()), ("near", near)],
                );
                return None;
            }
        },
        (None, Some(file)) => {
            let path = base.join(&file.value);
            match std::fs::read_to_string(&path) {
                Ok(text) => (file, path.display().to_string(), text),
                Err(error) => {
                    section.at(
                        &file,
                        Code::Unreadable,
                        vec![("error", format!("{}: {error}", path.display()))],
                    );
                    return None;
                }
            }
        }
        (None, None) => return None,
    };
    match profile::parse(&label, &text, choice) {
        Ok(profile) => Some(profile),
        Err(problems) => {
            section.sink.add_all(problems);
            section.at(&at, Code::Unreadable, vec![("error", label)]);
            None
        }
    }
}

/// `[device.comms]`: how long a unit may be silent, and how bad that is.
fn comms_definition(section: &Section<'_, '_>) -> Definition {
    let own = section.section("comms");
    let (on, off, priority) = own.map_or((None, None, None), |comms| {
        let on = comms.number("on_delay_s").map(|at| at.value);
        let off = comms.number("off_delay_s").map(|at| at.value);
        let priority = super::alarm::priority(&comms);
        comms.finish();
        (on, off, priority)
    });
    let ms = |seconds: f64| (seconds.clamp(0.0, 3600.0) * 1000.0) as u32;
    Definition {
        condition: Condition::CommsLost,
        priority: priority.unwrap_or(Priority::P3),
        on_delay_ms: ms(on.unwrap_or(4.0)),
        off_delay_ms: ms(off.unwrap_or(0.0)),
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 480,
        remote_reset: false,
    }
}
