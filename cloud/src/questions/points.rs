//! The points that a site's history may hold: those that its gateway names today, those that it named once, and what its outputs were told.
//!
//! A question about the past that asked for today's points alone would leave out what was removed or renamed since: an incident is asked about for years.

use super::Stores;
use crate::api::{ApiError, is_output, model};
use crate::records::{RecordsError, Site, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a point beside its id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) name: Text,
    /// Empty where nobody says it any more.
    pub(crate) unit: String,
    /// How often it is sent at the least.
    pub(crate) heartbeat_ms: i64,
}

/// Points by the name that the history knows them by.
pub(crate) type Known = Arc<BTreeMap<String, Point>>;

/// What a gateway does with a point of which its model does not say how often it is sent at the least.
pub(super) const HEARTBEAT_MS: i64 = 60_000;

/// The points that the model names, and those that the history holds besides.
pub(crate) async fn known(stores: Stores<'_>, site: &Site) -> Result<Known, ApiError> {
    let mut known = BTreeMap::new();
    for point in model(site).points {
        let heartbeat_ms = point.heartbeat_ms.map_or(HEARTBEAT_MS, i64::from);
        let found = Point {
            name: crate::api::named(&point.name, &point.id),
            unit: point.unit,
            heartbeat_ms,
        };
        known.insert(point.id, found);
    }
    let held = stores.history.latest(&site.id).await?;
    let others: Vec<String> = (held.into_iter())
        .map(|(id, _)| id)
        .filter(|id| !known.contains_key(id))
        .collect();
    let subjects = (others.iter()).map(|id| (site.id.clone(), subject(id).to_owned()));
    let names = stores.records.names(subjects).await;
    let names = names.map_err(RecordsError::from)?;
    for id in others {
        let (name, unit) = names.of(&site.id, subject(&id));
        let found = Point {
            name,
            unit,
            heartbeat_ms: HEARTBEAT_MS,
        };
        known.insert(id, found);
    }
    Ok(Arc::new(known))
}

/// What the records call it: an output without the word before its id.
pub(super) fn subject(id: &str) -> &str {
    if is_output(id) {
        id.strip_prefix(davy_wire::name::OUTPUTS).unwrap_or(id)
    } else {
        id
    }
}
