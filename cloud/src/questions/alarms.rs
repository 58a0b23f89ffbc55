//! Every alarm, how long until it was acknowledged and until it cleared; at the end the gaps of record that touch the span.

use super::{Asked, Page, cursor};
use crate::api::{ApiError, named, occurrence_cursor, read_occurrence_cursor};
use crate::records::{Gap, Occurrence, OccurrenceFilter, Records, subject_of};
use crate::table::{Cell, Column, Kind, Row, row};
use davy_alarm::Priority;

pub(super) const COLUMNS: [Column; 17] = [
    Column::new("record", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("alarm", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("occurrence", Kind::Whole),
    Column::new("priority", Kind::Whole),
    Column::new("condition", Kind::Code),
    Column::new("raised", Kind::Time),
    Column::new("acknowledged", Kind::Time),
    Column::new("cleared", Kind::Time),
    Column::new("acknowledged-by", Kind::Text),
    Column::new("time-to-acknowledge", Kind::Lasting),
    Column::new("duration", Kind::Lasting),
    Column::new("peak", Kind::Number),
    Column::new("limit", Kind::Number),
    Column::new("unit", Kind::Text),
    Column::new("late", Kind::Flag),
];

pub(super) async fn alarms(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let after = asked.cursor.as_deref();
    if let Some(after) = after.and_then(|text| text.strip_prefix(GAPS)) {
        let ([from_ms], site) = cursor::read::<1>(after)?;
        return gaps(records, asked, Vec::new(), Some((from_ms, site))).await;
    }
    let filter = filter(asked)?;
    let found = records.occurrences(&filter).await?;
    let is_full = found.len() == filter.limit as usize;
    let rows: Vec<Row> = found.iter().map(alarm).collect();
    if is_full {
        let next = found.last().map(|last| occurrence_cursor(&last.key()));
        return Ok(Page::part(rows, next));
    }
    gaps(records, asked, rows, None).await
}

/// A cursor that stands among the gaps begins so.
const GAPS: &str = "gaps.";

/// The gaps after this one, below these rows.
async fn gaps(
    records: &Records,
    asked: &Asked,
    mut rows: Vec<Row>,
    after: Option<(i64, &str)>,
) -> Result<Page, ApiError> {
    let found = asked.gaps(records, after).await?;
    let last = found.gaps.last().filter(|_| found.is_cut);
    let next = last.map(|last| format!("{GAPS}{}", cursor::write(&[last.from_ms], &last.site)));
    rows.extend(found.gaps.iter().map(gap));
    Ok(Page::part(rows, next))
}

fn filter(asked: &Asked) -> Result<OccurrenceFilter, ApiError> {
    let priority = |number: &i64| Priority::from_number(u8::try_from(*number).ok()?);
    let after = asked.cursor.as_deref().map(read_occurrence_cursor);
    Ok(OccurrenceFilter {
        scope: asked.scope.clone(),
        site: asked.site.clone(),
        town: asked.town.clone(),
        conditions: asked.conditions.clone(),
        priorities: asked.priorities.iter().filter_map(priority).collect(),
        from_ms: asked.from_ms,
        to_ms: asked.to_ms,
        unacknowledged_over_ms: asked.unacknowledged_over_ms,
        now_ms: asked.now_ms,
        after: after.transpose()?,
        limit: asked.limit,
    })
}

fn alarm(one: &Occurrence) -> Row {
    row![
        "alarm",
        one.site.as_str(),
        one.alarm.as_str(),
        named(&one.subject.name, subject_of(&one.alarm)),
        one.occurrence,
        i64::from(one.priority.number()),
        one.condition.as_str(),
        one.raised_ms,
        one.acknowledged_ms,
        one.cleared_ms,
        one.acknowledged_by.clone(),
        one.time_to_acknowledge_ms(),
        one.duration_ms(),
        one.peak,
        one.limit,
        one.subject.unit.as_str(),
        one.late,
    ]
}

fn gap(gap: &Gap) -> Row {
    let mut row = vec![Cell::None; COLUMNS.len()];
    row[0] = "gap".into();
    row[1] = gap.site.as_str().into();
    row[7] = gap.from_ms.into();
    row[9] = gap.to_ms.into();
    row
}
