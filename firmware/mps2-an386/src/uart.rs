//! A CMSDK UART, 19200 8N1, never waited for: what does not fit its queue is dropped, and for the log that is all right.

use crate::machine::HZ;
use crate::register::Register;
use davy_node::Outbox;

/// Modbus.
pub(crate) const LINE: Register = Register::at(0x4000_4000);
pub(crate) const LOG: Register = Register::at(0x4000_5000);
pub(crate) const FRONT_END: Register = Register::at(0x4000_6000);

const DATA: u32 = 0x00;
const STATE: u32 = 0x04;
const TRANSMIT_FULL: u32 = 1 << 0;
const RECEIVE_FULL: u32 = 1 << 1;
const CONTROL: u32 = 0x08;
const ON: u32 = 0b11;
const BAUD_DIVIDER: u32 = 0x10;
const BAUD: u32 = 19_200;

/// One UART and what waits to be sent.
pub(crate) struct Uart {
    at: Register,
    outbox: Outbox,
}

impl Uart {
    pub(crate) fn start(at: Register) -> Self {
        at.plus(BAUD_DIVIDER).write(HZ / BAUD);
        at.plus(CONTROL).write(ON);
        Self {
            at,
            outbox: Outbox::empty(),
        }
    }

    /// The next byte that came.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let full = self.at.plus(STATE).read() & RECEIVE_FULL != 0;
        full.then(|| self.at.plus(DATA).read() as u8)
    }

    /// Queues bytes behind those that wait; all or none.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.outbox.put(bytes);
    }

    /// Sends as much as the chip takes now.
    pub(crate) fn drain(&mut self) {
        let at = self.at;
        let takes = || at.plus(STATE).read() & TRANSMIT_FULL == 0;
        self.outbox
            .drain(takes, |byte| at.plus(DATA).write(byte.into()));
    }
}
