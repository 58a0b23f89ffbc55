//! Scenarios as a gateway meets them: on the registers, on the cable and on the link to the city.

#![allow(clippy::unwrap_used)]

use davy_plant::{Address, Kind, Options, Running, sites};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::prelude::*;

/// A site whose process runs fifty times as fast.
async fn fast(site: &str, mut change: impl FnMut(&mut Options)) -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::free(dir.path());
    options.time_factor = 50.0;
    change(&mut options);
    let running = Running::start(sites::by_id(site).unwrap(), options)
        .await
        .unwrap();
    (dir, running)
}

fn value(plant: &Running, point: &str) -> f64 {
    plant
        .points()
        .iter()
        .find(|now| now.point == point)
        .unwrap()
        .value
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait)
        .await
        .expect("the condition holds in time");
}

#[tokio::test]
async fn a_fan_switched_on_over_modbus_draws_a_leak_down() {
    let (_dir, plant) = fast("tank-farm", |_| {}).await;
    plant.begin(1, Kind::Leak, Some("GT-101"), None).unwrap();
    until(|| value(&plant, "GT-101") > 60.0).await;
    assert!(plant.drawn_off().is_empty(), "no fan runs");
    let Address::Socket(io) = plant.address("io").unwrap().clone() else {
        panic!("the tank farm's modules are on TCP");
    };
    let mut relay = tcp::connect_slave(io, Slave(2)).await.unwrap();
    relay.write_single_coil(2, true).await.unwrap().unwrap();
    until(|| value(&plant, "GT-101") < 30.0).await;
    assert_eq!(plant.drawn_off(), [1], "a person is told why");
    assert_eq!(plant.outputs_on(), [("IO-1", 2)]);
    assert!(plant.end(1));
    until(|| value(&plant, "GT-101") < 5.0).await;
    plant.begin(2, Kind::Leak, Some("GT-101"), None).unwrap();
    plant.begin(3, Kind::Leak, Some("LT-101"), None).unwrap();
    assert_eq!(plant.drawn_off(), [2], "a level knows no fan");
}

#[tokio::test]
async fn a_scenario_ends_by_itself_and_a_wrong_one_is_refused() {
    let (_dir, plant) = fast("cold-store", |_| {}).await;
    assert!(plant.begin(1, Kind::WarmUp, Some("none"), None).is_err());
    assert!(plant.begin(1, Kind::WarmUp, None, Some(f64::NAN)).is_err());
    plant.begin(1, Kind::WarmUp, None, Some(20.0)).unwrap();
    assert_eq!(plant.scenarios().len(), 1);
    until(|| plant.scenarios().is_empty()).await;
}

#[tokio::test]
async fn the_link_to_the_city_breaks_when_it_is_cut_and_comes_back() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr().unwrap();
    let (_dir, plant) = fast("tank-farm", |options| options.wan = Some((None, address))).await;
    let wan = plant.wan().unwrap();
    let mut gateway = TcpStream::connect(wan).await.unwrap();
    gateway.write_all(b"hello").await.unwrap();
    let (mut far, _) = broker.accept().await.unwrap();
    let mut came = [0u8; 5];
    far.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"hello");

    plant.begin(1, Kind::CloudOffline, None, None).unwrap();
    assert_eq!(gateway.read(&mut came).await.unwrap_or(0), 0);
    let mut refused = TcpStream::connect(wan).await.unwrap();
    assert_eq!(refused.read(&mut came).await.unwrap_or(0), 0);

    plant.end(1);
    let mut again = TcpStream::connect(wan).await.unwrap();
    again.write_all(b"again").await.unwrap();
    let (mut far, _) = broker.accept().await.unwrap();
    far.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"again");
}
