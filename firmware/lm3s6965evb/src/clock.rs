//! Time from the processor's own 24-bit timer, which counts cycles down whether anybody looks or not; the main loop looks far more often than it wraps (0.33 s and more).

use crate::machine::HZ;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use davy_alarm::Instant;

const MOST: u32 = 0x00ff_ffff;
const NS_PER_CYCLE: u64 = 1_000_000_000 / HZ as u64;
const _: () = assert!(1_000_000_000 % HZ == 0 && MOST / (HZ / 1_000) >= 300);

/// Cycles since start.
pub(crate) struct Clock {
    last: u32,
    cycles: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        if let Some(mut core) = cortex_m::Peripherals::take() {
            core.SYST.set_clock_source(SystClkSource::Core);
            core.SYST.set_reload(MOST);
            core.SYST.clear_current();
            core.SYST.enable_counter();
        }
        Self {
            last: SYST::get_current(),
            cycles: 0,
        }
    }

    fn look(&mut self) -> u64 {
        let current = SYST::get_current();
        self.cycles += u64::from(self.last.wrapping_sub(current) & MOST);
        self.last = current;
        self.cycles
    }

    /// Microseconds since start.
    pub(crate) fn us(&mut self) -> u64 {
        self.look() * NS_PER_CYCLE / 1_000
    }

    pub(crate) fn now(&mut self) -> Instant {
        Instant(self.us() / 1_000)
    }
}
