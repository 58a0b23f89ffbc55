//! The event stream of docs/api.md: a picture first, then its changes, and a tick at least every two seconds by which a screen knows that it
//! is not frozen. A reader that falls behind gets a new picture in place of what it missed.

use super::Plant;
use super::refusal::Refused;
use super::shapes;
use crate::live::{Live, Update};
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use davy_alarm::WallMs;
use davy_config::site::Site;
use davy_kpi::FloodNow;
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
use tokio_util::sync::CancellationToken;

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
        |mut feed| async move {
            let (_, event) = feed.next().await?;
            Some((Ok(event), feed))
        },
    )))
}

/// What a stream looks at.
trait Source {
    fn site(&self) -> &Site;
    fn live(&self) -> &Live;
    fn links(&self) -> shapes::Links;
    fn flood(&self) -> FloodNow;
    fn now(&self) -> WallMs;
    fn shutdown(&self) -> &CancellationToken;
}

impl Source for Plant {
    fn site(&self) -> &Site {
        &self.site
    }

    fn live(&self) -> &Live {
        &self.live
    }

    fn links(&self) -> shapes::Links {
        Self::links(self)
    }

    fn flood(&self) -> FloodNow {
        Self::flood(self)
    }

    fn now(&self) -> WallMs {
        self.clock.wall()
    }

    fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

/// One screen's stream.
struct Feed<S> {
    source: Arc<S>,
    updates: Receiver<Arc<Update>>,
    tick: Interval,
    links: shapes::Links,
    pending: VecDeque<(&'static str, Event)>,
    id: u64,
    _place: OwnedSemaphorePermit,
}

impl<S: Source> Feed<S> {
    fn new(source: Arc<S>, place: OwnedSemaphorePermit) -> Self {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (_, updates) = source.live().watch();
        let links = source.links();
        let mut feed = Self {
            source,
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

    /// The next event and its kind; `None` ends the stream, when the gateway stops.
    async fn next(&mut self) -> Option<(&'static str, Event)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            let source = self.source.clone();
            tokio::select! {
                update = self.updates.recv() => match update {
                    Ok(update) => self.push_update(&update),
                    Err(RecvError::Lagged(_)) => self.start_over(),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.tick.tick() => self.push_tick(),
                () = source.shutdown().cancelled() => return None,
            }
        }
    }

    /// A new picture, and only what changes after it.
    fn start_over(&mut self) {
        let source = self.source.clone();
        let (picture, updates) = source.live().watch();
        self.updates = updates;
        self.links = source.links();
        let snapshot = shapes::Snapshot::of(
            source.site(),
            &picture,
            self.links,
            source.flood(),
            source.now(),
        );
        self.push("snapshot", &snapshot);
    }

    fn push_update(&mut self, update: &Update) {
        let source = self.source.clone();
        let site = source.site();
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
        let links = self.source.links();
        if links != self.links {
            self.links = links;
            self.push("links", &links);
        }
        let (time_ms, flood) = (self.source.now().0, self.source.flood());
        let tick = serde_json::json!({ "time_ms": time_ms, "flood": flood });
        self.push("tick", &tick);
    }

    fn push(&mut self, kind: &'static str, data: &impl Serialize) {
        self.id += 1;
        // Fails only for maps with keys that are no strings, which no shape has.
        if let Ok(data) = serde_json::to_string(data) {
            let event = Event::default().event(kind);
            let event = event.id(self.id.to_string()).data(data);
            self.pending.push_back((kind, event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Switched;
    use crate::live::{HornNow, UPDATES_MAX};
    use crate::uplink::{BrokerLink, CloudLink, LinkState, Links};
    use std::path::Path;
    use tokio::sync::Semaphore;

    const NOW: WallMs = WallMs(1_795_500_000_000);

    /// A gateway in which nothing happens by itself.
    struct Still {
        site: Site,
        live: Live,
        shutdown: CancellationToken,
    }

    impl Still {
        fn new() -> Arc<Self> {
            let text = include_str!("../../../config/examples/solvent-warehouse.toml");
            let loaded = davy_config::parse("site.toml", text, Path::new("."));
            let site = loaded.expect("the example is valid").site;
            Arc::new(Self {
                live: Live::new(
                    &site,
                    Vec::new(),
                    &vec![Switched::default(); site.outputs.len()],
                    NOW,
                ),
                site,
                shutdown: CancellationToken::new(),
            })
        }

        /// The horn changes so often.
        fn sound(&self, times: usize) {
            for time in 0..times {
                let silenced = time % 2 == 0;
                let horn = HornNow {
                    silenced,
                    ..HornNow::default()
                };
                self.live.set_horn(horn);
            }
        }
    }

    impl Source for Still {
        fn site(&self) -> &Site {
            &self.site
        }

        fn live(&self) -> &Live {
            &self.live
        }

        fn links(&self) -> shapes::Links {
            let (state, since) = (LinkState::Off, NOW);
            let cloud = CloudLink {
                state,
                since,
                backlog_batches: 0,
            };
            let broker = BrokerLink { state, since };
            shapes::Links::of(&Links { broker, cloud })
        }

        fn flood(&self) -> FloodNow {
            FloodNow::default()
        }

        fn now(&self) -> WallMs {
            NOW
        }

        fn shutdown(&self) -> &CancellationToken {
            &self.shutdown
        }
    }

    async fn feed(source: &Arc<Still>) -> Feed<Still> {
        let place = Arc::new(Semaphore::new(1)).acquire_owned();
        let mut feed = Feed::new(source.clone(), place.await.expect("it is open"));
        assert_eq!(feed.next().await.map(|(kind, _)| kind), Some("snapshot"));
        feed
    }

    /// The kind of the next event that is no tick.
    async fn next(feed: &mut Feed<Still>) -> Option<&'static str> {
        loop {
            match feed.next().await.map(|(kind, _)| kind) {
                Some("tick") => {}
                kind => return kind,
            }
        }
    }

    #[tokio::test]
    async fn a_plant_screen_that_falls_behind_gets_a_new_snapshot_and_then_what_changes() {
        let source = Still::new();
        let mut feed = feed(&source).await;
        source.sound(UPDATES_MAX);
        for _ in 0..UPDATES_MAX {
            assert_eq!(next(&mut feed).await, Some("horn"));
        }
        source.sound(UPDATES_MAX + 1);
        assert_eq!(next(&mut feed).await, Some("snapshot"));
        source.sound(1);
        source.sound(2);
        assert_eq!(next(&mut feed).await, Some("horn"));
        source.shutdown.cancel();
        while let Some(kind) = next(&mut feed).await {
            assert_eq!(kind, "horn", "nothing that the snapshot holds comes again");
        }
    }

    #[tokio::test]
    async fn a_tick_comes_at_least_every_two_seconds_though_nothing_happens() {
        let source = Still::new();
        let mut feed = feed(&source).await;
        for _ in 0..3 {
            let ticked = tokio::time::timeout(2 * TICK, feed.next()).await;
            assert_eq!(ticked.ok().flatten().map(|(kind, _)| kind), Some("tick"));
        }
    }
}
