//! What this machine is, for the image and the boot stage alike: the board's id, its clock, what reset it.

pub(crate) use crate::layout::{SLOT_BYTES, SLOTS};
use crate::resets::{ResetBy, reset_by};
use davy_node::Kept;
use davy_wire::node::{Board, ResetCause};
use embassy_stm32::pac::flash::vals::Latency;
use embassy_stm32::pac::rcc::vals::{Pllm, Plln, Pllr, Pllsrc, Sw};
use embassy_stm32::pac::{FLASH, RCC};

pub(crate) const BOARD: Board = Board::Stm32g474;
/// The processor's clock and that of every bus, hertz: no more than the work needs, and a whole number of nanoseconds.
#[allow(dead_code, reason = "the image's")]
pub(crate) const HZ: u32 = 50_000_000;
/// Where the linker's RAM begins, in the image; in the boot stage later, so that what outlives a reset may grow.
pub(crate) const RAM: u32 = 0x2000_1080;
/// How often the crystal, of 24 MHz, is asked whether it swings, at 16 MHz and some cycles each: 10 ms and more, where it takes 2 ms (data sheet DS12288, HSE oscillator).
const CRYSTAL_LOOKS: u32 = 40_000;

/// Brings the clock up: from the crystal, or without one that swings from the chip's own oscillator, which is within 1 to 2 % of it. Returns whether the crystal swings. By the
/// chip's registers (RM0440, RCC): embassy's `init` checks at run time what is decided here, and panics. What never gets ready is the watchdog's, or nobody's yet at a first
/// start, whose relays are not driven.
pub(crate) fn clocks_on() -> bool {
    // An image finds the boot stage's clock running: back to the oscillator of the reset, 16 MHz, before anything changes under it.
    RCC.cr().modify(|cr| cr.set_hsion(true));
    while !RCC.cr().read().hsirdy() {}
    clock_by(Sw::HSI);
    RCC.cr().modify(|cr| cr.set_pllon(false));
    while RCC.cr().read().pllrdy() {}
    let crystal = crystal_swings();
    RCC.pllcfgr().write(|pll| {
        // 4 MHz × 50 / 4, from 24 MHz or from 16.
        pll.set_pllsrc(if crystal { Pllsrc::HSE } else { Pllsrc::HSI });
        pll.set_pllm(if crystal { Pllm::DIV6 } else { Pllm::DIV4 });
        pll.set_plln(Plln::MUL50);
        pll.set_pllr(Pllr::DIV4);
        pll.set_pllren(true);
    });
    RCC.cr().modify(|cr| cr.set_pllon(true));
    while !RCC.cr().read().pllrdy() {}
    // Up to 60 MHz in range 1, which a reset leaves (RM0440, FLASH: read access latency).
    FLASH.acr().modify(|acr| acr.set_latency(Latency::WS1));
    while FLASH.acr().read().latency() != Latency::WS1 {}
    clock_by(Sw::PLL1_R);
    crystal
}

/// Every bus runs undivided, as after a reset.
fn clock_by(source: Sw) {
    RCC.cfgr().modify(|cfgr| cfgr.set_sw(source));
    while RCC.cfgr().read().sws() != source {}
}

fn crystal_swings() -> bool {
    RCC.cr().modify(|cr| cr.set_hseon(true));
    let swings = (0..CRYSTAL_LOOKS).any(|_| RCC.cr().read().hserdy());
    if !swings {
        RCC.cr().modify(|cr| cr.set_hseon(false));
    }
    swings
}

/// What the chip says of the reset, once: the memory that outlives one must not be believed after a brown-out, and does not know of the reset pin.
#[allow(dead_code, reason = "the boot stage's")]
pub(crate) fn note_reset(kept: &mut Kept) {
    let flags = RCC.csr().read().0;
    RCC.csr().modify(|csr| csr.set_rmvf(true));
    match reset_by(flags) {
        ResetBy::Power => kept.power_went(),
        ResetBy::Outside => kept.resets_because(u32::from(ResetCause::Asked.code())),
        ResetBy::Itself => {}
    }
}
