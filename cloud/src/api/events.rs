//! The event stream: a snapshot, then what changes, to each caller only what it may see.
//!
//! Bounds: 1,000 streams; the hub's 4,096 updates for a slow reader, which then gets a new snapshot; sites' overviews are sent again at most once a tick, however
//! many of their alarms change. A stream ends when its session does (asked at least every 30 s) and when the service ends.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::overview::{SiteOverview, of_scope};
use super::shapes::{self, Alarm, Demand, Transition, Value};
use super::site;
use crate::live::{Heard, Listener, Update};
use crate::records::Scope;
use axum::extract::{Extension, Query, State};
use axum::response::sse::{Event, Sse};
use davy_alarm::Reading;
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::{IntoParams, ToSchema};

/// A reader that hears nothing for 5 s says so to its person; ticks leave room for one that is lost.
const TICK: Duration = Duration::from_millis(1_500);
/// Ticks between two looks at the session.
const TICKS_A_LOOK: u32 = 20;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Also the values of this site.
    site: Option<String>,
}

/// The first event, and that after a reader fell behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CitySnapshot {
    time_ms: i64,
    sites: Vec<SiteOverview>,
    alarms: Vec<Alarm>,
    values: Vec<Value>,
    demands: Vec<Demand>,
}

#[derive(Debug, Serialize)]
struct Tick {
    time_ms: i64,
}

#[derive(Debug, Serialize)]
struct Refused<'a> {
    command: &'a str,
    site: &'a str,
    alarm: &'a str,
    why: &'a str,
}

/// What happens, as it happens: `snapshot`, `values`, `demands`, `alarm`, `transition`, `site`, `refused`, `tick`.
#[utoipa::path(get, path = "/api/events", params(EventQuery),
    responses((status = 200, body = CitySnapshot, content_type = "text/event-stream"), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn events(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<EventQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let permit = city
        .streams()
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::NotReady("events"))?;
    let mut feed = Feed::new(city, caller, query.site, permit);
    // The first snapshot is made before the answer begins, so that its failure has a status.
    feed.snapshot().await?;
    Ok(Sse::new(unfold(feed, Feed::next)))
}

/// One reader's stream.
struct Feed {
    city: City,
    caller: Caller,
    /// The site whose values it wants.
    watched: Option<String>,
    /// The sites that it may see, as of the last snapshot or change of a site.
    visible: BTreeSet<String>,
    listener: Listener,
    ticks: Interval,
    ticked: u32,
    /// Sites that were last sent in a flood: the count moves and the flood ends without an event of its own.
    flooding: BTreeSet<String>,
    /// Sites whose overview is due at the next tick.
    stale: BTreeSet<String>,
    /// Made and not yet sent: one update's events at most.
    ready: VecDeque<Event>,
    number: u64,
    _permit: OwnedSemaphorePermit,
}

/// What wakes a feed.
enum Wake {
    Heard(Heard),
    Tick,
    Ending,
}

impl Feed {
    fn new(
        city: City,
        caller: Caller,
        watched: Option<String>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self {
            listener: city.live.listen(),
            city,
            caller,
            watched,
            visible: BTreeSet::new(),
            ticks,
            ticked: 0,
            flooding: BTreeSet::new(),
            stale: BTreeSet::new(),
            ready: VecDeque::new(),
            number: 0,
            _permit: permit,
        }
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            let ending = self.city.ending.clone();
            let wake = tokio::select! {
                () = ending.cancelled() => Wake::Ending,
                heard = self.listener.next() => Wake::Heard(heard),
                _ = self.ticks.tick() => Wake::Tick,
            };
            if let Err(error) = self.wake(wake).await? {
                // The reader connects again and gets a snapshot; a stream with a hole in it would lie.
                tracing::warn!(%error, person = self.caller.person.id, "an event stream ended");
                return None;
            }
        }
    }

    /// None when the stream has come to its end.
    async fn wake(&mut self, wake: Wake) -> Option<Result<(), ApiError>> {
        match wake {
            Wake::Ending | Wake::Heard(Heard::Ended) => None,
            Wake::Heard(Heard::Behind) => Some(self.snapshot().await),
            Wake::Heard(Heard::Update(update)) => Some(self.update(&update).await),
            Wake::Tick => self.tick().await,
        }
    }

    async fn snapshot(&mut self) -> Result<(), ApiError> {
        let (sites, alarms) = of_scope(&self.city, &self.caller.scope()).await?;
        self.visible = sites.iter().map(|site| site.id.clone()).collect();
        self.flooding = flooding(&sites).collect();
        self.stale.clear();
        let site::Now { values, demands } = self.now().await?;
        let time_ms = self.city.now_ms();
        self.send(
            "snapshot",
            &CitySnapshot {
                time_ms,
                sites,
                alarms,
                values,
                demands,
            },
        );
        Ok(())
    }

    async fn now(&self) -> Result<site::Now, ApiError> {
        let Some(id) = self
            .watched
            .as_ref()
            .filter(|id| self.visible.contains(*id))
        else {
            return Ok(site::Now::default());
        };
        let Some(known) = self.city.records.site(id).await? else {
            return Ok(site::Now::default());
        };
        let now = site::now(&self.city, &known).await?;
        let values = now.values.into_iter().map(|value| value.of(id));
        let demands = now.demands.into_iter().map(|demand| demand.of(id));
        Ok(site::Now {
            values: values.collect(),
            demands: demands.collect(),
        })
    }

    async fn update(&mut self, update: &Update) -> Result<(), ApiError> {
        if let Update::Site(id) = update {
            self.see_again(id).await?;
        }
        if !self.visible.contains(update.site()) {
            return Ok(());
        }
        match update {
            Update::Values { site, values } if self.watched.as_ref() == Some(site) => {
                self.send_values(site, values);
            }
            Update::Values { .. } => {}
            Update::Alarm(alarm) => {
                self.stale.insert(alarm.site.clone());
                self.send("alarm", &Alarm::from(&**alarm));
            }
            Update::Transition(transition) => {
                self.send("transition", &Transition::from(&**transition))
            }
            Update::Site(site) => {
                self.stale.insert(site.clone());
            }
            Update::Refused {
                command,
                site,
                alarm,
                why,
            } => {
                self.send(
                    "refused",
                    &Refused {
                        command,
                        site,
                        alarm,
                        why,
                    },
                );
            }
        }
        Ok(())
    }

    fn send_values(&mut self, site: &str, told: &[(String, Reading)]) {
        let points = told.iter().filter(|(name, _)| !shapes::is_output(name));
        let values: Vec<_> = points
            .map(|(point, reading)| Value::new(point, reading, false).of(site))
            .collect();
        let demands: Vec<_> = (told.iter())
            .filter_map(|(name, reading)| Some(Demand::new(name, reading, false)?.of(site)))
            .collect();
        if !values.is_empty() {
            self.send("values", &values);
        }
        if !demands.is_empty() {
            self.send("demands", &demands);
        }
    }

    /// A site may have moved into the caller's jurisdiction, or out of it.
    async fn see_again(&mut self, id: &str) -> Result<(), ApiError> {
        let site = self.city.records.site(id).await?;
        match site.filter(|site| self.caller.scope().holds(id, &site.registry.place)) {
            Some(_) => self.visible.insert(id.to_owned()),
            None => self.visible.remove(id),
        };
        Ok(())
    }

    async fn tick(&mut self) -> Option<Result<(), ApiError>> {
        self.ticked += 1;
        if self.ticked.is_multiple_of(TICKS_A_LOOK) && !self.session_stands().await {
            return None;
        }
        Some(self.beat().await)
    }

    async fn beat(&mut self) -> Result<(), ApiError> {
        self.stale.append(&mut self.flooding);
        let stale: BTreeSet<_> = std::mem::take(&mut self.stale)
            .intersection(&self.visible)
            .cloned()
            .collect();
        if !stale.is_empty() {
            let (sites, _) = of_scope(&self.city, &Scope::Sites(stale)).await?;
            self.flooding = flooding(&sites).collect();
            for site in &sites {
                self.send("site", site);
            }
        }
        let time_ms = self.city.now_ms();
        self.send("tick", &Tick { time_ms });
        Ok(())
    }

    async fn session_stands(&self) -> bool {
        let hash = self.caller.token.hash();
        let person = self
            .city
            .records
            .session_person(&hash, self.city.now_ms())
            .await;
        matches!(person, Ok(Some(person)) if person == self.caller.person)
    }

    fn send(&mut self, name: &str, data: &impl Serialize) {
        self.number += 1;
        let event = Event::default().event(name).id(self.number.to_string());
        match event.json_data(data) {
            Ok(event) => self.ready.push_back(event),
            Err(error) => tracing::error!(%error, name, "an event could not be written"),
        }
    }
}

fn flooding(sites: &[SiteOverview]) -> impl Iterator<Item = String> {
    let sites = sites.iter().filter(|site| site.flood.since_ms.is_some());
    sites.map(|site| site.id.clone())
}
