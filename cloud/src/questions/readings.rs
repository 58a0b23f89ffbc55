//! The readings of points with quality and cause, point after point, and the gaps of record at the end.

use super::{Asked, Page, Stores, cursor};
use crate::api::{ApiError, quality_name};
use crate::records::Gap;
use crate::table::{Cell, Column, Kind, Row, row};
use davy_alarm::Reading;
use std::collections::BTreeSet;

pub(super) const COLUMNS: [Column; 9] = [
    Column::new("record", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("point", Kind::Code),
    Column::new("time", Kind::Time),
    Column::new("gap-end", Kind::Time),
    Column::new("value", Kind::Number),
    Column::new("unit", Kind::Text),
    Column::new("quality", Kind::Code),
    Column::new("cause", Kind::Code),
];

/// Points of one answer.
pub(crate) const MOST_POINTS: usize = 1_000;

/// What the next page begins with, as the first number of a cursor.
const OF_POINT: i64 = 0;
const GAPS: i64 = 1;

/// Points in the order of their ids: those that were named, or all that the site is known to have had. The cursor is the id of the point and when its next page
/// begins, so that a point that comes or goes meanwhile moves none of the others.
pub(super) async fn readings(stores: Stores<'_>, asked: &Asked) -> Result<Page, ApiError> {
    let site = asked.site.as_deref().unwrap_or_default();
    let known = asked.points(stores).await?;
    let ([stage, from_ms], id) = match &asked.cursor {
        None => ([OF_POINT, asked.from_ms], ""),
        Some(text) => cursor::read::<2>(text)?,
    };
    if stage == GAPS {
        return gaps(stores, asked, Some((from_ms, site))).await;
    }
    let wanted: BTreeSet<&str> = match asked.points.as_slice() {
        [] => known.keys().map(String::as_str).collect(),
        points => points.iter().map(String::as_str).collect(),
    };
    let mut rest = wanted.range(id..);
    let Some(point) = rest.next() else {
        return gaps(stores, asked, None).await;
    };
    let begins_ms = if *point == id { from_ms } else { asked.from_ms };
    let limit = asked.limit as usize;
    let found = stores.history.readings(
        site,
        point,
        begins_ms.max(asked.from_ms),
        asked.to_ms,
        limit,
    );
    let found = found.await?;
    let unit = known.get(*point).map_or("", |point| &point.unit);
    let full = found.last().filter(|_| found.len() == limit);
    let next = match (full, rest.next()) {
        (Some(last), _) => {
            let next_ms = last.source_time().0.saturating_add(1);
            cursor::write(&[OF_POINT, next_ms], point)
        }
        (None, Some(next)) => cursor::write(&[OF_POINT, asked.from_ms], next),
        (None, None) => cursor::write(&[GAPS, i64::MIN], ""),
    };
    let rows = found.iter().map(|one| reading(site, point, unit, one));
    Ok(Page::part(rows.collect(), Some(next)))
}

/// The gaps of record of the site after this one.
async fn gaps(
    stores: Stores<'_>,
    asked: &Asked,
    after: Option<(i64, &str)>,
) -> Result<Page, ApiError> {
    let found = asked.gaps(stores.records, after).await?;
    let last = found.gaps.last().filter(|_| found.is_cut);
    let next = last.map(|last| cursor::write(&[GAPS, last.from_ms], ""));
    Ok(Page::part(found.gaps.iter().map(gap).collect(), next))
}

fn reading(site: &str, point: &str, unit: &str, reading: &Reading) -> Row {
    let (value, cause) = match reading.value() {
        Ok(value) => (Some(value), None),
        Err(cause) => (None, Some(cause.name())),
    };
    row![
        "reading",
        site,
        point,
        reading.source_time().0,
        Cell::None,
        value,
        unit,
        quality_name(reading.quality()),
        cause,
    ]
}

fn gap(gap: &Gap) -> Row {
    let mut row = vec![Cell::None; COLUMNS.len()];
    row[0] = "gap".into();
    row[1] = gap.site.as_str().into();
    row[3] = gap.from_ms.into();
    row[4] = gap.to_ms.into();
    row
}
