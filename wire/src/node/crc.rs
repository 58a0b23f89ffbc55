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
            self.0 = nibble(nibble(self.0 ^ u32::from(byte)));
        }
    }

    /// Of all that was added.
    pub const fn sum(self) -> u32 {
        !self.0
    }
}

/// Four bits at a time, out of a table of sixteen: fast enough without a kilobyte.
const fn nibble(crc: u32) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut at = 0;
        while at < 16 {
            let mut crc = at as u32;
            let mut bit = 0;
            while bit < 4 {
                crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };
    crc >> 4 ^ TABLE[(crc & 0xf) as usize]
}
