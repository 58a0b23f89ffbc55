//! Which image is started: decided by the record and by what the slots hold. The boot stage brings the checks and starts what comes out.

use super::record::{ImageRecord, SLOTS, Slots};
use crate::banks::Flash;
use davy_wire::node::{ImageHead, Slot, SlotState, Why};

/// What the slots hold.
pub trait Images {
    /// The head of the image there, if there is one for this board and this slot.
    fn head(&self, slot: Slot) -> Option<ImageHead>;
    /// Whether the sum of what follows the head is what the head says.
    fn is_whole(&self, slot: Slot, head: &ImageHead) -> bool;
    /// Whether the signature is of a key that the boot stage believes.
    fn is_signed(&self, slot: Slot, head: &ImageHead) -> bool;
}

/// What became of a slot at a start.
pub type Verdict = (Slot, SlotState, Option<Why>);

/// Decides what is started, and writes it down first. `ended` is how the last run ended. `None`: neither slot holds anything that may run. Then nothing is written:
/// whatever is flashed by wire afterwards must find the record as it was, or none.
///
/// An image stands in the record as *on trial* before its signature is even looked at: should the arithmetic itself fail, the next start goes back from it.
pub fn start(
    flash: &mut impl Flash,
    ended: Why,
    images: &impl Images,
) -> (Option<Slot>, Option<Verdict>) {
    let stored = SLOTS.load(flash);
    let stored = stored.and_then(|(_, bytes)| Slots::of_bytes(&bytes));
    let choice = choose(stored, ended, images);
    if choice.trial.or(choice.confirmed).is_none() {
        return (None, choice.verdict);
    }
    let mut slots = choice.slots;
    let is_written = stored == Some(slots) || SLOTS.store(flash, &slots.to_bytes()).is_ok();
    let Some(trial) = choice.trial else {
        return (choice.confirmed, choice.verdict);
    };
    // No image goes on trial that the next start would not know of: it stays ordered.
    if !is_written {
        let verdict = (trial, SlotState::Ordered, Some(Why::Flash));
        return (choice.confirmed, Some(verdict));
    }
    let head = images.head(trial);
    if head.is_some_and(|head| images.is_signed(trial, &head)) {
        return (Some(trial), choice.verdict);
    }
    slots.reject(trial, Why::Signature);
    // Where this cannot be written, the next start finds a trial that did not end well.
    let _unwritten = SLOTS.store(flash, &slots.to_bytes());
    let verdict = (trial, SlotState::Rejected, Some(Why::Signature));
    (choice.confirmed, Some(verdict))
}

struct Choice {
    trial: Option<Slot>,
    confirmed: Option<Slot>,
    verdict: Option<Verdict>,
    slots: Slots,
}

fn choose(stored: Option<Slots>, ended: Why, images: &impl Images) -> Choice {
    let mut slots = stored.unwrap_or_else(|| as_made(images));
    let mut verdict = None;
    for slot in Slot::BOTH {
        let became = match slots.image(slot).state {
            SlotState::Trial => Err(ended),
            SlotState::Ordered => may_try(&slots, slot, images),
            _ => continue,
        };
        match became {
            Ok(()) => slots.image_mut(slot).state = SlotState::Trial,
            Err(why) => slots.reject(slot, why),
        }
        let image = slots.image(slot);
        verdict = Some((slot, image.state, image.why));
    }
    let mut confirmed = confirmed(&mut slots, images, &mut verdict);
    let on_trial = |slot: &Slot| slots.image(*slot).state == SlotState::Trial;
    let trial = Slot::BOTH.into_iter().find(on_trial);
    if trial.or(confirmed).is_none() {
        confirmed = flashed_since(&mut slots, images);
    }
    Choice {
        trial,
        confirmed,
        verdict,
        slots,
    }
}

/// Where nothing of the record may run: a whole image in slot A that is not the one of which it speaks. Only the wire can have put it there, for what comes over the
/// line is in the record before its first byte is.
fn flashed_since(slots: &mut Slots, images: &impl Images) -> Option<Slot> {
    let known = slots.image(Slot::A);
    let is_open = matches!(known.state, SlotState::Empty | SlotState::Rejected);
    let head = whole(Slot::A, images).ok()?;
    if !is_open || head.crc == known.crc {
        return None;
    }
    *slots.image_mut(Slot::A) = ImageRecord::of(&head, SlotState::Confirmed, 0);
    slots.confirm(Slot::A);
    Some(Slot::A)
}

/// The confirmed image that is whole: the active one, or else the other. One that was flashed over it by wire takes its place in the record too.
fn confirmed(
    slots: &mut Slots,
    images: &impl Images,
    verdict: &mut Option<Verdict>,
) -> Option<Slot> {
    for slot in [slots.active, slots.active.other()] {
        if slots.image(slot).state != SlotState::Confirmed {
            continue;
        }
        if let Ok(head) = whole(slot, images) {
            if head.crc != slots.image(slot).crc {
                *slots.image_mut(slot) = ImageRecord::of(&head, SlotState::Confirmed, 0);
            }
            slots.confirm(slot);
            return Some(slot);
        }
        slots.reject(slot, Why::Crc);
        *verdict = Some((slot, SlotState::Rejected, Some(Why::Crc)));
    }
    None
}

fn whole(slot: Slot, images: &impl Images) -> Result<ImageHead, Why> {
    let head = images.head(slot).ok_or(Why::Head)?;
    if images.is_whole(slot, &head) {
        Ok(head)
    } else {
        Err(Why::Crc)
    }
}

fn may_try(slots: &Slots, slot: Slot, images: &impl Images) -> Result<(), Why> {
    let head = whole(slot, images)?;
    if head.version < slots.floor || head.crc != slots.image(slot).crc {
        return Err(Why::Head);
    }
    Ok(())
}

/// Without a record: slot A as it was flashed. Slot B only where A holds nothing, and by its signature: it may be half received.
fn as_made(images: &impl Images) -> Slots {
    let mut slots = Slots::EMPTY;
    let flashed = whole(Slot::A, images).map(|head| (Slot::A, head));
    let received = || {
        let head = whole(Slot::B, images).ok()?;
        images.is_signed(Slot::B, &head).then_some((Slot::B, head))
    };
    if let Some((slot, head)) = flashed.ok().or_else(received) {
        *slots.image_mut(slot) = ImageRecord::of(&head, SlotState::Confirmed, 0);
        slots.confirm(slot);
    }
    slots
}
