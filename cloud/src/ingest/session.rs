//! The task that reads the socket: connects and connects again, subscribes, states that the host is on line, and hands messages over.

use super::link::{Heard, Listener, Speaker, Statement};
use super::worker::{Item, Message};
use super::{EVERYTHING, Plan};
use crate::api::{Health, Status};
use crate::collector::Means;
use bytes::Bytes;
use davy_wire::Topic;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The host's name where the settings give none.
const HOST_ID: &str = "davy-cloud";

/// Pause after a lost connection, doubled up to the longest while none is made.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A broker that is away for longer than this is a failure: the city sees nothing.
const AWAY_AFTER: Duration = Duration::from_secs(15);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The STATE of a host (Sparkplug 3.0).
#[derive(Debug, Serialize, Deserialize)]
struct State {
    online: bool,
    timestamp: i64,
}

/// The listening task.
pub(crate) struct Session {
    listener: Listener,
    speaker: Speaker,
    queue: mpsc::Sender<Item>,
    space: Arc<Semaphore>,
    health: Health,
    broker: String,
    filters: Vec<String>,
    state_topic: String,
    /// Of this connection's will and STATE.
    stated_ms: i64,
    clock: fn() -> i64,
    away_since: Instant,
    pause: Duration,
}

impl Session {
    pub(crate) fn open(
        plan: &Plan,
        unique: String,
        means: &Means,
        queue: mpsc::Sender<Item>,
        space: Arc<Semaphore>,
    ) -> (Self, Speaker) {
        let host = match (&plan.host_id, &plan.share) {
            (Some(host), _) => host.clone(),
            (None, None) => HOST_ID.to_owned(),
            // Each replica is a host of its own.
            (None, Some(_)) => format!("{HOST_ID}-{unique}"),
        };
        let state_topic = Topic::State { host }.to_string();
        let filters = match &plan.share {
            None => vec![EVERYTHING.to_owned()],
            Some(share) => vec![format!("$share/{share}/{EVERYTHING}"), state_topic.clone()],
        };
        let stated_ms = (means.clock)();
        let will = statement(&state_topic, false, stated_ms);
        let client_id = format!("{HOST_ID}-{unique}");
        let (speaker, listener) =
            plan.way
                .open(&plan.address, &client_id, &will, plan.share.is_some());
        means
            .health
            .say("ingest", Status::Degraded, "not yet connected");
        let session = Self {
            listener,
            speaker: speaker.clone(),
            queue,
            space,
            health: means.health.clone(),
            broker: plan.address.to_string(),
            filters,
            state_topic,
            stated_ms,
            clock: means.clock,
            away_since: Instant::now(),
            pause: FIRST_PAUSE,
        };
        (session, speaker)
    }

    /// Listens until the service ends.
    pub(crate) async fn run(mut self, ending: CancellationToken) {
        loop {
            let heard = tokio::select! {
                biased;
                () = ending.cancelled() => break,
                heard = self.listener.poll() => heard,
            };
            let goes_on = tokio::select! {
                biased;
                () = ending.cancelled() => false,
                goes_on = self.hear(heard) => goes_on,
            };
            if !goes_on {
                break;
            }
        }
        let _in_time = tokio::time::timeout(FAREWELL, self.farewell()).await;
    }

    /// False when nobody takes messages any more.
    async fn hear(&mut self, heard: Result<Heard, String>) -> bool {
        match heard {
            Ok(Heard::Connected) => {
                self.speak(Self::subscribe);
                self.queue.send(Item::Connected).await.is_ok()
            }
            Ok(Heard::Subscribed) => {
                self.subscribed();
                true
            }
            Ok(Heard::Denied) => {
                let detail = format!(
                    "the broker {} lets us in and denies the subscription",
                    self.broker
                );
                tracing::error!(detail);
                self.health.say("ingest", Status::Failed, detail);
                true
            }
            Ok(Heard::Message { topic, payload }) => self.message(topic, payload).await,
            Ok(Heard::Other) => true,
            Err(error) => {
                self.lost(error).await;
                true
            }
        }
    }

    fn subscribed(&mut self) {
        self.pause = FIRST_PAUSE;
        tracing::info!(broker = self.broker, "listening to gateways");
        self.health.say(
            "ingest",
            Status::Ok,
            format!("connected to {}", self.broker),
        );
        self.speak(Self::online);
    }

    /// Requests go by a task of their own: this one alone empties their queue.
    fn speak<F>(&self, what: impl FnOnce(Speaker, &Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(what(self.speaker.clone(), self));
    }

    fn subscribe(speaker: Speaker, session: &Self) -> impl Future<Output = ()> + Send + use<> {
        let filters = session.filters.clone();
        async move {
            let _ended = speaker.subscribe(filters).await;
        }
    }

    fn online(speaker: Speaker, session: &Self) -> impl Future<Output = ()> + Send + use<> {
        let statement = statement(&session.state_topic, true, session.stated_ms);
        async move {
            let _ended = speaker.state(statement).await;
        }
    }

    async fn message(&mut self, topic: String, payload: Bytes) -> bool {
        if topic == self.state_topic {
            self.own_state(&payload);
            return true;
        }
        let Ok(topic) = Topic::parse(&topic) else {
            metrics::counter!("davy_ingest_messages_total", "kind" => "foreign").increment(1);
            return true;
        };
        let received_ms = (self.clock)();
        let bytes = u32::try_from(payload.len().max(1)).unwrap_or(u32::MAX);
        let Ok(space) = self.space.clone().acquire_many_owned(bytes).await else {
            return false;
        };
        let item = Item::Message(Message {
            topic,
            payload,
            received_ms,
            _space: space,
        });
        let sent = self.queue.try_send(item);
        // Told here too: while a store fails nobody takes, and then it matters most.
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        metrics::gauge!("davy_ingest_queue_messages").set(waiting as f64);
        match sent {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(item)) => {
                metrics::counter!("davy_ingest_queue_full_total").increment(1);
                self.queue.send(item).await.is_ok()
            }
        }
    }

    /// Somebody, such as the will of a connection that we lost, says that we are off line: we are not.
    fn own_state(&self, payload: &[u8]) {
        if serde_json::from_slice::<State>(payload).is_ok_and(|state| !state.online) {
            self.speak(Self::online);
        }
    }

    async fn lost(&mut self, error: String) {
        if self.pause == FIRST_PAUSE {
            self.away_since = Instant::now();
        }
        let away = self.away_since.elapsed();
        let status = if away > AWAY_AFTER {
            Status::Failed
        } else {
            Status::Degraded
        };
        tracing::warn!(
            broker = self.broker,
            error,
            ?away,
            "not connected to the broker"
        );
        self.health.say(
            "ingest",
            status,
            format!("not connected to {}: {error}", self.broker),
        );
        metrics::counter!("davy_ingest_connections_lost_total").increment(1);
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.stated_ms = (self.clock)();
        self.listener
            .set_will(&statement(&self.state_topic, false, self.stated_ms));
    }

    /// States that the host is off line, and takes leave.
    async fn farewell(mut self) {
        let statement = statement(&self.state_topic, false, (self.clock)());
        let speaker = self.speaker.clone();
        let leave = async move {
            if speaker.state(statement).await.is_ok() {
                let _ended = speaker.disconnect().await;
            }
        };
        let listen = async { while self.listener.poll().await.is_ok() {} };
        tokio::join!(leave, listen);
    }
}

fn statement(topic: &str, online: bool, timestamp: i64) -> Statement {
    let state = State { online, timestamp };
    Statement {
        topic: topic.to_owned(),
        payload: serde_json::to_vec(&state).expect("a flag and a number always serialise"),
    }
}
