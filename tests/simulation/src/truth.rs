//! What the plant really showed, and when: the measure of every reading that is stored anywhere.

use davy_alarm::{Reading, WallMs};
use std::collections::{BTreeMap, VecDeque};
use tokio::time::Instant;

/// Answers remembered; a reading is journalled long before so many more have come.
const MOST: usize = 100_000;

/// What stood in the registers of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) at: Instant,
    pub(crate) wall: WallMs,
    pub(crate) value: f64,
}

/// The answers of one plant.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// By point and wall clock; several when the clock was set back.
    shown: BTreeMap<(&'static str, i64), Vec<f64>>,
    order: VecDeque<(&'static str, i64)>,
    /// Of each point's last answers, those that came at the last instant: a wall clock that jumps in it may have dated them either way.
    last: BTreeMap<&'static str, Shown>,
}

impl Truth {
    /// A point was answered with this value, in its unit; the gateway has it at this instant.
    pub(crate) fn shows(&mut self, point: &'static str, shown: Shown) {
        self.note(point, shown.wall, shown.value);
        self.last.insert(point, shown);
    }

    /// The wall clock was moved at this instant.
    pub(crate) fn clock_moved(&mut self, now: Instant, wall: WallMs) {
        let again: Vec<_> = (self.last.iter())
            .filter(|(_, shown)| shown.at == now)
            .map(|(point, shown)| (*point, shown.value))
            .collect();
        for (point, value) in again {
            self.note(point, wall, value);
        }
    }

    /// Whether a reading tells the truth: a value is one that was shown at its source time, and an absence stands for no value that was shown.
    pub(crate) fn holds(&self, point: &str, reading: &Reading) -> Result<(), String> {
        let at = reading.source_time();
        let key = |known: &&'static str| *known == point;
        let point = super::plant::POINTS.iter().find(|known| key(known));
        let point = point.ok_or_else(|| format!("there is no point {point:?}"))?;
        let shown = self.shown.get(&(*point, at.0));
        match (reading.value(), shown) {
            (Ok(value), Some(shown)) if shown.contains(&value) => Ok(()),
            (Ok(value), shown) => Err(format!(
                "{point} is recorded as {value} at {}, and the plant showed {shown:?}",
                at.0
            )),
            (Err(_), None) => Ok(()),
            (Err(cause), Some(shown)) => Err(format!(
                "{point} is recorded as {cause:?} at {}, and the plant showed {shown:?}",
                at.0
            )),
        }
    }

    fn note(&mut self, point: &'static str, wall: WallMs, value: f64) {
        let key = (point, wall.0);
        self.shown.entry(key).or_default().push(value);
        self.order.push_back(key);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.shown.remove(&oldest);
        }
    }
}
