//! Alarms that could not speak, since when and how long: points frozen, bad or stale, devices out of reach, groups unmonitored, and what somebody shelved,
//! bypassed or took out of service.
//!
//! The first are occurrences of their own alarms. The others are folded from the journal's lines that begin and end a suppression, from the first one on, so
//! that one which began before the span is told with its true beginning.

use super::{Asked, MOST_ROWS, ONE_MORE, Page};
use crate::api::ApiError;
use crate::records::engine::{Row as Stored, StoreError, Value, values};
use crate::records::{Records, RecordsError, subject_of};
use crate::table::{Column, Kind, Row, row};
use davy_alarm::Cause;
use std::collections::HashMap;

pub(super) const COLUMNS: [Column; 10] = [
    Column::new("site", Kind::Code),
    Column::new("subject", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("alarm", Kind::Code),
    Column::new("what", Kind::Code),
    Column::new("from", Kind::Time),
    Column::new("to", Kind::Time),
    Column::new("duration", Kind::Lasting),
    Column::new("actor", Kind::Text),
    Column::new("reason", Kind::Text),
];

/// Conditions of an alarm that say that another cannot be trusted.
const BLIND: &str = "'FROZEN', 'BAD', 'STALE', 'COMMS', 'UNMON', 'DEGRADED', 'MANUAL'";
/// Lines that are folded in one go, and in all: two each suppression, in the order of sites and alarms. Of more the answer says that it is cut.
const LINES_AT_ONCE: usize = 20_000;
const MOST_LINES: usize = 1_000_000;

/// A span in which an alarm could not speak.
struct Span {
    site: String,
    alarm: String,
    what: String,
    from_ms: i64,
    to_ms: Option<i64>,
    actor: Option<String>,
    reason: Option<String>,
}

pub(super) async fn blind(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let mut spans = of_conditions(records, asked).await?;
    let (suppressed, is_cut) = of_suppression(records, asked).await?;
    spans.extend(suppressed);
    // What still lasts first, then the newest.
    spans.sort_by_key(|span| {
        (
            span.to_ms.is_some(),
            -span.from_ms,
            span.site.clone(),
            span.alarm.clone(),
        )
    });
    let is_cut = is_cut || spans.len() > MOST_ROWS as usize;
    spans.truncate(MOST_ROWS as usize);
    let subjects = spans
        .iter()
        .map(|span| (span.site.clone(), subject_of(&span.alarm).to_owned()));
    let names = records.names(subjects).await.map_err(RecordsError::from)?;
    let row = |span: Span| -> Row {
        let subject = subject_of(&span.alarm).to_owned();
        let (name, _) = names.of(&span.site, &subject);
        let until_ms = span.to_ms.unwrap_or(asked.now_ms);
        row![
            span.site,
            subject,
            name,
            span.alarm,
            span.what,
            span.from_ms,
            span.to_ms,
            until_ms.saturating_sub(span.from_ms).max(0),
            span.actor,
            span.reason,
        ]
    };
    Ok(Page {
        rows: spans.into_iter().map(row).collect(),
        next: None,
        is_cut,
    })
}

async fn of_conditions(records: &Records, asked: &Asked) -> Result<Vec<Span>, RecordsError> {
    let mut condition = asked.sites();
    condition.add(&format!("o.condition IN ({BLIND})"), []);
    condition.add(
        "o.raised_ms < ? AND (o.cleared_ms IS NULL OR o.cleared_ms > ?)",
        [Value::from(asked.to_ms), Value::from(asked.from_ms)],
    );
    let sql = format!(
        "SELECT o.site, o.alarm, o.condition, o.raised_ms, o.cleared_ms FROM occurrences o JOIN sites s ON s.site = o.site{} \
         ORDER BY (o.cleared_ms IS NOT NULL), o.raised_ms DESC LIMIT {ONE_MORE}",
        condition.sql()
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let span = |row: &Stored| {
        Ok(Span {
            site: row.text(0)?,
            alarm: row.text(1)?,
            what: row.text(2)?.to_lowercase(),
            from_ms: row.int(3)?,
            to_ms: row.maybe_int(4)?,
            actor: None,
            reason: None,
        })
    };
    Ok(rows.iter().map(span).collect::<Result<_, StoreError>>()?)
}

/// The spans that touch the question's, and whether there are lines that were not folded.
async fn of_suppression(
    records: &Records,
    asked: &Asked,
) -> Result<(Vec<Span>, bool), RecordsError> {
    let mut fold = Fold {
        from_ms: asked.from_ms,
        ..Fold::default()
    };
    let mut folded = 0;
    let mut after = None;
    loop {
        let rows = suppressing(records, asked, after.as_ref()).await?;
        for row in &rows {
            fold.step(row)?;
        }
        folded += rows.len();
        let Some(last) = rows.last().filter(|_| rows.len() == LINES_AT_ONCE) else {
            return Ok((fold.end(), false));
        };
        if folded >= MOST_LINES {
            return Ok((fold.end(), true));
        }
        after = Some(Line {
            site: last.text(0)?,
            alarm: last.text(1)?,
            epoch: last.int(6)?,
            seq: last.int(7)?,
        });
    }
}

/// A line's place in the order in which they are folded.
struct Line {
    site: String,
    alarm: String,
    epoch: i64,
    seq: i64,
}

/// The next lines that begin or end a suppression.
async fn suppressing(
    records: &Records,
    asked: &Asked,
    after: Option<&Line>,
) -> Result<Vec<Stored>, RecordsError> {
    let mut condition = asked.sites();
    // The codes stand as numbers, so that the databases see that their partial index serves.
    condition.add("t.cause >= 6", []);
    condition.add("t.time_ms < ?", [Value::from(asked.to_ms)]);
    if let Some(Line {
        site,
        alarm,
        epoch,
        seq,
    }) = after
    {
        condition.add(
            "(t.site, t.alarm, t.epoch, t.seq) > (?, ?, ?, ?)",
            values![site, alarm, *epoch, *seq],
        );
    }
    let sql = format!(
        "SELECT t.site, t.alarm, t.cause, t.time_ms, t.actor, t.reason, t.epoch, t.seq FROM transitions t JOIN sites s ON s.site = t.site{} \
         ORDER BY t.site, t.alarm, t.epoch, t.seq LIMIT {LINES_AT_ONCE}",
        condition.sql()
    );
    Ok(records.engine.read(sql, condition.values).await?)
}

/// Suppressions that have begun and not ended, by site, alarm and kind.
#[derive(Default)]
struct Fold {
    /// Spans that ended before are of no question, and are not held.
    from_ms: i64,
    open: HashMap<(String, String, &'static str), Span>,
    ended: Vec<Span>,
}

impl Fold {
    fn step(&mut self, row: &Stored) -> Result<(), StoreError> {
        let (site, alarm, time_ms) = (row.text(0)?, row.text(1)?, row.int(3)?);
        let cause = u8::try_from(row.int(2)?).ok().and_then(Cause::from_code);
        for (what, begins) in cause.map(ends_of).unwrap_or_default() {
            let key = (site.clone(), alarm.clone(), *what);
            if *begins {
                let span = Span {
                    site: site.clone(),
                    alarm: alarm.clone(),
                    what: (*what).to_owned(),
                    from_ms: time_ms,
                    to_ms: None,
                    actor: row.maybe_text(4)?,
                    reason: row.maybe_text(5)?,
                };
                self.open.entry(key).or_insert(span);
            } else if let Some(mut span) = self.open.remove(&key) {
                span.to_ms = Some(time_ms);
                if time_ms > self.from_ms {
                    self.ended.push(span);
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Vec<Span> {
        let mut all = self.ended;
        all.extend(self.open.into_values());
        all
    }
}

const SHELVED: &str = "shelved";
const SUPPRESSED: &str = "by-design";
const OUT_OF_SERVICE: &str = "out-of-service";

/// What a cause begins (true) or ends.
const fn ends_of(cause: Cause) -> &'static [(&'static str, bool)] {
    match cause {
        Cause::Shelve => &[(SHELVED, true)],
        Cause::Unshelve | Cause::ShelveExpired => &[(SHELVED, false)],
        Cause::Suppress => &[(SUPPRESSED, true)],
        Cause::Unsuppress => &[(SUPPRESSED, false)],
        Cause::OutOfService => &[(OUT_OF_SERVICE, true)],
        Cause::InService => &[(OUT_OF_SERVICE, false)],
        Cause::Removed => &[
            (SHELVED, false),
            (SUPPRESSED, false),
            (OUT_OF_SERVICE, false),
        ],
        Cause::Active
        | Cause::Clear
        | Cause::Acknowledge
        | Cause::Reset
        | Cause::ReAlarm
        | Cause::StepUp => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_from_shelving_on_begins_or_ends_a_suppression() {
        for code in 0..14 {
            let cause = Cause::from_code(code).expect("a cause");
            assert_eq!(!ends_of(cause).is_empty(), code >= 6, "{cause:?}");
        }
    }
}
