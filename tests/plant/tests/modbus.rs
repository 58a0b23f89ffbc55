//! The plant's Modbus against an independent client, hostile clients and the clock.

#![allow(clippy::unwrap_used)]

use davy_plant::{Address, Options, Running, State, sites};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_modbus::prelude::*;

async fn start(site: &str) -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let layout = sites::by_id(site).unwrap();
    let running = Running::start(layout, Options::free(dir.path()))
        .await
        .unwrap();
    (dir, running)
}

fn socket(running: &Running, bus: &str) -> SocketAddr {
    match running.address(bus).unwrap() {
        Address::Socket(address) => *address,
        Address::Path(path) => panic!("{bus} is a serial line at {}", path.display()),
    }
}

async fn client(address: SocketAddr, unit: u8) -> client::Context {
    tcp::connect_slave(address, Slave(unit)).await.unwrap()
}

#[tokio::test]
async fn an_independent_client_reads_what_was_set_and_drives_a_relay() {
    let (_dir, plant) = start("tank-farm").await;
    plant.hold("GT-101", 62.5).unwrap();
    let mut gas = client(socket(&plant, "gas"), 1).await;
    let words = gas.read_holding_registers(2, 4).await.unwrap().unwrap();
    let bits = u32::from(words[0]) << 16 | u32::from(words[1]);
    assert_eq!((f32::from_bits(bits), words[2], words[3]), (62.5, 0, 0b11));

    let mut relay = client(socket(&plant, "io"), 2).await;
    relay.write_single_coil(0, true).await.unwrap().unwrap();
    assert!(plant.coil("IO-1", 0).unwrap());
    assert_eq!(
        relay.read_coils(0, 2).await.unwrap().unwrap(),
        [true, false]
    );
    let refused = relay.read_coils(90, 2).await.unwrap();
    assert_eq!(refused, Err(ExceptionCode::IllegalDataAddress));
}

#[tokio::test]
async fn a_dead_unit_and_a_cut_bus_stay_silent_and_come_back() {
    let (_dir, plant) = start("tank-farm").await;
    let address = socket(&plant, "gas");
    let answers = async |unit| {
        let mut client = client(address, unit).await;
        let read = client.read_holding_registers(2, 2);
        tokio::time::timeout(Duration::from_millis(300), read)
            .await
            .is_ok()
    };
    plant.kill("GD-01", true).unwrap();
    assert!(!answers(1).await);
    assert!(answers(2).await);
    plant.kill("GD-01", false).unwrap();
    assert!(answers(1).await);
    plant.cut("gas", true).unwrap();
    assert!(!answers(2).await);
    plant.cut("gas", false).unwrap();
    assert!(answers(2).await);
}

#[tokio::test]
async fn a_state_set_by_a_test_reaches_the_status_register() {
    let (_dir, plant) = start("tank-farm").await;
    plant.hold_state("GT-101", State::Inhibit).unwrap();
    let mut gas = client(socket(&plant, "gas"), 1).await;
    let words = gas.read_holding_registers(2, 4).await.unwrap().unwrap();
    assert_eq!(words[..2], [0, 0]);
    assert_eq!(words[3], 1 << 4);
}

#[tokio::test]
async fn hostile_clients_are_hung_up_on_and_others_are_served_on() {
    let (_dir, plant) = start("tank-farm").await;
    let address = socket(&plant, "gas");
    for bytes in [
        &[0xFF; 300][..],
        &[0, 1, 0, 0, 0, 0, 1],
        &[0, 1, 0, 0, 0xFF, 0xFF, 1, 3],
        &[0, 1, 0, 7, 0, 6, 1, 3, 0, 0, 0, 1],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut hostile = TcpStream::connect(address).await.unwrap();
        hostile.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        // A reset is a hang-up too.
        let _ = hostile.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
    let mut gas = client(address, 1).await;
    assert!(gas.read_holding_registers(2, 2).await.unwrap().is_ok());
}

/// Ten registers at 9600 baud: 8 bytes of request, 25 of answer, two silences; a pty alone would take none of it.
#[tokio::test]
async fn a_serial_answer_takes_its_time_on_the_wire() {
    let (_dir, plant) = start("dust-workshop").await;
    let Address::Path(path) = plant.address("rs485").unwrap().clone() else {
        panic!("the dust workshop has a serial line");
    };
    let request = davy_plant::modbus::seal_rtu(1, &[4, 0, 0, 0, 10]);
    let (took, answer) = tokio::task::spawn_blocking(move || exchange(&path, &request))
        .await
        .unwrap();
    let (unit, pdu) = davy_plant::modbus::open_rtu(&answer).unwrap();
    assert_eq!((unit, pdu[0], pdu[1]), (1, 4, 20));
    let wire = davy_plant::line::wire_time(8 + 25, 9600);
    assert!(took >= wire, "{took:?} is faster than the wire's {wire:?}");
}

fn exchange(path: &std::path::Path, request: &[u8]) -> (Duration, Vec<u8>) {
    use std::io::{Read, Write};
    let mut line = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let begun = Instant::now();
    line.write_all(request).unwrap();
    let mut answer = vec![0u8; 25];
    line.read_exact(&mut answer).unwrap();
    (begun.elapsed(), answer)
}

#[tokio::test]
async fn a_serial_frame_with_a_wrong_check_gets_no_answer() {
    let (_dir, plant) = start("cold-store").await;
    let mut line = TcpStream::connect(socket(&plant, "serial")).await.unwrap();
    let mut wrong = davy_plant::modbus::seal_rtu(1, &[3, 0, 201, 0, 1]);
    wrong[7] ^= 1;
    line.write_all(&wrong).await.unwrap();
    let mut answer = [0u8; 7];
    let none = tokio::time::timeout(Duration::from_millis(200), line.read(&mut answer)).await;
    assert!(none.is_err());
    wrong[7] ^= 1;
    line.write_all(&wrong).await.unwrap();
    line.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[..5], [1, 3, 2, 0, 5]);
}
