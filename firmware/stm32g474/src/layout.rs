//! Where things lie in the 512 kB of flash, which are two banks of 256 kB in pages of 2 kB (RM0440, embedded flash of category 3 devices; with the option DBANK set, as the chip comes).
//!
//! | From | Bytes | Bank, pages | What |
//! |---|---|---|---|
//! | 0x0800 0000 | 32 kB | 1, 0–15 | boot stage |
//! | 0x0800 8000 | 96 kB | 1, 16–63 | slot A |
//! | 0x0802 0000 | 96 kB | 1, 64–111 | slot B |
//! | 0x0803 8000 | 32 kB | 1, 112–127 | nothing |
//! | 0x0804 0000 | 12 kB | 2, 0–5 | the records: configuration, state and slots, two pages each |
//!
//! Code could run from the first bank while records are written in the second (RM0440, read while write): the chip would not stop. The main loop waits for a record
//! all the same (flash.rs), some 25 to 30 ms; an image that is being received stops the chip too.

use davy_node::{Bank, IMAGE_PAGE, PAGE_BYTES};

/// Bytes that are erased at once.
pub(crate) const PAGE: u32 = 2 * 1_024;
const BANK: u32 = 256 * 1_024;
const FLASH: u32 = 0x0800_0000;
const SECOND_BANK: u32 = FLASH + BANK;
/// Bytes of flash that the chip must have.
pub(crate) const BYTES: u32 = 2 * BANK;

/// Where the slots begin.
pub(crate) const SLOTS: [u32; 2] = [FLASH + 0x8000, FLASH + 0x2_0000];
/// Bytes of a slot.
pub(crate) const SLOT_BYTES: u32 = 96 * 1_024;
const _: () = {
    let [a, b] = SLOTS;
    assert!(a + SLOT_BYTES <= b && b + SLOT_BYTES <= SECOND_BANK);
    assert!(a.is_multiple_of(IMAGE_PAGE) && b.is_multiple_of(IMAGE_PAGE));
    assert!(SLOT_BYTES.is_multiple_of(IMAGE_PAGE) && IMAGE_PAGE.is_multiple_of(PAGE));
    assert!(PAGE_BYTES <= PAGE as usize);
};

/// Where a record's page begins.
pub(crate) const fn record(bank: Bank) -> u32 {
    SECOND_BANK + bank.number() as u32 * PAGE
}

/// A page as the flash's control register names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) in_second_bank: bool,
    /// 0 to 127.
    pub(crate) number: u8,
}

/// The page that an address lies in; `None` outside the flash.
pub(crate) const fn page(address: u32) -> Option<Page> {
    let from_begin = address.wrapping_sub(FLASH);
    if from_begin >= BYTES {
        return None;
    }
    Some(Page {
        in_second_bank: from_begin >= BANK,
        number: (from_begin % BANK / PAGE) as u8,
    })
}
