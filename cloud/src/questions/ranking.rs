//! Most alarms by town, sector, hazard, site or alarm: against the span of equal length before, and month by month.

use super::{Asked, By, MOST_ROWS, Page};
use crate::api::{ApiError, model, named};
use crate::records::engine::{Row as Stored, StoreError, Value, values};
use crate::records::{Records, RecordsError, Text};
use crate::table::{Column, Kind, Row, row};
use jiff::civil::Time;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use std::collections::{BTreeMap, HashMap};

pub(super) const COLUMNS: [Column; 11] = [
    Column::new("group", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("sites", Kind::Whole),
    Column::new("occurrences", Kind::Whole),
    Column::new("p1", Kind::Whole),
    Column::new("p2", Kind::Whole),
    Column::new("p3", Kind::Whole),
    Column::new("p4", Kind::Whole),
    Column::new("before", Kind::Whole),
    Column::new("mean-time-to-acknowledge", Kind::Lasting),
    Column::new("unacknowledged", Kind::Whole),
];

pub(super) const TREND_COLUMNS: [Column; 8] = [
    Column::new("month", Kind::Code),
    Column::new("group", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("occurrences", Kind::Whole),
    Column::new("p1", Kind::Whole),
    Column::new("p2", Kind::Whole),
    Column::new("p3", Kind::Whole),
    Column::new("p4", Kind::Whole),
];

/// Rows that the database answers of one span before they are put together: more than the alarms of the largest city.
const MOST_PARTS: u32 = 500_000;

/// What is counted of a group.
#[derive(Clone, Debug, Default)]
struct Count {
    name: Text,
    sites: std::collections::BTreeSet<String>,
    by_priority: [i64; 4],
    acknowledged: i64,
    acknowledge_ms: i64,
}

impl Count {
    fn total(&self) -> i64 {
        self.by_priority.iter().sum()
    }
}

/// One part of the database's answer.
struct Part {
    site: String,
    subject: String,
    alarm: String,
    town: String,
    sector: String,
    name: Text,
    by_priority: [i64; 4],
    acknowledged: i64,
    acknowledge_ms: i64,
}

pub(super) async fn ranking(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let groups = Groups::of(records, asked).await?;
    let now = parts(records, asked, (asked.from_ms, asked.to_ms)).await?;
    let to_ms = asked.to_ms.min(asked.now_ms.max(asked.from_ms));
    let before_ms = asked.from_ms - (to_ms - asked.from_ms);
    let before = parts(records, asked, (before_ms, asked.from_ms)).await?;
    let before = groups.counts(&before);
    let mut counts: Vec<_> = groups.counts(&now).into_iter().collect();
    counts.sort_by_key(|(_, count)| -count.total());
    let row = |(key, count): (String, Count)| -> Row {
        let mean_ms = (count.acknowledged > 0).then(|| count.acknowledge_ms / count.acknowledged);
        let [p1, p2, p3, p4] = count.by_priority;
        let earlier = before.get(&key).map(Count::total).unwrap_or_default();
        row![
            key,
            count.name.clone(),
            count.sites.len() as i64,
            count.total(),
            p1,
            p2,
            p3,
            p4,
            earlier,
            mean_ms,
            count.total() - count.acknowledged,
        ]
    };
    Ok(Page::at_once(counts.into_iter().map(row).collect()))
}

/// Month after month, as far as there are alarms: each is a short question to an index, where days of a year were one long sort.
pub(super) async fn trend(records: &Records, asked: &Asked) -> Result<Page, ApiError> {
    let groups = Groups::of(records, asked).await?;
    let mut rows = Vec::new();
    let mut from_ms = asked.from_ms;
    while let Some(time_ms) = next_alarm(records, (from_ms, asked.to_ms)).await? {
        let (month, end_ms) = month(time_ms, asked.zone);
        let to_ms = end_ms.min(asked.to_ms);
        let counts = groups.counts(&parts(records, asked, (time_ms, to_ms)).await?);
        for (key, count) in counts {
            let [p1, p2, p3, p4] = count.by_priority;
            rows.push(row![
                month.as_str(),
                key,
                count.name.clone(),
                count.total(),
                p1,
                p2,
                p3,
                p4
            ]);
        }
        if rows.len() > MOST_ROWS as usize {
            break;
        }
        from_ms = to_ms;
    }
    Ok(Page::at_once(rows))
}

/// When the next alarm came, of any site.
async fn next_alarm(
    records: &Records,
    (from_ms, to_ms): (i64, i64),
) -> Result<Option<i64>, ApiError> {
    let sql = "SELECT MIN(raised_ms) FROM occurrences WHERE raised_ms >= $1 AND raised_ms < $2";
    let rows = records.engine.read(sql.to_owned(), values![from_ms, to_ms]);
    let rows = rows.await.map_err(RecordsError::from)?;
    let first = rows.first().map(|row| row.maybe_int(0)).transpose();
    Ok(first.map_err(RecordsError::from)?.flatten())
}

/// `2026-11` of a time in that zone, and when the next month begins. What lies out of the calendar is one month without a name.
fn month(time_ms: i64, zone: Offset) -> (String, i64) {
    let found = || {
        let time = zone.to_datetime(Timestamp::from_millisecond(time_ms).ok()?);
        let next = time.date().first_of_month().checked_add(1.month()).ok()?;
        let next = zone.to_timestamp(next.to_datetime(Time::midnight())).ok()?;
        Some((time.strftime("%Y-%m").to_string(), next.as_millisecond()))
    };
    found().unwrap_or((String::new(), i64::MAX))
}

/// How parts are put together.
struct Groups {
    by: By,
    /// What each point measures, by site and point.
    hazards: HashMap<(String, String), String>,
}

impl Groups {
    async fn of(records: &Records, asked: &Asked) -> Result<Self, ApiError> {
        let mut hazards = HashMap::new();
        if asked.by == By::Hazard {
            for site in records.sites(&asked.scope).await? {
                for point in model(&site).points {
                    hazards.insert((site.id.clone(), point.id), point.kind);
                }
            }
        }
        Ok(Self {
            by: asked.by,
            hazards,
        })
    }

    fn key(&self, part: &Part) -> String {
        match self.by {
            By::Town => part.town.clone(),
            By::Sector => part.sector.clone(),
            By::Site => part.site.clone(),
            By::Alarm => format!("{}/{}", part.site, part.alarm),
            By::Hazard => {
                let key = (part.site.clone(), part.subject.clone());
                self.hazards.get(&key).cloned().unwrap_or_default()
            }
        }
    }

    fn counts(&self, parts: &[Part]) -> BTreeMap<String, Count> {
        let mut counts = BTreeMap::new();
        for part in parts {
            self.add(&mut counts, self.key(part), part);
        }
        counts
    }

    fn add(&self, counts: &mut BTreeMap<String, Count>, key: String, part: &Part) {
        let count = counts.entry(key.clone()).or_default();
        count.name = match self.by {
            By::Site => named(&part.name, &part.site),
            _ => Text {
                zh: key.clone(),
                en: key,
            },
        };
        count.sites.insert(part.site.clone());
        for (sum, more) in count.by_priority.iter_mut().zip(part.by_priority) {
            *sum += more;
        }
        count.acknowledged += part.acknowledged;
        count.acknowledge_ms += part.acknowledge_ms;
    }
}

/// What tells parts of one site apart; where it is nothing, an index tells the parts in their order, and nothing is sorted.
const fn within_site(by: By) -> Option<&'static str> {
    match by {
        By::Town | By::Sector | By::Site => None,
        By::Hazard => Some("o.subject"),
        By::Alarm => Some("o.alarm"),
    }
}

/// Counts of each site, and within it of what tells the groups apart.
async fn parts(records: &Records, asked: &Asked, span: (i64, i64)) -> Result<Vec<Part>, ApiError> {
    let (sql, values) = sql(asked, span);
    let rows = records.engine.read(sql, values).await;
    let rows = rows.map_err(RecordsError::from)?;
    if rows.len() > MOST_PARTS as usize {
        return Err(ApiError::Refused {
            why: "too-many-groups",
        });
    }
    let parts = rows.iter().map(part).collect::<Result<_, StoreError>>();
    Ok(parts.map_err(RecordsError::from)?)
}

/// Site after site, each by its index: `CROSS JOIN` keeps SQLite to this order. A site's own columns follow from its key.
fn sql(asked: &Asked, (from_ms, to_ms): (i64, i64)) -> (String, Vec<Value>) {
    let mut condition = asked.sites();
    condition.add(
        "o.site = s.site AND o.raised_ms >= ? AND o.raised_ms < ?",
        [Value::from(from_ms), Value::from(to_ms)],
    );
    if !asked.priorities.is_empty() {
        let places = vec!["?"; asked.priorities.len()].join(", ");
        let values = asked.priorities.iter().map(|one| Value::from(*one));
        condition.add(
            &format!("o.priority IN ({places})"),
            values.collect::<Vec<_>>(),
        );
    }
    let apart = within_site(asked.by);
    let needed = |by| apart.filter(|_| asked.by == by).unwrap_or("''");
    let grouped = apart.map_or(String::new(), |column| format!(", {column}"));
    let of = |priority| format!("COUNT(CASE WHEN o.priority = {priority} THEN 1 END)");
    let sql = format!(
        "SELECT s.site, {}, {}, s.town, s.sector, s.name_zh, s.name_en, {}, COUNT(o.acknowledged_ms), \
         CAST(COALESCE(SUM(o.acknowledged_ms - o.raised_ms), 0) AS BIGINT) FROM sites s CROSS JOIN occurrences o{} \
         GROUP BY s.site{grouped} LIMIT {}",
        needed(By::Hazard),
        needed(By::Alarm),
        [1, 2, 3, 4].map(of).join(", "),
        condition.sql(),
        MOST_PARTS + 1
    );
    (sql, condition.values)
}

fn part(row: &Stored) -> Result<Part, StoreError> {
    Ok(Part {
        site: row.text(0)?,
        subject: row.text(1)?,
        alarm: row.text(2)?,
        town: row.text(3)?,
        sector: row.text(4)?,
        name: Text {
            zh: row.text(5)?,
            en: row.text(6)?,
        },
        by_priority: [row.int(7)?, row.int(8)?, row.int(9)?, row.int(10)?],
        acknowledged: row.int(11)?,
        acknowledge_ms: row.int(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questions::Question;
    use crate::records::Scope;

    #[test]
    fn a_time_belongs_to_the_month_of_the_chosen_zone() {
        let zone = Offset::from_seconds(28_800).expect("a zone");
        // 2026-12-01T00:00:00+08:00, and the same of January.
        let (december_ms, january_ms) = (1_796_054_400_000, 1_798_732_800_000);
        let named = |name: &str, end_ms| (name.to_owned(), end_ms);
        assert_eq!(month(december_ms - 1, zone), named("2026-11", december_ms));
        assert_eq!(month(december_ms, zone), named("2026-12", january_ms));
        assert_eq!(month(i64::MAX, zone), named("", i64::MAX));
    }

    fn asked(by: By) -> Asked {
        Asked {
            question: Question::Ranking,
            scope: Scope::All,
            site: None,
            town: None,
            from_ms: 0,
            to_ms: 1,
            now_ms: 1,
            priorities: Vec::new(),
            conditions: Vec::new(),
            unacknowledged_over_ms: None,
            minutes: 0,
            by,
            points: Vec::new(),
            known: None,
            zone: Offset::UTC,
            cursor: None,
            limit: 1,
        }
    }

    #[tokio::test]
    async fn a_ranking_of_sites_is_read_from_an_index_and_not_sorted() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::open(&folder.path().join("records.db"), 0).await;
        let records = records.expect("records");
        for by in [By::Town, By::Sector, By::Site, By::Hazard, By::Alarm] {
            let (sql, values) = sql(&asked(by), (0, 1));
            let plan = records.plan(&sql, values).await;
            assert!(plan.contains("INDEX occurrences_of_site"), "{by:?}: {plan}");
            let is_sorted = plan.contains("TEMP B-TREE");
            assert_eq!(is_sorted, within_site(by).is_some(), "{by:?}: {plan}");
        }
    }
}
