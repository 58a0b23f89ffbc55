//! What anybody at the plant may see: site, present picture, trend, transitions, system, health.

use super::Plant;
use super::refusal::Refused;
use super::shapes;
use super::system::System;
use crate::health::Status;
use crate::journal::{Names, Transition};
use crate::model::Model;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use davy_alarm::WallMs;
use davy_config::site::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Points in one trend, as on the screen.
const POINTS_MAX: usize = 10;
const BUCKETS_DEFAULT: u32 = 600;
const BUCKETS_MAX: u32 = 2_000;
/// Transitions in one answer.
const LINES_DEFAULT: usize = 100;
const LINES_MAX: usize = 500;
/// Transitions drawn into one trend.
const TREND_LINES_MAX: usize = 2_000;

type Line = (Arc<Names>, Transition);

/// `GET /healthz`: 503 only when alarms are not being judged.
pub(super) async fn healthz(State(plant): State<Arc<Plant>>) -> Response {
    let health = plant.watch.health();
    let status = match health.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Failed => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(health)).into_response()
}

/// `GET /metrics`.
pub(super) async fn metrics(State(plant): State<Arc<Plant>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], plant.watch.metrics()).into_response()
}

#[derive(Serialize)]
struct SiteAnswer<'a> {
    #[serde(flatten)]
    model: Model<'a>,
    /// There is no site file yet: nothing is monitored.
    blank: bool,
    people: Vec<PersonShape<'a>>,
}

#[derive(Serialize)]
struct PersonShape<'a> {
    id: &'a str,
    name: &'a str,
    role: &'static str,
}

/// `GET /api/site`.
pub(super) async fn site(State(plant): State<Arc<Plant>>) -> Response {
    let person = |person: &'_ davy_config::site::Person| match person.role {
        Role::Operator => "operator",
        Role::Maintenance => "maintenance",
    };
    let known = plant.sessions.people();
    let people = known.iter().map(|known| PersonShape {
        id: &known.id,
        name: &known.name,
        role: person(known),
    });
    let answer = SiteAnswer {
        model: Model::of(&plant.site),
        blank: plant.commission.is_blank,
        people: people.collect(),
    };
    Json(answer).into_response()
}

/// `GET /api/live`.
pub(super) async fn live(State(plant): State<Arc<Plant>>) -> Response {
    let picture = plant.live.picture();
    let (links, flood, now) = (plant.links(), plant.flood(), plant.clock.wall());
    let snapshot = shapes::Snapshot::of(&plant.site, &picture, links, flood, now);
    Json(snapshot).into_response()
}

/// `GET /api/system`.
pub(super) async fn system(State(plant): State<Arc<Plant>>) -> Response {
    Json(System::of(&plant.watch)).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrendQuery {
    points: String,
    from_ms: i64,
    to_ms: i64,
    buckets: Option<u32>,
}

/// `GET /api/trend`, from the journal.
pub(super) async fn trend(
    State(plant): State<Arc<Plant>>,
    query: Result<Query<TrendQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|error| Refused::bad("query", error.body_text()))?;
    if query.to_ms <= query.from_ms {
        return Err(Refused::bad("to_ms", "to_ms lies after from_ms".into()));
    }
    let buckets = query.buckets.unwrap_or(BUCKETS_DEFAULT);
    if !(1..=BUCKETS_MAX).contains(&buckets) {
        return Err(Refused::bad("buckets", format!("1 to {BUCKETS_MAX}")));
    }
    let points: Vec<&str> = query.points.split(',').collect();
    if points.len() > POINTS_MAX {
        return Err(Refused::bad("points", format!("at most {POINTS_MAX}")));
    }
    let (from, to) = (WallMs(query.from_ms), WallMs(query.to_ms));
    let mut series = Vec::new();
    for id in &points {
        let known = plant.site.points.iter().find(|point| point.id == **id);
        let point = known.ok_or_else(|| Refused::Unknown((*id).to_owned()))?;
        let found = plant.watch.journal.trend(id, from, to, buckets).await;
        series.push(shapes::columns(point, &found));
    }
    let lines = lines_between(&plant, from, to).await;
    let of_points = lines.iter().filter(|(names, line)| {
        let alarm = shapes::alarm_id(names, line);
        let subject = alarm.rsplit_once('.').map_or(alarm, |(subject, _)| subject);
        points.contains(&subject)
    });
    let transitions: Vec<_> = of_points
        .map(|(names, line)| shapes::transition(&plant.site, names, line))
        .collect();
    Ok(Json(json!({ "series": series, "transitions": transitions })).into_response())
}

/// The newest lines between two times, at most [`TREND_LINES_MAX`]; wall clocks may have jumped, so that order is by number alone.
async fn lines_between(plant: &Plant, from: WallMs, to: WallMs) -> Vec<Line> {
    let (mut found, mut before) = (Vec::new(), None);
    while found.len() < TREND_LINES_MAX {
        let journal = &plant.watch.journal;
        let page = journal.transitions(before, LINES_MAX, None).await;
        let Some((_, last)) = page.last() else { break };
        let is_last = page.len() < LINES_MAX || last.time < from;
        before = Some(last.seq);
        found.extend(
            page.into_iter()
                .filter(|(_, line)| (from..to).contains(&line.time)),
        );
        if is_last {
            break;
        }
    }
    found
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionsQuery {
    before_seq: Option<u64>,
    limit: Option<usize>,
    alarm: Option<String>,
}

/// `GET /api/transitions`, newest first.
pub(super) async fn transitions(
    State(plant): State<Arc<Plant>>,
    query: Result<Query<TransitionsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|error| Refused::bad("query", error.body_text()))?;
    let limit = query.limit.unwrap_or(LINES_DEFAULT).clamp(1, LINES_MAX);
    let journal = &plant.watch.journal;
    let lines = journal
        .transitions(query.before_seq, limit, query.alarm)
        .await;
    let next = lines.last().map(|(_, line)| line.seq);
    let next = next.filter(|seq| lines.len() == limit && *seq > 1);
    let shown: Vec<_> = lines
        .iter()
        .map(|(names, line)| shapes::transition(&plant.site, names, line))
        .collect();
    Ok(Json(json!({ "transitions": shown, "next_before_seq": next })).into_response())
}
