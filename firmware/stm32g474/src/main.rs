//! The node on an STM32G474RE, by embassy-stm32's clock set-up, pins and register names: the board for a plant. QEMU has no model of it; it is built and judged in CI, and its
//! arithmetic and layout are tested on the host (`firmware/core/tests/stm32g474.rs`). Its wiring stands in docs/node-stm32g474.md.
//!
//! USART3 speaks Modbus RTU, USART2 prints a log, the first converter reads the loops, port C drives the relays. What runs, and what stays alike, are
//! the modules of the first board.
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
mod flash;
mod front_end;
mod layout;
mod loops;
mod machine;
#[path = "../../lm3s6965evb/src/memory.rs"]
mod memory;
#[path = "../../lm3s6965evb/src/place.rs"]
mod place;
mod resets;
#[path = "../../lm3s6965evb/src/run.rs"]
mod run;
mod uart;
mod watchdog;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    run::node()
}
