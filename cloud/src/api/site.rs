//! One site: what its gateway says of it, what the city knows of it, and its present values.

use super::City;
use super::error::{ApiError, ErrorBody};
use super::shapes::{self, Value};
use crate::records::{
    Contact, DeviceLink, Effect, Link, ModelArea, ModelDevice, ModelOutput, ModelPerson,
    ModelPoint, Place, Risk, Site, Text,
};
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

/// A site as the plant shows it, with the registry's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteBody {
    id: String,
    name: Text,
    digest: String,
    areas: Vec<ModelArea>,
    devices: Vec<Device>,
    points: Vec<ModelPoint>,
    outputs: Vec<ModelOutput>,
    effects: Vec<Effect>,
    people: Vec<ModelPerson>,
    #[serde(flatten)]
    place: Place,
    address: String,
    sector: String,
    risk: Risk,
    contacts: Vec<Contact>,
    link: Link,
    last_seen_ms: Option<i64>,
    values: Vec<Value>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Device {
    #[serde(flatten)]
    device: ModelDevice,
    online: bool,
    /// Since when it is on line or off line; null for one that has never reported.
    since_ms: Option<i64>,
}

/// One site.
#[utoipa::path(get, path = "/api/sites/{site}", params(("site" = String, Path)),
    responses((status = 200, body = SiteBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn site(
    State(city): State<City>,
    Path(id): Path<String>,
) -> Result<Json<SiteBody>, ApiError> {
    let site = city
        .records
        .site(&id)
        .await?
        .ok_or(ApiError::Unknown { what: "site" })?;
    let links = city.records.devices(&id).await?;
    let values = values(&city, &site).await?;
    let model = shapes::model(&site);
    let now_ms = city.now_ms();
    Ok(Json(SiteBody {
        id: model.id,
        name: model.name,
        digest: site.digest.clone(),
        areas: model.areas,
        devices: model
            .devices
            .into_iter()
            .map(|device| linked(device, &links, &site))
            .collect(),
        points: model.points,
        outputs: model.outputs,
        effects: model.effects,
        people: model.people,
        link: site.link(now_ms),
        place: site.registry.place,
        address: site.registry.address,
        sector: site.registry.sector,
        risk: site.registry.risk,
        contacts: site.registry.contacts,
        last_seen_ms: site.last_seen_ms,
        values,
    }))
}

fn linked(device: ModelDevice, links: &[DeviceLink], site: &Site) -> Device {
    let link = links.iter().find(|link| link.id == device.id);
    Device {
        online: site.online && link.is_some_and(|link| link.online),
        since_ms: link.map(|link| link.since_ms),
        device,
    }
}

/// The newest value of each point; what a silent site last said is stale. Outputs, which the history keeps beside them, are no points.
pub(crate) async fn values(city: &City, site: &Site) -> Result<Vec<Value>, ApiError> {
    let offline = site.link(city.now_ms()) != Link::Up;
    let latest = city.history.latest(&site.id).await?;
    Ok(latest
        .iter()
        .filter(|(point, _)| !point.starts_with(davy_wire::name::OUTPUTS))
        .map(|(point, reading)| Value::new(point, reading, offline))
        .collect())
}
