//! The points that alarmed within a case's span: of every alarm of it, however many there are, what the charts show.

use super::chart::{BUCKETS, Came, Limit};
use crate::questions::{Known, Question};
use crate::records::{condition_of, subject_of};
use crate::table::{Cell, Row};
use davy_alarm::Priority;
use std::collections::BTreeMap;

/// Conditions whose set-point is in the point's own unit.
pub(crate) const WITH_SET_POINT: [&str; 4] = ["HH", "H", "L", "LL"];
/// Set-points that one chart draws, the newest: more lines are not told apart. `case-chart-signs` says so.
const MOST_LIMITS: usize = 8;

/// What is held is bounded by the site's points and the columns of their charts.
pub(crate) struct Alarmed {
    known: Known,
    from_ms: i64,
    to_ms: i64,
    points: BTreeMap<String, OfPoint>,
}

/// The alarms of one point.
#[derive(Debug, Default)]
pub(crate) struct OfPoint {
    /// Of each column of the chart the most urgent: what lies over each other on paper is not told apart.
    came: BTreeMap<i64, Came>,
    /// As they were when the alarms came.
    limits: Vec<Limit>,
}

impl Alarmed {
    /// Of points that have readings, of a span.
    pub(crate) fn new(known: Known, from_ms: i64, to_ms: i64) -> Self {
        Self {
            known,
            from_ms,
            to_ms,
            points: BTreeMap::new(),
        }
    }

    pub(crate) fn of(&self, point: &str) -> Option<&OfPoint> {
        self.points.get(point)
    }

    /// Takes rows of [`Question::Alarms`] in, the newest first; those of what has no readings are passed over.
    pub(crate) fn add(&mut self, rows: &[Row]) {
        for (alarm, came, limit) in rows.iter().filter_map(read) {
            let point = subject_of(alarm);
            if !self.known.contains_key(point) {
                continue;
            }
            let column = self.column(came.time_ms);
            let of_point = self.points.entry(point.to_owned()).or_default();
            of_point.add(column, came, limit);
        }
    }

    fn column(&self, time_ms: i64) -> i64 {
        let step_ms = (self.to_ms - self.from_ms) / i64::from(BUCKETS);
        (time_ms - self.from_ms) / step_ms.max(1)
    }
}

impl OfPoint {
    fn add(&mut self, column: i64, came: Came, value: Option<f64>) {
        // A state has none, and its limit of 1 or 0 is none.
        let value = value.filter(|_| WITH_SET_POINT.contains(&came.condition.as_str()));
        if let Some(value) = value {
            let limit = Limit {
                condition: came.condition.clone(),
                value,
            };
            if self.limits.len() < MOST_LIMITS && !self.limits.contains(&limit) {
                self.limits.push(limit);
            }
        }
        let held = self.came.entry(column).or_insert_with(|| came.clone());
        if came.urgency() <= held.urgency() {
            *held = came;
        }
    }

    /// Of the most urgent of its alarms.
    pub(crate) fn urgency(&self) -> Option<u8> {
        self.came.values().map(Came::urgency).min()
    }

    /// The oldest first.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.values().cloned().collect()
    }

    pub(crate) fn limits(&self) -> &[Limit] {
        &self.limits
    }
}

/// The alarm's id, how it came, and its limit then.
fn read(row: &Row) -> Option<(&str, Came, Option<f64>)> {
    let columns = Question::Alarms.columns();
    let cell = |key: &str| {
        let at = columns.iter().position(|column| column.key == key)?;
        row.get(at)
    };
    // A gap of record has no alarm.
    let (Some(Cell::Text(alarm)), Some(Cell::Whole(time_ms))) = (cell("alarm"), cell("raised"))
    else {
        return None;
    };
    let priority = match cell("priority") {
        Some(Cell::Whole(number)) => u8::try_from(*number).ok().and_then(Priority::from_number),
        _ => None,
    };
    let limit = match cell("limit") {
        Some(Cell::Number(limit)) => Some(*limit),
        _ => None,
    };
    let came = Came {
        time_ms: *time_ms,
        priority,
        condition: condition_of(alarm).to_owned(),
    };
    Some((alarm, came, limit))
}
