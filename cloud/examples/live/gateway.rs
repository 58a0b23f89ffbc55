//! Two hundred gateways of a hundred points, each with a session of its own: born, then a batch a second, sent again where the city does not answer in time.

use anyhow::{Context as _, Result};
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

pub(crate) const GATEWAYS: u64 = 200;
const POINTS: u64 = 100;
/// Aliases of a birth.
const OFFSET: u64 = 1;
const ALARM: u64 = 2;
const FIRST_POINT: u64 = 3;
/// Unacknowledged batches of one gateway, after which it waits.
const WINDOW: u64 = 32;

/// Longest that the city may take until it knows all gateways.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn site(gateway: u64) -> String {
    format!("site-{gateway}")
}

/// All of them; they end with this value.
pub(crate) struct Gateways {
    gateways: Vec<Gateway>,
    acknowledged: Arc<AtomicU64>,
    _running: tokio::task::JoinSet<()>,
}

#[derive(Clone)]
struct Gateway {
    client: AsyncClient,
    site: String,
    /// Of the next batch.
    offset: Arc<AtomicU64>,
    kept: Arc<AtomicU64>,
}

impl Gateways {
    pub(crate) async fn connect(broker: SocketAddr) -> Result<Self> {
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut running = tokio::task::JoinSet::new();
        let mut gateways = Vec::new();
        for number in 0..GATEWAYS {
            let gateway = Gateway::connect(broker, number, &acknowledged, &mut running).await?;
            let own = gateway.clone();
            running.spawn(async move { own.run(number).await });
            gateways.push(gateway);
        }
        Ok(Self {
            gateways,
            acknowledged,
            _running: running,
        })
    }

    /// Waits until the city has acknowledged something of each: then it knows every site.
    pub(crate) async fn until_known(&self) -> Result<()> {
        let known = async {
            while self.gateways.iter().any(|one| one.kept.load(Relaxed) == 0) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(KNOWN_WITHIN, known).await;
        in_time.context("the city does not acknowledge every gateway")
    }

    /// Readings that the city has acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed) * POINTS
    }

    /// An alarm is raised, each at another gateway up to two hundred; answers the site and the line's number.
    pub(crate) async fn alarm(&self, number: u64) -> Result<(String, u64)> {
        let gateway = &self.gateways[(number * 37 % GATEWAYS) as usize];
        let time_ms = davy_cloud::run::now_ms();
        let line = Metric::aliased(ALARM, Some(Value::Whole(1)))
            .at(time_ms)
            .with("seq", Value::Unsigned(number))
            .with("occurrence", Value::Unsigned(1))
            .with("prev", Value::Whole(0))
            .with("cause", Value::Text("active".into()))
            .with("value", Value::Number(61.5));
        gateway.send(vec![line]).await?;
        Ok((gateway.site.clone(), number))
    }
}

impl Gateway {
    async fn connect(
        broker: SocketAddr,
        number: u64,
        acknowledged: &Arc<AtomicU64>,
        running: &mut tokio::task::JoinSet<()>,
    ) -> Result<Self> {
        let site = site(number);
        let mut options = MqttOptions::new(&site, broker.ip().to_string(), broker.port());
        options.set_max_packet_size(4 << 20, 4 << 20);
        let (client, mut events) = AsyncClient::new(options, 100);
        client
            .subscribe(format!("spBv1.0/g/NCMD/{site}"), QoS::AtLeastOnce)
            .await?;
        let gateway = Self {
            client,
            site,
            offset: Arc::new(AtomicU64::new(1)),
            kept: Arc::default(),
        };
        let (own, acknowledged) = (gateway.clone(), acknowledged.clone());
        running.spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event {
                    let kept = own.hear(&publish.payload).await;
                    acknowledged.fetch_add(kept, Relaxed);
                }
            }
            eprintln!("{}: the connection is gone", own.site);
        });
        gateway.be_born().await?;
        Ok(gateway)
    }

    /// How many batches a command acknowledges; one that asks for a birth is answered.
    async fn hear(&self, payload: &[u8]) -> u64 {
        let Ok(payload) = Payload::from_bytes(payload) else {
            return 0;
        };
        let value = |name| payload.metric(name).and_then(|metric| metric.value(None));
        if value(name::REBIRTH) == Some(Value::Flag(true)) {
            let again = self.clone();
            tokio::spawn(async move { again.be_born().await });
        }
        let text = value(name::ACK);
        let Some(Ok(ack)) = text.as_ref().and_then(Value::as_text).map(Ack::parse) else {
            return 0;
        };
        let kept = ack.ranges.into_iter().flatten().count() as u64;
        self.kept.fetch_add(kept, Relaxed);
        kept
    }

    async fn be_born(&self) -> Result<()> {
        let node = vec![
            Metric::named(name::BD_SEQ, DataType::Int64, Some(Value::Whole(0))),
            Metric::named(name::STREAM, DataType::UInt64, Some(Value::Unsigned(7))),
            Metric::named(name::OFFSET, DataType::UInt64, None).with_alias(OFFSET),
            Metric::named(name::MODEL, DataType::Text, Some(Value::Text("{}".into()))),
        ];
        let topic = Topic::node("g", Verb::NodeBirth, &self.site);
        self.publish(topic, node).await?;
        let alarm = Metric::named("Alarms/P-0/HIHI", DataType::Int32, Some(Value::Whole(0)))
            .with_alias(ALARM)
            .with("priority", Value::Whole(1));
        let points = (0..POINTS).map(|point| {
            Metric::named(format!("P-{point}"), DataType::Double, None)
                .with_alias(FIRST_POINT + point)
        });
        let device = std::iter::once(alarm).chain(points).collect();
        self.publish(
            Topic::device("g", Verb::DeviceBirth, &self.site, "D"),
            device,
        )
        .await
    }

    /// A batch a second; gateways do not beat together.
    async fn run(self, number: u64) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Burst);
        tokio::time::sleep(Duration::from_millis(number * 1_000 / GATEWAYS)).await;
        loop {
            seconds.tick().await;
            let waiting = self.offset.load(Relaxed) - 1 - self.kept.load(Relaxed);
            if waiting >= WINDOW {
                continue;
            }
            let time_ms = davy_cloud::run::now_ms();
            let reading = |point: u64| {
                let value = ((time_ms as u64 / 1_000 + point * 7) % 400) as f64 / 8.0;
                Metric::aliased(FIRST_POINT + point, Some(Value::Number(value))).at(time_ms)
            };
            if self.send((0..POINTS).map(reading).collect()).await.is_err() {
                return;
            }
        }
    }

    async fn send(&self, metrics: Vec<Metric>) -> Result<()> {
        let offset = self.offset.fetch_add(1, Relaxed);
        let mut all = vec![Metric::aliased(OFFSET, Some(Value::Unsigned(offset)))];
        all.extend(metrics);
        self.publish(Topic::device("g", Verb::DeviceData, &self.site, "D"), all)
            .await
    }

    async fn publish(&self, topic: Topic, metrics: Vec<Metric>) -> Result<()> {
        let payload = Payload {
            timestamp: u64::try_from(davy_cloud::run::now_ms()).ok(),
            metrics,
            seq: None,
        };
        self.client
            .publish(
                topic.to_string(),
                QoS::AtLeastOnce,
                false,
                payload.to_bytes(),
            )
            .await
            .context("the session")
    }
}
