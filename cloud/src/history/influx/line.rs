//! Readings as lines of InfluxDB's line protocol, and names as its tags and texts. What the protocol cannot carry is encoded, never dropped:
//!
//! - Of a name, `%`, `\` and control characters become `%` and two hexadecimal digits a byte, and the empty name a lone `%`: a name can neither break out of
//!   its line nor end in a backslash.
//! - A source time outside of [`ERA_MS`] is written as the time within it and the number of the era, as the tag `era` of `reading_beyond`.

use crate::history::PointReading;
use davy_alarm::{NoValue, Quality, Reading, WallMs};
use std::fmt::Write as _;

/// 1970-01-01 to 2109-05-15, milliseconds: InfluxDB's own times end in 2262.
pub(super) const ERA_MS: i64 = 1 << 42;
pub(super) const MEASUREMENT: &str = "reading";
pub(super) const BEYOND: &str = "reading_beyond";
/// About the longest line.
const LINE: usize = 96;

/// The lines of readings.
pub(super) fn body(readings: &[PointReading]) -> String {
    let mut body = String::with_capacity(readings.len() * LINE);
    readings.iter().for_each(|one| line(&mut body, one));
    body
}

fn line(body: &mut String, one: &PointReading) {
    let time_ms = one.reading.source_time().0;
    let (era, within_ms) = (time_ms.div_euclid(ERA_MS), time_ms.rem_euclid(ERA_MS));
    if era == 0 {
        body.push_str(MEASUREMENT);
    } else {
        body.push_str(BEYOND);
        put(body, format_args!(",era={era}"));
    }
    body.push_str(",point=");
    tag(body, &one.point);
    body.push_str(",site=");
    tag(body, &one.site);
    match (one.reading.value(), one.reading.quality()) {
        (Ok(value), Quality::Good) => put(body, format_args!(" good=1i,value={value:?}")),
        (Ok(value), Quality::Uncertain | Quality::Bad | Quality::Stale) => {
            put(body, format_args!(" good=0i,value={value:?}"));
        }
        (Err(cause), _) => put(body, format_args!(" good=0i,absent={}i", cause.code())),
    }
    put(body, format_args!(" {within_ms}\n"));
}

fn put(body: &mut String, what: std::fmt::Arguments<'_>) {
    body.write_fmt(what).expect("a text takes what is written");
}

/// A name as the value of a tag.
fn tag(body: &mut String, name: &str) {
    for character in encoded(name).chars() {
        if matches!(character, ',' | '=' | ' ') {
            body.push('\\');
        }
        body.push(character);
    }
}

/// A name as a text in a question.
pub(super) fn text(name: &str) -> String {
    format!("'{}'", encoded(name).replace('\'', "\\'"))
}

fn encoded(name: &str) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let mut encoded = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_control() || matches!(character, '%' | '\\') {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                put(&mut encoded, format_args!("%{byte:02X}"));
            }
        } else {
            encoded.push(character);
        }
    }
    encoded
}

/// The name of a tag's value as an answer tells it, with the protocol's backslashes.
pub(super) fn name(tag: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(tag.len());
    let mut left = tag.bytes();
    while let Some(byte) = left.next() {
        match byte {
            b'\\' => bytes.push(left.next()?),
            b'%' if tag.len() == 1 => {}
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(left.next()?)?, digit(left.next()?)?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The reading of a point's fields; `None` if they contradict each other.
pub(super) fn reading(
    time_ms: i64,
    good: i64,
    value: Option<f64>,
    absent: Option<u16>,
) -> Option<Reading> {
    let time = WallMs(time_ms);
    match (good, value, absent) {
        (1, Some(value), _) => Some(Reading::measured(value, time)),
        (0, _, Some(code)) => NoValue::from_code(code).map(|cause| Reading::absent(cause, time)),
        (0, Some(value), None) => Some(Reading::uncertain(value, time)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(point: &str, reading: Reading) -> String {
        body(&[PointReading {
            site: "plant 1".into(),
            point: point.into(),
            reading,
        }])
    }

    #[test]
    fn a_reading_is_a_line_that_keeps_value_quality_cause_and_time() {
        let time = WallMs(1_769_900_400_000);
        let lines = [
            (Reading::measured(-0.0, time), "good=1i,value=-0.0"),
            (Reading::uncertain(1e300, time), "good=0i,value=1e300"),
            (
                Reading::absent(NoValue::Exception(2), time),
                "good=0i,absent=517i",
            ),
        ];
        for (reading, fields) in lines {
            let expected = format!("reading,point=GD-101,site=plant\\ 1 {fields} 1769900400000\n");
            assert_eq!(one("GD-101", reading), expected);
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_line_nor_out_of_a_question() {
        let time = WallMs(5);
        let hostile = "a,b=c d\nreading,site=x value=1 1\\";
        let line = one(hostile, Reading::measured(1.0, time));
        assert_eq!(line.matches('\n').count(), 1);
        let tag = "a\\,b\\=c\\ d%0Areading\\,site\\=x\\ value\\=1\\ 1%5C";
        assert!(line.contains(&format!("point={tag},site=")), "{line}");
        assert_eq!(text("a' OR '\\"), "'a\\' OR \\'%5C'");
    }

    #[test]
    fn a_time_that_no_clock_should_tell_is_kept_in_its_era() {
        let line = one("p", Reading::measured(1.0, WallMs(-1)));
        let expected =
            "reading_beyond,era=-1,point=p,site=plant\\ 1 good=1i,value=1.0 4398046511103\n";
        assert_eq!(line, expected);
    }

    proptest! {
        #[test]
        fn a_name_comes_back_as_it_was(given in any::<String>()) {
            let mut written = String::new();
            tag(&mut written, &given);
            prop_assert!(!written.is_empty() && !written.contains('\n'));
            prop_assert_eq!(name(&written), Some(given));
        }
    }
}
