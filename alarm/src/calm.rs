//! The values that an alarm has nothing to say about, known before they come: most readings of a plant are such, and cost two comparisons then.

/// Values that lie between two others, neither of them included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calm {
    above: f64,
    below: f64,
}

impl Calm {
    /// No value.
    pub const NONE: Self = Self::between(f64::INFINITY, f64::NEG_INFINITY);
    /// Every value that is one: finite.
    pub const EVERY: Self = Self::between(f64::NEG_INFINITY, f64::INFINITY);
    /// Nought alone, of either sign.
    pub(crate) const NOUGHT: Self = {
        let least = f64::from_bits(1);
        Self::between(-least, least)
    };

    pub(crate) const fn above(value: f64) -> Self {
        Self::between(value, f64::INFINITY)
    }

    pub(crate) const fn below(value: f64) -> Self {
        Self::between(f64::NEG_INFINITY, value)
    }

    const fn between(above: f64, below: f64) -> Self {
        Self { above, below }
    }

    pub const fn holds(self, value: f64) -> bool {
        value > self.above && value < self.below
    }

    /// The values that lie in both.
    pub const fn and(self, other: Self) -> Self {
        Self::between(self.above.max(other.above), self.below.min(other.below))
    }
}
