//! The broker and its links, a packet at a time: sessions, wills, retained statements, shared subscriptions, and everything that networks do to messages.
//!
//! Gateways and collectors meet it as the MQTT client library's own requests and events. A message is on its way for a while; a cut link takes what is on its
//! way along; a silent one swallows it.

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use crate::weather::Weather;
use bytes::Bytes;
use rumqttc::{
    ConnAck, ConnectReturnCode, ConnectionError, Event, LastWill, Outgoing, Packet, PubAck,
    Publish, QoS, Request, SubAck, SubscribeReasonCode,
};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// Messages that wait for a client; beyond it the oldest is dropped, as brokers do.
const MOST_WAITING: usize = 20_000;
/// How long a client waits for an answer to a ping.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

type Told = mpsc::UnboundedSender<Result<Event, ConnectionError>>;

/// Looks at what a client publishes; a mutant does mischief there.
pub(crate) type Look = Arc<dyn Fn(&mut Publish) + Send + Sync>;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    dice: Dice,
    weather: Weather,
    chronicle: Chronicle,
}

#[derive(Debug, Default)]
struct State {
    up: bool,
    next: u64,
    clients: BTreeMap<u64, Client>,
    retained: BTreeMap<String, Bytes>,
    /// Links that swallow everything, by the client's name.
    silent: BTreeMap<String, Instant>,
    /// Links that cannot be made.
    refused: BTreeMap<String, Instant>,
}

#[derive(Debug)]
struct Client {
    name: String,
    filters: Vec<String>,
    down: mpsc::UnboundedSender<Publish>,
    will: Option<LastWill>,
}

/// One end of a connection, as the client holds it.
pub(crate) struct Connecting {
    pub(crate) name: String,
    pub(crate) will: Option<LastWill>,
    pub(crate) requests: flume::Receiver<Request>,
    pub(crate) look: Option<Look>,
}

impl Broker {
    pub(crate) fn new(dice: Dice, weather: Weather, chronicle: Chronicle) -> Self {
        let state = State {
            up: true,
            ..State::default()
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            dice,
            weather,
            chronicle,
        }))
    }

    /// Serves a client until its end; what it is told comes out of the channel, an error last.
    pub(crate) fn connect(
        &self,
        connecting: Connecting,
    ) -> mpsc::UnboundedReceiver<Result<Event, ConnectionError>> {
        let (told, events) = mpsc::unbounded_channel();
        let broker = self.clone();
        tokio::spawn(async move { broker.serve(connecting, told).await });
        events
    }

    /// Every link of this client breaks now, and cannot be made for a while.
    pub(crate) fn cut(&self, name: &str, for_time: Duration) {
        let until = Instant::now() + for_time;
        self.lock().refused.insert(name.to_owned(), until);
        self.drop_clients(|client| client.name == name, true);
    }

    /// The link swallows everything for a while.
    pub(crate) fn silence(&self, name: &str, for_time: Duration) {
        let until = Instant::now() + for_time;
        self.lock().silent.insert(name.to_owned(), until);
    }

    /// The broker goes; sessions and wills go with it, retained statements may.
    pub(crate) fn stop(&self) {
        self.lock().up = false;
        if self.0.dice.one_in(2) {
            self.lock().retained.clear();
        }
        self.drop_clients(|_| true, false);
    }

    pub(crate) fn start(&self) {
        self.lock().up = true;
    }

    /// Every link works.
    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.up = true;
        state.silent.clear();
        state.refused.clear();
    }

    /// Somebody else on this broker publishes.
    pub(crate) fn publish(&self, topic: &str, payload: Vec<u8>) {
        self.route(Publish::new(topic, QoS::AtMostOnce, payload));
    }

    fn drop_clients(&self, which: impl Fn(&Client) -> bool, with_wills: bool) {
        let mut state = self.lock();
        let gone: Vec<u64> = (state.clients.iter())
            .filter(|(_, client)| which(client))
            .map(|(id, _)| *id)
            .collect();
        let gone: Vec<Client> = (gone.iter())
            .filter_map(|id| state.clients.remove(id))
            .collect();
        drop(state);
        if with_wills {
            gone.into_iter().for_each(|client| self.will(client.will));
        }
    }

    fn will(&self, will: Option<LastWill>) {
        if let Some(will) = will {
            let mut publish = Publish::new(&will.topic, will.qos, will.message);
            publish.retain = will.retain;
            self.route(publish);
        }
    }

    async fn serve(self, connecting: Connecting, told: Told) {
        sleep(self.latency()).await;
        let name = connecting.name.clone();
        if self.is_refused(&name) {
            let _gone = told.send(Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()));
            return;
        }
        if self.is_silent(&name) {
            sleep(Duration::from_secs(5)).await;
            let _gone = told.send(Err(ConnectionError::NetworkTimeout));
            return;
        }
        let (id, down) = self.join(&name, connecting.will);
        let ack = Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false));
        let _gone = told.send(Ok(Event::Incoming(ack)));
        let mut session = Served {
            broker: self.clone(),
            id,
            name,
            requests: connecting.requests,
            look: connecting.look,
            told,
            down,
            falling: VecDeque::new(),
            rising: VecDeque::new(),
            ping: Instant::now() + KEEP_ALIVE / 2,
            heard: Instant::now(),
        };
        let end = session.run().await;
        let client = self.lock().clients.remove(&id);
        match end {
            End::Left => {}
            End::Broken(error) => {
                let _gone = session.told.send(Err(error));
                self.mourn(client).await;
            }
            // The broker finds out when a ping does not come.
            End::Gone => self.mourn(client).await,
        }
    }

    async fn mourn(&self, client: Option<Client>) {
        if let Some(client) = client {
            sleep(self.0.dice.ms(0, 15_000)).await;
            self.will(client.will);
        }
    }

    /// A session of the same name ends, and its will is told.
    fn join(&self, name: &str, will: Option<LastWill>) -> (u64, mpsc::UnboundedReceiver<Publish>) {
        self.drop_clients(|client| client.name == name, true);
        let (down, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        let client = Client {
            name: name.to_owned(),
            filters: Vec::new(),
            down,
            will,
        };
        state.clients.insert(id, client);
        (id, receiver)
    }

    fn subscribe(&self, id: u64, filters: &[String]) {
        let mut state = self.lock();
        let kept: Vec<(String, Bytes)> = (state.retained.iter())
            .filter(|(topic, _)| filters.iter().any(|filter| matches(filter, topic)))
            .map(|(topic, payload)| (topic.clone(), payload.clone()))
            .collect();
        if let Some(client) = state.clients.get_mut(&id) {
            client.filters.extend(filters.iter().cloned());
            for (topic, payload) in kept {
                let mut publish = Publish::from_bytes(topic, QoS::AtLeastOnce, payload);
                publish.retain = true;
                let _gone = client.down.send(publish);
            }
        }
    }

    /// A message reached the broker: to all who listen, and to one of each group that shares.
    fn route(&self, publish: Publish) {
        self.0.chronicle.tell(&publish.topic, &publish.payload);
        let mut state = self.lock();
        if !state.up {
            return;
        }
        if publish.retain {
            let (topic, payload) = (publish.topic.clone(), publish.payload.clone());
            state.retained.insert(topic, payload);
        }
        let mut groups: BTreeMap<&str, Vec<&Client>> = BTreeMap::new();
        for client in state.clients.values() {
            for filter in &client.filters {
                match filter
                    .strip_prefix("$share/")
                    .and_then(|rest| rest.split_once('/'))
                {
                    Some((group, filter)) if matches(filter, &publish.topic) => {
                        groups.entry(group).or_default().push(client);
                    }
                    None if matches(filter, &publish.topic) => {
                        let _gone = client.down.send(publish.clone());
                    }
                    _ => {}
                }
            }
        }
        for members in groups.values() {
            if let Some(client) = self.0.dice.one_of(members) {
                let _gone = client.down.send(publish.clone());
            }
        }
    }

    fn latency(&self) -> Duration {
        self.0.dice.ms(1, self.0.weather.now().delay_ms.max(1))
    }

    fn is_refused(&self, name: &str) -> bool {
        let state = self.lock();
        let refused = state.refused.get(name);
        !state.up || refused.is_some_and(|until| *until > Instant::now())
    }

    fn is_silent(&self, name: &str) -> bool {
        let silent = self.lock().silent.get(name).copied();
        silent.is_some_and(|until| until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a session ended.
enum End {
    /// The client took leave.
    Left,
    /// The client is told so.
    Broken(ConnectionError),
    /// The client's process is gone.
    Gone,
}

/// A session being served.
struct Served {
    broker: Broker,
    id: u64,
    name: String,
    requests: flume::Receiver<Request>,
    look: Option<Look>,
    told: Told,
    down: mpsc::UnboundedReceiver<Publish>,
    /// On their way to the client, and to the broker; each with its time.
    falling: VecDeque<(Instant, Publish)>,
    rising: VecDeque<(Instant, Publish)>,
    ping: Instant,
    heard: Instant,
}

impl Served {
    async fn run(&mut self) -> End {
        loop {
            let now = Instant::now();
            self.land(now);
            let next = self.next(now);
            tokio::select! {
                biased;
                () = self.told.closed() => return End::Gone,
                request = self.requests.recv_async() => match request {
                    Ok(request) => if let Some(end) = self.take(request).await { return end },
                    Err(_) => return End::Gone,
                },
                publish = self.down.recv() => match publish {
                    Some(publish) => self.fall(publish),
                    None => return End::Broken(io::Error::from(io::ErrorKind::ConnectionReset).into()),
                },
                () = sleep_until(next) => {
                    if self.pings() {
                        return End::Broken(ConnectionError::NetworkTimeout);
                    }
                }
            }
        }
    }

    fn next(&self, now: Instant) -> Instant {
        let first = |queue: &VecDeque<(Instant, Publish)>| queue.front().map(|(at, _)| *at);
        let waiting = first(&self.falling).into_iter().chain(first(&self.rising));
        waiting.chain([self.ping]).min().unwrap_or(now)
    }

    /// What has arrived by now.
    fn land(&mut self, now: Instant) {
        while self.falling.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, publish)) = self.falling.pop_front() {
                let _gone = self
                    .told
                    .send(Ok(Event::Incoming(Packet::Publish(publish))));
            }
        }
        while self.rising.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, publish)) = self.rising.pop_front() {
                let acknowledged = publish.qos == QoS::AtLeastOnce;
                self.broker.route(publish);
                if acknowledged {
                    let ack = Packet::PubAck(PubAck::new(1));
                    let _gone = self.told.send(Ok(Event::Incoming(ack)));
                }
            }
        }
    }

    /// The client's pings; true when too many were in vain.
    fn pings(&mut self) -> bool {
        let now = Instant::now();
        if now < self.ping {
            return false;
        }
        self.ping = now + KEEP_ALIVE / 2;
        if !self.broker.is_silent(&self.name) {
            self.heard = now;
            let _gone = self.told.send(Ok(Event::Outgoing(Outgoing::PingReq)));
            let _gone = self.told.send(Ok(Event::Incoming(Packet::PingResp)));
        }
        now - self.heard >= KEEP_ALIVE * 2
    }

    async fn take(&mut self, request: Request) -> Option<End> {
        match request {
            Request::Publish(mut publish) => {
                if let Some(look) = &self.look {
                    look(&mut publish);
                }
                let _gone = self.told.send(Ok(Event::Outgoing(Outgoing::Publish(0))));
                let name = self.name.clone();
                send(&self.broker, &name, &mut self.rising, publish);
            }
            Request::Subscribe(subscribe) => {
                if self.broker.is_silent(&self.name) {
                    return None;
                }
                let filters: Vec<String> = (subscribe.filters.iter())
                    .map(|filter| filter.path.clone())
                    .collect();
                let code = SubscribeReasonCode::Success(QoS::AtLeastOnce);
                let ack = SubAck::new(1, vec![code; filters.len()]);
                self.broker.subscribe(self.id, &filters);
                let _gone = self.told.send(Ok(Event::Incoming(Packet::SubAck(ack))));
            }
            Request::Disconnect(_) => {
                let _gone = self.told.send(Ok(Event::Outgoing(Outgoing::Disconnect)));
                while let Some((at, publish)) = self.rising.pop_front() {
                    sleep_until(at).await;
                    self.broker.route(publish);
                }
                return Some(End::Left);
            }
            _ => {}
        }
        None
    }

    fn fall(&mut self, publish: Publish) {
        let name = self.name.clone();
        send(&self.broker, &name, &mut self.falling, publish);
        if self.falling.len() > MOST_WAITING {
            self.falling.pop_front();
        }
    }
}

/// Puts a message on its way, or loses it, or sends it twice, or lets it overtake others.
fn send(broker: &Broker, name: &str, way: &mut VecDeque<(Instant, Publish)>, publish: Publish) {
    let (weather, dice) = (broker.0.weather.now(), &broker.0.dice);
    let is_certain = publish.qos == QoS::AtLeastOnce;
    if broker.is_silent(name) || (!is_certain && dice.one_in(weather.lose)) {
        return;
    }
    let copies = if dice.one_in(weather.duplicate) { 2 } else { 1 };
    for _ in 0..copies {
        let mut at = Instant::now() + broker.latency();
        if dice.one_in(weather.reorder) && !way.is_empty() {
            let place = usize::try_from(dice.below(way.len() as u64)).unwrap_or_default();
            at = way[place].0;
            way.insert(place, (at, publish.clone()));
            continue;
        }
        if let Some((last, _)) = way.back() {
            at = at.max(*last);
        }
        way.push_back((at, publish.clone()));
    }
}

/// MQTT's rule for filters.
fn matches(filter: &str, topic: &str) -> bool {
    let mut parts = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, parts.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}
