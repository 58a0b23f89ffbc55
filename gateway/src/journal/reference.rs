//! What a segment's header says of each point: in which form its values are whole numbers, and near which number they lie.
//!
//! Batches tell readings as differences to it. So a batch needs its own bytes and the header's and no other batch's: damage costs what it costs anyway.
//!
//! Bytes: varint number of points; for each by its position byte form (0: nothing is known of it) and, unless 0, zigzag number. Forms are 3 to 17 of
//! [`super::values`], and 1: the number is then the f32's bits in rising order of the values (the sign bit clear: the bits; set: −1 − the other bits).

use super::bytes::{Bytes, put_varint, put_zigzag};
use super::values::{self, F32};

/// Most points that are read: far more than any site has.
const MOST: u64 = 1 << 24;

/// A form and a number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    form: u8,
    pub(super) number: i64,
}

impl Reference {
    /// None for a value that takes all bits of an f64.
    pub(super) fn of(value: f64) -> Option<Self> {
        let narrow = || in_order(value).map(|number| (F32, number));
        let (form, number) = values::decimal(value)
            .filter(|(_, number)| number.unsigned_abs() < 1 << 27)
            .or_else(narrow)
            .or_else(|| values::decimal(value))?;
        Some(Self { form, number })
    }

    /// The number that gives a value back in this form, bit by bit.
    pub(super) fn number(self, value: f64) -> Option<i64> {
        match self.form {
            F32 => in_order(value),
            form => values::number_in(form, value),
        }
    }

    /// The value of a number in this form.
    pub(super) fn value(self, number: i64) -> Option<f64> {
        match self.form {
            F32 => out_of_order(number),
            form => values::of_number(form, number),
        }
    }
}

/// What is known of every point, by its position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct References(Vec<Option<Reference>>);

impl References {
    pub(super) fn of(&self, point: u32) -> Option<Reference> {
        self.0.get(point as usize).copied().flatten()
    }

    /// Goes on with a point's next value. Its form stays as long as it fits: of two that fit some of a register's values the one that fits all prevails.
    pub(super) fn learn(&mut self, point: u32, value: f64) {
        let at = point as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        let known = self.0[at].and_then(|known| {
            let number = known.number(value)?;
            Some(Reference { number, ..known })
        });
        self.0[at] = known.or_else(|| Reference::of(value));
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        for point in &self.0 {
            match point {
                None => out.push(0),
                Some(Reference { form, number }) => {
                    out.push(*form);
                    put_zigzag(out, *number);
                }
            }
        }
    }

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let count = bytes.varint().filter(|count| *count <= MOST)?;
        let mut references = Self::default();
        for _ in 0..count {
            let reference = match bytes.byte()? {
                0 => None,
                form => {
                    let reference = Reference {
                        form,
                        number: bytes.zigzag()?,
                    };
                    reference.value(reference.number)?;
                    Some(reference)
                }
            };
            references.0.push(reference);
        }
        Some(references)
    }
}

/// The place of a value among those of an f32; none for one that is no f32.
fn in_order(value: f64) -> Option<i64> {
    let narrow = value as f32;
    if f64::from(narrow).to_bits() != value.to_bits() {
        return None;
    }
    let bits = narrow.to_bits();
    let magnitude = i64::from(bits & 0x7fff_ffff);
    Some(if bits >> 31 == 0 {
        magnitude
    } else {
        -1 - magnitude
    })
}

fn out_of_order(number: i64) -> Option<f64> {
    let (sign, magnitude) = if number < 0 {
        (1 << 31, -1 - number)
    } else {
        (0, number)
    };
    let magnitude = u32::try_from(magnitude)
        .ok()
        .filter(|bits| bits >> 31 == 0)?;
    let value = f64::from(f32::from_bits(sign | magnitude));
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_that_fits_all_values_of_a_register_prevails() {
        let mut references = References::default();
        for raw in [200, 209, 205, 210] {
            references.learn(2, f64::from(raw) * 0.1);
        }
        let reference = references.of(2).expect("it was read");
        for raw in 150..300 {
            let value = f64::from(raw) * 0.1;
            assert_eq!(reference.number(value), Some(i64::from(raw)));
        }
        assert_eq!(references.of(0), None);
    }

    proptest! {
        #[test]
        fn a_number_gives_its_value_back_to_the_bit(first: f32, second: f32, raw in -70_000_i64..70_000, other in -70_000_i64..70_000, place in 0_i32..8) {
            let power = 10_f64.powi(place);
            let pairs = [
                (f64::from(first), f64::from(second)),
                (raw as f64 / power, other as f64 / power),
                (raw as f64 * (1.0 / power), other as f64 * (1.0 / power)),
            ];
            for (known, value) in pairs {
                if !(known.is_finite() && value.is_finite()) {
                    continue;
                }
                if let Some(reference) = Reference::of(known)
                    && let Some(number) = reference.number(value)
                {
                    let back = reference.value(number).map(f64::to_bits);
                    prop_assert_eq!(back, Some(value.to_bits()));
                }
            }
        }

        #[test]
        fn references_come_back_as_they_were(values in prop::collection::vec((0_u32..20, -1e6_f64..1e6), 0..40)) {
            let mut references = References::default();
            for (point, value) in values {
                references.learn(point, value as f32 as f64);
                references.learn(point, (value * 10.0).round() / 10.0);
            }
            let mut out = Vec::new();
            references.encode(&mut out);
            prop_assert_eq!(References::decode(&mut Bytes(&out)), Some(references));
        }
    }
}
