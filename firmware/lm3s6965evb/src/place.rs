//! Where things lie, for the image and the boot stage of every board: each machine has memory there.

pub(crate) use crate::machine::SLOT_BYTES;
use crate::machine::{BOARD, RAM, SLOTS};
use davy_node::{Handover, Kept, Room};

pub(crate) const ROOM: Room = Room {
    board: BOARD.id(),
    addresses: SLOTS,
    bytes: SLOT_BYTES,
};

/// The RAM's begin, which no linker script gives to anything else: what outlives a reset lies at the same place for every image.
pub(crate) const HANDOVER: *mut Handover = 0x2000_0000 as *mut Handover;
pub(crate) const KEPT: *mut Kept = 0x2000_0020 as *mut Kept;
const _: () =
    assert!(size_of::<Handover>() <= 0x20 && 0x2000_0020 + size_of::<Kept>() <= RAM as usize);
