//! One site: what its gateway says of it, what the city knows of it, and its present values.

use super::City;
use super::error::{ApiError, ErrorBody};
use super::shapes::{self, Demand, Value};
use crate::records::{
    Contact, DeviceLink, Effect, Link, ModelArea, ModelDevice, ModelOutput, ModelPerson,
    ModelPoint, ModelVote, Place, Risk, Site, Text,
};
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use std::time::Duration;
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
    votes: Vec<ModelVote>,
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
    /// Of each output that has ever said.
    demands: Vec<Demand>,
    /// The history does not answer: values and demands are there and cannot be told.
    values_away: bool,
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
    let now = now(&city, &site).await;
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
        votes: model.votes,
        people: model.people,
        link: site.link(now_ms),
        place: site.registry.place,
        address: site.registry.address,
        sector: site.registry.sector,
        risk: site.registry.risk,
        contacts: site.registry.contacts,
        last_seen_ms: site.last_seen_ms,
        values: now.values,
        demands: now.demands,
        values_away: now.values_away,
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

/// What a site last said.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Now {
    pub(crate) values: Vec<Value>,
    pub(crate) demands: Vec<Demand>,
    /// Neither can be told at present.
    pub(crate) values_away: bool,
}

/// How long a site's alarms wait for its values.
const VALUES_WITHIN: Duration = Duration::from_secs(2);

/// The newest value of each point and demand of each output; what a silent site last said is stale. A history that is away takes no alarm with it: the values are
/// then said to be away.
pub(crate) async fn now(city: &City, site: &Site) -> Now {
    let offline = site.link(city.now_ms()) != Link::Up;
    let latest = tokio::time::timeout(VALUES_WITHIN, city.history.latest(&site.id)).await;
    let latest = match latest {
        Ok(Ok(latest)) => latest,
        failed => {
            tracing::warn!(site = site.id, ?failed, "a site's values cannot be told");
            return Now {
                values_away: true,
                ..Now::default()
            };
        }
    };
    let mut now = Now::default();
    for (name, reading) in &latest {
        if shapes::is_output(name) {
            now.demands.extend(Demand::new(name, reading, offline));
        } else {
            now.values.push(Value::new(name, reading, offline));
        }
    }
    now
}
