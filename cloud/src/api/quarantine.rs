//! The quarantine, for administrators: what could not be read, and putting it through again.

use super::City;
use super::access::Caller;
use super::admin;
use super::error::{ApiError, ErrorBody};
use super::query;
use crate::records::Quarantined;
use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use davy_print::text_of;
use davy_wire::Payload;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuarantineQuery {
    /// `next_cursor` of the page before.
    cursor: Option<i64>,
    /// 1 to 1,000; 100 if left out.
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Quarantine {
    messages: Vec<HeldMessage>,
    next_cursor: Option<i64>,
}

/// A message that was put aside.
#[derive(Debug, Serialize, ToSchema)]
struct HeldMessage {
    id: i64,
    topic: String,
    received_ms: i64,
    why: String,
    bytes: usize,
    /// Who asked that it be put through again; it will be.
    replay_asked_by: Option<String>,
}

/// The same with what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeMessage {
    #[serde(flatten)]
    message: HeldMessage,
    /// As it came, hexadecimal.
    payload: String,
    /// Its metrics, as far as it is a payload.
    metrics: Vec<HeldMetric>,
}

#[derive(Debug, Serialize, ToSchema)]
struct HeldMetric {
    name: Option<String>,
    alias: Option<u64>,
    time_ms: Option<u64>,
    /// As text; none for a metric without one.
    value: Option<String>,
}

impl From<&Quarantined> for HeldMessage {
    fn from(held: &Quarantined) -> Self {
        Self {
            id: held.id,
            topic: held.topic.clone(),
            received_ms: held.received_ms,
            why: held.why.clone(),
            bytes: held.payload.len(),
            replay_asked_by: held.replay_asked_by.clone(),
        }
    }
}

/// What could not be read, newest first.
#[utoipa::path(get, path = "/api/admin/quarantine", params(QuarantineQuery),
    responses((status = 200, body = Quarantine), (status = 403, body = ErrorBody)))]
pub(crate) async fn quarantine(
    State(city): State<City>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Json<Quarantine>, ApiError> {
    let limit = query::limit(query.limit)?;
    let held = city.records.quarantined(query.cursor, limit).await?;
    let is_full = held.len() == limit as usize;
    let next_cursor = held.last().filter(|_| is_full).map(|held| held.id);
    let messages = held.iter().map(HeldMessage::from).collect();
    Ok(Json(Quarantine {
        messages,
        next_cursor,
    }))
}

/// One of them, whole.
#[utoipa::path(get, path = "/api/admin/quarantine/{message}", params(("message" = i64, Path)),
    responses((status = 200, body = WholeMessage), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(city): State<City>,
    Path(message): Path<i64>,
) -> Result<Json<WholeMessage>, ApiError> {
    let held = city.records.quarantined_as(message).await?;
    let held = held.ok_or(ApiError::Unknown { what: "message" })?;
    Ok(Json(WholeMessage {
        message: HeldMessage::from(&held),
        payload: text_of(&held.payload),
        metrics: metrics(&held.payload),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayQuery {
    /// Read aliases by the node's present birth, although the message was sent under another; false if left out.
    by_present_birth: Option<bool>,
}

/// Asks that it be put through again; the audit log tells how that went.
#[utoipa::path(post, path = "/api/admin/quarantine/{message}/replay", params(("message" = i64, Path), ReplayQuery),
    responses((status = 202), (status = 404, body = ErrorBody)))]
pub(crate) async fn replay(
    State(city): State<City>,
    Path(message): Path<i64>,
    Query(query): Query<ReplayQuery>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, ApiError> {
    let held = city.records.quarantined_as(message).await?;
    let held = held.ok_or(ApiError::Unknown { what: "message" })?;
    let by_present_birth = query.by_present_birth.unwrap_or(false);
    let detail = serde_json::json!({ "topic": held.topic, "why": held.why, "by_present_birth": by_present_birth });
    admin::audit(
        &city,
        &caller,
        "quarantine-replay",
        &message.to_string(),
        detail,
    )
    .await?;
    let actor = &caller.person.id;
    let now_ms = city.now_ms();
    match city
        .records
        .ask_replay(message, actor, by_present_birth, now_ms)
        .await?
    {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(ApiError::Unknown { what: "message" }),
    }
}

fn metrics(payload: &[u8]) -> Vec<HeldMetric> {
    let payload = Payload::from_bytes(payload).unwrap_or_default();
    let told = payload.metrics.iter().map(|metric| HeldMetric {
        name: metric.name.clone(),
        alias: metric.alias,
        time_ms: metric.timestamp.or(payload.timestamp),
        value: metric.value(None).map(|value| value.to_string()),
    });
    told.collect()
}
