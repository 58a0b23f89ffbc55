//! The journal on a real disk, as the gateway uses it.
#![allow(clippy::unwrap_used)]

#[path = "../../tests/small_disk.rs"]
mod small_disk;

use davy_alarm::{Cause, Reading, Saved, Shown, WallMs};
use davy_config::site::{DeviceIndex, Site};
use davy_gateway::clock::Clock;
use davy_gateway::journal::{Journal, JournalError, Record, Transition};
use davy_gateway::judge::Switched;
use small_disk::SmallDisk;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

fn site() -> Arc<Site> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/tank-farm.toml");
    Arc::new(davy_config::load(&path).unwrap().site)
}

fn reading(point: u32, value: f64, time: i64) -> Record {
    Record::Reading {
        point,
        reading: Reading::measured(value, WallMs(time)),
    }
}

fn saved(active: bool, acknowledged: bool, occurrence: u32) -> Saved {
    let mut bytes = [0; Saved::BYTES];
    bytes[0] = 1;
    bytes[1] = u8::from(active) | u8::from(acknowledged) << 1;
    bytes[4..8].copy_from_slice(&occurrence.to_le_bytes());
    bytes[8..16].copy_from_slice(&i64::MIN.to_le_bytes());
    bytes[16..24].copy_from_slice(&i64::MIN.to_le_bytes());
    Saved::from_bytes(&bytes).unwrap()
}

fn raised(seq: u64, alarm: u32) -> Record {
    Record::Transition(Box::new(Transition {
        seq,
        alarm,
        from: Shown::Normal,
        to: Shown::Unacknowledged,
        cause: Cause::Active,
        occurrence: 1,
        time: WallMs(1_700_000_000_000 + seq as i64),
        value: Some(Ok(51.3)),
        limit: Some(50.0),
        priority: 1,
        person: None,
        command: None,
        shelved_until: None,
        saved: saved(true, false, 1),
    }))
}

async fn synced_to(journal: &Journal, offset: u64) {
    let mut synced = journal.synced();
    let reached = synced.wait_for(|next| *next >= offset);
    tokio::time::timeout(LIMIT, reached).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_synced_is_there_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    let (journal, restored) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
    assert!(restored.first_start);
    assert_eq!(restored.next_seq, 1);
    journal.append(
        Some(DeviceIndex(0)),
        vec![reading(0, 20.9, 1_700_000_000_000)],
    );
    synced_to(&journal, 1).await;
    journal.append(Some(DeviceIndex(0)), vec![raised(1, 2)]);
    synced_to(&journal, 2).await;
    assert_eq!(journal.urgent(0, 10), [1]);
    assert_eq!(journal.backlog(), 2);
    let before = journal.batch(0).await.unwrap();
    let stream = journal.stream();
    journal.acknowledge(&[1..=1]);
    assert!(journal.urgent(0, 10).is_empty());
    assert_eq!(journal.next_unacknowledged(1), None);
    assert!(journal.close(LIMIT).await);
    drop(journal);

    let (journal, restored) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
    assert_eq!(journal.stream(), stream);
    assert_eq!(journal.batch(0).await.unwrap(), before);
    assert_eq!(restored.next_seq, 2);
    assert_eq!(restored.alarms[2].0, Some(saved(true, false, 1)));
    assert_eq!(restored.alarms[2].1.seq, 1);
    assert_eq!(journal.next_unacknowledged(0), Some(0));
    assert_eq!(
        journal.next_unacknowledged(1),
        None,
        "the acknowledgement is durable"
    );
}

#[tokio::test]
async fn a_second_journal_in_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    let _first = Journal::open(dir.path(), &site, Clock::start()).unwrap();
    let second = Journal::open(dir.path(), &site, Clock::start());
    assert!(matches!(second, Err(JournalError::Locked { .. })));
}

const CHILD: &str = "DAVY_JOURNAL_TEST_DIR";

/// Not a test of its own: what the next one runs in a process that it kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let (journal, restored) = Journal::open(Path::new(&dir), &site(), Clock::start()).unwrap();
    let mut seq = restored.next_seq;
    let mut synced = journal.synced();
    loop {
        for point in 0..3 {
            journal.append(
                Some(DeviceIndex(0)),
                vec![reading(point, seq as f64, seq as i64)],
            );
        }
        journal.append(Some(DeviceIndex(0)), vec![raised(seq, 2)]);
        seq += 1;
        let before = *synced.borrow_and_update();
        while *synced.borrow_and_update() == before {
            synced.changed().await.unwrap();
        }
        // Told outside only after it is durable.
        println!("synced {}", *synced.borrow());
    }
}

#[tokio::test]
async fn a_killed_process_leaves_all_that_it_called_synced() {
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    for round in 1..=4_u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_writes_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut told = lines
            .lines()
            .filter_map(|line| line.ok()?.split("synced ").nth(1)?.parse::<u64>().ok());
        let seen: Vec<u64> = told.by_ref().take(20 * round as usize).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let last = told.last().unwrap_or(*seen.last().unwrap());

        let (journal, restored) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
        assert_eq!(journal.stats().lost_batches, 0);
        let mut seq = 0;
        for offset in 0..last {
            let batch = journal
                .batch(offset)
                .await
                .unwrap_or_else(|| panic!("{offset} of {last} is lost"));
            for record in &batch.records {
                if let Record::Transition(transition) = record {
                    assert_eq!(transition.seq, seq + 1, "in order, each once");
                    seq = transition.seq;
                }
            }
        }
        assert!(restored.next_seq > seq);
        assert_eq!(restored.alarms[2].0, Some(saved(true, false, 1)));
    }
}

#[tokio::test]
async fn state_is_found_by_id_under_another_site_file() {
    let dir = tempfile::tempdir().unwrap();
    let before = site();
    let (journal, _) = Journal::open(dir.path(), &before, Clock::start()).unwrap();
    let output = Record::Output {
        output: 0,
        on: true,
        time: WallMs(1),
    };
    journal.append(Some(DeviceIndex(0)), vec![raised(1, 2)]);
    journal.append(None, vec![output]);
    assert!(journal.close(LIMIT).await);
    drop(journal);

    let mut after = Site::clone(&before);
    after.digest = "another".to_owned();
    after.alarms.swap(2, 0);
    after.outputs.reverse();
    let after = Arc::new(after);
    let (journal, restored) = Journal::open(dir.path(), &after, Clock::start()).unwrap();
    assert_eq!(restored.alarms[0].0, Some(saved(true, false, 1)));
    assert_eq!(restored.alarms[2].0, None);
    assert_eq!(
        restored.outputs.last(),
        Some(&Switched {
            on: true,
            since: Some(WallMs(1))
        })
    );
    assert!(
        restored
            .outputs
            .iter()
            .rev()
            .skip(1)
            .all(|output| *output == Switched::default())
    );
    let (names, transition) = &journal.transitions(None, 1, None).await[0];
    assert_eq!(
        *names.alarms[transition.alarm as usize],
        *before.alarms[2].id
    );
    // The next batch is told by the new positions, the old one by its own.
    journal.append(Some(DeviceIndex(0)), vec![raised(2, 0)]);
    synced_to(&journal, 3).await;
    assert_eq!(journal.batch(2).await.unwrap().names.digest, "another");
    assert_eq!(journal.batch(0).await.unwrap().names.digest, before.digest);
}

/// Measures rather than judges: run with `--nocapture` to see it.
#[tokio::test]
async fn readings_are_durable_soon_and_in_few_bytes() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (journal, _) = Journal::open(dir.path(), &site(), Clock::start()).unwrap();
    let mut latencies = Vec::new();
    let mut synced = journal.synced();
    for round in 0..200_u32 {
        let records = (0..8).map(|point| {
            reading(
                point % 4,
                f64::from(round + point) * 0.1,
                i64::from(round) * 1000,
            )
        });
        let start = std::time::Instant::now();
        let before = *synced.borrow_and_update();
        journal.append(Some(DeviceIndex(0)), records.collect());
        synced.wait_for(|next| *next > before).await.unwrap();
        latencies.push(start.elapsed());
    }
    latencies.sort();
    let (bytes, readings) = (journal.stats().bytes, 200 * 8);
    println!(
        "p50 {:?}, p99 {:?}, {:.1} bytes a reading with frames and header",
        latencies[100],
        latencies[198],
        bytes as f64 / f64::from(readings)
    );
    assert!(bytes < 16 * readings as u64);
}

#[tokio::test]
async fn the_lines_of_a_span_come_by_number_from_every_device_and_say_where_the_record_begins() {
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    let (journal, _) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
    let start = 1_700_000_000_000;
    assert_eq!(
        journal.alarm_lines(WallMs(0), WallMs(i64::MAX)).await,
        davy_gateway::journal::AlarmLines::default()
    );
    journal.append(Some(DeviceIndex(0)), vec![reading(0, 20.9, start - 5_000)]);
    journal.append(Some(DeviceIndex(0)), vec![raised(2, 2)]);
    journal.append(Some(DeviceIndex(1)), vec![raised(1, 3), raised(3, 3)]);
    synced_to(&journal, 3).await;
    let found = journal
        .alarm_lines(WallMs(start + 1), WallMs(start + 3))
        .await;
    let seqs: Vec<u64> = found.lines.iter().map(|line| line.seq).collect();
    assert_eq!(seqs, [1, 2], "from ≤ time < to");
    assert_eq!(found.record_from, Some(WallMs(start - 5_000)));
    assert!(!found.truncated);
    assert_eq!(*found.lines[1].alarm, *site.alarms[2].id);
}

#[tokio::test]
async fn the_recorded_signal_is_of_one_point_between_two_times() {
    let dir = tempfile::tempdir().unwrap();
    let site = site();
    let (journal, _) = Journal::open(dir.path(), &site, Clock::start()).unwrap();
    let start = 1_700_000_000_000;
    let readings = (0..5).map(|n| reading(n % 2, f64::from(n), start + i64::from(n)));
    journal.append(Some(DeviceIndex(0)), readings.collect());
    synced_to(&journal, 1).await;
    let point = &site.points[0].id;
    let found = journal
        .readings(point, WallMs(start + 1), WallMs(start + 4))
        .await;
    let values: Vec<_> = found.iter().map(|one| one.value()).collect();
    assert_eq!(values, [Ok(2.0), Ok(4.0)]);
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(LIMIT, wait).await.is_ok(),
        "in vain: {what}"
    );
}

/// Alarms go on without a disk: judgement hands over and never waits, what waits is kept, and all of it is written when there is room.
#[tokio::test]
async fn a_real_file_system_that_others_filled_is_told_and_taken_up_again_by_itself() {
    let disk = SmallDisk::mount(20);
    let (journal, _) = Journal::open(disk.path(), &site(), Clock::start()).unwrap();
    journal.append(Some(DeviceIndex(0)), vec![raised(1, 2)]);
    synced_to(&journal, 1).await;
    let others = disk.fill();
    let mut seq = 2;
    let begun = std::time::Instant::now();
    while journal.stats().failed.is_none() {
        assert!(begun.elapsed() < LIMIT, "a full disk is not told");
        let before = std::time::Instant::now();
        journal.append(Some(DeviceIndex(0)), vec![raised(seq, 2)]);
        assert!(
            before.elapsed() < Duration::from_millis(500),
            "whoever appends waits"
        );
        seq += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!journal.stats().synced);
    std::fs::remove_file(others).unwrap();
    until("it is well again", || journal.stats().failed.is_none()).await;
    let newest = || async { journal.transitions(None, 1, None).await[0].1.seq };
    let wait = async {
        while newest().await + 1 < seq {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait)
        .await
        .expect("all that waited is written");
    assert_eq!(journal.stats().lost_batches, 0);
}

#[tokio::test]
async fn a_real_file_system_that_is_read_only_from_the_start_is_told_and_taken_up_when_it_is_not() {
    let disk = SmallDisk::mount(20);
    disk.remount("ro");
    let (journal, _) = Journal::open(disk.path(), &site(), Clock::start()).unwrap();
    journal.append(Some(DeviceIndex(0)), vec![raised(1, 2)]);
    until("it is told", || journal.stats().failed.is_some()).await;
    disk.remount("rw");
    synced_to(&journal, 1).await;
    assert_eq!(journal.stats().failed, None);
}
