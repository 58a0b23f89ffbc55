//! Where things lie, for the image and the boot stage of every board: each machine in QEMU has memory there.

use crate::machine::BOARD;
use davy_node::{Handover, Kept, Room};

/// Bytes of a slot.
pub(crate) const SLOT_BYTES: u32 = 64 * 1_024;
pub(crate) const ROOM: Room = Room {
    board: BOARD.id(),
    addresses: [0x1_0000, 0x2_0000],
    bytes: SLOT_BYTES,
};

/// The RAM's begin, which no linker script gives to anything else: what outlives a reset lies at the same place for every image.
pub(crate) const HANDOVER: *mut Handover = 0x2000_0000 as *mut Handover;
pub(crate) const KEPT: *mut Kept = 0x2000_0020 as *mut Kept;
/// Where the linker's RAM begins.
const RAM: u32 = 0x2000_1400;
const _: () =
    assert!(size_of::<Handover>() <= 0x20 && 0x2000_0020 + size_of::<Kept>() <= RAM as usize);
