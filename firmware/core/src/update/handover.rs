//! What the boot stage tells the image that it starts, in memory that neither's start-up code touches. Read once: a start without a boot stage finds nothing.

use davy_wire::node::{Slot, SlotState, Trust, Why};

const MAGIC: u32 = 0x4456_4e48;
const NOTHING: u32 = 0;

/// Integers alone: any bits are a value.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Handover {
    magic: u32,
    slot: u32,
    trust: u32,
    /// Slot, state and why, a byte each; 0 where nothing came of any slot at this start.
    verdict: u32,
    sum: u32,
}

/// How this image was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    pub slot: Slot,
    pub trust: Trust,
    /// What came of a slot at this start: it went on trial, or was rejected.
    pub verdict: Option<(Slot, SlotState, Option<Why>)>,
}

impl Handover {
    /// What the boot stage writes.
    pub fn new(started: Started) -> Self {
        let verdict = started.verdict.map_or(NOTHING, |(slot, state, why)| {
            let why = why.map_or(0, Why::code);
            u32::from_le_bytes([why, state.code(), slot.number(), 1])
        });
        let mut handover = Self {
            magic: MAGIC,
            slot: u32::from(started.slot.number()),
            trust: u32::from(started.trust.code()),
            verdict,
            sum: 0,
        };
        handover.sum = handover.own_sum();
        handover
    }

    const fn own_sum(&self) -> u32 {
        !(self.magic ^ self.slot.rotate_left(8) ^ self.trust.rotate_left(16) ^ self.verdict)
    }

    /// What it says, once.
    pub fn take(&mut self) -> Option<Started> {
        let said = *self;
        self.magic = 0;
        if said.magic != MAGIC || said.sum != said.own_sum() {
            return None;
        }
        let [why, state, slot, _] = said.verdict.to_le_bytes();
        let verdict = (said.verdict != NOTHING).then(|| {
            Some((
                Slot::from_number(slot)?,
                SlotState::from_code(state)?,
                Why::from_code(why),
            ))
        });
        Some(Started {
            slot: Slot::from_number(said.slot as u8)?,
            trust: Trust::from_code(said.trust),
            verdict: verdict.flatten(),
        })
    }
}
