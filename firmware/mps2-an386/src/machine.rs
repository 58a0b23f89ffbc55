//! What this machine is, for the image and the boot stage alike.

use crate::register::Register;
use davy_wire::node::Board;

pub(crate) const BOARD: Board = Board::Mps2An386;
/// CMSDK's watchdog, as the lm3s6965's.
pub(crate) const WATCHDOG: Register = Register::at(0x4000_8000);
/// The processor's clock, hertz.
pub(crate) const HZ: u32 = 25_000_000;

/// Every clock runs from the reset on.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn clocks_on() {}
