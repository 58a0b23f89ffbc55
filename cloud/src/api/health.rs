//! Whether the city's parts are well, and their figures.

use super::City;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// Works in part: still 200.
    Degraded,
    Failed,
}

/// What the parts last said of themselves; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, (Status, String)>>>);

impl Health {
    /// A part says how it is; `detail` is for whoever looks, in plain words of the log.
    pub fn say(&self, part: &'static str, status: Status, detail: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, (status, detail.into()));
    }

    fn report(&self) -> HealthReport {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HealthReport {
            status: parts
                .values()
                .map(|(status, _)| *status)
                .max()
                .unwrap_or(Status::Ok),
            parts: parts
                .iter()
                .map(|(name, (status, detail))| Part {
                    name,
                    status: *status,
                    detail: detail.clone(),
                })
                .collect(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthReport {
    status: Status,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Part {
    name: &'static str,
    status: Status,
    detail: String,
}

/// Every part's health; 503 when one has failed.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = HealthReport), (status = 503, body = HealthReport)))]
pub(crate) async fn healthz(State(city): State<City>) -> Response {
    match city.records.sites_known().await {
        Ok(sites) => city
            .health
            .say("records", Status::Ok, format!("{sites} sites")),
        Err(error) => city
            .health
            .say("records", Status::Failed, error.to_string()),
    }
    let report = city.health.report();
    let status = match report.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Failed => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(report)).into_response()
}

/// Figures in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(city): State<City>) -> Response {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        city.metrics.render(),
    )
        .into_response()
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn openapi() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        super::openapi(),
    )
        .into_response()
}
