//! What of one site file the next leaves as it is, by position in both. Pure.
//!
//! Parts are known by their ids. A point is *the same* when it is measured as before: the same register of the same unit, read the same way.

use davy_config::site::{
    AlarmIndex, Device, DeviceIndex, Output, OutputIndex, Point, PointIndex, Site, VoteIndex,
};
use std::collections::HashMap;
use std::sync::Arc;

/// One site and the one that takes its place.
#[derive(Debug)]
pub struct Succession {
    pub before: Arc<Site>,
    pub after: Arc<Site>,
    /// By position in `after`: the alarm of the same id before.
    alarms: Vec<Option<AlarmIndex>>,
    /// By position in `after`: the point before, if it is the same.
    points: Vec<Option<PointIndex>>,
    outputs: Vec<Option<OutputIndex>>,
    /// By position in `before`: where the same is now.
    devices_now: Vec<Option<DeviceIndex>>,
    points_now: Vec<Option<PointIndex>>,
    outputs_now: Vec<Option<OutputIndex>>,
}

impl Succession {
    /// How `after` goes on with `before`.
    pub fn of(before: &Arc<Site>, after: &Arc<Site>) -> Self {
        let points = same(
            (&before.points, &after.points),
            |point| &point.id,
            |was, is| measured(before, was) == measured(after, is),
        );
        let outputs = same(
            (&before.outputs, &after.outputs),
            |output| &output.id,
            |was, is| driven(before, was) == driven(after, is),
        );
        let devices = same(
            (&before.devices, &after.devices),
            |device| &device.id,
            |was, is| place(before, was) == place(after, is),
        );
        let alarms = same(
            (&before.alarms, &after.alarms),
            |alarm| &alarm.id,
            |was, is| kind(was) == kind(is),
        );
        Self {
            devices_now: back(&devices, before.devices.len(), DeviceIndex),
            points_now: back(&points, before.points.len(), PointIndex),
            outputs_now: back(&outputs, before.outputs.len(), OutputIndex),
            alarms: alarms.into_iter().map(|at| at.map(AlarmIndex)).collect(),
            points: points.into_iter().map(|at| at.map(PointIndex)).collect(),
            outputs: outputs.into_iter().map(|at| at.map(OutputIndex)).collect(),
            before: before.clone(),
            after: after.clone(),
        }
    }

    /// What an alarm was before.
    pub fn alarm(&self, alarm: AlarmIndex) -> Option<AlarmIndex> {
        self.alarms[alarm.0]
    }

    /// What a point was before, if it is the same.
    pub fn point(&self, point: PointIndex) -> Option<PointIndex> {
        self.points[point.0]
    }

    /// What an output was before, if it is the same register.
    pub fn output(&self, output: OutputIndex) -> Option<OutputIndex> {
        self.outputs[output.0]
    }

    /// Where a device of before is now.
    pub fn device_now(&self, device: DeviceIndex) -> Option<DeviceIndex> {
        self.devices_now[device.0]
    }

    /// Where a point of before is now, if it is the same.
    pub fn point_now(&self, point: PointIndex) -> Option<PointIndex> {
        self.points_now[point.0]
    }

    /// Where an output of before is now, if it is the same register.
    pub fn output_now(&self, output: OutputIndex) -> Option<OutputIndex> {
        self.outputs_now[output.0]
    }

    /// Alarms of before that are no more, by their positions then.
    pub fn removed_alarms(&self) -> impl Iterator<Item = AlarmIndex> {
        let mut kept = vec![false; self.before.alarms.len()];
        for known in self.alarms.iter().flatten() {
            kept[known.0] = true;
        }
        let gone = kept.into_iter().enumerate().filter(|(_, kept)| !kept);
        gone.map(|(position, _)| AlarmIndex(position))
    }

    /// Whether a group counts as before: the same members, by id, under the same scheme.
    pub fn counts_as_before(&self, vote: VoteIndex) -> bool {
        let group = |site: &Site, vote: VoteIndex| {
            let group = &site.votes[vote.0];
            let members = group.members.iter();
            let members = members.map(|member| site.alarms[member.alarm.0].id.clone());
            (group.scheme, members.collect::<Vec<_>>())
        };
        let id = &self.after.votes[vote.0].id;
        let known = self.before.votes.iter().position(|vote| vote.id == *id);
        let known = known.map(|known| group(&self.before, VoteIndex(known)));
        known.is_some_and(|known| known == group(&self.after, vote))
    }
}

/// By position in the second: the position in the first of what has the same id and is the same.
fn same<T>(
    (before, after): (&[T], &[T]),
    id: impl Fn(&T) -> &String,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<Option<usize>> {
    let known = before.iter().enumerate();
    let known: HashMap<&str, usize> = known.map(|(at, it)| (id(it).as_str(), at)).collect();
    let find = |it: &T| {
        let at = *known.get(id(it).as_str())?;
        is_same(&before[at], it).then_some(at)
    };
    after.iter().map(find).collect()
}

fn back<I: Clone>(
    known: &[Option<usize>],
    length: usize,
    index: impl Fn(usize) -> I,
) -> Vec<Option<I>> {
    let mut now = vec![None; length];
    for (position, known) in known.iter().enumerate() {
        if let Some(known) = known {
            now[*known] = Some(index(position));
        }
    }
    now
}

/// Which unit on which link.
fn place<'a>(site: &'a Site, device: &Device) -> impl PartialEq + 'a {
    (&site.buses[device.bus.0].link, device.unit)
}

fn measured<'a>(site: &'a Site, point: &'a Point) -> impl PartialEq + 'a {
    (
        place(site, &site.devices[point.device.0]),
        (point.register, &point.scaling, &point.status, point.kind),
        (point.range, point.over_range_at, point.under_range_at),
    )
}

fn driven<'a>(site: &'a Site, output: &Output) -> impl PartialEq + 'a {
    (
        place(site, &site.devices[output.device.0]),
        (output.register, output.on, output.off),
        output.write_multiple,
    )
}

/// Which condition of what sort of subject; the figures may differ.
fn kind(alarm: &davy_config::site::Alarm) -> impl PartialEq + use<> {
    (
        std::mem::discriminant(&alarm.definition.condition),
        std::mem::discriminant(&alarm.subject),
    )
}
