//! A site and its records for this folder's tests.

use crate::journal::{Batch, Names, Record, Transition};
use crate::judge::{Person, Switched};
use crate::live::{AlarmNow, Live, Picture};
use davy_alarm::{Alarm, Cause, Instant, Shown, WallMs};
use davy_config::site::{AlarmIndex, Site};
use std::path::Path;
use std::sync::Arc;

pub(super) const NOW: WallMs = WallMs(1_764_000_000_000);

/// The example site of a solvent warehouse, its text changed by `change`.
pub(super) fn site_with(change: impl Fn(String) -> String) -> Arc<Site> {
    let text = include_str!("../../../config/examples/solvent-warehouse.toml");
    let loaded = davy_config::parse("site.toml", &change(text.to_owned()), Path::new("."));
    Arc::new(loaded.expect("the example is valid").site)
}

pub(super) fn site() -> Arc<Site> {
    site_with(|text| text)
}

pub(super) fn picture(site: &Site) -> Picture {
    let alarms = (0..site.alarms.len()).map(|alarm| normal(AlarmIndex(alarm)));
    Live::new(
        site,
        alarms.collect(),
        &vec![Switched::default(); site.outputs.len()],
        NOW,
    )
    .picture()
}

pub(super) fn normal(alarm: AlarmIndex) -> AlarmNow {
    AlarmNow {
        alarm,
        shown: Shown::Normal,
        active: false,
        acknowledged: true,
        latched: false,
        shelved: false,
        suppressed_by_design: false,
        out_of_service: false,
        occurrence: 0,
        seq: 0,
        raised: None,
        changed: None,
        cleared: None,
        acknowledged_at: None,
        shelved_until: None,
        value_then: None,
        actor: None,
        reason: None,
    }
}

pub(super) fn point(site: &Site, id: &str) -> u32 {
    let position = site.points.iter().position(|point| point.id == id);
    u32::try_from(position.expect("a point of the example")).expect("few points")
}

pub(super) fn alarm(site: &Site, id: &str) -> u32 {
    let position = site.alarms.iter().position(|alarm| alarm.id == id);
    u32::try_from(position.expect("an alarm of the example")).expect("few alarms")
}

/// A batch of the device with this id, or of the node.
pub(super) fn batch(site: &Site, device: Option<&str>, records: Vec<Record>) -> Batch {
    let position = |id| site.devices.iter().position(|device| device.id == id);
    let device = device.map(|id| position(id).expect("a device of the example") as u32);
    Batch {
        offset: 41,
        made: NOW,
        names: Arc::new(Names::of(site)),
        device,
        records,
    }
}

/// Wang acknowledges the alarm at this position, for a command of the city.
pub(super) fn acknowledgement(site: &Site, alarm: u32) -> Transition {
    let definition = site.alarms[alarm as usize].definition;
    Transition {
        seq: 9,
        alarm,
        from: Shown::Unacknowledged,
        to: Shown::Acknowledged,
        cause: Cause::Acknowledge,
        occurrence: 3,
        time: WallMs(NOW.0 - 5),
        value: Some(Ok(51.5)),
        limit: definition.condition.set_point(),
        priority: definition.priority.number(),
        person: Some(Person {
            actor: "wang".into(),
            reason: Some("seen".into()),
            second: None,
        }),
        command: Some("c-1".into()),
        shelved_until: None,
        saved: Alarm::new(definition, Instant(0)).saved(Instant(0), NOW),
    }
}
