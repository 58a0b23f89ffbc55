//! The node on QEMU's lm3s6965evb, a Cortex-M3 without a floating-point unit: the board that the suites run.
//!
//! UART0 speaks Modbus RTU, UART1 prints a log, UART2 asks a simulated analog front end, port A carries the relays, PF1 is the key. Its flash is a file of the
//! machine that QEMU runs on, by semihosting: QEMU does not model the chip's flash controller.
#![no_std]
#![no_main]

mod board;
mod clock;
#[cfg(feature = "drills")]
mod drills;
mod failure;
mod flash;
mod front_end;
mod machine;
mod memory;
mod place;
mod register;
mod run;
mod uart;
mod watchdog;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    run::node()
}
