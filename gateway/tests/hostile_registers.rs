//! Whatever registers hold, under every profile that ships: a reading is a finite number or a cause, and a state that takes the value away leaves no number.
#![allow(clippy::unwrap_used)]

use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::site::{Encoding, Order, Point, Site};
use davy_gateway::decode;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

/// A point for the first and the last signal of each row of every profile.
static SITE: LazyLock<Site> = LazyLock::new(|| {
    let mut text = HEAD.to_owned();
    for (unit, profile) in davy_config::profile_names().enumerate() {
        write!(text, "[[device]]\nid = \"{profile}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b\"\nunit = {unit}\nprofile = \"{profile}\"\n").unwrap();
        for (nth, signal) in davy_config::profile_shape(profile)
            .unwrap()
            .signals
            .iter()
            .enumerate()
        {
            if nth % 32 < 8 {
                let id = &signal.id;
                write!(text, "[[point]]\nid = \"{profile}-{id}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"{profile}\"\nsignal = \"{id}\"\nkind = \"other\"\nunit = \"1\"\nrange = [-100, 100]\n").unwrap();
            }
        }
    }
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    loaded.unwrap_or_else(|problems| panic!("{problems}")).site
});

const HEAD: &str = r#"schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:502"
"#;

/// Numbers that registers like to hold, and any.
fn word() -> impl Strategy<Value = u16> {
    let usual = vec![
        0, 1, 2, 7, 8, 0x7f80, 0x7fc0, 0x7fff, 0x8000, 0xff80, 0xffff, 4000, 20_000,
    ];
    prop_oneof![proptest::sample::select(usual), any::<u16>()]
}

/// Registers of one read: all of them, or the cause for which there are none.
fn held() -> impl Strategy<Value = Result<[u16; 4], NoValue>> {
    prop_oneof![
        9 => [word(), word(), word(), word()].prop_map(Ok),
        1 => Just(Err(NoValue::Exception(2))),
    ]
}

fn point() -> impl Strategy<Value = &'static Point> {
    (0..SITE.points.len()).prop_map(|at| &SITE.points[at])
}

fn first(words: &[u16; 4], encoding: Encoding) -> &[u16] {
    &words[..usize::from(davy_config::width(encoding))]
}

fn orders() -> impl Strategy<Value = Order> {
    proptest::sample::select(vec![Order::Abcd, Order::Cdab, Order::Badc, Order::Dcba])
}

fn encoding() -> impl Strategy<Value = Encoding> {
    (orders(), 0_u8..16, 1_u8..=16, 0..11).prop_map(|(order, bit, width, kind)| match kind {
        0 => Encoding::Bool,
        1 => Encoding::Bit { bit },
        2 => Encoding::BitField {
            shift: bit,
            width: width.min(16 - bit),
        },
        3 => Encoding::U16 { order },
        4 => Encoding::I16 { order },
        5 => Encoding::U32 { order },
        6 => Encoding::I32 { order },
        7 => Encoding::U64 { order },
        8 => Encoding::I64 { order },
        9 => Encoding::SignMagnitude,
        _ => Encoding::SplitDecimal,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_registers_make_a_reading_that_is_no_number_or_a_number_beside_a_cause(
        point in point(),
        value in held(),
        status in proptest::collection::vec(held(), 10),
    ) {
        let words = |held: &'_ Result<[u16; 4], NoValue>, encoding| -> Result<Vec<u16>, NoValue> {
            held.as_ref().map(|words| first(words, encoding).to_vec()).map_err(|cause| *cause)
        };
        let own = words(&value, point.register.encoding);
        let rules: Vec<_> = (point.status.iter().zip(&status))
            .map(|(rule, held)| words(held, rule.register.encoding))
            .collect();
        let told = rules.iter().map(|held| held.as_deref().map_err(|cause| *cause));
        let reading: Reading = decode::reading(point, own.as_deref().map_err(|cause| *cause), told, WallMs(7));
        let number = |held: &Result<Vec<u16>, NoValue>, encoding| held.as_ref().ok().map(|words| decode::number(encoding, words));
        let taken = point.status.iter().zip(&rules).any(|(rule, held)| {
            number(held, rule.register.encoding).is_none_or(|raw| (rule.from as f64..=rule.to as f64).contains(&raw))
        });
        if taken || own.is_err() {
            prop_assert!(reading.value().is_err());
        }
        if let Ok(value) = reading.value() {
            prop_assert!(value.is_finite());
        }
        prop_assert_eq!(reading.source_time(), WallMs(7));
    }

    #[test]
    fn every_spelling_but_a_float_gives_a_finite_number_whatever_the_registers(
        encoding in encoding(),
        words in [any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>()],
    ) {
        prop_assert!(decode::number(encoding, first(&words, encoding)).is_finite());
        // Fewer registers than it takes are no reason to fall over.
        let _short = decode::number(encoding, &[]);
    }
}
