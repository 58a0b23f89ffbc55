//! The cause-and-effect table: which alarms demand which outputs.

use super::alarm::Alarms;
use super::names::{Names, resolve, subject_is_broken};
use super::output::Read as OutputRead;
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{AlarmIndex, Effect, OutputIndex, OutputKind};

pub(super) fn effects(
    root: &Section<'_, '_>,
    names: &Names,
    alarms: &Alarms,
    outputs: &[OutputRead],
) -> Vec<Effect> {
    let read = |section: Section<'_, '_>| {
        let causes = section.need_texts("causes");
        let demanded = section.need_texts("outputs");
        let effect = Effect {
            causes: causes
                .iter()
                .filter_map(|at| cause(&section, names, alarms, at))
                .map(AlarmIndex)
                .collect(),
            outputs: demanded
                .iter()
                .filter_map(|at| resolve(&section, at, &names.outputs))
                .map(OutputIndex)
                .collect(),
        };
        for output in &effect.outputs {
            let read = &outputs[output.0].output;
            if effect.causes.contains(&read.failed) {
                let args = vec![("value", read.id.as_str().into())];
                section.problem(Code::EffectSelf, args);
            }
        }
        section.finish();
        effect
    };
    let effects: Vec<Effect> = root.sections("effect").into_iter().map(read).collect();
    idle(root, outputs, &effects);
    effects
}

/// The alarm's position. An alarm of something that has problems of its own is no problem here.
fn cause(
    section: &Section<'_, '_>,
    names: &Names,
    alarms: &Alarms,
    at: &At<String>,
) -> Option<usize> {
    if subject_is_broken(names, &at.value) {
        return None;
    }
    resolve(section, at, &alarms.index)
}

/// An output that nothing demands does nothing: worth a second look. A horn follows the site's own horn.
fn idle(root: &Section<'_, '_>, outputs: &[OutputRead], effects: &[Effect]) {
    for (position, read) in outputs.iter().enumerate() {
        let index = OutputIndex(position);
        let demanded = effects.iter().any(|effect| effect.outputs.contains(&index));
        if !demanded && read.output.kind != OutputKind::Horn {
            let args = vec![("value", read.output.id.as_str().into())];
            root.at(&read.here, Code::IdleOutput, args);
        }
    }
}
