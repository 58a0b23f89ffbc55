//! Overdue proof tests. The gateway knows when a test is due and alarms it (`<id>.PROOF`) where its site file says that it must; the city tells those alarms and
//! the last proof that the plant sent. What a site file does not arm, the city cannot know of.

use super::{Asked, ONE_MORE, Page};
use crate::api::ApiError;
use crate::records::engine::{StoreError, values};
use crate::records::{Records, RecordsError, literal, subject_of};
use crate::table::{Column, Kind, Row, row};

pub(super) const COLUMNS: [Column; 8] = [
    Column::new("site", Kind::Code),
    Column::new("subject", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("due-since", Kind::Time),
    Column::new("overdue-for", Kind::Lasting),
    Column::new("acknowledged-by", Kind::Text),
    Column::new("last-proof", Kind::Time),
    Column::new("verdict", Kind::Code),
];

pub(super) async fn proofs(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    Ok(Page::at_once(overdue(records, asked).await?))
}

async fn overdue(records: &Records, asked: &Asked) -> Result<Vec<Row>, RecordsError> {
    let mut condition = asked.sites();
    condition.add("a.condition = 'PROOF' AND a.active = 1", []);
    let sql = format!(
        "SELECT a.site, a.alarm, a.raised_ms, a.actor FROM alarms a JOIN sites s ON s.site = a.site{} \
         ORDER BY a.raised_ms, a.site, a.alarm LIMIT {ONE_MORE}",
        condition.sql()
    );
    let found = records.engine.read(sql, condition.values).await?;
    let mut due = Vec::new();
    for row in &found {
        let alarm = row.text(1)?;
        let subject = subject_of(&alarm).to_owned();
        due.push((row.text(0)?, subject, row.maybe_int(2)?, row.maybe_text(3)?));
    }
    let subjects = due.iter().map(|(site, id, ..)| (site.clone(), id.clone()));
    let names = records.names(subjects).await?;
    let mut rows = Vec::new();
    for (site, id, since_ms, actor) in due {
        let (name, _) = names.of(&site, &id);
        let (last_ms, verdict) = last_proof(records, &site, &id).await?.unzip();
        let over_ms = since_ms.map(|since_ms| (asked.now_ms - since_ms).max(0));
        rows.push(row![
            site, id, name, since_ms, over_ms, actor, last_ms, verdict
        ]);
    }
    Ok(rows)
}

/// As the plant spells it.
const ABANDONED: &str = "abandoned";
/// Proofs of one subject that are looked at in one go, the newest first.
const PROOFS_AT_ONCE: usize = 100;

/// When it was last proved and what came of it, from the plant's acts in the audit log.
async fn last_proof(
    records: &Records,
    site: &str,
    id: &str,
) -> Result<Option<(i64, String)>, StoreError> {
    // The text narrows, the parsed detail decides: LIKE takes no notice of case where SQLite keeps the records.
    let sql = format!(
        "SELECT time_ms, detail, seq FROM audit WHERE subject = $1 AND action = 'plant-prove' AND detail LIKE $2 ESCAPE '\\' \
         AND (time_ms, seq) < ($3, $4) ORDER BY time_ms DESC, seq DESC LIMIT {PROOFS_AT_ONCE}"
    );
    let named = format!("%\"of\":\"{}\"%", literal(id));
    let mut before = (i64::MAX, i64::MAX);
    loop {
        let values = values![site, &named, before.0, before.1];
        let rows = records.engine.read(sql.clone(), values).await?;
        for row in &rows {
            let detail: serde_json::Value = serde_json::from_str(&row.text(1)?).unwrap_or_default();
            let outcome = detail["outcome"].as_str().unwrap_or_default();
            // A bench that was left proves nothing.
            if detail["of"].as_str() == Some(id) && outcome != ABANDONED {
                return Ok(Some((row.int(0)?, outcome.to_owned())));
            }
            before = (row.int(0)?, row.int(2)?);
        }
        if rows.len() < PROOFS_AT_ONCE {
            return Ok(None);
        }
    }
}
