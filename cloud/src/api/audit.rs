//! The audit log, for administrators.

use super::City;
use super::error::{ApiError, ErrorBody};
use super::query;
use crate::audit::Audited;
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// `next_cursor` of the page before.
    cursor: Option<i64>,
    /// 1 to 1,000; 100 if left out.
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLog {
    entries: Vec<AuditEntry>,
    next_cursor: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AuditEntry {
    seq: i64,
    time_ms: i64,
    actor: String,
    action: String,
    subject: String,
    detail: serde_json::Value,
    hash: String,
}

impl From<Audited> for AuditEntry {
    fn from(row: Audited) -> Self {
        Self {
            seq: row.seq,
            time_ms: row.time_ms,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            detail: serde_json::from_str(&row.detail)
                .unwrap_or(serde_json::Value::String(row.detail)),
            hash: row.hash,
        }
    }
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/audit", params(AuditQuery),
    responses((status = 200, body = AuditLog), (status = 403, body = ErrorBody)))]
pub(crate) async fn audit(
    State(city): State<City>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditLog>, ApiError> {
    let limit = query::limit(query.limit)?;
    let rows = city.records.audited(query.cursor, limit).await?;
    let is_full = rows.len() == limit as usize;
    let next_cursor = rows.last().filter(|_| is_full).map(|row| row.seq);
    Ok(Json(AuditLog {
        entries: rows.into_iter().map(AuditEntry::from).collect(),
        next_cursor,
    }))
}
