//! From sections to a resolved site, in the order of the file. Whatever can be read is read, so that one run names every problem; what only follows
//! from a problem that is already named stays silent.

mod alarm;
mod arming;
mod bus;
mod defaults;
mod derived;
mod device;
mod effect;
mod head;
mod limits;
mod manual;
mod names;
mod output;
mod point;
mod preset;
mod proving;
mod source;
mod suppress;
mod vote;

use crate::problem::Code;
use crate::section::Section;
use crate::site::{AlarmIndex, Journal, Site};
use crate::today::Today;
use names::Names;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::Path;

/// The version of the format that this Davy reads.
const SCHEMA: i64 = 1;

/// Reads the whole file; `None` if a part without which there is no site is missing.
pub(crate) fn site(root: Section<'_, '_>, text: &str, base: &Path, today: Today) -> Option<Site> {
    let schema = root.need_whole("schema", 0..=i64::MAX);
    if let Some(schema) = schema.filter(|schema| schema.value != SCHEMA) {
        let args = vec![("value", schema.value.into()), ("known", SCHEMA.into())];
        root.at(&schema, Code::Schema, args);
        // Another version means other keys: all else would be noise.
        return None;
    }
    let identity = root
        .need_section("site")
        .and_then(|section| head::identity(section, today));
    let http = root
        .section("screen")
        .map_or(Some(DEFAULT_SCREEN), head::screen);
    let uplink = root
        .section("uplink")
        .map_or(Some(None), |section| head::uplink(section, base).map(Some));
    let journal = root
        .section("journal")
        .map_or(Some(DEFAULT_JOURNAL), head::journal);
    let signed_off = identity
        .as_ref()
        .is_some_and(|identity| identity.signed_off);
    let proving = root
        .section("proving")
        .map_or_else(proving::OfSite::default, proving::OfSite::read);
    let mut names = Names::new(signed_off, proving);
    let (people, _) = names::list(&root, "person", head::person);
    let (areas, index) = names::list(&root, "area", head::area);
    names.areas = index;
    let (buses, index) = bus::buses(&root);
    names.buses = index;
    let mut devices = device::devices(&root, &mut names, &buses, base);
    let mut alarms = alarm::Alarms::default();
    let mut points = point::points(&root, &mut names, &devices, &mut alarms);
    device::comms(&mut devices, &points, &mut alarms);
    let mut outputs = output::outputs(&root, &mut names, &points, &mut alarms);
    let votes = vote::votes(&root, &mut names, &points, &mut alarms);
    let manuals = manual::manuals(&root, &mut names, &mut alarms);
    proving::arm(&names, &mut points, &mut outputs, &mut alarms);
    let mut suppressions = suppress::suppressions(&root, &names, &points, &alarms);
    suppressions.extend(arming::rule(
        &alarms.list,
        &points,
        &devices,
        &outputs,
        &votes,
    ));
    let effects = effect::effects(&root, &names, &alarms, &outputs);
    manual::idle(&root, &manuals, &effects);
    device::idle(&root, &names, &devices, &points, &outputs);
    root.finish();
    let identity = identity?;
    Some(Site {
        id: identity.id,
        name: identity.name,
        http: http?,
        uplink: uplink?,
        journal: journal?,
        people,
        areas,
        buses,
        devices: devices.into_iter().map(|read| read.device).collect(),
        points,
        alarms: alarms.list,
        outputs: outputs.into_iter().map(|read| read.output).collect(),
        effects,
        votes,
        manuals: manuals.into_iter().map(|read| read.manual).collect(),
        suppressions,
        digest: digest(text),
    })
}

const DEFAULT_SCREEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

const DEFAULT_JOURNAL: Journal = Journal {
    max_bytes: 512 << 20,
    alarm_reserve_bytes: 64 << 20,
};

/// SHA-256 of a site file's text, hexadecimal: [`site::Site::digest`](crate::site::Site::digest).
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An alarm's position before it has one.
const UNSET: AlarmIndex = AlarmIndex(usize::MAX);
