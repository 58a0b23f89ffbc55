//! Sites that the city has not heard for longer than so many minutes, the longest silence first.

use super::{Asked, ONE_MORE, Page};
use crate::api::{ApiError, named};
use crate::records::engine::{Row as Stored, StoreError, Value};
use crate::records::{Records, RecordsError, Text};
use crate::table::{Column, Kind, row};

pub(super) const COLUMNS: [Column; 8] = [
    Column::new("site", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("town", Kind::Text),
    Column::new("sector", Kind::Text),
    Column::new("risk", Kind::Code),
    Column::new("last-heard", Kind::Time),
    Column::new("silent-for", Kind::Lasting),
    Column::new("connected", Kind::Flag),
];

pub(super) async fn silent(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let mut condition = asked.sites();
    let since_ms = asked
        .now_ms
        .saturating_sub(asked.minutes.saturating_mul(60_000));
    condition.add(
        "s.last_seen_ms IS NOT NULL AND s.last_seen_ms < ?",
        [Value::from(since_ms)],
    );
    let sql = format!(
        "SELECT s.site, s.name_zh, s.name_en, s.town, s.sector, s.risk, s.last_seen_ms, s.online FROM sites s{} \
         ORDER BY s.last_seen_ms, s.site LIMIT {ONE_MORE}",
        condition.sql()
    );
    let rows = records.engine.read(sql, condition.values).await;
    let rows = rows.map_err(RecordsError::from)?;
    let one = |row: &Stored| {
        let (site, last_ms) = (row.text(0)?, row.int(6)?);
        let name = Text {
            zh: row.text(1)?,
            en: row.text(2)?,
        };
        let name = named(&name, &site);
        Ok(row![
            site,
            name,
            row.text(3)?,
            row.text(4)?,
            row.text(5)?,
            last_ms,
            asked.now_ms - last_ms,
            row.flag(7)?,
        ])
    };
    let rows = rows.iter().map(one).collect::<Result<_, StoreError>>();
    Ok(Page::at_once(rows.map_err(RecordsError::from)?))
}
