//! Other firmware for a node in QEMU, sent by `davy-gateway node update` over its line: good, foreign, older, cut short, and such as does not prove itself.

use davy_suite::daemon::binary;
use davy_suite::node::{Master, Node};
use davy_suite::node_image::{image, of_version, strangers_key, test_key, update};
use davy_suite::wait;
use davy_wire::node::{BLOCK_BYTES, Happening, Id, OFFER_BYTES, Slot, SlotState, Why, image_flag};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(30);
const NEWER: [u16; 3] = [0, 2, 0];
const CONFIRMED: u64 = 5;
const REJECTED: u64 = 6;

fn send(node: &Node, file: &Path) -> Output {
    let mut command = Command::new(binary("davy-gateway"));
    let target = format!("127.0.0.1:{}", node.port);
    command.env("LC_ALL", "en_US.UTF-8");
    command.args([
        "node",
        "update",
        "--rtu-over-tcp",
        &target,
        "--timeout-ms",
        "2000",
    ]);
    command
        .arg(file)
        .output()
        .expect("the gateway's binary runs")
}

fn told(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

fn unlocked(dir: &Path) -> Node {
    let node = Node::start(dir);
    let mut master = node.master();
    node.unlock(&mut master);
    node
}

/// State and cause of a slot.
fn slot(master: &mut Master, slot: u16) -> (u64, u64) {
    (
        master.input(Id::SlotStates, slot),
        master.input(Id::SlotWhy, slot),
    )
}

fn version(master: &mut Master) -> Vec<u64> {
    (0..3)
        .map(|part| master.input(Id::FirmwareVersion, part))
        .collect()
}

fn await_start(master: &mut Master, boot: u64) {
    wait::until("the next start", LIMIT, || {
        (master.input(Id::BootCount, 0) >= boot).then_some(())
    });
}

#[test]
fn good_firmware_is_sent_tried_and_confirmed_and_outlives_a_power_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = unlocked(dir.path());
    let file = dir.path().join("newer.dvn");
    update(&file, &test_key(), of_version(NEWER));
    let began = Instant::now();
    let output = send(&node, &file);
    println!(
        "FIGURE an update, from its begin to its proof: {} s; {}",
        began.elapsed().as_secs(),
        told(&output)
    );
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        told(&output).contains("0.2.0 and has confirmed it"),
        "{}",
        told(&output)
    );
    let again = send(&node, &file);
    assert!(
        again.status.success() && told(&again).contains("already"),
        "{}",
        told(&again)
    );
    let mut master = node.master();
    assert_eq!(version(&mut master), [0, 2, 0]);
    assert_eq!(master.input(Id::UpdateSlot, 0), 1);
    assert_eq!(master.input(Id::UpdateTrust, 0), 2, "the test key shows");
    let events = master.events();
    for state in [
        SlotState::Received,
        SlotState::Ordered,
        SlotState::Trial,
        SlotState::Confirmed,
    ] {
        let what = Happening::Updated {
            slot: Slot::B,
            state,
            why: None,
        };
        assert!(
            events.iter().any(|event| event.what == what),
            "{state:?}: {events:#?}"
        );
    }
    assert_eq!(
        master.input(Id::SelfTest, 0),
        0,
        "the flash's sum is the one of its build"
    );
    drop(master);

    // What is older than what was confirmed is refused, before a byte of it is sent.
    node.kill();
    let node = unlocked(dir.path());
    let older = dir.path().join("older.dvn");
    update(&older, &test_key(), of_version([0, 1, 9]));
    let output = send(&node, &older);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("older than one that was confirmed"),
        "{}",
        told(&output)
    );
    let mut master = node.master();
    assert_eq!(version(&mut master), [0, 2, 0]);
    assert_eq!(
        master.input(Id::UpdateNext, 0) % BLOCK_BYTES as u64,
        master.input(Id::UpdateLength, 0) % BLOCK_BYTES as u64
    );
}

#[test]
fn firmware_that_a_stranger_signed_is_never_started_and_the_node_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = unlocked(dir.path());
    let file = dir.path().join("foreign.dvn");
    update(&file, &strangers_key(), of_version(NEWER));
    let output = send(&node, &file);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("nobody's that this node believes"),
        "{}",
        told(&output)
    );
    let mut master = node.master();
    assert_eq!(version(&mut master), [0, 1, 0]);
    assert_eq!(slot(&mut master, 1), (REJECTED, 2));
    let rejected = Happening::Updated {
        slot: Slot::B,
        state: SlotState::Rejected,
        why: Some(Why::Signature),
    };
    assert!(master.events().iter().any(|event| event.what == rejected));
}

#[test]
fn firmware_of_another_board_and_a_locked_node_are_told_from_each_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start(dir.path());
    let file = dir.path().join("newer.dvn");
    update(&file, &test_key(), of_version(NEWER));
    let output = send(&node, &file);
    assert!(
        !output.status.success() && told(&output).contains("is locked"),
        "{}",
        told(&output)
    );
    let mut master = node.master();
    node.unlock(&mut master);
    drop(master);
    update(&file, &test_key(), |head| {
        (head.version, head.board) = (NEWER, 3)
    });
    let output = send(&node, &file);
    assert!(
        !output.status.success() && told(&output).contains("no image for this node"),
        "{}",
        told(&output)
    );
    std::fs::write(&file, b"not an image").expect("writable");
    let output = send(&node, &file);
    assert!(
        !output.status.success() && told(&output).contains("no update file"),
        "{}",
        told(&output)
    );
}

#[test]
fn firmware_that_hangs_panics_or_fails_its_test_on_trial_is_gone_back_from_with_its_cause() {
    for (flag, code, cause) in [
        (image_flag::HANGS, 4, "it hung"),
        (image_flag::PANICS, 5, "it panicked"),
        (image_flag::FAILS_TEST, 9, "a self-test failed"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let node = unlocked(dir.path());
        let file = dir.path().join("bad.dvn");
        update(&file, &test_key(), |head| {
            head.version = NEWER;
            head.flags |= flag;
        });
        let output = send(&node, &file);
        assert!(!output.status.success());
        assert!(told(&output).contains(cause), "{}", told(&output));
        let mut master = node.master();
        assert_eq!(version(&mut master), [0, 1, 0]);
        assert_eq!(slot(&mut master, 1), (REJECTED, code));
        assert_eq!(slot(&mut master, 0).0, CONFIRMED);
    }
}

fn offer(master: &mut Master, image: &[u8]) {
    let words = words(&image[..OFFER_BYTES]);
    assert_eq!(master.write(Id::UpdateOffer, 0, &words), Ok(()));
}

fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

fn block(master: &mut Master, image: &[u8], at: usize) {
    let mut bytes = [0xff; BLOCK_BYTES];
    let rest = &image[at..image.len().min(at + BLOCK_BYTES)];
    bytes[..rest.len()].copy_from_slice(rest);
    let place = [(at >> 16) as u16, at as u16];
    let written = master.write(Id::UpdateBlock, 0, &[&place[..], &words(&bytes)].concat());
    assert_eq!(written, Ok(()));
}

#[test]
fn a_transfer_cut_by_power_goes_on_and_power_that_goes_in_the_commit_leaves_old_or_new() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = unlocked(dir.path());
    let good = image("slot-b.bin", &test_key(), of_version(NEWER));
    let mut master = node.master();
    offer(&mut master, &good);
    for at in (0..10_000).step_by(BLOCK_BYTES) {
        block(&mut master, &good, at);
    }
    node.kill();
    drop(node);
    let node = unlocked(dir.path());
    let mut master = node.master();
    assert_eq!(version(&mut master), [0, 1, 0]);
    offer(&mut master, &good);
    let next = master.input(Id::UpdateNext, 0) as usize;
    assert_eq!(next, 8_192, "what was marked is there");
    for at in (next..good.len()).step_by(BLOCK_BYTES) {
        block(&mut master, &good, at);
    }
    wait::until("the image summed", LIMIT, || {
        (slot(&mut master, 1).0 == 2).then_some(())
    });
    let crc = master.input(Id::UpdateCrc, 0) as u32;
    // The record's erase is 128 writes of this board's flash, its content 7, its head 2.
    for (nth, units) in [0, 20, 32, 33, 34].into_iter().enumerate() {
        node.cut_after(units);
        let bytes = [&[16, 0, 20, 0, 2, 4][..], &crc.to_be_bytes()].concat();
        master.throw(&davy_suite::node::framed(1, &bytes));
        await_start(&mut master, 2 + nth as u64);
        let now = version(&mut master);
        assert!(now == [0, 1, 0] || now == [0, 2, 0], "{now:?}");
        if now == [0, 2, 0] {
            return;
        }
        if slot(&mut master, 1).0 != 2 {
            // It was ordered, tried, and its trial cut.
            assert_eq!(slot(&mut master, 1).0, REJECTED);
            return;
        }
        node.unlock(&mut master);
    }
}

#[test]
fn the_node_judges_and_drives_its_relays_while_it_receives() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = unlocked(dir.path());
    let good = image("slot-b.bin", &test_key(), of_version(NEWER));
    let mut master = node.master();
    offer(&mut master, &good);
    let before = master.input(Id::HeartbeatOut, 0);
    let began = master.input(Id::UptimeMs, 0);
    for at in (0..good.len()).step_by(BLOCK_BYTES) {
        block(&mut master, &good, at);
    }
    let (rounds, took_ms) = (
        master.input(Id::HeartbeatOut, 0) - before,
        master.input(Id::UptimeMs, 0) - began,
    );
    println!(
        "FIGURE {} bytes received in {took_ms} ms of the node's time, {rounds} rounds meanwhile",
        good.len()
    );
    println!(
        "FIGURE longest round of the main loop, us: {}",
        master.input(Id::LoopMaxUs, 0)
    );
    assert!(
        rounds * 20 >= took_ms / 2,
        "{rounds} rounds in {took_ms} ms"
    );
}
