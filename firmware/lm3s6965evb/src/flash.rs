//! Flash that outlives QEMU: six pages and two slots of a file beside it, by semihosting. The slots lie in the chip's flash too, where they run: what the file gets
//! is read back into it, which QEMU lets its debugger do. Erases and programs in eight bytes, as a chip does, so that killing QEMU cuts a
//! write where a power cut would.

use crate::place::{ROOM, SLOT_BYTES};
use core::arch::asm;
use davy_node::{Bank, Flash, FlashFailed, IMAGE_PAGE, PAGE_BYTES};
use davy_wire::node::Slot;

const NAME: &[u8] = b"node.flash\0";
const OPEN: u32 = 0x01;
const WRITE: u32 = 0x05;
const READ: u32 = 0x06;
const SEEK: u32 = 0x0a;
/// fopen's r+b and w+b.
const READ_WRITE: u32 = 3;
const CREATE: u32 = 7;
const FAILED: u32 = u32::MAX;
const ERASED: [u8; 8] = [0xff; 8];
const BANKS: [Bank; 6] = [
    Bank::Config0,
    Bank::Config1,
    Bank::State0,
    Bank::State1,
    Bank::Update0,
    Bank::Update1,
];
/// Where the slots begin in the file.
const SLOTS_AT: usize = 8 * PAGE_BYTES;

/// The open file; every call fails where it could not be opened.
pub(crate) struct BoardFlash {
    handle: u32,
}

/// A file loses no bit half.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn forget_torn() {}

#[allow(dead_code, reason = "the boot stage's")]
pub(crate) const fn is_torn() -> bool {
    false
}

/// Asks the debugger, which QEMU plays, for a service.
fn call(operation: u32, arguments: &[u32; 3]) -> u32 {
    let result;
    // SAFETY: the semihosting call reads the three words at r1 and the memory that they name, which lives as long as this call.
    unsafe {
        asm!("bkpt 0xab", inout("r0") operation => result, in("r1") arguments.as_ptr(), options(nostack));
    }
    result
}

fn open(mode: u32) -> u32 {
    call(OPEN, &[NAME.as_ptr() as u32, mode, NAME.len() as u32 - 1])
}

impl BoardFlash {
    /// Opens the file, or makes one that is erased.
    pub(crate) fn open() -> Self {
        let handle = open(READ_WRITE);
        if handle != FAILED {
            return Self { handle };
        }
        let mut flash = Self {
            handle: open(CREATE),
        };
        for bank in BANKS {
            // What fails here fails again at the first write, which tells.
            let _created = flash.erase(bank);
        }
        flash
    }

    /// Has the chip's slots hold what the file does, as after power comes.
    #[allow(dead_code, reason = "the boot stage's")]
    pub(crate) fn wake(&self) {
        for slot in Slot::BOTH {
            self.show(slot, 0, SLOT_BYTES);
        }
    }

    /// Reads a part of a slot from the file to where it runs.
    fn show(&self, slot: Slot, offset: u32, length: u32) {
        if self.seek(in_slot(slot, offset)) {
            let place = ROOM.address(slot) + offset;
            // The call's own check of memory does not matter here: it is the debugger's write.
            call(READ, &[self.handle, place, length]);
        }
    }

    fn seek(&self, place: usize) -> bool {
        call(SEEK, &[self.handle, place as u32, 0]) == 0
    }

    fn write(&mut self, place: usize, bytes: &[u8; 8]) -> Result<(), FlashFailed> {
        #[cfg(feature = "drills")]
        crate::drills::flash_works();
        let written =
            self.seek(place) && call(WRITE, &[self.handle, bytes.as_ptr() as u32, 8]) == 0;
        if written { Ok(()) } else { Err(FlashFailed) }
    }
}

impl Flash for BoardFlash {
    fn read(&self, bank: Bank, offset: usize) -> [u8; 8] {
        let mut bytes = ERASED;
        if self.seek(in_bank(bank, offset)) {
            call(READ, &[self.handle, bytes.as_mut_ptr() as u32, 8]);
        }
        core::hint::black_box(bytes)
    }

    fn erase(&mut self, bank: Bank) -> Result<(), FlashFailed> {
        (0..PAGE_BYTES)
            .step_by(8)
            .try_for_each(|offset| self.write(in_bank(bank, offset), &ERASED))
    }

    fn program(&mut self, bank: Bank, offset: usize, bytes: [u8; 8]) -> Result<(), FlashFailed> {
        self.write(in_bank(bank, offset), &bytes)
    }

    fn read_image(&self, slot: Slot, offset: u32) -> [u8; 8] {
        if offset > SLOT_BYTES - 8 {
            return ERASED;
        }
        // SAFETY: eight bytes of a slot; volatile, for they change under the compiler's hands.
        unsafe { ((ROOM.address(slot) + offset) as *const [u8; 8]).read_volatile() }
    }

    fn erase_image(&mut self, slot: Slot, offset: u32) -> Result<(), FlashFailed> {
        let from = in_slot(slot, offset);
        (from..from + IMAGE_PAGE as usize)
            .step_by(8)
            .try_for_each(|place| self.write(place, &ERASED))?;
        self.show(slot, offset, IMAGE_PAGE);
        Ok(())
    }

    fn program_image(
        &mut self,
        slot: Slot,
        offset: u32,
        bytes: [u8; 8],
    ) -> Result<(), FlashFailed> {
        self.write(in_slot(slot, offset), &bytes)?;
        self.show(slot, offset, 8);
        Ok(())
    }
}

const fn in_bank(bank: Bank, offset: usize) -> usize {
    bank.number() as usize * PAGE_BYTES + offset
}

const fn in_slot(slot: Slot, offset: u32) -> usize {
    SLOTS_AT + slot.number() as usize * SLOT_BYTES as usize + offset as usize
}
