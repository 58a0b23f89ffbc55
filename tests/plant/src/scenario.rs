//! What can go wrong, and where.

use serde::{Deserialize, Serialize};

/// The kinds of trouble that the plant can be put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Gas escapes, a tank overfills, a filter clogs, a hopper smoulders, a spark flies: whatever the point looks at goes wrong.
    Leak,
    /// The instrument's zero wanders by 0.2 % of its range a second.
    SlowDrift,
    /// The instrument repeats its last value.
    StuckSensor,
    /// The instrument's loop is broken.
    BrokenLoop,
    /// The instrument has just been powered.
    WarmUp,
    /// One unit no longer answers.
    DeadDevice,
    /// Nothing on the bus answers.
    CutCable,
    /// The site's link to the city is cut.
    CloudOffline,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Leak,
        Self::SlowDrift,
        Self::StuckSensor,
        Self::BrokenLoop,
        Self::WarmUp,
        Self::DeadDevice,
        Self::CutCable,
        Self::CloudOffline,
    ];

    /// The name in the API, on the command line and in message files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::SlowDrift => "slow-drift",
            Self::StuckSensor => "stuck-sensor",
            Self::BrokenLoop => "broken-loop",
            Self::WarmUp => "warm-up",
            Self::DeadDevice => "dead-device",
            Self::CutCable => "cut-cable",
            Self::CloudOffline => "cloud-offline",
        }
    }
}

/// Drift of a drifting instrument, share of its range a second.
pub const DRIFT_PER_S: f64 = 0.002;

/// A running scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    pub id: u64,
    pub kind: Kind,
    pub site: String,
    /// The point whose instrument, unit or bus is meant.
    pub point: String,
    /// Seconds since it began.
    pub elapsed_s: f64,
    /// Ends by itself after this many seconds; `None` runs until it is ended.
    pub for_s: Option<f64>,
}

impl Scenario {
    pub fn over(&self) -> bool {
        self.for_s.is_some_and(|for_s| self.elapsed_s >= for_s)
    }
}
