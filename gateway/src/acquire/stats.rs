//! Counters of each bus and device, written by the bus's task and read at any moment by the screen (`GET /api/system`).

use super::pdu::Fault;
use davy_alarm::WallMs;
use davy_config::site::{BusIndex, DeviceIndex, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// One device's counters since the start.
#[derive(Debug, Default)]
pub struct DeviceStats {
    /// Requests sent to it, writes and probes included.
    pub polls: AtomicU64,
    pub timeouts: AtomicU64,
    pub bad_frames: AtomicU64,
    pub exceptions: AtomicU64,
    /// UTC ms of the last good answer; 0 = none yet.
    pub last_ok_ms: AtomicI64,
    pub answering: AtomicBool,
}

/// One bus's counters since the start.
#[derive(Debug, Default)]
pub struct BusStats {
    /// Requests sent, writes and probes included.
    pub polls: AtomicU64,
    /// Requests without the answer that was asked for; exceptions count.
    pub errors: AtomicU64,
    /// Answers to an earlier request, or from another unit: discarded.
    pub late_replies: AtomicU64,
    /// Times that the link was opened.
    pub connects: AtomicU64,
    /// Times that its task had ended of itself and was started again.
    pub restarts: AtomicU64,
    /// Periods that had passed before their poll could begin.
    pub overruns: AtomicU64,
    /// Scans that a newer one replaced because judgement had not taken them.
    pub scans_replaced: AtomicU64,
    /// Microseconds spent in exchanges.
    pub busy_us: AtomicU64,
    pub up: AtomicBool,
    /// Of the last window ([`WINDOW`]).
    busy_permille: AtomicU64,
}

/// Utilisation is told of windows this long.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

impl BusStats {
    /// Share of the last ten seconds in which an exchange was under way, 0…1.
    pub fn utilisation(&self) -> f64 {
        self.busy_permille.load(Relaxed) as f64 / 1000.0
    }

    pub(super) fn note_window(&self, busy: Duration, window: Duration) {
        let permille = busy.as_millis() * 1000 / window.as_millis().max(1);
        self.busy_permille.store(permille.min(1000) as u64, Relaxed);
    }
}

/// Counters of a whole site, by position. Those of a bus or device outlive a change of the site file that leaves it as it is.
#[derive(Debug)]
pub struct Stats {
    pub buses: Vec<Arc<BusStats>>,
    pub devices: Vec<Arc<DeviceStats>>,
}

impl Stats {
    /// Nothing counted yet.
    pub fn new(site: &Site) -> Self {
        Self {
            buses: site.buses.iter().map(|_| Arc::default()).collect(),
            devices: site.devices.iter().map(|_| Arc::default()).collect(),
        }
    }

    /// The counters of `after`, which takes the place of `before`: a bus keeps its own if its link is the same, a device if its bus and unit are.
    pub fn under(&self, before: &Site, after: &Site) -> Self {
        let bus = |bus: &davy_config::site::Bus| {
            let known = before.bus(&bus.id);
            let known = known.filter(|known| before.buses[known.0].link == bus.link);
            known.map(|BusIndex(known)| self.buses[known].clone())
        };
        let device = |device: &davy_config::site::Device| {
            let on = |site: &Site, bus: BusIndex| site.buses[bus.0].id.clone();
            let known = before.device(&device.id);
            let known = known.filter(|known| {
                let known = &before.devices[known.0];
                known.unit == device.unit && on(before, known.bus) == on(after, device.bus)
            });
            known.map(|DeviceIndex(known)| self.devices[known].clone())
        };
        Self {
            buses: after
                .buses
                .iter()
                .map(|it| bus(it).unwrap_or_default())
                .collect(),
            devices: after
                .devices
                .iter()
                .map(|it| device(it).unwrap_or_default())
                .collect(),
        }
    }

    /// Counts one exchange that took `busy`.
    pub(super) fn count(
        &self,
        bus: usize,
        device: usize,
        outcome: Result<(), Fault>,
        busy: Duration,
        at: WallMs,
    ) {
        let (bus, device) = (&self.buses[bus], &self.devices[device]);
        bus.polls.fetch_add(1, Relaxed);
        device.polls.fetch_add(1, Relaxed);
        bus.busy_us
            .fetch_add(u64::try_from(busy.as_micros()).unwrap_or(u64::MAX), Relaxed);
        let counter = match outcome {
            Ok(()) => {
                device.last_ok_ms.store(at.0, Relaxed);
                return;
            }
            Err(Fault::Timeout | Fault::LinkDown) => &device.timeouts,
            Err(Fault::BadFrame) => &device.bad_frames,
            Err(Fault::Exception(_)) => &device.exceptions,
        };
        bus.errors.fetch_add(1, Relaxed);
        counter.fetch_add(1, Relaxed);
    }
}
