//! What registers could mean: every spelling of a number at one place, and whether it looks like a physical signal. Pure.

use crate::decode::number;
use davy_config::site::{Encoding, Order};

/// One way to read the registers at one place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// As a site file spells it: `as` and, where it matters, `order`.
    pub(super) spelling: &'static str,
    pub(super) order: Option<&'static str>,
    pub(super) value: f64,
    pub(super) looks_physical: bool,
}

const ORDERS: [(&str, Order); 4] = [
    ("ABCD", Order::Abcd),
    ("CDAB", Order::Cdab),
    ("BADC", Order::Badc),
    ("DCBA", Order::Dcba),
];

/// Every spelling that begins at the first of `words`; of four registers only where there are four.
pub(super) fn readings(words: &[u16]) -> Vec<Reading> {
    let mut all = Vec::new();
    let mut push = |spelling, order: Option<&'static str>, encoding| {
        let own = &words[..usize::from(davy_config::width(encoding))];
        let value = number(encoding, own);
        let looks_physical = is_physical(encoding, own, value);
        all.push(Reading {
            spelling,
            order,
            value,
            looks_physical,
        });
    };
    let order = Order::Abcd;
    push("u16", None, Encoding::U16 { order });
    push("i16", None, Encoding::I16 { order });
    push("sign-magnitude", None, Encoding::SignMagnitude);
    push("split-decimal", None, Encoding::SplitDecimal);
    if words.len() >= 2 {
        for (name, order) in ORDERS {
            push("f32", Some(name), Encoding::F32 { order });
        }
        for (name, order) in ORDERS {
            push("u32", Some(name), Encoding::U32 { order });
            push("i32", Some(name), Encoding::I32 { order });
        }
    }
    if words.len() >= 4 {
        for (name, order) in ORDERS {
            push("f64", Some(name), Encoding::F64 { order });
        }
    }
    all
}

/// A guess that marks and never hides. Of a float: bytes in the wrong order mostly give a size that no sensor shows. Of a whole number: it fits a scaled
/// measurement; wide ones only if they are no accident of two small registers side by side.
fn is_physical(encoding: Encoding, words: &[u16], value: f64) -> bool {
    let size = value.abs();
    match encoding {
        Encoding::F32 { .. } | Encoding::F64 { .. } => {
            value.is_finite() && (size == 0.0 && is_zero(words) || (1e-3..1e6).contains(&size))
        }
        Encoding::U16 { .. } => size <= 32_767.0,
        Encoding::I16 { .. } => value < 0.0 && size <= 10_000.0,
        Encoding::U32 { .. } => (65_536.0..1e8).contains(&size),
        Encoding::I32 { .. } => value < 0.0 && size < 1e8,
        Encoding::SplitDecimal => {
            words.first().is_some_and(|word| word & 0xff <= 9) && (1.0..=100.0).contains(&size)
        }
        Encoding::SignMagnitude => {
            words.first().is_some_and(|word| word >> 13 & 3 > 0) && size <= 1_000.0
        }
        _ => false,
    }
}

/// Registers that are all 0 spell 0.0 in every order, which tells nothing but is no nonsense either.
fn is_zero(words: &[u16]) -> bool {
    words.iter().all(|word| *word == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn physical(words: &[u16], spelling: &str) -> Vec<(Option<&'static str>, f64)> {
        let all = readings(words).into_iter();
        all.filter(|one| one.spelling == spelling && one.looks_physical)
            .map(|one| (one.order, one.value))
            .collect()
    }

    #[test]
    fn of_the_four_orders_of_a_float_the_right_one_is_marked() {
        let bits = 21.53_f32.to_bits();
        let (a, b) = ((bits >> 16) as u16, bits as u16);
        for (order, words) in [
            ("ABCD", [a, b]),
            ("CDAB", [b, a]),
            ("BADC", [a.swap_bytes(), b.swap_bytes()]),
            ("DCBA", [b.swap_bytes(), a.swap_bytes()]),
        ] {
            let marked = physical(&words, "f32");
            assert!(
                marked.contains(&(Some(order), f64::from(21.53_f32))),
                "{words:x?}"
            );
            assert!(marked.len() <= 2, "{marked:?}");
        }
    }

    #[test]
    fn what_stands_behind_a_value_changes_nothing() {
        let words = [0x3d37, 0x9dd1, 7, 7];
        assert!(
            physical(&words, "f32")
                .contains(&(Some("ABCD"), f64::from(f32::from_bits(0x3d37_9dd1))))
        );
        assert_eq!(physical(&words, "u16"), [(None, f64::from(0x3d37))]);
    }

    #[test]
    fn makers_own_spellings_are_marked_where_they_fit() {
        assert_eq!(physical(&[0x1409], "split-decimal"), [(None, 20.9)]);
        assert_eq!(
            physical(&[0b0010_0000_1100_1000], "sign-magnitude"),
            [(None, 20.0)]
        );
        assert!(physical(&[250], "split-decimal").is_empty());
    }

    #[test]
    fn one_register_has_no_wide_spelling() {
        assert!(readings(&[1]).iter().all(|one| one.order.is_none()));
        assert_eq!(readings(&[1, 2, 3, 4]).len(), 4 + 12 + 4);
    }

    proptest::proptest! {
        #[test]
        fn no_registers_make_a_spelling_panic_or_look_physical_that_is_no_number(words in proptest::collection::vec(proptest::prelude::any::<u16>(), 1..9)) {
            for one in readings(&words) {
                proptest::prop_assert!(!one.looks_physical || one.value.is_finite());
            }
        }
    }
}
