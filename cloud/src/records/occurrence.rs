//! Occurrences: one row an activation, which regulators' questions are asked of.

use super::commit::Sample;
use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, Transaction, Value, values};
use super::fold::{Story, worst};
use super::subject::{self, Subject};
use super::transition::{self, condition_of, number, subject_of};
use super::{Records, RecordsError};
use davy_alarm::Priority;

/// One activation of one alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    pub site: String,
    pub epoch: i64,
    pub alarm: String,
    pub occurrence: u32,
    pub condition: String,
    pub priority: Priority,
    pub raised_ms: i64,
    pub cleared_ms: Option<i64>,
    pub acknowledged_ms: Option<i64>,
    pub acknowledged_by: Option<String>,
    /// The worst value seen while it was active, in the point's unit.
    pub peak: Option<f64>,
    pub limit: Option<f64>,
    pub late: bool,
    pub subject: Subject,
}

impl Occurrence {
    /// How long until somebody acknowledged it, milliseconds.
    pub fn time_to_acknowledge_ms(&self) -> Option<i64> {
        self.acknowledged_ms
            .map(|at| at.saturating_sub(self.raised_ms))
    }

    /// How long the condition held, milliseconds; none while it holds.
    pub fn duration_ms(&self) -> Option<i64> {
        self.cleared_ms.map(|at| at.saturating_sub(self.raised_ms))
    }

    pub fn key(&self) -> OccurrenceKey {
        OccurrenceKey {
            raised_ms: self.raised_ms,
            site: self.site.clone(),
            alarm: self.alarm.clone(),
            epoch: self.epoch,
            occurrence: self.occurrence,
        }
    }
}

/// A place in the answer, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OccurrenceKey {
    pub raised_ms: i64,
    pub site: String,
    pub alarm: String,
    pub epoch: i64,
    pub occurrence: u32,
}

/// A question to the alarm history.
#[derive(Clone, Debug)]
pub struct OccurrenceFilter {
    pub scope: Scope,
    pub site: Option<String>,
    pub town: Option<String>,
    pub conditions: Vec<String>,
    pub priorities: Vec<Priority>,
    /// Half-open: `from_ms` ≤ raised < `to_ms`.
    pub from_ms: i64,
    pub to_ms: i64,
    /// Only those that waited longer than this for their acknowledgement, or still wait, milliseconds.
    pub unacknowledged_over_ms: Option<i64>,
    pub now_ms: i64,
    pub after: Option<OccurrenceKey>,
    pub limit: u32,
}

impl OccurrenceFilter {
    fn condition(&self) -> Condition {
        let mut condition = Condition::default();
        condition.within(&self.scope);
        condition.add_if("o.site = ?", self.site.clone());
        condition.add_if("s.town = ?", self.town.clone());
        one_of(
            &mut condition,
            "o.condition",
            self.conditions.iter().map(Value::from).collect(),
        );
        let priorities = self
            .priorities
            .iter()
            .map(|priority| Value::from(i64::from(priority.number())));
        one_of(&mut condition, "o.priority", priorities.collect());
        condition.add(
            "o.raised_ms >= ? AND o.raised_ms < ?",
            [Value::from(self.from_ms), Value::from(self.to_ms)],
        );
        if let Some(over_ms) = self.unacknowledged_over_ms {
            let clause = "COALESCE(o.acknowledged_ms, ?) - o.raised_ms > ?";
            condition.add(clause, [Value::from(self.now_ms), Value::from(over_ms)]);
        }
        condition
    }
}

fn one_of(condition: &mut Condition, column: &str, values: Vec<Value>) {
    if !values.is_empty() {
        let places = vec!["?"; values.len()].join(", ");
        condition.add(&format!("{column} IN ({places})"), values);
    }
}

impl Records {
    /// A page of occurrences, newest first. A later page never repeats or skips one, whatever arrives meanwhile.
    pub async fn occurrences(
        &self,
        filter: &OccurrenceFilter,
    ) -> Result<Vec<Occurrence>, RecordsError> {
        let mut condition = filter.condition();
        if let Some(OccurrenceKey {
            raised_ms,
            site,
            alarm,
            epoch,
            occurrence,
        }) = &filter.after
        {
            let clause = "(o.raised_ms, o.site, o.alarm, o.epoch, o.occurrence) < (?, ?, ?, ?, ?)";
            condition.add(
                clause,
                values![*raised_ms, site, alarm, *epoch, *occurrence],
            );
        }
        let sql = format!(
            "SELECT o.site, o.epoch, o.alarm, o.occurrence, o.condition, o.priority, o.raised_ms, o.cleared_ms, o.acknowledged_ms, \
             o.acknowledged_by, o.carried_peak, o.sampled_peak, o.set_point, o.late, {} \
             FROM occurrences o JOIN sites s ON s.site = o.site LEFT JOIN subjects n ON n.site = o.site AND n.subject = o.subject{} \
             ORDER BY o.raised_ms DESC, o.site DESC, o.alarm DESC, o.epoch DESC, o.occurrence DESC LIMIT {}",
            subject::COLUMNS,
            condition.sql(),
            filter.limit
        );
        let rows = self.engine.read(sql, condition.values).await?;
        Ok(rows.iter().map(occurrence).collect::<Result<_, _>>()?)
    }

    /// How many occurrences the question has, over all pages.
    pub async fn count_occurrences(&self, filter: &OccurrenceFilter) -> Result<u64, RecordsError> {
        let condition = filter.condition();
        let sql = format!(
            "SELECT COUNT(*) FROM occurrences o JOIN sites s ON s.site = o.site{}",
            condition.sql()
        );
        let rows = self.engine.read(sql, condition.values).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))? as u64)
    }
}

fn occurrence(row: &Row) -> Result<Occurrence, StoreError> {
    let condition = row.text(4)?;
    Ok(Occurrence {
        site: row.text(0)?,
        epoch: row.int(1)?,
        alarm: row.text(2)?,
        occurrence: number(row.int(3)?, "occurrence", |code| u32::try_from(code).ok())?,
        priority: number(row.int(5)?, "priority", transition::priority)?,
        raised_ms: row.int(6)?,
        cleared_ms: row.maybe_int(7)?,
        acknowledged_ms: row.maybe_int(8)?,
        acknowledged_by: row.maybe_text(9)?,
        peak: worst(&condition, row.maybe_real(10)?, row.maybe_real(11)?),
        limit: row.maybe_real(12)?,
        late: row.flag(13)?,
        condition,
        subject: subject::subject(row, 14)?,
    })
}

/// Writes what the lines tell; what samples told stays.
pub(crate) async fn put(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    alarm: &str,
    number: u32,
    story: &Story,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO occurrences (site, epoch, alarm, occurrence, subject, condition, priority, raised_ms, cleared_ms, acknowledged_ms, \
        acknowledged_by, carried_peak, set_point, late) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT (site, epoch, alarm, occurrence) DO UPDATE SET priority = excluded.priority, raised_ms = excluded.raised_ms, \
        cleared_ms = excluded.cleared_ms, acknowledged_ms = excluded.acknowledged_ms, acknowledged_by = excluded.acknowledged_by, \
        carried_peak = excluded.carried_peak, set_point = excluded.set_point, late = excluded.late";
    let values = values![
        site,
        epoch,
        alarm,
        number,
        subject_of(alarm),
        condition_of(alarm),
        i64::from(story.priority.number()),
        story.raised_ms,
        story.cleared_ms,
        story.acknowledged_ms,
        &story.acknowledged_by,
        story.peak,
        story.limit,
        story.late,
    ];
    change.execute(sql, values).await?;
    Ok(())
}

/// Lets readings raise the peak of the occurrences that were active at their time.
pub(crate) async fn sample(
    change: &mut dyn Transaction,
    site: &str,
    samples: &[Sample],
) -> Result<(), StoreError> {
    let times = || samples.iter().map(|sample| sample.time_ms);
    let (Some(from_ms), Some(to_ms)) = (times().min(), times().max()) else {
        return Ok(());
    };
    let sql = "SELECT epoch, alarm, occurrence, subject, condition, raised_ms, cleared_ms, sampled_peak FROM occurrences \
        WHERE site = $1 AND (cleared_ms IS NULL OR cleared_ms >= $2) AND raised_ms <= $3";
    for row in change.rows(sql, values![site, from_ms, to_ms]).await? {
        let (subject, condition, held) = (row.text(3)?, row.text(4)?, row.maybe_real(7)?);
        let span = row.int(5)?..=row.maybe_int(6)?.unwrap_or(i64::MAX);
        let during = samples
            .iter()
            .filter(|sample| *sample.point == *subject && span.contains(&sample.time_ms));
        let peak = during.fold(held, |peak, sample| {
            worst(&condition, peak, Some(sample.value))
        });
        if peak != held {
            let sql = "UPDATE occurrences SET sampled_peak = $5 WHERE site = $1 AND epoch = $2 AND alarm = $3 AND occurrence = $4";
            change
                .execute(
                    sql,
                    values![site, row.int(0)?, row.text(1)?, row.int(2)?, peak],
                )
                .await?;
        }
    }
    Ok(())
}
