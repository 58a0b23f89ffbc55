//! What this machine is, for the image and the boot stage alike.

use crate::register::Register;
use davy_node::Kept;
use davy_wire::node::Board;

pub(crate) const BOARD: Board = Board::Mps2An386;
/// Where the slots for images begin, and how many bytes each has.
pub(crate) const SLOTS: [u32; 2] = [0x1_0000, 0x2_0000];
pub(crate) const SLOT_BYTES: u32 = 64 * 1_024;
/// Where the linker's RAM begins.
pub(crate) const RAM: u32 = 0x2000_1400;
/// CMSDK's watchdog, as the lm3s6965's.
pub(crate) const WATCHDOG: Register = Register::at(0x4000_8000);
/// The processor's clock, hertz.
pub(crate) const HZ: u32 = 25_000_000;

/// Every clock runs from the reset on.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn clocks_on() {}

/// What this chip's own registers say of the reset: nothing that the memory which outlives it does not.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn note_reset(_: &mut Kept) {}
