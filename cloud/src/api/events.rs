//! The event stream: a snapshot, then what changes, to each caller only what it may see.
//!
//! Bounds: 1,000 streams; the hub's backlog for a slow reader, which then gets a new snapshot that says so; what its connection holds, sixteen pieces, after
//! which nothing is made for it. One that takes nothing at all for half a minute is cut off by the system (`run`). Sites' overviews are sent again at most
//! once a tick, however many of their alarms change. A stream ends when its session does (asked at least every 30 s) and when the service ends.
//!
//! What many streams send is asked and written once (`scene`, `frame`).

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::frame;
use super::overview::SiteOverview;
use super::shapes::{Alarm, Demand, Value};
use super::site;
use crate::live::{Heard, Listener, Told, Update};
use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream::unfold;
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

/// The first event, and that after a reader fell behind. It is put together from what is shared and what is a stream's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CitySnapshot {
    time_ms: i64,
    /// The reader fell behind: what changed since its last event was not told one by one.
    resync: bool,
    sites: Vec<SiteOverview>,
    alarms: Vec<Alarm>,
    values: Vec<Value>,
    demands: Vec<Demand>,
    /// The history does not answer: values and demands of the site that is watched are there and cannot be told.
    values_away: bool,
}

#[derive(Debug, Serialize)]
struct Tick {
    time_ms: i64,
}

/// What happens, as it happens: `snapshot`, `values`, `demands`, `alarm`, `transition`, `site`, `refused`, `tick`.
#[utoipa::path(get, path = "/api/events", params(EventQuery),
    responses((status = 200, body = CitySnapshot, content_type = "text/event-stream"), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn events(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<EventQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let permit = city
        .streams()
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::NotReady("events"))?;
    let mut feed = Feed::new(city, caller, query.site, permit);
    // The first snapshot is made before the answer begins, so that its failure has a status.
    feed.snapshot(false).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(unfold(feed, Feed::next))))
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
    ready: VecDeque<Bytes>,
    number: u64,
    _seat: Seat,
}

/// One of the streams that there may be.
struct Seat(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Seat {
    fn take(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("davy_live_streams").increment(1);
        Self(permit)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!("davy_live_streams").decrement(1);
    }
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
            listener: city.live.listen(watched.as_deref()),
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
            _seat: Seat::take(permit),
        }
    }

    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some((Ok(piece), self));
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
            Wake::Heard(Heard::Behind) => {
                metrics::counter!("davy_live_resyncs_total").increment(1);
                Some(self.snapshot(true).await)
            }
            Wake::Heard(Heard::Update(update)) => Some(self.update(&update).await),
            Wake::Tick => self.tick().await,
        }
    }

    async fn snapshot(&mut self, resync: bool) -> Result<(), ApiError> {
        let scope = self.caller.scope();
        let scene = self.city.scenes().of_scope(&self.city, &scope).await?;
        self.visible = scene.visible.clone();
        self.flooding = scene.flooding.clone();
        self.stale.clear();
        let now = self.now().await?;
        let [opening, rest] = around(self.city.now_ms(), resync, &now);
        self.count();
        self.ready.extend([opening, scene.text.clone(), rest]);
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
        let now = site::now(&self.city, &known).await;
        let values = now.values.into_iter().map(|value| value.of(id));
        let demands = now.demands.into_iter().map(|demand| demand.of(id));
        Ok(site::Now {
            values: values.collect(),
            demands: demands.collect(),
            ..now
        })
    }

    async fn update(&mut self, told: &Told) -> Result<(), ApiError> {
        if let Update::Site(id) = &**told {
            self.see_again(id).await?;
        }
        if !self.visible.contains(told.site()) {
            return Ok(());
        }
        if let Update::Alarm(_) | Update::Site(_) = &**told {
            self.stale.insert(told.site().to_owned());
        }
        for event in told.events(frame::of) {
            self.send(event.clone());
        }
        Ok(())
    }

    /// A site may have moved into the caller's jurisdiction, or out of it.
    async fn see_again(&mut self, id: &str) -> Result<(), ApiError> {
        let place = self.city.scenes().place(&self.city, id).await?;
        match place.filter(|place| self.caller.scope().holds(id, place)) {
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
            let lines = self.city.scenes().of_sites(&self.city, &stale).await?;
            for (id, line) in lines {
                if line.is_flooding {
                    self.flooding.insert(id);
                }
                self.send(line.event);
            }
        }
        let time_ms = self.city.now_ms();
        let tick = frame::event("tick", &Tick { time_ms });
        tick.into_iter().for_each(|tick| self.send(tick));
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

    fn send(&mut self, event: Bytes) {
        self.count();
        self.ready.push_back(event);
    }

    /// The next event's number goes before it.
    fn count(&mut self) {
        self.number += 1;
        let number = self.number;
        self.ready.push_back(format!("id: {number}\n").into());
    }
}

/// What stands in a snapshot before the lists that are shared, and after them.
fn around(time_ms: i64, resync: bool, now: &site::Now) -> [Bytes; 2] {
    let opening = format!("event: snapshot\ndata: {{\"time_ms\":{time_ms},\"resync\":{resync},");
    let own = serde_json::to_string(now).expect("texts and numbers always serialise");
    let rest = format!(",{}\n\n", &own[1..]);
    [opening.into(), rest.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshots_pieces_are_the_whole_that_is_documented() {
        let whole = CitySnapshot {
            time_ms: 7,
            resync: true,
            sites: vec![],
            alarms: vec![],
            values: vec![],
            demands: vec![],
            values_away: false,
        };
        let [opening, rest] = around(7, true, &site::Now::default());
        let text = [&opening[..], b"\"sites\":[],\"alarms\":[]", &rest].concat();
        let whole = frame::event("snapshot", &whole).expect("plain data");
        assert_eq!(text, whole);
    }
}
