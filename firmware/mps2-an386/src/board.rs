//! Relays: QEMU models no port of this board, and but two of its FPGA's lights. The eight lights of its controller (SCC, CFG1) stand for relays and read back as their
//! feedback. The key is the FPGA's first button, which QEMU never presses: a drill does.

use crate::register::Register;
use davy_wire::node::ResetCause;

const LIGHTS: Register = Register::at(0x4002_f004);
const BUTTONS: Register = Register::at(0x4002_8008);

/// Everything runs from the reset on; what the log says of it.
pub(crate) const fn start() -> &'static [u8] {
    b"node started\n"
}

/// Bit n drives relay n's coil.
pub(crate) fn drive(coils: u8) {
    LIGHTS.write(u32::from(coils & 0xf));
}

pub(crate) fn feedback() -> u8 {
    (LIGHTS.read() & 0xf) as u8
}

pub(crate) fn key() -> bool {
    BUTTONS.read() & 1 != 0
}

/// Why an exception that cannot be masked ends this run: it is the watchdog's first time-out, as the board wires it (CMSDK). `None`: it does not.
pub(crate) const fn cannot_be_masked() -> Option<ResetCause> {
    Some(ResetCause::Watchdog)
}

/// No memory is written but by the processor.
pub(crate) const fn is_written_by_hardware(_: u32) -> bool {
    false
}
