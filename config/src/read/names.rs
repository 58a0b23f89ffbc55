//! Ids, names in both languages, and what refers to what.

use super::proving::{Intervals, OfSite};
use crate::preset::Presets;
use crate::problem::Code;
use crate::profile::Profile;
use crate::section::{At, Section};
use crate::site::Text;
use std::collections::HashMap;

/// Id → position; `None` for what stands in the file but has problems of its own, so that whatever refers to it is not wrong on top.
pub(super) type Index = HashMap<String, Option<usize>>;

/// What later parts of the file refer to.
pub(super) struct Names {
    pub(super) areas: Index,
    pub(super) buses: Index,
    pub(super) devices: Index,
    pub(super) points: Index,
    pub(super) outputs: Index,
    pub(super) votes: Index,
    pub(super) manuals: Index,
    /// By device.
    pub(super) profiles: Vec<Profiled>,
    pub(super) presets: &'static Presets,
    pub(super) signed_off: bool,
    pub(super) proving: OfSite,
    /// By device: how often its points are proved.
    pub(super) intervals: Vec<Intervals>,
}

/// A device's profile, or why there is none.
pub(super) enum Profiled {
    Known(Profile),
    /// Named, and has problems of its own.
    Broken,
    /// None named: points name registers themselves.
    Without,
}

impl Names {
    pub(super) fn new(signed_off: bool, proving: OfSite) -> Self {
        Self {
            areas: Index::new(),
            buses: Index::new(),
            devices: Index::new(),
            points: Index::new(),
            outputs: Index::new(),
            votes: Index::new(),
            manuals: Index::new(),
            profiles: Vec::new(),
            presets: Presets::embedded(),
            signed_off,
            proving,
            intervals: Vec::new(),
        }
    }
}

/// Reads a list of tables, each with an id of its own; those that cannot be read are left out and remembered by name.
pub(super) fn list<'s, 't, T>(
    root: &Section<'s, 't>,
    key: &'static str,
    mut read: impl FnMut(&Section<'s, 't>) -> Option<T>,
) -> (Vec<T>, Index) {
    let (mut items, mut index) = (Vec::new(), Index::new());
    let mut seen: HashMap<String, String> = HashMap::new();
    for section in root.sections(key) {
        let id = section.text("id");
        let item = read(&section);
        section.finish();
        let position = item.map(|item| {
            items.push(item);
            items.len() - 1
        });
        let Some(id) = id else { continue };
        if let Some(first) = seen.insert(id.value.clone(), id.key.clone()) {
            let args = vec![("value", id.value.as_str().into()), ("first", first.into())];
            root.at(&id, Code::DuplicateId, args);
        }
        index.entry(id.value).or_insert(position);
    }
    (items, index)
}

/// The section's `id`: letters, digits, `-` and `_`, so that it can stand in a topic, a file name and an address.
pub(super) fn id(section: &Section<'_, '_>) -> Option<String> {
    good_id(section, section.need_text("id")?)
}

pub(super) fn good_id(section: &Section<'_, '_>, id: At<String>) -> Option<String> {
    let good = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if !id.value.is_empty() && id.value.len() <= 64 && id.value.chars().all(good) {
        return Some(id.value);
    }
    section.at(&id, Code::BadId, vec![("value", id.value.as_str().into())]);
    None
}

/// The section's `name`, in both languages.
pub(super) fn name(section: &Section<'_, '_>) -> Option<Text> {
    section.need_section("name").and_then(text)
}

/// `{ zh = …, en = … }`, neither of them empty.
pub(super) fn text(section: Section<'_, '_>) -> Option<Text> {
    let zh = section.need_text("zh");
    let en = section.need_text("en");
    section.finish();
    Some(Text {
        zh: zh?.value,
        en: en?.value,
    })
}

/// The position of what a key names; a problem with the nearest name if nothing has it.
pub(super) fn resolve(section: &Section<'_, '_>, at: &At<String>, index: &Index) -> Option<usize> {
    match index.get(&at.value) {
        Some(position) => *position,
        None => {
            section.unknown(at, Code::UnknownReference, index.keys().map(String::as_str));
            None
        }
    }
}

/// Whether an alarm's id names something that has problems of its own, so that it is no problem on top that the alarm is not there.
pub(super) fn subject_is_broken(names: &Names, alarm: &str) -> bool {
    let subject = alarm.rsplit_once('.').map_or(alarm, |(subject, _)| subject);
    let known = [
        &names.points,
        &names.devices,
        &names.votes,
        &names.outputs,
        &names.manuals,
    ];
    known.iter().any(|index| index.get(subject) == Some(&None))
}

/// The position of what the key `key` of this section names.
pub(super) fn reference(
    section: &Section<'_, '_>,
    key: &'static str,
    index: &Index,
) -> Option<usize> {
    resolve(section, &section.need_text(key)?, index)
}

/// `host:port`; an IPv6 address stands in brackets.
pub(super) fn host_port(section: &Section<'_, '_>, at: &At<String>) -> Option<(String, u16)> {
    let split = || {
        let (host, port) = at.value.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let good = !host.is_empty() && !host.contains(char::is_whitespace);
        (good && (bare.is_some() || !host.contains(':'))).then(|| (host.to_owned(), port))
    };
    let found = split();
    if found.is_none() {
        section.at(at, Code::Address, vec![("value", at.value.as_str().into())]);
    }
    found
}
