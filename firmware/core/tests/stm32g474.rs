//! What of the STM32G474's board can be tried on the host: its arithmetic of currents, its layout of flash, and what its flags of a reset mean.
#![allow(clippy::unwrap_used)]

#[path = "../../stm32g474/src/layout.rs"]
mod layout;
#[path = "../../stm32g474/src/loops.rs"]
mod loops;
#[path = "../../stm32g474/src/resets.rs"]
mod resets;

use davy_node::{Bank, REFERENCE_UA};
use layout::{BYTES, Page, SLOT_BYTES, SLOTS, page, record};
use loops::{current_ua, is_believed, reference_ua};
use resets::{ResetBy, reset_by};

const BANKS: [Bank; 6] = [
    Bank::Config0,
    Bank::Config1,
    Bank::State0,
    Bank::State1,
    Bank::Update0,
    Bank::Update1,
];
/// Twelve readings of sixteen conversions, each of twelve bits: the most that a sum can be.
const MOST: u64 = 12 * 16 * 4_095;

/// What an input sums to at `uv` microvolts where the supply is `vdda_mv`.
fn sum_at(uv: u64, vdda_mv: u64) -> u32 {
    u32::try_from((uv * MOST / (vdda_mv * 1_000)).min(MOST)).unwrap()
}

#[test]
fn a_loop_reads_its_current_whatever_the_supply_is() {
    for vdda_mv in [3_000, 3_135, 3_300, 3_465, 3_600] {
        let reference = sum_at(2_500_000, vdda_mv);
        for ua in [
            0, 1_000, 3_500, 3_600, 4_000, 12_000, 20_000, 21_000, 24_000, 29_000,
        ] {
            let read = current_ua(sum_at(ua * 100, vdda_mv), reference);
            let off = u64::from(read).abs_diff(ua);
            assert!(off <= 1, "{ua} µA at {vdda_mv} mV reads {read}");
        }
    }
}

#[test]
fn the_faults_of_a_loop_are_told_from_one_another_by_two_hundred_steps_and_more() {
    let reference = sum_at(2_500_000, 3_300);
    let of = |sum| current_ua(sum, reference);
    // A step is one part of what a reading sums to: the smallest thing that can be told.
    assert!(of(sum_at(360_000, 3_300)) - of(sum_at(359_900, 3_300)) <= 1);
    assert_eq!(of(0), 0, "a broken loop");
    assert!(of(sum_at(2_100_000, 3_300)) >= 20_999, "over-range");
    assert!(
        of(MOST as u32) >= 32_000,
        "what the supply cuts off reads as far more than any loop gives"
    );
    assert_eq!(of(u32::MAX), u16::MAX);
}

#[test]
fn without_a_reference_no_current_is_one_and_none_is_believed() {
    assert_eq!(current_ua(1_000, 0), u16::MAX);
    assert_eq!(reference_ua(1_000, 0, 1_655), 0);
    assert!(!is_believed(0));
}

#[test]
fn the_chips_own_reference_is_held_against_the_outer_one() {
    // VREFINT of 1.212 V, as the chip's maker read it: twelve bits of 3.0 V.
    let calibrated = 1_654;
    let reads = |reference_uv, vdda_mv| {
        reference_ua(
            sum_at(1_211_722, vdda_mv),
            sum_at(reference_uv, vdda_mv),
            calibrated,
        )
    };
    for vdda_mv in [3_000, 3_300, 3_600] {
        let told = reads(2_500_000, vdda_mv);
        assert!(told.abs_diff(REFERENCE_UA) <= 2, "{told} at {vdda_mv} mV");
    }
    for (reference_uv, is) in [
        (2_400_000, true),
        (2_600_000, true),
        (2_300_000, false),
        (2_750_000, false),
    ] {
        let told = reads(reference_uv, 3_300);
        assert!(told.abs_diff(REFERENCE_UA) > REFERENCE_UA / 100, "told");
        assert_eq!(is_believed(told), is, "{reference_uv} µV tells {told}");
    }
    for unwritten in [0, u16::MAX] {
        assert_eq!(reference_ua(1_000, 1_000, unwritten), 0);
    }
}

#[test]
fn no_reading_of_the_converter_overflows() {
    for input in [0, 1, MOST as u32 / 2, MOST as u32] {
        for reference in [0, 1, MOST as u32 / 2, MOST as u32] {
            let _current = current_ua(input, reference);
            let _told = reference_ua(input, reference, 1);
            let _told = reference_ua(input, reference, u16::MAX - 1);
        }
    }
}

#[test]
fn records_lie_in_the_second_bank_each_in_a_page_of_its_own() {
    for (nth, bank) in BANKS.into_iter().enumerate() {
        let expected = Page {
            in_second_bank: true,
            number: nth as u8,
        };
        assert_eq!(page(record(bank)), Some(expected));
        assert_eq!(page(record(bank) + 1_023), Some(expected), "all of it");
    }
}

#[test]
fn slots_lie_in_the_first_bank_clear_of_the_boot_stage_and_of_each_other() {
    let in_first = |number| {
        Some(Page {
            in_second_bank: false,
            number,
        })
    };
    let [a, b] = SLOTS;
    assert_eq!(page(a), in_first(16), "32 kB of boot stage");
    assert_eq!(page(a + SLOT_BYTES - 1), in_first(63));
    assert_eq!(page(b), in_first(64));
    assert_eq!(page(b + SLOT_BYTES - 1), in_first(111));
}

#[test]
fn outside_the_flash_there_is_no_page_to_erase() {
    assert_eq!(page(0x0800_0000 + BYTES), None);
    assert_eq!(page(0x07ff_ffff), None);
    assert_eq!(page(0x2000_0000), None);
    let last = Page {
        in_second_bank: true,
        number: 127,
    };
    assert_eq!(page(0x0800_0000 + BYTES - 1), Some(last));
}

#[test]
fn the_linkers_maps_say_what_the_layout_says() {
    let image = include_str!("../../stm32g474/build.rs");
    let address = |address: u32| format!("0x{:04x}_{:04x}", address >> 16, address & 0xffff);
    let [a, b] = SLOTS;
    assert!(image.contains(&format!("Ok(\"B\") => {},", address(b))));
    assert!(image.contains(&format!("_ => {},", address(a))));
    assert!(image.contains(&format!("SLOT: u32 = {} * 1_024;", SLOT_BYTES / 1_024)));
    let boot = include_str!("../../stm32g474/boot/memory.x");
    let room = (a - 0x0800_0000) / 1_024;
    assert!(boot.contains(&format!("FLASH : ORIGIN = 0x08000000, LENGTH = {room}K")));
}

#[test]
fn memory_is_not_believed_after_a_brown_out_and_the_pin_counts_alone() {
    const PIN: u32 = 1 << 26;
    // As RCC_CSR reads after each: power, the button, new option bytes, the watchdog, a program, power that came with both.
    for (flags, by) in [
        (1 << 27 | PIN, ResetBy::Power),
        (PIN, ResetBy::Outside),
        (1 << 25 | PIN, ResetBy::Outside),
        (1 << 29 | PIN, ResetBy::Itself),
        (1 << 28 | PIN, ResetBy::Itself),
        (1 << 27 | 1 << 28 | 1 << 29 | PIN, ResetBy::Power),
        (0, ResetBy::Itself),
    ] {
        assert_eq!(reset_by(flags), by, "{flags:#x}");
    }
}
