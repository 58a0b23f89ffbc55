//! How every part does: what `GET /healthz`, `GET /metrics`, `GET /api/system` and a supervisor are told.

use crate::acquire::Stats;
use crate::clock::Clock;
use crate::health::{Health, Part, Status};
use crate::journal::Journal;
use crate::judgement::{HUNG_AFTER, Pulse};
use crate::node::Nodes;
use crate::uplink::{LinkState, Links, Uplink};
use davy_config::site::Site;
use metrics_exporter_prometheus::PrometheusHandle;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Less free disk than this is told, bytes.
const DISK_LOW: u64 = 64 << 20;

/// A view of every part; it owns none of them.
#[derive(Clone, Debug)]
pub struct Watch {
    pub site: Arc<Site>,
    pub clock: Clock,
    pub pulse: Pulse,
    pub stats: Arc<Stats>,
    pub journal: Journal,
    pub nodes: Nodes,
    pub uplink: Uplink<Journal>,
    pub data: PathBuf,
    pub figures: PrometheusHandle,
}

impl Watch {
    /// The state of the links to broker and cloud.
    pub fn links(&self) -> Links {
        self.uplink.links()
    }

    /// Every part, and the worst of them.
    pub fn health(&self) -> Health {
        let mut parts = vec![self.judgement(), self.journal_part(), self.disk()];
        parts.extend(self.nothing());
        parts.extend(self.buses());
        parts.extend(self.link_parts());
        Health::of(parts)
    }

    fn judgement(&self) -> Part {
        let age = self.pulse.age();
        let hung = (age > HUNG_AFTER)
            .then(|| (Status::Failed, format!("no turn for {} s", age.as_secs())));
        Part::new("judgement", hung)
    }

    fn journal_part(&self) -> Part {
        let stats = self.journal.stats();
        let lost = (stats.lost_batches > 0 || stats.dropped_readings > 0).then(|| {
            format!(
                "{} batches and {} readings were lost",
                stats.lost_batches, stats.dropped_readings
            )
        });
        let trouble = stats.failed.or(lost);
        Part::new("journal", trouble.map(|why| (Status::Degraded, why)))
    }

    fn disk(&self) -> Part {
        let trouble = match self.free_bytes() {
            None => Some("the free space cannot be read".to_owned()),
            Some(free) if free < DISK_LOW => Some(format!("{} MiB are free", free >> 20)),
            Some(_) => None,
        };
        Part::new("disk", trouble.map(|why| (Status::Degraded, why)))
    }

    /// A site of nothing is well and watches over nothing: that must not look healthy.
    fn nothing(&self) -> Option<Part> {
        let why = "no site file yet: nothing is monitored".to_owned();
        let nothing = self.site.buses.is_empty() && self.site.points.is_empty();
        nothing.then(|| Part::new("site", Some((Status::Degraded, why))))
    }

    fn buses(&self) -> Vec<Part> {
        let bus = |(position, bus): (usize, &davy_config::site::Bus)| {
            let silent = self.site.devices.iter().enumerate().filter(|(at, device)| {
                device.bus.0 == position && !self.stats.devices[*at].answering.load(Relaxed)
            });
            let silent: Vec<&str> = silent.map(|(_, device)| &*device.id).collect();
            let down = !self.stats.buses[position].up.load(Relaxed);
            let trouble = match (down, silent.is_empty()) {
                (true, _) => Some("the link is down".to_owned()),
                (false, false) => Some(format!("silent: {}", silent.join(", "))),
                (false, true) => None,
            };
            Part::new(
                format!("bus {}", bus.id),
                trouble.map(|why| (Status::Degraded, why)),
            )
        };
        self.site.buses.iter().enumerate().map(bus).collect()
    }

    fn link_parts(&self) -> Vec<Part> {
        let links = self.links();
        let part = |name: &str, state: LinkState, why: String| {
            let away = matches!(state, LinkState::Down | LinkState::Behind);
            Part::new(name, away.then_some((Status::Degraded, why)))
        };
        let waiting = format!("{} batches wait", links.cloud.backlog_batches);
        let waiting = match links.cloud.state {
            LinkState::Behind => {
                format!("{waiting} behind newer ones, which come faster than they are committed")
            }
            LinkState::Up | LinkState::Down | LinkState::Off => waiting,
        };
        vec![
            part("broker", links.broker.state, "not connected".to_owned()),
            part("cloud", links.cloud.state, waiting),
        ]
    }

    /// Free bytes where the journal lies; `None` if the system does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        let space = nix::sys::statvfs::statvfs(&self.data).ok()?;
        Some(space.blocks_available() * space.fragment_size())
    }

    /// The counters as Prometheus text.
    pub fn metrics(&self) -> String {
        self.note_buses();
        self.note_journal();
        self.figures.render()
    }

    fn note_buses(&self) {
        for (bus, stats) in self.site.buses.iter().zip(&self.stats.buses) {
            let labels = [("bus", bus.id.clone())];
            let count = |name: &'static str, value: u64| {
                metrics::counter!(name, &labels).absolute(value);
            };
            count("davy_bus_requests_total", stats.polls.load(Relaxed));
            count("davy_bus_errors_total", stats.errors.load(Relaxed));
            count(
                "davy_bus_late_replies_total",
                stats.late_replies.load(Relaxed),
            );
            count("davy_bus_overruns_total", stats.overruns.load(Relaxed));
            count("davy_bus_restarts_total", stats.restarts.load(Relaxed));
            count(
                "davy_bus_scans_replaced_total",
                stats.scans_replaced.load(Relaxed),
            );
            metrics::gauge!("davy_bus_utilisation", &labels).set(stats.utilisation());
            metrics::gauge!("davy_bus_up", &labels).set(number(stats.up.load(Relaxed)));
        }
        for (device, stats) in self.site.devices.iter().zip(&self.stats.devices) {
            let labels = [("device", device.id.clone())];
            metrics::counter!("davy_device_timeouts_total", &labels)
                .absolute(stats.timeouts.load(Relaxed));
            metrics::gauge!("davy_device_answers", &labels)
                .set(number(stats.answering.load(Relaxed)));
        }
    }

    fn note_journal(&self) {
        let stats = self.journal.stats();
        metrics::gauge!("davy_journal_bytes").set(stats.bytes as f64);
        metrics::gauge!("davy_journal_next_offset").set(stats.next_offset as f64);
        metrics::counter!("davy_journal_lost_batches_total").absolute(stats.lost_batches);
        metrics::counter!("davy_journal_dropped_readings_total").absolute(stats.dropped_readings);
        metrics::gauge!("davy_backlog_batches").set(self.journal.backlog() as f64);
        let links = self.links();
        metrics::gauge!("davy_broker_up").set(number(links.broker.state.is_up()));
        metrics::gauge!("davy_cloud_up").set(number(links.cloud.state.is_up()));
        let is_behind = links.cloud.state == LinkState::Behind;
        metrics::gauge!("davy_cloud_behind").set(number(is_behind));
        metrics::gauge!("davy_judgement_age_seconds").set(self.pulse.age().as_secs_f64());
    }
}

const fn number(flag: bool) -> f64 {
    if flag { 1.0 } else { 0.0 }
}
