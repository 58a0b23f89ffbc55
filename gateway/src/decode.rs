//! From raw registers to a reading. Pure. A register that was not read is a cause, never a number.

use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::site::{Band, BandMeaning, Encoding, Order, Point, Scaling, StatusRule};

/// What decoding needs of a point. A site's points are large and lie apart, and each scan decodes all of its device's: what few points have lies elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    encoding: Encoding,
    /// What is measured, or of a current loop its current in mA, is raw × scale + offset.
    scale: f64,
    offset: f64,
    over_range_at: f64,
    under_range_at: f64,
    more: Option<Box<More>>,
}

/// What decoding needs of a point that has more than a number.
#[derive(Clone, Debug)]
struct More {
    current_loop: Option<CurrentLoop>,
    status: Box<[StatusRule]>,
}

#[derive(Clone, Debug)]
struct CurrentLoop {
    /// What 4 and 20 mA stand for.
    range: (f64, f64),
    bands: Box<[Band]>,
}

impl Decoder {
    pub(crate) fn of(point: &Point) -> Self {
        let (scale, offset, current_loop) = match &point.scaling {
            Scaling::Linear { scale, offset } => (*scale, *offset, None),
            Scaling::CurrentLoop {
                scale,
                offset,
                bands,
            } => {
                let (range, bands) = (point.range, bands.clone().into());
                (*scale, *offset, Some(CurrentLoop { range, bands }))
            }
        };
        let has_more = current_loop.is_some() || !point.status.is_empty();
        let more = More {
            current_loop,
            status: point.status.clone().into(),
        };
        Self {
            encoding: point.register.encoding,
            scale,
            offset,
            over_range_at: point.over_range_at.unwrap_or(f64::INFINITY),
            under_range_at: point.under_range_at.unwrap_or(f64::NEG_INFINITY),
            more: has_more.then(|| Box::new(more)),
        }
    }

    /// Whether there are status rules.
    pub(crate) fn has_status(&self) -> bool {
        (self.more.as_ref()).is_some_and(|more| !more.status.is_empty())
    }

    /// Decodes the point. `value` holds its registers (bits as 0 or 1), `status` those of each of its status rules, in their order.
    pub(crate) fn reading<'r>(
        &self,
        value: Result<&[u16], NoValue>,
        status: impl Iterator<Item = Result<&'r [u16], NoValue>>,
        at: WallMs,
    ) -> Reading {
        let rules = self.more.as_ref().map_or(&[][..], |more| &more.status);
        for (rule, words) in rules.iter().zip(status) {
            match words {
                // Without its status a value cannot be trusted: a transmitter in inhibit shows a plausible 0.
                Err(cause) => return Reading::absent(cause, at),
                Ok(words) if holds(rule, words) => return Reading::absent(rule.cause, at),
                Ok(_) => {}
            }
        }
        match value {
            Err(cause) => Reading::absent(cause, at),
            Ok(words) => self.scaled(number(self.encoding, words), at),
        }
    }

    fn scaled(&self, raw: f64, at: WallMs) -> Reading {
        if !raw.is_finite() {
            return Reading::absent(NoValue::NotFinite, at);
        }
        let number = raw * self.scale + self.offset;
        let more = self.more.as_ref();
        match more.and_then(|more| more.current_loop.as_ref()) {
            None => self.ranged(number, false, at),
            Some(current_loop) => self.of_current(current_loop, number, at),
        }
    }

    fn of_current(&self, current_loop: &CurrentLoop, current_ma: f64, at: WallMs) -> Reading {
        let mut bands = current_loop.bands.iter();
        let band = bands.find(|band| lies_in(band, current_ma));
        match band.map(|band| band.meaning) {
            Some(BandMeaning::Absent(cause)) => Reading::absent(cause, at),
            meaning => {
                let (low, high) = current_loop.range;
                let share = (current_ma - 4.0) / 16.0;
                self.ranged(low + share * (high - low), meaning.is_some(), at)
            }
        }
    }

    fn ranged(&self, value: f64, uncertain: bool, at: WallMs) -> Reading {
        if value > self.over_range_at {
            return Reading::absent(NoValue::OverRange, at);
        }
        if value < self.under_range_at {
            return Reading::absent(NoValue::UnderRange, at);
        }
        if uncertain {
            Reading::uncertain(value, at)
        } else {
            Reading::measured(value, at)
        }
    }
}

/// Decodes one point: as a bus does that asks for it again and again.
pub fn reading<'r>(
    point: &Point,
    value: Result<&[u16], NoValue>,
    status: impl Iterator<Item = Result<&'r [u16], NoValue>>,
    at: WallMs,
) -> Reading {
    Decoder::of(point).reading(value, status, at)
}

/// As [`reading`], of registers that are all there and no time: what a profile's examples are held against.
pub fn example(point: &Point, value: &[u16], status: &[&[u16]]) -> Reading {
    let status = status.iter().map(|words| Ok(*words));
    reading(point, Ok(value), status, WallMs(0))
}

/// Whether a status rule's register takes the value away.
pub(crate) fn holds(rule: &StatusRule, words: &[u16]) -> bool {
    let raw = number(rule.register.encoding, words);
    raw >= rule.from as f64 && raw <= rule.to as f64
}

fn lies_in(band: &Band, current_ma: f64) -> bool {
    current_ma >= band.from_ma && current_ma < band.to_ma
}

/// The raw number that registers spell.
pub fn number(encoding: Encoding, words: &[u16]) -> f64 {
    let first = words.first().copied().unwrap_or_default();
    match encoding {
        Encoding::Bool => f64::from(first != 0),
        Encoding::Bit { bit } => f64::from(first >> bit & 1),
        Encoding::BitField { shift, width } => {
            f64::from(u32::from(first) >> shift & ((1 << width) - 1))
        }
        Encoding::U16 { order } => f64::from(swapped(first, order)),
        Encoding::I16 { order } => f64::from(swapped(first, order) as i16),
        Encoding::U32 { order } => f64::from(bits(words, order) as u32),
        Encoding::I32 { order } => f64::from(bits(words, order) as u32 as i32),
        Encoding::U64 { order } => bits(words, order) as f64,
        Encoding::I64 { order } => bits(words, order) as i64 as f64,
        Encoding::F32 { order } => f64::from(f32::from_bits(bits(words, order) as u32)),
        Encoding::F64 { order } => f64::from_bits(bits(words, order)),
        Encoding::SignMagnitude => sign_magnitude(first),
        Encoding::SplitDecimal => f64::from(first >> 8) + f64::from(first & 0xff) / 10.0,
        Encoding::Bcd16 { order } => decimal_digits(swapped(first, order).into()),
        Encoding::Bcd32 { order } => decimal_digits(bits(words, order) as u32),
    }
}

/// Eight digits of four bits, the most significant first. One above nine is none: such a register holds something else, or is being written just now.
fn decimal_digits(bits: u32) -> f64 {
    let digits = (0..8).rev().map(|place| bits >> (4 * place) & 0xf);
    digits.fold(0.0, |number, digit| {
        if digit > 9 {
            f64::NAN
        } else {
            number * 10.0 + f64::from(digit)
        }
    })
}

/// A 16-bit value knows two orders: as it came, and with its bytes swapped.
const fn swapped(word: u16, order: Order) -> u16 {
    match order {
        Order::Abcd | Order::Cdab => word,
        Order::Badc | Order::Dcba => word.swap_bytes(),
    }
}

/// The bits of a value of two or four registers, A the most significant byte.
fn bits(words: &[u16], order: Order) -> u64 {
    let joined = |words: &mut dyn Iterator<Item = &u16>| {
        words.fold(0_u64, |bits, word| {
            bits << 16 | u64::from(swapped(*word, order))
        })
    };
    match order {
        Order::Abcd | Order::Badc => joined(&mut words.iter()),
        Order::Cdab | Order::Dcba => joined(&mut words.iter().rev()),
    }
}

/// RKI's: bit 15 sign, bits 14–13 decimals, bits 12–0 magnitude.
fn sign_magnitude(word: u16) -> f64 {
    let magnitude = f64::from(word & 0x1fff) / 10_f64.powi(i32::from(word >> 13 & 3));
    if word & 0x8000 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_orders_spell_the_same_float() {
        let (a, b) = (0x4248_u16, 0x0000_u16);
        let spelled = |order, words: [u16; 2]| number(Encoding::F32 { order }, &words);
        assert_eq!(spelled(Order::Abcd, [a, b]), 50.0);
        assert_eq!(spelled(Order::Cdab, [b, a]), 50.0);
        assert_eq!(spelled(Order::Badc, [a.swap_bytes(), b.swap_bytes()]), 50.0);
        assert_eq!(spelled(Order::Dcba, [b.swap_bytes(), a.swap_bytes()]), 50.0);
    }

    #[test]
    fn wide_integers_and_doubles_keep_their_sign() {
        assert_eq!(
            number(Encoding::I32 { order: Order::Abcd }, &[0xffff, 0xfffe]),
            -2.0
        );
        assert_eq!(
            number(Encoding::U32 { order: Order::Cdab }, &[0xd13a, 0x0001]),
            119_098.0
        );
        assert_eq!(
            number(
                Encoding::I64 { order: Order::Dcba },
                &[0xfeff, 0xffff, 0xffff, 0xffff]
            ),
            -2.0
        );
        let double = 1234.5_f64.to_bits();
        let words = [48, 32, 16, 0].map(|shift| (double >> shift) as u16);
        assert_eq!(number(Encoding::F64 { order: Order::Abcd }, &words), 1234.5);
        assert_eq!(
            number(Encoding::I16 { order: Order::Badc }, &[0xfeff]),
            -2.0
        );
    }

    #[test]
    fn decimal_digits_read_as_a_display_shows_them_and_another_digit_is_no_number() {
        let (order, swapped) = (Order::Abcd, Order::Cdab);
        assert_eq!(number(Encoding::Bcd16 { order }, &[0x1234]), 1234.0);
        assert_eq!(number(Encoding::Bcd16 { order }, &[0x0009]), 9.0);
        let words = [0x5678, 0x1234];
        assert_eq!(
            number(Encoding::Bcd32 { order: swapped }, &words),
            12_345_678.0
        );
        assert_eq!(number(Encoding::Bcd32 { order }, &words), 56_781_234.0);
        for word in [0x000a, 0xf000, 0x12b4] {
            assert!(number(Encoding::Bcd16 { order }, &[word]).is_nan());
            assert!(number(Encoding::Bcd32 { order }, &[word, 0]).is_nan());
        }
    }

    #[test]
    fn makers_own_spellings_read_as_their_manuals_print() {
        assert_eq!(number(Encoding::SplitDecimal, &[0x1409]), 20.9);
        assert_eq!(
            number(Encoding::SignMagnitude, &[0b0010_0000_1100_1000]),
            20.0
        );
        assert_eq!(
            number(Encoding::SignMagnitude, &[0b1100_0000_0110_0100]),
            -1.0
        );
        assert_eq!(
            number(
                Encoding::BitField {
                    shift: 12,
                    width: 4
                },
                &[0x5000]
            ),
            5.0
        );
        assert_eq!(number(Encoding::Bit { bit: 6 }, &[0x0040]), 1.0);
    }
}
