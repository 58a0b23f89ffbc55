//! What this machine is, for the image and the boot stage alike.

use crate::register::Register;
use davy_wire::node::Board;

pub(crate) const BOARD: Board = Board::Lm3s6965evb;
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
