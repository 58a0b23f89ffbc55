//! What the recorded signal of a chattering alarm says, and which part of it is looked at.

use crate::propose::{Proposals, Unproposed};
use crate::report::Chatterer;
use serde::Serialize;

/// Chattering alarms whose signal is looked at, those with the most annunciations.
pub const SIGNALS_MOST: usize = 5;

/// Of the newest episode of an alarm: at most its last half-hour, and a minute before and after it.
const SPAN_MOST_MS: i64 = 1_800_000;
const MARGIN_MS: i64 = 60_000;

/// What the recorded signal of a chattering alarm says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Signal {
    pub alarm: String,
    /// Engineering unit of the point that it looks at; empty without one.
    pub unit: String,
    pub decimals: u8,
    pub found: Option<Proposals>,
    /// Why nothing is proposed.
    pub why: Option<Unproposed>,
}

impl Signal {
    /// `decimals` and `unit` are the point's.
    pub fn new(
        alarm: &str,
        unit: &str,
        decimals: u8,
        found: Result<Proposals, Unproposed>,
    ) -> Self {
        Self {
            alarm: alarm.to_owned(),
            unit: unit.to_owned(),
            decimals,
            why: found.as_ref().err().copied(),
            found: found.ok(),
        }
    }
}

impl Chatterer {
    /// Which readings of its point a proposal wants, UTC milliseconds, both ends included.
    pub fn signal_span(&self) -> (i64, i64) {
        let from = self.from_ms.max(self.to_ms - SPAN_MOST_MS);
        (from - MARGIN_MS, self.to_ms + MARGIN_MS)
    }
}
