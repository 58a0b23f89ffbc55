//! Clocks, relays and key. Relay n is bit n of port A, which reads back as its feedback; the key is PF1, low while pressed.

use crate::register::Register;
use davy_wire::node::ResetCause;

const RCGC0: Register = Register::at(0x400f_e100);
const RCGC1: Register = Register::at(0x400f_e104);
const RCGC2: Register = Register::at(0x400f_e108);
const PORT_A: Register = Register::at(0x4000_4000);
const PORT_F: Register = Register::at(0x4002_5000);
/// The address picks the bits: all four relays.
const RELAYS: u32 = 0xf << 2;
const KEY: u32 = 1 << 1 << 2;
const DIRECTION: u32 = 0x400;
const PULL_UP: u32 = 0x510;
const DIGITAL: u32 = 0x51c;

/// Lets clocks reach the watchdog, three UARTs and the ports, and makes pins what they are; what the log says of it.
pub(crate) fn start() -> &'static [u8] {
    RCGC0.set(1 << 3);
    RCGC1.set(0b111);
    RCGC2.set(1 << 0 | 1 << 5);
    PORT_A.plus(DIRECTION).set(0xf);
    PORT_A.plus(DIGITAL).set(0xf);
    PORT_F.plus(PULL_UP).set(1 << 1);
    PORT_F.plus(DIGITAL).set(1 << 1);
    b"node started\n"
}

/// Bit n drives relay n's coil.
pub(crate) fn drive(coils: u8) {
    PORT_A.plus(RELAYS).write(u32::from(coils & 0xf));
}

pub(crate) fn feedback() -> u8 {
    (PORT_A.plus(RELAYS).read() & 0xf) as u8
}

pub(crate) fn key() -> bool {
    PORT_F.plus(KEY).read() == 0
}

/// Why an exception that cannot be masked ends this run; `None`: it does not.
pub(crate) const fn cannot_be_masked() -> Option<ResetCause> {
    Some(ResetCause::Watchdog)
}

/// No memory is written but by the processor.
pub(crate) const fn is_written_by_hardware(_: u32) -> bool {
    false
}
