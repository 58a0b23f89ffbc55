//! The event stream of docs/api.md: a picture first, then its changes, and a tick at least every two seconds by which a screen knows that it
//! is not frozen. A reader that falls behind gets a new picture in place of what it missed.

use super::Plant;
use super::refusal::Refused;
use super::shapes;
use crate::live::Update;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};

/// Screens at one time; one more is told to wait.
pub(super) const STREAMS_MAX: usize = 64;
const TICK: Duration = Duration::from_secs(1);

/// `GET /api/events`.
pub(super) async fn events(
    State(plant): State<Arc<Plant>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refused> {
    let place = plant
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Refused::NotReady("every place for a screen is taken"))?;
    let feed = Feed::new(plant, place);
    Ok(Sse::new(futures_util::stream::unfold(
        feed,
        |mut feed| async move { feed.next().await.map(|event| (Ok(event), feed)) },
    )))
}

/// One screen's stream.
struct Feed {
    plant: Arc<Plant>,
    updates: Receiver<Arc<Update>>,
    tick: Interval,
    links: shapes::Links,
    pending: VecDeque<Event>,
    id: u64,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    fn new(plant: Arc<Plant>, place: OwnedSemaphorePermit) -> Self {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (_, updates) = plant.live.watch();
        let links = plant.links();
        let mut feed = Self {
            plant,
            updates,
            tick,
            links,
            pending: VecDeque::new(),
            id: 0,
            _place: place,
        };
        feed.start_over();
        feed
    }

    /// The next event; `None` ends the stream, when the gateway stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            let plant = self.plant.clone();
            tokio::select! {
                update = self.updates.recv() => match update {
                    Ok(update) => self.push_update(&update),
                    Err(RecvError::Lagged(_)) => self.start_over(),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.tick.tick() => self.push_tick(),
                () = plant.shutdown.cancelled() => return None,
            }
        }
    }

    /// A new picture, and only what changes after it.
    fn start_over(&mut self) {
        let plant = self.plant.clone();
        let (picture, updates) = plant.live.watch();
        self.updates = updates;
        self.links = plant.links();
        let snapshot = shapes::Snapshot::of(&plant.site, &picture, self.links, plant.clock.wall());
        self.push("snapshot", &snapshot);
    }

    fn push_update(&mut self, update: &Update) {
        let plant = self.plant.clone();
        let site = &plant.site;
        match update {
            Update::Values(values) => self.push(
                "values",
                &values
                    .iter()
                    .map(|value| shapes::value(site, value))
                    .collect::<Vec<_>>(),
            ),
            Update::Alarm(alarm) => self.push("alarm", &shapes::alarm(site, alarm)),
            Update::Output(output) => self.push("output", &shapes::output(site, output)),
            Update::Horn(horn) => self.push("horn", &shapes::horn(*horn)),
        }
    }

    fn push_tick(&mut self) {
        let links = self.plant.links();
        if links != self.links {
            self.links = links;
            self.push("links", &links);
        }
        self.push(
            "tick",
            &serde_json::json!({ "time_ms": self.plant.clock.wall().0 }),
        );
    }

    fn push(&mut self, kind: &str, data: &impl Serialize) {
        self.id += 1;
        // Fails only for maps with keys that are no strings, which no shape has.
        if let Ok(data) = serde_json::to_string(data) {
            self.pending.push_back(
                Event::default()
                    .event(kind)
                    .id(self.id.to_string())
                    .data(data),
            );
        }
    }
}
