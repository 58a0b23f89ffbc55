//! The node on QEMU's mps2-an386, a Cortex-M4 with a floating-point unit: a second board from the same core, and from the same modules where the machines are alike.
//!
//! UART0 speaks Modbus RTU, UART1 prints a log, UART2 asks a simulated analog front end, the controller's lights are the relays. Its flash is a file of the machine that
//! QEMU runs on, by semihosting.
#![no_std]
#![no_main]

mod board;
#[path = "../../lm3s6965evb/src/clock.rs"]
mod clock;
#[cfg(feature = "drills")]
#[path = "../../lm3s6965evb/src/drills.rs"]
mod drills;
#[path = "../../lm3s6965evb/src/failure.rs"]
mod failure;
#[path = "../../lm3s6965evb/src/flash.rs"]
mod flash;
#[path = "../../lm3s6965evb/src/front_end.rs"]
mod front_end;
mod machine;
#[path = "../../lm3s6965evb/src/memory.rs"]
mod memory;
#[path = "../../lm3s6965evb/src/place.rs"]
mod place;
#[path = "../../lm3s6965evb/src/register.rs"]
mod register;
#[path = "../../lm3s6965evb/src/run.rs"]
mod run;
mod uart;
#[path = "../../lm3s6965evb/src/watchdog.rs"]
mod watchdog;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    run::node()
}
