//! The analog front end on UART2: asked by one byte, it answers 0xa5, nine currents in microamperes (eight channels and its reference, big-endian), and the sum
//! of those eighteen bytes modulo 256.

use crate::uart::{FRONT_END, Uart};
use davy_alarm::Instant;

const ASK: u8 = b'S';
const BEGIN: u8 = 0xa5;
const BYTES: usize = 19;
/// Silent so long, it has failed.
const SILENT_MS: u64 = 500;
/// The chip's receive buffer: no round reads more.
const MOST: usize = 32;

/// The last answer, and the one that grows.
pub(crate) struct FrontEnd {
    uart: Uart,
    bytes: [u8; BYTES],
    length: Option<usize>,
    words: [u16; 9],
    seen: Option<Instant>,
}

impl FrontEnd {
    pub(crate) fn start() -> Self {
        Self {
            uart: Uart::start(FRONT_END),
            bytes: [0; BYTES],
            length: None,
            words: [0; 9],
            seen: None,
        }
    }

    /// Asks for the next sample.
    pub(crate) fn ask(&mut self) {
        self.uart.queue(&[ASK]);
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.uart.drain();
        for _ in 0..MOST {
            let Some(byte) = self.uart.byte() else { break };
            self.take(byte, now);
        }
    }

    /// The channels, while the front end speaks.
    pub(crate) fn currents(&self, now: Instant) -> Option<[u16; 8]> {
        let [channels @ .., _] = self.words;
        self.speaks(now).then_some(channels)
    }

    /// The reference, as long.
    pub(crate) fn reference(&self, now: Instant) -> Option<u16> {
        let [.., reference] = self.words;
        self.speaks(now).then_some(reference)
    }

    fn speaks(&self, now: Instant) -> bool {
        self.seen.is_some_and(|seen| now.since(seen) < SILENT_MS)
    }

    fn take(&mut self, byte: u8, now: Instant) {
        let Some(length) = self.length else {
            self.length = (byte == BEGIN).then_some(0);
            return;
        };
        if let Some(place) = self.bytes.get_mut(length) {
            *place = byte;
        }
        self.length = Some(length + 1).filter(|length| *length < BYTES);
        if self.length.is_none() {
            self.finish(now);
        }
    }

    fn finish(&mut self, now: Instant) {
        let [words @ .., sum] = &self.bytes;
        if words.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == *sum {
            let pairs = words.as_chunks().0;
            self.words
                .iter_mut()
                .zip(pairs)
                .for_each(|(word, pair)| *word = u16::from_be_bytes(*pair));
            self.seen = Some(now);
        }
    }
}
