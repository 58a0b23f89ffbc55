//! One MQTT client of two versions: 3.1.1 as Sparkplug has it, and 5 where a shared subscription asks for it. Nothing above this file knows which.

use crate::broker::LARGEST_MESSAGE;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use rand::TryRng as _;
use rand::rngs::SysRng;
use rumqttc::v5;
use rumqttc::v5::mqttbytes::v5 as packet5;
use std::sync::Arc;
use std::time::Duration;

/// Requests that wait for the socket. Beyond it whoever publishes waits, and none of them is the task that reads.
const MOST_REQUESTS: usize = 256;

/// How long the broker may hear nothing of us; it gives up after half as long again.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The largest packet: topic and header come on top of the message.
const LARGEST_PACKET: usize = LARGEST_MESSAGE + (64 << 10);

/// Where a broker is and how it is entered.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// How a broker is reached.
#[derive(Clone)]
pub(crate) enum Way {
    /// Over the network.
    Socket,
    /// Through somebody's hands who calls this process by a name: a simulation's broker.
    Given { name: String, dial: Dial },
}

/// Makes a client, in whose queue so many requests may wait, and its connection.
pub type Dial = Arc<dyn Fn(usize) -> (rumqttc::AsyncClient, Box<dyn Connection>) + Send + Sync>;

/// A client's connection, which is made again after an error when it is next polled.
pub trait Connection: Send {
    /// Topic and payload of the next connection's will: retained, QoS 1.
    fn set_will(&mut self, topic: String, payload: Vec<u8>);
    /// What the broker says next.
    fn poll(&mut self) -> BoxFuture<'_, Result<rumqttc::Event, String>>;
}

impl Way {
    /// Tells this process from every other one on the same broker.
    pub(crate) fn unique(&self) -> anyhow::Result<String> {
        if let Self::Given { name, .. } = self {
            return Ok(name.clone());
        }
        let mut bytes = [0; 6];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(davy_print::text_of(&bytes))
    }

    /// Makes a client that connects when it is first polled.
    pub(crate) fn open(
        &self,
        address: &Address,
        client_id: &str,
        will: &Statement,
        version_5: bool,
    ) -> (Speaker, Listener) {
        match self {
            Self::Socket => open(address, client_id, will, version_5),
            Self::Given { dial, .. } => {
                let (speaker, connection) = dial(MOST_REQUESTS);
                let mut listener = Listener::Given(connection);
                listener.set_will(will);
                (Speaker::V4(speaker), listener)
            }
        }
    }
}

/// The will, and every STATE: retained, QoS 1.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

/// What the broker said.
#[derive(Debug)]
pub(crate) enum Heard {
    Connected,
    Subscribed,
    /// It let us in, and will not let us listen.
    Denied,
    Message {
        topic: String,
        payload: Bytes,
    },
    /// Housekeeping.
    Other,
}

/// The speaking half; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Speaker {
    V4(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// The client has ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the MQTT client has ended")]
pub(crate) struct Ended;

/// The listening half; one task polls it and does nothing else.
pub(crate) enum Listener {
    V4(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
    Given(Box<dyn Connection>),
}

fn open(
    address: &Address,
    client_id: &str,
    will: &Statement,
    version_5: bool,
) -> (Speaker, Listener) {
    if version_5 {
        let (speaker, listener) =
            v5::AsyncClient::new(options_5(address, client_id), MOST_REQUESTS);
        let mut listener = Listener::V5(Box::new(listener));
        listener.set_will(will);
        return (Speaker::V5(speaker), listener);
    }
    let (speaker, listener) =
        rumqttc::AsyncClient::new(options_4(address, client_id), MOST_REQUESTS);
    let mut listener = Listener::V4(Box::new(listener));
    listener.set_will(will);
    (Speaker::V4(speaker), listener)
}

fn options_4(address: &Address, client_id: &str) -> rumqttc::MqttOptions {
    let mut options = rumqttc::MqttOptions::new(client_id, &address.host, address.port);
    options
        .set_clean_session(true)
        .set_keep_alive(KEEP_ALIVE)
        // The default of 10 KiB would close the connection at every birth, for ever.
        .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
    if let Some((user, password)) = &address.login {
        options.set_credentials(user, password);
    }
    options
}

fn options_5(address: &Address, client_id: &str) -> v5::MqttOptions {
    let mut options = v5::MqttOptions::new(client_id, &address.host, address.port);
    options
        .set_clean_start(true)
        .set_session_expiry_interval(Some(0))
        .set_keep_alive(KEEP_ALIVE)
        .set_max_packet_size(u32::try_from(LARGEST_PACKET).ok());
    if let Some((user, password)) = &address.login {
        options.set_credentials(user, password);
    }
    options
}

impl Speaker {
    /// QoS 0, not retained: commands and acknowledgements.
    pub(crate) async fn publish(&self, topic: String, payload: Vec<u8>) -> Result<(), Ended> {
        match self {
            Self::V4(client) => client
                .publish(topic, rumqttc::QoS::AtMostOnce, false, payload)
                .await
                .map_err(|_| Ended),
            Self::V5(client) => client
                .publish(topic, v5::mqttbytes::QoS::AtMostOnce, false, payload)
                .await
                .map_err(|_| Ended),
        }
    }

    /// QoS 1, retained.
    pub(crate) async fn state(&self, statement: Statement) -> Result<(), Ended> {
        let Statement { topic, payload } = statement;
        match self {
            Self::V4(client) => client
                .publish(topic, rumqttc::QoS::AtLeastOnce, true, payload)
                .await
                .map_err(|_| Ended),
            Self::V5(client) => client
                .publish(topic, v5::mqttbytes::QoS::AtLeastOnce, true, payload)
                .await
                .map_err(|_| Ended),
        }
    }

    /// QoS 1, so that a death is not lost on its way.
    pub(crate) async fn subscribe(&self, filters: Vec<String>) -> Result<(), Ended> {
        match self {
            Self::V4(client) => {
                let filter = |path| rumqttc::SubscribeFilter::new(path, rumqttc::QoS::AtLeastOnce);
                client
                    .subscribe_many(filters.into_iter().map(filter))
                    .await
                    .map_err(|_| Ended)
            }
            Self::V5(client) => {
                let filter =
                    |path: String| packet5::Filter::new(path, v5::mqttbytes::QoS::AtLeastOnce);
                client
                    .subscribe_many(filters.into_iter().map(filter))
                    .await
                    .map_err(|_| Ended)
            }
        }
    }

    pub(crate) async fn disconnect(&self) -> Result<(), Ended> {
        match self {
            Self::V4(client) => client.disconnect().await.map_err(|_| Ended),
            Self::V5(client) => client.disconnect().await.map_err(|_| Ended),
        }
    }
}

impl Listener {
    /// Sets the will of the next connection.
    pub(crate) fn set_will(&mut self, will: &Statement) {
        let Statement { topic, payload } = will.clone();
        match self {
            Self::V4(events) => {
                let will = rumqttc::LastWill::new(topic, payload, rumqttc::QoS::AtLeastOnce, true);
                events.mqtt_options.set_last_will(will);
            }
            Self::V5(events) => {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                let will = packet5::LastWill::new(topic, payload, qos, true, None);
                events.options.set_last_will(will);
            }
            Self::Given(connection) => connection.set_will(topic, payload),
        }
    }

    /// The next thing the broker says; connects where there is no connection.
    ///
    /// # Errors
    /// Why the connection was lost or not made; what waited to be sent is forgotten, since gateways send again what was not acknowledged.
    pub(crate) async fn poll(&mut self) -> Result<Heard, String> {
        match self {
            Self::V4(events) => match events.poll().await {
                Ok(rumqttc::Event::Incoming(packet)) => Ok(heard_4(packet)),
                Ok(rumqttc::Event::Outgoing(_)) => Ok(Heard::Other),
                Err(error) => {
                    events.pending.clear();
                    Err(error.to_string())
                }
            },
            Self::Given(connection) => match connection.poll().await? {
                rumqttc::Event::Incoming(packet) => Ok(heard_4(packet)),
                rumqttc::Event::Outgoing(_) => Ok(Heard::Other),
            },
            Self::V5(events) => match events.poll().await {
                Ok(v5::Event::Incoming(packet)) => Ok(heard_5(packet)),
                Ok(v5::Event::Outgoing(_)) => Ok(Heard::Other),
                Err(error) => {
                    events.pending.clear();
                    Err(error.to_string())
                }
            },
        }
    }
}

fn heard_4(packet: rumqttc::Packet) -> Heard {
    use rumqttc::{Packet, SubscribeReasonCode};
    match packet {
        Packet::ConnAck(_) => Heard::Connected,
        Packet::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
            Heard::Denied
        }
        Packet::SubAck(_) => Heard::Subscribed,
        Packet::Publish(publish) => Heard::Message {
            topic: publish.topic,
            payload: publish.payload,
        },
        _ => Heard::Other,
    }
}

fn heard_5(packet: packet5::Packet) -> Heard {
    use packet5::{Packet, SubscribeReasonCode};
    match packet {
        Packet::ConnAck(_) => Heard::Connected,
        Packet::SubAck(ack) => {
            let is_granted =
                |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
            if ack.return_codes.iter().all(is_granted) {
                Heard::Subscribed
            } else {
                Heard::Denied
            }
        }
        // No topic alias was allowed, so that the name is always there.
        Packet::Publish(publish) => Heard::Message {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
        },
        _ => Heard::Other,
    }
}
