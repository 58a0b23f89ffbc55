//! Outputs: what a cause can switch.

use super::names::{Names, id, list, name, reference};
use super::source;
use crate::problem::Code;
use crate::profile::{Signal, Write};
use crate::section::{At, Section};
use crate::site::{DeviceIndex, Output, OutputKind, Table};
use std::collections::HashMap;

/// An output as read, and where it stands.
pub(super) struct Read {
    pub(super) output: Output,
    pub(super) here: At<()>,
}

const KINDS: &[(&str, OutputKind)] = &{
    let mut kinds = [("", OutputKind::Horn); OutputKind::ALL.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = (OutputKind::ALL[at].name(), OutputKind::ALL[at]);
        at += 1;
    }
    kinds
};

pub(super) fn outputs(root: &Section<'_, '_>, names: &mut Names) -> Vec<Read> {
    let mut driven: HashMap<(DeviceIndex, Table, u16), String> = HashMap::new();
    let (outputs, index) = list(root, "output", |section| {
        let output = output(section, names)?;
        let place = (
            output.device,
            output.register.table,
            output.register.address,
        );
        if let Some(first) = driven.insert(place, output.id.clone()) {
            section.problem(Code::SameOutput, vec![("first", first.into())]);
        }
        Some(Read {
            output,
            here: section.here(),
        })
    });
    names.outputs = index;
    outputs
}

fn output(section: &Section<'_, '_>, names: &Names) -> Option<Output> {
    let id = id(section);
    let name = name(section);
    let area = reference(section, "area", &names.areas);
    let kind = section.need_one_of("kind", KINDS).map(|at| at.value);
    let device = reference(section, "device", &names.devices);
    let signal = section.need_text("signal");
    let latching = section.flag("latching").is_some_and(|at| at.value);
    let min_run = section.seconds("min_run_s", 0.0..=86_400.0);
    let (device, signal) = (device?, signal?);
    let found = source::find(section, names, device, &signal)?;
    let write = writable(section, names, device, &signal, found)?;
    Some(Output {
        id: id?,
        name: name?,
        area: area?,
        kind: kind?,
        device: DeviceIndex(device),
        register: found.register,
        on: write.on,
        off: write.off,
        write_multiple: write.multiple,
        latching,
        min_run_ms: min_run.map_or(0, |at| at.value),
    })
}

fn writable(
    section: &Section<'_, '_>,
    names: &Names,
    device: usize,
    at: &At<String>,
    signal: &Signal,
) -> Option<Write> {
    if signal.write.is_none() {
        let known = match &names.profiles[device] {
            super::names::Profiled::Known(profile) => profile.signals.as_slice(),
            super::names::Profiled::Broken | super::names::Profiled::Without => &[],
        };
        let writable = known.iter().filter(|signal| signal.write.is_some());
        section.unknown(
            at,
            Code::NotWritable,
            writable.map(|signal| signal.id.as_str()),
        );
    }
    signal.write
}
