//! Self-tests of memory: the RAM's bits, the flash's sum, the stack's depth. A little in each round, so that no round grows long.

use crate::flash::BoardFlash;
use crate::{board, failure};
use core::mem::MaybeUninit;
use core::ops::Range;
use davy_node::{Boot, Node, pattern_holds};
use davy_wire::node::{Crc32, IMAGE_HEAD, ImageHead, OFFER_BYTES};

/// Free stack below which the node says so, bytes.
pub(crate) const STACK_RESERVE: u16 = 1_024;
const PAINT: u32 = 0xdead_beef;
/// What the painter itself stands on, bytes.
const OWN_FRAME: u32 = 256;
const RAM_WORDS_A_ROUND: u32 = 16;
const FLASH_WORDS_A_ROUND: u32 = 64;
const STACK_WORDS_A_ROUND: u32 = 128;

unsafe extern "C" {
    static __sheap: u32;
    static _stack_start: u32;
    static __vector_table: u32;
}

/// The node's own memory: counted with what is static, not with the stack.
static mut NODE: MaybeUninit<Node<'static, BoardFlash>> = MaybeUninit::uninit();

/// Starts the node there, to be called once. Never inlined: the stack that it takes is given back.
#[inline(never)]
pub(crate) fn start_node(boot: Boot) -> &'static mut Node<'static, BoardFlash> {
    // SAFETY: called once, by `main`, which owns what comes back; nobody else names the place.
    let slot = unsafe { &mut *(&raw mut NODE) };
    Node::start(slot, failure::kept(), BoardFlash::open(), boot)
}

/// From the end of what is static to the top of the stack.
fn stack() -> Range<u32> {
    (&raw const __sheap as u32)..(&raw const _stack_start as u32)
}

/// Marks the stack that is not used yet.
pub(crate) fn paint_stack() {
    let below = cortex_m::register::msp::read().saturating_sub(OWN_FRAME) & !3;
    for address in (stack().start..below).step_by(4) {
        // SAFETY: RAM above everything static and below this call's own frame: nobody's.
        unsafe { (address as *mut u32).write_volatile(PAINT) }
    }
}

/// How much of the stack was never used, looked at from its end.
pub(crate) struct Depth {
    looked: u32,
    free: u32,
}

impl Depth {
    /// As far as is looked, bytes.
    const MOST: u32 = 8 * 1_024;

    pub(crate) fn start() -> Self {
        Self {
            looked: 0,
            free: Self::MOST,
        }
    }

    /// Looks at the next words; bytes that were free when the end of them was last seen, at most 8 kB.
    pub(crate) fn step(&mut self) -> u16 {
        for _ in 0..STACK_WORDS_A_ROUND {
            let address = stack().start + self.looked;
            // SAFETY: RAM of the stack; reading changes nothing.
            let painted = unsafe { (address as *const u32).read_volatile() } == PAINT;
            if painted && self.looked < Self::MOST {
                self.looked += 4;
            } else {
                (self.free, self.looked) = (self.looked, 0);
                break;
            }
        }
        self.free as u16
    }
}

/// Walks through the RAM, word by word.
pub(crate) struct Walk {
    at: u32,
    holds: bool,
}

const RAM: Range<u32> = 0x2000_0000..0x2001_0000;

impl Walk {
    pub(crate) fn start() -> Self {
        Self {
            at: RAM.start,
            holds: true,
        }
    }

    /// Tests the next words; whether all have held so far.
    pub(crate) fn step(&mut self) -> bool {
        for _ in 0..RAM_WORDS_A_ROUND {
            let at = self.at;
            // What the hardware writes by itself must not be found with a pattern in it.
            self.holds &=
                board::is_written_by_hardware(at) || cortex_m::interrupt::free(|_| word_holds(at));
            self.at = if at + 4 < RAM.end { at + 4 } else { RAM.start };
        }
        self.holds
    }
}

/// Tests one word in a copy of itself at the same place: registers hold what the test needs meanwhile.
#[inline(never)]
fn word_holds(address: u32) -> bool {
    let place = address as *mut u32;
    // SAFETY: a word of RAM; interrupts are off, nothing else runs, and it holds again what it held before this returns. The words of this very call's frame
    // are passed over.
    let own = cortex_m::register::msp::read();
    if (own.saturating_sub(256)..own + 64).contains(&address) {
        return true;
    }
    // SAFETY: as above.
    unsafe { pattern_holds(&mut *place) }
}

/// What the image's head says, as it lies before its vectors; `None` where a debugger put an image without one.
pub(crate) fn head() -> Option<ImageHead> {
    let begin = (&raw const __vector_table as usize).checked_sub(IMAGE_HEAD)?;
    // SAFETY: flash of this slot, before the image.
    ImageHead::read(unsafe { &*(begin as *const [u8; OFFER_BYTES]) })
}

/// Sums the image again and again, and holds each sum against the one that was made when it was built.
pub(crate) struct FlashSum {
    head: Option<ImageHead>,
    at: u32,
    sum: Crc32,
    holds: bool,
}

impl FlashSum {
    pub(crate) fn start() -> Self {
        let head = head();
        Self {
            holds: head.is_some(),
            head,
            at: 0,
            sum: Crc32::new(),
        }
    }

    /// Sums the next words; whether every sum so far was right.
    pub(crate) fn step(&mut self) -> bool {
        let Some(head) = self.head else { return false };
        let begin = &raw const __vector_table as u32;
        let length = head.length.saturating_sub(IMAGE_HEAD as u32);
        for _ in 0..FLASH_WORDS_A_ROUND {
            if self.at >= length {
                self.holds &= self.sum.sum() == head.crc;
                (self.at, self.sum) = (0, Crc32::new());
            }
            // SAFETY: a word of the image in flash: its length is one that the boot stage has found whole.
            let word = unsafe { ((begin + self.at) as *const u32).read_volatile() };
            self.sum.add(word.to_le_bytes());
            self.at += 4;
        }
        self.holds
    }
}
