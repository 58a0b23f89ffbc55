//! What a boot stage does, the same on every board.

use crate::flash::{self, BoardFlash};
use crate::{machine, place, watchdog};
use cortex_m::peripheral::{SCB, syst::SystClkSource};
use davy_node::{Handover, Images, Kept, Started, choose};
use davy_wire::node::{
    Crc32, IMAGE_HEAD, ImageHead, OFFER_BYTES, SIGNATURE_BYTES, Slot, Trust, Why,
};
use ed25519_compact::{PublicKey, Signature};

include!(concat!(env!("OUT_DIR"), "/key.rs"));

/// The life of the boot stage.
pub(crate) fn boot() -> ! {
    machine::clocks_on();
    watchdog::start_for_boot();
    let mut flash = BoardFlash::open();
    flash.wake();
    let (start, verdict) = choose(&mut flash, ended(), &Chip);
    let Some(slot) = start else { wait() };
    // SAFETY: the handover's place belongs to the boot stage until the image runs; no reference to it lives.
    unsafe {
        place::HANDOVER.write_volatile(Handover::new(Started {
            slot,
            trust: TRUST,
            verdict,
        }));
    }
    jump(place::ROOM.address(slot) + IMAGE_HEAD as u32)
}

/// Nothing may run: the relays stay not driven, and the watchdog's reset looks again.
fn wait() -> ! {
    loop {
        cortex_m::asm::nop();
    }
}

fn jump(vectors: u32) -> ! {
    if let Some(core) = cortex_m::Peripherals::take() {
        let mut timer = core.SYST;
        timer.disable_counter();
        timer.set_clock_source(SystClkSource::External);
        // SAFETY: no interrupt is enabled; the image's vectors lie there, aligned to 1024 bytes.
        unsafe { core.SCB.vtor.write(vectors) }
    }
    // SAFETY: an image's vector table begins with its stack and its entry; the image is whole, by its sum.
    unsafe { cortex_m::asm::bootload(vectors as *const u32) }
}

/// How the last run ended, as it left it in memory.
fn ended() -> Why {
    // SAFETY: `Kept` is integers alone, for which any bits are a value; nobody else runs.
    let kept: &mut Kept = unsafe { &mut *place::KEPT };
    machine::note_reset(kept);
    let ended = kept.how_it_ended();
    kept.was_asked();
    ended
}

/// The slots as they lie in the chip.
struct Chip;

impl Chip {
    fn bytes(slot: Slot, from: usize, to: u32) -> &'static [u8] {
        let begin = place::ROOM.address(slot) as usize + from;
        let length = (to as usize).saturating_sub(from);
        // SAFETY: flash of a slot, for callers stay within `place::SLOT_BYTES`; nobody writes it while the boot stage runs.
        unsafe { core::slice::from_raw_parts(begin as *const u8, length) }
    }
}

impl Images for Chip {
    fn head(&self, slot: Slot) -> Option<ImageHead> {
        let offer: &[u8; OFFER_BYTES] = Self::bytes(slot, 0, OFFER_BYTES as u32).try_into().ok()?;
        let head = ImageHead::read(offer)?;
        let ours = head.board == place::ROOM.board && head.address == place::ROOM.address(slot);
        (ours && head.length <= place::SLOT_BYTES).then_some(head)
    }

    fn is_whole(&self, slot: Slot, head: &ImageHead) -> bool {
        flash::forget_torn();
        let mut sum = Crc32::new();
        sum.add(Self::bytes(slot, IMAGE_HEAD, head.length).iter().copied());
        // What reads right once although it is torn may not the next time.
        sum.sum() == head.crc && !flash::is_torn()
    }

    fn is_signed(&self, slot: Slot, head: &ImageHead) -> bool {
        if TRUST == Trust::Nobody {
            return false;
        }
        let Ok(signature) = Self::bytes(slot, 0, SIGNATURE_BYTES as u32).try_into() else {
            return false;
        };
        let signed = Self::bytes(slot, SIGNATURE_BYTES, head.length);
        let key = PublicKey::new(KEY);
        key.verify(signed, &Signature::new(signature)).is_ok()
    }
}

/// Relays as the reset left them; the next start tries again.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
