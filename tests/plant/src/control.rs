//! The whole plant behind one address: its state, its scenarios, its page.

use crate::running::{PlantError, Running};
use crate::scenario::Kind;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// All sites of a plant.
#[derive(Debug)]
pub struct Plant {
    sites: Vec<Running>,
    next_id: AtomicU64,
}

/// What `POST /api/scenarios` takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub kind: Kind,
    pub site: String,
    /// Absent: the site's own leak point.
    pub point: Option<String>,
    /// Seconds; absent: until ended.
    pub for_s: Option<f64>,
}

/// What `PUT /api/points/{site}/{point}` takes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// In the point's unit; it is sensed without noise until it is released.
    pub value: f64,
}

impl Plant {
    pub fn new(sites: Vec<Running>) -> Self {
        Self {
            sites,
            next_id: AtomicU64::new(1),
        }
    }

    /// Starts a scenario and returns its id.
    pub fn begin(&self, wanted: &Wanted) -> Result<u64, PlantError> {
        let site = self.site(&wanted.site)?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        site.begin(id, wanted.kind, wanted.point.as_deref(), wanted.for_s)?;
        tracing::info!(
            id,
            kind = wanted.kind.name(),
            site = site.id(),
            "scenario begun"
        );
        Ok(id)
    }

    pub fn end(&self, id: u64) -> Result<(), PlantError> {
        let ended = self.sites.iter().any(|site| site.end(id));
        ended.then_some(()).ok_or(PlantError::NoScenario(id))
    }

    /// Holds a point at a value, as test gas or a signal source does; `None` gives it back to the process.
    pub fn hold(&self, site: &str, point: &str, value: Option<f64>) -> Result<(), PlantError> {
        let site = self.site(site)?;
        match value {
            Some(value) => site.hold(point, value),
            None => site.release(point),
        }
    }

    fn site(&self, id: &str) -> Result<&Running, PlantError> {
        let found = self.sites.iter().find(|site| site.id() == id);
        found.ok_or_else(|| PlantError::NoSite(id.into()))
    }

    /// What `GET /api/plant` answers.
    pub fn status(&self) -> Value {
        json!({ "sites": self.sites.iter().map(site).collect::<Vec<_>>() })
    }
}

fn site(site: &Running) -> Value {
    let points: Vec<Value> = (site.points().iter())
        .map(|now| json!({ "point": now.point, "device": now.device, "value": now.value }))
        .collect();
    let outputs: Vec<String> = (site.outputs_on().iter())
        .map(|(device, coil)| format!("{device} do{}", coil + 1))
        .collect();
    json!({ "id": site.id(), "leaks_at": site.leaks_at(), "points": points, "outputs_on": outputs, "scenarios": site.scenarios(),
        "drawn_off": site.drawn_off() })
}

/// The control's routes.
pub fn router(plant: Arc<Plant>) -> Router {
    Router::new()
        .route("/", get(async || Html(crate::page::html())))
        .route(
            "/healthz",
            get(async || Json(json!({ "status": "ok", "parts": [] }))),
        )
        .route(
            "/api/plant",
            get(async |State(plant): State<Arc<Plant>>| Json(plant.status())),
        )
        .route("/api/scenarios", axum::routing::post(begin))
        .route("/api/scenarios/{id}", delete(end))
        .route("/api/points/{site}/{point}", put(hold).delete(release))
        .with_state(plant)
}

async fn begin(State(plant): State<Arc<Plant>>, Json(wanted): Json<Wanted>) -> Response {
    match plant.begin(&wanted) {
        Ok(id) => (StatusCode::CREATED, Json(json!({ "id": id }))).into_response(),
        Err(error) => refuse(&error),
    }
}

async fn end(State(plant): State<Arc<Plant>>, Path(id): Path<u64>) -> Response {
    done(plant.end(id))
}

type AtPoint = Path<(String, String)>;

async fn hold(
    State(plant): State<Arc<Plant>>,
    Path((site, point)): AtPoint,
    Json(held): Json<Held>,
) -> Response {
    done(plant.hold(&site, &point, Some(held.value)))
}

async fn release(State(plant): State<Arc<Plant>>, Path((site, point)): AtPoint) -> Response {
    done(plant.hold(&site, &point, None))
}

fn done(outcome: Result<(), PlantError>) -> Response {
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &PlantError) -> Response {
    let (status, code) = match error {
        PlantError::NoSite(_)
        | PlantError::NoPoint { .. }
        | PlantError::NoBus { .. }
        | PlantError::NoDevice { .. }
        | PlantError::NoScenario(_) => (StatusCode::NOT_FOUND, "unknown"),
        PlantError::TooMany => (StatusCode::CONFLICT, "too-many"),
        PlantError::Duration => (StatusCode::BAD_REQUEST, "duration"),
        PlantError::Listen { .. } | PlantError::Pty { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "failed")
        }
    };
    let body = json!({ "error": code, "message": error.to_string(), "detail": null });
    (status, Json(body)).into_response()
}
