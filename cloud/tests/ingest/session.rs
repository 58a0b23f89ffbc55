//! Births, deaths and the host's own state.

use crate::city::{City, until};
use crate::node::{FAN, Node, level};
use davy_alarm::{Reading, WallMs};
use davy_wire::{Metric, Payload, Value, Verb};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_birth_makes_a_site_and_a_broken_connection_takes_it_down() {
    let city = City::new().await;
    let node = Node::connect(city.broker, "tank-farm", 3).await;
    node.be_born().await;
    until(async || city.is_online("tank-farm").await).await;
    let site = city
        .records
        .site("tank-farm")
        .await
        .expect("records")
        .expect("a site");
    assert_eq!(site.name.zh, "罐区");
    assert!(site.model.is_some());
    node.break_off();
    until(async || !city.is_online("tank-farm").await).await;
    let devices = city.records.devices("tank-farm").await.expect("records");
    assert!(devices.iter().all(|device| !device.online));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_demanded_of_an_output_is_known_from_the_birth_on() {
    let city = City::new().await;
    let node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let on = Reading::measured(1.0, WallMs(1_795_400_000_000));
    until(async || city.shelf.of("tank-farm", "Outputs/FAN-1") == [on]).await;
    // The values of points come by the journal's batches.
    assert!(city.shelf.of("tank-farm", "GT-101").is_empty());
    let off = Metric::aliased(FAN, Some(Value::Flag(false))).at(1_795_500_000_000);
    node.batch(1, vec![off]).await;
    let off = Reading::measured(0.0, WallMs(1_795_500_000_000));
    until(async || city.shelf.of("tank-farm", "Outputs/FAN-1") == [on, off]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_dies_alone() {
    let city = City::new().await;
    let node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    node.publish(Verb::DeviceDeath, "GD-01", Payload::default().to_bytes())
        .await;
    until(async || {
        let devices = city.records.devices("tank-farm").await.expect("records");
        devices.iter().any(|device| !device.online)
    })
    .await;
    assert!(city.is_online("tank-farm").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_born_while_nobody_listened_is_asked_again() {
    let city = City::new().await;
    let mut first = Node::connect(city.broker, "tank-farm", 0).await;
    first.batch(1, vec![level(1.0, 1_795_500_000_000)]).await;
    first.asked_for_rebirth().await;
    first.be_born().await;
    until(async || city.is_online("tank-farm").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_word_that_the_host_is_off_line_is_put_right() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    // A stale will of an earlier connection of the host.
    let lie = "{\"online\":false,\"timestamp\":1}";
    let topic = "spBv1.0/STATE/davy-cloud";
    let sent = node
        .client
        .publish(topic, rumqttc::QoS::AtLeastOnce, true, lie);
    sent.await.expect("room");
    node.see_host("false").await;
    node.see_host("true").await;
}
