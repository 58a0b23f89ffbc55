//! The regulator's questions: occurrences of alarms, and the journal behind them, in ordered pages that mark every gap of record.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::query::{self, AlarmQuery};
use super::shapes::{self, GapShape, Transition};
use crate::records::{GapFilter, Occurrence, OccurrenceFilter, Text, TransitionFilter, subject_of};
use axum::Json;
use axum::extract::{Extension, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlarmHistory {
    occurrences: Vec<OccurrenceBody>,
    next_cursor: Option<String>,
    /// Over all pages.
    total: u64,
    /// Those that touch the span, oldest first, at most 1,000.
    gaps: Vec<GapShape>,
    /// There are more gaps than these: ask about a shorter span.
    gaps_cut: bool,
}

/// One activation of one alarm.
#[derive(Debug, Serialize, ToSchema)]
struct OccurrenceBody {
    site: String,
    alarm: String,
    name: Text,
    occurrence: u32,
    priority: u8,
    condition: String,
    raised_ms: i64,
    cleared_ms: Option<i64>,
    acknowledged_ms: Option<i64>,
    acknowledged_by: Option<String>,
    time_to_acknowledge_ms: Option<i64>,
    duration_ms: Option<i64>,
    peak: Option<f64>,
    limit: Option<f64>,
    unit: String,
    late: bool,
}

impl From<&Occurrence> for OccurrenceBody {
    fn from(one: &Occurrence) -> Self {
        Self {
            site: one.site.clone(),
            alarm: one.alarm.clone(),
            name: shapes::named(&one.subject.name, subject_of(&one.alarm)),
            occurrence: one.occurrence,
            priority: one.priority.number(),
            condition: one.condition.clone(),
            raised_ms: one.raised_ms,
            cleared_ms: one.cleared_ms,
            acknowledged_ms: one.acknowledged_ms,
            acknowledged_by: one.acknowledged_by.clone(),
            time_to_acknowledge_ms: one.time_to_acknowledge_ms(),
            duration_ms: one.duration_ms(),
            peak: one.peak,
            limit: one.limit,
            unit: one.subject.unit.clone(),
            late: one.late,
        }
    }
}

/// Occurrences, newest first.
#[utoipa::path(get, path = "/api/history/alarms", params(AlarmQuery),
    responses((status = 200, body = AlarmHistory), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn alarms(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<AlarmQuery>,
) -> Result<Json<AlarmHistory>, ApiError> {
    let filter = query.filter(caller.scope(), city.now_ms())?;
    let found = city.records.occurrences(&filter).await?;
    let total = city.records.count_occurrences(&filter).await?;
    let (gaps, gaps_cut) = gaps(&city, &filter).await?;
    let is_full = found.len() == filter.limit as usize;
    let next = found
        .last()
        .filter(|_| is_full)
        .map(|last| query::occurrence_cursor(&last.key()));
    Ok(Json(AlarmHistory {
        occurrences: found.iter().map(OccurrenceBody::from).collect(),
        next_cursor: next,
        total,
        gaps,
        gaps_cut,
    }))
}

/// The gaps of record that touch the question's span, and whether there are more.
async fn gaps(city: &City, filter: &OccurrenceFilter) -> Result<(Vec<GapShape>, bool), ApiError> {
    let found = city
        .records
        .gaps(&GapFilter {
            scope: &filter.scope,
            site: filter.site.as_deref(),
            town: filter.town.as_deref(),
            from_ms: filter.from_ms,
            to_ms: filter.to_ms,
            after: None,
        })
        .await?;
    let gaps = found.gaps.iter().map(GapShape::from).collect();
    Ok((gaps, found.is_cut))
}

/// A question to the alarm journal.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransitionQuery {
    site: Option<String>,
    alarm: Option<String>,
    /// UTC milliseconds.
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 1,000; 100 if left out.
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transitions {
    transitions: Vec<Transition>,
    next_cursor: Option<String>,
}

/// Lines of the alarm journal, newest first.
#[utoipa::path(get, path = "/api/history/transitions", params(TransitionQuery),
    responses((status = 200, body = Transitions), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn transitions(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<TransitionQuery>,
) -> Result<Json<Transitions>, ApiError> {
    let filter = TransitionFilter {
        scope: caller.scope(),
        site: query.site,
        alarm: query.alarm,
        subjects: Vec::new(),
        from_ms: query.from_ms,
        to_ms: query.to_ms,
        after: query
            .cursor
            .as_deref()
            .map(query::read_transition_cursor)
            .transpose()?,
        limit: query::limit(query.limit)?,
    };
    let found = city.records.transitions(&filter).await?;
    let is_full = found.len() == filter.limit as usize;
    let next = found
        .last()
        .filter(|_| is_full)
        .map(|last| query::transition_cursor(&last.key()));
    Ok(Json(Transitions {
        transitions: found.iter().map(Transition::from).collect(),
        next_cursor: next,
    }))
}
