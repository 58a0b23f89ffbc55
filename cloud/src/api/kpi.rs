//! The alarm figures of one site over a period, as an answer and as a file.
//!
//! Bounds: 92 days; 200,000 lines, the newest; four answers made at one time, for which others wait a little.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::export::{self, FormQuery};
use super::kpi_csv;
use super::query::Span;
use super::shapes::{self, GapShape};
use super::signal::signals;
use crate::records::{Figures, Gap, GapFilter, Scope};
use crate::table::Format;
use axum::Json;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use davy_kpi::{
    ChatterRule, FloodNow, Held, LEAD_MS, Line, Period, Record, Report, Signal, Silence,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Longest period: a quarter.
const MOST_MS: i64 = 92 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// Answers that are made at one time: each holds up to 200,000 lines.
pub(super) const MOST_AT_ONCE: usize = 4;

/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which figures.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct KpiQuery {
    site: String,
    /// UTC milliseconds; a day before the end if left out; at most 92 days.
    from_ms: Option<i64>,
    /// Now if left out, or if it lies after now.
    to_ms: Option<i64>,
    /// An alarm chatters from so many annunciations, 2 to 60; 3 if left out,
    chatter_count: Option<u32>,
    /// within so many seconds, 10 to 3,600; 60 if left out.
    chatter_s: Option<u32>,
}

/// The alarm figures of a site over a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Kpi {
    pub(super) site: String,
    #[serde(flatten)]
    pub(super) report: Report,
    /// There were too many lines: the record begins where those that were kept do.
    truncated: bool,
    /// Gaps of record that touch the period: its figures are of what is on record.
    gaps: Vec<GapShape>,
    /// The load now.
    flood: FloodNow,
    /// What the recorded signals of the alarms that chatter most propose.
    signals: Vec<Signal>,
}

/// How well the alarms of a site serve those who answer them.
#[utoipa::path(get, path = "/api/kpi", params(KpiQuery),
    responses((status = 200, body = Kpi), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn kpi(
    State(city): State<City>,
    Query(query): Query<KpiQuery>,
) -> Result<Json<Kpi>, ApiError> {
    Ok(Json(reckon(&city, &query).await?.0))
}

/// The same as CSV: one row a figure.
#[utoipa::path(get, path = "/api/kpi.csv", params(KpiQuery, FormQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn kpi_csv(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<KpiQuery>,
    Query(csv): Query<FormQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = export::form(&city, &csv, &headers)?;
    let (kpi, gaps) = reckon(&city, &query).await?;
    let detail =
        serde_json::json!({ "file": "kpi.csv", "from_ms": query.from_ms, "to_ms": query.to_ms });
    export::audit(&city, &caller, &query.site, detail).await?;
    let bytes = kpi_csv::file(form, &kpi, &gaps);
    Ok(export::file(
        "davy-alarm-performance.csv",
        Format::Csv.media_type(),
        bytes.into(),
    ))
}

/// That the caller may see the site was asked before ([`super::access`]).
async fn reckon(city: &City, query: &KpiQuery) -> Result<(Kpi, Vec<Gap>), ApiError> {
    let rule = rule(query)?;
    let span = span(query, city.now_ms())?;
    let known = city.records.site(&query.site).await?;
    let known = known.ok_or(ApiError::Unknown { what: "site" })?;
    let waited = tokio::time::timeout(PATIENCE, city.reckoning().clone().acquire_owned()).await;
    // The semaphore is never closed.
    let Ok(Ok(_turn)) = waited else {
        return Err(ApiError::NotReady("kpi"));
    };
    let lines_from_ms = span.from_ms.saturating_sub(LEAD_MS);
    let found = city
        .records
        .figures(&query.site, lines_from_ms, span.to_ms)
        .await?;
    let gaps = city
        .records
        .gaps(&GapFilter {
            scope: &Scope::All,
            site: Some(&query.site),
            town: None,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            after: None,
        })
        .await?;
    let period = Period {
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        lines_from_ms,
        record_from_ms: found.record_from_ms,
    };
    let truncated = found.truncated || gaps.is_cut;
    let gaps = gaps.gaps;
    let report = tokio::task::spawn_blocking(move || report(&found, &period, rule)).await;
    let report = report.map_err(|_| ApiError::NotReady("kpi"))?;
    let model = shapes::model(&known);
    let signals = signals(city, &query.site, &model, &report.chattering.list).await?;
    let kpi = Kpi {
        site: query.site.clone(),
        flood: flood(city, &query.site).await?,
        signals,
        report,
        truncated,
        gaps: gaps.iter().map(GapShape::from).collect(),
    };
    Ok((kpi, gaps))
}

async fn flood(city: &City, site: &str) -> Result<FloodNow, ApiError> {
    let scope = Scope::Sites([site.to_owned()].into());
    let loads = city.records.loads(&scope, city.now_ms()).await?;
    Ok(loads.get(site).copied().unwrap_or_default())
}

fn rule(query: &KpiQuery) -> Result<ChatterRule, ApiError> {
    let (count, window) = (query.chatter_count, query.chatter_s);
    let rule = ChatterRule::new(count.unwrap_or(3), window.unwrap_or(60));
    rule.ok_or_else(|| ApiError::BadRequest {
        field: if window.is_some() {
            "chatter_s"
        } else {
            "chatter_count"
        }
        .into(),
    })
}

/// The period up to now: what has not happened is no record.
fn span(query: &KpiQuery, now_ms: i64) -> Result<Span, ApiError> {
    let to_ms = query.to_ms.map_or(now_ms, |to_ms| to_ms.min(now_ms));
    let from_ms = query.from_ms.unwrap_or(to_ms.saturating_sub(DAY_MS));
    let span = Span::new(from_ms, to_ms)?;
    if span.to_ms - span.from_ms > MOST_MS {
        return Err(ApiError::BadRequest {
            field: "from_ms".into(),
        });
    }
    Ok(span)
}

fn report(found: &Figures, period: &Period, rule: ChatterRule) -> Report {
    let lines: Vec<Line<'_>> = found
        .lines
        .iter()
        .map(|line| Line {
            alarm: &line.alarm,
            priority: line.priority,
            time_ms: line.time_ms,
            cause: line.cause,
            to: line.to,
            actor: line.actor.as_deref(),
        })
        .collect();
    let held: Vec<Held<'_>> = found
        .held
        .iter()
        .map(|held| Held {
            alarm: &held.alarm,
            priority: held.priority,
            since_ms: held.since_ms,
        })
        .collect();
    let silences: Vec<Silence<'_>> = found
        .silences
        .iter()
        .map(|silence| Silence {
            actor: &silence.actor,
            time_ms: silence.time_ms,
        })
        .collect();
    let record = Record {
        lines: &lines,
        held: &held,
        silences: &silences,
    };
    davy_kpi::report(&record, period, rule)
}
