//! What the chip says of its last reset, by RCC_CSR (RM0440, RCC). Memory that outlives resets may hold through a short brown-out too; the flags decide.

/// What reset the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetBy {
    /// Power came, or was too low for a moment: memory is not believed.
    Power,
    /// The reset pin or newly loaded option bytes: somebody wanted it.
    Outside,
    /// The watchdog, or a program that has written down why.
    Itself,
}

const OPTION_BYTES: u32 = 1 << 25;
const PIN: u32 = 1 << 26;
const BROWN_OUT: u32 = 1 << 27;
const SOFTWARE: u32 = 1 << 28;
const WATCHDOGS: u32 = 1 << 29 | 1 << 30;

/// Tells it by the flags. Every reset pulls the pin: it counts where it stands alone.
pub(crate) const fn reset_by(flags: u32) -> ResetBy {
    if flags & BROWN_OUT != 0 {
        ResetBy::Power
    } else if flags & (SOFTWARE | WATCHDOGS) != 0 {
        ResetBy::Itself
    } else if flags & (PIN | OPTION_BYTES) != 0 {
        ResetBy::Outside
    } else {
        ResetBy::Itself
    }
}
