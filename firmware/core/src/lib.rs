//! A node: eight 4–20 mA channels, judged by the same `davy-alarm` as the gateway, four relays, and a Modbus RTU server. Portable: it does no I/O, reads no
//! clock and has no heap; a board crate (firmware/) brings samples, bytes, time and flash, and carries out what comes back.
//!
//! Whole numbers alone: currents are microamperes, values thousandths of a unit. They reach `davy-alarm` as `f64`, which holds every `i32` exactly, so that no
//! rounding happens in judgement, with or without a floating-point unit.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod banks;
mod events;
mod frames;
mod judge;
mod kept;
mod key;
mod life;
mod node;
mod outbox;
mod progress;
mod registers;
mod relays;
mod request;
mod sampling;
mod selftest;
mod server;
mod turn;
mod update;

pub use banks::{Bank, Banks, Flash, FlashFailed, PAGE_BYTES};
pub use frames::{Frames, GAP_MS, Heard, MOST_BYTES, crc16};
pub use judge::Judge;
pub use kept::{Kept, STORED_BYTES};
pub use key::{Key, Pressed, UNLOCK_HOLD_MS};
pub use node::{Boot, Node, Relays, SAMPLE_MS, Sample, UNLOCKED_S};
pub use outbox::Outbox;
pub use progress::Progress;
pub use request::{Exception, Request};
pub use sampling::{Sampler, Sensed};
pub use selftest::{REFERENCE_UA, pattern_holds};
pub use turn::{ANSWER_GAP_US, Turn};
pub use update::{
    Handover, IMAGE_PAGE, ImageRecord, Images, PROVE_S, Room, SLOTS, SLOTS_BYTES, Slots, Started,
    TRIAL_S, Update, Verdict, start as choose,
};
