//! Relays: QEMU models no port of this board, and but two of its FPGA's lights. The eight lights of its controller (SCC, CFG1) stand for relays and read back as their
//! feedback. The key is the FPGA's first button, which QEMU never presses: a drill does.

use crate::register::Register;

const LIGHTS: Register = Register::at(0x4002_f004);
const BUTTONS: Register = Register::at(0x4002_8008);

pub(crate) const fn clocks_on() {}

pub(crate) const fn ports_on() {}

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
