//! Outputs: what a cause can switch.

use super::UNSET;
use super::alarm::Alarms;
use super::arming;
use super::derived::Derived;
use super::limits::priority;
use super::names::{Names, id, list, name, reference, text};
use super::{proving, source};
use crate::problem::Code;
use crate::profile::{Signal, Write};
use crate::section::{At, Section};
use crate::site::{
    AlarmIndex, DeviceIndex, FailSafe, Feedback, Output, OutputIndex, OutputKind, Point,
    PointIndex, PointKind, Subject, Table,
};
use davy_alarm::{Condition, Priority};
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

const FAIL_SAFE: &[(&str, FailSafe)] = &{
    let mut states = [("", FailSafe::On); FailSafe::ALL.len()];
    let mut at = 0;
    while at < states.len() {
        states[at] = (FailSafe::ALL[at].name(), FailSafe::ALL[at]);
        at += 1;
    }
    states
};

/// How long an output may take to do what is demanded, milliseconds, unless the file says.
const FEEDBACK_MS: u32 = 10_000;

/// Reads every output, and adds each one's `FAILED`.
pub(super) fn outputs(
    root: &Section<'_, '_>,
    names: &mut Names,
    points: &[Point],
    alarms: &mut Alarms,
) -> Vec<Read> {
    let mut position = 0;
    let mut driven: HashMap<(DeviceIndex, Table, u16), String> = HashMap::new();
    let (outputs, index) = list(root, "output", |section| {
        let output = output(section, names);
        let own = section.section("feedback");
        let output = output.map(|mut output| {
            let subject = Subject::Output(OutputIndex(position));
            position += 1;
            output.failed = AlarmIndex(alarms.list.len());
            let derived = Derived {
                condition: Condition::OutputFailed,
                priority: Priority::P2,
                on_delay_ms: FEEDBACK_MS,
                latching: false,
                gas_level_2: false,
                fault: true,
            };
            let mut failed = derived.alarm(&output.id, subject, None);
            if let Some(own) = &own {
                output.feedback = feedback(own, names, points, &mut failed);
            }
            alarms.push(failed);
            output
        });
        if let Some(own) = own.filter(|_| output.is_some()) {
            own.finish();
        }
        let output = output?;
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
    let fail_safe = section.one_of("fail_safe", FAIL_SAFE);
    let arming = arming::read(section, id.as_deref());
    let proving = proving::of_output(section, names);
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
        fail_safe: fail_safe.map(|at| at.value),
        feedback: None,
        failed: UNSET,
        armed: arming.armed,
        unproved: arming.unproved,
        proving,
    })
}

/// `[output.feedback]`: the point that shows what the output does, and how long it may take to.
fn feedback(
    section: &Section<'_, '_>,
    names: &Names,
    points: &[Point],
    failed: &mut crate::site::Alarm,
) -> Option<Feedback> {
    let definition = &mut failed.definition;
    // Never 0: a register cannot be read back in the instant of its demand.
    if let Some(at) = section.seconds("timeout_s", 0.5..=3600.0) {
        definition.on_delay_ms = at.value;
    }
    definition.priority = priority(section).unwrap_or(definition.priority);
    failed.guidance = section.section("guidance").and_then(text).map(Box::new);
    let when = section.flag("when").is_none_or(|at| at.value);
    let at = section.text("point")?;
    let point = super::names::resolve(section, &at, &names.points)?;
    if points[point].kind != PointKind::Discrete {
        let args = vec![
            ("value", at.value.as_str().into()),
            ("found", points[point].kind.name().into()),
        ];
        section.at(&at, Code::NotDiscrete, args);
        return None;
    }
    Some(Feedback {
        point: PointIndex(point),
        when,
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
