//! An edge node: MQTT 3.1.1, its death as its will, births, batches.

use crate::city::within;
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Packet, QoS};
use std::net::SocketAddr;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) const STREAM: u64 = 77;

/// Aliases of [`Node::be_born`].
pub(crate) const OFFSET: u64 = 1;
pub(crate) const LEVEL: u64 = 2;
pub(crate) const HIGH: u64 = 3;
pub(crate) const FAN: u64 = 4;

/// `davy/tank-farm` with one device `GD-01`, one point `GT-101`, one alarm `GT-101.HH`.
pub(crate) struct Node {
    pub(crate) client: AsyncClient,
    pub(crate) edge: String,
    heard: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
    bd_seq: i64,
    polling: JoinHandle<()>,
}

impl Node {
    /// Connects, and waits until a collector states that it is on line.
    pub(crate) async fn connect(broker: SocketAddr, edge: &str, bd_seq: i64) -> Self {
        let mut node = Self::connect_early(broker, edge, bd_seq).await;
        node.see_host("true").await;
        node
    }

    /// Connects without waiting for anybody.
    pub(crate) async fn connect_early(broker: SocketAddr, edge: &str, bd_seq: i64) -> Self {
        let mut options = MqttOptions::new(edge, broker.ip().to_string(), broker.port());
        let death = message(vec![bd_seq_metric(bd_seq)]);
        let topic = Topic::node("davy", Verb::NodeDeath, edge).to_string();
        options
            .set_last_will(LastWill::new(
                topic,
                death.to_bytes(),
                QoS::AtLeastOnce,
                false,
            ))
            .set_max_packet_size(4 << 20, 4 << 20);
        let (client, mut events) = AsyncClient::new(options, 100);
        let (tell, heard) = mpsc::unbounded_channel();
        let polling = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event {
                    let _kept = tell.send((publish.topic, publish.payload.to_vec()));
                }
            }
        });
        for filter in [
            format!("spBv1.0/davy/NCMD/{edge}"),
            format!("spBv1.0/davy/DCMD/{edge}/+"),
            "spBv1.0/STATE/+".to_owned(),
        ] {
            client
                .subscribe(filter, QoS::AtLeastOnce)
                .await
                .expect("room");
        }
        Self {
            client,
            edge: edge.to_owned(),
            heard,
            bd_seq,
            polling,
        }
    }

    /// The connection breaks without a farewell.
    pub(crate) fn break_off(self) {
        self.polling.abort();
    }

    pub(crate) async fn publish(&self, verb: Verb, device: &str, payload: Vec<u8>) {
        let topic = match device {
            "" => Topic::node("davy", verb, &self.edge),
            device => Topic::device("davy", verb, &self.edge, device),
        };
        let sent = self
            .client
            .publish(topic.to_string(), QoS::AtMostOnce, false, payload);
        sent.await.expect("room");
    }

    /// A birth as our gateways send it.
    pub(crate) async fn be_born(&self) {
        self.be_born_with(0).await;
    }

    /// The same, and its alarm is in this state.
    pub(crate) async fn be_born_with(&self, alarm: i64) {
        self.be_born_without_its_device().await;
        let device = vec![
            Metric::named("GT-101", DataType::Double, Some(Value::Number(1.0))).with_alias(LEVEL),
            Metric::named(
                "Alarms/GT-101/HIHI",
                DataType::Int32,
                Some(Value::Whole(alarm)),
            )
            .with_alias(HIGH)
            .with("priority", Value::Whole(2))
            .with("limit", Value::Number(50.0)),
        ];
        self.publish(Verb::DeviceBirth, "GD-01", message(device).to_bytes())
            .await;
    }

    /// The same, and the device's birth is lost on its way.
    pub(crate) async fn be_born_without_its_device(&self) {
        let node = vec![
            bd_seq_metric(self.bd_seq),
            Metric::named(name::REBIRTH, DataType::Boolean, Some(Value::Flag(false))),
            Metric::named(
                name::STREAM,
                DataType::UInt64,
                Some(Value::Unsigned(STREAM)),
            ),
            Metric::named(name::OFFSET, DataType::UInt64, None).with_alias(OFFSET),
            Metric::named(name::REFUSAL, DataType::Text, None).with_alias(9),
            Metric::named(name::ACT, DataType::Text, None),
            text(name::NAME_ZH, "罐区"),
            text(name::NAME_EN, "Tank farm"),
            Metric::named("Outputs/FAN-1", DataType::Boolean, Some(Value::Flag(true)))
                .with_alias(FAN)
                .at(1_795_400_000_000),
            text(
                name::MODEL,
                r#"{"points":[{"id":"GT-101","device":"GD-01"}]}"#,
            ),
        ];
        self.publish(Verb::NodeBirth, "", message(node).to_bytes())
            .await;
    }

    /// A batch of the journal.
    pub(crate) async fn batch(&self, offset: u64, metrics: Vec<Metric>) {
        let mut all = vec![Metric::aliased(OFFSET, Some(Value::Unsigned(offset)))];
        all.extend(metrics);
        self.publish(Verb::NodeData, "", message(all).to_bytes())
            .await;
    }

    /// The next command for the node or a device of it.
    pub(crate) async fn command(&mut self) -> (Topic, Payload) {
        within(async {
            loop {
                let (topic, payload) = self.heard.recv().await.expect("a connection");
                if let Ok(topic @ Topic::Message { .. }) = Topic::parse(&topic) {
                    return (topic, Payload::from_bytes(&payload).expect("a payload"));
                }
            }
        })
        .await
    }

    /// Waits for the acknowledgement of these offsets, and lets no other be acknowledged meanwhile.
    pub(crate) async fn acknowledged(&mut self, offsets: &[u64]) {
        let mut left = offsets.to_vec();
        while !left.is_empty() {
            let (_, payload) = self.command().await;
            let Some(text) = payload
                .metric(name::ACK)
                .and_then(|metric| metric.value(None))
            else {
                continue;
            };
            let ack = Ack::parse(text.as_text().expect("a text")).expect("an acknowledgement");
            assert_eq!(ack.stream, STREAM);
            for offset in ack.ranges.into_iter().flatten() {
                assert!(offsets.contains(&offset), "{offset} is acknowledged");
                left.retain(|wanted| *wanted != offset);
            }
        }
    }

    /// Waits for a request to be born again; no acknowledgement may come before it.
    pub(crate) async fn asked_for_rebirth(&mut self) {
        let (_, payload) = self.command().await;
        let asked = payload
            .metric(name::REBIRTH)
            .and_then(|metric| metric.value(None));
        assert_eq!(asked, Some(Value::Flag(true)), "{payload:?}");
    }

    /// Waits for a STATE that says so.
    pub(crate) async fn see_host(&mut self, online: &str) {
        within(async {
            loop {
                let (topic, payload) = self.heard.recv().await.expect("a connection");
                let is_state = topic.starts_with("spBv1.0/STATE/");
                let text = String::from_utf8_lossy(&payload).into_owned();
                if is_state && text.contains(&format!("\"online\":{online}")) {
                    return;
                }
            }
        })
        .await;
    }
}

/// A message now.
pub(crate) fn message(metrics: Vec<Metric>) -> Payload {
    Payload {
        timestamp: u64::try_from(davy_cloud::run::now_ms()).ok(),
        metrics,
        seq: Some(0),
    }
}

/// A reading of `GT-101`.
pub(crate) fn level(value: f64, time_ms: i64) -> Metric {
    Metric::aliased(LEVEL, Some(Value::Number(value))).at(time_ms)
}

/// A line of the journal of `GT-101.HH`.
pub(crate) fn line(seq: u64, from: i64, to: i64, cause: &str, time_ms: i64) -> Metric {
    Metric::aliased(HIGH, Some(Value::Whole(to)))
        .at(time_ms)
        .with("seq", Value::Unsigned(seq))
        .with("occurrence", Value::Unsigned(1))
        .with("prev", Value::Whole(from))
        .with("cause", Value::Text(cause.into()))
        .with("value", Value::Number(61.5))
}

fn bd_seq_metric(bd_seq: i64) -> Metric {
    Metric::named(name::BD_SEQ, DataType::Int64, Some(Value::Whole(bd_seq)))
}

fn text(name: &str, text: &str) -> Metric {
    Metric::named(name, DataType::Text, Some(Value::Text(text.into())))
}
