//! Back-pressure: the real program before an engine that goes away, has no room, or is slow, while gateways send on. It acknowledges nothing that is not kept,
//! holds a bounded queue and then reads its socket no more, says how it is, and goes on by itself; in the end everything is there once.

use crate::broker::mosquitto;
use crate::city::until;
use crate::fleet::{self, Fleet, Plan};
use crate::program::Program;
use crate::small_disk::SmallDisk;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::records::Records;
use davy_cloud::run::now_ms;
use davy_cloud::settings::Settings;
use server::{Mode, Server};
use std::net::SocketAddr;

mod server;

/// Unacknowledged batches of five gateways: more than the queue and a group hold.
const WINDOW: usize = 700;
/// Messages that the collector lets wait (`MOST_QUEUED`).
const QUEUE: f64 = 2_048.0;
/// More than the collector may hold beyond what it held before: 64 MiB of messages, decoded groups, and what the allocator keeps.
const MORE_MB: u64 = 200;

fn free() -> SocketAddr {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    taken.local_addr().expect("its address")
}

async fn get(url: String) -> (u16, String) {
    let ask = move || {
        let asked = ureq::get(&url)
            .config()
            .http_status_as_error(false)
            .build()
            .call();
        let Ok(mut answer) = asked else {
            return (0, String::new());
        };
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    };
    tokio::task::spawn_blocking(ask).await.expect("no panic")
}

/// A figure of `/metrics`; 0 of one that was not counted yet.
async fn figure(http: SocketAddr, name: &str) -> f64 {
    let (_, text) = get(format!("http://{http}/metrics")).await;
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value).unwrap_or(0.0)
}

/// Whether ingest says that it fails, and of what.
async fn fails(http: SocketAddr, of: &str) -> bool {
    let (status, text) = get(format!("http://{http}/healthz")).await;
    status == 503 && text.contains("not committed, not acknowledged: ") && text.contains(of)
}

/// Awaits the last acknowledgement, however long that takes as long as more of them come: a busy machine is no fault.
async fn drained(fleet: Fleet) {
    loop {
        let before = fleet.acknowledged();
        let more = async || before < fleet.acknowledged() || fleet.is_done();
        until(more).await;
        if fleet.is_done() {
            return fleet.done().await;
        }
    }
}

async fn check(name: &'static str, fault: Mode) {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let plan = Plan {
        name,
        batches: 1_600,
        window: WINDOW,
    };
    let (folder, http) = (tempfile::tempdir().expect("a folder"), free());
    let engine = Server::start();
    std::fs::write(folder.path().join("token"), "davy-test-token\n").expect("a token");
    let text = format!(
        "listen = \"{http}\"\n\
         [broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {}\n\
         [history]\nengine = \"influxdb\"\nurl = \"http://{}\"\ntoken_file = \"token\"\n",
        mosquitto.address.port(),
        engine.address(),
    );
    let file = folder.path().join("CLOUD.toml");
    std::fs::write(&file, &text).expect("settings");
    let program = Program::start(&file);
    let fleet = Fleet::start(plan, mosquitto.address).await;
    fleet.reached(0.1).await;
    let before_mb = program.memory_mb();

    engine.be(fault);
    // What was on its way when that happened may still be acknowledged.
    let queue = async || figure(http, "davy_ingest_queue_messages").await;
    until(async || queue().await >= QUEUE - 1.0).await;
    let kept = engine.kept();
    if fault == Mode::Slow {
        until(async || engine.kept() > kept).await;
    } else {
        until(async || fails(http, "history").await).await;
        let acknowledged = fleet.acknowledged();
        let failures = async || figure(http, "davy_ingest_store_failures_total").await;
        let before = failures().await;
        assert!(before > 0.0);
        // Tried again and again, and nothing was acknowledged.
        until(async || failures().await >= before + 2.0).await;
        assert_eq!((fleet.acknowledged(), engine.kept()), (acknowledged, kept));
    }
    assert!(queue().await <= QUEUE);
    let held_mb = program.memory_mb();
    assert!(
        held_mb < before_mb + MORE_MB,
        "{before_mb} MB, then {held_mb} MB"
    );

    engine.be(Mode::Well);
    drained(fleet).await;
    until(async || get(format!("http://{http}/healthz")).await.0 == 200).await;
    program.end();
    let settings = Settings::parse(&text, folder.path()).expect("valid settings");
    let records = Records::of(&settings, now_ms()).await.expect("records");
    fleet::check_lines(&records, plan).await;
    for gateway in 0..fleet::GATEWAYS {
        let found = engine.of(&fleet::edge(plan, gateway), "GT-101");
        assert!(
            found == fleet::all_readings(plan),
            "{} readings",
            found.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_away_for_a_while_costs_nothing_and_is_told_of() {
    check("away", Mode::Away).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_whose_disk_is_full_for_a_while_costs_nothing_and_is_told_of() {
    check("full", Mode::Full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_slow_holds_the_gateways_back_and_not_the_memory() {
    check("slow", Mode::Slow).await;
}

/// Records and history as the embedded stores keep them, on one disk that somebody else fills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_whose_own_disk_is_full_for_a_while_acknowledges_nothing_and_goes_on_by_itself()
{
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let plan = Plan {
        name: "disk",
        batches: 1_600,
        window: WINDOW,
    };
    let (disk, http) = (SmallDisk::mount(256), free());
    let text = format!(
        "listen = \"{http}\"\n[broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {}\n",
        mosquitto.address.port(),
    );
    let file = disk.path().join("CLOUD.toml");
    std::fs::write(&file, &text).expect("settings");
    let program = Program::start(&file);
    let fleet = Fleet::start(plan, mosquitto.address).await;
    fleet.reached(0.1).await;

    let others = disk.fill();
    until(async || fails(http, "full").await).await;
    // What was committed before it was full may be acknowledged after it; then nothing is.
    let failures = async || figure(http, "davy_ingest_store_failures_total").await;
    let (acknowledged, before) = (fleet.acknowledged(), failures().await);
    until(async || failures().await >= before + 2.0).await;
    assert_eq!(fleet.acknowledged(), acknowledged);
    assert!(acknowledged < fleet::GATEWAYS * plan.batches);

    std::fs::remove_file(others).expect("somebody else's file");
    drained(fleet).await;
    until(async || get(format!("http://{http}/healthz")).await.0 == 200).await;
    program.end();
    let settings = Settings::parse(&text, disk.path()).expect("valid settings");
    let records = Records::of(&settings, now_ms()).await.expect("records");
    fleet::check_lines(&records, plan).await;
    let history = Embedded::open(settings.history_folder()).expect("a history");
    assert!(history.damaged().is_empty());
    fleet::check_readings(&history, plan).await;
}
