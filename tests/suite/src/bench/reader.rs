//! The MQTT side: a subscriber that notes which answer arrived when and, for a gateway, acknowledges every batch as a collector does.

use super::REGISTERS;
use super::site::{GROUP, NODE, parse_point_id};
use anyhow::{Context, Result};
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Acknowledgements are gathered for so long, as a collector gathers them for one commit.
const ACK_EVERY: Duration = Duration::from_millis(100);
/// Offsets on their way to the acknowledging task, far above the gateway's window; beyond it the gateway sends again.
const ACKS_MAX: usize = 4096;
/// A birth of a thousand points is some hundred kilobytes.
const PACKET_MAX: usize = 64 << 20;
/// Between two attempts to reach the broker.
const RETRY: Duration = Duration::from_millis(200);

/// How a client spells what it publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Sparkplug B of our gateway.
    Sparkplug,
    /// `<prefix>/<unit>` with `{"registers": […]}`.
    Json { prefix: &'static str },
    /// `<prefix>/<unit>` with a line of line protocol whose fields are `r<register>`.
    Lines { prefix: &'static str },
}

/// Readings of one answer that came in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Numbered through all buses, from 1.
    pub unit: usize,
    /// Which answer of the unit they come from, from 1.
    pub number: usize,
    pub readings: usize,
    pub at: Instant,
}

/// A subscriber of one client's messages.
#[derive(Debug)]
pub struct Reader {
    seen: Seen,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    arrivals: Vec<Arrival>,
    data_bytes: u64,
}

impl Reader {
    /// Subscribes on a loopback broker; returns once the broker has granted it.
    ///
    /// # Errors
    /// The broker refuses or is not there.
    pub async fn start(broker: u16, language: Language) -> Result<Self> {
        let topic = match language {
            Language::Sparkplug => format!("spBv1.0/{GROUP}/#"),
            Language::Json { prefix } | Language::Lines { prefix } => format!("{prefix}/#"),
        };
        let mut options =
            MqttOptions::new(format!("bench-reader-{topic:.12}"), "127.0.0.1", broker);
        options.set_max_packet_size(PACKET_MAX, PACKET_MAX);
        let (client, mut events) = AsyncClient::new(options, 64);
        events.network_options.set_tcp_nodelay(true);
        client.subscribe(topic, QoS::AtMostOnce).await?;
        while !matches!(
            events
                .poll()
                .await
                .context("the bench cannot subscribe at the broker")?,
            Event::Incoming(Packet::SubAck(_))
        ) {}
        let seen = Seen::default();
        let (acks, offsets) = mpsc::channel(ACKS_MAX);
        let listening = tokio::spawn(listen(events, Spelling::of(language), seen.clone(), acks));
        let acknowledging = tokio::spawn(acknowledge(client, offsets));
        Ok(Self {
            seen,
            tasks: vec![listening, acknowledging],
        })
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.seen.lock().arrivals.clone()
    }

    /// Readings that have arrived so far.
    pub fn readings(&self) -> usize {
        let heard = self.seen.lock();
        heard.arrivals.iter().map(|arrival| arrival.readings).sum()
    }

    /// Whether anything has arrived.
    pub fn has_heard(&self) -> bool {
        !self.seen.lock().arrivals.is_empty()
    }

    /// Payload bytes of all data messages so far.
    pub fn data_bytes(&self) -> u64 {
        self.seen.lock().data_bytes
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Only appended to: a holder that panicked leaves a whole list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(
    mut events: EventLoop,
    mut spelling: Spelling,
    seen: Seen,
    acks: mpsc::Sender<(u64, u64)>,
) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let at = Instant::now();
                let (arrivals, batch) = spelling.read(&message, at);
                if let Some(batch) = batch {
                    let _ = acks.try_send(batch);
                }
                if !arrivals.is_empty() {
                    let mut heard = seen.lock();
                    heard.arrivals.extend(arrivals);
                    heard.data_bytes += message.payload.len() as u64;
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// Acknowledges what has come, `(stream, offset)` each.
async fn acknowledge(client: AsyncClient, mut offsets: mpsc::Receiver<(u64, u64)>) {
    while let Some((stream, first)) = offsets.recv().await {
        tokio::time::sleep(ACK_EVERY).await;
        let mut committed = vec![first];
        while let Ok((other, offset)) = offsets.try_recv() {
            if other == stream {
                committed.push(offset);
            }
        }
        let text = Ack::of(stream, &committed).to_string();
        let payload = Payload {
            metrics: vec![Metric::named(
                name::ACK,
                DataType::Text,
                Some(Value::Text(text)),
            )],
            ..Payload::default()
        };
        let topic = format!("spBv1.0/{GROUP}/NCMD/{NODE}");
        if client
            .publish(topic, QoS::AtMostOnce, false, payload.to_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}

/// What is remembered to understand the next message.
enum Spelling {
    Json,
    Lines,
    Sparkplug {
        /// Unit and register by alias.
        aliases: HashMap<u64, (usize, usize)>,
        stream: Option<u64>,
        /// Batches that came already: a retransmission is acknowledged and not measured.
        known: HashSet<u64>,
    },
}

impl Spelling {
    fn of(language: Language) -> Self {
        match language {
            Language::Json { .. } => Self::Json,
            Language::Lines { .. } => Self::Lines,
            Language::Sparkplug => Self::Sparkplug {
                aliases: HashMap::new(),
                stream: None,
                known: HashSet::new(),
            },
        }
    }

    /// The arrivals in a message, and the batch to acknowledge. What cannot be read counts as not arrived.
    fn read(&mut self, message: &Publish, at: Instant) -> (Vec<Arrival>, Option<(u64, u64)>) {
        match self {
            Self::Json => (json(&message.topic, &message.payload, at), None),
            Self::Lines => (lines(&message.topic, &message.payload, at), None),
            Self::Sparkplug {
                aliases,
                stream,
                known,
            } => {
                let (Ok(Topic::Message { verb, .. }), Ok(payload)) = (
                    Topic::parse(&message.topic),
                    Payload::from_bytes(&message.payload),
                ) else {
                    return (Vec::new(), None);
                };
                match verb {
                    Verb::NodeBirth => *stream = payload.metric(name::STREAM).and_then(unsigned),
                    Verb::DeviceBirth => aliases.extend(payload.metrics.iter().filter_map(alias)),
                    Verb::DeviceData | Verb::NodeData => {
                        let offset = payload.metrics.first().and_then(unsigned);
                        let fresh = offset.is_none_or(|offset| known.insert(offset));
                        let arrivals = fresh.then(|| sparkplug(&payload, aliases, at));
                        return (arrivals.unwrap_or_default(), stream.zip(offset));
                    }
                    Verb::NodeDeath
                    | Verb::DeviceDeath
                    | Verb::NodeCommand
                    | Verb::DeviceCommand => {}
                }
                (Vec::new(), None)
            }
        }
    }
}

fn unsigned(metric: &Metric) -> Option<u64> {
    metric.value(None)?.as_u64()
}

fn alias(metric: &Metric) -> Option<(u64, (usize, usize))> {
    Some((metric.alias?, parse_point_id(metric.name.as_deref()?)?))
}

fn sparkplug(
    payload: &Payload,
    aliases: &HashMap<u64, (usize, usize)>,
    at: Instant,
) -> Vec<Arrival> {
    let readings = payload.metrics.iter().filter_map(|metric| {
        let (unit, register) = *aliases.get(&metric.alias?)?;
        Some((unit, register, metric.value(None)?.as_f64()? as usize))
    });
    gather(readings, at)
}

fn json(topic: &str, payload: &[u8], at: Instant) -> Vec<Arrival> {
    #[derive(serde::Deserialize)]
    struct Body {
        registers: Vec<u16>,
    }
    let unit = topic.rsplit('/').next().and_then(|unit| unit.parse().ok());
    let (Some(unit), Ok(body)) = (unit, serde_json::from_slice::<Body>(payload)) else {
        return Vec::new();
    };
    let values = body.registers.into_iter().enumerate();
    gather(
        values.map(|(register, value)| (unit, register, usize::from(value))),
        at,
    )
}

/// `m,unit=7 r0=9u,r1=10u 1700000000000000000`; names and values hold neither spaces nor commas here.
fn lines(topic: &str, payload: &[u8], at: Instant) -> Vec<Arrival> {
    let unit = topic.rsplit('/').next().and_then(|unit| unit.parse().ok());
    let (Some(unit), Ok(text)) = (unit, std::str::from_utf8(payload)) else {
        return Vec::new();
    };
    let fields = text
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .flat_map(|fields| fields.split(','));
    let readings = fields.filter_map(|field| {
        let (name, value) = field.split_once('=')?;
        let register = name.strip_prefix('r')?.parse().ok()?;
        Some((
            unit,
            register,
            value.trim_end_matches(['i', 'u']).parse().ok()?,
        ))
    });
    gather(readings, at)
}

/// Gathers `(unit, register, value)` by the answer that they come from.
fn gather(readings: impl Iterator<Item = (usize, usize, usize)>, at: Instant) -> Vec<Arrival> {
    let mut counted: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (unit, register, value) in readings {
        if let Some(number) = value.checked_sub(register)
            && register < REGISTERS
        {
            *counted.entry((unit, number)).or_default() += 1;
        }
    }
    let arrival = |((unit, number), readings)| Arrival {
        unit,
        number,
        readings,
        at,
    };
    counted.into_iter().map(arrival).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: Vec<u8>) -> Publish {
        Publish::new(topic, QoS::AtMostOnce, payload)
    }

    fn whole(value: i64) -> Option<Value> {
        Some(Value::Whole(value))
    }

    #[test]
    fn a_batch_is_understood_by_its_birth_acknowledged_and_measured_once() {
        let mut spelling = Spelling::of(Language::Sparkplug);
        let now = Instant::now();
        let node = Payload {
            metrics: vec![Metric::named(name::STREAM, DataType::UInt64, whole(77))],
            ..Payload::default()
        };
        let birth = Payload {
            metrics: vec![
                Metric::named("u3-r0", DataType::Double, None).with_alias(5),
                Metric::named("u3-r1", DataType::Double, None).with_alias(6),
            ],
            ..Payload::default()
        };
        let data = Payload {
            metrics: vec![
                Metric::named(name::OFFSET, DataType::UInt64, whole(12)),
                Metric::aliased(5, Some(Value::Number(4.0))),
                Metric::aliased(6, Some(Value::Number(5.0))),
            ],
            ..Payload::default()
        };
        let mut read = |verb: &str, payload: &Payload| {
            spelling.read(
                &message(
                    &format!("spBv1.0/{GROUP}/{verb}/{NODE}/u3"),
                    payload.to_bytes(),
                ),
                now,
            )
        };
        let node_topic = format!("spBv1.0/{GROUP}/NBIRTH/{NODE}");
        assert_eq!(read("DBIRTH", &birth), (vec![], None));
        assert_eq!(
            spelling.read(&message(&node_topic, node.to_bytes()), now),
            (vec![], None)
        );
        let mut read = |payload: &Payload| {
            spelling.read(
                &message(
                    &format!("spBv1.0/{GROUP}/DDATA/{NODE}/u3"),
                    payload.to_bytes(),
                ),
                now,
            )
        };
        let arrival = Arrival {
            unit: 3,
            number: 4,
            readings: 2,
            at: now,
        };
        assert_eq!(read(&data), (vec![arrival], Some((77, 12))));
        assert_eq!(read(&data), (vec![], Some((77, 12))));
    }

    #[test]
    fn a_peers_message_counts_by_the_answer_it_came_from_and_rubbish_by_none() {
        let now = Instant::now();
        let found = json(
            "bare/7",
            br#"{"time_ms": 1, "registers": [9, 10, 11]}"#,
            now,
        );
        let arrival = Arrival {
            unit: 7,
            number: 9,
            readings: 3,
            at: now,
        };
        assert_eq!(found, [arrival]);
        assert_eq!(json("bare/x", b"{}", now), []);
        let line = b"m,unit=7 r0=9u,r1=10u,r2=11u 1700000000000000000\n";
        assert_eq!(lines("telegraf/7", line, now), [arrival]);
        assert_eq!(lines("telegraf/7", b"\xff r0", now), []);
        assert_eq!(json("bare/7", b"\xff", now), []);
    }
}
