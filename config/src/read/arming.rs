//! What may alarm and act yet: a point or an output that is not armed is read, judged and recorded, annunciates nothing and switches nothing
//! (docs/decisions/0013).

use super::device;
use super::output;
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{
    Alarm, AlarmIndex, DeviceIndex, Point, Subject, Suppression, Text, UNARMED, Unproved, Vote,
    When,
};

/// The two keys of a point or an output.
pub(super) struct Arming {
    pub(super) armed: bool,
    pub(super) unproved: Option<Unproved>,
}

/// Reads `armed` and `unproved`. What is not armed, and what nobody proved, is worth a second look each time that the file is checked.
pub(super) fn read(section: &Section<'_, '_>, id: Option<&str>) -> Arming {
    let value = id.unwrap_or_default();
    let at = section.flag("armed");
    let armed = at.as_ref().is_none_or(|at| at.value);
    if let Some(at) = at.filter(|at| !at.value) {
        section.at(&at, Code::Unarmed, vec![("value", value.into())]);
    }
    let unproved = section.section("unproved").and_then(|own| {
        let (by, date, reason) = (
            own.need_text("by"),
            own.need_date("date"),
            own.need_text("reason"),
        );
        let here = own.here();
        own.finish();
        let unproved = Unproved {
            by: by?.value,
            date: date?.value,
            reason: reason?.value,
        };
        warn(section, &here, armed, value, &unproved);
        Some(unproved)
    });
    Arming { armed, unproved }
}

fn warn(
    section: &Section<'_, '_>,
    here: &At<()>,
    armed: bool,
    value: &str,
    Unproved { by, reason, .. }: &Unproved,
) {
    if armed {
        let args = vec![
            ("value", value.into()),
            ("by", by.as_str().into()),
            ("why", reason.as_str().into()),
        ];
        section.at(here, Code::Unproved, args);
    }
}

/// The rule that holds back everything unarmed; none where all is armed.
pub(super) fn rule(
    list: &[Alarm],
    points: &[Point],
    devices: &[device::Read],
    outputs: &[output::Read],
    votes: &[Vote],
) -> Option<Suppression> {
    let is_unarmed = |alarm: &Alarm| match alarm.subject {
        Subject::Point(point) => !points[point.0].armed,
        Subject::Device(device) => is_idle(device, devices.len(), points, outputs),
        Subject::Output(output) => !outputs[output.0].output.armed,
        Subject::Vote(vote) => votes[vote.0].members.iter().any(|member| {
            let subject = list[member.alarm.0].subject;
            matches!(subject, Subject::Point(point) if !points[point.0].armed)
        }),
        Subject::Manual(_) => false,
    };
    let alarms: Vec<AlarmIndex> = (0..list.len())
        .map(AlarmIndex)
        .filter(|alarm| is_unarmed(&list[alarm.0]))
        .collect();
    (!alarms.is_empty()).then(|| Suppression {
        id: UNARMED.to_owned(),
        // Nobody named it: it is called as the record calls it.
        name: Text {
            zh: UNARMED.to_owned(),
            en: UNARMED.to_owned(),
        },
        when: When::Unarmed,
        reason: UNARMED.to_owned(),
        alarms,
    })
}

/// Whether nothing of a device is armed yet.
fn is_idle(device: DeviceIndex, count: usize, points: &[Point], outputs: &[output::Read]) -> bool {
    let mut own = points
        .iter()
        .filter(|point| point.device == device)
        .map(|point| point.armed);
    let mut driven = outputs
        .iter()
        .filter(|read| read.output.device == device)
        .map(|read| read.output.armed);
    let is_used = device.0 < count
        && (points.iter().any(|point| point.device == device)
            || outputs.iter().any(|read| read.output.device == device));
    is_used && !own.any(|armed| armed) && !driven.any(|armed| armed)
}
