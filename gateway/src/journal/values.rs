//! The bytes of one value. Exact to the bit: the shortest form that gives the same bits back is taken.
//!
//! | Form | Content |
//! |---|---|
//! | 0 absent | varint [`NoValue::code`] |
//! | 1 | 4 bytes f32, exact |
//! | 2 | 8 bytes f64 |
//! | 3–10 | zigzag n; value = n / 10^(form − 3) |
//! | 11–17 | zigzag n; value = n × 0.1, 0.01, … 0.0000001: what scaling a register computes |
//! | 18 none | of a transition alone: there is no value |

use super::bytes::{Bytes, put_varint, put_zigzag};
use davy_alarm::NoValue;

pub(super) const F32: u8 = 1;
const F64: u8 = 2;
const QUOTIENT: u8 = 3;
const PRODUCT: u8 = 11;
pub(super) const NONE: u8 = 18;

const POWERS: [f64; 8] = [1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
const SCALES: [f64; 7] = [0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6, 1e-7];
/// Whole numbers up to here are exact in an f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends a value in the shortest exact form, which it answers.
pub(super) fn put_value(out: &mut Vec<u8>, value: Result<f64, NoValue>) -> u8 {
    let value = match value {
        Ok(value) => value,
        Err(cause) => {
            put_varint(out, u64::from(cause.code()));
            return 0;
        }
    };
    let narrow = value as f32;
    let is_narrow = f64::from(narrow).to_bits() == value.to_bits();
    match decimal(value) {
        // Four bytes of zigzag hold 28 bits.
        Some((form, number)) if !is_narrow || number.unsigned_abs() < 1 << 27 => {
            put_zigzag(out, number);
            form
        }
        _ if is_narrow => {
            out.extend(narrow.to_le_bytes());
            F32
        }
        _ => {
            out.extend(value.to_le_bytes());
            F64
        }
    }
}

/// The form and whole number that give the value back, bit by bit, if any does in fewer bytes than eight.
pub(super) fn decimal(value: f64) -> Option<(u8, i64)> {
    let in_form = |form| number_in(form, value).map(|number| (form, number));
    (0_u8..8).find_map(|place| {
        let quotient = in_form(QUOTIENT + place);
        quotient.or_else(|| {
            place
                .checked_sub(1)
                .and_then(|place| in_form(PRODUCT + place))
        })
    })
}

/// The whole number that gives the value back in one of the forms 3 to 17, bit by bit, if there is one.
pub(super) fn number_in(form: u8, value: f64) -> Option<i64> {
    let (scaled, is_quotient) = match form {
        QUOTIENT..PRODUCT => (value * POWERS[usize::from(form - QUOTIENT)], true),
        PRODUCT..NONE => (value * POWERS[usize::from(form - PRODUCT) + 1], false),
        _ => return None,
    };
    let number = scaled.round() + 0.0;
    let back = if is_quotient {
        number / POWERS[usize::from(form - QUOTIENT)]
    } else {
        number * SCALES[usize::from(form - PRODUCT)]
    };
    (number.abs() < EXACT / 64.0 && back.to_bits() == value.to_bits()).then_some(number as i64)
}

/// The value that a whole number gives in one of the forms 3 to 17.
pub(super) fn of_number(form: u8, number: i64) -> Option<f64> {
    match form {
        QUOTIENT..PRODUCT => Some(number as f64 / POWERS[usize::from(form - QUOTIENT)]),
        PRODUCT..NONE => Some(number as f64 * SCALES[usize::from(form - PRODUCT)]),
        _ => None,
    }
}

/// The value of a form; `None` for bytes that we never wrote.
pub(super) fn value(bytes: &mut Bytes<'_>, form: u8) -> Option<Result<f64, NoValue>> {
    Some(Ok(match form {
        0 => {
            let code = u16::try_from(bytes.varint()?).ok()?;
            return NoValue::from_code(code).map(Err);
        }
        F32 => f64::from(f32::from_le_bytes(bytes.array()?)),
        F64 => f64::from_le_bytes(bytes.array()?),
        QUOTIENT..NONE => of_number(form, bytes.zigzag()?)?,
        _ => return None,
    }))
}

pub(super) fn put_optional_value(out: &mut Vec<u8>, value: Option<Result<f64, NoValue>>) {
    let form = out.len();
    out.push(NONE);
    if let Some(value) = value {
        out[form] = put_value(out, value);
    }
}

#[expect(clippy::option_option, reason = "outer: whether the bytes are ours")]
pub(super) fn optional_value(bytes: &mut Bytes<'_>) -> Option<Option<Result<f64, NoValue>>> {
    match bytes.byte()? {
        NONE => Some(None),
        form => value(bytes, form).map(Some),
    }
}
