//! CRC-32 (IEEE 802.3, reflected, as zip and Ethernet), bit by bit: a node has no room for a table and little to sum.

/// Of `bytes`; of `123456789` it is 0xcbf43926.
pub fn crc32(bytes: impl IntoIterator<Item = u8>) -> u32 {
    let mut crc = Crc32::new();
    crc.add(bytes);
    crc.sum()
}

/// A sum that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

impl Crc32 {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    pub fn add(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.0 = Nibbles::<0xedb8_8320>::add(self.0, byte);
        }
    }

    /// Of all that was added.
    pub const fn sum(self) -> u32 {
        !self.0
    }
}

/// A reflected sum of up to 32 bits, four bits at a time, out of a table of sixteen: fast enough without a kilobyte.
#[derive(Debug)]
pub struct Nibbles<const POLYNOMIAL: u32>;

impl<const POLYNOMIAL: u32> Nibbles<POLYNOMIAL> {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut at = 0;
        while at < 16 {
            let mut crc = at as u32;
            let mut bit = 0;
            while bit < 4 {
                crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };

    /// The sum after one more byte.
    pub const fn add(crc: u32, byte: u8) -> u32 {
        Self::nibble(Self::nibble(crc ^ byte as u32))
    }

    const fn nibble(crc: u32) -> u32 {
        crc >> 4 ^ Self::TABLE[(crc & 0xf) as usize]
    }
}
