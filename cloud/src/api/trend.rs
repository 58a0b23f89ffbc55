//! Trends of a site's points, with the transitions of their alarms.

use super::City;
use super::error::{ApiError, ErrorBody};
use super::query::{Span, split};
use super::shapes::{self, Series, Transition};
use crate::history::SeriesQuery;
use crate::records::{Scope, TransitionFilter};
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Points of one call.
const MOST_POINTS: usize = 10;
/// Buckets of one series: more than any screen has columns.
const MOST_BUCKETS: u32 = 4_000;
const BUCKETS: u32 = 800;
/// Transitions of one answer, the newest.
const MOST_TRANSITIONS: u32 = 2_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendQuery {
    /// Ids with commas between them, at most ten.
    points: String,
    /// UTC milliseconds.
    from_ms: i64,
    to_ms: i64,
    /// At most so many buckets a series, 1 to 4,000.
    buckets: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trend {
    series: Vec<Series>,
    /// Of these points, the newest 2,000.
    transitions: Vec<Transition>,
    /// There are older ones within the span.
    transitions_cut: bool,
}

/// The trend of up to ten points.
#[utoipa::path(get, path = "/api/sites/{site}/trend", params(("site" = String, Path), TrendQuery),
    responses((status = 200, body = Trend), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn trend(
    State(city): State<City>,
    Path(site): Path<String>,
    Query(query): Query<TrendQuery>,
) -> Result<Json<Trend>, ApiError> {
    let span = Span::new(query.from_ms, query.to_ms)?;
    let points = split(&query.points);
    if points.is_empty() || points.len() > MOST_POINTS {
        return Err(ApiError::BadRequest {
            field: "points".into(),
        });
    }
    let buckets = query.buckets.unwrap_or(BUCKETS);
    if !(1..=MOST_BUCKETS).contains(&buckets) {
        return Err(ApiError::BadRequest {
            field: "buckets".into(),
        });
    }
    let known = city
        .records
        .site(&site)
        .await?
        .ok_or(ApiError::Unknown { what: "site" })?;
    let model = shapes::model(&known);
    let mut series = Vec::with_capacity(points.len());
    for point in &points {
        let unit = model
            .points
            .iter()
            .find(|known| known.id == *point)
            .map_or("", |known| &known.unit);
        let query = SeriesQuery {
            site: site.clone(),
            point: point.clone(),
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            buckets,
        };
        series.push(Series::new(point, unit, &city.history.series(query).await?));
    }
    let (transitions, transitions_cut) = transitions(&city, &site, &points, span).await?;
    Ok(Json(Trend {
        series,
        transitions,
        transitions_cut,
    }))
}

/// The newest lines of these points' alarms, and whether there are older ones.
async fn transitions(
    city: &City,
    site: &str,
    points: &[String],
    span: Span,
) -> Result<(Vec<Transition>, bool), ApiError> {
    let filter = TransitionFilter {
        scope: Scope::All,
        site: Some(site.to_owned()),
        alarm: None,
        subjects: points.to_vec(),
        from_ms: Some(span.from_ms),
        to_ms: Some(span.to_ms),
        after: None,
        limit: MOST_TRANSITIONS + 1,
    };
    let found = city.records.transitions(&filter).await?;
    let is_cut = found.len() > MOST_TRANSITIONS as usize;
    let newest = found.iter().take(MOST_TRANSITIONS as usize);
    Ok((newest.map(Transition::from).collect(), is_cut))
}
