//! Every site that the caller may see, with what is wrong at each, and the live alarm list.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::shapes::{self, Alarm};
use crate::records::{self, Link, Place, Risk, Scope, Site, Text};
use axum::Json;
use axum::extract::{Extension, State};
use davy_alarm::Priority;
use davy_kpi::FloodNow;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    sites: Vec<SiteOverview>,
}

/// A site in one line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SiteOverview {
    pub(crate) id: String,
    name: Text,
    #[serde(flatten)]
    place: Place,
    sector: String,
    risk: Risk,
    link: Link,
    last_seen_ms: Option<i64>,
    alarms: AlarmCounts,
    worst: Option<Alarm>,
    /// How many alarms called for a person of late, and whether they are a flood.
    pub(crate) flood: FloodNow,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
struct AlarmCounts {
    p1: Count,
    p2: Count,
    p3: Count,
    p4: Count,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
struct Count {
    unacknowledged: u32,
    active: u32,
}

impl AlarmCounts {
    fn of(alarms: &[records::Alarm]) -> Self {
        let mut counts = Self::default();
        for alarm in alarms {
            let count = match alarm.priority {
                Priority::P1 => &mut counts.p1,
                Priority::P2 => &mut counts.p2,
                Priority::P3 => &mut counts.p3,
                Priority::P4 => &mut counts.p4,
            };
            count.unacknowledged += u32::from(!alarm.is_acknowledged());
            count.active += u32::from(alarm.active);
        }
        counts
    }
}

impl SiteOverview {
    /// `alarms`: those of the site, worst first.
    fn new(site: &Site, alarms: &[records::Alarm], flood: FloodNow, now_ms: i64) -> Self {
        // What waits for somebody comes before what somebody has seen, whatever its priority among equals.
        let worst = alarms
            .iter()
            .min_by_key(|alarm| (alarm.priority, alarm.is_acknowledged()));
        Self {
            id: site.id.clone(),
            name: shapes::named(&site.name, &site.id),
            place: site.registry.place.clone(),
            sector: site.registry.sector.clone(),
            risk: site.registry.risk,
            link: site.link(now_ms),
            last_seen_ms: site.last_seen_ms,
            alarms: AlarmCounts::of(alarms),
            worst: worst.map(Alarm::from),
            flood,
        }
    }
}

/// The overview of a scope, and its standing alarms.
pub(crate) async fn of_scope(
    city: &City,
    scope: &Scope,
) -> Result<(Vec<SiteOverview>, Vec<Alarm>), ApiError> {
    let sites = city.records.sites(scope).await?;
    let alarms = city.records.standing_alarms(scope).await?;
    let shown = alarms.iter().map(Alarm::from).collect();
    let mut by_site: HashMap<String, Vec<records::Alarm>> = HashMap::new();
    for alarm in alarms {
        by_site.entry(alarm.site.clone()).or_default().push(alarm);
    }
    let now_ms = city.now_ms();
    let loads = city.records.loads(scope, now_ms).await?;
    let of = |site: &Site| {
        SiteOverview::new(
            site,
            by_site.get(&site.id).map_or(&[], Vec::as_slice),
            loads.get(&site.id).copied().unwrap_or_default(),
            now_ms,
        )
    };
    Ok((sites.iter().map(of).collect(), shown))
}

/// Every site that the caller may see.
#[utoipa::path(get, path = "/api/overview", responses((status = 200, body = Overview), (status = 401, body = ErrorBody)))]
pub(crate) async fn overview(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Overview>, ApiError> {
    let (sites, _) = of_scope(&city, &caller.scope()).await?;
    Ok(Json(Overview { sites }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarms {
    alarms: Vec<Alarm>,
}

/// Every alarm that is not normal, at every site that the caller may see.
#[utoipa::path(get, path = "/api/alarms", responses((status = 200, body = Alarms), (status = 401, body = ErrorBody)))]
pub(crate) async fn alarms(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Alarms>, ApiError> {
    let alarms = city.records.standing_alarms(&caller.scope()).await?;
    Ok(Json(Alarms {
        alarms: alarms.iter().map(Alarm::from).collect(),
    }))
}
