//! Nodes that are not ours: no journal, no model, metrics by name.

use crate::city::{City, until};
use crate::node::{Node, message};
use davy_alarm::{Reading, WallMs};
use davy_wire::{DataType, Metric, Payload, Value, Verb};

const TIME_MS: i64 = 1_795_500_000_000;

fn temperature(value: f64, time_ms: i64) -> Metric {
    Metric::named("Temp/Inner", DataType::Double, Some(Value::Number(value))).at(time_ms)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_partys_device_data_is_kept_by_name() {
    let city = City::new().await;
    let node = Node::connect(city.broker, "press", 0).await;
    node.publish(Verb::NodeBirth, "", message(vec![]).to_bytes())
        .await;
    let birth = message(vec![temperature(20.0, TIME_MS)]);
    node.publish(Verb::DeviceBirth, "oven", birth.to_bytes())
        .await;
    let data = message(vec![temperature(21.0, TIME_MS + 1)]);
    node.publish(Verb::DeviceData, "oven", data.to_bytes())
        .await;
    until(async || city.shelf.of("press", "oven.Temp.Inner").len() == 2).await;
    let kept = city.shelf.of("press", "oven.Temp.Inner");
    assert_eq!(kept[1], Reading::measured(21.0, WallMs(TIME_MS + 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_payload_are_put_aside_and_harm_nobody() {
    let city = City::new().await;
    let node = Node::connect(city.broker, "press", 0).await;
    node.publish(Verb::NodeBirth, "", message(vec![]).to_bytes())
        .await;
    for verb in [Verb::NodeData, Verb::NodeDeath, Verb::NodeBirth] {
        node.publish(verb, "", b"\xff\xff\xff".to_vec()).await;
    }
    node.client
        .publish("spBv1.0/nonsense", rumqttc::QoS::AtMostOnce, false, "x")
        .await
        .expect("room");
    until(async || city.quarantined().await.len() == 3).await;
    node.publish(Verb::NodeBirth, "", Payload::default().to_bytes())
        .await;
    until(async || city.is_online("press").await).await;
}
