//! Two USARTs, 19200 8N1, each with a ring that the DMA fills and a buffer that it sends from: nothing is lost and no answer gets a gap while the processor waits for
//! flash, 25 ms and more. No interrupt is enabled; the main loop looks where the DMA has come to.
//!
//! USART3 is Modbus, and drives its transceiver by itself (RM0440, USART: RS-485 driver enable). USART2 is the log. By the chip's registers: embassy's
//! drivers with DMA wait for interrupts, of which there are none here.

use crate::machine::HZ;
use core::cell::UnsafeCell;
use embassy_stm32::pac::bdma::Ch;
use embassy_stm32::pac::bdma::regs::{Cr as Channel, Isr};
use embassy_stm32::pac::bdma::vals::{Dir, Pl};
use embassy_stm32::pac::usart::{Usart, regs};
use embassy_stm32::pac::{DMA1, DMAMUX1, USART2, USART3};

/// Bytes of the line's ring: 133 ms of a line that never rests. And of what is sent at once: the longest answer, whole.
const OF_LINE: usize = 256;
/// Of the log's ring, which a test's drills come by alone; and of the longest line that is printed.
const LOG_IN: usize = 16;
const LOG_OUT: usize = 80;
const BAUD: u32 = 19_200;
/// Every bus runs at the processor's clock.
const DIVIDER: u32 = HZ / BAUD;
const _: () = assert!((DIVIDER * BAUD).abs_diff(HZ) < HZ / 1_000);
/// The driver is on for half a bit before the first and after the last, in 16ths of a bit.
const GUARD: u8 = 8;

/// Memory that the DMA works on.
struct Shared<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: each has one owner, the `Uart` of its port, which touches it by volatile reads and writes alone.
unsafe impl<const N: usize> Sync for Shared<N> {}

impl<const N: usize> Shared<N> {
    const ZERO: Self = Self(UnsafeCell::new([0; N]));

    const fn memory(&self) -> Memory {
        Memory {
            begin: self.0.get().cast(),
            bytes: N,
        }
    }
}

static LINE_IN: Shared<OF_LINE> = Shared::ZERO;
static LINE_OUT: Shared<OF_LINE> = Shared::ZERO;
static FROM_LOG: Shared<LOG_IN> = Shared::ZERO;
static TO_LOG: Shared<LOG_OUT> = Shared::ZERO;

/// One of these, of whatever length.
#[derive(Clone, Copy)]
struct Memory {
    begin: *mut u8,
    bytes: usize,
}

/// A USART with its two channels of the DMA and their memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// USART3, with a driver of RS-485.
    Line,
    /// USART2.
    Log,
}

/// Modbus.
pub(crate) const LINE: Port = Port::Line;
pub(crate) const LOG: Port = Port::Log;

impl Port {
    const fn usart(self) -> Usart {
        match self {
            Self::Line => USART3,
            Self::Log => USART2,
        }
    }

    fn receives(self) -> Ch {
        match self {
            Self::Line => DMA1.ch(0),
            Self::Log => DMA1.ch(2),
        }
    }

    fn sends(self) -> Ch {
        match self {
            Self::Line => DMA1.ch(1),
            Self::Log => DMA1.ch(3),
        }
    }

    /// The flags of the channel that sends, four a channel.
    const fn sending_flags(self) -> u32 {
        match self {
            Self::Line => 0xf << 4,
            Self::Log => 0xf << 12,
        }
    }

    const fn ring(self) -> Memory {
        match self {
            Self::Line => LINE_IN.memory(),
            Self::Log => FROM_LOG.memory(),
        }
    }

    const fn sent(self) -> Memory {
        match self {
            Self::Line => LINE_OUT.memory(),
            Self::Log => TO_LOG.memory(),
        }
    }
}

/// What each channel serves (RM0440, DMAMUX: mapping of the requests): USART3 in and out, USART2 in and out.
const REQUESTS: [u8; 4] = [28, 29, 26, 27];

/// Whether a word is one that the DMA works on here.
pub(crate) fn holds(address: u32) -> bool {
    [Port::Line, Port::Log].into_iter().any(|port| {
        let within = |memory: Memory| {
            let begin = memory.begin as u32 & !3;
            (begin..memory.begin as u32 + memory.bytes as u32).contains(&address)
        };
        within(port.ring()) || within(port.sent())
    })
}

/// One UART.
pub(crate) struct Uart {
    port: Port,
    /// Bytes taken from the ring, modulo its length.
    taken: usize,
}

impl Uart {
    pub(crate) fn start(port: Port) -> Self {
        let (usart, ring) = (port.usart(), port.ring());
        let (receives, sends) = (port.receives(), port.sends());
        route();
        usart.cr1().write_value(regs::Cr1(0));
        usart.brr().write(|brr| brr.set_brr(DIVIDER as u16));
        usart.cr3().write(|cr3| {
            cr3.set_dmar(true);
            cr3.set_dmat(true);
            // A byte that comes too late is lost alone.
            cr3.set_ovrdis(true);
            cr3.set_dem(port == Port::Line);
        });
        receives.cr().write_value(Channel(0));
        receives.par().write_value(usart.rdr().as_ptr() as u32);
        receives.mar().write_value(ring.begin as u32);
        receives
            .ndtr()
            .write(|left| left.set_ndt(ring.bytes as u16));
        receives.cr().write(|cr| {
            cr.set_minc(true);
            cr.set_circ(true);
            cr.set_pl(Pl::HIGH);
            cr.set_en(true);
        });
        sends.cr().write_value(Channel(0));
        sends.par().write_value(usart.tdr().as_ptr() as u32);
        sends.mar().write_value(port.sent().begin as u32);
        usart.cr1().write(|cr1| {
            cr1.set_te(true);
            cr1.set_re(true);
            cr1.set_deat(GUARD);
            cr1.set_dedt(GUARD);
            cr1.set_ue(true);
        });
        Self { port, taken: 0 }
    }

    /// The next byte that came.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let left = usize::from(self.port.receives().ndtr().read().ndt());
        let ring = self.port.ring();
        let come = if left == 0 {
            0
        } else {
            ring.bytes - left.min(ring.bytes)
        };
        if come == self.taken {
            return None;
        }
        // SAFETY: within the ring, for `taken` is below its length; the DMA has written there, and does again only a round later.
        let byte = unsafe { ring.begin.add(self.taken).read_volatile() };
        self.taken = if self.taken + 1 < ring.bytes {
            self.taken + 1
        } else {
            0
        };
        Some(byte)
    }

    /// Sends bytes; none of them while others are being sent, or if they are too many.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        let send = self.port.sends();
        let sent = self.port.sent();
        let is_busy = send.cr().read().en() && send.ndtr().read().ndt() != 0;
        if is_busy || bytes.is_empty() || bytes.len() > sent.bytes {
            return;
        }
        send.cr().write_value(Channel(0));
        for (nth, byte) in bytes.iter().enumerate() {
            // SAFETY: within the buffer, for there are no more bytes than it has; the channel is off.
            unsafe { sent.begin.add(nth).write_volatile(*byte) }
        }
        send.ndtr().write(|left| left.set_ndt(bytes.len() as u16));
        // What the last ones left.
        DMA1.ifcr().write_value(Isr(self.port.sending_flags()));
        // The bytes are there before the DMA looks.
        cortex_m::asm::dmb();
        send.cr().write(|cr| {
            cr.set_minc(true);
            cr.set_dir(Dir::FROM_MEMORY);
            cr.set_en(true);
        });
    }

    /// The DMA sends.
    pub(crate) const fn drain(&mut self) {}
}

fn route() {
    let [line_in, line_out, log_in, log_out] = REQUESTS;
    DMAMUX1.ccr(0).write(|mux| mux.set_dmareq_id(line_in));
    DMAMUX1.ccr(1).write(|mux| mux.set_dmareq_id(line_out));
    DMAMUX1.ccr(2).write(|mux| mux.set_dmareq_id(log_in));
    DMAMUX1.ccr(3).write(|mux| mux.set_dmareq_id(log_out));
}
