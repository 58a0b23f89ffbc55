//! Acquisition: one task owns one bus, polls its devices without drift, writes its outputs and reads them back.
//!
//! Invariant: acquisition never waits for judgement. A scan that finds the queue full waits in the bus task, one a device; a newer one replaces it and
//! is counted ([`BusStats::scans_replaced`]). No fault of a device or a link ends a task: points that cannot be read say why at every period.

mod budget;
mod bus;
mod doubt;
mod link;
mod outputs;
mod pdu;
mod plan;
mod quiet;
mod rtu;
mod station;
mod stats;
mod tcp;

pub(crate) use budget::{Budget, Share, thinking};
pub(crate) use doubt::REST;
pub use link::{Lines, Plug};
pub(crate) use link::{Link, is_untagged};
pub(crate) use pdu::{Fault, Request, Words};
pub use stats::{BusStats, DeviceStats, Stats};

use crate::clock::Clock;
use crate::node::Nodes;
use crate::scan::Scan;
use davy_config::site::{Bus, BusIndex, Site};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// What judgement asks of the buses: which site they serve, and the demand of each of its outputs, by position. One value, so that a demand is never
/// taken by another site's positions.
#[derive(Clone, Debug)]
pub struct Demand {
    pub site: Arc<Site>,
    pub stats: Arc<Stats>,
    pub on: Vec<bool>,
}

impl Demand {
    /// The first demand of a site.
    pub fn new(site: &Arc<Site>, on: Vec<bool>) -> Self {
        Self {
            stats: Arc::new(Stats::new(site)),
            site: site.clone(),
            on,
        }
    }
}

/// The running bus tasks.
#[derive(Debug)]
pub struct Acquisition {
    pub stats: Arc<Stats>,
    /// By bus id, so that shutdown can name who did not stop.
    pub tasks: Vec<(String, JoinHandle<()>)>,
    starting: Starting,
}

/// What a bus task starts with, and on which runtime.
#[derive(Debug)]
struct Starting {
    runtime: Handle,
    lines: Lines,
    clock: Clock,
    scans: mpsc::Sender<Scan>,
    demand: watch::Receiver<Demand>,
    nodes: Nodes,
    shutdown: CancellationToken,
}

/// Starts one task for each bus of the site that the demand is of, on the present runtime. Its first value is written as soon as a device is reached, so seed it with the
/// demand that was replayed from the journal. From then on the tasks follow it, also to another site: see [`Acquisition::follow`].
pub fn spawn(
    clock: Clock,
    scans: &mpsc::Sender<Scan>,
    demand: &watch::Receiver<Demand>,
    shutdown: &CancellationToken,
) -> Acquisition {
    let around = (&Lines::Machine, &Nodes::default());
    spawn_on(around, clock, scans, demand, shutdown)
}

/// As [`spawn`], over other lines than this machine's, and with nodes whose events are recorded.
pub fn spawn_on(
    (lines, nodes): (&Lines, &Nodes),
    clock: Clock,
    scans: &mpsc::Sender<Scan>,
    demand: &watch::Receiver<Demand>,
    shutdown: &CancellationToken,
) -> Acquisition {
    let mut acquisition = Acquisition {
        stats: demand.borrow().stats.clone(),
        tasks: Vec::new(),
        starting: Starting {
            runtime: Handle::current(),
            lines: lines.clone(),
            clock,
            scans: scans.clone(),
            demand: demand.clone(),
            nodes: nodes.clone(),
            shutdown: shutdown.clone(),
        },
    };
    acquisition.start_missing();
    acquisition
}

impl Acquisition {
    /// After the demand has gone over to another site: waits until the tasks of buses that are gone have ended, for at most `limit`, and starts one for
    /// each bus that is new. All others go on, each with its link and its devices' phases as far as the file left them as they were.
    /// Answers who did not end.
    pub async fn follow(&mut self, limit: Duration) -> Vec<String> {
        let demand = self.starting.demand.borrow().clone();
        self.stats = demand.stats;
        let until = Instant::now() + limit;
        let mut late = Vec::new();
        for (id, task) in std::mem::take(&mut self.tasks) {
            if demand.site.bus(&id).is_some() {
                self.tasks.push((id, task));
                continue;
            }
            let abort = task.abort_handle();
            if timeout_at(until, task).await.is_err() {
                abort.abort();
                late.push(id);
            }
        }
        self.start_missing();
        late
    }

    /// Starts the tasks of buses anew that have ended although they are served: only a defect of ours ends one. Their links are opened and all outputs written
    /// as at the start. Answers which.
    pub fn tend(&mut self) -> Vec<String> {
        if self.starting.shutdown.is_cancelled() {
            return Vec::new();
        }
        let gone = self.tasks.extract_if(.., |(_, task)| task.is_finished());
        let gone: Vec<String> = gone.map(|(id, _)| id).collect();
        for id in &gone {
            if let Some(bus) = self.starting.demand.borrow().site.bus(id) {
                self.stats.buses[bus.0].restarts.fetch_add(1, Relaxed);
            }
        }
        if !gone.is_empty() {
            self.start_missing();
        }
        gone
    }

    fn start_missing(&mut self) {
        let Starting {
            runtime,
            lines,
            clock,
            scans,
            demand,
            nodes,
            shutdown,
        } = &self.starting;
        let served = demand.borrow().clone();
        let runs = |bus: &Bus| self.tasks.iter().any(|(id, _)| *id == bus.id);
        let missing = served.site.buses.iter().enumerate();
        let missing = missing.filter(|(_, bus)| !runs(bus));
        let start = |(position, bus): (usize, &Bus)| {
            let task = bus::BusTask::new(
                BusIndex(position),
                *clock,
                scans.clone(),
                demand.clone(),
                &served,
                (lines.clone(), nodes.clone()),
            );
            (bus.id.clone(), runtime.spawn(task.run(shutdown.clone())))
        };
        let started: Vec<_> = missing.map(start).collect();
        self.tasks.extend(started);
    }
}
