//! What regulators ask, each as a table that is answered in pages: the same answer for the screen, for a file and for a case. A question's SQL stands beside its
//! columns; every one is limited to the caller's scope.

mod acts;
mod alarms;
mod audit;
mod blind;
mod coverage;
mod cursor;
mod events;
mod late;
mod outputs;
mod points;
mod proofs;
mod ranking;
mod readings;
mod silent;
mod sources;

pub(crate) use points::{Known, known};
pub(crate) use readings::MOST_POINTS;

use crate::api::ApiError;
use crate::history::History;
use crate::records::engine::Value;
use crate::records::{Condition, GapFilter, Gaps, Records, RecordsError, Scope};
use crate::table::{Column, Row};
use jiff::tz::Offset;
use serde::Deserialize;

/// What may be asked.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Question {
    /// What happened at this site between two times.
    Timeline,
    /// Every alarm, how long until acknowledged and until cleared.
    Alarms,
    /// The readings of points.
    Readings,
    /// Who acknowledged, shelved, reset, changed the site file, with the reason.
    Acts,
    /// Sites that are silent for longer than so many minutes.
    Silent,
    /// Alarms that could not speak: frozen, bad, stale, shelved, suppressed, out of service, since when and how long.
    Blind,
    /// Overdue proof tests.
    Proofs,
    /// Alarms that stand for long or chatter.
    Sources,
    /// How much of the time each point was really measured.
    Coverage,
    /// Most alarms by town, sector, hazard, site or alarm, against the period before.
    Ranking,
    /// Alarms a month by town, sector, hazard, site or alarm.
    Trend,
    /// What reached the city late, and by how much.
    Late,
    /// The audit log.
    Audit,
}

impl Question {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 13] = [
        Self::Timeline,
        Self::Alarms,
        Self::Readings,
        Self::Acts,
        Self::Silent,
        Self::Blind,
        Self::Proofs,
        Self::Sources,
        Self::Coverage,
        Self::Ranking,
        Self::Trend,
        Self::Late,
        Self::Audit,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Alarms => "alarms",
            Self::Readings => "readings",
            Self::Acts => "acts",
            Self::Silent => "silent",
            Self::Blind => "blind",
            Self::Proofs => "proofs",
            Self::Sources => "sources",
            Self::Coverage => "coverage",
            Self::Ranking => "ranking",
            Self::Trend => "trend",
            Self::Late => "late",
            Self::Audit => "audit",
        }
    }

    pub(crate) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Timeline | Self::Acts => &events::COLUMNS,
            Self::Alarms => &alarms::COLUMNS,
            Self::Readings => &readings::COLUMNS,
            Self::Silent => &silent::COLUMNS,
            Self::Blind => &blind::COLUMNS,
            Self::Proofs => &proofs::COLUMNS,
            Self::Sources => &sources::COLUMNS,
            Self::Coverage => &coverage::COLUMNS,
            Self::Ranking => &ranking::COLUMNS,
            Self::Trend => &ranking::TREND_COLUMNS,
            Self::Late => &late::COLUMNS,
            Self::Audit => &audit::COLUMNS,
        }
    }

    /// Whether it is about one site, which must be named.
    pub(crate) const fn needs_site(self) -> bool {
        matches!(self, Self::Timeline | Self::Readings | Self::Coverage)
    }
}

/// A question with everything that narrows it, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) scope: Scope,
    pub(crate) site: Option<String>,
    pub(crate) town: Option<String>,
    /// Half-open, UTC milliseconds.
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) now_ms: i64,
    pub(crate) priorities: Vec<i64>,
    pub(crate) conditions: Vec<String>,
    pub(crate) unacknowledged_over_ms: Option<i64>,
    /// Of `silent` and `sources`.
    pub(crate) minutes: i64,
    pub(crate) by: By,
    pub(crate) points: Vec<String>,
    /// The points that the site is known to have had; read anew where it is none. A file that asks page after page sets it once.
    pub(crate) known: Option<Known>,
    /// Where days and months begin.
    pub(crate) zone: Offset,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,
}

/// What a ranking counts by.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    #[default]
    Town,
    Sector,
    /// The kind of what is measured: combustible gas, ammonia, dust.
    Hazard,
    Site,
    Alarm,
}

impl Asked {
    /// Of the sites that the caller may see, and of the site and the town that were named. The question must name the table `sites` as `s`.
    fn sites(&self) -> Condition {
        let mut condition = Condition::default();
        condition.within(&self.scope);
        condition.add_if("s.site = ?", self.site.as_deref());
        condition.add_if("s.town = ?", self.town.as_deref());
        condition
    }

    /// The points that the site is known to have had.
    async fn points(&self, stores: Stores<'_>) -> Result<Known, ApiError> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let site = self.site.as_deref().unwrap_or_default();
        let site = stores.records.site(site).await?;
        points::known(stores, &site.ok_or(ApiError::Unknown { what: "site" })?).await
    }

    /// That it can be answered, before anything of the answer leaves.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        match self.question {
            Question::Coverage => coverage::span(self).map(drop),
            _ => Ok(()),
        }
    }

    /// Looks up once what every page of the question would look up anew.
    pub(crate) async fn prepare(&mut self, stores: Stores<'_>) -> Result<(), ApiError> {
        if self.question.needs_site() {
            self.known = Some(self.points(stores).await?);
        }
        Ok(())
    }

    /// Of these sites and of the span, by this column.
    fn within(&self, time: &str) -> Condition {
        let mut condition = self.sites();
        condition.add(
            &format!("{time} >= ? AND {time} < ?"),
            [Value::from(self.from_ms), Value::from(self.to_ms)],
        );
        condition
    }

    /// The gaps of record of the question, after this one.
    async fn gaps(
        &self,
        records: &Records,
        after: Option<(i64, &str)>,
    ) -> Result<Gaps, RecordsError> {
        let filter = GapFilter {
            scope: &self.scope,
            site: self.site.as_deref(),
            town: self.town.as_deref(),
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            after,
        };
        records.gaps(&filter).await
    }
}

impl By {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Town => "town",
            Self::Sector => "sector",
            Self::Hazard => "hazard",
            Self::Site => "site",
            Self::Alarm => "alarm",
        }
    }
}

/// What questions are asked of.
#[derive(Clone, Copy)]
pub(crate) struct Stores<'a> {
    pub(crate) records: &'a Records,
    pub(crate) history: &'a dyn History,
}

/// A part of an answer.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
    /// None at the end.
    pub(crate) next: Option<String>,
    /// The answer has more rows than are ever told, and this is not all of it: whoever asks must narrow the question.
    pub(crate) is_cut: bool,
}

impl Page {
    /// A page of an answer that goes on at `next`.
    fn part(rows: Vec<Row>, next: Option<String>) -> Self {
        Self {
            rows,
            next,
            is_cut: false,
        }
    }

    /// An answer that is given at once: of more rows than [`MOST_ROWS`] the first, and the page says so.
    fn at_once(mut rows: Vec<Row>) -> Self {
        let is_cut = rows.len() > MOST_ROWS as usize;
        rows.truncate(MOST_ROWS as usize);
        Self {
            rows,
            next: None,
            is_cut,
        }
    }
}

/// Answers a page.
///
/// # Errors
/// Also where a page leads to itself: whoever asks page after page would never end.
pub(crate) async fn ask(stores: Stores<'_>, asked: &Asked) -> Result<Page, ApiError> {
    let page = page(stores, asked).await?;
    if page.next.is_some() && page.next == asked.cursor {
        let name = asked.question.name();
        return Err(ApiError::Table(format!("{name} does not go on")));
    }
    Ok(page)
}

async fn page(stores: Stores<'_>, asked: &Asked) -> Result<Page, ApiError> {
    let Stores { records, .. } = stores;
    match asked.question {
        Question::Timeline => events::timeline(stores, asked).await,
        Question::Acts => acts::acts(records, asked).await,
        Question::Alarms => alarms::alarms(records, asked).await,
        Question::Readings => readings::readings(stores, asked).await,
        Question::Silent => silent::silent(records, asked).await,
        Question::Blind => blind::blind(records, asked).await,
        Question::Proofs => proofs::proofs(records, asked).await,
        Question::Sources => sources::sources(records, asked).await,
        Question::Coverage => coverage::coverage(stores, asked).await,
        Question::Ranking => ranking::ranking(records, asked).await,
        Question::Trend => ranking::trend(records, asked).await,
        Question::Late => late::late(records, asked).await,
        Question::Audit => audit::audit(records, asked).await,
    }
}

/// The most rows of an answer that is given at once.
const MOST_ROWS: u32 = 10_000;
/// What the records are asked for, so that an answer with more is known from one that ends there.
const ONE_MORE: u32 = MOST_ROWS + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Language;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_has_its_head_in_both_languages_and_stands_once() {
        for question in Question::ALL {
            let columns = question.columns();
            let keys: BTreeSet<&str> = columns.iter().map(|column| column.key).collect();
            assert_eq!(keys.len(), columns.len(), "{question:?}");
            for column in columns {
                for language in [Language::Zh, Language::En] {
                    let head = column.head(language);
                    assert!(!head.starts_with("column-"), "{}", column.key);
                }
            }
        }
    }
}
