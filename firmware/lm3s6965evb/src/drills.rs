//! What a test does to a node by a byte on the log's line: `H` hangs, `P` panics, `F` faults, `K` holds the key and `k` lets it go, `C` and a byte n cut the power at the n-th write of flash from
//! then on, in units of four. Only in a build for tests.

use crate::failure::reset;
use crate::memory;
use crate::uart::Uart;
use core::sync::atomic::{AtomicU32, Ordering};
use davy_node::Started;
use davy_wire::node::{ResetCause, SlotState, image_flag};

/// Writes of flash that are still let through; none is counted at 0.
static LEFT: AtomicU32 = AtomicU32::new(0);
const UNIT: u32 = 4;

pub(crate) fn listen(log: &mut Uart) {
    match log.byte() {
        Some(b'H') => hang(),
        Some(b'K') => KEY.store(1, Ordering::Relaxed),
        Some(b'k') => KEY.store(0, Ordering::Relaxed),
        Some(b'P') => panic!("a drill"),
        Some(b'F') => cortex_m::asm::udf(),
        Some(b'C') => {
            let mut units = None;
            while units.is_none() {
                units = log.byte();
            }
            LEFT.store(1 + u32::from(units.unwrap_or(0)) * UNIT, Ordering::Relaxed);
            log.queue(b"armed\n");
        }
        Some(_) | None => {}
    }
}

/// What an image does on its trial that says so in its head.
pub(crate) fn on_trial(started: Option<Started>) {
    let tried = started.and_then(|started| started.verdict);
    let Some((_, SlotState::Trial, _)) = tried else {
        return;
    };
    let flags = memory::head().map_or(0, |head| head.flags);
    if flags & image_flag::HANGS != 0 {
        hang();
    }
    if flags & image_flag::PANICS != 0 {
        panic!("a drill");
    }
    FAILS_TEST.store(u32::from(flags & image_flag::FAILS_TEST), Ordering::Relaxed);
}

/// Whether the image on trial shall fail its self-test.
pub(crate) fn fails_a_test() -> bool {
    FAILS_TEST.load(Ordering::Relaxed) != 0
}

static FAILS_TEST: AtomicU32 = AtomicU32::new(0);

/// Whether a test holds the key: not every machine that QEMU plays has one.
pub(crate) fn key() -> bool {
    KEY.load(Ordering::Relaxed) != 0
}

static KEY: AtomicU32 = AtomicU32::new(0);

fn hang() -> ! {
    loop {
        cortex_m::asm::nop();
    }
}

/// Called before every write of flash.
pub(crate) fn flash_works() {
    match LEFT.load(Ordering::Relaxed) {
        0 => {}
        1 => reset(ResetCause::Asked),
        left => LEFT.store(left - 1, Ordering::Relaxed),
    }
}
