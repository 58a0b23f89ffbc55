//! Receiving an image into the slot that does not run: an offer, then its blocks in order, each written, read back and only then answered. What is certainly
//! there is marked in flash by pages, so that a transfer goes on after a reset; a block that is there already is taken again if it is the same.

use super::record::{IMAGE_PAGE, ImageRecord, SLOTS, Slots};
use super::{Room, Started};
use crate::banks::{Flash, FlashFailed};
use davy_alarm::Instant;
use davy_wire::node::{
    BLOCK_BYTES, Crc32, IMAGE_HEAD, ImageHead, OFFER_BYTES, Refusal, Slot, SlotState, Trust, Why,
    crc32,
};

/// Bytes of a received image that one round sums: some milliseconds of a slow processor.
const SUMMED_A_ROUND: u32 = 256;
const PIECE: u32 = 8;

/// The firmware's slots, as the running image sees them.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    pub(super) room: Room,
    /// `None`: started without a boot stage.
    pub(super) started: Option<Started>,
    pub(super) slots: Slots,
    /// Bytes of the image being received.
    next: u32,
    /// Where the sum over a received image has come to.
    summed: (u32, Crc32),
    /// The trial's end, and when it may be confirmed.
    pub(super) trial: Option<super::trial::Trial>,
    pub(super) restart_at: Option<Instant>,
}

impl Update {
    /// As the boot stage left it.
    pub(crate) fn start(
        flash: &impl Flash,
        room: Room,
        started: Option<Started>,
        now: Instant,
    ) -> Self {
        let stored = SLOTS.load(flash);
        let stored = stored.and_then(|(_, bytes)| Slots::of_bytes(&bytes));
        let slots = stored.unwrap_or(Slots::EMPTY);
        let mut update = Self {
            room,
            started,
            slots,
            next: slots.mark,
            summed: NOT_SUMMED,
            trial: None,
            restart_at: None,
        };
        let on_trial = |started: &Started| slots.image(started.slot).state == SlotState::Trial;
        update.trial = started
            .filter(on_trial)
            .map(|_| super::trial::Trial::begin(now));
        update
    }

    /// The slot that may be written.
    pub(crate) fn free(&self) -> Option<Slot> {
        self.started.map(|started| started.slot.other())
    }

    pub(crate) fn trust(&self) -> Trust {
        self.started.map_or(Trust::Nobody, |started| started.trust)
    }

    /// Begins to receive an image, or goes on with the same.
    pub(crate) fn offer(
        &mut self,
        offer: &[u8; OFFER_BYTES],
        flash: &mut impl Flash,
    ) -> Result<(), Refusal> {
        let free = self.may_receive()?;
        let head = ImageHead::read(offer).ok_or(Refusal::NoImage)?;
        self.fits(&head, free)?;
        let sum = crc32(offer.iter().copied());
        let image = self.slots.image(free);
        let known = matches!(
            image.state,
            SlotState::Receiving | SlotState::Received | SlotState::Ordered
        );
        if known && image.offer == sum {
            return Ok(());
        }
        let mut slots = self.slots;
        *slots.image_mut(free) = ImageRecord::of(&head, SlotState::Receiving, sum);
        slots.mark = 0;
        self.keep(slots, flash)
            .map_err(|FlashFailed| Refusal::Flash)?;
        (self.next, self.summed) = (0, NOT_SUMMED);
        Ok(())
    }

    /// Takes a block.
    pub(crate) fn block(
        &mut self,
        at: u32,
        bytes: &[u8; BLOCK_BYTES],
        flash: &mut impl Flash,
    ) -> Result<(), Refusal> {
        let free = self.may_receive()?;
        let image = *self.slots.image(free);
        let receives = matches!(image.state, SlotState::Receiving | SlotState::Received);
        if !receives
            || !at.is_multiple_of(BLOCK_BYTES as u32)
            || at > self.next
            || at >= image.length
        {
            return Err(Refusal::OutOfOrder);
        }
        if at < self.next {
            return if holds(flash, free, at, bytes, image.length) {
                Ok(())
            } else {
                Err(Refusal::Differs)
            };
        }
        if at == 0 && crc32(bytes.iter().copied()) != image.offer {
            return Err(Refusal::Differs);
        }
        if write(flash, free, at, bytes, image.length).is_err() {
            // What was programmed is not programmed twice: again from the page's begin, which erases it.
            self.next = at - at % IMAGE_PAGE;
            return Err(Refusal::Flash);
        }
        self.next = (at + BLOCK_BYTES as u32).min(image.length);
        if self.next.is_multiple_of(IMAGE_PAGE) || self.next == image.length {
            let mut slots = self.slots;
            slots.mark = self.next;
            // Not marked, it is only sent again after a reset.
            let _unmarked = self.keep(slots, flash);
        }
        Ok(())
    }

    /// Has the received image started next.
    pub(crate) fn order(
        &mut self,
        crc: u32,
        tests_failed: u16,
        flash: &mut impl Flash,
    ) -> Result<(), Refusal> {
        let free = self.may_receive()?;
        let image = *self.slots.image(free);
        if !matches!(image.state, SlotState::Received | SlotState::Ordered) {
            return Err(Refusal::NotWhole);
        }
        if image.crc != crc {
            return Err(Refusal::Crc);
        }
        let mut slots = self.slots;
        slots.image_mut(free).state = SlotState::Ordered;
        slots.tests_before = tests_failed;
        self.keep(slots, flash)
            .map_err(|FlashFailed| Refusal::Flash)
    }

    /// Sums a little of an image of which all has come; what came of it, once.
    pub(crate) fn sum(&mut self, flash: &mut impl Flash) -> Option<(Slot, SlotState, Option<Why>)> {
        let free = self.free()?;
        let image = *self.slots.image(free);
        if image.state != SlotState::Receiving || self.next < image.length {
            return None;
        }
        let (from, mut crc) = self.summed;
        let to = (from + SUMMED_A_ROUND).min(image.length);
        for at in (from..to).step_by(PIECE as usize) {
            crc.add(flash.read_image(free, at));
        }
        self.summed = (to, crc);
        if to < image.length || from == to {
            return None;
        }
        let mut slots = self.slots;
        if crc.sum() == image.crc {
            slots.image_mut(free).state = SlotState::Received;
        } else {
            slots.reject(free, Why::Crc);
        }
        if self.keep(slots, flash).is_err() {
            // Not tried again and again, which wears out what fails already: it is given up, here at least, and offered anew it begins anew.
            self.slots.reject(free, Why::Flash);
        }
        let image = self.slots.image(free);
        Some((free, image.state, image.why))
    }

    /// Writes the record, and believes it only then.
    pub(super) fn keep(&mut self, slots: Slots, flash: &mut impl Flash) -> Result<(), FlashFailed> {
        SLOTS.store(flash, &slots.to_bytes())?;
        self.slots = slots;
        Ok(())
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    pub(crate) const fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) const fn room(&self) -> Room {
        self.room
    }

    pub(crate) const fn started(&self) -> Option<Started> {
        self.started
    }

    fn may_receive(&self) -> Result<Slot, Refusal> {
        let free = self.free().filter(|_| self.trust() != Trust::Nobody);
        let free = free.ok_or(Refusal::NoUpdates)?;
        // While the running image is on trial, the other is what a failure goes back to.
        if self.trial.is_some() {
            return Err(Refusal::OnTrial);
        }
        Ok(free)
    }

    fn fits(&self, head: &ImageHead, free: Slot) -> Result<(), Refusal> {
        if head.board != self.room.board {
            Err(Refusal::OtherBoard)
        } else if head.address != self.room.address(free) {
            Err(Refusal::OtherSlot)
        } else if head.version < self.slots.floor {
            Err(Refusal::Older)
        } else if head.length > self.room.bytes {
            Err(Refusal::TooLong)
        } else {
            Ok(())
        }
    }
}

const NOT_SUMMED: (u32, Crc32) = (IMAGE_HEAD as u32, Crc32::new());

/// The places of a block's pieces that lie within the image, with what belongs there.
fn pieces(at: u32, bytes: &[u8; BLOCK_BYTES], length: u32) -> impl Iterator<Item = (u32, [u8; 8])> {
    let places = (at..length).step_by(PIECE as usize);
    places.zip(bytes.as_chunks().0.iter().copied())
}

fn holds(flash: &impl Flash, slot: Slot, at: u32, bytes: &[u8; BLOCK_BYTES], length: u32) -> bool {
    pieces(at, bytes, length).all(|(at, piece)| flash.read_image(slot, at) == piece)
}

fn write(
    flash: &mut impl Flash,
    slot: Slot,
    at: u32,
    bytes: &[u8; BLOCK_BYTES],
    length: u32,
) -> Result<(), FlashFailed> {
    if at.is_multiple_of(IMAGE_PAGE) {
        flash.erase_image(slot, at)?;
    }
    for (at, piece) in pieces(at, bytes, length) {
        flash.program_image(slot, at, piece)?;
    }
    if holds(flash, slot, at, bytes, length) {
        Ok(())
    } else {
        Err(FlashFailed)
    }
}
