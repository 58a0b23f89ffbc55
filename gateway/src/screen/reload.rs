//! `POST /api/reload`: a maintenance person has the gateway go over to its changed site file, as SIGHUP does, and is told what that changed.

use super::Plant;
use super::acts::maintaining;
use super::commission::not_applied;
use super::refusal::Refused;
use crate::commission::ApplyError;
use crate::diff::Diff;
use crate::reload::Applied;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

pub(super) async fn reload(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let person = maintaining(&plant, &headers)?;
    let applied = plant.reload.apply(&person.id).await;
    let applied = applied.map_err(|refused| not_applied(ApplyError::Refused(refused)))?;
    let answer = match applied {
        Applied::Unchanged => json!({ "changed": false }),
        Applied::Changed(differences) => {
            let mut answer = json!(Diff::of(differences));
            answer["changed"] = json!(true);
            answer
        }
    };
    Ok(Json(answer).into_response())
}
