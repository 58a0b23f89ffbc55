//! A gateway's journal: each batch once, acknowledged when it is kept.

use crate::city::{City, until};
use crate::node::{self, Node, level, line, message};
use davy_alarm::{NoValue, Reading, Shown, WallMs};
use davy_wire::{DataType, Metric, Value, Verb, name};

const TIME_MS: i64 = 1_795_500_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_kept_and_then_acknowledged() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let bad = Metric::aliased(node::LEVEL, None)
        .at(TIME_MS + 1)
        .with("Quality", Value::Whole(0))
        .with("cause", Value::Text("broken-loop".into()));
    let raise = line(1, 0, 1, "active", TIME_MS);
    node.batch(4, vec![level(61.5, TIME_MS), bad, raise]).await;
    node.acknowledged(&[4]).await;
    let kept = [
        Reading::measured(61.5, WallMs(TIME_MS)),
        Reading::absent(NoValue::BrokenLoop, WallMs(TIME_MS + 1)),
    ];
    assert_eq!(city.shelf.of("tank-farm", "GT-101"), kept);
    let alarm = city
        .records
        .alarm("tank-farm", "GT-101.HH")
        .await
        .expect("records");
    let alarm = alarm.expect("the alarm");
    assert_eq!(
        (alarm.state, alarm.limit, alarm.late),
        (Shown::Unacknowledged, Some(50.0), true)
    );
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_comes_twice_is_kept_once_and_acknowledged_twice() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    for _ in 0..2 {
        node.batch(
            4,
            vec![level(1.0, TIME_MS), line(1, 0, 1, "active", TIME_MS)],
        )
        .await;
        node.acknowledged(&[4]).await;
    }
    assert_eq!(city.transitions().await.len(), 1);
    assert_eq!(city.shelf.of("tank-farm", "GT-101").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_silenced_the_horn_and_reset_an_output_stands_in_the_audit_log_once() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let act = |what: &str, actor: &str| {
        Metric::named(name::ACT, DataType::Text, Some(Value::Text(what.into())))
            .at(TIME_MS)
            .with("actor", Value::Text(actor.into()))
    };
    for _ in 0..2 {
        let reset = act("reset", "wang").with("output", Value::Text("FAN-1".into()));
        node.batch(4, vec![act("silence", "local"), reset]).await;
        node.acknowledged(&[4]).await;
    }
    let audited = city.records.audited(None, 10).await.expect("an audit log");
    let rows: Vec<_> = (audited.iter().rev())
        .filter(|row| row.action.starts_with("plant-"))
        .map(|row| {
            (
                &*row.actor,
                &*row.action,
                &*row.subject,
                &*row.detail,
                row.time_ms,
            )
        })
        .collect();
    let silence = (
        "tank-farm/local",
        "plant-silence",
        "tank-farm",
        "{}",
        TIME_MS,
    );
    let fan = "{\"output\":\"FAN-1\"}";
    let reset = ("tank-farm/wang", "plant-reset", "tank-farm", fan, TIME_MS);
    assert_eq!(rows, [silence, reset]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_arrival_does_not_matter() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    node.batch(6, vec![line(2, 1, 3, "clear", TIME_MS + 9)])
        .await;
    node.batch(5, vec![line(1, 0, 1, "active", TIME_MS)]).await;
    node.acknowledged(&[5, 6]).await;
    let alarm = city
        .records
        .alarm("tank-farm", "GT-101.HH")
        .await
        .expect("records");
    assert_eq!(
        alarm.expect("the alarm").state,
        Shown::ReturnedUnacknowledged
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_before_its_birth_is_answered_with_a_request_for_it_and_not_acknowledged() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.asked_for_rebirth().await;
    node.be_born().await;
    node.batch(5, vec![level(2.0, TIME_MS + 1)]).await;
    node.acknowledged(&[5]).await;
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.acknowledged(&[4]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metric_that_no_birth_declares_is_put_aside_when_a_new_birth_does_not_help() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let stranger = || Metric::aliased(4_711, Some(Value::Number(1.0))).at(TIME_MS);
    node.batch(4, vec![level(1.0, TIME_MS), stranger()]).await;
    node.asked_for_rebirth().await;
    assert!(city.quarantined().await.is_empty());
    node.be_born().await;
    node.batch(4, vec![level(1.0, TIME_MS), stranger()]).await;
    node.acknowledged(&[4]).await;
    assert!(city.quarantined().await[0].why.contains("4711"));
    assert_eq!(
        city.shelf.of("tank-farm", "GT-101").len(),
        1,
        "the rest is kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_copy_under_an_older_birth_is_never_put_aside_and_the_batch_is_read_when_it_comes_again()
 {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let late = || {
        let offset = Metric::aliased(node::OFFSET, Some(Value::Unsigned(4)));
        message(vec![
            offset.with("birth", Value::Unsigned(1)),
            level(1.0, TIME_MS),
        ])
    };
    node.publish(Verb::NodeData, "", late().to_bytes()).await;
    node.asked_for_rebirth().await;
    node.be_born().await;
    node.publish(Verb::NodeData, "", late().to_bytes()).await;
    node.asked_for_rebirth().await;
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.acknowledged(&[4]).await;
    assert!(city.quarantined().await.is_empty());
    assert_eq!(city.shelf.of("tank-farm", "GT-101").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_birth_of_an_earlier_session_that_comes_late_takes_no_alias_away() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let late = davy_wire::Payload {
        timestamp: Some(1),
        ..message(vec![
            Metric::named(
                "GT-101",
                davy_wire::DataType::Double,
                Some(Value::Number(1.0)),
            )
            .with_alias(70),
        ])
    };
    node.publish(Verb::DeviceBirth, "GD-01", late.to_bytes())
        .await;
    for _ in 0..2 {
        node.batch(4, vec![level(1.0, TIME_MS)]).await;
    }
    node.acknowledged(&[4]).await;
    assert!(city.quarantined().await.is_empty());
    assert_eq!(city.shelf.of("tank-farm", "GT-101").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metric_of_a_device_whose_birth_was_lost_is_not_put_aside() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    for _ in 0..2 {
        node.be_born_without_its_device().await;
        node.batch(4, vec![level(1.0, TIME_MS)]).await;
        node.asked_for_rebirth().await;
    }
    node.be_born().await;
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.acknowledged(&[4]).await;
    assert!(city.quarantined().await.is_empty());
    assert_eq!(city.shelf.of("tank-farm", "GT-101").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_point_dropped_from_the_site_file_comes_by_device_and_name() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let gone = Metric::named(
        "GD-01/GT-109",
        davy_wire::DataType::Double,
        Some(Value::Number(3.0)),
    );
    node.batch(4, vec![gone.at(TIME_MS)]).await;
    node.acknowledged(&[4]).await;
    assert_eq!(city.shelf.of("tank-farm", "GT-109").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_batch_is_put_aside_whole_and_then_acknowledged() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let offset = Metric::aliased(node::OFFSET, Some(Value::Unsigned(4)));
    let mut cut = message(vec![offset, level(1.0, TIME_MS), level(2.0, TIME_MS + 1)]).to_bytes();
    cut.truncate(cut.len() - 9);
    node.publish(Verb::NodeData, "", cut.clone()).await;
    node.acknowledged(&[4]).await;
    node.batch(5, vec![line(1, 0, 99, "active", TIME_MS)]).await;
    node.acknowledged(&[5]).await;
    let aside = city.quarantined().await;
    assert_eq!(aside.len(), 2);
    assert_eq!(
        (&aside[1].payload, aside[1].topic.as_str()),
        (&cut, "spBv1.0/davy/NDATA/tank-farm")
    );
    assert!(aside[0].why.contains("GT-101.HH"), "{}", aside[0].why);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_history_is_waited_for() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    city.shelf.be_busy(6);
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.acknowledged(&[4]).await;
    assert_eq!(city.shelf.failures_left(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failing_store_did_not_keep_is_not_acknowledged() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    node.batch(3, vec![level(0.0, TIME_MS - 1)]).await;
    node.acknowledged(&[3]).await;
    city.shelf.fail(4);
    node.batch(
        4,
        vec![level(1.0, TIME_MS), line(1, 0, 1, "active", TIME_MS)],
    )
    .await;
    until(async || city.shelf.failures_left() == 0).await;
    node.batch(5, vec![level(2.0, TIME_MS + 1)]).await;
    node.acknowledged(&[5]).await;
    assert!(
        city.transitions().await.is_empty(),
        "records hold nothing of a batch that history did not keep"
    );
    node.batch(
        4,
        vec![level(1.0, TIME_MS), line(1, 0, 1, "active", TIME_MS)],
    )
    .await;
    node.acknowledged(&[4]).await;
    assert_eq!(city.transitions().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_a_thousand_batches_is_taken_and_acknowledged() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let offsets: Vec<u64> = (0..1_000).collect();
    for offset in &offsets {
        let time_ms = TIME_MS + i64::try_from(*offset).expect("a small number");
        node.batch(*offset, vec![level(1.0, time_ms)]).await;
    }
    node.acknowledged(&offsets).await;
    assert_eq!(city.shelf.of("tank-farm", "GT-101").len(), 1_000);
}

/// Puts a batch aside whose second metric no birth declares, then has the node born with it.
async fn put_aside_and_declared(city: &City, node: &mut Node) -> i64 {
    let stranger = || Metric::aliased(4_711, Some(Value::Number(7.5))).at(TIME_MS + 1);
    let raise = || line(1, 0, 1, "active", TIME_MS);
    let batch = || vec![level(1.0, TIME_MS), raise(), stranger()];
    node.be_born().await;
    node.batch(4, batch()).await;
    node.asked_for_rebirth().await;
    node.be_born().await;
    node.batch(4, batch()).await;
    node.acknowledged(&[4]).await;
    let declared = Metric::named("GT-102", DataType::Double, None).with_alias(4_711);
    node.be_born().await;
    node.publish(
        Verb::DeviceBirth,
        "GD-02",
        message(vec![declared]).to_bytes(),
    )
    .await;
    until(async || {
        let births = city
            .records
            .births("davy", "tank-farm")
            .await
            .expect("records");
        births.len() == 3
    })
    .await;
    city.quarantined().await[0].id
}

async fn audited(city: &City, action: &str) -> usize {
    let rows = city.records.audited(None, 50).await.expect("an audit log");
    rows.iter().filter(|row| row.action == action).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantined_message_is_put_through_again_once_a_birth_declares_what_it_holds() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    let id = put_aside_and_declared(&city, &mut node).await;
    assert!(city.shelf.of("tank-farm", "GT-102").is_empty());
    let asked = city.records.ask_replay(id, "adm", true, TIME_MS).await;
    assert!(asked.expect("records"));
    until(async || city.quarantined().await.is_empty()).await;
    let kept = [Reading::measured(7.5, WallMs(TIME_MS + 1))];
    assert_eq!(city.shelf.of("tank-farm", "GT-102"), kept);
    assert_eq!(city.transitions().await.len(), 1, "no line is doubled");
    assert_eq!(audited(&city, "quarantine-replayed").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantined_message_of_another_birth_is_not_read_by_this_one_unless_somebody_vouches_for_it()
 {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    let id = put_aside_and_declared(&city, &mut node).await;
    let asked = city.records.ask_replay(id, "adm", false, TIME_MS).await;
    assert!(asked.expect("records"));
    until(async || audited(&city, "quarantine-kept").await == 1).await;
    until(async || city.quarantined().await[0].replay_asked_by.is_none()).await;
    let held = city.quarantined().await;
    assert!(held[0].why.contains("born again"), "{}", held[0].why);
    assert!(city.shelf.of("tank-farm", "GT-102").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_told_late_stands_in_the_audit_log_at_its_own_time_and_says_how_late() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let told = |kind: &str| {
        let kind = Some(Value::Text(kind.to_owned()));
        let metric = Metric::named(name::TOLD, DataType::Text, kind).at(TIME_MS - 3_600_000);
        let device = Value::Text("node-1".to_owned());
        metric
            .with("device", device)
            .with("collected", Value::Whole(TIME_MS))
    };
    let alarm = told("alarm").with("number", Value::Unsigned(7));
    let missed = told("missed").with("from", Value::Unsigned(8));
    node.batch(4, vec![alarm, missed]).await;
    node.acknowledged(&[4]).await;
    let rows = city.records.audited(None, 10).await.expect("an audit log");
    let of = |action: &str| rows.iter().find(|row| row.action == action).expect("a row");
    let event = of("node-event");
    assert_eq!(event.time_ms, TIME_MS - 3_600_000);
    assert_eq!(event.actor, "tank-farm/node-1");
    let detail: serde_json::Value = serde_json::from_str(&event.detail).expect("JSON");
    let wanted = serde_json::json!({ "kind": "alarm", "number": 7, "collected": TIME_MS, "late_ms": 3_600_000 });
    assert_eq!(detail, wanted);
    assert!(of("node-events-lost").detail.contains("\"from\":8"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateways_clock_that_was_set_stands_in_the_audit_log_and_rewrites_no_time() {
    let city = City::new().await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    let year = 31_536_000_000;
    node.batch(4, vec![level(1.0, TIME_MS - year)]).await;
    let set = Metric::named(name::CLOCK_SET, DataType::Int64, Some(Value::Whole(year)));
    node.batch(5, vec![set.at(TIME_MS)]).await;
    node.batch(6, vec![level(2.0, TIME_MS + 1)]).await;
    node.acknowledged(&[4, 5, 6]).await;
    let rows = city.records.audited(None, 10).await.expect("an audit log");
    let row = rows
        .iter()
        .find(|row| row.action == "clock-set")
        .expect("the row");
    assert_eq!((row.time_ms, &*row.subject), (TIME_MS, "tank-farm"));
    assert_eq!(row.detail, "{\"by_ms\":31536000000}");
    let kept: Vec<_> = city
        .shelf
        .of("tank-farm", "GT-101")
        .iter()
        .map(|one| one.source_time().0)
        .collect();
    assert_eq!(kept, [TIME_MS - year, TIME_MS + 1]);
}
