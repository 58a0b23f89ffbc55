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
            self.0 ^= u32::from(byte);
            for _ in 0..8 {
                let mask = (self.0 & 1).wrapping_neg();
                self.0 = self.0 >> 1 ^ 0xedb8_8320 & mask;
            }
        }
    }

    /// Of all that was added.
    pub const fn sum(self) -> u32 {
        !self.0
    }
}
