//! Orders from people, out to the gateway and back.

use crate::city::{City, until};
use crate::node::{HIGH, Node, line};
use davy_alarm::Shown;
use davy_wire::{Metric, Topic, Value, Verb};
use serde_json::json;

const TIME_MS: i64 = 1_795_500_000_000;

async fn raised(city: &City) -> Node {
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    node.batch(1, vec![line(1, 0, 1, "active", TIME_MS)]).await;
    node.acknowledged(&[1]).await;
    node
}

async fn ordered(node: &mut Node) -> Metric {
    let (topic, payload) = node.command().await;
    assert_eq!(
        topic,
        Topic::device("davy", Verb::DeviceCommand, "tank-farm", "GD-01")
    );
    assert!(payload.timestamp.is_some() && payload.seq.is_none());
    payload.metrics.into_iter().next().expect("a metric")
}

fn property(metric: &Metric, key: &str) -> Value {
    metric.property(key).expect(key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_travels_as_a_command_and_the_transition_answers_it() {
    let city = City::new().await;
    let mut node = raised(&city).await;
    let wang = city.operator().await;
    let listening = tokio::spawn({
        let wang = wang.clone();
        async move { wang.event("transition").await }
    });
    let path = "/api/sites/tank-farm/alarms/GT-101.HH/acknowledge";
    let ordered_as = wang
        .post(path, json!({ "occurrence": 1, "note": "on my way" }))
        .await;
    let metric = ordered(&mut node).await;
    assert_eq!(
        (metric.alias, metric.value(Some(3))),
        (Some(HIGH), Some(Value::Whole(2)))
    );
    assert_eq!(property(&metric, "occurrence"), Value::Unsigned(1));
    assert_eq!(property(&metric, "actor"), Value::Text("wang".into()));
    assert_eq!(property(&metric, "reason"), Value::Text("on my way".into()));
    let command = property(&metric, "command");
    assert_eq!(command.as_text(), ordered_as["command"].as_str());
    let answer = line(2, 1, 2, "acknowledge", TIME_MS + 5)
        .with("actor", Value::Text("wang".into()))
        .with("command", command);
    node.batch(2, vec![answer]).await;
    node.acknowledged(&[2]).await;
    let alarm = city
        .records
        .alarm("tank-farm", "GT-101.HH")
        .await
        .expect("records");
    assert_eq!(alarm.expect("the alarm").state, Shown::Acknowledged);
    let told = listening.await.expect("no panic");
    assert_eq!(told["command"], ordered_as["command"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_the_person_who_waits() {
    let city = City::new().await;
    let mut node = raised(&city).await;
    let wang = city.operator().await;
    let listening = tokio::spawn({
        let wang = wang.clone();
        async move { wang.event("refused").await }
    });
    let path = "/api/sites/tank-farm/alarms/GT-101.HH/shelve";
    let ordered_as = wang
        .post(path, json!({ "minutes": 30, "reason": "calibration" }))
        .await;
    let metric = ordered(&mut node).await;
    assert_eq!(metric.value(Some(3)), Some(Value::Whole(6)));
    assert_eq!(property(&metric, "minutes").as_u64(), Some(30));
    let refusal =
        json!({ "command": ordered_as["command"], "alarm": "GT-101.HH", "why": "gas-level-2" });
    let answer = Metric::aliased(9, Some(Value::Text(refusal.to_string())));
    node.publish(
        Verb::NodeData,
        "",
        crate::node::message(vec![answer]).to_bytes(),
    )
    .await;
    let told = listening.await.expect("no panic");
    assert_eq!(
        (&told["why"], &told["command"]),
        (&json!("gas-level-2"), &ordered_as["command"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_without_an_answer_is_refused_by_the_clock() {
    let city = City::new().await;
    let mut node = raised(&city).await;
    let wang = city.operator().await;
    let listening = tokio::spawn({
        let wang = wang.clone();
        async move { wang.event("refused").await }
    });
    wang.post("/api/sites/tank-farm/alarms/GT-101.HH/unshelve", json!({}))
        .await;
    let metric = ordered(&mut node).await;
    assert_eq!(metric.value(Some(3)), Some(Value::Whole(0)));
    let told = listening.await.expect("no panic");
    assert_eq!(told["why"], "timeout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_for_a_site_that_is_down_does_not_leave() {
    let city = City::new().await;
    let node = raised(&city).await;
    let wang = city.operator().await;
    node.break_off();
    until(async || !city.is_online("tank-farm").await).await;
    let url = format!(
        "http://{}/api/sites/tank-farm/alarms/GT-101.HH/unshelve",
        city.http
    );
    let status = wang.status(url).await;
    assert!(status == 409 || status == 503, "{status}");
}
