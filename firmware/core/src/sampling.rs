//! From loop current to a value: what the current means by the channel's bands, a first-order filter, and the scale. Whole numbers alone.
//!
//! Bands judge the current as it came: a fault must not fade in through a filter. The filter begins anew whenever a channel measures again. Against exact
//! arithmetic the value is wrong by at most half a thousandth of its unit and two millionths of its span.

use davy_alarm::{Instant, NoValue};
use davy_wire::node::{Channel, Meaning};

/// Fractional bits of the filter's memory: a step of one microampere is followed to the end even with the longest time constant.
const FILTER_BITS: u32 = 16;
/// Fractional bits of a current that is scaled: a span of 32 bits fits 64 with it.
const SCALE_BITS: u32 = 4;
/// Longest step of the filter, milliseconds: after a longer silence the old value counts for nothing.
const LONGEST_STEP_MS: u64 = 1_000;

/// One look at one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensed {
    /// After filtering, microamperes.
    pub current_ua: u16,
    /// Thousandths of the unit, or why there is none.
    pub value: Result<i32, NoValue>,
    pub uncertain: bool,
}

impl Sensed {
    /// Nothing was sampled yet.
    pub const NOT_YET: Self = Self::absent(0, NoValue::NotYetRead);

    const fn absent(current_ua: u16, cause: NoValue) -> Self {
        Self {
            current_ua,
            value: Err(cause),
            uncertain: false,
        }
    }
}

/// The memory of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampler {
    /// Filtered current, and when; `None` while the channel does not measure.
    filtered: Option<(i64, Instant)>,
}

impl Sampler {
    /// One sample; `None` where the front end was silent. `since_start_ms` decides whether the transmitter still warms up.
    pub fn sample(
        &mut self,
        channel: &Channel,
        current_ua: Option<u16>,
        now: Instant,
        since_start_ms: u64,
    ) -> Sensed {
        let Some(raw) = current_ua else {
            self.filtered = None;
            return Sensed::absent(0, NoValue::Timeout);
        };
        let uncertain = match meaning(channel, raw) {
            Meaning::Absent(cause) => {
                self.filtered = None;
                return Sensed::absent(raw, cause);
            }
            Meaning::Uncertain => true,
            Meaning::Measures => false,
        };
        if since_start_ms < u64::from(channel.warm_up_s) * 1_000 {
            return Sensed::absent(raw, NoValue::WarmUp);
        }
        let filtered = self.filter(channel, raw, now);
        Sensed {
            current_ua: u16::try_from(rounded(filtered, FILTER_BITS)).unwrap_or(raw),
            value: Ok(scaled(channel, filtered)),
            uncertain,
        }
    }

    /// y += (x − y) · dt / (tau + dt).
    fn filter(&mut self, channel: &Channel, raw: u16, now: Instant) -> i64 {
        let input = i64::from(raw) << FILTER_BITS;
        let step = |(before, at): (i64, Instant)| {
            let elapsed_ms = i64::try_from(now.since(at).min(LONGEST_STEP_MS)).unwrap_or(0);
            let whole = i64::from(channel.filter_ms) + elapsed_ms;
            let moved = (input - before)
                .saturating_mul(elapsed_ms)
                .checked_div(whole);
            before + moved.unwrap_or(input - before)
        };
        let filtered = match self.filtered {
            Some(before) if channel.filter_ms > 0 => step(before),
            _ => input,
        };
        self.filtered = Some((filtered, now));
        filtered
    }
}

fn meaning(channel: &Channel, current_ua: u16) -> Meaning {
    let band = channel.bands.iter().find(|band| current_ua < band.below_ua);
    // The last step in use reaches 65535; that current itself is its too.
    let last = || channel.bands.iter().find(|band| band.below_ua == u16::MAX);
    let band = band.or_else(last);
    band.map_or(Meaning::Absent(NoValue::UnknownCode), |band| band.means)
}

/// 4 mA is the low end, 20 mA the high one.
fn scaled(channel: &Channel, filtered: i64) -> i32 {
    let above_zero = (filtered >> (FILTER_BITS - SCALE_BITS)) - (4_000 << SCALE_BITS);
    let span = i64::from(channel.high) - i64::from(channel.low);
    let share = divided(above_zero * span, 16_000 << SCALE_BITS);
    let value = i64::from(channel.low) + share;
    let clamped = value.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    i32::try_from(clamped).unwrap_or(i32::MAX)
}

/// To the nearest; a half goes away from zero.
const fn divided(value: i64, by: i64) -> i64 {
    let half = if value < 0 { -by / 2 } else { by / 2 };
    (value + half) / by
}

const fn rounded(value: i64, bits: u32) -> i64 {
    (value + (1 << (bits - 1))) >> bits
}
