//! The independent watchdog, on its own oscillator (RM0440, IWDG): once it runs, nothing but a reset ends it.
//!
//! Not by embassy's driver: that neither waits for a new period to be taken over nor has it count from there, which an image needs that finds the boot stage's running.

use embassy_stm32::pac::IWDG;
use embassy_stm32::pac::iwdg::vals::{Key, Pr};

/// Its oscillator gives 32 kHz, from 29.5 to 34 over temperature (data sheet DS12288, LSI oscillator); a 64th of it counts.
const COUNTS_A_SECOND: u16 = 500;
/// A second: rounds take some milliseconds, and a quarter of it at the most while flash is erased.
const COUNTS: u16 = COUNTS_A_SECOND;
/// Eight: the boot stage sums an image and reckons with a signature, and the image that it starts may hang before it starts the watchdog anew.
const COUNTS_FOR_BOOT: u16 = 8 * COUNTS_A_SECOND;
const _: () = assert!(COUNTS_FOR_BOOT <= 0xfff);
/// How often it is asked whether it has taken the period over, which takes 5 of its counts: 10 ms, at 50 MHz and some cycles each.
const LOOKS: u32 = 200_000;

#[allow(dead_code, reason = "the boot stage's")]
pub(crate) fn start_for_boot() {
    start_with(COUNTS_FOR_BOOT);
}

#[allow(dead_code, reason = "the image's")]
pub(crate) fn start() {
    start_with(COUNTS);
}

pub(crate) fn feed() {
    IWDG.kr().write(|kr| kr.set_key(Key::RESET));
}

/// In the reference manual's order (RM0440, IWDG: configuring it with the window option disabled).
fn start_with(counts: u16) {
    IWDG.kr().write(|kr| kr.set_key(Key::START));
    IWDG.kr().write(|kr| kr.set_key(Key::ENABLE));
    IWDG.pr().write(|pr| pr.set_pr(Pr::DIVIDE_BY64));
    IWDG.rlr().write(|rlr| rlr.set_rl(counts - 1));
    // Should it never say so, the period that it has is the shorter one of a fresh start or the boot stage's.
    let _taken = (0..LOOKS).any(|_| IWDG.sr().read().0 == 0);
    feed();
}
