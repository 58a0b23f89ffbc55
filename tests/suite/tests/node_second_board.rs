//! The second board, from the same core: it is configured, trips, serves, resets and takes other firmware as the first does.

use davy_suite::daemon::binary;
use davy_suite::node::{Master, Node};
use davy_suite::node_image::{of_version, test_key, update_for};
use davy_suite::node_site::{self, FAN, SIREN};
use davy_suite::wait;
use davy_wire::node::{Block, Board, Id, Settings};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BOARD: &str = "mps2-an386";
const LIMIT: Duration = Duration::from_secs(20);

/// The fan is held by the latch of one channel, not by the vote.
fn settings() -> Settings {
    let mut settings = node_site::settings();
    settings.relays[1].causes = 1;
    settings
}

fn configured(dir: &Path) -> (Node, Master) {
    let node = Node::start_on(BOARD, dir);
    let mut master = node.master();
    node.unlock(&mut master);
    let block = Block::of(&settings());
    // In small pieces: this board's UART holds one byte, and a busy machine tears what is long.
    for (nth, words) in block.0.chunks(20).enumerate() {
        let written = master.write(Id::Staged, nth as u16 * 20, words);
        assert_eq!(written, Ok(()));
    }
    assert_eq!(master.commit(block.crc()), Ok(()));
    await_relays(&node, FAN);
    (node, master)
}

fn await_relays(node: &Node, wanted: u8) {
    wait::until(&format!("relays at {wanted:#b}"), LIMIT, || {
        (node.relays() == wanted).then_some(())
    });
}

#[test]
fn a_leak_trips_its_relays_and_its_latch_outlives_a_hang_a_panic_and_a_fault() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, mut master) = configured(dir.path());
    assert_eq!(
        master.input(Id::UpdateBoard, 0),
        u64::from(Board::Mps2An386.id())
    );
    node.show(0, 16_000);
    await_relays(&node, SIREN);
    node.show(0, 5_000);
    wait::until("the latch", LIMIT, || {
        (master.input(Id::AlarmState, 0) & 0xff == 4).then_some(())
    });
    for (boot, drill, cause) in [(2, b'H', 2), (3, b'P', 3), (4, b'F', 4)] {
        node.drill(&[drill]);
        wait::until("the next start", LIMIT, || {
            (master.input(Id::BootCount, 0) == boot).then_some(())
        });
        assert_eq!(master.input(Id::ResetCause, 0), cause);
        await_relays(&node, SIREN);
        assert_eq!(master.input(Id::AlarmState, 0) & 0xff, 4, "latched still");
    }
    assert_eq!(master.input(Id::SelfTest, 0), 0);
}

#[test]
fn other_firmware_is_sent_tried_and_confirmed() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start_on(BOARD, dir.path());
    let mut master = node.master();
    node.unlock(&mut master);
    drop(master);
    let file = dir.path().join("newer.dvn");
    update_for(BOARD, &file, &test_key(), of_version([0, 2, 0]));
    let target = format!("127.0.0.1:{}", node.port);
    let mut command = Command::new(binary("davy-gateway"));
    command.env("LC_ALL", "en_US.UTF-8");
    command
        .args([
            "node",
            "update",
            "--rtu-over-tcp",
            &target,
            "--timeout-ms",
            "2000",
        ])
        .arg(&file);
    let output = command.output().expect("the gateway's binary runs");
    assert!(output.status.success(), "{output:?}");
    let mut master = node.master();
    assert_eq!(master.input(Id::FirmwareVersion, 1), 2);
    assert_eq!(master.input(Id::UpdateSlot, 0), 1);
}
