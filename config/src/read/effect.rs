//! Outputs, and the cause-and-effect table that demands them.

use super::{Names, alarm, id, name, resolve, unique};
use crate::problem::Code;
use crate::section::Section;
use crate::site::{Alarm, AlarmIndex, DeviceIndex, Effect, Output, OutputIndex, OutputKind};
use std::collections::HashMap;

const KINDS: &[(&str, OutputKind)] = &[
    ("horn", OutputKind::Horn),
    ("siren", OutputKind::Siren),
    ("beacon", OutputKind::Beacon),
    ("fan", OutputKind::Fan),
    ("valve-request", OutputKind::ValveRequest),
    ("power-cut-request", OutputKind::PowerCutRequest),
];

pub(super) fn outputs(root: &Section<'_, '_>, names: &Names) -> Vec<Output> {
    unique(root, "output");
    let read = |section: Section<'_, '_>| {
        let output = output(&section, names);
        section.finish();
        output
    };
    root.sections("output")
        .into_iter()
        .filter_map(read)
        .collect()
}

fn output(section: &Section<'_, '_>, names: &Names) -> Option<Output> {
    let id = id(section);
    let name = name(section);
    let area = section
        .need_text("area")
        .and_then(|at| resolve(section, &at, &names.areas));
    let kind = section.need_one_of("kind", KINDS).map(|at| at.value);
    let device = section
        .need_text("device")
        .and_then(|at| resolve(section, &at, &names.devices));
    let signal = section.need_text("signal");
    let latching = section.flag("latching").is_some_and(|at| at.value);
    let min_run_ms = section
        .number("min_run_s")
        .map_or(0, |at| (at.value.clamp(0.0, 86_400.0) * 1000.0) as u32);
    let (device, signal) = (device?, signal?);
    let found = super::point::find_signal(section, names, device, &signal)?;
    let Some(write) = found.write else {
        let writable = names.profiles[device]
            .iter()
            .flat_map(|profile| &profile.signals)
            .filter(|signal| signal.write.is_some());
        let near = writable
            .map(|signal| signal.id.as_str())
            .take(8)
            .collect::<Vec<_>>()
            .join(", ");
        section.at(
            &signal,
            Code::NotWritable,
            vec![("value", signal.value.clone()), ("near", near)],
        );
        return None;
    };
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
        min_run_ms,
    })
}

pub(super) fn effects(root: &Section<'_, '_>, alarms: &[Alarm], outputs: &[Output]) -> Vec<Effect> {
    let alarm_ids: HashMap<&str, usize> = alarms
        .iter()
        .enumerate()
        .map(|(position, alarm)| (alarm.id.as_str(), position))
        .collect();
    let output_ids: HashMap<String, usize> = outputs
        .iter()
        .enumerate()
        .map(|(position, output)| (output.id.clone(), position))
        .collect();
    let mut effects = Vec::new();
    for section in root.sections("effect") {
        let mut causes = Vec::new();
        for at in section.texts("causes") {
            match alarm_ids.get(at.value.as_str()) {
                Some(position) => causes.push(AlarmIndex(*position)),
                None => section.at(
                    &at,
                    Code::UnknownReference,
                    vec![
                        ("value", at.value.clone()),
                        ("near", alarm::near(alarms, &at.value)),
                    ],
                ),
            }
        }
        let demanded = section
            .texts("outputs")
            .iter()
            .filter_map(|at| resolve(&section, at, &output_ids))
            .map(OutputIndex)
            .collect();
        for key in ["causes", "outputs"] {
            if !section.has(key) {
                section.missing(key, "list of strings");
            }
        }
        effects.push(Effect {
            causes,
            outputs: demanded,
        });
        section.finish();
    }
    idle(root, outputs, &effects);
    effects
}

/// An output that nothing demands does nothing: worth a second look. A horn follows the site's own horn.
fn idle(root: &Section<'_, '_>, outputs: &[Output], effects: &[Effect]) {
    for (position, output) in outputs.iter().enumerate() {
        let demanded = effects
            .iter()
            .any(|effect| effect.outputs.contains(&OutputIndex(position)));
        if !demanded && output.kind != OutputKind::Horn {
            root.sink.add(
                Code::IdleOutput,
                0..0,
                &format!("output.{}", output.id),
                vec![("value", output.id.clone())],
            );
        }
    }
}
