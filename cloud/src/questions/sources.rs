//! Alarms that stand for long, and alarms that chatter: three activations within a minute (EEMUA 191's rule; docs/alarms.md).

use super::{Asked, MOST_ROWS, ONE_MORE, Page};
use crate::api::ApiError;
use crate::records::engine::Value;
use crate::records::{Records, RecordsError, subject_of};
use crate::table::{Column, Kind, Row, row};

pub(super) const COLUMNS: [Column; 9] = [
    Column::new("what", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("alarm", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("priority", Kind::Whole),
    Column::new("occurrences", Kind::Whole),
    Column::new("bursts", Kind::Whole),
    Column::new("from", Kind::Time),
    Column::new("duration", Kind::Lasting),
];

/// Of an activation to the second one after it.
const BURST_MS: i64 = 60_000;

pub(super) async fn sources(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let mut found = Vec::new();
    let mut is_cut = false;
    for mut some in [
        standing(records, asked).await?,
        chattering(records, asked).await?,
    ] {
        is_cut |= some.len() > MOST_ROWS as usize;
        some.truncate(MOST_ROWS as usize);
        found.extend(some);
    }
    let subjects = found
        .iter()
        .map(|one| (one.site.clone(), subject_of(&one.alarm).to_owned()));
    let names = records.names(subjects).await.map_err(RecordsError::from)?;
    let row = |one: Source| -> Row {
        let (name, _) = names.of(&one.site, subject_of(&one.alarm));
        let lasting_ms = one.from_ms.map(|from_ms| (asked.now_ms - from_ms).max(0));
        row![
            one.what,
            one.site,
            one.alarm,
            name,
            one.priority,
            one.occurrences,
            one.bursts,
            one.from_ms,
            lasting_ms,
        ]
    };
    Ok(Page {
        rows: found.into_iter().map(row).collect(),
        next: None,
        is_cut,
    })
}

struct Source {
    what: &'static str,
    site: String,
    alarm: String,
    priority: i64,
    occurrences: Option<i64>,
    bursts: Option<i64>,
    from_ms: Option<i64>,
}

/// Active for longer than so many minutes, the longest first.
async fn standing(records: &Records, asked: &Asked) -> Result<Vec<Source>, RecordsError> {
    let mut condition = asked.sites();
    let since_ms = asked.now_ms - asked.minutes.saturating_mul(60_000);
    condition.add(
        "a.state <> 0 AND a.active = 1 AND a.raised_ms < ?",
        [Value::from(since_ms)],
    );
    let sql = format!(
        "SELECT a.site, a.alarm, a.priority, a.raised_ms FROM alarms a JOIN sites s ON s.site = a.site{} \
         ORDER BY a.raised_ms, a.site, a.alarm LIMIT {ONE_MORE}",
        condition.sql()
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let mut found = Vec::new();
    for row in &rows {
        found.push(Source {
            what: "standing",
            site: row.text(0)?,
            alarm: row.text(1)?,
            priority: row.int(2)?,
            occurrences: None,
            bursts: None,
            from_ms: row.maybe_int(3)?,
        });
    }
    Ok(found)
}

/// Those that came three times within a minute, most often first.
async fn chattering(records: &Records, asked: &Asked) -> Result<Vec<Source>, RecordsError> {
    let condition = asked.within("o.raised_ms");
    let sql = format!(
        "SELECT b.site, b.alarm, MIN(b.priority), COUNT(*), SUM(CASE WHEN b.raised_ms - b.before_ms <= {BURST_MS} THEN 1 ELSE 0 END) FROM ( \
         SELECT o.site, o.alarm, o.priority, o.raised_ms, LAG(o.raised_ms, 2) OVER (PARTITION BY o.site, o.alarm ORDER BY o.raised_ms) AS before_ms \
         FROM occurrences o JOIN sites s ON s.site = o.site{}) b GROUP BY b.site, b.alarm \
         HAVING SUM(CASE WHEN b.raised_ms - b.before_ms <= {BURST_MS} THEN 1 ELSE 0 END) > 0 ORDER BY 5 DESC, b.site, b.alarm LIMIT {ONE_MORE}",
        condition.sql()
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let mut found = Vec::new();
    for row in &rows {
        found.push(Source {
            what: "chattering",
            site: row.text(0)?,
            alarm: row.text(1)?,
            priority: row.int(2)?,
            occurrences: Some(row.int(3)?),
            bursts: Some(row.int(4)?),
            from_ms: None,
        });
    }
    Ok(found)
}
