//! One MQTT connection: births, batches and commands between the session and the client.
//!
//! Each connection has an MQTT client of its own. Nothing that a lost one had queued can then reach the next: its batches are in the journal and go
//! out after the births, in order. At most [`QUEUE`] messages wait for the socket; while they do, nothing more is taken from the journal.

use super::Batches;
use super::birth::{DeviceBirth, NodeBirth};
use super::command::{self, No, Order};
use super::encode::{Message, Sending};
use super::line::Events;
use super::link::{FAREWELL_LIMIT, Link, LinkError};
use super::links::LinkState;
use super::session::{Session, Step};
use crate::journal::{Batch, Record};
use davy_alarm::WallMs;
use davy_config::site::{AlarmIndex, Delivered, DeviceIndex};
use davy_wire::{Ack, Payload, Topic, Verb};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::StreamExt;
use rumqttc::{
    AsyncClient, ConnectionError, Event, MqttOptions, Outgoing, Packet, Publish, QoS,
    SubscribeFilter, SubscribeReasonCode,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Messages that may wait for the socket.
const QUEUE: usize = 16;
/// Room in the client's queue beyond that, for subscriptions, a batch that was being read, and the farewell.
const QUEUE_SPARE: usize = 8;
/// A connection on which the broker does not take the subscriptions in this time is given up.
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(10);

/// With other brokers to look at, one on which the primary host does not come online in this time is left
/// (`tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk`).
const HOST_LIMIT: Duration = Duration::from_secs(10);

/// One MQTT connection.
pub(super) struct Connection<'a, B> {
    link: &'a mut Link<B>,
    client: AsyncClient,
    events: Events,
    synced: watch::Receiver<u64>,
    session: Session,
    bd_seq: u8,
    /// When the births that hold were sent.
    born: WallMs,
    loading: Option<Loading>,
    queue: Queue,
    host: Host,
    connected: bool,
    subscribed: bool,
    began: Instant,
}

/// A batch being read.
struct Loading {
    offset: u64,
    historical: bool,
    batch: BoxFuture<'static, Option<Arc<Batch>>>,
}

/// Messages on their way to the socket and beyond: the offsets of batches, `None` for anything else.
#[derive(Debug, Default)]
struct Queue {
    /// Handed to the client, oldest first.
    waiting: VecDeque<Option<u64>>,
    /// Written to the socket since the last ping.
    written: Vec<u64>,
    /// Written before the ping that is not answered yet.
    asked: Vec<u64>,
}

impl Queue {
    fn written(&mut self) {
        self.written.extend(self.waiting.pop_front().flatten());
    }

    fn ping(&mut self) {
        self.asked.append(&mut self.written);
    }

    /// What a ping's answer says to have reached the broker.
    fn answered(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.asked)
    }
}

/// The primary host, which an edge node's birth waits for (`tck-id-message-flow-edge-node-birth-publish-phid-wait`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// The site names none.
    Nobody,
    /// Not online, as far as is known.
    Awaited,
    /// Since this time of its own.
    Online { timestamp: u64 },
}

/// What a host says of itself on its `STATE` topic.
#[derive(Debug, serde::Deserialize)]
struct HostState {
    online: bool,
    timestamp: u64,
}

/// What woke the connection.
enum Woken {
    Event(Option<Result<Event, ConnectionError>>),
    Loaded(Option<Arc<Batch>>),
    Answered(Option<No>),
    /// The node is made of something else.
    Scene,
    /// New batches, or a time that the session waited for.
    Look,
    Shutdown,
}

impl<'a, B: Batches> Connection<'a, B> {
    pub(super) fn new(link: &'a mut Link<B>, options: MqttOptions, bd_seq: u8) -> Self {
        let (client, events) = (link.dial)(options, QUEUE + QUEUE_SPARE);
        let window = super::window::of(&link.uplink, &link.parts.site);
        let devices = super::birth::devices(&link.parts.site);
        let journal = &link.parts.journal;
        let session = match link.uplink.delivered {
            Delivered::Committed => Session::new(window, devices, journal.stream()),
            Delivered::Sent => Session::without_commits(devices, journal.stream()),
        };
        let session = session.with_backfill(link.uplink.backfill_bytes_s);
        let host = match link.uplink.primary_host {
            Some(_) => Host::Awaited,
            None => Host::Nobody,
        };
        Self {
            session,
            host,
            synced: journal.watch(),
            client,
            events,
            bd_seq,
            born: WallMs(0),
            loading: None,
            queue: Queue::default(),
            connected: false,
            subscribed: false,
            began: Instant::now(),
            link,
        }
    }

    /// Lives until the shutdown is done or the connection is lost.
    pub(super) async fn run(&mut self, shutdown: &CancellationToken) -> Result<(), LinkError> {
        loop {
            let idle = self.fill()?;
            self.tell();
            match self.wait(idle, shutdown).await? {
                Woken::Event(None) => return Err(LinkError::Queue),
                Woken::Event(Some(event)) => {
                    if let Err(error) = self.event(event.map_err(Box::new)?) {
                        self.farewell().await;
                        return Err(error);
                    }
                }
                Woken::Loaded(batch) => self.loaded(batch)?,
                Woken::Answered(no) => no.into_iter().for_each(|no| self.link.refuse(no)),
                Woken::Scene => self.follow(),
                Woken::Look => {}
                Woken::Shutdown => {
                    self.farewell().await;
                    return Ok(());
                }
            }
        }
    }

    async fn wait(&mut self, idle: bool, shutdown: &CancellationToken) -> Result<Woken, LinkError> {
        let due = self.session.due().filter(|_| idle);
        let due = due.map(|due| self.link.parts.clock.when(due));
        let subscribe_by = self.began + SUBSCRIBE_LIMIT;
        // In the order of what is rare and of what ends by itself; events may come without end.
        Ok(tokio::select! {
            biased;
            () = shutdown.cancelled() => Woken::Shutdown,
            () = sleep_until(subscribe_by), if !self.subscribed => return Err(LinkError::Subscription),
            () = sleep_until(self.began + HOST_LIMIT), if self.seeks_host() => return Err(LinkError::HostOffline),
            batch = load(&mut self.loading) => Woken::Loaded(batch),
            Some(answer) = self.link.acts.join_next() => Woken::Answered(answer.unwrap_or_default()),
            // A batch that is being read goes out as what it was asked for.
            () = changed(&mut self.link.scenes), if self.loading.is_none() => Woken::Scene,
            event = self.events.next() => Woken::Event(event),
            () = changed(&mut self.synced), if idle => Woken::Look,
            () = sleep_until(due.unwrap_or(subscribe_by)), if due.is_some() => Woken::Look,
        })
    }

    /// Speaks of the newest site from now on, which is born next.
    fn follow(&mut self) {
        if self.link.follow() {
            let (uplink, site) = (&self.link.uplink, &self.link.parts.site);
            let window = super::window::of(uplink, site);
            self.session.bear_anew(window, super::birth::devices(site));
        }
    }

    /// Hands the client what there is room for; answers whether nothing is left to do but wait.
    fn fill(&mut self) -> Result<bool, LinkError> {
        let is_free = |own: &Self| {
            let waits = own.host == Host::Awaited;
            own.subscribed && !waits && own.loading.is_none() && own.queue.waiting.len() < QUEUE
        };
        while is_free(self) {
            let refusal = self
                .session
                .is_born()
                .then(|| self.link.refusals.pop_front());
            if let Some(no) = refusal.flatten() {
                self.publish_refusal(&no)?;
                continue;
            }
            let now = self.link.parts.clock.now();
            match self.session.next(now, &*self.link.parts.journal) {
                Some(step) => self.take(step)?,
                None => return Ok(true),
            }
        }
        Ok(self.host == Host::Awaited)
    }

    fn take(&mut self, step: Step) -> Result<(), LinkError> {
        let parts = &self.link.parts;
        let (now, journal) = (parts.clock.wall(), &parts.journal);
        match step {
            Step::NodeBirth => {
                self.session.take_seq();
                let birth = NodeBirth {
                    bd_seq: self.bd_seq,
                    stream: journal.stream(),
                    lost: journal.lost(),
                    now,
                };
                let message = self.link.encoder.node_birth(birth, &parts.live.picture());
                self.born = now;
                tracing::info!(bd_seq = self.bd_seq, "node birth");
                self.publish(message)
            }
            Step::DeviceBirth(device) => {
                let seq = self.session.take_seq();
                let (device, picture) = (DeviceIndex(device), parts.live.picture());
                let birth = DeviceBirth {
                    seq,
                    born: self.born,
                    now,
                };
                let message = self.link.encoder.device_birth(device, &picture, birth);
                self.publish(message)
            }
            Step::Batch { offset, historical } => {
                let journal = journal.clone();
                let batch = async move { journal.batch(offset).await }.boxed();
                self.loading = Some(Loading {
                    offset,
                    historical,
                    batch,
                });
                Ok(())
            }
        }
    }

    fn loaded(&mut self, batch: Option<Arc<Batch>>) -> Result<(), LinkError> {
        let Some(Loading {
            offset, historical, ..
        }) = self.loading.take()
        else {
            return Ok(());
        };
        let parts = &self.link.parts;
        let Some(batch) = batch else {
            tracing::warn!(offset, "batch cannot be read");
            self.session.missing(offset, parts.clock.now());
            return Ok(());
        };
        if !self.session.is_in_flight(offset) {
            // Acknowledged while it was read.
            return Ok(());
        }
        let is_loss = |record: &Record| matches!(record, Record::Lost { .. });
        // Losses are told by the node.
        let tells_loss = batch.device.is_none() && batch.records.iter().any(is_loss);
        let sending = Sending {
            seq: self.session.take_seq(),
            historical,
            lost: if tells_loss { parts.journal.lost() } else { 0 },
            born: self.born,
            now: parts.clock.wall(),
        };
        let message = self.link.encoder.data(&batch, sending);
        let (bytes, now) = (
            message.topic.len() + message.payload.len(),
            parts.clock.now(),
        );
        self.session.spent(offset, historical, bytes, now);
        self.publish_of(message, Some(offset))
    }

    fn publish_refusal(&mut self, no: &No) -> Result<(), LinkError> {
        let (seq, now) = (self.session.take_seq(), self.link.parts.clock.wall());
        let message = self
            .link
            .encoder
            .refusal(&no.command, &no.alarm, no.why, seq, now);
        self.publish(message)
    }

    fn publish(&mut self, message: Message) -> Result<(), LinkError> {
        self.publish_of(message, None)
    }

    fn publish_of(&mut self, message: Message, offset: Option<u64>) -> Result<(), LinkError> {
        self.client
            .try_publish(message.topic, QoS::AtMostOnce, false, message.payload)?;
        self.queue.waiting.push_back(offset);
        Ok(())
    }

    fn event(&mut self, event: Event) -> Result<(), LinkError> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.connected = true;
                let mut filters = vec![
                    self.link.encoder.node_topic(Verb::NodeCommand),
                    format!("{}/+", self.command_topic()),
                ];
                filters.extend(self.state_topic());
                let filter = |topic| SubscribeFilter::new(topic, QoS::AtLeastOnce);
                self.client
                    .try_subscribe_many(filters.into_iter().map(filter))?;
            }
            Event::Incoming(Packet::SubAck(ack)) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    tracing::error!(
                        "the broker refuses the subscription to commands: no acknowledgement can come"
                    );
                }
                self.subscribed = true;
            }
            Event::Incoming(Packet::Publish(publish)) => {
                if Some(&publish.topic) == self.state_topic().as_ref() {
                    return self.host_said(&publish.payload);
                }
                self.receive(&publish);
            }
            Event::Outgoing(Outgoing::Publish(_)) => self.queue.written(),
            Event::Outgoing(Outgoing::PingReq) => self.queue.ping(),
            Event::Incoming(Packet::PingResp) => self.pinged(),
            _ => {}
        }
        Ok(())
    }

    /// Whether the primary host may be at another broker.
    fn seeks_host(&self) -> bool {
        self.host == Host::Awaited && !self.link.uplink.backups.is_empty()
    }

    /// Where the primary host says whether it is online.
    fn state_topic(&self) -> Option<String> {
        let host = self.link.uplink.primary_host.clone()?;
        Some(Topic::State { host }.to_string())
    }

    /// A word of the primary host. One older than what is known of it changes nothing: a will may arrive after the host is back.
    fn host_said(&mut self, payload: &[u8]) -> Result<(), LinkError> {
        let Ok(said) = serde_json::from_slice::<HostState>(payload) else {
            tracing::warn!("the primary host's state cannot be read");
            return Ok(());
        };
        match (self.host, said.online) {
            (Host::Online { timestamp }, _) if said.timestamp < timestamp => Ok(()),
            (Host::Online { .. }, false) => Err(LinkError::HostOffline),
            (_, true) => {
                self.host = Host::Online {
                    timestamp: said.timestamp,
                };
                Ok(())
            }
            (_, false) => Ok(()),
        }
    }

    /// The broker answered a ping: it has read everything before it.
    fn pinged(&mut self) {
        let offsets = self.queue.answered();
        if self.link.uplink.delivered == Delivered::Committed {
            return;
        }
        let parts = &self.link.parts;
        let ranges = self.session.sent(&offsets, parts.clock.now());
        if !ranges.is_empty() {
            parts.journal.acknowledge(&ranges);
        }
    }

    /// `spBv1.0/<group>/DCMD/<edge>`, without its device.
    fn command_topic(&self) -> String {
        let topic = self.link.encoder.node_topic(Verb::NodeCommand);
        topic.replacen("/NCMD/", "/DCMD/", 1)
    }

    fn receive(&mut self, publish: &Publish) {
        let payload = match Payload::from_bytes(&publish.payload) {
            Ok(payload) => payload,
            Err(error) => {
                return tracing::warn!(topic = publish.topic, %error, "unreadable command");
            }
        };
        let orders = match Topic::parse(&publish.topic) {
            Ok(Topic::Message {
                verb: Verb::NodeCommand,
                ..
            }) => command::of_node(&payload),
            Ok(Topic::Message {
                verb: Verb::DeviceCommand,
                device: Some(device),
                ..
            }) => {
                let directory = self.link.encoder.directory();
                let site = &self.link.parts.site;
                let id = |alarm: AlarmIndex| site.alarms[alarm.0].id.as_str();
                command::of_device(&payload, directory.device(&device), directory, id)
            }
            _ => Vec::new(),
        };
        for order in orders {
            self.order(order);
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Ack(ack) => self.acknowledged(&ack),
            Order::Rebirth => self.session.request_rebirth(self.link.parts.clock.now()),
            Order::Act(act) => self.link.act(*act),
            Order::Refused(no) => self.link.refuse(no),
        }
    }

    fn acknowledged(&mut self, ack: &Ack) {
        let parts = &self.link.parts;
        let synced = parts.journal.synced();
        let ranges = self.session.acknowledged(ack, synced, parts.clock.now());
        if !ranges.is_empty() {
            parts.journal.acknowledge(&ranges);
        }
    }

    fn tell(&self) {
        let hears = match self.link.uplink.delivered {
            Delivered::Committed => self.session.is_heard(self.link.parts.clock.now()),
            // Whether a host listens is known of a primary one alone.
            Delivered::Sent => self.host != Host::Awaited,
        };
        let cloud = match self.subscribed && hears {
            true if self.session.is_behind() => LinkState::Behind,
            heard => LinkState::of(heard),
        };
        self.link.tell(self.connected, cloud);
    }

    /// Says that the node goes, as the specification wants it, and leaves. Best effort: the will says it otherwise.
    async fn farewell(&mut self) {
        if self.connected {
            let farewell = timeout(FAREWELL_LIMIT, self.say_farewell()).await;
            if !matches!(farewell, Ok(Ok(()))) {
                tracing::warn!("left the broker without a farewell");
            }
        }
    }

    async fn say_farewell(&mut self) -> Result<(), LinkError> {
        let now = self.link.parts.clock.wall();
        let death = self.link.encoder.death(self.bd_seq, now);
        self.client
            .try_publish(death.topic, QoS::AtLeastOnce, false, death.payload)?;
        self.until(|event| matches!(event, Event::Incoming(Packet::PubAck(_))))
            .await?;
        self.client.try_disconnect()?;
        self.until(|event| matches!(event, Event::Outgoing(Outgoing::Disconnect)))
            .await
    }

    /// Acknowledgements that still come are not wasted.
    async fn until(&mut self, awaited: impl Fn(&Event) -> bool) -> Result<(), LinkError> {
        while let Some(event) = self.events.next().await {
            let event = event.map_err(Box::new)?;
            if awaited(&event) {
                return Ok(());
            }
            self.event(event)?;
        }
        Err(LinkError::Queue)
    }
}

async fn load(loading: &mut Option<Loading>) -> Option<Arc<Batch>> {
    match loading {
        Some(loading) => (&mut loading.batch).await,
        None => std::future::pending().await,
    }
}

/// What is gone never changes again.
async fn changed<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        std::future::pending().await
    }
}
