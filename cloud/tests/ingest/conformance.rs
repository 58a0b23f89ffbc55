//! The rules of Sparkplug 3.0 for a host application, each as a test named by its id (`tck-id-` and dashes become underscores), against what a real session
//! through mosquitto sent: a tap between the collector and its broker records every packet.

use crate::broker::mosquitto;
use crate::city::{City, until};
use crate::node::{Node, level, line, message};
use davy_wire::{DataType, Metric, Payload, Topic, Value, Verb, name};
use rumqttc::{Connect, Packet, Publish, QoS};
use std::sync::OnceLock;
use tap::{Packets, Tap};

#[allow(clippy::unwrap_used)]
#[path = "../../../gateway/tests/conformance/tap.rs"]
mod tap;

const TIME_MS: i64 = 1_795_500_000_000;
const STATE: &str = "spBv1.0/STATE/davy-cloud";

/// What the host sent on each of its connections; the last one ended as somebody asked.
struct Record {
    connections: Vec<Packets>,
}

/// None where mosquitto is not installed.
fn record() -> Option<&'static Record> {
    static RECORD: OnceLock<Option<Record>> = OnceLock::new();
    let session = || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(session())
    };
    let in_its_own_thread = || std::thread::spawn(session).join().expect("a session");
    RECORD.get_or_init(in_its_own_thread).as_ref()
}

async fn session() -> Option<Record> {
    let mosquitto = mosquitto().await?;
    let (tap, port) = Tap::start(mosquitto.address.port()).await;
    let city = City::beside(([127, 0, 0, 1], port).into(), "").await;
    let mut node = Node::connect(mosquitto.address, "tank-farm", 0).await;
    node.batch(1, vec![level(1.0, TIME_MS)]).await;
    node.asked_for_rebirth().await;
    node.be_born().await;
    node.batch(2, vec![line(1, 0, 1, "active", TIME_MS)]).await;
    node.acknowledged(&[2]).await;
    let wang = city.operator().await;
    let path = "/api/sites/tank-farm/alarms/GT-101.HH/unshelve";
    wang.post(path, serde_json::json!({})).await;
    tap.until("a command for the device", |connections| {
        publishes(&connections[0]).any(|publish| publish.topic.contains("/DCMD/"))
    })
    .await;
    tap.cut();
    tap.until("the host is on line again", |connections| {
        connections
            .get(1)
            .is_some_and(|packets| births(packets).next().is_some())
    })
    .await;
    city.end().await;
    tap.until("the host says good-bye", |connections| {
        connections[1]
            .iter()
            .any(|(_, packet)| matches!(packet, Packet::Disconnect))
    })
    .await;
    Some(Record {
        connections: tap.connections(),
    })
}

fn publishes(packets: &Packets) -> impl Iterator<Item = &Publish> {
    packets.iter().filter_map(|(_, packet)| match packet {
        Packet::Publish(publish) => Some(publish),
        _ => None,
    })
}

fn state(payload: &[u8]) -> (bool, u64) {
    let value: serde_json::Value = serde_json::from_slice(payload).expect("JSON");
    assert_eq!(value.as_object().expect("an object").len(), 2, "{value}");
    let online = value["online"].as_bool().expect("a Boolean");
    (online, value["timestamp"].as_u64().expect("a number"))
}

fn births(packets: &Packets) -> impl Iterator<Item = &Publish> {
    publishes(packets).filter(|publish| publish.topic == STATE && state(&publish.payload).0)
}

fn connect(packets: &Packets) -> &Connect {
    match packets.first() {
        Some((_, Packet::Connect(connect))) => connect,
        other => panic!("a connection begins with {other:?}"),
    }
}

/// Checks every connection.
fn each(check: impl Fn(&Packets)) {
    if let Some(record) = record() {
        record.connections.iter().for_each(check);
    }
}

/// Checks the first birth of every connection.
fn each_birth(check: impl Fn(&Publish)) {
    each(|packets| check(births(packets).next().expect("a birth")));
}

fn each_will(check: impl Fn(&rumqttc::LastWill)) {
    each(|packets| check(connect(packets).last_will.as_ref().expect("a will")));
}

/// Checks every command of a verb; there must be one.
fn each_command(verb: Verb, check: impl Fn(&Publish, &Payload)) {
    let Some(record) = record() else { return };
    let mut seen = 0;
    for publish in record.connections.iter().flat_map(publishes) {
        if matches!(Topic::parse(&publish.topic), Ok(Topic::Message { verb: found, .. }) if found == verb)
        {
            check(
                publish,
                &Payload::from_bytes(&publish.payload).expect("a payload"),
            );
            seen += 1;
        }
    }
    assert!(seen > 0);
}

fn position(packets: &Packets, is_it: impl Fn(&Packet) -> bool) -> usize {
    packets
        .iter()
        .position(|(_, packet)| is_it(packet))
        .expect("the packet")
}

fn births_at(packets: &Packets) -> usize {
    position(
        packets,
        |packet| matches!(packet, Packet::Publish(publish) if publish.topic == STATE),
    )
}

fn is_subscribed_before_its_birth() {
    each(|packets| {
        let filters: Vec<_> = packets[..births_at(packets)]
            .iter()
            .filter_map(|(_, packet)| match packet {
                Packet::Subscribe(subscribe) => Some(&subscribe.filters),
                _ => None,
            })
            .flatten()
            .map(|filter| filter.path.as_str())
            .collect();
        assert!(filters.contains(&"spBv1.0/#"), "{filters:?}");
    });
}

fn will_and_birth_have_one_timestamp() {
    each(|packets| {
        let will = connect(packets).last_will.as_ref().expect("a will");
        let birth = births(packets).next().expect("a birth");
        assert_eq!(state(&will.message).1, state(&birth.payload).1);
    });
}

fn at_most_once_and_not_retained(verb: Verb) {
    each_command(verb, |publish, _| {
        assert_eq!((publish.qos, publish.retain), (QoS::AtMostOnce, false));
    });
}

fn has_a_time_of_sending(verb: Verb) {
    each_command(verb, |_, payload| assert!(payload.timestamp.is_some()));
}

fn has_no_number(verb: Verb) {
    each_command(verb, |_, payload| assert_eq!(payload.seq, None));
}

/// The last state of the last connection, behind which nothing but the farewell comes.
fn last_state() -> Option<(bool, u64, &'static Publish)> {
    let packets = record()?.connections.last()?;
    let publish = publishes(packets)
        .filter(|publish| publish.topic == STATE)
        .last()?;
    let (online, timestamp) = state(&publish.payload);
    Some((online, timestamp, publish))
}

fn is_rebirth(metric: &Metric) -> bool {
    metric.name.as_deref() == Some(name::REBIRTH)
}

fn each_rebirth(check: impl Fn(&Publish, &Metric)) {
    let Some(record) = record() else { return };
    let mut seen = 0;
    for publish in record
        .connections
        .iter()
        .flat_map(publishes)
        .filter(|publish| publish.topic.contains("/NCMD/"))
    {
        let payload = Payload::from_bytes(&publish.payload).expect("a payload");
        for metric in payload.metrics.iter().filter(|metric| is_rebirth(metric)) {
            check(publish, metric);
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// A test for each id.
macro_rules! rules {
    ($($id:ident => $check:expr;)+) => {
        $(#[test] fn $id() { $check }
        )+
    };
}

rules! {
    message_flow_phid_sparkplug_clean_session_311 => each(|packets| assert!(connect(packets).clean_session));
    message_flow_phid_sparkplug_subscription => is_subscribed_before_its_birth();
    message_flow_phid_sparkplug_state_publish => each_birth(|_| {});
    message_flow_phid_sparkplug_state_publish_payload => each_birth(|birth| assert!(state(&birth.payload).0));
    message_flow_phid_sparkplug_state_publish_payload_timestamp => will_and_birth_have_one_timestamp();
    host_topic_phid_birth_message => each(|packets| {
        let first = publishes(packets).next().expect("a message");
        assert_eq!(first.topic, STATE);
    });
    host_topic_phid_birth_qos => each_birth(|birth| assert_eq!(birth.qos, QoS::AtLeastOnce));
    host_topic_phid_birth_retain => each_birth(|birth| assert!(birth.retain));
    host_topic_phid_birth_topic => each_birth(|birth| assert_eq!(birth.topic, STATE));
    host_topic_phid_birth_sub_required => is_subscribed_before_its_birth();
    host_topic_phid_birth_required => each_birth(|birth| assert!(state(&birth.payload).0));
    host_topic_phid_birth_payload => each_birth(|birth| assert!(state(&birth.payload).0));
    host_topic_phid_birth_payload_timestamp => will_and_birth_have_one_timestamp();
    host_topic_phid_death_required => each_will(|_| {});
    host_topic_phid_death_topic => each_will(|will| assert_eq!(will.topic, STATE));
    host_topic_phid_death_payload => each_will(|will| assert!(!state(&will.message).0));
    host_topic_phid_death_payload_timestamp_connect => will_and_birth_have_one_timestamp();
    host_topic_phid_death_payload_timestamp_disconnect_clean => {
        if let Some((online, timestamp, _)) = last_state() {
            let born = births(record().expect("a record").connections.last().expect("one")).next();
            assert!(!online && timestamp >= state(&born.expect("a birth").payload).1);
        }
    };
    host_topic_phid_death_qos => each_will(|will| assert_eq!(will.qos, QoS::AtLeastOnce));
    host_topic_phid_death_retain => each_will(|will| assert!(will.retain));
    operational_behavior_host_application_connect_will => each_will(|_| {});
    operational_behavior_host_application_connect_will_topic => each_will(|will| assert_eq!(will.topic, STATE));
    operational_behavior_host_application_connect_will_payload => each_will(|will| assert!(!state(&will.message).0));
    operational_behavior_host_application_connect_will_qos => each_will(|will| assert_eq!(will.qos, QoS::AtLeastOnce));
    operational_behavior_host_application_connect_will_retained => each_will(|will| assert!(will.retain));
    operational_behavior_host_application_connect_birth => each_birth(|_| {});
    operational_behavior_host_application_connect_birth_topic => each_birth(|birth| assert_eq!(birth.topic, STATE));
    operational_behavior_host_application_connect_birth_payload => will_and_birth_have_one_timestamp();
    operational_behavior_host_application_connect_birth_qos => each_birth(|birth| assert_eq!(birth.qos, QoS::AtLeastOnce));
    operational_behavior_host_application_connect_birth_retained => each_birth(|birth| assert!(birth.retain));
    operational_behavior_host_application_death_payload => each_will(|will| assert!(!state(&will.message).0));
    operational_behavior_host_application_termination => {
        if let Some((online, _, publish)) = last_state() {
            assert!(!online && publish.retain && publish.qos == QoS::AtLeastOnce);
        }
    };
    operational_behavior_host_application_disconnect_intentional => {
        if let Some(packets) = record().and_then(|record| record.connections.last()) {
            let death = packets.iter().rposition(|(_, packet)| matches!(packet, Packet::Publish(publish) if publish.topic == STATE));
            let leave = position(packets, |packet| matches!(packet, Packet::Disconnect));
            assert!(death.expect("a death") < leave);
        }
    };
    payloads_state_birth_payload => each_birth(|birth| assert!(state(&birth.payload).0));
    payloads_state_will_message => each_will(|_| {});
    payloads_state_will_message_qos => each_will(|will| assert_eq!(will.qos, QoS::AtLeastOnce));
    payloads_state_will_message_retain => each_will(|will| assert!(will.retain));
    payloads_state_will_message_payload => each_will(|will| assert!(!state(&will.message).0));
    topics_ncmd_mqtt => at_most_once_and_not_retained(Verb::NodeCommand);
    topics_ncmd_timestamp => has_a_time_of_sending(Verb::NodeCommand);
    topics_ncmd_payload => each_command(Verb::NodeCommand, |_, payload| assert!(!payload.metrics.is_empty()));
    topics_dcmd_mqtt => at_most_once_and_not_retained(Verb::DeviceCommand);
    topics_dcmd_timestamp => has_a_time_of_sending(Verb::DeviceCommand);
    topics_dcmd_payload => each_command(Verb::DeviceCommand, |_, payload| assert!(!payload.metrics.is_empty()));
    payloads_ncmd_qos => at_most_once_and_not_retained(Verb::NodeCommand);
    payloads_ncmd_retain => at_most_once_and_not_retained(Verb::NodeCommand);
    payloads_ncmd_timestamp => has_a_time_of_sending(Verb::NodeCommand);
    payloads_ncmd_seq => has_no_number(Verb::NodeCommand);
    payloads_dcmd_qos => at_most_once_and_not_retained(Verb::DeviceCommand);
    payloads_dcmd_retain => at_most_once_and_not_retained(Verb::DeviceCommand);
    payloads_dcmd_timestamp => has_a_time_of_sending(Verb::DeviceCommand);
    payloads_dcmd_seq => has_no_number(Verb::DeviceCommand);
    operational_behavior_data_commands_ncmd_rebirth_verb => each_rebirth(|publish, _| assert_eq!(publish.topic, "spBv1.0/davy/NCMD/tank-farm"));
    operational_behavior_data_commands_ncmd_rebirth_name => each_rebirth(|_, metric| assert_eq!(metric.alias, None));
    operational_behavior_data_commands_ncmd_rebirth_value => each_rebirth(|_, metric| assert_eq!(metric.value(None), Some(Value::Flag(true))));
}

/// A node of somebody else's, which numbers its messages.
async fn numbered(city: &City, numbers: &[u64]) -> Node {
    let node = Node::connect(city.broker, "press", 0).await;
    let say = |seq: u64, metrics: Vec<Metric>| Payload {
        seq: Some(seq),
        ..message(metrics)
    };
    let level = || Metric::named("Level", DataType::Double, Some(Value::Number(1.0)));
    node.publish(Verb::NodeBirth, "", say(0, vec![level()]).to_bytes())
        .await;
    for seq in numbers {
        let time_ms = TIME_MS + i64::try_from(*seq).expect("a small number");
        let data = say(*seq, vec![level().at(time_ms)]);
        node.publish(Verb::NodeData, "", data.to_bytes()).await;
    }
    node
}

/// `reordering_param`: the time-out is set in `CLOUD.toml`; `reordering_start`: it begins when a number is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operational_behavior_host_reordering_rebirth() {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let city = City::patient(mosquitto.address, 300).await;
    numbered(&city, &[1, 3]).await.asked_for_rebirth().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operational_behavior_host_reordering_success() {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let city = City::patient(mosquitto.address, 300).await;
    let mut node = numbered(&city, &[1, 3, 2]).await;
    until(async || city.shelf.of("press", "Level").len() == 4).await;
    let silent =
        tokio::time::timeout(std::time::Duration::from_millis(1_500), node.command()).await;
    assert!(silent.is_err(), "it is asked for nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operational_behavior_edge_node_termination_host_action_ndeath_node_offline() {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let city = City::beside(mosquitto.address, "").await;
    let node = Node::connect(mosquitto.address, "tank-farm", 3).await;
    node.be_born().await;
    until(async || city.is_online("tank-farm").await).await;
    // The death of an earlier session, by its number.
    let bd_seq = Metric::named(name::BD_SEQ, DataType::Int64, Some(Value::Whole(2)));
    node.publish(Verb::NodeDeath, "", message(vec![bd_seq]).to_bytes())
        .await;
    let offset_behind = vec![level(1.0, TIME_MS)];
    node.batch(1, offset_behind).await;
    until(async || city.shelf.of("tank-farm", "GT-101").len() == 1).await;
    assert!(
        city.is_online("tank-farm").await,
        "another session's death is not this one's"
    );
    node.break_off();
    until(async || !city.is_online("tank-farm").await).await;
}
