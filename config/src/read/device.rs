//! Devices, their profiles, and the alarm of each one's silence.

use super::alarm::Alarms;
use super::limits::priority;
use super::names::{Names, Profiled, id, list, name, reference, text};
use super::output::Read as OutputRead;
use super::proving::Intervals;
use super::{UNSET, defaults, preset};
use crate::problem::{Code, Word};
use crate::profile::{self, ANSWER_MS, Choice, ORDERS, Profile};
use crate::section::{At, Section};
use crate::site::{
    Alarm, AlarmIndex, Bus, BusIndex, Device, DeviceIndex, Input, Link, Point, SHORTEST_PERIOD_MS,
    Subject, Text,
};
use davy_alarm::{Condition, Definition, Priority};
use std::collections::HashMap;
use std::path::Path;

/// A device as read, with what is settled once its points are known.
pub(super) struct Read {
    pub(super) device: Device,
    comms: Comms,
    here: At<()>,
}

/// `[device.comms]`: how long a unit may be silent, and how bad that is.
#[derive(Default)]
struct Comms {
    on_delay_ms: Option<u32>,
    off_delay_ms: Option<u32>,
    priority: Option<Priority>,
    guidance: Option<Text>,
}

pub(super) fn devices(
    root: &Section<'_, '_>,
    names: &mut Names,
    buses: &[Bus],
    base: &Path,
) -> Vec<Read> {
    let mut units: HashMap<(BusIndex, u8), String> = HashMap::new();
    let (mut profiles, mut intervals) = (Vec::new(), Vec::new());
    let (devices, index) = list(root, "device", |section| {
        let profile = profile(section, base);
        let device = device(section, names, buses, &profile);
        let comms = section
            .section("comms")
            .map_or_else(Comms::default, comms_keys);
        let proved = Intervals::read(section);
        let device = device?;
        let unit = (device.bus, device.unit);
        if let Some(first) = units.insert(unit, device.id.clone()) {
            let args = vec![
                ("unit", u32::from(device.unit).into()),
                ("first", first.into()),
            ];
            section.problem(Code::SameUnit, args);
        }
        profiles.push(profile);
        intervals.push(proved);
        Some(Read {
            device,
            comms,
            here: section.here(),
        })
    });
    names.devices = index;
    names.profiles = profiles;
    names.intervals = intervals;
    devices
}

fn device(
    section: &Section<'_, '_>,
    names: &Names,
    buses: &[Bus],
    profile: &Profiled,
) -> Option<Device> {
    let id = id(section);
    let name = name(section);
    let bus = reference(section, "bus", &names.buses);
    let serial = bus
        .and_then(|bus| buses.get(bus))
        .is_some_and(|bus| !matches!(bus.link, Link::Tcp { .. }));
    // Unit 0 is a broadcast on a serial line; behind TCP 0 and 255 mean the server itself.
    let unit = section.need_whole("unit", if serial { 1..=247 } else { 0..=255 });
    let period_ms = section
        .whole("period_ms", SHORTEST_PERIOD_MS.into()..=3_600_000)
        .map_or(1000, |at| at.value as u32);
    let answer_ms = section.whole("answer_ms", ANSWER_MS);
    let (max_block, max_gap, max_bits, usual_ms, is_node) = match profile {
        Profiled::Known(profile) => (
            profile.max_block,
            profile.max_gap,
            profile.max_bits,
            profile.answer_ms,
            profile.is_node,
        ),
        Profiled::Broken | Profiled::Without => (125, 0, 2000, 0, false),
    };
    // What a manual says and what was measured here: neither is a promise to be faster than the other.
    let thinks_ms = (answer_ms.as_ref()).map_or(usual_ms, |at| usual_ms.max(at.value as u32));
    let waits_ms = bus.and_then(|bus| buses.get(bus)).map(|bus| bus.timeout_ms);
    if let Some(waits_ms) = waits_ms.filter(|waits_ms| thinks_ms >= *waits_ms) {
        let args = vec![("answer", thinks_ms.into()), ("timeout", waits_ms.into())];
        section.at_or_here(answer_ms.as_ref(), Code::AnswerTooLate, args);
    }
    Some(Device {
        id: id?,
        name: name?,
        bus: BusIndex(bus?),
        unit: unit?.value as u8,
        period_ms,
        max_block,
        max_gap,
        max_bits,
        answer_ms: thinks_ms,
        is_node,
        comms_alarm: UNSET,
    })
}

/// The profile by `profile` or `profile_file`; a device may have none, when its points name registers themselves.
fn profile(section: &Section<'_, '_>, base: &Path) -> Profiled {
    let choice = section
        .section("registers")
        .map_or_else(Choice::default, choice);
    let (name, file) = (section.text("profile"), section.text("profile_file"));
    if let (Some(_), Some(file)) = (&name, &file) {
        section.exclusive("profile", file);
    }
    section.offers("profile", profile::names());
    let named = match (name, file) {
        (Some(name), _) => embedded(section, &name).map(|text| (name.value.clone(), text, name)),
        (None, Some(file)) => {
            profile_file(section, &file, base).map(|(path, text)| (path, text, file))
        }
        (None, None) if section.has("profile") || section.has("profile_file") => None,
        (None, None) => {
            offered(section, &choice, profile::Offer::default());
            return Profiled::Without;
        }
    };
    named
        .and_then(|(label, text, at)| parsed(section, &label, &text, &at, &choice))
        .map_or(Profiled::Broken, Profiled::Known)
}

fn choice(section: Section<'_, '_>) -> Choice {
    let base = section.whole("base", 0..=65_535);
    let order = section.one_of("order", ORDERS);
    section.finish();
    Choice {
        base: base.map(|at| at.with(at.value as u16)),
        order,
    }
}

fn embedded(section: &Section<'_, '_>, name: &At<String>) -> Option<String> {
    let text = profile::embedded(&name.value);
    if text.is_none() {
        section.unknown(name, Code::UnknownName, profile::names());
    }
    text.map(str::to_owned)
}

fn profile_file(
    section: &Section<'_, '_>,
    file: &At<String>,
    base: &Path,
) -> Option<(String, String)> {
    let path = base.join(&file.value);
    match crate::file::read(&path, profile::FILE_BYTES_MAX) {
        Ok(text) => Some((path.display().to_string(), text)),
        Err(refusal) => {
            section.at(file, refusal.code, refusal.args);
            None
        }
    }
}

fn parsed(
    section: &Section<'_, '_>,
    label: &str,
    text: &str,
    at: &At<String>,
    choice: &Choice,
) -> Option<Profile> {
    match profile::parse(label, text, choice) {
        Ok((profile, offer)) => {
            offered(section, choice, offer);
            Some(profile)
        }
        Err(problems) => {
            section.at(at, Code::BadProfile, vec![("value", label.into())]);
            section.sink.add_all(problems);
            None
        }
    }
}

/// A choice that the profile does not leave to the site would move registers that its manual fixes.
fn offered(section: &Section<'_, '_>, choice: &Choice, offer: profile::Offer) {
    if let Some(base) = choice.base.as_ref().filter(|_| !offer.base) {
        section.at(base, Code::NotOffered, vec![("name", "base".into())]);
    }
    if let Some(order) = choice.order.as_ref().filter(|_| !offer.order) {
        section.at(order, Code::NotOffered, vec![("name", "order".into())]);
    }
}

fn comms_keys(section: Section<'_, '_>) -> Comms {
    let delay = |key| {
        section
            .seconds(key, 0.0..=defaults::FAULT_DELAY_MAX_S)
            .map(|at| at.value)
    };
    let comms = Comms {
        on_delay_ms: delay("on_delay_s"),
        off_delay_ms: delay("off_delay_s"),
        priority: priority(&section),
        guidance: section.section("guidance").and_then(text),
    };
    section.finish();
    comms
}

/// Gives every device its `COMMS` alarm, ranked by what it blinds.
pub(super) fn comms(devices: &mut [Read], points: &[Point], alarms: &mut Alarms) {
    for (position, read) in devices.iter_mut().enumerate() {
        let device = DeviceIndex(position);
        let blinds_gas = points
            .iter()
            .any(|point| point.device == device && point.kind.is_gas());
        let given = std::mem::take(&mut read.comms);
        let alarm = Alarm {
            id: format!("{}.COMMS", read.device.id),
            subject: Subject::Device(device),
            input: Input::Value,
            definition: definition(&given, blinds_gas),
            guidance: given.guidance.map(Box::new),
            response_ms: None,
            source: preset::built_in(),
        };
        read.device.comms_alarm = AlarmIndex(alarms.list.len());
        alarms.push(alarm);
    }
}

fn definition(given: &Comms, blinds_gas: bool) -> Definition {
    Definition {
        condition: Condition::CommsLost,
        priority: given
            .priority
            .unwrap_or(defaults::fault_priority(blinds_gas)),
        on_delay_ms: given.on_delay_ms.unwrap_or(defaults::FAULT_DELAY_MS),
        off_delay_ms: given.off_delay_ms.unwrap_or(0),
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: defaults::SHELVE_MAX_MINUTES,
        remote_reset: false,
    }
}

/// A device that nothing is read from or written to is never polled, so not even its silence is seen.
pub(super) fn idle(
    root: &Section<'_, '_>,
    names: &Names,
    devices: &[Read],
    points: &[Point],
    outputs: &[OutputRead],
) {
    if !root.has("point") {
        root.missing("point", Word::TableList);
        return;
    }
    let mut read = names.points.values().chain(names.outputs.values());
    if read.any(Option::is_none) {
        // What could not be read may be what uses the device.
        return;
    }
    for (position, read) in devices.iter().enumerate() {
        let device = DeviceIndex(position);
        let used = points.iter().any(|point| point.device == device)
            || outputs.iter().any(|read| read.output.device == device);
        if !used {
            let args = vec![("value", read.device.id.as_str().into())];
            root.at(&read.here, Code::IdleDevice, args);
        }
    }
}
