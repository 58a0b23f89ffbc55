//! The uplink against a broker that we did not write (mosquitto), with a collector that commits and acknowledges as the cloud does.
#![allow(clippy::unwrap_used)]

mod uplink_peer;

use davy_alarm::{Reading, WallMs};
use davy_gateway::journal::Record;
use davy_gateway::judge::Ask;
use davy_gateway::uplink::LinkState;
use davy_wire::{DataType, Metric, Value, name};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use uplink_peer::{Broker, Collector, Gateway, Heard, Lossy, until};

const DEVICE_COMMAND: &str = "spBv1.0/330283/DCMD/solvent-warehouse/GC-1";
const NODE_COMMAND: &str = "spBv1.0/330283/NCMD/solvent-warehouse";

/// A broker, a collector that listens, and a gateway that it has seen born.
async fn city() -> (Broker, Collector, Gateway) {
    let broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Never).await;
    let gateway = Gateway::start(broker.port);
    until("it is born", || {
        collector.births().len() == 1 + gateway.devices()
    })
    .await;
    (broker, collector, gateway)
}

fn session(heard: &Heard) -> Option<Value> {
    heard.payload.metric(name::BD_SEQ)?.value(None)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missing_after_the_broker_was_killed_half_way() {
    let mut broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Tenth).await;
    let gateway = Gateway::start(broker.port);
    gateway.journal.append(200);
    until("a part is committed", || collector.offsets().len() >= 40).await;
    broker.kill();
    gateway.journal.append(100);
    until("the gateway notices", || {
        gateway.uplink.links().broker.state == LinkState::Down
    })
    .await;
    assert_eq!(gateway.uplink.links().cloud.state, LinkState::Down);
    broker.restart();
    until("all is acknowledged", || {
        gateway.uplink.links().cloud.backlog_batches == 0
    })
    .await;
    assert_eq!(collector.offsets(), (0..300).collect::<BTreeSet<u64>>());
    until("the cloud is up", || {
        gateway.uplink.links().cloud.state == LinkState::Up
    })
    .await;
    collector.keeps_order();
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_says_so_by_the_name_of_its_session() {
    let (_broker, collector, gateway) = city().await;
    gateway.stop().await;
    until("it dies", || !collector.of("NDEATH").is_empty()).await;
    let (birth, death) = (
        collector.of("NBIRTH").remove(0),
        collector.of("NDEATH").remove(0),
    );
    assert!(session(&birth).is_some());
    assert_eq!(session(&birth), session(&death));
    assert_eq!(death.payload.seq, None);
    assert_eq!(
        collector.of("NDEATH").len(),
        1,
        "the will does not say it again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_batch_is_committed_at_once() {
    let (_broker, collector, gateway) = city().await;
    let mut waits = Vec::new();
    for offset in 0..100 {
        let began = Instant::now();
        gateway.journal.append(1);
        collector.committed(offset).await;
        waits.push(began.elapsed());
    }
    waits.sort_unstable();
    println!(
        "batch to collector: median {:?}, p90 {:?}, p99 {:?}",
        waits[50], waits[90], waits[98]
    );
    // The target of the whole gateway is 10 ms on an idle machine; other builds may run beside this test.
    assert!(
        waits[50] < Duration::from_millis(10),
        "median {:?}",
        waits[50]
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebirth_that_a_host_asks_for_comes_in_the_same_session() {
    let (_broker, collector, gateway) = city().await;
    let rebirth = Metric::named(name::REBIRTH, DataType::Boolean, Some(Value::Flag(true)));
    collector.command(NODE_COMMAND, rebirth).await;
    let both = 2 * (1 + gateway.devices());
    until("it is born again", || collector.births().len() == both).await;
    let born = collector.of("NBIRTH");
    assert_eq!(session(&born[0]), session(&born[1]));
    collector.keeps_order();
    gateway.stop().await;
}

fn acknowledge(command: &str) -> Metric {
    Metric::named("Alarms/GT-1/HIHI", DataType::Int32, Some(Value::Whole(2)))
        .with("occurrence", Value::Unsigned(3))
        .with("actor", Value::Text("zhao".into()))
        .with("command", Value::Text(command.into()))
}

fn refusals(collector: &Collector) -> Vec<(String, String)> {
    let told = |heard: Heard| {
        let text = heard.payload.metric(name::REFUSAL)?.value(None)?;
        let told: serde_json::Value = serde_json::from_str(text.as_text()?).ok()?;
        let field = |key: &str| told[key].as_str().map(str::to_owned);
        Some((field("command")?, field("why")?))
    };
    collector.of("NDATA").into_iter().filter_map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_command_reaches_judgement_once_and_a_refused_one_is_answered() {
    let (_broker, collector, mut gateway) = city().await;
    for command in ["c-1", "c-1", "c-2"] {
        collector
            .command(DEVICE_COMMAND, acknowledge(command))
            .await;
    }
    let first = gateway.asked().await;
    let Ask::Alarm { actor, person, .. } = &first.ask else {
        panic!("{first:?}");
    };
    assert!(actor.remote && !actor.maintenance);
    assert_eq!(&*person.actor, "zhao");
    let second = gateway.asked().await;
    let mut asked = [first.command.clone(), second.command.clone()].map(Option::unwrap);
    asked.sort();
    assert_eq!(asked, ["c-1", "c-2"], "the same command acts once");
    for request in [first, second] {
        let refused = request.command.as_deref() == Some("c-2");
        let answer = if refused {
            Err(davy_alarm::Refusal::NewerOccurrence)
        } else {
            Ok(())
        };
        request.reply.send(answer).unwrap();
    }
    let mut stranger = acknowledge("c-3");
    stranger.name = Some("Alarms/GT-99/HIHI".into());
    collector.command(DEVICE_COMMAND, stranger).await;
    let write = Metric::named("GT-1", DataType::Double, Some(Value::Number(1.0)));
    collector.command(DEVICE_COMMAND, write).await;
    until("three refusals", || refusals(&collector).len() == 3).await;
    let told: BTreeSet<_> = refusals(&collector).into_iter().collect();
    let expected = [
        ("c-2", "newer-occurrence"),
        ("c-3", "unknown-alarm"),
        ("", "unknown-alarm"),
    ];
    let expected = expected.map(|(command, why)| (command.to_owned(), why.to_owned()));
    assert_eq!(told, BTreeSet::from(expected));
    collector.keeps_order();
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_command_do_no_harm() {
    let (_broker, collector, gateway) = city().await;
    for (topic, bytes) in [
        (NODE_COMMAND, vec![0xff; 40]),
        (DEVICE_COMMAND, vec![0x12, 0xff]),
    ] {
        collector.publish(topic, bytes).await;
    }
    let garbage = Some(Value::Text("7:9-1".into()));
    collector
        .command(
            NODE_COMMAND,
            Metric::named(name::ACK, DataType::Text, garbage),
        )
        .await;
    gateway.journal.append(1);
    collector.committed(0).await;
    assert_eq!(collector.of("NBIRTH").len(), 1, "the link stands");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_has_on_disk_is_committed_and_nothing_else_waits() {
    let broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Never).await;
    let gateway = Gateway::start_on_disk(broker.port);
    until("it is born", || {
        collector.births().len() == 1 + gateway.devices()
    })
    .await;
    for second in 0..40_u32 {
        let time = WallMs(1_764_000_000_000 + i64::from(second) * 1_000);
        let reading = Reading::measured(f64::from(second), time);
        let record = Record::Reading { point: 0, reading };
        gateway
            .journal
            .append(Some(gateway.site.points[0].device), vec![record]);
    }
    let sent = |heard: Heard| heard.payload.metrics.len() - 1;
    until("every reading arrives", || {
        collector.of("DDATA").into_iter().map(sent).sum::<usize>() >= 40
    })
    .await;
    until("nothing waits", || {
        gateway.uplink.links().cloud.backlog_batches == 0
    })
    .await;
    let next = gateway.journal.stats().next_offset;
    assert_eq!(collector.offsets(), (0..next).collect::<BTreeSet<u64>>());
    gateway.stop().await;
}

const HOST: &str = "primary_host = \"scada\"";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_born_before_the_primary_host_is_online_and_the_node_leaves_when_it_goes() {
    let broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Never).await;
    let gateway = Gateway::start_with(broker.port, HOST);
    gateway.journal.append(3);
    until("it is connected", || {
        gateway.uplink.links().broker.state == LinkState::Up
    })
    .await;
    // Another host's word, an offline one, and one that nobody can read, tell nothing.
    collector.state("another", true, 5).await;
    collector.state("scada", false, 5).await;
    collector
        .publish("spBv1.0/STATE/scada", b"{}".to_vec())
        .await;
    let echo = Metric::named("x", DataType::Boolean, Some(Value::Flag(true)));
    collector.command("spBv1.0/330283/NDATA/echo", echo).await;
    until("the collector heard all that", || {
        collector.of("NDATA").len() == 1
    })
    .await;
    assert_eq!(collector.births().len(), 0);

    collector.state("scada", true, 6).await;
    collector.committed(2).await;
    assert_eq!(collector.births().len(), 1 + gateway.devices());
    until("the cloud is up", || {
        gateway.uplink.links().cloud.state == LinkState::Up
    })
    .await;

    // A will that comes late says nothing of the host that is back.
    collector.state("scada", false, 4).await;
    gateway.journal.append(1);
    collector.committed(3).await;
    assert_eq!(collector.of("NDEATH").len(), 0);

    collector.state("scada", false, 7).await;
    until("the node leaves", || collector.of("NDEATH").len() == 1).await;
    gateway.journal.append(2);
    until("it waits again", || {
        gateway.uplink.links().broker.state == LinkState::Up
    })
    .await;
    assert_eq!(collector.of("NBIRTH").len(), 1);
    collector.state("scada", true, 8).await;
    collector.committed(5).await;
    assert_eq!(collector.of("NBIRTH").len(), 2);
    assert_eq!(collector.offsets(), (0..6).collect::<BTreeSet<u64>>());
    collector.keeps_order();
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_commits_nothing_gets_everything_and_what_it_was_sent_is_forgotten() {
    let mut broker = Broker::start();
    let collector = Collector::start(broker.port, Lossy::Always).await;
    let gateway = Gateway::start_with(broker.port, "ack = \"none\"");
    gateway.journal.append(300);
    until("all is delivered", || {
        gateway.uplink.links().cloud.backlog_batches == 0
    })
    .await;
    assert_eq!(collector.of("DDATA").len(), 300, "each is sent once");
    assert_eq!(gateway.uplink.links().cloud.state, LinkState::Up);

    broker.kill();
    gateway.journal.append(50);
    until("the gateway notices", || {
        gateway.uplink.links().broker.state == LinkState::Down
    })
    .await;
    assert_eq!(gateway.uplink.links().cloud.backlog_batches, 50);
    broker.restart();
    until("the rest is delivered", || {
        gateway.uplink.links().cloud.backlog_batches == 0
    })
    .await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_does_not_keep_up_is_told_until_what_waits_is_through() {
    let broker = Broker::start();
    let _collector = Collector::start(broker.port, Lossy::Tenth).await;
    let gateway = Gateway::start(broker.port);
    let state = || gateway.uplink.links().cloud.state;
    gateway.journal.append(1);
    until("the cloud is up", || state() == LinkState::Up).await;
    gateway.journal.append(400);
    until("it falls behind", || state() == LinkState::Behind).await;
    until("it has caught up", || state() == LinkState::Up).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_cannot_be_reached_is_left_for_the_next_and_the_first_is_taken_again() {
    let (mut first, backup) = (Broker::start(), Broker::start());
    first.kill();
    let at_first = Collector::start(backup.port, Lossy::Never).await;
    let uplink = format!("backup_brokers = [\"127.0.0.1:{}\"]", backup.port);
    let gateway = Gateway::start_with(first.port, &uplink);
    gateway.journal.append(5);
    at_first.committed(4).await;

    first.restart();
    let again = Collector::start(first.port, Lossy::Never).await;
    drop(backup);
    gateway.journal.append(5);
    again.committed(9).await;
    gateway.stop().await;
}
