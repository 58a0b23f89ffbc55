//! A node's firmware image as it lies in a slot of its flash and crosses the link, little-endian:
//!
//! | Bytes | Content |
//! |---|---|
//! | 0–63 | Ed25519 signature over all bytes from 64 to the image's end |
//! | 64–67 | "DVNI" |
//! | 68–69 | layout, 1 |
//! | 70–71 | board id, see [`Board`] |
//! | 72–77 | version: major, minor, patch, each u16; an image that is older than what a node has confirmed is refused |
//! | 78–79 | flags: bit 0 drills, 1 hangs on its trial, 2 panics on its trial, 3 fails its self-test; all but the first are for images with drills alone |
//! | 80–83 | address that it is linked for: where the slot begins |
//! | 84–87 | length of all this, bytes, a multiple of eight |
//! | 88–91 | CRC-32 of the bytes from 1024 to the end |
//! | 92–123 | zero |
//! | 124–127 | CRC-32 of the bytes 64–123 |
//! | 128–1023 | 0xff |
//! | 1024 … | vector table, code and constants, filled up with 0xff to a multiple of eight |
//!
//! An update file is nothing but images one after the other, one for each slot: each tells its own length.

use super::crc32;

/// Bytes before an image's vector table.
pub const IMAGE_HEAD: usize = 1_024;
/// Bytes that tell what an image is, with its signature: what is offered to a node.
pub const OFFER_BYTES: usize = 128;
/// Registers of an offer.
pub const OFFER_WORDS: usize = OFFER_BYTES / 2;
/// Bytes of a signature, before what it signs.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of an image that one write carries.
pub const BLOCK_BYTES: usize = 128;
/// Registers of a block: where it begins (u32), then its bytes, high byte first.
pub const BLOCK_REGISTERS: usize = 2 + BLOCK_BYTES / 2;

const MAGIC: [u8; 4] = *b"DVNI";
const LAYOUT: u16 = 1;

/// A board that the firmware is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    Lm3s6965evb,
    Mps2An386,
    Stm32g474,
}

impl Board {
    pub const ALL: [Self; 3] = [Self::Lm3s6965evb, Self::Mps2An386, Self::Stm32g474];

    /// The id in images and registers, from 1.
    pub const fn id(self) -> u16 {
        match self {
            Self::Lm3s6965evb => 1,
            Self::Mps2An386 => 2,
            Self::Stm32g474 => 3,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Lm3s6965evb => "lm3s6965evb",
            Self::Mps2An386 => "mps2-an386",
            Self::Stm32g474 => "stm32g474",
        }
    }
}

/// Major, minor, patch; the first that differs decides which is older.
pub type Version = [u16; 3];

/// What an image says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHead {
    pub board: u16,
    pub version: Version,
    pub flags: u16,
    pub address: u32,
    /// Bytes of the whole image, head and all.
    pub length: u32,
    /// CRC-32 of what follows the head.
    pub crc: u32,
}

/// Flags of an image.
pub mod image_flag {
    /// Built with drills.
    pub const DRILLS: u16 = 1;
    pub const HANGS: u16 = 1 << 1;
    pub const PANICS: u16 = 1 << 2;
    pub const FAILS_TEST: u16 = 1 << 3;
}

impl ImageHead {
    /// Reads an offer; `None` if it is not whole or of another layout.
    pub fn read(offer: &[u8; OFFER_BYTES]) -> Option<Self> {
        let (body, sum) = offer.get(SIGNATURE_BYTES..)?.split_last_chunk()?;
        let known = body.get(..4)? == MAGIC && u16_at(body, 4)? == LAYOUT;
        if !known || u32::from_le_bytes(*sum) != crc32(body.iter().copied()) {
            return None;
        }
        let head = body;
        let head = Self {
            board: u16_at(head, 6)?,
            version: [u16_at(head, 8)?, u16_at(head, 10)?, u16_at(head, 12)?],
            flags: u16_at(head, 14)?,
            address: u32_at(head, 16)?,
            length: u32_at(head, 20)?,
            crc: u32_at(head, 24)?,
        };
        let length = head.length as usize;
        (length > IMAGE_HEAD && length.is_multiple_of(8)).then_some(head)
    }

    /// The bytes that stand behind the signature, in an offer.
    pub fn to_bytes(&self) -> [u8; OFFER_BYTES - SIGNATURE_BYTES] {
        let mut bytes = [0; OFFER_BYTES - SIGNATURE_BYTES];
        let [major, minor, patch] = self.version;
        let words = [LAYOUT, self.board, major, minor, patch, self.flags];
        let wide = [self.address, self.length, self.crc];
        let words = words.into_iter().flat_map(u16::to_le_bytes);
        let wide = wide.into_iter().flat_map(u32::to_le_bytes);
        let content = MAGIC.into_iter().chain(words).chain(wide);
        let (body, sum) = bytes.split_at_mut(OFFER_BYTES - SIGNATURE_BYTES - 4);
        body.iter_mut()
            .zip(content)
            .for_each(|(to, from)| *to = from);
        let own = crc32(body.iter().copied()).to_le_bytes();
        sum.iter_mut().zip(own).for_each(|(to, from)| *to = from);
        bytes
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
