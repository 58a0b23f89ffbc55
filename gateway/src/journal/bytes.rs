//! The small pieces that every part of the journal's format is made of.
//!
//! *varint*: unsigned LEB128, low seven bits first, at most 10 bytes. *zigzag*: a signed number as a varint of `(n << 1) ^ (n >> 63)`.
//! *text*: a varint of the length in bytes, then UTF-8. *option*: its presence is a bit of a flag byte before it. All else is little-endian.

use std::sync::Arc;

/// Longest text that is written, bytes; a longer one is cut at a character. No id, name or note of ours comes near it.
pub(super) const LONGEST_TEXT: usize = 4096;

pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_zigzag(out: &mut Vec<u8>, number: i64) {
    put_varint(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut length = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    put_varint(out, length as u64);
    out.extend_from_slice(&text.as_bytes()[..length]);
}

/// What is left to read of some bytes. Every step answers `None` for bytes that we never wrote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn varint_u32(&mut self) -> Option<u32> {
        self.varint()?.try_into().ok()
    }

    pub(super) fn zigzag(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn text(&mut self) -> Option<Arc<str>> {
        let length = usize::try_from(self.varint()?).ok()?;
        if length > LONGEST_TEXT {
            return None;
        }
        std::str::from_utf8(self.take(length)?).ok().map(Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back_as_they_were(unsigned: u64, signed: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, unsigned);
            put_zigzag(&mut out, signed);
            let mut bytes = Bytes(&out);
            prop_assert_eq!(bytes.varint(), Some(unsigned));
            prop_assert_eq!(bytes.zigzag(), Some(signed));
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn a_text_comes_back_or_is_cut_at_a_character(text in ".{0,2000}") {
            let mut out = Vec::new();
            put_text(&mut out, &text);
            let read = Bytes(&out).text();
            prop_assert!(read.is_some_and(|read| text.starts_with(&*read) && (read.len() == text.len() || text.len() > LONGEST_TEXT)));
        }
    }
}
