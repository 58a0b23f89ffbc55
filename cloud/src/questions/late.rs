//! What reached the city late, and by how much: lines of the alarm journal that came later than the settings allow, and silences whose record came afterwards,
//! or has not come. The delay of a line runs from when it happened to when the city had it; that of a silence from its beginning to when all of it had arrived.

use super::{Asked, Page, cursor};
use crate::api::ApiError;
use crate::records::engine::{StoreError, Value, values};
use crate::records::{Records, RecordsError, subject_of};
use crate::table::{Cell, Column, Kind, Row, row};

pub(super) const COLUMNS: [Column; 9] = [
    Column::new("record", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("alarm", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("what", Kind::Code),
    Column::new("time", Kind::Time),
    Column::new("gap-end", Kind::Time),
    Column::new("received", Kind::Time),
    Column::new("delay", Kind::Lasting),
];

/// What the next page begins with, as the first number of a cursor.
const SILENCES: i64 = 0;
const LINES: i64 = 1;

/// Silences first, then the lines, each newest first. A page that holds the last silences holds lines too.
pub(super) async fn late(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let after = asked.cursor.as_deref().map(cursor::read::<4>).transpose()?;
    if let Some(([LINES, ..], _)) = after {
        let (lines, next) = lines(records, asked, after).await?;
        return Ok(Page::part(lines, next));
    }
    let (mut rows, next) = silences(records, asked, after).await?;
    if next.is_some() {
        return Ok(Page::part(rows, next));
    }
    let (lines, next) = lines(records, asked, None).await?;
    rows.extend(lines);
    Ok(Page::part(rows, next))
}

/// A cursor that was read.
type After<'a> = Option<([i64; 4], &'a str)>;

async fn silences(
    records: &Records,
    asked: &Asked,
    after: After<'_>,
) -> Result<(Vec<Row>, Option<String>), RecordsError> {
    let mut condition = asked.sites();
    if let Some(([_, from_ms, ..], site)) = after {
        condition.add("(g.from_ms, g.site) < (?, ?)", values![from_ms, site]);
    }
    condition.add(
        "g.from_ms < ? AND (g.to_ms IS NULL OR g.to_ms > ?)",
        [Value::from(asked.to_ms), Value::from(asked.from_ms)],
    );
    let sql = format!(
        "SELECT g.site, g.from_ms, g.to_ms, g.filled_ms FROM outages g JOIN sites s ON s.site = g.site{} \
         ORDER BY g.from_ms DESC, g.site DESC LIMIT {}",
        condition.sql(),
        asked.limit
    );
    let found = records.engine.read(sql, condition.values).await?;
    let mut rows = Vec::new();
    for row in &found {
        let (from_ms, filled_ms) = (row.int(1)?, row.maybe_int(3)?);
        let what = match (row.maybe_int(2)?, filled_ms) {
            (_, Some(_)) => "filled",
            (None, None) => "silent",
            (Some(_), None) => "gap",
        };
        rows.push(row![
            "link",
            row.text(0)?,
            Cell::None,
            Cell::None,
            what,
            from_ms,
            row.maybe_int(2)?,
            filled_ms,
            filled_ms.map(|filled_ms| (filled_ms - from_ms).max(0)),
        ]);
    }
    let is_full = found.len() == asked.limit as usize;
    let next = found.last().filter(|_| is_full).map(|last| {
        let keys = [SILENCES, last.int(1)?, 0, 0];
        Ok::<_, StoreError>(cursor::write(&keys, &last.text(0)?))
    });
    Ok((rows, next.transpose()?))
}

async fn lines(
    records: &Records,
    asked: &Asked,
    after: After<'_>,
) -> Result<(Vec<Row>, Option<String>), ApiError> {
    let mut condition = asked.within("t.time_ms");
    condition.add("t.late = 1", []);
    if let Some(([_, time_ms, epoch, seq], site)) = after {
        condition.add(
            "(t.time_ms, t.site, t.epoch, t.seq) < (?, ?, ?, ?)",
            values![time_ms, site, epoch, seq],
        );
    }
    let sql = format!(
        "SELECT t.site, t.alarm, t.cause, t.time_ms, t.received_ms, t.epoch, t.seq FROM transitions t JOIN sites s ON s.site = t.site{} \
         ORDER BY t.time_ms DESC, t.site DESC, t.epoch DESC, t.seq DESC LIMIT {}",
        condition.sql(),
        asked.limit
    );
    let stored = |error: StoreError| ApiError::from(RecordsError::from(error));
    let found = records.engine.read(sql, condition.values).await;
    let found = found.map_err(stored)?;
    let told = told(records, &found).await.map_err(stored)?;
    let is_full = found.len() == asked.limit as usize;
    let next = found.last().filter(|_| is_full).map(|last| {
        let keys = [LINES, last.int(3)?, last.int(5)?, last.int(6)?];
        Ok(cursor::write(&keys, &last.text(0)?))
    });
    Ok((told, next.transpose().map_err(stored)?))
}

async fn told(
    records: &Records,
    found: &[crate::records::engine::Row],
) -> Result<Vec<Row>, StoreError> {
    let mut subjects = Vec::new();
    for row in found {
        subjects.push((row.text(0)?, subject_of(&row.text(1)?).to_owned()));
    }
    let names = records.names(subjects).await?;
    let mut rows = Vec::new();
    for row in found {
        let (site, alarm) = (row.text(0)?, row.text(1)?);
        let (time_ms, received_ms) = (row.int(3)?, row.int(4)?);
        let (name, _) = names.of(&site, subject_of(&alarm));
        let cause = u8::try_from(row.int(2)?).ok();
        let cause = cause.and_then(davy_alarm::Cause::from_code);
        rows.push(row![
            "alarm",
            site,
            alarm,
            name,
            cause.map(davy_alarm::Cause::name),
            time_ms,
            Cell::None,
            received_ms,
            (received_ms - time_ms).max(0),
        ]);
    }
    Ok(rows)
}
