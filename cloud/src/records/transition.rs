//! The alarm journal as it stands in the city: transitions stored as they came, never judged again.

use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, Value, values};
use super::{Records, RecordsError};
use davy_alarm::{Cause, NoValue, Priority, Shown};
use std::collections::BTreeSet;

/// One line of a gateway's alarm journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Rises by one a line within a stream.
    pub seq: u64,
    pub alarm: String,
    /// From 1; 0 before the first activation.
    pub occurrence: u32,
    pub from: Shown,
    pub to: Shown,
    pub cause: Cause,
    /// When it happened, by the gateway's clock, UTC milliseconds.
    pub time_ms: i64,
    pub value: Option<f64>,
    pub value_cause: Option<NoValue>,
    /// The limit in force, in the point's unit.
    pub limit: Option<f64>,
    pub priority: Priority,
    /// The person, when one did it.
    pub actor: Option<String>,
    pub reason: Option<String>,
    pub shelved_until_ms: Option<i64>,
    /// The command of ours that it answers.
    pub command: Option<String>,
}

/// A line in the city's journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    pub site: String,
    /// Which incarnation of the gateway's journal, from 1: lines are ordered by (epoch, seq).
    pub epoch: i64,
    pub line: Line,
    /// It reached the city later than the configured threshold after it happened.
    pub late: bool,
    pub received_ms: i64,
}

/// The condition of an alarm: the last part of its id.
pub fn condition_of(alarm: &str) -> &str {
    alarm
        .rsplit_once('.')
        .map_or("", |(_, condition)| condition)
}

/// The point or device of an alarm: its id without the condition.
pub fn subject_of(alarm: &str) -> &str {
    alarm.rsplit_once('.').map_or(alarm, |(subject, _)| subject)
}

pub(crate) const COLUMNS: &str = "t.site, t.epoch, t.seq, t.alarm, t.occurrence, t.from_state, t.to_state, t.cause, t.time_ms, \
    t.value, t.value_cause, t.set_point, t.priority, t.actor, t.reason, t.shelved_until_ms, t.command, t.late, t.received_ms";

/// Puts a transition in its place; an equal key is left as it stands.
pub(crate) const INSERT: &str = "INSERT INTO transitions (site, epoch, seq, alarm, occurrence, from_state, to_state, cause, time_ms, value, \
    value_cause, set_point, priority, actor, reason, shelved_until_ms, command, late, received_ms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT DO NOTHING";

pub(crate) fn values_of(transition: &Transition) -> Vec<Value> {
    let Transition {
        site,
        epoch,
        line,
        late,
        received_ms,
    } = transition;
    values![
        site,
        *epoch,
        line.seq as i64,
        &line.alarm,
        line.occurrence,
        i64::from(line.from.code()),
        i64::from(line.to.code()),
        i64::from(line.cause.code()),
        line.time_ms,
        line.value,
        line.value_cause.map(|cause| i64::from(cause.code())),
        line.limit,
        i64::from(line.priority.number()),
        &line.actor,
        &line.reason,
        line.shelved_until_ms,
        &line.command,
        *late,
        *received_ms,
    ]
}

pub(crate) fn transition(row: &Row) -> Result<Transition, StoreError> {
    Ok(Transition {
        site: row.text(0)?,
        epoch: row.int(1)?,
        line: Line {
            seq: row.int(2)? as u64,
            alarm: row.text(3)?,
            occurrence: number(row.int(4)?, "occurrence", |code| u32::try_from(code).ok())?,
            from: number(row.int(5)?, "alarm state", shown)?,
            to: number(row.int(6)?, "alarm state", shown)?,
            cause: number(row.int(7)?, "cause", |code| {
                Cause::from_code(u8::try_from(code).ok()?)
            })?,
            time_ms: row.int(8)?,
            value: row.maybe_real(9)?,
            value_cause: no_value(row.maybe_int(10)?)?,
            limit: row.maybe_real(11)?,
            priority: number(row.int(12)?, "priority", priority)?,
            actor: row.maybe_text(13)?,
            reason: row.maybe_text(14)?,
            shelved_until_ms: row.maybe_int(15)?,
            command: row.maybe_text(16)?,
        },
        late: row.flag(17)?,
        received_ms: row.int(18)?,
    })
}

/// A text as `LIKE` takes it for itself.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::new();
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}

pub(crate) fn shown(code: i64) -> Option<Shown> {
    Shown::from_code(u8::try_from(code).ok()?)
}

pub(crate) fn priority(number: i64) -> Option<Priority> {
    Priority::from_number(u8::try_from(number).ok()?)
}

pub(crate) fn no_value(code: Option<i64>) -> Result<Option<NoValue>, StoreError> {
    code.map(|code| {
        number(code, "cause of absence", |code| {
            NoValue::from_code(u16::try_from(code).ok()?)
        })
    })
    .transpose()
}

pub(crate) fn number<T>(
    code: i64,
    what: &'static str,
    read: impl Fn(i64) -> Option<T>,
) -> Result<T, StoreError> {
    read(code).ok_or(StoreError::Stored {
        what,
        value: code.to_string(),
    })
}

/// A question to the alarm journal.
#[derive(Clone, Debug)]
pub struct TransitionFilter {
    pub scope: Scope,
    pub site: Option<String>,
    pub alarm: Option<String>,
    /// Points, devices, outputs whose alarms are asked for; all if there are none.
    pub subjects: Vec<String>,
    /// Half-open: `from_ms` ≤ time < `to_ms`.
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Where the page before ended.
    pub after: Option<TransitionKey>,
    pub limit: u32,
}

/// A place in the journal's answer, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionKey {
    pub time_ms: i64,
    pub site: String,
    pub epoch: i64,
    pub seq: i64,
}

impl Transition {
    pub fn key(&self) -> TransitionKey {
        TransitionKey {
            time_ms: self.line.time_ms,
            site: self.site.clone(),
            epoch: self.epoch,
            seq: self.line.seq as i64,
        }
    }
}

/// Lines that one statement asks for by their numbers.
const NUMBERS_AT_ONCE: usize = 500;

impl Records {
    /// Lines of a site by epoch and number, those that are there.
    pub(crate) async fn transitions_numbered(
        &self,
        site: &str,
        numbers: &BTreeSet<(i64, u64)>,
    ) -> Result<Vec<Transition>, RecordsError> {
        let numbers: Vec<(i64, u64)> = numbers.iter().copied().collect();
        let mut found = Vec::new();
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            let mut condition = Condition::default();
            condition.add("t.site = ?", [Value::from(site)]);
            let places = vec!["(?, ?)"; some.len()].join(", ");
            let keys = (some.iter()).flat_map(|(epoch, seq)| values![*epoch, *seq as i64]);
            condition.add(&format!("(t.epoch, t.seq) IN (VALUES {places})"), keys);
            let sql = format!(
                "SELECT {COLUMNS} FROM transitions t{} ORDER BY t.epoch, t.seq",
                condition.sql()
            );
            for row in self.engine.read(sql, condition.values).await? {
                found.push(transition(&row)?);
            }
        }
        Ok(found)
    }

    /// A page of the journal, newest first. A later page never repeats or skips a line, whatever arrives meanwhile.
    pub async fn transitions(
        &self,
        filter: &TransitionFilter,
    ) -> Result<Vec<Transition>, RecordsError> {
        let mut condition = Condition::default();
        condition.within(&filter.scope);
        condition.add_if("t.site = ?", filter.site.clone());
        condition.add_if("t.alarm = ?", filter.alarm.clone());
        if !filter.subjects.is_empty() {
            // An alarm's id is its subject's, a dot and the condition; `/` comes after the dot. Another subject's id may begin with this one and a dot.
            let one = "(t.alarm >= ? AND t.alarm < ? AND t.alarm NOT LIKE ? ESCAPE '\\')";
            let clause = vec![one; filter.subjects.len()].join(" OR ");
            let bounds = (filter.subjects.iter()).flat_map(|id| {
                let longer = format!("{}.%.%", literal(id));
                values![format!("{id}."), format!("{id}/"), longer]
            });
            condition.add(&format!("({clause})"), bounds);
        }
        condition.add_if("t.time_ms >= ?", filter.from_ms);
        condition.add_if("t.time_ms < ?", filter.to_ms);
        if let Some(TransitionKey {
            time_ms,
            site,
            epoch,
            seq,
        }) = &filter.after
        {
            condition.add(
                "(t.time_ms, t.site, t.epoch, t.seq) < (?, ?, ?, ?)",
                values![*time_ms, site, *epoch, *seq],
            );
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM transitions t JOIN sites s ON s.site = t.site{} \
             ORDER BY t.time_ms DESC, t.site DESC, t.epoch DESC, t.seq DESC LIMIT {}",
            condition.sql(),
            filter.limit
        );
        let rows = self.engine.read(sql, condition.values).await?;
        Ok(rows.iter().map(transition).collect::<Result<_, _>>()?)
    }
}
