//! Suppression by design: what the plant's own state makes meaningless, and which state that is.

use super::alarm::Alarms;
use super::names::{Index, Names, id, list, name, resolve, subject_is_broken};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Alarm, AlarmIndex, Point, PointIndex, PointKind, Subject, Suppression, When};
use davy_alarm::Condition;

pub(super) fn suppressions(
    root: &Section<'_, '_>,
    names: &Names,
    points: &[Point],
    alarms: &Alarms,
) -> Vec<Suppression> {
    let read = |section: &Section<'_, '_>| {
        let id = id(section);
        let name = name(section);
        let at = section.need_text("when");
        let is = section.flag("is");
        let when = at
            .as_ref()
            .and_then(|at| when(section, names, points, alarms, at, is));
        let written = section.need_texts("alarms");
        let mut suppressed = Vec::new();
        for at in &written {
            let Some(alarm) = alarm(section, names, &alarms.index, at) else {
                continue;
            };
            let args = || vec![("value", at.value.as_str().into())];
            if suppressed.contains(&alarm) {
                section.at(at, Code::SameMember, args());
            } else if matches!(when, Some(When::Alarm { alarm: cause, .. }) if cause == alarm) {
                section.at(at, Code::SuppressSelf, args());
            } else {
                if alarms.list[alarm.0].definition.gas_level_2 {
                    section.at(at, Code::SuppressDanger, args());
                }
                suppressed.push(alarm);
            }
        }
        Some(Suppression {
            id: id?,
            name: name?,
            when: when?,
            reason: at?.value,
            alarms: suppressed,
        })
    };
    list(root, "suppress", read).0
}

/// A discrete point in the state `is`, or an alarm that is active.
fn when(
    section: &Section<'_, '_>,
    names: &Names,
    points: &[Point],
    alarms: &Alarms,
    at: &At<String>,
    is: Option<At<bool>>,
) -> Option<When> {
    if let Some(position) = names.points.get(&at.value) {
        let point = PointIndex((*position)?);
        let found = &points[point.0];
        if found.kind != PointKind::Discrete {
            let args = vec![
                ("value", at.value.as_str().into()),
                ("found", found.kind.name().into()),
            ];
            section.at(at, Code::NotDiscrete, args);
            return None;
        }
        return Some(When::Point {
            point,
            is: is.is_none_or(|is| is.value),
            faults: faults(&alarms.list, found),
        });
    }
    if let Some(is) = is {
        section.exclusive("when", &is);
    }
    let alarm = alarm(section, names, &alarms.index, at)?;
    let faults = match alarms.list[alarm.0].subject {
        Subject::Point(point) => faults(&alarms.list, &points[point.0]),
        Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => {
            Vec::new()
        }
    };
    // An alarm of a fault is not undone by that fault.
    let faults = faults.into_iter().filter(|fault| *fault != alarm).collect();
    Some(When::Alarm { alarm, faults })
}

fn alarm(
    section: &Section<'_, '_>,
    names: &Names,
    index: &Index,
    at: &At<String>,
) -> Option<AlarmIndex> {
    if subject_is_broken(names, &at.value) {
        return None;
    }
    resolve(section, at, index).map(AlarmIndex)
}

/// The alarms that say that a point cannot be seen.
fn faults(list: &[Alarm], point: &Point) -> Vec<AlarmIndex> {
    let fault = |alarm: &AlarmIndex| {
        matches!(
            list[alarm.0].definition.condition,
            Condition::Bad | Condition::Stale { .. }
        )
    };
    point.alarms.iter().copied().filter(fault).collect()
}
