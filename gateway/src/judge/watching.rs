//! Which alarms look at a point's own value.

use davy_config::site::{AlarmIndex, Input, PointIndex, Site};

/// The alarms of every point in one list, each with what it looks at: a site's alarms are large, and every reading asks.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) alarms: Vec<(AlarmIndex, Input)>,
    /// By point: where its alarms end; they begin where those of the point before it end.
    ends: Vec<usize>,
}

impl Watching {
    pub(super) fn of(site: &Site) -> Self {
        let mut watching = Self {
            alarms: Vec::with_capacity(site.alarms.len()),
            ends: Vec::with_capacity(site.points.len()),
        };
        for point in &site.points {
            let inputs = point.alarms.iter();
            let inputs = inputs.map(|alarm| (*alarm, site.alarms[alarm.0].input));
            watching.alarms.extend(inputs);
            watching.ends.push(watching.alarms.len());
        }
        watching
    }

    pub(super) fn places(&self, point: PointIndex) -> std::ops::Range<usize> {
        let start = point.0.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[point.0]
    }
}
