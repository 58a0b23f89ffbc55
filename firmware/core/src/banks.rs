//! A record in two pages of flash, written in turn: a power cut at any moment leaves the old record or the new one whole.
//!
//! A page, little-endian:
//!
//! | Bytes | Content |
//! |---|---|
//! | 0–3 | "DVNP" |
//! | 4–7 | sequence, u32, from 1; the higher of two whole pages counts |
//! | 8–11 | CRC-32 of sequence and record |
//! | 12–15 | CRC-32 again, inverted |
//! | 16 … | the record |
//!
//! The record is programmed first and the head last, so that a head stands only over a whole record; every byte is read back.

use davy_wire::node::{Slot, crc32};

/// Bytes that a page must hold at least.
pub const PAGE_BYTES: usize = 1_024;
const HEAD: usize = 16;
const MAGIC: [u8; 4] = *b"DVNP";
/// Bytes that are programmed or read at once: flash of 64-bit words takes eight.
const PIECE: usize = 8;

/// A page of flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    Config0,
    Config1,
    State0,
    State1,
    Update0,
    Update1,
}

impl Bank {
    /// 0 to 5.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Flash did not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashFailed;

/// Six pages of flash, at least [`PAGE_BYTES`] each, and on boards that have them two slots for images, which keep what was programmed without power.
pub trait Flash {
    /// Reads eight bytes at `offset`, a multiple of eight below [`PAGE_BYTES`].
    fn read(&self, bank: Bank, offset: usize) -> [u8; 8];
    /// Makes the page ready to be programmed.
    fn erase(&mut self, bank: Bank) -> Result<(), FlashFailed>;
    /// Programs eight bytes at `offset` of an erased page, each place once.
    fn program(&mut self, bank: Bank, offset: usize, bytes: [u8; 8]) -> Result<(), FlashFailed>;

    /// Reads eight bytes of a slot at `offset`, a multiple of eight.
    fn read_image(&self, _slot: Slot, _offset: u32) -> [u8; PIECE] {
        [0xff; PIECE]
    }
    /// Makes [`IMAGE_PAGE`](crate::IMAGE_PAGE) bytes from `offset` on, a multiple of it, ready to be programmed.
    fn erase_image(&mut self, _slot: Slot, _offset: u32) -> Result<(), FlashFailed> {
        Err(FlashFailed)
    }
    /// Programs eight bytes of a slot, each place once.
    fn program_image(
        &mut self,
        _slot: Slot,
        _offset: u32,
        _bytes: [u8; PIECE],
    ) -> Result<(), FlashFailed> {
        Err(FlashFailed)
    }
}

/// Two pages that hold one record of `N` bytes, a multiple of eight.
#[derive(Clone, Copy, Debug)]
pub struct Banks<const N: usize> {
    banks: [Bank; 2],
}

impl<const N: usize> Banks<N> {
    const FITS: () = assert!(N.is_multiple_of(PIECE) && N + HEAD <= PAGE_BYTES);

    /// The record that lies in these two pages.
    pub const fn new(banks: [Bank; 2]) -> Self {
        let () = Self::FITS;
        Self { banks }
    }

    /// The newest whole record, and its sequence.
    pub fn load(&self, flash: &impl Flash) -> Option<(u32, [u8; N])> {
        let [first, second] = self.sequences(flash);
        let bank = if first >= second {
            self.banks[0]
        } else {
            self.banks[1]
        };
        let sequence = first.max(second);
        (sequence > 0).then(|| (sequence, record(flash, bank)))
    }

    /// Writes the record over the older page, and reads it back.
    pub fn store(&self, flash: &mut impl Flash, bytes: &[u8; N]) -> Result<u32, FlashFailed> {
        let [first, second] = self.sequences(flash);
        let bank = if first <= second {
            self.banks[0]
        } else {
            self.banks[1]
        };
        let sequence = first.max(second).checked_add(1).ok_or(FlashFailed)?;
        flash.erase(bank)?;
        for (nth, piece) in bytes.as_chunks().0.iter().enumerate() {
            flash.program(bank, HEAD + nth * PIECE, *piece)?;
        }
        if record::<N>(flash, bank) != *bytes {
            return Err(FlashFailed);
        }
        let crc = sum(sequence, bytes);
        flash.program(bank, PIECE, joined(crc.to_le_bytes(), (!crc).to_le_bytes()))?;
        flash.program(bank, 0, joined(MAGIC, sequence.to_le_bytes()))?;
        if self.sequence(flash, bank) == sequence {
            Ok(sequence)
        } else {
            Err(FlashFailed)
        }
    }

    fn sequences(&self, flash: &impl Flash) -> [u32; 2] {
        self.banks.map(|bank| self.sequence(flash, bank))
    }

    /// 0 if the page is not whole.
    fn sequence(&self, flash: &impl Flash, bank: Bank) -> u32 {
        let (magic, sequence) = parted(flash.read(bank, 0));
        let (crc, inverted) = parted(flash.read(bank, PIECE));
        let sequence = u32::from_le_bytes(sequence);
        let crc = u32::from_le_bytes(crc);
        let heads = magic == MAGIC && !crc == u32::from_le_bytes(inverted);
        if heads && crc == sum(sequence, &record::<N>(flash, bank)) {
            sequence
        } else {
            0
        }
    }
}

fn record<const N: usize>(flash: &impl Flash, bank: Bank) -> [u8; N] {
    let mut bytes = [0; N];
    for (nth, piece) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
        *piece = flash.read(bank, HEAD + nth * PIECE);
    }
    bytes
}

fn sum(sequence: u32, bytes: &[u8]) -> u32 {
    crc32(
        sequence
            .to_le_bytes()
            .into_iter()
            .chain(bytes.iter().copied()),
    )
}

const fn joined(first: [u8; 4], second: [u8; 4]) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (first, second);
    [a, b, c, d, e, f, g, h]
}

const fn parted(bytes: [u8; 8]) -> ([u8; 4], [u8; 4]) {
    let [a, b, c, d, e, f, g, h] = bytes;
    ([a, b, c, d], [e, f, g, h])
}
