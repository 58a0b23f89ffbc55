//! The chip's own flash: records and slots. Eight bytes are programmed at once, with their sum of errors beside them (RM0440, FLASH: error code correction).
//!
//! A power cut in the midst of programming or erasing leaves places whose sum does not fit, and reading one raises an exception that cannot be masked (the same). Whoever
//! reads here expects that: the place reads as nothing that a record could hold, and the reader goes on. So what `davy_node` makes of it holds on this chip too: the old
//! record or the new one.
//!
//! By the chip's registers and not embassy's driver: that is for one writer who borrows the peripheral, checks at run time what stands in `layout`, and has ways to panic.

use crate::layout::{self, BYTES, SLOT_BYTES};
use crate::machine::SLOTS;
use core::sync::atomic::{AtomicBool, Ordering, compiler_fence};
use davy_node::{Bank, Flash, FlashFailed, IMAGE_PAGE};
use davy_wire::node::Slot;
use embassy_stm32::pac::FLASH;
use embassy_stm32::pac::flash::regs::{Eccr, Sr};

/// What a torn place reads as.
const TORN: [u8; 8] = [0x5a; 8];
const ERASED: [u8; 8] = [0xff; 8];
const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];
/// The chip's size in kilobytes (RM0440, device electronic signature).
const SIZE_KB: *const u16 = 0x1fff_75e0 as *const u16;
/// Every flag of FLASH_SR that tells of an error, and the end of an operation: cleared by writing them (RM0440, FLASH).
const FLAGS: u32 = 1 << 0 | 1 << 1 | 0x3f << 3 | 1 << 8 | 1 << 9 | 1 << 14 | 1 << 15;
const ERRORS: u32 = FLAGS & !1;

/// Whether a torn place was read since it was last asked.
static IS_TORN: AtomicBool = AtomicBool::new(false);

/// What was torn before does not count.
pub(crate) fn forget_torn() {
    IS_TORN.store(false, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
}

/// Whether a torn place was read since.
pub(crate) fn is_torn() -> bool {
    // Everything that was read has come, and with it the exception.
    cortex_m::asm::dsb();
    compiler_fence(Ordering::SeqCst);
    IS_TORN.load(Ordering::Relaxed) || FLASH.eccr().read().eccd()
}

/// To be called by the exception that cannot be masked: whether it came from a torn place, which is noted then.
pub(crate) fn note_torn() -> bool {
    let is_torn = FLASH.eccr().read().eccd();
    if is_torn {
        IS_TORN.store(true, Ordering::Relaxed);
        // Cleared by writing it; while it stands, no other place can be told of.
        let mut clear = Eccr(0);
        clear.set_eccd(true);
        clear.set_eccc(true);
        FLASH.eccr().write_value(clear);
    }
    is_torn
}

/// Whether somebody reads what may be torn.
static IS_EXPECTED: AtomicBool = AtomicBool::new(false);

/// Whether a torn place, noted just now, was read by somebody who expects that; if not, it is code that runs.
#[allow(dead_code, reason = "the image's")]
pub(crate) fn was_expected() -> bool {
    IS_EXPECTED.load(Ordering::Relaxed)
}

/// The flash, by its registers.
pub(crate) struct BoardFlash {
    is_usable: bool,
}

/// Whether the option bytes and the size are what `layout` takes them for.
pub(crate) fn is_as_laid_out() -> bool {
    // SAFETY: a word of the chip's system memory, which can be read at any time.
    let bytes = u32::from(unsafe { SIZE_KB.read_volatile() }) * 1_024;
    FLASH.optr().read().dbank() && bytes >= BYTES
}

impl BoardFlash {
    /// Opens it; where the chip is laid out otherwise, every write fails.
    pub(crate) fn open() -> Self {
        // A torn place must not come out of the cache of data, which raises nothing; nor must what was there before an erase. And the errata have it
        // corrupted while one bank is read and the other written (ES0430).
        FLASH.acr().modify(|acr| acr.set_dcen(false));
        Self {
            is_usable: is_as_laid_out(),
        }
    }

    /// It is awake.
    #[allow(dead_code, reason = "the boot stage's")]
    pub(crate) const fn wake(&self) {}

    fn erase_page(&mut self, address: u32) -> Result<(), FlashFailed> {
        let page = layout::page(address).filter(|_| self.is_usable);
        let page = page.ok_or(FlashFailed)?;
        #[cfg(feature = "drills")]
        crate::drills::flash_works();
        unlock();
        FLASH.cr().write(|cr| {
            cr.set_per(true);
            cr.set_bker(page.in_second_bank);
            cr.set_pnb(page.number);
        });
        FLASH.cr().modify(|cr| cr.set_strt(true));
        finish()
    }

    fn program_at(&mut self, address: u32, bytes: [u8; 8]) -> Result<(), FlashFailed> {
        if !self.is_usable || layout::page(address).is_none() {
            return Err(FlashFailed);
        }
        #[cfg(feature = "drills")]
        crate::drills::flash_works();
        let [a, b, c, d, e, f, g, h] = bytes;
        let words = [[a, b, c, d], [e, f, g, h]].map(u32::from_le_bytes);
        unlock();
        FLASH.cr().write(|cr| cr.set_pg(true));
        for (nth, word) in words.into_iter().enumerate() {
            let place = (address + nth as u32 * 4) as *mut u32;
            // SAFETY: flash of a record or of the slot that does not run, by `layout`; programming is on, and the two words come one after the other (RM0440, standard programming).
            unsafe { place.write_volatile(word) }
            cortex_m::asm::isb();
        }
        finish()
    }
}

/// Waits for whatever runs, clears what it left, and unlocks the control register.
fn unlock() {
    wait();
    FLASH.sr().write_value(Sr(FLAGS));
    if FLASH.cr().read().lock() {
        for key in KEYS {
            FLASH.keyr().write_value(key);
        }
    }
}

/// Waits for the end, and locks again.
fn finish() -> Result<(), FlashFailed> {
    wait();
    let failed = FLASH.sr().read().0 & ERRORS != 0;
    FLASH.cr().write(|cr| cr.set_lock(true));
    if failed { Err(FlashFailed) } else { Ok(()) }
}

/// An erase takes 22 ms, 24.5 at the most, and eight bytes 82 µs, 91 at the most (data sheet DS12288, flash memory characteristics). Flash that never ends is the watchdog's.
fn wait() {
    while FLASH.sr().read().bsy() {}
}

/// Reads a place that may be torn.
fn read_at(address: u32) -> [u8; 8] {
    forget_torn();
    IS_EXPECTED.store(true, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
    let place = address as *const u32;
    // SAFETY: flash of a record or a slot, by `layout`; volatile, for it changes under the compiler's hands.
    let words = unsafe { [place.read_volatile(), place.add(1).read_volatile()] };
    let is_torn = is_torn();
    IS_EXPECTED.store(false, Ordering::Relaxed);
    if is_torn {
        return TORN;
    }
    let [[a, b, c, d], [e, f, g, h]] = words.map(u32::to_le_bytes);
    [a, b, c, d, e, f, g, h]
}

impl Flash for BoardFlash {
    fn read(&self, bank: Bank, offset: usize) -> [u8; 8] {
        read_at(layout::record(bank) + offset as u32)
    }

    fn erase(&mut self, bank: Bank) -> Result<(), FlashFailed> {
        self.erase_page(layout::record(bank))
    }

    fn program(&mut self, bank: Bank, offset: usize, bytes: [u8; 8]) -> Result<(), FlashFailed> {
        self.program_at(layout::record(bank) + offset as u32, bytes)
    }

    fn read_image(&self, slot: Slot, offset: u32) -> [u8; 8] {
        if offset > SLOT_BYTES - 8 {
            return ERASED;
        }
        read_at(in_slot(slot, offset))
    }

    fn erase_image(&mut self, slot: Slot, offset: u32) -> Result<(), FlashFailed> {
        let from = in_slot(slot, offset);
        (from..from + IMAGE_PAGE)
            .step_by(layout::PAGE as usize)
            .try_for_each(|page| self.erase_page(page))
    }

    fn program_image(
        &mut self,
        slot: Slot,
        offset: u32,
        bytes: [u8; 8],
    ) -> Result<(), FlashFailed> {
        self.program_at(in_slot(slot, offset), bytes)
    }
}

const fn in_slot(slot: Slot, offset: u32) -> u32 {
    let [a, b] = SLOTS;
    match slot {
        Slot::A => a + offset,
        Slot::B => b + offset,
    }
}
