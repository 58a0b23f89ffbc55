//! Collectors as replicas: the real program three times behind a shared subscription on mosquitto, on one PostgreSQL and one history that they share. Under load
//! one is killed, one more comes, another is killed, another comes; nothing is lost, doubled or reordered.

use crate::broker::{Mosquitto, mosquitto};
use crate::fleet::{self, Fleet, Plan};
use crate::program::Program;
use crate::store;
use davy_cloud::history::History;
use davy_cloud::history::cassandra::Cassandra;
use davy_cloud::history::influx::Influx;
use davy_cloud::records::Records;
use davy_cloud::run::now_ms;
use davy_cloud::settings::{Engine, Settings};
use std::path::{Path, PathBuf};

/// The settings of every replica; the path of the file.
async fn settings(folder: &Path, broker: &Mosquitto, history: &str) -> PathBuf {
    let database = store::database(store::BYTES).await;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n\
         [broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {}\nshare = \"city\"\n\
         [records]\nkind = \"postgresql\"\nhost = \"{}\"\nport = {}\ndatabase = \"{}\"\n\
         [history]\n{history}\n",
        broker.address.port(),
        database.host,
        database.port,
        database.database,
    );
    let file = folder.join("CLOUD.toml");
    std::fs::write(&file, text).expect("settings");
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_influxdb_of_which_two_are_killed_under_load_lose_double_and_reorder_nothing()
 {
    let server = std::env::var("DAVY_INFLUXDB")
        .expect("DAVY_INFLUXDB names an InfluxDB server: run `cargo xtask test`");
    let table = format!("engine = \"influxdb\"\nurl = \"http://{server}\"\ntoken_file = \"token\"");
    check("on-influxdb", &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_cassandra_of_which_two_are_killed_under_load_lose_double_and_reorder_nothing()
 {
    let nodes = std::env::var("DAVY_CASSANDRA")
        .expect("DAVY_CASSANDRA names the nodes of a cluster: run `cargo xtask test`");
    let nodes = nodes.replace(',', "\", \"");
    let table =
        format!("engine = \"cassandra\"\nnodes = [\"{nodes}\"]\nkeyspace = \"davy_replicas\"");
    check("on-cassandra", &table).await;
}

async fn check(name: &'static str, table: &str) {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let plan = Plan {
        name,
        batches: 240,
        window: 40,
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "davy-test-token\n").expect("a token");
    let file = settings(folder.path(), &mosquitto, table).await;
    let start = || Program::start(&file);
    let mut running = vec![start(), start(), start()];
    let fleet = Fleet::start(plan, mosquitto.address).await;
    for share in [0.2, 0.5] {
        fleet.reached(share).await;
        running.remove(0);
        fleet.reached(share + 0.1).await;
        running.push(start());
    }
    fleet.done().await;
    let text = std::fs::read_to_string(&file).expect("settings");
    let settings = Settings::parse(&text, folder.path()).expect("valid settings");
    fleet::check_readings(&*history(&settings).await, plan).await;
    let records = Records::of(&settings, now_ms()).await.expect("records");
    fleet::check_lines(&records, plan).await;
}

async fn history(settings: &Settings) -> Box<dyn History> {
    match &settings.history {
        Engine::Embedded => panic!("an engine that can be shared"),
        Engine::Influx(address) => Box::new(Influx::new(address).expect("the engine")),
        Engine::Cassandra(address) => {
            Box::new(Cassandra::connect(address).await.expect("the engine"))
        }
    }
}
