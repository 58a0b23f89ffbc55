//! The boot stage of the mps2-an386: chooses between two images by the record in flash (`davy_node::choose`), checks the signature of one that is to be tried, and
//! starts it under a watchdog. It is not updated itself. Relays stay as the reset left them, not driven, until the image drives them.
#![no_std]
#![no_main]

#[path = "../../../lm3s6965evb/src/flash.rs"]
mod flash;
#[path = "../../src/machine.rs"]
mod machine;
#[path = "../../../lm3s6965evb/src/place.rs"]
mod place;
#[path = "../../../lm3s6965evb/src/register.rs"]
mod register;
#[path = "../../../lm3s6965evb/boot/src/start.rs"]
mod start;
#[path = "../../../lm3s6965evb/src/watchdog.rs"]
mod watchdog;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    start::boot()
}
