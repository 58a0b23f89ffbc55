//! Somebody else's broker: mosquitto, alone and with a shared subscription.

use crate::city::{City, until, within};
use crate::node::{Node, level};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = "/usr/sbin/mosquitto";
const TIME_MS: i64 = 1_795_500_000_000;

/// A mosquitto that ends with this value.
pub(crate) struct Mosquitto {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// None where it is not installed; `cargo xtask test` installs it.
pub(crate) async fn mosquitto() -> Option<Mosquitto> {
    if !std::path::Path::new(PROGRAM).exists() {
        eprintln!("mosquitto is not installed: nothing is tested against it");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    drop(taken);
    let file = folder.path().join("mosquitto.conf");
    let text = format!(
        "listener {} 127.0.0.1\nallow_anonymous true\n",
        address.port()
    );
    std::fs::write(&file, text).expect("its settings");
    let child = Command::new(PROGRAM)
        .arg("-c")
        .arg(&file)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("mosquitto");
    within(async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    Some(Mosquitto {
        child,
        address,
        _folder: folder,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_come_through_somebody_elses_broker() {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let city = City::beside(mosquitto.address, "").await;
    let mut node = Node::connect(city.broker, "tank-farm", 0).await;
    node.be_born().await;
    node.batch(4, vec![level(1.0, TIME_MS)]).await;
    node.acknowledged(&[4]).await;
    node.break_off();
    until(async || !city.is_online("tank-farm").await).await;
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_collectors_share_what_comes_and_each_batch_is_kept_by_one() {
    let Some(mosquitto) = mosquitto().await else {
        return;
    };
    let first = City::beside(mosquitto.address, "share = \"davy\"").await;
    let second = first.replica().await;
    let mut node = Node::connect(mosquitto.address, "tank-farm", 0).await;
    node.see_host("true").await;
    node.be_born().await;
    until(async || {
        let births = first
            .records
            .births("davy", "tank-farm")
            .await
            .expect("records");
        births.len() == 2
    })
    .await;
    let offsets: Vec<u64> = (1..=40).collect();
    for offset in &offsets {
        let time_ms = TIME_MS + i64::try_from(*offset).expect("a small number");
        node.batch(*offset, vec![level(1.0, time_ms)]).await;
    }
    node.acknowledged(&offsets).await;
    let counted = |city: &City| city.shelf.of("tank-farm", "GT-101").len();
    assert_eq!(counted(&first) + counted(&second), 40);
    assert!(counted(&first) > 0 && counted(&second) > 0);
}
