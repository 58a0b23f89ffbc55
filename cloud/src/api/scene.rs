//! What many event streams ask for at the same moment, asked of the records once: when an alarm comes a thousand of them want its site's overview, and when
//! their connections came back all of them want everything.
//!
//! What is kept is at most a second old, and serves whoever asked when the hub had told no more than what it holds: whoever began to listen before asking
//! hears the rest, and misses nothing. Of many that wait for one answer while alarms come, only the first asks.

use super::City;
use super::error::ApiError;
use super::frame;
use super::overview::{SiteOverview, of_scope};
use super::shapes::Alarm;
use crate::records::{Place, Scope};
use bytes::Bytes;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Floods end and links grow old without a word.
const FRESH: Duration = Duration::from_secs(1);
/// Scopes whose scene is kept: people of one role and place share one.
const MOST_SCENES: usize = 64;

/// The sites of a scope and its standing alarms.
#[derive(Debug)]
pub(crate) struct Scene {
    /// `"sites":[…],"alarms":[…]`.
    pub(crate) text: Bytes,
    pub(crate) visible: BTreeSet<String>,
    pub(crate) flooding: BTreeSet<String>,
    made: Made,
}

/// One site's overview.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The event `site`.
    pub(crate) event: Bytes,
    pub(crate) is_flooding: bool,
    made: Made,
}

/// When something was asked of the records, and how much had been told of it then.
#[derive(Clone, Copy, Debug)]
struct Made {
    at: Instant,
    told: u64,
}

impl Made {
    fn now(told: u64) -> Self {
        Self {
            at: Instant::now(),
            told,
        }
    }

    fn is_fresh(self) -> bool {
        self.at.elapsed() < FRESH
    }

    /// Whether it holds all that had been told when somebody asked.
    fn serves(self, told_when_asked: u64) -> bool {
        self.told >= told_when_asked && self.is_fresh()
    }
}

/// Who asks holds the lock while the records answer, so that whoever asks for the same meanwhile finds it.
#[derive(Default)]
pub(crate) struct Scenes {
    scenes: Mutex<Vec<(Scope, Arc<Scene>)>>,
    /// By site; what is older than fresh goes when something is asked for.
    lines: Mutex<HashMap<String, Line>>,
    /// By site, of those whose streams heard of a change.
    places: Mutex<HashMap<String, (u64, Option<Place>)>>,
}

#[derive(Serialize)]
struct Text<'a> {
    sites: &'a [SiteOverview],
    alarms: &'a [Alarm],
}

impl Scenes {
    /// Everything within a scope.
    pub(crate) async fn of_scope(
        &self,
        city: &City,
        scope: &Scope,
    ) -> Result<Arc<Scene>, ApiError> {
        let asked = city.live.told();
        let mut kept = self.scenes.lock().await;
        let serves = |scene: &Scene| scene.made.serves(asked);
        if let Some((_, scene)) = kept.iter().find(|(of, kept)| of == scope && serves(kept)) {
            return Ok(scene.clone());
        }
        kept.retain(|(of, scene)| of != scope && scene.made.is_fresh());
        let made = Made::now(city.live.told());
        let (sites, alarms) = of_scope(city, scope).await?;
        let scene = Arc::new(Scene {
            text: text(&sites, &alarms),
            visible: sites.iter().map(|site| site.id.clone()).collect(),
            flooding: flooding(&sites).collect(),
            made,
        });
        if kept.len() >= MOST_SCENES {
            kept.remove(0);
        }
        kept.push((scope.clone(), scene.clone()));
        Ok(scene)
    }

    /// The overviews of these sites, of those that are known.
    pub(crate) async fn of_sites(
        &self,
        city: &City,
        asked: &BTreeSet<String>,
    ) -> Result<Vec<(String, Line)>, ApiError> {
        let told: Vec<(&String, u64)> =
            asked.iter().map(|id| (id, city.live.told_of(id))).collect();
        let mut kept = self.lines.lock().await;
        kept.retain(|_, line| line.made.is_fresh());
        let serves =
            |id: &String, told: u64| kept.get(id).is_some_and(|line| line.made.serves(told));
        let missing = told.into_iter().filter(|(id, told)| !serves(id, *told));
        let missing: BTreeSet<String> = missing.map(|(id, _)| id.clone()).collect();
        if !missing.is_empty() {
            kept.retain(|id, _| !missing.contains(id));
            kept.extend(lines(city, missing).await?);
        }
        let found = |id: &String| Some((id.clone(), kept.get(id)?.clone()));
        Ok(asked.iter().filter_map(found).collect())
    }

    /// Where a site lies; none for one that nobody knows.
    pub(crate) async fn place(&self, city: &City, id: &str) -> Result<Option<Place>, ApiError> {
        let mut kept = self.places.lock().await;
        let told = city.live.told_of(id);
        match kept.get(id) {
            Some((of, place)) if *of == told => Ok(place.clone()),
            _ => {
                let site = city.records.site(id).await?;
                let place = site.map(|site| site.registry.place);
                kept.insert(id.to_owned(), (told, place.clone()));
                Ok(place)
            }
        }
    }
}

async fn lines(city: &City, asked: BTreeSet<String>) -> Result<Vec<(String, Line)>, ApiError> {
    let made = |id: &String| (id.clone(), Made::now(city.live.told_of(id)));
    let made: HashMap<String, Made> = asked.iter().map(made).collect();
    let (sites, _) = of_scope(city, &Scope::Sites(asked)).await?;
    let line = |site: SiteOverview| {
        let line = Line {
            event: frame::event("site", &site)?,
            is_flooding: site.flood.since_ms.is_some(),
            made: *made.get(&site.id)?,
        };
        Some((site.id, line))
    };
    Ok(sites.into_iter().filter_map(line).collect())
}

/// The two lists as they stand in a snapshot between its other parts.
fn text(sites: &[SiteOverview], alarms: &[Alarm]) -> Bytes {
    let whole = serde_json::to_vec(&Text { sites, alarms });
    let whole = Bytes::from(whole.expect("lists of texts and numbers always serialise"));
    whole.slice(1..whole.len() - 1)
}

fn flooding(sites: &[SiteOverview]) -> impl Iterator<Item = String> {
    let sites = sites.iter().filter(|site| site.flood.since_ms.is_some());
    sites.map(|site| site.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_serves_who_asked_before_it_was_made_and_not_who_knows_of_more() {
        let made = Made::now(7);
        assert!(made.serves(6) && made.serves(7) && !made.serves(8));
        let old = Made {
            at: Instant::now() - FRESH,
            told: 7,
        };
        assert!(!old.serves(6));
    }
}
