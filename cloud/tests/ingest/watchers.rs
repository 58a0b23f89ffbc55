//! Two collectors on one PostgreSQL: who watches at one sees what the other commits, as it happens, also after the connection between them was lost.

use crate::city::{City, until, within};
use crate::live::{browser, cookie, read_until};
use crate::node::{Node, line};
use crate::store;
use davy_cloud::records::Command;
use davy_cloud::settings::Store;
use tokio::io::BufReader;
use tokio::net::TcpStream;

const TIME_MS: i64 = 1_795_500_000_000;

/// A collector that a gateway talks to, another one, and a browser at the other that has its first snapshot.
async fn two() -> (City, City, Node, BufReader<TcpStream>) {
    let city = City::shared().await;
    let other = city.replica().await;
    let node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    until(async || city.is_online("tank-farm").await).await;
    let cookie = cookie(&city).await;
    let mut there = browser(other.http, &cookie, false).await;
    within(read_until(&mut there, "snapshot", "\"resync\":false")).await;
    (city, other, node, there)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_at_one_collector_sees_alarms_and_sites_that_another_commits() {
    let (_city, _other, node, mut there) = two().await;
    node.batch(1, vec![line(1, 0, 1, "active", TIME_MS)]).await;
    within(read_until(&mut there, "transition", "\"seq\":1,")).await;
    within(read_until(&mut there, "alarm", "GT-101.HH")).await;
    // The site's own line follows, with its count of alarms.
    within(read_until(&mut there, "site", "\"active\":1")).await;
    node.break_off();
    within(read_until(&mut there, "site", "\"link\":\"down\"")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_one_collector_heard_reaches_who_waits_at_another() {
    let (city, _other, _node, mut there) = two().await;
    let command = Command {
        id: "c-1".into(),
        site: "tank-farm".into(),
        alarm: "GT-101.HH".into(),
        action: "acknowledge".into(),
        actor: "wang".into(),
        sent_ms: TIME_MS,
    };
    let sent = city.records.command_sent(&command).await;
    sent.expect("a command");
    let answered = city.records.command_answered("c-1", "not-active", TIME_MS);
    assert!(answered.await.expect("an answer"));
    within(read_until(&mut there, "refused", "not-active")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_lost_its_connection_shows_everything_anew_and_then_what_happens() {
    let (city, _other, node, mut there) = two().await;
    let Store::Postgres(database) = &city.settings.records else {
        panic!("a database that is shared")
    };
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'davy-cloud-replicas'",
        database.database
    );
    store::ask(&store::server(), "postgres", &cut).await;
    node.batch(1, vec![line(1, 0, 1, "active", TIME_MS)]).await;
    within(read_until(&mut there, "snapshot", "\"resync\":true")).await;
    node.batch(2, vec![line(2, 1, 2, "acknowledge", TIME_MS + 1)])
        .await;
    within(read_until(&mut there, "transition", "\"seq\":2,")).await;
    within(read_until(&mut there, "alarm", "\"seq\":2,")).await;
}
