//! The boot stage of the STM32G474: chooses between two images by the record in flash (`davy_node::choose`), checks the signature of one that is to be tried, and
//! starts it under a watchdog. It is not updated itself. Relays stay as the reset left them, not driven, until the image drives them.
#![no_std]
#![no_main]

#[path = "../../src/flash.rs"]
mod flash;
#[path = "../../src/layout.rs"]
mod layout;
#[path = "../../src/machine.rs"]
mod machine;
#[path = "../../../lm3s6965evb/src/place.rs"]
mod place;
#[path = "../../src/resets.rs"]
mod resets;
#[path = "../../../lm3s6965evb/boot/src/start.rs"]
mod start;
#[path = "../../src/watchdog.rs"]
mod watchdog;

use cortex_m_rt::{entry, exception};

#[entry]
fn main() -> ! {
    start::boot()
}

#[exception]
// SAFETY: it looks at the flash's own registers and an atomic alone. A torn place is noted; who read it finds out. Where the boot stage itself is torn, or anything else
// brought this, nothing can be done that the watchdog does not.
unsafe fn NonMaskableInt() {
    let _is_torn = flash::note_torn();
}
