//! From sections to a resolved site, in the order of the file. Whatever can be read is read, so that one run names every problem.

mod alarm;
mod bus;
mod effect;
mod point;

use crate::preset::Presets;
use crate::problem::Code;
use crate::profile::Profile;
use crate::section::{At, Section};
use crate::site::{self, Area, Journal, Person, Role, Site, Text, Uplink};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

/// The version of the format that this Davy reads.
const SCHEMA: i64 = 1;

/// What later parts of the file refer to.
struct Names {
    areas: HashMap<String, usize>,
    buses: HashMap<String, usize>,
    devices: HashMap<String, usize>,
    profiles: Vec<Option<Profile>>,
    presets: Presets,
    signed_off: bool,
}

/// Reads the whole file; `None` if a part without which there is no site is missing.
pub(crate) fn site(root: Section<'_, '_>, text: &str, base: &Path) -> Option<Site> {
    if let Some(schema) = root.need_whole("schema", 0..=i64::MAX)
        && schema.value != SCHEMA
    {
        root.at(
            &schema,
            Code::Schema,
            vec![
                ("value", schema.value.to_string()),
                ("known", SCHEMA.to_string()),
            ],
        );
    }
    let identity = root.need_section("site").and_then(identity);
    let http = root
        .section("screen")
        .map_or(Some(SocketAddr::from(([127, 0, 0, 1], 8080))), screen);
    let uplink = root.section("uplink").map(|section| uplink(section, base));
    let journal = root.section("journal").map_or(
        Some(Journal {
            max_bytes: 512 << 20,
            alarm_reserve_bytes: 64 << 20,
        }),
        journal,
    );
    let people = root
        .sections("person")
        .into_iter()
        .filter_map(person)
        .collect();
    let areas: Vec<Area> = root.sections("area").into_iter().filter_map(area).collect();
    let buses = bus::buses(&root);
    let mut names = Names {
        areas: index(areas.iter().map(|area| &area.id)),
        buses: index(buses.iter().map(|bus| &bus.id)),
        devices: HashMap::new(),
        profiles: Vec::new(),
        presets: Presets::embedded(),
        signed_off: identity
            .as_ref()
            .is_some_and(|identity| identity.signed_off),
    };
    unique(&root, "area");
    unique(&root, "person");
    let (mut devices, comms) = bus::devices(&root, &mut names, &buses, base);
    names.devices = index(devices.iter().map(|device| &device.id));
    let mut alarms = Vec::new();
    let points = point::points(&root, &names, &devices, &mut alarms);
    for (device, comms) in comms {
        devices[device].comms_alarm = site::AlarmIndex(alarms.len());
        alarms.push(comms);
    }
    let outputs = effect::outputs(&root, &names);
    let effects = effect::effects(&root, &alarms, &outputs);
    root.finish();
    let identity = identity?;
    Some(Site {
        id: identity.id,
        name: identity.name,
        http: http?,
        uplink: uplink.map_or(Some(None), |uplink| uplink.map(Some))?,
        journal: journal?,
        people,
        areas,
        buses,
        devices,
        points,
        alarms,
        outputs,
        effects,
        digest: Sha256::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

struct Identity {
    id: String,
    name: Text,
    signed_off: bool,
}

fn identity(section: Section<'_, '_>) -> Option<Identity> {
    let id = id(&section);
    let name = name(&section);
    let signed_off = section.section("sign_off").is_some_and(|section| {
        let signed = section.need_text("by").is_some() & section.need_date("date").is_some();
        section.text("note");
        section.finish();
        signed
    });
    section.finish();
    Some(Identity {
        id: id?,
        name: name?,
        signed_off,
    })
}

fn screen(section: Section<'_, '_>) -> Option<SocketAddr> {
    let listen = section.need_text("listen");
    let address = listen.as_ref().and_then(|listen| {
        let found = listen.value.parse().ok();
        if found.is_none() {
            section.at(
                listen,
                Code::Address,
                vec![
                    ("value", listen.value.clone()),
                    ("first", "127.0.0.1:8080".into()),
                ],
            );
        }
        found
    });
    section.finish();
    address
}

fn uplink(section: Section<'_, '_>, base: &Path) -> Option<Uplink> {
    let broker = section
        .need_text("broker")
        .and_then(|broker| split_address(&section, &broker));
    let group = section
        .need_text("group")
        .and_then(|group| good_id(&section, group));
    let username = section.text("username").map(|at| at.value);
    let password_file = section.text("password_file").map(|at| base.join(at.value));
    let window = section
        .whole("window", 1..=1000)
        .map_or(32, |at| at.value as u16);
    section.finish();
    let (host, port) = broker?;
    Some(Uplink {
        host,
        port,
        group: group?,
        username,
        password_file,
        window,
    })
}

fn journal(section: Section<'_, '_>) -> Option<Journal> {
    let max = section
        .whole("max_mb", 16..=1_000_000)
        .map_or(512, |at| at.value as u64);
    let reserve = section
        .whole("alarm_reserve_mb", 1..=(max as i64 / 2))
        .map_or(max.div_ceil(8), |at| at.value as u64);
    section.finish();
    Some(Journal {
        max_bytes: max << 20,
        alarm_reserve_bytes: reserve << 20,
    })
}

fn person(section: Section<'_, '_>) -> Option<Person> {
    let id = id(&section);
    let name = section.need_text("name");
    let role = section.need_one_of(
        "role",
        &[
            ("operator", Role::Operator),
            ("maintenance", Role::Maintenance),
        ],
    );
    let pin = section.need_text("pin");
    if let Some(pin) = &pin
        && !(pin.value.starts_with("$argon2id$") && pin.value.split('$').count() == 6)
    {
        section.at(pin, Code::PinHash, vec![]);
    }
    section.finish();
    Some(Person {
        id: id?,
        name: name?.value,
        role: role?.value,
        pin_hash: pin?.value,
    })
}

fn area(section: Section<'_, '_>) -> Option<Area> {
    let id = id(&section);
    let name = name(&section);
    section.finish();
    Some(Area {
        id: id?,
        name: name?,
    })
}

/// The section's `id`: letters, digits, `-` and `_`, so that it can stand in a topic, a file name and an address.
fn id(section: &Section<'_, '_>) -> Option<String> {
    good_id(section, section.need_text("id")?)
}

fn good_id(section: &Section<'_, '_>, id: At<String>) -> Option<String> {
    let good = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if !id.value.is_empty() && id.value.len() <= 64 && id.value.chars().all(good) {
        return Some(id.value);
    }
    section.at(&id, Code::BadId, vec![("value", id.value.clone())]);
    None
}

/// The section's `name`, in both languages.
fn name(section: &Section<'_, '_>) -> Option<Text> {
    section.need_section("name").and_then(text)
}

fn text(section: Section<'_, '_>) -> Option<Text> {
    let zh = section.need_text("zh");
    let en = section.need_text("en");
    section.finish();
    Some(Text {
        zh: zh?.value,
        en: en?.value,
    })
}

/// `host:port`.
fn split_address(section: &Section<'_, '_>, at: &At<String>) -> Option<(String, u16)> {
    let split = at
        .value
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let found = split.filter(|(host, _)| !host.is_empty());
    if found.is_none() {
        section.at(
            at,
            Code::Address,
            vec![
                ("value", at.value.clone()),
                ("first", "192.168.1.20:502".into()),
            ],
        );
    }
    found
}

fn index<'n>(ids: impl Iterator<Item = &'n String>) -> HashMap<String, usize> {
    ids.enumerate()
        .map(|(position, id)| (id.clone(), position))
        .collect()
}

/// Every `id` of a list of tables is its own.
fn unique(root: &Section<'_, '_>, list: &'static str) {
    let mut seen = HashMap::new();
    for section in root.sections(list) {
        if let Some(id) = section.text("id")
            && let Some(first) = seen.insert(id.value.clone(), id.key.clone())
        {
            section.at(
                &id,
                Code::DuplicateId,
                vec![("value", id.value.clone()), ("first", first)],
            );
        }
    }
}

/// The position of what a key names, or a problem with the nearest name.
fn resolve(
    section: &Section<'_, '_>,
    at: &At<String>,
    names: &HashMap<String, usize>,
) -> Option<usize> {
    let found = names.get(&at.value).copied();
    if found.is_none() {
        let mut all: Vec<&str> = names.keys().map(String::as_str).collect();
        all.sort_unstable();
        let near = crate::section::nearest(&at.value, all.iter().copied())
            .unwrap_or_else(|| all.join(", "));
        section.at(
            at,
            Code::UnknownReference,
            vec![("value", at.value.clone()), ("near", near)],
        );
    }
    found
}
