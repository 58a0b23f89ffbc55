//! Acquisition: one task owns one bus, polls its devices without drift, writes its outputs and reads them back.
//!
//! Invariant: acquisition never waits for judgement. A scan that finds the queue full waits in the bus task, one a device; a newer one replaces it and
//! is counted ([`BusStats::scans_replaced`]). No fault of a device or a link ends a task: points that cannot be read say why at every period.

mod bus;
mod link;
mod outputs;
mod pdu;
mod plan;
mod quiet;
mod rtu;
mod station;
mod stats;
mod tcp;

pub(crate) use link::Link;
pub use link::{Lines, Plug};
pub(crate) use pdu::{Fault, Request};
pub use stats::{BusStats, DeviceStats, Stats};

use crate::clock::Clock;
use crate::scan::Scan;
use davy_config::site::{BusIndex, Site};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The running bus tasks.
#[derive(Debug)]
pub struct Acquisition {
    pub stats: Arc<Stats>,
    /// By bus id, so that shutdown can name who did not stop.
    pub tasks: Vec<(String, JoinHandle<()>)>,
}

/// Starts one task for each bus. `demand` is what judgement asks of each output, by position; its first value is written as soon as the device is
/// reached, so seed it with the demand that was replayed from the journal.
pub fn spawn(
    site: &Arc<Site>,
    clock: Clock,
    scans: &mpsc::Sender<Scan>,
    demand: &watch::Receiver<Vec<bool>>,
    shutdown: &CancellationToken,
) -> Acquisition {
    spawn_on(&Lines::Machine, site, clock, scans, demand, shutdown)
}

/// As [`spawn`], over other lines than this machine's.
pub fn spawn_on(
    lines: &Lines,
    site: &Arc<Site>,
    clock: Clock,
    scans: &mpsc::Sender<Scan>,
    demand: &watch::Receiver<Vec<bool>>,
    shutdown: &CancellationToken,
) -> Acquisition {
    let stats = Arc::new(Stats::new(site.buses.len(), site.devices.len()));
    let start = |(position, bus): (usize, &davy_config::site::Bus)| {
        let task = bus::BusTask::new(
            site.clone(),
            BusIndex(position),
            clock,
            scans.clone(),
            demand.clone(),
            stats.clone(),
            lines.clone(),
        );
        (bus.id.clone(), tokio::spawn(task.run(shutdown.clone())))
    };
    let tasks = site.buses.iter().enumerate().map(start).collect();
    Acquisition { stats, tasks }
}
