//! Self-tests that need no hardware of their own; a board runs those that do and tells the result.

use core::hint::black_box;

/// What the analog front end's reference reads, microamperes.
pub const REFERENCE_UA: u16 = 10_000;
/// How far it may be off: 1 % of it.
const REFERENCE_ERROR_UA: u16 = 100;

/// Whether the reference is what it should be.
pub(crate) const fn reference_holds(reference_ua: u16) -> bool {
    reference_ua.abs_diff(REFERENCE_UA) <= REFERENCE_ERROR_UA
}

/// Whether a word of memory takes every bit both ways; it holds afterwards what it held before. Nobody else may look at it meanwhile.
pub fn pattern_holds(word: &mut u32) -> bool {
    let before = *word;
    let mut holds = true;
    for pattern in [0x5555_5555, 0xaaaa_aaaa, 0x0000_0000, 0xffff_ffff] {
        *word = pattern;
        // The compiler must not know that it is still there.
        holds &= *black_box(&mut *word) == pattern;
    }
    *word = before;
    holds
}
