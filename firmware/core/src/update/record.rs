//! What the slots are, as it lies in flash: 56 bytes in two pages that are written in turn (`banks`), so that a power cut leaves the old record or the new one.
//!
//! | Bytes | Content, little-endian |
//! |---|---|
//! | 0 | slot that is started where none is on trial |
//! | 1 | zero |
//! | 2–3 | self-tests that failed when the trial was ordered, by bit |
//! | 4–9 | the newest version that was ever confirmed: none older is received |
//! | 10–11 | zero |
//! | 12–31, 32–51 | slot A, slot B: state, why rejected, version (3 × u16), length, CRC, CRC-32 of its offer |
//! | 52–55 | bytes of the image being received that are certainly there |

use crate::banks::{Bank, Banks};
use davy_wire::node::{ImageHead, Slot, SlotState, Version, Why};

/// Bytes that are erased at once while an image is received; what is received is certain by so many.
pub const IMAGE_PAGE: u32 = 4_096;
/// Bytes of the record.
pub const SLOTS_BYTES: usize = 56;
/// The two pages that hold it.
pub const SLOTS: Banks<SLOTS_BYTES> = Banks::new([Bank::Update0, Bank::Update1]);

const SLOT_BYTES: usize = 20;

/// One slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageRecord {
    pub state: SlotState,
    pub why: Option<Why>,
    pub version: Version,
    pub length: u32,
    pub crc: u32,
    /// CRC-32 of the 128 bytes that offered it: which image it is.
    pub offer: u32,
}

impl ImageRecord {
    pub const EMPTY: Self = Self {
        state: SlotState::Empty,
        why: None,
        version: [0; 3],
        length: 0,
        crc: 0,
        offer: 0,
    };

    /// An image that comes to this.
    pub const fn of(head: &ImageHead, state: SlotState, offer: u32) -> Self {
        Self {
            state,
            why: None,
            version: head.version,
            length: head.length,
            crc: head.crc,
            offer,
        }
    }

    fn to_bytes(self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let codes = [self.state.code(), self.why.map_or(0, Why::code)];
        let version = self.version.into_iter().flat_map(u16::to_le_bytes);
        let wide = [self.length, self.crc, self.offer];
        let wide = wide.into_iter().flat_map(u32::to_le_bytes);
        let content = codes.into_iter().chain(version).chain(wide);
        bytes
            .iter_mut()
            .zip(content)
            .for_each(|(to, from)| *to = from);
        bytes
    }

    fn of_bytes(bytes: &[u8; SLOT_BYTES]) -> Option<Self> {
        let [state, why, a0, a1, b0, b1, c0, c1, wide @ ..] = *bytes;
        let (words, _) = wide.as_chunks();
        let [length, crc, offer] = *words else {
            return None;
        };
        Some(Self {
            state: SlotState::from_code(state)?,
            why: Why::from_code(why),
            version: [[a0, a1], [b0, b1], [c0, c1]].map(u16::from_le_bytes),
            length: u32::from_le_bytes(length),
            crc: u32::from_le_bytes(crc),
            offer: u32::from_le_bytes(offer),
        })
    }
}

/// Both slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    pub active: Slot,
    pub tests_before: u16,
    pub floor: Version,
    pub images: [ImageRecord; 2],
    pub mark: u32,
}

impl Slots {
    /// Nothing is known of either.
    pub const EMPTY: Self = Self {
        active: Slot::A,
        tests_before: 0,
        floor: [0; 3],
        images: [ImageRecord::EMPTY; 2],
        mark: 0,
    };

    pub const fn image(&self, slot: Slot) -> &ImageRecord {
        let [a, b] = &self.images;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    pub const fn image_mut(&mut self, slot: Slot) -> &mut ImageRecord {
        let [a, b] = &mut self.images;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    /// It is never started again.
    pub const fn reject(&mut self, slot: Slot, why: Why) {
        let image = self.image_mut(slot);
        (image.state, image.why) = (SlotState::Rejected, Some(why));
    }

    /// It has proved itself, and is started from now on.
    pub fn confirm(&mut self, slot: Slot) {
        let image = self.image_mut(slot);
        (image.state, image.why) = (SlotState::Confirmed, None);
        let version = image.version;
        self.floor = self.floor.max(version);
        self.active = slot;
    }

    pub fn to_bytes(&self) -> [u8; SLOTS_BYTES] {
        let mut bytes = [0; SLOTS_BYTES];
        let [t0, t1] = self.tests_before.to_le_bytes();
        let head = [self.active.number(), 0, t0, t1];
        let floor = self.floor.into_iter().flat_map(u16::to_le_bytes);
        let images = self.images.into_iter().flat_map(ImageRecord::to_bytes);
        let content = head.into_iter().chain(floor).chain([0, 0]).chain(images);
        let content = content.chain(self.mark.to_le_bytes());
        bytes
            .iter_mut()
            .zip(content)
            .for_each(|(to, from)| *to = from);
        bytes
    }

    /// `None` where the bytes are of no record of ours.
    pub fn of_bytes(bytes: &[u8; SLOTS_BYTES]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk()?;
        let [active, _, t0, t1, a0, a1, b0, b1, c0, c1, _, _]: [u8; 12] = *head;
        let (a, rest) = rest.split_first_chunk()?;
        let (b, mark) = rest.split_first_chunk()?;
        Some(Self {
            active: Slot::from_number(active)?,
            tests_before: u16::from_le_bytes([t0, t1]),
            floor: [[a0, a1], [b0, b1], [c0, c1]].map(u16::from_le_bytes),
            images: [ImageRecord::of_bytes(a)?, ImageRecord::of_bytes(b)?],
            mark: u32::from_le_bytes(*mark.first_chunk()?),
        })
    }
}
