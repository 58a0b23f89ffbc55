//! What the alarm figures of a site are made of. The cost is that of the lines in the span, found by the index of a site's lines by time, and of the
//! occurrences that cleared since the span began: those of the span itself, for one that ends now.

use super::engine::{Row, StoreError, values};
use super::transition::{number, priority, shown};
use super::{Records, RecordsError};
use crate::audit::PLANT_SILENCE;
use davy_alarm::{Cause, Priority, Shown};

/// Most lines of one answer, the newest.
const MOST_LINES: usize = 200_000;
/// Most silences of one answer.
const MOST_SILENCES: usize = 20_000;
/// Most alarms that were active when a span begins.
const MOST_HELD: usize = 10_000;

/// A line without what the figures do not ask.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureLine {
    pub alarm: String,
    pub priority: Priority,
    pub time_ms: i64,
    pub cause: Cause,
    pub to: Shown,
    pub actor: Option<String>,
}

/// An alarm that was active when a span begins, since when.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldAlarm {
    pub alarm: String,
    pub priority: Priority,
    pub since_ms: i64,
}

/// Somebody silenced the horn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceLine {
    /// The person's id at the plant; `local` where nobody was logged in.
    pub actor: String,
    pub time_ms: i64,
}

/// The lines of a span of a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// By epoch and number.
    pub lines: Vec<FigureLine>,
    pub held: Vec<HeldAlarm>,
    /// At most 20,000, the newest, newest first.
    pub silences: Vec<SilenceLine>,
    /// The oldest thing on record of the site, or the first line that was kept.
    pub record_from_ms: Option<i64>,
    /// There were more lines than are kept.
    pub truncated: bool,
}

impl Records {
    /// The lines of `from_ms` ≤ time < `to_ms`, at most 200,000, the newest.
    pub async fn figures(
        &self,
        site: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Figures, RecordsError> {
        let sql = format!(
            "SELECT alarm, priority, time_ms, cause, to_state, actor, epoch, seq FROM transitions \
             WHERE site = $1 AND time_ms >= $2 AND time_ms < $3 ORDER BY time_ms DESC, epoch DESC, seq DESC LIMIT {}",
            MOST_LINES + 1
        );
        let rows = self.engine.read(sql, values![site, from_ms, to_ms]).await?;
        let truncated = rows.len() > MOST_LINES;
        let kept = &rows[..rows.len().min(MOST_LINES)];
        let mut lines = kept.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let first_kept_ms = lines.last().map(|(_, line)| line.time_ms);
        lines.sort_by_key(|(key, _)| *key);
        Ok(Figures {
            lines: lines.into_iter().map(|(_, line)| line).collect(),
            held: self.held(site, from_ms).await?,
            silences: self.silences(site, from_ms, to_ms).await?,
            record_from_ms: if truncated {
                first_kept_ms
            } else {
                self.record_from_ms(site).await?
            },
            truncated,
        })
    }

    /// From the audit log, where a plant's acts that no alarm tells of stand.
    async fn silences(
        &self,
        site: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<SilenceLine>, RecordsError> {
        let sql = format!(
            "SELECT actor, time_ms FROM audit WHERE subject = $1 AND action = $2 AND time_ms >= $3 AND time_ms < $4 \
             ORDER BY time_ms DESC LIMIT {MOST_SILENCES}"
        );
        let values = values![site, PLANT_SILENCE, from_ms, to_ms];
        let rows = self.engine.read(sql, values).await?;
        let silence = |row: &Row| {
            let actor = row.text(0)?;
            let person = actor.split_once('/').map(|(_, person)| person.to_owned());
            Ok(SilenceLine {
                actor: person.unwrap_or(actor),
                time_ms: row.int(1)?,
            })
        };
        Ok(rows
            .iter()
            .map(silence)
            .collect::<Result<_, StoreError>>()?)
    }

    /// Since its last activation before then; an occurrence that a re-alarm began has not that time itself. The plus sign keeps SQLite to the index of the
    /// alarm's own lines, newest first: by time it would look through the site's whole past.
    async fn held(&self, site: &str, at_ms: i64) -> Result<Vec<HeldAlarm>, RecordsError> {
        let sql = format!(
            "SELECT h.alarm, MAX(h.priority), MIN(h.raised_ms), (SELECT t.time_ms FROM transitions t WHERE t.site = $1 AND t.alarm = h.alarm \
             AND t.cause = $3 AND +t.time_ms < $2 ORDER BY t.epoch DESC, t.seq DESC LIMIT 1) FROM ( \
             SELECT alarm, priority, raised_ms FROM occurrences WHERE site = $1 AND cleared_ms >= $2 AND raised_ms < $2 UNION ALL \
             SELECT alarm, priority, raised_ms FROM alarms WHERE site = $1 AND active = 1 AND raised_ms < $2) h \
             GROUP BY h.alarm ORDER BY h.alarm LIMIT {MOST_HELD}"
        );
        let active = i64::from(Cause::Active.code());
        let rows = self.engine.read(sql, values![site, at_ms, active]).await?;
        let held = |row: &Row| {
            Ok(HeldAlarm {
                alarm: row.text(0)?,
                priority: number(row.int(1)?, "priority", priority)?,
                since_ms: row.maybe_int(3)?.map_or_else(|| row.int(2), Ok)?,
            })
        };
        Ok(rows.iter().map(held).collect::<Result<_, StoreError>>()?)
    }

    /// The oldest line, outage or birth that is known.
    async fn record_from_ms(&self, site: &str) -> Result<Option<i64>, RecordsError> {
        let sql = "SELECT (SELECT MIN(time_ms) FROM transitions WHERE site = $1), (SELECT MIN(from_ms) FROM outages WHERE site = $1), \
             birth_ms FROM sites WHERE site = $1";
        let rows = self.engine.read(sql.to_owned(), values![site]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let known = [row.maybe_int(0)?, row.maybe_int(1)?, row.maybe_int(2)?];
        Ok(known.into_iter().flatten().min())
    }
}

fn line(row: &Row) -> Result<((i64, i64), FigureLine), StoreError> {
    let line = FigureLine {
        alarm: row.text(0)?,
        priority: number(row.int(1)?, "priority", priority)?,
        time_ms: row.int(2)?,
        cause: number(row.int(3)?, "cause", |code| {
            Cause::from_code(u8::try_from(code).ok()?)
        })?,
        to: number(row.int(4)?, "alarm state", shown)?,
        actor: row.maybe_text(5)?,
    };
    Ok(((row.int(6)?, row.int(7)?), line))
}
