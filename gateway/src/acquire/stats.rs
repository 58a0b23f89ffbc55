//! Counters of each bus and device, written by the bus's task and read by the screen.

use super::pdu::Fault;
use davy_alarm::WallMs;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// One device's counters since the start.
#[derive(Debug, Default)]
pub struct DeviceStats {
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
    pub polls: AtomicU64,
    pub errors: AtomicU64,
    /// Microseconds spent in exchanges.
    pub busy_us: AtomicU64,
    pub up: AtomicBool,
}

/// Counters of a whole site, by position.
#[derive(Debug)]
pub struct Stats {
    pub buses: Vec<BusStats>,
    pub devices: Vec<DeviceStats>,
}

impl Stats {
    pub(super) fn new(buses: usize, devices: usize) -> Self {
        Self {
            buses: (0..buses).map(|_| BusStats::default()).collect(),
            devices: (0..devices).map(|_| DeviceStats::default()).collect(),
        }
    }

    pub(super) fn count(
        &self,
        bus: usize,
        device: usize,
        fault: Option<Fault>,
        busy_us: u64,
        at: WallMs,
    ) {
        let (bus, device) = (&self.buses[bus], &self.devices[device]);
        bus.polls.fetch_add(1, Relaxed);
        device.polls.fetch_add(1, Relaxed);
        bus.busy_us.fetch_add(busy_us, Relaxed);
        let counter = match fault {
            None => {
                device.last_ok_ms.store(at.0, Relaxed);
                return;
            }
            Some(Fault::Timeout | Fault::LinkDown) => &device.timeouts,
            Some(Fault::BadFrame) => &device.bad_frames,
            Some(Fault::Exception(_)) => &device.exceptions,
        };
        bus.errors.fetch_add(1, Relaxed);
        counter.fetch_add(1, Relaxed);
    }
}
