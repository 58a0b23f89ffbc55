//! What this machine is, for the image and the boot stage alike.

use crate::register::Register;
use davy_node::Kept;
use davy_wire::node::Board;

pub(crate) const BOARD: Board = Board::Lm3s6965evb;
/// Where the slots for images begin, and how many bytes each has.
pub(crate) const SLOTS: [u32; 2] = [0x1_0000, 0x2_0000];
pub(crate) const SLOT_BYTES: u32 = 64 * 1_024;
/// Where the linker's RAM begins.
pub(crate) const RAM: u32 = 0x2000_1400;
/// The chip's watchdog.
pub(crate) const WATCHDOG: Register = Register::at(0x4000_0000);
/// The processor's clock after reset, hertz.
pub(crate) const HZ: u32 = 12_500_000;
const RCGC0: Register = Register::at(0x400f_e100);

/// Lets the clock reach the watchdog.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) fn clocks_on() {
    RCGC0.set(1 << 3);
}

/// What this chip's own registers say of the reset: nothing that the memory which outlives it does not.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn note_reset(_: &mut Kept) {}
