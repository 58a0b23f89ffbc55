//! A PL011 UART, 19200 8N1, never waited for: what does not fit its queue is dropped, and for the log that is all right.

use crate::register::Register;
use davy_node::Outbox;

/// Modbus.
pub(crate) const LINE: Register = Register::at(0x4000_c000);
pub(crate) const LOG: Register = Register::at(0x4000_d000);
pub(crate) const FRONT_END: Register = Register::at(0x4000_e000);

const DATA: u32 = 0x00;
const FLAGS: u32 = 0x18;
const RECEIVE_EMPTY: u32 = 1 << 4;
const TRANSMIT_FULL: u32 = 1 << 5;
const BAUD_WHOLE: u32 = 0x24;
const BAUD_FRACTION: u32 = 0x28;
const LINE_CONTROL: u32 = 0x2c;
const CONTROL: u32 = 0x30;
/// 12.5 MHz / (16 × 19200) = 40 + 44/64.
const BAUD: (u32, u32) = (40, 44);
const EIGHT_BITS_WITH_FIFO: u32 = 0b111 << 4;
const ON: u32 = 1 << 0 | 1 << 8 | 1 << 9;

/// One UART and what waits to be sent.
pub(crate) struct Uart {
    at: Register,
    outbox: Outbox,
}

impl Uart {
    pub(crate) fn start(at: Register) -> Self {
        at.plus(CONTROL).write(0);
        at.plus(BAUD_WHOLE).write(BAUD.0);
        at.plus(BAUD_FRACTION).write(BAUD.1);
        at.plus(LINE_CONTROL).write(EIGHT_BITS_WITH_FIFO);
        at.plus(CONTROL).write(ON);
        Self {
            at,
            outbox: Outbox::empty(),
        }
    }

    /// The next byte that came.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let empty = self.at.plus(FLAGS).read() & RECEIVE_EMPTY != 0;
        (!empty).then(|| self.at.plus(DATA).read() as u8)
    }

    /// Queues bytes behind those that wait; all or none.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.outbox.put(bytes);
    }

    /// Sends as much as the chip takes now.
    pub(crate) fn drain(&mut self) {
        let at = self.at;
        let takes = || at.plus(FLAGS).read() & TRANSMIT_FULL == 0;
        self.outbox
            .drain(takes, |byte| at.plus(DATA).write(byte.into()));
    }
}
