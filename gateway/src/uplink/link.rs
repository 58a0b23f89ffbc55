//! The life of the link: connect, be born, send, hear, lose it, wait, again.
//!
//! Each connection has an MQTT client of its own. Nothing that a lost one had queued can then reach the next: its batches are in the journal and go
//! out after the births, in order. At most [`QUEUE`] messages wait for the socket; while they do, nothing more is taken from the journal.

use super::bdseq::BdSeq;
use super::birth::NodeBirth;
use super::command::{self, Act, Done, No, Order};
use super::encode::{Encoder, Message, Sending};
use super::links::Links;
use super::session::{Session, Step};
use super::{Batches, Parts};
use crate::desk::DeskError;
use crate::journal::Batch;
use davy_alarm::WallMs;
use davy_config::site::{DeviceIndex, Uplink};
use davy_wire::{Ack, Payload, Topic, Verb};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt};
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing,
    Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode,
};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Messages that may wait for the socket.
const QUEUE: usize = 16;
/// Room in the client's queue beyond that, for subscriptions, a batch that was being read, and the farewell.
const QUEUE_SPARE: usize = 8;
/// Largest message sent, bytes: far above any birth or batch.
const SENT_MAX: usize = 16 << 20;
/// Largest message taken, bytes; an acknowledgement of a whole window is a hundredth of it.
const TAKEN_MAX: usize = 256 << 10;
/// Acts that may be with judgement at once; more are refused as `busy`.
const ACTS_MAX: usize = 64;
/// Refusals that may wait to be sent; beyond it the oldest is dropped, and its asker's own time-out tells.
const REFUSALS_MAX: usize = 64;
/// A broker that answers nothing for two of these is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// A connection on which the broker does not take the subscriptions in this time is given up.
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(10);
/// A connection that lived this long was a good one: the next try comes soon.
const GOOD: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Longest that the farewell may take.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Runs the link until `shutdown`.
pub(super) async fn run<B: Batches>(
    parts: Parts<B>,
    uplink: Uplink,
    mut counter: BdSeq,
    told: watch::Sender<Links>,
    shutdown: CancellationToken,
) {
    let mut link = Link::new(parts, uplink, told);
    let mut pause = PAUSE_MIN;
    let mut unused = None;
    loop {
        let bd_seq;
        (counter, bd_seq) = next_number(counter, unused.take()).await;
        let began = Instant::now();
        let end = tokio::select! {
            end = link.connect(bd_seq, &shutdown) => end,
            // Only before the connection stands: from then on it sees the shutdown itself, first.
            () = gone_long(&shutdown) => return,
        };
        link.tell(false, false);
        match end {
            End::Shutdown => return,
            End::Unreached(error) => {
                unused = Some(bd_seq);
                tracing::warn!(%error, "cannot reach the broker");
            }
            End::Lost(error) => tracing::warn!(%error, "lost the broker"),
        }
        pause = if began.elapsed() >= GOOD {
            PAUSE_MIN
        } else {
            (pause * 2).min(PAUSE_MAX)
        };
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// The next connection's number, on disk; one that never reached a broker is used again.
async fn next_number(mut counter: BdSeq, unused: Option<u8>) -> (BdSeq, u8) {
    if let Some(number) = unused {
        return (counter, number);
    }
    let advance = move || {
        let number = counter.advance();
        (counter, number)
    };
    tokio::task::spawn_blocking(advance)
        .await
        .expect("counting does not panic")
}

async fn gone_long(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(FAREWELL_LIMIT + Duration::from_secs(1)).await;
}

/// How a connection ended.
enum End {
    Shutdown,
    /// The broker never heard of it.
    Unreached(LinkError),
    Lost(LinkError),
}

#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error(transparent)]
    Connection(#[from] Box<ConnectionError>),
    #[error("the client's queue is full or closed")]
    Queue,
    #[error("the broker does not answer the subscription")]
    Subscription,
    #[error("cannot read the password file {0}: {1}")]
    Password(String, std::io::Error),
}

impl From<ClientError> for LinkError {
    fn from(_: ClientError) -> Self {
        Self::Queue
    }
}

/// What outlives a connection.
struct Link<B> {
    parts: Parts<B>,
    uplink: Uplink,
    encoder: Encoder,
    told: watch::Sender<Links>,
    done: Done,
    acts: JoinSet<Option<No>>,
    refusals: VecDeque<No>,
}

impl<B: Batches> Link<B> {
    fn new(parts: Parts<B>, uplink: Uplink, told: watch::Sender<Links>) -> Self {
        Self {
            encoder: Encoder::new(parts.site.clone(), &uplink.group, &parts.version),
            parts,
            uplink,
            told,
            done: Done::default(),
            acts: JoinSet::new(),
            refusals: VecDeque::new(),
        }
    }

    fn tell(&self, broker: bool, cloud: bool) {
        let now = self.parts.clock.wall();
        self.told
            .send_if_modified(|links| links.set(broker, cloud, now));
    }

    async fn connect(&mut self, bd_seq: u8, shutdown: &CancellationToken) -> End {
        let options = match self.options(bd_seq).await {
            Ok(options) => options,
            Err(error) => return End::Unreached(error),
        };
        let mut connection = Connection::new(self, options, bd_seq);
        match connection.run(shutdown).await {
            Ok(()) => End::Shutdown,
            Err(error) if unreached(&error) => End::Unreached(error),
            Err(error) => End::Lost(error),
        }
    }

    async fn options(&self, bd_seq: u8) -> Result<MqttOptions, LinkError> {
        let Uplink {
            host, port, group, ..
        } = &self.uplink;
        let client = format!("davy-{group}-{}", self.parts.site.id);
        let mut options = MqttOptions::new(client, host, *port);
        let death = self.encoder.death(bd_seq, self.parts.clock.wall());
        options
            .set_clean_session(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(TAKEN_MAX, SENT_MAX)
            .set_last_will(LastWill::new(
                death.topic,
                death.payload,
                QoS::AtLeastOnce,
                false,
            ));
        if let Some(user) = &self.uplink.username {
            options.set_credentials(user, self.password().await?);
        }
        Ok(options)
    }

    /// Read at each connection, so that a changed password needs no restart.
    async fn password(&self) -> Result<String, LinkError> {
        let Some(file) = &self.uplink.password_file else {
            return Ok(String::new());
        };
        let text = tokio::fs::read_to_string(file).await;
        let text = text.map_err(|error| LinkError::Password(file.display().to_string(), error))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Hands an act to judgement, once.
    fn act(&mut self, act: Act) {
        if !self.done.begin(&act.command) {
            let answered = self.done.answer(&act.command).cloned();
            return answered.into_iter().for_each(|no| self.refuse(no));
        }
        let no = |why| No {
            command: act.command.to_string(),
            alarm: act.alarm.clone(),
            why,
        };
        if self.acts.len() >= ACTS_MAX {
            return self.refuse(no("busy"));
        }
        let desk = self.parts.desk.clone();
        let Act {
            command,
            alarm,
            ask,
        } = act;
        self.acts.spawn(async move {
            let command = command.to_string();
            let why = match desk.ask(ask, Some(command.clone())).await {
                Ok(()) => return None,
                Err(DeskError::Refused(refusal)) => refusal.why(),
                Err(DeskError::NoAnswer) => "no-answer",
            };
            Some(No {
                command,
                alarm,
                why,
            })
        });
    }

    fn refuse(&mut self, no: No) {
        tracing::info!(
            command = no.command,
            alarm = no.alarm,
            why = no.why,
            "command refused"
        );
        self.done.refused(&no);
        if self.refusals.len() == REFUSALS_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(no);
    }
}

/// Whether no byte of the attempt can have reached a broker.
fn unreached(error: &LinkError) -> bool {
    let LinkError::Connection(error) = error else {
        return false;
    };
    let ConnectionError::Io(error) = &**error else {
        return false;
    };
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    )
}

/// A batch being read.
struct Loading {
    offset: u64,
    historical: bool,
    batch: BoxFuture<'static, Option<Arc<Batch>>>,
}

/// One MQTT connection.
struct Connection<'a, B> {
    link: &'a mut Link<B>,
    client: AsyncClient,
    events: BoxStream<'static, Result<Event, ConnectionError>>,
    synced: watch::Receiver<u64>,
    session: Session,
    bd_seq: u8,
    loading: Option<Loading>,
    queued: usize,
    connected: bool,
    subscribed: bool,
    began: Instant,
}

/// What woke the connection.
enum Woken {
    Event(Option<Result<Event, ConnectionError>>),
    Loaded(Option<Arc<Batch>>),
    Answered(Option<No>),
    /// New batches, or a time that the session waited for.
    Look,
    Shutdown,
}

impl<'a, B: Batches> Connection<'a, B> {
    fn new(link: &'a mut Link<B>, options: MqttOptions, bd_seq: u8) -> Self {
        let (client, mut events) = AsyncClient::new(options, QUEUE + QUEUE_SPARE);
        let mut network = events.network_options();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        let window = link.uplink.window.into();
        let devices = super::birth::devices(&link.parts.site);
        let journal = &link.parts.journal;
        Self {
            session: Session::new(window, devices, journal.stream()),
            synced: journal.watch(),
            client,
            events: events_of(events),
            bd_seq,
            loading: None,
            queued: 0,
            connected: false,
            subscribed: false,
            began: Instant::now(),
            link,
        }
    }

    /// Lives until the shutdown is done or the connection is lost.
    async fn run(&mut self, shutdown: &CancellationToken) -> Result<(), LinkError> {
        loop {
            let idle = self.fill()?;
            self.tell();
            match self.wait(idle, shutdown).await? {
                Woken::Event(None) => return Err(LinkError::Queue),
                Woken::Event(Some(event)) => self.event(event.map_err(Box::new)?)?,
                Woken::Loaded(batch) => self.loaded(batch)?,
                Woken::Answered(no) => no.into_iter().for_each(|no| self.link.refuse(no)),
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
        Ok(tokio::select! {
            event = self.events.next() => Woken::Event(event),
            batch = load(&mut self.loading) => Woken::Loaded(batch),
            Some(answer) = self.link.acts.join_next() => Woken::Answered(answer.unwrap_or_default()),
            () = changed(&mut self.synced), if idle => Woken::Look,
            () = sleep_until(due.unwrap_or(subscribe_by)), if due.is_some() => Woken::Look,
            () = sleep_until(subscribe_by), if !self.subscribed => return Err(LinkError::Subscription),
            () = shutdown.cancelled() => Woken::Shutdown,
        })
    }

    /// Hands the client what there is room for; answers whether nothing is left to do but wait.
    fn fill(&mut self) -> Result<bool, LinkError> {
        while self.subscribed && self.loading.is_none() && self.queued < QUEUE {
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
        Ok(false)
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
                tracing::info!(bd_seq = self.bd_seq, "node birth");
                self.publish(message)
            }
            Step::DeviceBirth(device) => {
                let seq = self.session.take_seq();
                let (device, picture) = (DeviceIndex(device), parts.live.picture());
                let message = self.link.encoder.device_birth(device, &picture, seq, now);
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
        let sending = Sending {
            seq: self.session.take_seq(),
            historical,
            lost: parts.journal.lost(),
            now: parts.clock.wall(),
        };
        let message = self.link.encoder.data(&batch, sending);
        self.publish(message)
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
        self.client
            .try_publish(message.topic, QoS::AtMostOnce, false, message.payload)?;
        self.queued += 1;
        Ok(())
    }

    fn event(&mut self, event: Event) -> Result<(), LinkError> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.connected = true;
                let filters = [
                    self.link.encoder.node_topic(Verb::NodeCommand),
                    format!("{}/+", self.command_topic()),
                ];
                let filter = |topic| SubscribeFilter::new(topic, QoS::AtLeastOnce);
                self.client.try_subscribe_many(filters.map(filter))?;
            }
            Event::Incoming(Packet::SubAck(ack)) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    tracing::error!(
                        "the broker refuses the subscription to commands: no acknowledgement can come"
                    );
                }
                self.subscribed = true;
            }
            Event::Incoming(Packet::Publish(publish)) => self.receive(&publish),
            Event::Outgoing(Outgoing::Publish(_)) => self.queued = self.queued.saturating_sub(1),
            _ => {}
        }
        Ok(())
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
                let id = |alarm: davy_config::site::AlarmIndex| site.alarms[alarm.0].id.as_str();
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
        let heard = self.subscribed && self.session.is_heard(self.link.parts.clock.now());
        self.link.tell(self.connected, heard);
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
        let now: WallMs = self.link.parts.clock.wall();
        let death = self.link.encoder.death(self.bd_seq, now);
        self.client
            .try_publish(death.topic, QoS::AtLeastOnce, false, death.payload)?;
        self.until(|event| matches!(event, Event::Incoming(Packet::PubAck(_))))
            .await?;
        self.client.try_disconnect()?;
        self.until(|event| matches!(event, Event::Outgoing(Outgoing::Disconnect)))
            .await
    }

    async fn until(&mut self, awaited: impl Fn(&Event) -> bool) -> Result<(), LinkError> {
        while let Some(event) = self.events.next().await {
            if awaited(&event.map_err(Box::new)?) {
                return Ok(());
            }
        }
        Err(LinkError::Queue)
    }
}

/// The client's events as a stream, which keeps a poll that was begun: one that is dropped half-way could leave a message unflushed.
fn events_of(events: EventLoop) -> BoxStream<'static, Result<Event, ConnectionError>> {
    stream::unfold(events, |mut events| async move {
        let event = events.poll().await;
        Some((event, events))
    })
    .boxed()
}

async fn load(loading: &mut Option<Loading>) -> Option<Arc<Batch>> {
    match loading {
        Some(loading) => (&mut loading.batch).await,
        None => std::future::pending().await,
    }
}

/// A journal that is gone never changes again.
async fn changed(synced: &mut watch::Receiver<u64>) {
    if synced.changed().await.is_err() {
        std::future::pending().await
    }
}
