//! The chip's watchdog: its first time-out asks in vain, its second resets.

use crate::machine::{HZ, WATCHDOG};

const LOAD: u32 = 0x000;
const CONTROL: u32 = 0x008;
const CLEAR: u32 = 0x00c;
const ASK_AND_RESET: u32 = 0b11;
/// One second: two without food reset. Wide, for QEMU's time runs on while its host is busy elsewhere.
const CYCLES: u32 = HZ;

/// Four times that: the boot stage reckons with a signature, and the image that it starts may hang before it starts the watchdog anew.
const CYCLES_FOR_BOOT: u32 = 4 * CYCLES;

#[allow(dead_code, reason = "the boot stage's")]
pub(crate) fn start_for_boot() {
    WATCHDOG.plus(LOAD).write(CYCLES_FOR_BOOT);
    WATCHDOG.plus(CONTROL).write(ASK_AND_RESET);
}

#[allow(dead_code, reason = "the image's")]
pub(crate) fn start() {
    WATCHDOG.plus(LOAD).write(CYCLES);
    WATCHDOG.plus(CONTROL).write(ASK_AND_RESET);
}

#[allow(dead_code, reason = "the image's")]
pub(crate) fn feed() {
    WATCHDOG.plus(LOAD).write(CYCLES);
    WATCHDOG.plus(CLEAR).write(1);
}
