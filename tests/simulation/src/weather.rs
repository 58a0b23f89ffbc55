//! What goes wrong, and how often: each seed has a climate of its own, so that one seed is all quiet but for its disks, and another is all storm.

use crate::dice::Dice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often things happen in this seed: one in so many seconds, messages or calls; 0 = never.
#[derive(Clone, Debug)]
pub(crate) struct Climate {
    /// Of a link between gateway and broker, or broker and collector: seconds.
    pub(crate) cut: u64,
    /// The link swallows everything, and nobody is told: seconds.
    pub(crate) silence: u64,
    /// Messages.
    pub(crate) lose: u64,
    pub(crate) duplicate: u64,
    pub(crate) reorder: u64,
    /// Longest delay of a message, milliseconds.
    pub(crate) delay_ms: u64,
    /// Of the broker: seconds.
    pub(crate) broker_restart: u64,
    /// Of a collector: calls of its stores.
    pub(crate) collector_dies: u64,
    pub(crate) store_fails: u64,
    /// Of a gateway: seconds.
    pub(crate) power_cut: u64,
    pub(crate) killed: u64,
    pub(crate) restarted: u64,
    /// Of a disk: seconds.
    pub(crate) disk_breaks: u64,
    pub(crate) disk_fills: u64,
    pub(crate) disk_stalls: u64,
    /// Syncs.
    pub(crate) sync_fails: u64,
    /// Of a wall clock: seconds.
    pub(crate) clock_jump: u64,
    /// Of a device: requests.
    pub(crate) answer_bad: u64,
    /// Of a device: seconds.
    pub(crate) device_dies: u64,
    /// Of people: seconds.
    pub(crate) plant_act: u64,
    pub(crate) city_act: u64,
    pub(crate) forged_act: u64,
    /// Somebody changes the site file: seconds.
    pub(crate) site_change: u64,
}

impl Climate {
    /// The climate of a seed.
    pub(crate) fn of(dice: &Dice) -> Self {
        // A kind of trouble is absent, rare or frequent.
        let often = |rare: u64, frequent: u64| match dice.below(3) {
            0 => 0,
            1 => rare,
            _ => frequent,
        };
        Self {
            cut: often(7200, 600),
            silence: often(14_400, 1800),
            lose: often(200, 20),
            duplicate: often(100, 10),
            reorder: often(100, 10),
            delay_ms: [5, 200, 8000][dice.below(3) as usize],
            broker_restart: often(43_200, 3600),
            collector_dies: often(20_000, 1500),
            store_fails: often(5000, 400),
            power_cut: often(43_200, 3600),
            killed: often(43_200, 7200),
            restarted: often(86_400, 14_400),
            disk_breaks: often(43_200, 7200),
            disk_fills: often(43_200, 7200),
            disk_stalls: often(7200, 900),
            sync_fails: often(2000, 100),
            clock_jump: often(86_400, 7200),
            answer_bad: often(500, 40),
            device_dies: often(43_200, 3600),
            plant_act: often(1800, 240),
            city_act: often(1800, 240),
            forged_act: often(7200, 900),
            site_change: often(7200, 300),
        }
    }

    /// Everything heals.
    pub(crate) fn calm() -> Self {
        Self {
            cut: 0,
            silence: 0,
            lose: 0,
            duplicate: 0,
            reorder: 0,
            delay_ms: 5,
            broker_restart: 0,
            collector_dies: 0,
            store_fails: 0,
            power_cut: 0,
            killed: 0,
            restarted: 0,
            disk_breaks: 0,
            disk_fills: 0,
            disk_stalls: 0,
            sync_fails: 0,
            clock_jump: 0,
            answer_bad: 0,
            device_dies: 0,
            plant_act: 0,
            city_act: 0,
            forged_act: 0,
            site_change: 0,
        }
    }
}

/// The climate as it is now; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Weather(Arc<Mutex<Arc<Climate>>>);

impl Weather {
    pub(crate) fn new(climate: Climate) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(climate))))
    }

    pub(crate) fn now(&self) -> Arc<Climate> {
        self.lock().clone()
    }

    pub(crate) fn turns(&self, climate: Climate) {
        *self.lock() = Arc::new(climate);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Climate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
