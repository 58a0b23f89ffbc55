//! Changing the firmware: two slots for images, one that runs and one that receives. What the slots are stands in a record of flash ([`record`]), which is
//! written whole or not at all; the boot stage chooses by it ([`boot`]), the running image receives and proves itself ([`receive`], [`trial`]).
//!
//! The slot that runs is never written. A received image is started only after the boot stage has found its signature right, and has one start to prove itself:
//! any start that finds it still on trial is the other image's.

mod boot;
mod handover;
mod node;
mod receive;
mod record;
mod trial;

pub use boot::{Images, Verdict, start};
pub use handover::{Handover, Started};
pub use receive::Update;
pub use record::{IMAGE_PAGE, ImageRecord, SLOTS, SLOTS_BYTES, Slots};
pub use trial::{PROVE_S, TRIAL_S};

use davy_wire::node::Slot;

/// Where a board's slots lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Board id of its images.
    pub board: u16,
    /// Where slots A and B begin.
    pub addresses: [u32; 2],
    /// Bytes of each.
    pub bytes: u32,
}

impl Room {
    /// A board without slots.
    pub const NONE: Self = Self {
        board: 0,
        addresses: [0; 2],
        bytes: 0,
    };

    /// Where a slot begins: what its image is linked for.
    pub const fn address(&self, slot: Slot) -> u32 {
        let [a, b] = self.addresses;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }
}
