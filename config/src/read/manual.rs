//! Manual causes: what a person at the plant demands and ends.

use super::alarm::Alarms;
use super::derived::Derived;
use super::limits::priority;
use super::names::{Names, id, list, name, reference, text};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{AlarmIndex, Effect, Manual, ManualIndex, Subject};
use davy_alarm::{Condition, Priority};

/// A manual cause as read, and where it stands.
pub(super) struct Read {
    pub(super) manual: Manual,
    here: At<()>,
}

/// Reads every manual cause, and adds each one's alarm.
pub(super) fn manuals(root: &Section<'_, '_>, names: &mut Names, alarms: &mut Alarms) -> Vec<Read> {
    let mut position = 0;
    let (manuals, index) = list(root, "manual", |section| {
        let id = id(section);
        let name = name(section);
        let area = reference(section, "area", &names.areas);
        let priority = priority(section).unwrap_or(Priority::P3);
        let guidance = section.section("guidance").and_then(text);
        let (id, name, area) = (id?, name?, area?);
        let derived = Derived {
            condition: Condition::Manual,
            priority,
            on_delay_ms: 0,
            latching: false,
            gas_level_2: false,
            fault: false,
        };
        let subject = Subject::Manual(ManualIndex(position));
        let mut alarm = derived.alarm(&id, subject, None);
        alarm.guidance = guidance.map(Box::new);
        position += 1;
        alarms.push(alarm);
        Some(Read {
            manual: Manual {
                id,
                name,
                area,
                alarm: AlarmIndex(alarms.list.len() - 1),
            },
            here: section.here(),
        })
    });
    names.manuals = index;
    manuals
}

/// A manual cause that demands nothing would deceive whoever presses it.
pub(super) fn idle(root: &Section<'_, '_>, manuals: &[Read], effects: &[Effect]) {
    for Read { manual, here } in manuals {
        let demands = effects
            .iter()
            .any(|effect| effect.causes.contains(&manual.alarm) && !effect.outputs.is_empty());
        if !demands {
            let args = vec![
                ("value", manual.id.as_str().into()),
                ("cause", format!("{}.MANUAL", manual.id).into()),
            ];
            root.at(here, Code::IdleManual, args);
        }
    }
}
