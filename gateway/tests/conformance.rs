//! The rules of Sparkplug 3.0 for an edge node, each as a test named by its id (`tck-id-` and dashes become underscores), against what a real session
//! through mosquitto sent. One session is recorded for all: born once a primary host is online, data, a rebirth, a cut cable, born again, the host
//! offline, and an end that was asked for.
//!
//! What Davy does otherwise, and why, is in docs/wire.md.
#![allow(clippy::unwrap_used, non_snake_case)]

#[path = "conformance/tap.rs"]
mod tap;
#[allow(dead_code)]
mod uplink_peer;

use davy_wire::{DataType, Metric, Payload, Topic, Value, Verb, name};
use rumqttc::{Connect, Packet, Publish, QoS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tap::{Packets, Tap};
use uplink_peer::{Broker, Collector, Gateway, Lossy, until};

const GROUP: &str = "330283";
const EDGE: &str = "solvent-warehouse";
const NODE_COMMAND: &str = "spBv1.0/330283/NCMD/solvent-warehouse";
const HOST: &str = "scada";

/// A message of the gateway's own.
#[derive(Clone, Debug)]
struct Told {
    at: Instant,
    topic: String,
    verb: Verb,
    device: Option<String>,
    qos: QoS,
    retain: bool,
    payload: Payload,
}

/// One MQTT connection.
#[derive(Clone, Debug)]
struct Session {
    connect: Connect,
    subscriptions: Vec<(String, QoS)>,
    told: Vec<Told>,
    disconnected: bool,
    /// When the subscriptions were asked for, and the first message told.
    subscribed: Option<Instant>,
}

/// Everything that was recorded.
#[derive(Debug)]
struct Record {
    sessions: Vec<Session>,
    devices: BTreeSet<String>,
    /// When the primary host said that it is online, and when a rebirth was asked for.
    online: Instant,
    rebirth: Instant,
    /// Messages of the first session before its host was online.
    early: usize,
}

fn record() -> &'static Record {
    static RECORD: OnceLock<Record> = OnceLock::new();
    RECORD.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(play())
    })
}

async fn play() -> Record {
    let broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Never).await;
    let (tap, port) = Tap::start(broker.port).await;
    let gateway = Gateway::start_with(port, "primary_host = \"scada\"");
    gateway.journal.append(3);
    tap.until("it subscribes", |all| all.iter().any(subscribes))
        .await;
    // Neither another host nor one that is offline is waited for.
    collector.state("another", true, 10).await;
    collector.state(HOST, false, 10).await;
    let echo = Metric::named("x", DataType::Boolean, Some(Value::Flag(true)));
    collector.command("spBv1.0/330283/NDATA/echo", echo).await;
    until("all that has passed the broker", || {
        collector.of("NDATA").len() == 1
    })
    .await;
    let early = published(&tap.connections()[0]);
    let online = Instant::now();
    collector.state(HOST, true, 11).await;
    collector.committed(2).await;

    let rebirth = Instant::now();
    let ask = Metric::named(name::REBIRTH, DataType::Boolean, Some(Value::Flag(true)));
    collector.command(NODE_COMMAND, ask).await;
    until("it is born again", || collector.of("NBIRTH").len() == 2).await;
    // A will of the host's that comes late.
    collector.state(HOST, false, 9).await;
    gateway.journal.append(300);
    // The newest may come before the oldest.
    until("all is committed", || collector.offsets().len() == 303).await;

    tap.cut();
    collector.state(HOST, true, 12).await;
    until("it comes back", || collector.of("NBIRTH").len() == 3).await;
    gateway.journal.append(2);
    collector.committed(304).await;
    collector.state(HOST, false, 13).await;
    tap.until("it leaves with its host and comes back", |all| {
        all.len() == 3
    })
    .await;
    collector.state(HOST, true, 14).await;
    gateway.journal.append(2);
    collector.committed(306).await;
    let devices = gateway.site.devices.iter();
    let devices = devices.map(|device| device.id.clone()).collect();
    gateway.stop().await;
    tap.until("it disconnects", |all| all[2].iter().any(disconnects))
        .await;
    Record {
        sessions: tap.connections().iter().map(session).collect(),
        devices,
        online,
        rebirth,
        early,
    }
}

fn subscribes(packets: &Packets) -> bool {
    let is = |(_, packet): &(Instant, Packet)| matches!(packet, Packet::Subscribe(_));
    packets.iter().any(is)
}

fn disconnects((_, packet): &(Instant, Packet)) -> bool {
    matches!(packet, Packet::Disconnect)
}

fn published(packets: &Packets) -> usize {
    let is = |(_, packet): &&(Instant, Packet)| matches!(packet, Packet::Publish(_));
    packets.iter().filter(is).count()
}

fn session(packets: &Packets) -> Session {
    let Some((_, Packet::Connect(connect))) = packets.first() else {
        panic!("a connection begins with CONNECT: {:?}", packets.first());
    };
    let mut session = Session {
        connect: connect.clone(),
        subscriptions: Vec::new(),
        told: Vec::new(),
        disconnected: false,
        subscribed: None,
    };
    for (at, packet) in packets {
        match packet {
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.filters.iter();
                let filters = filters.map(|filter| (filter.path.clone(), filter.qos));
                session.subscriptions.extend(filters);
                session.subscribed.get_or_insert(*at);
            }
            Packet::Publish(publish) => session.told.push(told(*at, publish)),
            Packet::Disconnect => session.disconnected = true,
            _ => {}
        }
    }
    session
}

fn told(at: Instant, publish: &Publish) -> Told {
    let Ok(Topic::Message {
        group,
        verb,
        edge,
        device,
    }) = Topic::parse(&publish.topic)
    else {
        panic!("{} is no topic of an edge node", publish.topic);
    };
    assert_eq!((&*group, &*edge), (GROUP, EDGE), "{}", publish.topic);
    Told {
        at,
        topic: publish.topic.clone(),
        verb,
        device,
        qos: publish.qos,
        retain: publish.retain,
        payload: Payload::from_bytes(&publish.payload).expect("protobuf"),
    }
}

impl Record {
    fn all(&self) -> impl Iterator<Item = &Told> {
        self.sessions.iter().flat_map(|session| &session.told)
    }

    fn of(&self, verb: Verb) -> Vec<&Told> {
        let found: Vec<&Told> = self.all().filter(|told| told.verb == verb).collect();
        assert!(!found.is_empty(), "none of {verb:?} was recorded");
        found
    }

    /// Every metric of births, by alias, of one session's last births.
    fn born(&self, session: &Session) -> BTreeMap<u64, Metric> {
        let births = session.told.iter().filter(|told| is_birth(told));
        let metrics = births.flat_map(|told| told.payload.metrics.clone());
        metrics
            .filter_map(|metric| Some((metric.alias?, metric)))
            .collect()
    }
}

const fn is_birth(told: &Told) -> bool {
    matches!(told.verb, Verb::NodeBirth | Verb::DeviceBirth)
}

const fn is_data(told: &Told) -> bool {
    matches!(told.verb, Verb::NodeData | Verb::DeviceData)
}

fn bd_seq(payload: &Payload) -> Option<i64> {
    payload.metric(name::BD_SEQ)?.value(None)?.as_i64()
}

fn will(session: &Session) -> Payload {
    let will = session.connect.last_will.as_ref().expect("a will");
    Payload::from_bytes(&will.message).expect("protobuf")
}

fn at_most_once_and_not_retained(verb: Verb) {
    for told in record().of(verb) {
        assert_eq!(
            (told.qos, told.retain),
            (QoS::AtMostOnce, false),
            "{}",
            told.topic
        );
    }
}

fn has_a_time_of_sending(verb: Verb) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    for told in record().of(verb) {
        let sent = told.payload.timestamp.expect("a timestamp");
        assert!(
            sent <= now && sent > now - 600_000,
            "{} at {sent}",
            told.topic
        );
    }
}

fn is_on_topic(verb: Verb, name: &str, of_device: bool) {
    let record = record();
    for told in record.of(verb) {
        let own = match (&told.device, of_device) {
            (Some(device), true) => {
                assert!(record.devices.contains(device), "{device}");
                format!("spBv1.0/{GROUP}/{name}/{EDGE}/{device}")
            }
            (None, false) => format!("spBv1.0/{GROUP}/{name}/{EDGE}"),
            other => panic!("{} for {other:?}", told.topic),
        };
        assert_eq!(told.topic, own);
    }
}

/// NBIRTH has 0, and every later message of its session one more, modulo 256; a death has none.
fn counts_up() {
    for session in &record().sessions {
        let mut last: Option<u64> = None;
        for told in &session.told {
            match told.verb {
                Verb::NodeBirth => assert_eq!(told.payload.seq, Some(0)),
                Verb::NodeDeath => {
                    assert_eq!(told.payload.seq, None);
                    continue;
                }
                _ => {
                    let next = last.map(|last| (last + 1) % 256);
                    assert_eq!(told.payload.seq, next, "{}", told.topic);
                }
            }
            last = told.payload.seq;
        }
    }
    let longest = record()
        .sessions
        .iter()
        .map(|session| session.told.len())
        .max();
    assert!(longest > Some(256), "the number goes round");
}

/// Each set of births is an NBIRTH, then every device's, before any data.
fn births_stand_together() {
    for session in &record().sessions {
        let mut missing: BTreeSet<&str> = BTreeSet::new();
        let mut born = false;
        for told in &session.told {
            match told.verb {
                Verb::NodeBirth => {
                    missing = record().devices.iter().map(String::as_str).collect();
                    born = true;
                }
                Verb::DeviceBirth => {
                    assert!(born, "a device before its node");
                    let device = told.device.as_deref().unwrap();
                    assert!(missing.remove(device), "{device} is born twice");
                }
                Verb::NodeDeath => {}
                _ => assert!(
                    born && missing.is_empty(),
                    "{} before {missing:?}",
                    told.topic
                ),
            }
        }
    }
}

fn every_metric_has_name_type_and_value(verb: Verb) {
    for told in record().of(verb) {
        for metric in &told.payload.metrics {
            assert!(
                metric.name.is_some() && metric.datatype.is_some(),
                "{metric:?}"
            );
            let is_null = metric.is_null == Some(true);
            assert_eq!(metric.raw.is_none(), is_null, "{metric:?}");
        }
    }
}

/// What data name by alias or by name was in the births of their session, for the node or for that device.
fn every_metric_told_was_born(of_node: bool) {
    let record = record();
    let mut seen = 0;
    for session in &record.sessions {
        let born = record.born(session);
        let births = session.told.iter().filter(|told| is_birth(told));
        let names: BTreeSet<(Option<String>, String)> = births
            .flat_map(|told| {
                let names = told
                    .payload
                    .metrics
                    .iter()
                    .filter_map(|metric| metric.name.clone());
                names
                    .map(|name| (told.device.clone(), name))
                    .collect::<Vec<_>>()
            })
            .collect();
        let data = session.told.iter().filter(|told| is_data(told));
        for told in data.filter(|told| told.device.is_none() == of_node) {
            for metric in &told.payload.metrics {
                match (metric.alias, &metric.name) {
                    (Some(alias), None) => assert!(born.contains_key(&alias), "{alias}"),
                    (None, Some(name)) => {
                        assert!(
                            names.contains(&(told.device.clone(), name.clone())),
                            "{name}"
                        );
                    }
                    other => panic!("neither name nor alias, or both: {other:?}"),
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 0 || of_node);
}

/// A test for each id.
macro_rules! rules {
    ($($(#[$doc:meta])* $id:ident => $check:expr;)+) => {
        $($(#[$doc])* #[test] fn $id() { $check }
        )+
    };
}

rules! {
    principles_birth_certificates_order => births_stand_together();
    principles_persistence_clean_session_311 => {
        for session in &record().sessions {
            assert!(session.connect.clean_session);
        }
    };
    topic_structure_namespace_a => {
        assert!(record().all().all(|told| told.topic.starts_with("spBv1.0/")));
    };
    topic_structure_namespace_device_id_associated_message_types => {
        for told in record().all() {
            let of_device = matches!(told.verb, Verb::DeviceBirth | Verb::DeviceData);
            assert_eq!(told.device.is_some(), of_device, "{}", told.topic);
        }
    };
    topics_nbirth_topic => is_on_topic(Verb::NodeBirth, "NBIRTH", false);
    topics_nbirth_mqtt => at_most_once_and_not_retained(Verb::NodeBirth);
    topics_nbirth_seq_num => counts_up();
    topics_nbirth_timestamp => has_a_time_of_sending(Verb::NodeBirth);
    topics_nbirth_metric_reqs => every_metric_told_was_born(true);
    topics_nbirth_metrics => every_metric_has_name_type_and_value(Verb::NodeBirth);
    topics_nbirth_bdseq_included => {
        for told in record().of(Verb::NodeBirth) {
            let metric = told.payload.metric(name::BD_SEQ).expect("bdSeq");
            assert_eq!(metric.datatype, Some(DataType::Int64 as u32));
            assert!((0..=255).contains(&bd_seq(&told.payload).unwrap()));
        }
    };
    topics_nbirth_bdseq_matching => {
        for session in &record().sessions {
            let births = session.told.iter().filter(|told| told.verb == Verb::NodeBirth);
            for birth in births {
                assert_eq!(bd_seq(&birth.payload), bd_seq(&will(session)));
            }
        }
    };
    topics_nbirth_bdseq_increment => {
        let numbers: Vec<_> = record().sessions.iter().map(|one| bd_seq(&will(one))).collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
    };
    topics_nbirth_rebirth_metric => {
        for told in record().of(Verb::NodeBirth) {
            let metric = told.payload.metric(name::REBIRTH).expect("Node Control/Rebirth");
            assert_eq!(metric.value(None), Some(Value::Flag(false)));
            assert_eq!(metric.datatype, Some(DataType::Boolean as u32));
        }
    };
    operational_behavior_data_commands_rebirth_name_aliases => {
        for told in record().of(Verb::NodeBirth) {
            assert_eq!(told.payload.metric(name::REBIRTH).unwrap().alias, None);
        }
    };
    topics_dbirth_topic => is_on_topic(Verb::DeviceBirth, "DBIRTH", true);
    topics_dbirth_mqtt => at_most_once_and_not_retained(Verb::DeviceBirth);
    topics_dbirth_seq => counts_up();
    topics_dbirth_timestamp => has_a_time_of_sending(Verb::DeviceBirth);
    topics_dbirth_metric_reqs => every_metric_told_was_born(false);
    topics_dbirth_metrics => every_metric_has_name_type_and_value(Verb::DeviceBirth);
    topics_ddata_topic => is_on_topic(Verb::DeviceData, "DDATA", true);
    topics_ddata_mqtt => at_most_once_and_not_retained(Verb::DeviceData);
    topics_ddata_seq_num => counts_up();
    topics_ddata_timestamp => has_a_time_of_sending(Verb::DeviceData);
    topics_ndeath_topic => is_on_topic(Verb::NodeDeath, "NDEATH", false);
    topics_ndeath_payload => {
        for told in record().of(Verb::NodeDeath) {
            assert_eq!(told.payload.metrics.len(), 1);
            assert!(bd_seq(&told.payload).is_some());
        }
    };
    topics_ndeath_seq => {
        for told in record().of(Verb::NodeDeath) {
            assert_eq!(told.payload.seq, None);
        }
    };
    message_flow_edge_node_ncmd_subscribe => {
        for session in &record().sessions {
            let own = (NODE_COMMAND.to_owned(), QoS::AtLeastOnce);
            assert!(session.subscriptions.contains(&own), "{:?}", session.subscriptions);
        }
    };
    message_flow_device_dcmd_subscribe => {
        for session in &record().sessions {
            let own = (format!("spBv1.0/{GROUP}/DCMD/{EDGE}/+"), QoS::AtLeastOnce);
            assert!(session.subscriptions.contains(&own), "{:?}", session.subscriptions);
        }
    };
    message_flow_edge_node_birth_publish_connect => {
        for session in &record().sessions {
            let first = session.told.first().expect("it spoke");
            assert_eq!(first.verb, Verb::NodeBirth);
            assert!(session.subscribed.is_some_and(|at| at < first.at));
        }
    };
    message_flow_edge_node_birth_publish_will_message => {
        assert!(record().sessions.iter().all(|session| session.connect.last_will.is_some()));
    };
    message_flow_edge_node_birth_publish_will_message_topic => {
        for session in &record().sessions {
            let topic = &session.connect.last_will.as_ref().unwrap().topic;
            assert_eq!(*topic, format!("spBv1.0/{GROUP}/NDEATH/{EDGE}"));
        }
    };
    message_flow_edge_node_birth_publish_will_message_payload => {
        for session in &record().sessions {
            assert_eq!(will(session).metrics.len(), 1);
        }
    };
    message_flow_edge_node_birth_publish_will_message_payload_bdSeq => {
        for session in &record().sessions {
            assert!((0..=255).contains(&bd_seq(&will(session)).unwrap()));
        }
    };
    message_flow_edge_node_birth_publish_will_message_qos => {
        for session in &record().sessions {
            assert_eq!(session.connect.last_will.as_ref().unwrap().qos, QoS::AtLeastOnce);
        }
    };
    message_flow_edge_node_birth_publish_will_message_will_retained => {
        for session in &record().sessions {
            assert!(!session.connect.last_will.as_ref().unwrap().retain);
        }
    };
    message_flow_edge_node_birth_publish_phid_wait => assert_eq!(record().early, 0);
    message_flow_edge_node_birth_publish_phid_wait_id => {
        let state = format!("spBv1.0/STATE/{HOST}");
        for session in &record().sessions {
            assert!(session.subscriptions.iter().any(|(topic, _)| *topic == state));
        }
        assert_eq!(record().early, 0, "another host was online");
    };
    message_flow_edge_node_birth_publish_phid_wait_online => {
        let first = record().sessions[0].told.first().expect("it spoke");
        assert!(first.at > record().online);
    };
    message_flow_edge_node_birth_publish_phid_wait_timestamp => {
        let births = record().sessions[0].told.iter();
        assert_eq!(births.filter(|told| told.verb == Verb::NodeDeath).count(), 0, "a late will");
    };
    message_flow_edge_node_birth_publish_phid_offline => {
        let last = record().sessions[1].told.last().expect("it spoke");
        assert_eq!(last.verb, Verb::NodeDeath);
    };
    operational_behavior_edge_node_termination_host_offline => {
        assert!(record().sessions[1].disconnected);
    };
    operational_behavior_edge_node_termination_host_offline_reconnect => {
        assert_eq!(record().sessions.len(), 3);
    };
    operational_behavior_edge_node_termination_host_offline_timestamp => {
        let data = record().sessions[0].told.iter().filter(|told| is_data(told));
        assert!(data.count() > 300, "the late will ended nothing");
    };
    operational_behavior_edge_node_intentional_disconnect_ndeath => {
        let last = record().sessions[2].told.last().expect("it spoke");
        assert_eq!(last.verb, Verb::NodeDeath);
        assert_eq!(bd_seq(&last.payload), bd_seq(&will(&record().sessions[2])));
    };
    operational_behavior_edge_node_intentional_disconnect_packet => {
        assert!(record().sessions[2].disconnected);
    };
    message_flow_device_birth_publish_nbirth_wait => births_stand_together();
    operational_behavior_data_publish_nbirth_values => every_metric_has_name_type_and_value(Verb::NodeBirth);
    operational_behavior_data_publish_dbirth_values => every_metric_has_name_type_and_value(Verb::DeviceBirth);
    operational_behavior_data_commands_rebirth_action_2 => {
        let births: Vec<_> = record().sessions[0].told.iter().filter(|told| told.verb == Verb::NodeBirth).collect();
        assert_eq!(births.len(), 2);
        assert!(births[1].at > record().rebirth);
        births_stand_together();
    };
    operational_behavior_data_commands_rebirth_action_3 => {
        let births = record().sessions[0].told.iter().filter(|told| told.verb == Verb::NodeBirth);
        let numbers: BTreeSet<_> = births.map(|told| bd_seq(&told.payload)).collect();
        assert_eq!(numbers.len(), 1);
    };
    payloads_sequence_num_always_included => {
        for told in record().all().filter(|told| told.verb != Verb::NodeDeath) {
            assert!(told.payload.seq.is_some_and(|seq| seq < 256), "{}", told.topic);
        }
    };
    payloads_sequence_num_incrementing => counts_up();
    payloads_alias_uniqueness => {
        for session in &record().sessions {
            let mut owners: BTreeMap<u64, (Option<String>, String)> = BTreeMap::new();
            for told in session.told.iter().filter(|told| is_birth(told)) {
                for metric in &told.payload.metrics {
                    let own = (told.device.clone(), metric.name.clone().unwrap());
                    if let Some(alias) = metric.alias {
                        assert_eq!(owners.entry(alias).or_insert(own.clone()), &own);
                    }
                }
            }
            assert!(!owners.is_empty());
        }
    };
    payloads_alias_data_cmd_requirement => {
        for metric in record().all().filter(|told| is_data(told)).flat_map(|told| &told.payload.metrics) {
            assert!(metric.alias.is_some() != metric.name.is_some(), "{metric:?}");
        }
    };
    payloads_name_birth_data_requirement => {
        let spoken = record().all().filter(|told| is_birth(told) || is_data(told));
        for metric in spoken.flat_map(|told| &told.payload.metrics) {
            assert!(metric.timestamp.is_some(), "{metric:?}");
        }
    };
    payloads_metric_datatype_value => {
        for metric in record().all().filter(|told| is_birth(told)).flat_map(|told| &told.payload.metrics) {
            assert!((1..=34).contains(&metric.datatype.unwrap()), "{metric:?}");
        }
    };
    payloads_propertyset_keys_array_size => {
        let mut seen = 0;
        for metric in record().all().flat_map(|told| &told.payload.metrics) {
            let Some(set) = &metric.properties else { continue };
            assert_eq!(set.keys.len(), set.values.len());
            seen += set.keys.len();
        }
        assert!(seen > 0);
    };
    payloads_metric_propertyvalue_type_req => {
        for metric in record().all().filter(|told| is_birth(told)).flat_map(|told| &told.payload.metrics) {
            let values = metric.properties.iter().flat_map(|set| &set.values);
            for value in values {
                assert!((1..=34).contains(&value.kind.expect("a type")), "{metric:?}");
            }
        }
    };
    payloads_ndeath_will_message => {
        for session in &record().sessions {
            assert_eq!(will(session).seq, None);
        }
    };
    payloads_dbirth_order => births_stand_together();
    payloads_ddata_order => births_stand_together();
}
