//! What outlives a reset, but not a power cut: memory that the start-up code leaves alone. The board says where it lies; everything in it is checked before it is
//! believed, for after power comes it holds anything.
//!
//! Alarm states stand twice and are written in turn, so that a reset in the midst of one leaves the other.

use davy_wire::node::{ALARMS, EVENT_WORDS, EVENTS, Why, crc32};

/// Bit of a cause that a boot stage has looked at.
const ASKED: u32 = 1 << 8;
/// Marks memory that a node has written by this layout: another one's is power lost to it.
const MAGIC: u32 = 0x4456_4e32;
/// Bytes of the alarms' states: sixty flags, sixty occurrences (u32); little-endian.
const STATE_BYTES: usize = ALARMS + 4 * ALARMS;
/// The same in flash, and behind it the number that events begin above after a power cut (u32).
pub const STORED_BYTES: usize = STATE_BYTES + 4;

/// One alarm's state: the flags of `davy_alarm::Saved`, and the occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub flags: u8,
    pub occurrence: u32,
}

impl State {
    /// Normal, acknowledged, never active.
    pub const NONE: Self = Self {
        flags: 2,
        occurrence: 0,
    };
}

impl State {
    const ACKNOWLEDGED: u8 = 1 << 1;
    const LATCHED: u8 = 1 << 2;

    /// Latched and acknowledged, of an alarm that latches: what flash is written for.
    pub(crate) const fn latch(self) -> u8 {
        if self.flags & Self::LATCHED == 0 {
            0
        } else {
            self.flags & (Self::LATCHED | Self::ACKNOWLEDGED)
        }
    }

    /// What flash can tell of it after a power cut. It is written when a latch changes: of every other alarm it holds what was so at some time before, which may
    /// have ended since. Its occurrence goes on all the same.
    pub(crate) const fn only_latched(self) -> Self {
        let flags = if self.latch() == 0 {
            Self::NONE.flags
        } else {
            self.flags
        };
        Self { flags, ..self }
    }
}

/// What flash keeps.
pub(crate) fn stored_bytes(states: &[State; ALARMS], reserved: u32) -> [u8; STORED_BYTES] {
    let mut bytes = [0; STORED_BYTES];
    let (own, number) = bytes.split_at_mut(STATE_BYTES);
    own.copy_from_slice(&bytes_of(states));
    number.copy_from_slice(&reserved.to_le_bytes());
    bytes
}

/// What flash kept: the states, and the number that events begin above.
pub(crate) fn stored_of(bytes: &[u8; STORED_BYTES]) -> ([State; ALARMS], u32) {
    let (states, number) = bytes
        .split_first_chunk()
        .unwrap_or((&[0; STATE_BYTES], &[]));
    let reserved = number
        .first_chunk()
        .map(|number| u32::from_le_bytes(*number));
    (states_of(states), reserved.unwrap_or(0))
}

/// The states as bytes.
fn bytes_of(states: &[State; ALARMS]) -> [u8; STATE_BYTES] {
    let mut bytes = [0; STATE_BYTES];
    let (flags, rest) = bytes.split_at_mut(ALARMS);
    flags
        .iter_mut()
        .zip(states)
        .for_each(|(flag, state)| *flag = state.flags);
    let numbers = states.iter().map(|state| state.occurrence);
    for (place, number) in rest.as_chunks_mut().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    bytes
}

/// The states that bytes say.
fn states_of(bytes: &[u8; STATE_BYTES]) -> [State; ALARMS] {
    let (flags, rest) = bytes.split_at(ALARMS);
    let numbers = rest
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes));
    let mut states = [State::NONE; ALARMS];
    for ((state, flags), occurrence) in states.iter_mut().zip(flags).zip(numbers) {
        *state = State {
            flags: *flags,
            occurrence,
        };
    }
    states
}

/// One copy of the states.
#[derive(Clone, Copy, Debug)]
struct Copy {
    sequence: u32,
    bytes: [u8; STATE_BYTES],
    crc: u32,
}

impl Copy {
    fn sum(&self) -> u32 {
        crc32(self.sequence.to_le_bytes().into_iter().chain(self.bytes))
    }

    fn is_whole(&self) -> bool {
        self.crc == self.sum()
    }
}

/// Integers alone: any bits are a value.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Kept {
    magic: u32,
    /// Starts since power came.
    pub(crate) boot: u32,
    /// Why the next start comes, as the code that leads to it wrote it; 0 if nobody did.
    cause: u32,
    /// Number of the first event since power came; 0 before there is one.
    pub(crate) first_event: u32,
    /// What the gateway asked of the relays (byte 0) and whether it is silent (byte 1), then both inverted.
    line: u32,
    states: [Copy; 2],
    /// Each event's registers, and a sum over them.
    pub(crate) events: [[u16; EVENT_WORDS + 1]; EVENTS],
}

impl Kept {
    /// As after power came and a first start.
    pub const NEW: Self = Self {
        magic: 0,
        boot: 0,
        cause: 0,
        first_event: 0,
        line: 0,
        states: [Copy {
            sequence: 0,
            bytes: [0; STATE_BYTES],
            crc: 0,
        }; 2],
        events: [[0; EVENT_WORDS + 1]; EVENTS],
    };

    /// Makes sense of the memory at a start; whether it was kept over a reset.
    pub(crate) fn begin(&mut self) -> bool {
        let kept = self.magic == MAGIC;
        if !kept {
            *self = Self::NEW;
            self.magic = MAGIC;
        }
        self.boot = self.boot.saturating_add(1);
        kept
    }

    /// To be called on the way to a reset: why it comes.
    pub const fn resets_because(&mut self, cause: u32) {
        self.cause = cause;
    }

    /// The chip says that power went, if only for a moment: whatever the memory holds is not believed.
    pub const fn power_went(&mut self) {
        self.magic = 0;
    }

    /// How the run before this start ended, without touching anything: what a boot stage asks, of whatever image. So the three words at the front stand where they
    /// stand for good, and of the first only the last byte tells one layout from another.
    pub const fn how_it_ended(&self) -> Why {
        match self.cause {
            _ if self.magic >> 8 != MAGIC >> 8 => Why::Power,
            // Written before the last start, and by nobody since: also the watchdog's.
            cause if cause & ASKED != 0 => Why::Watchdog,
            3 => Why::Panic,
            4 => Why::Fault,
            5 => Why::Reset,
            _ => Why::Watchdog,
        }
    }

    /// The boot stage has asked. An image that hangs before it takes the cause itself must not be found with it again.
    pub const fn was_asked(&mut self) {
        if self.magic >> 8 == MAGIC >> 8 {
            self.cause |= ASKED;
        }
    }

    /// Why this start came, once.
    pub(crate) const fn take_cause(&mut self) -> u32 {
        let cause = self.cause & !ASKED;
        self.cause = 0;
        cause
    }

    /// What the gateway asked of the relays, and whether it was silent: a reset must not drop a fan that it asked for, or what its silence demands. Nothing after
    /// a power cut, or of memory that does not hold.
    pub(crate) fn line(&self) -> (u8, bool) {
        let [requested, silent, checks @ ..] = self.line.to_le_bytes();
        let holds = checks == [!requested, !silent];
        (if holds { requested } else { 0 }, holds && silent == 1)
    }

    pub(crate) fn note_line(&mut self, requested: u8, silent: bool) {
        let silent = u8::from(silent);
        self.line = u32::from_le_bytes([requested, silent, !requested, !silent]);
    }

    /// The newest whole copy.
    pub(crate) fn states(&self) -> Option<[State; ALARMS]> {
        let whole = self
            .states
            .iter()
            .filter(|copy| copy.is_whole() && copy.sequence > 0);
        whole
            .max_by_key(|copy| copy.sequence)
            .map(|copy| states_of(&copy.bytes))
    }

    /// Writes over the older copy, or one that is not whole.
    pub(crate) fn keep(&mut self, states: &[State; ALARMS]) {
        let [first, second] = &mut self.states;
        let age = |copy: &Copy| if copy.is_whole() { copy.sequence } else { 0 };
        let newest = age(first).max(age(second));
        let older = if age(first) <= age(second) {
            first
        } else {
            second
        };
        older.crc = 0;
        older.bytes = bytes_of(states);
        older.sequence = newest.saturating_add(1);
        older.crc = older.sum();
    }
}
