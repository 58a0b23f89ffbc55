//! Modbus RTU frames out of a stream of bytes. A frame's end is found by its length, as its function has it, and its sum; what other units ask and answer is
//! passed over by the same lengths. After anything else nothing is believed until the line was silent for [`GAP_MS`], or a whole frame of anybody passed:
//! bytes that look like a request in the midst of noise are none.
//!
//! The work for each byte is bounded: at most [`SLIDES`] beginnings are tried, each with two sums.

use davy_alarm::Instant;
use davy_wire::node::Nibbles;

/// Silence after which a frame begins anew, milliseconds: longer than 3.5 characters at 2400 baud, shorter than any master's patience.
pub const GAP_MS: u64 = 20;
/// The longest frame (Modbus over Serial Line 1.02).
pub const MOST_BYTES: usize = 256;
/// Beginnings tried for each byte that comes.
const SLIDES: usize = 4;
const BROADCAST: u8 = 0;

/// What a byte, or a silence, completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// A request to this unit, or to all: [`Frames::request`] has it until the next byte.
    Request,
}

/// Collects bytes.
#[derive(Clone, Debug)]
pub struct Frames {
    buffer: [u8; MOST_BYTES],
    length: usize,
    /// Whether the buffer begins where a frame does.
    in_step: bool,
    /// Bytes of a request that was handed out, to be dropped with the next byte.
    handed_out: usize,
    /// Since when the line is seen empty. Only who looks at an empty line knows of a silence: a reader that was kept busy finds its bytes late, and together.
    quiet_since: Option<Instant>,
    thrown_away: u32,
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

enum Found {
    /// More bytes decide.
    Wait,
    Frame {
        length: usize,
        request: bool,
    },
    /// No frame begins here.
    Wrong,
}

impl Frames {
    /// Nothing heard yet.
    pub const fn new() -> Self {
        Self {
            buffer: [0; MOST_BYTES],
            length: 0,
            in_step: true,
            handed_out: 0,
            quiet_since: None,
            thrown_away: 0,
        }
    }

    /// Takes one byte.
    pub fn byte(&mut self, byte: u8, unit: u8) -> Heard {
        self.forget();
        self.quiet_since = None;
        if self.length == MOST_BYTES {
            self.slide();
        }
        if let Some(place) = self.buffer.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        for _ in 0..SLIDES {
            match self.look(unit) {
                Found::Wait => break,
                Found::Wrong => self.slide(),
                Found::Frame { length, request } => {
                    let believed = core::mem::replace(&mut self.in_step, true);
                    if believed && request {
                        self.handed_out = length;
                        return Heard::Request;
                    }
                    self.drop_first(length);
                }
            }
        }
        Heard::Nothing
    }

    /// The line is empty at `now`: after a silence, what has come is a request of a function that has no known length, or nothing.
    pub fn idle(&mut self, unit: u8, now: Instant) -> Heard {
        self.forget();
        let since = *self.quiet_since.get_or_insert(now);
        if now.since(since) < GAP_MS {
            return Heard::Nothing;
        }
        let frame = self.frame();
        let to_us = frame.first() == Some(&unit) && frame.len() >= 4;
        if self.in_step && to_us && lengths(frame, true) == Lengths::UNKNOWN && sum_holds(frame) {
            self.handed_out = self.length;
            return Heard::Request;
        }
        self.begin_anew();
        Heard::Nothing
    }

    /// The request without its sum: unit, function, data.
    pub fn request(&self) -> &[u8] {
        let body = self.handed_out.saturating_sub(2);
        self.buffer.get(..body).unwrap_or(&[])
    }

    /// Bytes thrown away in search of a frame.
    pub const fn thrown_away(&self) -> u32 {
        self.thrown_away
    }

    fn frame(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or(&[])
    }

    fn look(&self, unit: u8) -> Found {
        let frame = self.frame();
        let [of, _, ..] = *frame else {
            return Found::Wait;
        };
        let to_us = of == unit || of == BROADCAST;
        let Lengths {
            request,
            answer,
            more,
        } = lengths(frame, to_us);
        for (length, is_request) in [(request, true), (answer, false)] {
            let whole = length.and_then(|length| frame.get(..length));
            if let Some(whole) = whole.filter(|whole| sum_holds(whole)) {
                return Found::Frame {
                    length: whole.len(),
                    request: is_request && to_us,
                };
            }
        }
        let longest = request.max(answer).unwrap_or(0);
        // A function without a known length, to us: the silence after it decides.
        let unknown = to_us && longest == 0;
        if more || self.length < longest || unknown && self.length < MOST_BYTES {
            Found::Wait
        } else {
            Found::Wrong
        }
    }

    fn forget(&mut self) {
        self.drop_first(self.handed_out);
        self.handed_out = 0;
    }

    fn begin_anew(&mut self) {
        self.thrown_away = self
            .thrown_away
            .saturating_add(u32::try_from(self.length).unwrap_or(u32::MAX));
        self.length = 0;
        self.in_step = true;
    }

    fn slide(&mut self) {
        self.thrown_away = self.thrown_away.saturating_add(1);
        self.in_step = false;
        self.drop_first(1);
    }

    fn drop_first(&mut self, count: usize) {
        let count = count.min(self.length);
        self.length -= count;
        for to in 0..self.length {
            let moved = self.buffer.get(to + count).copied();
            if let (Some(place), Some(byte)) = (self.buffer.get_mut(to), moved) {
                *place = byte;
            }
        }
    }
}

/// Which lengths a frame may have that begins so.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Lengths {
    request: Option<usize>,
    answer: Option<usize>,
    /// The byte that says so is still to come.
    more: bool,
}

impl Lengths {
    const UNKNOWN: Self = Self {
        request: None,
        answer: None,
        more: false,
    };
}

/// Another unit's frame may be a question or an answer; to us come questions alone. An exception is an answer whoever's unit it bears: two nodes of one unit id
/// would else answer each other's for ever.
fn lengths(frame: &[u8], to_us: bool) -> Lengths {
    let function = frame.get(1).copied().unwrap_or(0);
    let byte = |at: usize| frame.get(at).map(|byte| usize::from(*byte));
    let fits = |length: usize| Some(length).filter(|length| *length <= MOST_BYTES);
    let (request, answer, waits) = match function {
        1..=4 => (Some(8), byte(2).map(|count| 5 + count), byte(2).is_none()),
        5 | 6 => (Some(8), Some(8), false),
        15 | 16 => (byte(6).map(|count| 9 + count), Some(8), byte(6).is_none()),
        43 => (Some(7), None, false),
        0x80.. => (None, Some(5), false),
        _ => (None, None, false),
    };
    Lengths {
        request: request.and_then(fits),
        answer: answer.and_then(fits).filter(|_| !to_us || function >= 0x80),
        more: waits && (!to_us || request.is_none()),
    }
}

fn sum_holds(frame: &[u8]) -> bool {
    let Some((body, sum)) = frame.split_last_chunk() else {
        return false;
    };
    u16::from_le_bytes(*sum) == crc16(body)
}

/// Modbus' sum: reflected 0xa001, from 0xffff; low byte first on the line.
pub fn crc16(bytes: &[u8]) -> u16 {
    let begin = u32::from(u16::MAX);
    bytes
        .iter()
        .fold(begin, |crc, byte| Nibbles::<0xa001>::add(crc, *byte)) as u16
}
