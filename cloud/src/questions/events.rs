//! What happened at a site, on one timeline, newest first: alarms' transitions, what its outputs were told, what people and the gateway did, orders of the city
//! with what became of them, and when the site fell silent and was heard again.
//!
//! Each source is asked for a page by its own index, older than the cursor; the pages are merged by time, and of the same time by source and key, so that a
//! page neither repeats nor skips anything, and the cost is that of a page, however long the span.

use super::{Asked, Page, Stores, cursor, outputs};
use crate::api::ApiError;
use crate::records::engine::{Row as Stored, StoreError, Value};
use crate::records::{Condition, Names, Records, RecordsError, subject_of};
use crate::table::{Cell, Column, Kind, Row, row};
use davy_alarm::{Cause, Shown};

pub(super) const COLUMNS: [Column; 14] = [
    Column::new("time", Kind::Time),
    Column::new("record", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("subject", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("what", Kind::Code),
    Column::new("state", Kind::Code),
    Column::new("priority", Kind::Whole),
    Column::new("value", Kind::Number),
    Column::new("limit", Kind::Number),
    Column::new("unit", Kind::Text),
    Column::new("actor", Kind::Text),
    Column::new("reason", Kind::Text),
    Column::new("late", Kind::Flag),
];

/// A row with its place among all: time, source, and the key within the source.
pub(super) struct Event {
    time_ms: i64,
    rank: i64,
    keys: [i64; 2],
    site: String,
    row: Row,
}

impl Event {
    pub(super) fn new(time_ms: i64, rank: i64, site: String, row: Row) -> Self {
        Self {
            time_ms,
            rank,
            keys: [time_ms, time_ms],
            site,
            row,
        }
    }

    fn place(&self) -> (i64, i64, &str, [i64; 2]) {
        (self.time_ms, self.rank, &self.site, self.keys)
    }
}

/// What is older than the cursor, of one source.
pub(super) struct After<'a> {
    time_ms: i64,
    rank: i64,
    keys: [i64; 2],
    site: &'a str,
}

impl<'a> After<'a> {
    pub(super) fn read(asked: &'a Asked) -> Result<Option<Self>, ApiError> {
        let read = |text: &'a String| {
            let ([time_ms, rank, first, second], site) = cursor::read::<4>(text)?;
            let keys = [first, second];
            Ok(Self {
                time_ms,
                rank,
                keys,
                site,
            })
        };
        asked.cursor.as_ref().map(read).transpose()
    }

    /// The time before which a source of this rank goes on, and where within its last millisecond, by what tells rows of one apart.
    pub(super) fn before(&self, rank: i64) -> (i64, Option<&str>) {
        match rank.cmp(&self.rank) {
            std::cmp::Ordering::Less => (self.time_ms.saturating_add(1), None),
            std::cmp::Ordering::Greater => (self.time_ms, None),
            std::cmp::Ordering::Equal => (self.time_ms.saturating_add(1), Some(self.site)),
        }
    }

    pub(super) fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Adds the clause of a source: its rank, and its columns of time, site and keys.
    fn limit(&self, condition: &mut Condition, rank: i64, columns: [&str; 4]) {
        let [time, site, first, second] = columns;
        let time_ms = Value::from(self.time_ms);
        match rank.cmp(&self.rank) {
            std::cmp::Ordering::Less => condition.add(&format!("{time} <= ?"), [time_ms]),
            std::cmp::Ordering::Greater => condition.add(&format!("{time} < ?"), [time_ms]),
            std::cmp::Ordering::Equal => condition.add(
                &format!("({time}, {site}, {first}, {second}) < (?, ?, ?, ?)"),
                [
                    time_ms,
                    Value::from(self.site),
                    Value::from(self.keys[0]),
                    Value::from(self.keys[1]),
                ],
            ),
        }
    }
}

/// Sources by rank.
pub(super) const OUTPUT: i64 = 4;
const TRANSITION: i64 = 3;
const ACT: i64 = 2;
const ORDER: i64 = 1;
const SILENT: i64 = 0;

pub(super) async fn timeline(stores: Stores<'_>, asked: &Asked) -> Result<Page, ApiError> {
    let after = After::read(asked)?;
    let records = stores.records;
    let mut all = transitions(records, asked, after.as_ref(), false).await?;
    all.extend(acts(records, asked, after.as_ref(), false).await?);
    all.extend(orders(records, asked, after.as_ref()).await?);
    all.extend(silences(records, asked, after.as_ref()).await?);
    let floor_ms = floor(&mut all, asked);
    all.extend(outputs::switched(stores, asked, after.as_ref(), floor_ms).await?);
    Ok(merged(all, asked.limit))
}

/// How far back a page reaches that these events fill, or else the whole span: what is older stands on a later one.
fn floor(all: &mut [Event], asked: &Asked) -> i64 {
    newest_first(all);
    let last = (asked.limit as usize).checked_sub(1);
    let last = last.and_then(|last| all.get(last));
    last.map_or(asked.from_ms, |last| last.time_ms)
}

fn newest_first(all: &mut [Event]) {
    all.sort_by(|one, other| other.place().cmp(&one.place()));
}

/// The newest of all, in order.
pub(super) fn merged(mut all: Vec<Event>, limit: u32) -> Page {
    newest_first(&mut all);
    let is_full = all.len() >= limit as usize;
    all.truncate(limit as usize);
    let next = all.last().filter(|_| is_full).map(|last| {
        let [first, second] = last.keys;
        cursor::write(&[last.time_ms, last.rank, first, second], &last.site)
    });
    Page::part(all.into_iter().map(|event| event.row).collect(), next)
}

/// Lines of the alarm journal; of people alone if asked so.
pub(super) async fn transitions(
    records: &Records,
    asked: &Asked,
    after: Option<&After<'_>>,
    by_people: bool,
) -> Result<Vec<Event>, RecordsError> {
    let mut condition = asked.within("t.time_ms");
    if by_people {
        condition.add("t.actor IS NOT NULL", []);
    }
    if let Some(after) = after {
        let columns = ["t.time_ms", "t.site", "t.epoch", "t.seq"];
        after.limit(&mut condition, TRANSITION, columns);
    }
    let sql = format!(
        "SELECT t.site, t.epoch, t.seq, t.alarm, t.cause, t.to_state, t.time_ms, t.value, t.set_point, t.priority, t.actor, t.reason, t.late \
         FROM transitions t JOIN sites s ON s.site = t.site{} \
         ORDER BY t.time_ms DESC, t.site DESC, t.epoch DESC, t.seq DESC LIMIT {}",
        condition.sql(),
        asked.limit
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let mut subjects = Vec::new();
    for row in &rows {
        subjects.push((row.text(0)?, subject_of(&row.text(3)?).to_owned()));
    }
    let names = records.names(subjects).await?;
    let events = rows.iter().map(|row| transition(row, &names));
    Ok(events.collect::<Result<_, _>>()?)
}

fn transition(row: &Stored, names: &Names) -> Result<Event, StoreError> {
    let (site, alarm, time_ms) = (row.text(0)?, row.text(3)?, row.int(6)?);
    let code = |at| {
        row.int(at)
            .map(|code| u8::try_from(code).unwrap_or(u8::MAX))
    };
    let cause = Cause::from_code(code(4)?).map(Cause::name);
    let state = Shown::from_code(code(5)?).map(Shown::name);
    let (name, unit) = names.of(&site, subject_of(&alarm));
    let cells = row![
        time_ms,
        "alarm",
        site.as_str(),
        alarm.as_str(),
        name,
        cause,
        state,
        row.int(9)?,
        row.maybe_real(7)?,
        row.maybe_real(8)?,
        unit,
        row.maybe_text(10)?,
        row.maybe_text(11)?,
        row.flag(12)?,
    ];
    Ok(Event {
        time_ms,
        rank: TRANSITION,
        keys: [row.int(1)?, row.int(2)?],
        site,
        row: cells,
    })
}

const OF_PEOPLE: &str = "a.action LIKE 'plant-%'";
/// What happened at a site. Who exported it, and what is held for whom, is for those alone who may read the audit log; and a person's id may be a site's.
const OF_A_SITE: &str = "(a.action LIKE 'plant-%' OR a.action IN ('readings-lost', 'clock-set', 'node-event', 'node-events-lost'))";

/// What the audit log tells of a site; of people's acts alone if asked so.
pub(super) async fn acts(
    records: &Records,
    asked: &Asked,
    after: Option<&After<'_>>,
    by_people: bool,
) -> Result<Vec<Event>, RecordsError> {
    let mut condition = asked.within("a.time_ms");
    condition.add(if by_people { OF_PEOPLE } else { OF_A_SITE }, []);
    if let Some(after) = after {
        let columns = ["a.time_ms", "a.subject", "a.seq", "a.seq"];
        after.limit(&mut condition, ACT, columns);
    }
    let sql = format!(
        "SELECT a.subject, a.seq, a.time_ms, a.actor, a.action, a.detail FROM audit a JOIN sites s ON s.site = a.subject{} \
         ORDER BY a.time_ms DESC, a.subject DESC, a.seq DESC LIMIT {}",
        condition.sql(),
        asked.limit
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let act = |row: &Stored| {
        let (site, seq, time_ms) = (row.text(0)?, row.int(1)?, row.int(2)?);
        let mut cells = blank(time_ms, "act", &site);
        cells[5] = row.text(4)?.into();
        cells[11] = person(&row.text(3)?).into();
        cells[12] = detail(&row.text(5)?).into();
        Ok(Event {
            time_ms,
            rank: ACT,
            keys: [seq, seq],
            site,
            row: cells,
        })
    };
    Ok(rows.iter().map(act).collect::<Result<_, StoreError>>()?)
}

/// `<site>/<person>` without the site.
fn person(actor: &str) -> &str {
    actor.split_once('/').map_or(actor, |(_, person)| person)
}

/// Longest detail in a row, characters: the whole stands in the audit log.
const MOST_DETAIL: usize = 400;

/// What a person gave as reason, or the whole detail of what has none.
fn detail(text: &str) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let said = |key: &str| told[key].as_str().map(str::to_owned);
    let whole = || Some(text.to_owned()).filter(|text| text != "{}");
    let said = said("reason").or_else(|| said("note")).or_else(whole)?;
    Some(said.chars().take(MOST_DETAIL).collect())
}

/// What tells orders of one millisecond apart.
const PLACE: &str = "c.site || '/' || c.id";

/// Orders that somebody gave in the city.
async fn orders(
    records: &Records,
    asked: &Asked,
    after: Option<&After<'_>>,
) -> Result<Vec<Event>, RecordsError> {
    let mut condition = asked.within("c.sent_ms");
    if let Some(after) = after {
        let columns = ["c.sent_ms", PLACE, "c.sent_ms", "c.sent_ms"];
        after.limit(&mut condition, ORDER, columns);
    }
    let sql = format!(
        "SELECT c.site, c.sent_ms, c.alarm, c.action, c.actor, c.outcome, c.id FROM commands c JOIN sites s ON s.site = c.site{} \
         ORDER BY c.sent_ms DESC, {PLACE} DESC LIMIT {}",
        condition.sql(),
        asked.limit
    );
    let rows = records.engine.read(sql, condition.values).await?;
    let order = |row: &Stored| {
        let (site, time_ms) = (row.text(0)?, row.int(1)?);
        let mut cells = blank(time_ms, "order", &site);
        cells[3] = row.text(2)?.into();
        cells[5] = row.text(3)?.into();
        cells[6] = row.maybe_text(5)?.into();
        cells[11] = row.text(4)?.into();
        Ok(Event {
            time_ms,
            rank: ORDER,
            keys: [time_ms, time_ms],
            site: format!("{site}/{}", row.text(6)?),
            row: cells,
        })
    };
    Ok(rows.iter().map(order).collect::<Result<_, StoreError>>()?)
}

/// Both ends of each silence.
async fn silences(
    records: &Records,
    asked: &Asked,
    after: Option<&After<'_>>,
) -> Result<Vec<Event>, RecordsError> {
    let mut events = Vec::new();
    for (column, what, key) in [("g.from_ms", "silent", 0), ("g.to_ms", "heard", 1)] {
        let mut condition = asked.within(column);
        if let Some(after) = after {
            let key = key.to_string();
            after.limit(&mut condition, SILENT, [column, "g.site", &key, &key]);
        }
        let sql = format!(
            "SELECT g.site, {column}, g.filled_ms FROM outages g JOIN sites s ON s.site = g.site{} \
             ORDER BY {column} DESC, g.site DESC LIMIT {}",
            condition.sql(),
            asked.limit
        );
        for row in records.engine.read(sql, condition.values).await? {
            let (site, time_ms) = (row.text(0)?, row.int(1)?);
            let mut cells = blank(time_ms, "link", &site);
            cells[5] = what.into();
            cells[6] = if row.maybe_int(2)?.is_some() {
                "filled"
            } else {
                "gap"
            }
            .into();
            events.push(Event {
                time_ms,
                rank: SILENT,
                keys: [key, key],
                site,
                row: cells,
            });
        }
    }
    Ok(events)
}

pub(super) fn blank(time_ms: i64, record: &str, site: &str) -> Row {
    let mut cells = vec![Cell::None; COLUMNS.len()];
    cells[0] = time_ms.into();
    cells[1] = record.into();
    cells[2] = site.into();
    cells
}
