//! From what the converter reads to microamperes, in whole numbers.
//!
//! Every loop has a shunt of 100 Ω against ground, and one input more reads a reference of 2.500 V. A current is told by the ratio of the two, so that
//! neither the supply nor the converter's gain counts: the reference is the accuracy. The chip's own reference, which its maker has measured (VREFINT), is
//! held against it: two references that know nothing of each other agree, or none is believed.

/// What the reference would drive through a shunt: 2.5 V / 100 Ω, microamperes.
const REFERENCE_CURRENT_UA: u64 = 25_000;
/// What the node calls a reference that reads as it should (`davy_node::REFERENCE_UA`).
const NOMINAL_UA: u64 = davy_node::REFERENCE_UA as u64;
/// How far the two references may be apart for the currents to be believed at all, 5 %; past 1 % the node tells of a failed self-test.
const MOST_APART_UA: u16 = davy_node::REFERENCE_UA / 20;
/// The maker read VREFINT with twelve bits of 3.0 V (data sheet DS12288, internal voltage reference); ours has twelve bits of 2.5 V by the ratio.
const CALIBRATED_MV: u64 = 3_000;
const REFERENCE_MV: u64 = 2_500;
const FULL_SCALE: u64 = 4_095;

/// A loop's current, microamperes, by what its input and the reference's read on one scale; all that a `u16` holds where the reference reads nothing.
pub(crate) fn current_ua(input: u32, reference: u32) -> u16 {
    let reference = u64::from(reference);
    // A ring's sum has twenty bits: the product needs more than 32.
    let scaled = u64::from(input) * REFERENCE_CURRENT_UA + reference / 2;
    let current = scaled.checked_div(reference);
    current
        .and_then(|current| u16::try_from(current).ok())
        .unwrap_or(u16::MAX)
}

/// How the chip's own reference reads against the outer one: `davy_node::REFERENCE_UA` where they agree. `calibrated` is what the maker read (twelve bits of 3.0 V);
/// 0 where there is nothing to compare.
pub(crate) fn reference_ua(internal: u32, reference: u32, calibrated: u16) -> u16 {
    // Memory that nobody has written.
    if calibrated == 0 || calibrated == u16::MAX {
        return 0;
    }
    let measured = u64::from(internal) * NOMINAL_UA * REFERENCE_MV * FULL_SCALE;
    let expected = u64::from(reference) * u64::from(calibrated) * CALIBRATED_MV;
    let told = measured.checked_div(expected).unwrap_or(0);
    u16::try_from(told).unwrap_or(u16::MAX)
}

/// Whether the references agree well enough for the currents to be believed.
pub(crate) const fn is_believed(reference_ua: u16) -> bool {
    reference_ua.abs_diff(davy_node::REFERENCE_UA) <= MOST_APART_UA
}
