//! The targets over 30 days or more, and how a figure stands against its own.

use davy_alarm::Priority;
use serde::Serialize;

/// How a figure stands against its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Met,
    /// Over the target, within what people can still manage.
    Manageable,
    Missed,
    /// Too little record to say.
    Unjudged,
}

impl Verdict {
    pub(crate) const fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }

    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Manageable => "manageable",
            Self::Missed => "missed",
            Self::Unjudged => "unjudged",
        }
    }
}

/// Annunciations in ten minutes: acceptable, and the most that is manageable.
pub(crate) const RATE: f64 = 1.0;
pub(crate) const RATE_MOST: f64 = 2.0;
/// An interval is over when it holds more than this; a flood begins so.
pub(crate) const OVER: usize = 10;
/// A flood ends when ten minutes hold fewer than this.
pub(crate) const FLOOD_OVER_BELOW: usize = 5;
/// Shares below this are met: of intervals that are over, of time in flood, of the highest priority.
pub(crate) const SMALL_SHARE: f64 = 0.01;
/// The ten busiest sources together: up to this.
pub(crate) const SOURCES_SHARE: f64 = 0.05;
/// With fewer annunciations than this, ten sources of one each are more than their target: nothing follows from it.
pub(crate) const SOURCES_JUDGED_FROM: usize = 200;
/// Fewer standing alarms than this on any day.
pub(crate) const STANDING_BELOW: usize = 5;
/// Active for longer than this is standing (R9).
pub(crate) const STANDING_MS: i64 = crate::DAY_MS;
/// A record of so many days is enough to judge by.
pub(crate) const DAYS: f64 = 30.0;

/// The share of annunciations that a priority should have, P1 to P4: less than 1 %, and about 5, 15 and 80 %.
pub(crate) const fn share(priority: Priority) -> f64 {
    match priority {
        Priority::P1 => SMALL_SHARE,
        Priority::P2 => 0.05,
        Priority::P3 => 0.15,
        Priority::P4 => 0.80,
    }
}

/// "About" is to the nearest per cent. Fewer of the urgent, more of the least urgent, is never worse.
pub(crate) fn judge_share(priority: Priority, found: f64) -> Verdict {
    let rounded = |share: f64| (share * 100.0).round();
    Verdict::of(match priority {
        Priority::P1 => found < share(priority),
        Priority::P2 | Priority::P3 => rounded(found) <= rounded(share(priority)),
        Priority::P4 => rounded(found) >= rounded(share(priority)),
    })
}
