//! The JSON of `GET /api/system`: buses, devices, journal, clock and disk as they are counted.

use crate::clock;
use crate::node::{self, EventClock, Status, Told, What};
use crate::watch::Watch;
use davy_config::site::{Bus, Device, Link};
use davy_wire::node::{Happening, Why};
use serde::Serialize;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Debug, Serialize)]
pub(super) struct System<'a> {
    buses: Vec<BusRow<'a>>,
    devices: Vec<DeviceRow<'a>>,
    nodes: Vec<NodeRow<'a>>,
    journal: JournalRow,
    clock: ClockRow,
    disk: DiskRow,
    version: &'static str,
    started_ms: i64,
}

#[derive(Debug, Serialize)]
struct BusRow<'a> {
    id: &'a str,
    kind: &'static str,
    state: &'static str,
    /// Share of the last ten seconds in which the bus was busy, 0…1.
    utilisation: f64,
    polls: u64,
    errors: u64,
    late_replies: u64,
}

#[derive(Debug, Serialize)]
struct DeviceRow<'a> {
    id: &'a str,
    bus: &'a str,
    unit: u8,
    state: &'static str,
    polls: u64,
    timeouts: u64,
    bad_frames: u64,
    exceptions: u64,
    last_ok_ms: Option<i64>,
}

/// One of Davy's own nodes.
#[derive(Debug, Serialize)]
struct NodeRow<'a> {
    id: &'a str,
    /// The unit answers, and not as such a node.
    strange: bool,
    asked_ms: Option<i64>,
    status: Option<Status>,
    /// Events in the record, and such as the ring had lost before they were asked for.
    collected: u64,
    missed: u64,
    /// Newest first.
    recent: Vec<ToldRow>,
}

#[derive(Debug, Serialize)]
struct ToldRow {
    kind: &'static str,
    time_ms: i64,
    /// Whose clock told the time; none of what is missing.
    clock: Option<EventClock>,
    collected_ms: i64,
    number: Option<u32>,
    /// Alarm as the node's configuration names it.
    alarm: Option<String>,
    /// Shown state that the alarm went to.
    state: Option<u8>,
    /// From 1.
    relay: Option<u8>,
    on: Option<bool>,
    /// Of the firmware, what it came to, and why, by their names.
    slot: Option<&'static str>,
    slot_state: Option<&'static str>,
    slot_why: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct JournalRow {
    bytes: u64,
    max_bytes: u64,
    first_offset: u64,
    next_offset: u64,
    acknowledged_offset: u64,
    synced: bool,
    failed: Option<String>,
    lost_batches: u64,
    dropped_readings: u64,
}

#[derive(Debug, Serialize)]
struct ClockRow {
    quality: &'static str,
    /// Distance from the time source, milliseconds; always null until the gateway asks one itself.
    offset_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct DiskRow {
    free_bytes: Option<u64>,
}

impl<'a> System<'a> {
    pub(super) fn of(watch: &'a Watch) -> Self {
        let journal = watch.journal.stats();
        Self {
            buses: bus_rows(watch),
            devices: device_rows(watch),
            nodes: node_rows(watch),
            journal: JournalRow {
                bytes: journal.bytes,
                max_bytes: journal.max_bytes,
                first_offset: journal.first_offset,
                next_offset: journal.next_offset,
                acknowledged_offset: journal.acknowledged_offset,
                synced: journal.synced,
                failed: journal.failed,
                lost_batches: journal.lost_batches,
                dropped_readings: journal.dropped_readings,
            },
            clock: ClockRow {
                quality: clock::quality(),
                offset_ms: None,
            },
            disk: DiskRow {
                free_bytes: watch.free_bytes(),
            },
            version: env!("CARGO_PKG_VERSION"),
            started_ms: watch.clock.started().0,
        }
    }
}

fn bus_rows(watch: &Watch) -> Vec<BusRow<'_>> {
    let row = |(position, bus): (usize, &'_ Bus)| -> BusRow<'_> {
        let stats = &watch.stats.buses[position];
        BusRow {
            id: &watch.site.buses[position].id,
            kind: kind(&bus.link),
            state: if stats.up.load(Relaxed) { "up" } else { "down" },
            utilisation: stats.utilisation(),
            polls: stats.polls.load(Relaxed),
            errors: stats.errors.load(Relaxed),
            late_replies: stats.late_replies.load(Relaxed),
        }
    };
    watch.site.buses.iter().enumerate().map(row).collect()
}

fn device_rows(watch: &Watch) -> Vec<DeviceRow<'_>> {
    let row = |(position, device): (usize, &'_ Device)| -> DeviceRow<'_> {
        let stats = &watch.stats.devices[position];
        let last = stats.last_ok_ms.load(Relaxed);
        DeviceRow {
            id: &watch.site.devices[position].id,
            bus: &watch.site.buses[device.bus.0].id,
            unit: device.unit,
            state: if stats.answering.load(Relaxed) {
                "up"
            } else {
                "down"
            },
            polls: stats.polls.load(Relaxed),
            timeouts: stats.timeouts.load(Relaxed),
            bad_frames: stats.bad_frames.load(Relaxed),
            exceptions: stats.exceptions.load(Relaxed),
            last_ok_ms: (last > 0).then_some(last),
        }
    };
    watch.site.devices.iter().enumerate().map(row).collect()
}

fn node_rows(watch: &Watch) -> Vec<NodeRow<'_>> {
    let nodes = watch.site.devices.iter().filter(|device| device.is_node);
    nodes.map(|device| node_row(device, watch)).collect()
}

fn node_row<'a>(device: &'a Device, watch: &Watch) -> NodeRow<'a> {
    let now = watch.nodes.now(&device.id);
    let mark = now.mark.unwrap_or_default();
    NodeRow {
        id: &device.id,
        strange: now.is_strange,
        asked_ms: now.status.map(|(_, at)| at.0),
        status: now.status.map(|(status, _)| status),
        collected: mark.collected,
        missed: mark.missed,
        recent: now.recent.iter().rev().map(told_row).collect(),
    }
}

fn told_row(told: &Told) -> ToldRow {
    let mut row = ToldRow {
        kind: "unknown",
        time_ms: told.time().0,
        clock: None,
        collected_ms: told.collected.0,
        number: None,
        alarm: None,
        state: None,
        relay: None,
        on: None,
        slot: None,
        slot_state: None,
        slot_why: None,
    };
    match told.what {
        What::Event { clock, .. } => row.clock = Some(clock),
        What::Missed { .. } => row.kind = "missed",
        What::Renumbered { .. } => row.kind = "renumbered",
    }
    let Some(event) = told.event() else {
        return row;
    };
    (row.kind, row.number) = (node::kind(event.what), Some(event.number));
    match event.what {
        Happening::Alarm { number, transition } => {
            row.alarm = Some(node::alarm_name(number));
            row.state = Some(transition.to.code());
        }
        Happening::Relay { number, demanded } => {
            (row.relay, row.on) = (Some(number + 1), Some(demanded));
        }
        Happening::GatewaySilent(on) | Happening::Unlocked(on) => row.on = Some(on),
        Happening::Updated { slot, state, why } => {
            (row.slot, row.slot_state) = (Some(slot.name()), Some(state.name()));
            row.slot_why = why.map(Why::name);
        }
        Happening::Started { .. } | Happening::Configured { .. } | Happening::ClockSet => {}
    }
    row
}

const fn kind(link: &Link) -> &'static str {
    match link {
        Link::Tcp { .. } => "tcp",
        Link::RtuOverTcp { .. } => "rtu-over-tcp",
        Link::Rtu { .. } => "rtu",
    }
}
