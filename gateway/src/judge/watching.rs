//! Which alarms look at a point's own value.

use davy_config::site::{AlarmIndex, Input, PointIndex, Site};

/// Alarms of one point that lie beside one another and look at it in one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    first: AlarmIndex,
    count: u32,
    pub(super) input: Input,
}

impl Run {
    /// Positions of the alarms in `Site::alarms`, in the file's order.
    pub(super) fn alarms(self) -> impl Iterator<Item = AlarmIndex> {
        (self.first.0..self.first.0 + self.count as usize).map(AlarmIndex)
    }

    fn is_followed_by(self, alarm: AlarmIndex, input: Input) -> bool {
        self.input == input && self.first.0 + self.count as usize == alarm.0
    }
}

/// The alarms of every point in one list of runs, most points with one: a site's alarms are large, and every reading asks.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) runs: Vec<Run>,
    /// By point: where its runs end; they begin where those of the point before it end.
    ends: Vec<u32>,
}

impl Watching {
    pub(super) fn of(site: &Site) -> Self {
        let mut watching = Self {
            runs: Vec::with_capacity(site.points.len()),
            ends: Vec::with_capacity(site.points.len()),
        };
        for point in &site.points {
            let mut runs: Vec<Run> = Vec::new();
            for &first in &point.alarms {
                let input = site.alarms[first.0].input;
                match runs.last_mut() {
                    Some(run) if run.is_followed_by(first, input) => run.count += 1,
                    _ => runs.push(Run {
                        first,
                        count: 1,
                        input,
                    }),
                }
            }
            watching.runs.extend(runs);
            watching.ends.push(watching.runs.len() as u32);
        }
        watching
    }

    pub(super) fn places(&self, point: PointIndex) -> std::ops::Range<usize> {
        let start = point.0.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[point.0] as usize
    }
}
