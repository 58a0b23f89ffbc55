//! The way out of a panic or a processor fault: relays to where a failed node must leave them, the cause where the next start finds it, reset.

use crate::board;
use crate::place::{HANDOVER, KEPT};
use core::sync::atomic::{AtomicU8, Ordering};
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use davy_node::{Kept, Started};
use davy_wire::node::ResetCause;

static WHEN_FAILED: AtomicU8 = AtomicU8::new(0);

/// The kept memory, to be taken once.
pub(crate) fn kept() -> &'static mut Kept {
    // SAFETY: called once, by `main`, before anything can fail into `reset`; `Kept` is integers alone, for which any bits are a value, and nothing else lies there.
    unsafe { &mut *KEPT }
}

/// What the boot stage says of this start, to be asked once.
pub(crate) fn started() -> Option<Started> {
    // SAFETY: integers alone; the boot stage, which wrote there, runs no more.
    unsafe { (*HANDOVER).take() }
}

/// Which coils a failure must leave driven.
pub(crate) fn leave(coils: u8) {
    WHEN_FAILED.store(coils, Ordering::Relaxed);
}

/// Ends this run.
pub(crate) fn reset(cause: ResetCause) -> ! {
    cortex_m::interrupt::disable();
    board::drive(WHEN_FAILED.load(Ordering::Relaxed));
    // SAFETY: whoever borrowed the memory never runs again: interrupts are off and this function does not return.
    let kept = unsafe { &mut *KEPT };
    kept.resets_because(u32::from(cause.code()));
    SCB::sys_reset()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    reset(ResetCause::Panic)
}

#[exception]
// SAFETY: the trampoline of cortex-m-rt calls it, once, with the frame of the fault.
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    reset(ResetCause::Fault)
}

#[exception]
// SAFETY: `board` looks at its own registers and an atomic alone; where that does not settle it, nothing else runs from here on.
unsafe fn NonMaskableInt() {
    if let Some(cause) = board::cannot_be_masked() {
        reset(cause)
    }
}

#[exception]
// SAFETY: no interrupt is ever enabled; one that comes all the same is a fault.
unsafe fn DefaultHandler(_: i16) {
    reset(ResetCause::Fault)
}
