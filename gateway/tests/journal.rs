//! The journal on a real disk, as the gateway uses it.
#![allow(clippy::unwrap_used)]

use davy_alarm::{Cause, Reading, Saved, Shown, WallMs};
use davy_config::site::{DeviceIndex, Site};
use davy_gateway::clock::Clock;
use davy_gateway::journal::{Journal, JournalError, Record, Transition};
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
