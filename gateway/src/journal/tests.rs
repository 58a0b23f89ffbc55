//! The journal's bytes and its behaviour on disks that fail.
#![allow(clippy::unwrap_used)]

use super::bytes::Bytes;
use super::encoding::{self, Base};
use super::faulty::{Dice, FaultyDisk};
use super::model::{NOW, names, saved, transition};
use super::reader::Reader;
use super::record::{Act, Batch, Names, Record, Transition};
use super::segment::{Header, Summary, VERSION};
use super::store::{Limits, Store, lock};
use super::{Journal, JournalStats};
use crate::clock::Clock;
use crate::judge::{Person, Switched};
use crate::node::{EventClock, Told, What};
use davy_alarm::{Cause, NoValue, Reading, Shown, WallMs};
use davy_config::site::{DeviceIndex, Site};
use davy_wire::node::{Event, Happening, TimeQuality};
use proptest::prelude::*;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
/// As versions 1 to 4 wrote them. They are read for ever.
const GOLDEN_1: &[u8] = include_bytes!("../../tests/journal/v1.seg");
const GOLDEN_2: &[u8] = include_bytes!("../../tests/journal/v2.seg");
const GOLDEN_3: &[u8] = include_bytes!("../../tests/journal/v3.seg");
/// With a state ahead of its batches, as it was once written.
const GOLDEN_4_AHEAD: &[u8] = include_bytes!("../../tests/journal/v4-ahead.seg");
const GOLDEN: &[u8] = include_bytes!("../../tests/journal/v4.seg");

fn site() -> Arc<Site> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/tank-farm.toml");
    Arc::new(davy_config::load(&path).unwrap().site)
}

fn batch(offset: u64, device: Option<u32>, records: Vec<Record>) -> Arc<Batch> {
    Arc::new(Batch {
        offset,
        made: WallMs(NOW.0 + offset as i64 * 250),
        names: names(),
        device,
        records,
    })
}

fn reading(point: u32, value: f64, time: i64) -> Record {
    Record::Reading {
        point,
        reading: Reading::measured(value, WallMs(NOW.0 + time)),
    }
}

/// One of everything.
fn specimens() -> Vec<Arc<Batch>> {
    let whole = Transition {
        seq: 2,
        alarm: 1,
        from: Shown::Unacknowledged,
        to: Shown::Shelved,
        cause: Cause::Shelve,
        occurrence: 3,
        time: WallMs(NOW.0 + 600),
        value: Some(Err(NoValue::Exception(2))),
        limit: Some(50.0),
        priority: 2,
        person: Some(Person {
            actor: "wang".into(),
            reason: Some("标定".into()),
            second: Some("li".into()),
        }),
        command: Some("c-17".into()),
        shelved_until: Some(WallMs(NOW.0 + 3_600_000)),
        saved: saved(true, 3),
    };
    let at = WallMs(NOW.0 + 40);
    vec![
        batch(
            7,
            None,
            vec![
                Record::Started { time: NOW },
                Record::Output {
                    output: 0,
                    on: true,
                    time: at,
                },
            ],
        ),
        batch(
            8,
            Some(0),
            vec![
                reading(0, 20.9, 2000),
                reading(1, 209.0 * 0.1 + 1e-9, 2000),
                reading(2, f64::from(0.1_f32), 2010),
                Record::Reading {
                    point: 0,
                    reading: Reading::uncertain(-0.0, at),
                },
                Record::Reading {
                    point: 1,
                    reading: Reading::absent(NoValue::Timeout, at),
                },
                reading(2, 3.0 * 0.1, 2020),
            ],
        ),
        batch(
            9,
            Some(1),
            vec![
                transition(1, &mut Dice::new(1)),
                Record::Transition(Box::new(whole)),
            ],
        ),
        batch(
            10,
            None,
            vec![
                Record::Lost {
                    from: 3,
                    to: 6,
                    readings: 40,
                    time: at,
                },
                Record::Output {
                    output: 0,
                    on: false,
                    time: at,
                },
            ],
        ),
    ]
}

/// What version 2 has besides.
fn acts() -> Arc<Batch> {
    let act = |act, actor: &str, time| Record::Act {
        act,
        actor: actor.into(),
        time: WallMs(NOW.0 + time),
    };
    let records = vec![
        act(Act::Silence, "local", 3000),
        act(Act::ResetOutput(0), "王", 3100),
    ];
    batch(11, None, records)
}

/// What version 3 tells otherwise: readings that stand together, some as their references have it.
fn columns() -> Arc<Batch> {
    let at = WallMs(NOW.0 + 4000);
    let records = vec![
        reading(0, 20.7, 4000),
        reading(1, -30.5, 4000),
        reading(2, f64::from(0.2_f32), 4010),
        Record::Reading {
            point: 0,
            reading: Reading::uncertain(20.8, at),
        },
        Record::Reading {
            point: 2,
            reading: Reading::absent(NoValue::Exception(4), at),
        },
        reading(2, 1e300, 4000),
        reading(0, 20.9, 4000),
        Record::ClockSet {
            time: at,
            by_ms: -3_600_000,
        },
    ];
    batch(12, Some(0), records)
}

/// What version 4 has besides: what nodes told.
fn told() -> Arc<Batch> {
    let told = |collected, what| {
        Record::Told(Box::new(Told {
            device: "node-1".into(),
            collected: WallMs(NOW.0 + collected),
            what,
        }))
    };
    let event = Event {
        number: 70_000,
        boot: 2,
        quality: TimeQuality::SetByGateway,
        time_ms: NOW.0 - 86_400_000,
        what: Happening::Relay {
            number: 3,
            demanded: true,
        },
    };
    let event = What::Event {
        words: event.to_words(),
        time: WallMs(event.time_ms),
        clock: EventClock::Node,
    };
    let (expected, from) = (70_001, 5);
    let records = vec![
        told(
            5000,
            What::Missed {
                from: 69_000,
                to: 69_999,
            },
        ),
        told(5000, event),
        told(6000, What::Renumbered { expected, from }),
    ];
    batch(13, None, records)
}

fn limits(segment_bytes: u64) -> Limits {
    Limits {
        max_bytes: 8 * segment_bytes.max(1 << 17),
        reserve_bytes: 1 << 18,
        segment_bytes,
    }
}

fn open(disk: &FaultyDisk, segment_bytes: u64) -> (Store, Reader) {
    let store = Store::open(
        Arc::new(disk.clone()),
        limits(segment_bytes),
        names(),
        0x00da_7e00,
    )
    .0;
    let reader = Reader::new(Arc::new(disk.clone()), store.index.clone());
    (store, reader)
}

fn specimen_file() -> Vec<u8> {
    let disk = FaultyDisk::new(1);
    let (mut store, _) = open(&disk, 1 << 16);
    for batch in specimens().into_iter().chain([acts(), columns(), told()]) {
        store.number(&batch);
        store.commit(&[batch], NOW).unwrap();
    }
    lock(&store.index).settle(7..=8);
    store.commit(&[], NOW).unwrap();
    store.seal();
    disk.content("0000000000000001.seg")
}

#[test]
fn the_format_is_that_of_the_golden_file() {
    let file = specimen_file();
    if std::env::var_os("DAVY_BLESS").is_some() {
        std::fs::write(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/v4.seg"),
            &file,
        )
        .unwrap();
    }
    assert!(
        file == GOLDEN,
        "the bytes of version 4 have changed: that needs a version 5"
    );
}

#[test]
fn the_golden_files_are_read_as_they_were_written() {
    is_read_as_it_was_written(GOLDEN_1, &specimens());
    is_read_as_it_was_written(GOLDEN_2, &[specimens(), vec![acts()]].concat());
    is_read_as_it_was_written(GOLDEN_3, &[specimens(), vec![acts(), columns()]].concat());
    let all = [specimens(), vec![acts(), columns(), told()]].concat();
    is_read_as_it_was_written(GOLDEN_4_AHEAD, &all);
    is_read_as_it_was_written(GOLDEN, &all);
}

#[test]
fn a_segment_begins_with_what_is_on_disk_or_given_up_and_with_nothing_that_waits() {
    let disk = FaultyDisk::new(1);
    let (mut store, _) = open(&disk, 1 << 16);
    let mut dice = Dice::new(3);
    let waits = batch(0, Some(0), vec![transition(1, &mut dice)]);
    let first = batch(1, Some(0), vec![reading(0, 1.0, 10)]);
    store.number(&waits);
    store.number(&first);
    store.commit(&[first], NOW).unwrap();
    let (again, _) = open(&disk, 1 << 16);
    assert_eq!(again.state.alarms.len(), 0);
    assert_eq!(
        again.state.next_seq, 2,
        "a number that was told is not used again"
    );

    store.give_up_batch(&waits);
    store.seal();
    let next = batch(2, Some(0), vec![reading(0, 1.0, 10)]);
    store.number(&next);
    store.commit(&[next], NOW).unwrap();
    let (again, _) = open(&disk, 1 << 16);
    assert_eq!(
        again.state.alarms.len(),
        1,
        "given up, and a state all the same"
    );
}

#[test]
fn of_an_output_the_last_word_counts_whichever_batch_is_given_up_first() {
    let disk = FaultyDisk::new(1);
    let (mut store, _) = open(&disk, 1 << 16);
    let switched = |offset: u64, on: bool| {
        let time = WallMs(NOW.0 - offset as i64);
        batch(
            offset,
            None,
            vec![Record::Output {
                output: 0,
                on,
                time,
            }],
        )
    };
    let (off, on) = (switched(0, false), switched(1, true));
    store.number(&off);
    store.number(&on);
    store.give_up_batch(&on);
    store.commit(&[off], NOW).unwrap();
    let next = batch(2, Some(0), vec![reading(0, 1.0, 10)]);
    store.number(&next);
    store.seal();
    store.commit(&[next], NOW).unwrap();
    let (again, _) = open(&disk, 1 << 16);
    let outputs: Vec<_> = again
        .state
        .outputs
        .values()
        .map(|output| output.on)
        .collect();
    assert_eq!(outputs, [true]);
}

#[test]
fn a_segment_of_version_1_is_read_with_its_outputs_and_not_written_on() {
    let disk = FaultyDisk::new(1);
    disk.put("0000000000000001.seg", version_1_with_an_output_on());
    let (mut store, reader) = open(&disk, 1 << 16);
    let unknown_since = Switched {
        on: true,
        since: None,
    };
    assert_eq!(store.state.outputs["FAN-1"], unknown_since);
    let next = batch(0, Some(0), vec![reading(0, 1.0, 10)]);
    store.number(&next);
    store.commit(std::slice::from_ref(&next), NOW).unwrap();
    assert_eq!(reader.batch(0), Some(next));
    assert!(!disk.content("0000000000000002.seg").is_empty());
    let (again, _) = open(&disk, 1 << 16);
    assert_eq!(again.state.outputs["FAN-1"], unknown_since);
}

/// A header whose state says that an output is on, as version 1 spelt it.
fn version_1_with_an_output_on() -> Vec<u8> {
    let mut bytes = specimen_header();
    // Of an empty state: next seq 1, no loss, no output, no alarm, no node; no settled range; and no reference.
    assert_eq!(bytes.split_off(bytes.len() - 7), [1, 0, 0, 0, 0, 0, 0]);
    bytes.extend([1, 0, 1, 5]);
    bytes.extend(b"FAN-1");
    bytes.extend([0, 0]);
    bytes[8..10].copy_from_slice(&1_u16.to_le_bytes());
    bytes[28..36].copy_from_slice(&1_u64.to_le_bytes());
    let length = u32::try_from(bytes.len() - 20).unwrap();
    bytes[12..16].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..16]), &bytes[20..]);
    bytes[16..20].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn is_read_as_it_was_written(file: &[u8], batches: &[Arc<Batch>]) {
    let disk = FaultyDisk::new(1);
    disk.put("0000000000000001.seg", file.to_vec());
    let (store, reader) = open(&disk, 1 << 16);
    for batch in batches {
        assert_eq!(reader.batch(batch.offset).as_ref(), Some(batch));
    }
    assert_eq!(store.state.next_seq, 3);
    assert_eq!(
        store.state.alarms["GT-102.HH"].1.actor.as_deref(),
        Some("wang")
    );
    let off = Switched {
        on: false,
        since: Some(WallMs(NOW.0 + 40)),
    };
    let outputs: Vec<_> = store.state.outputs.values().copied().collect();
    assert_eq!(outputs, [off]);
    let index = lock(&store.index);
    let next = 7 + batches.len() as u64;
    assert_eq!((index.next, index.next_open(0)), (next, Some(9)));
}

#[test]
fn one_wrong_byte_anywhere_costs_one_batch_or_by_its_header_one_segment() {
    let whole = FaultyDisk::new(1);
    let (mut store, reader) = open(&whole, 700);
    let mut dice = Dice::new(3);
    for offset in 0..40 {
        let mut records: Vec<Record> = (0..8)
            .map(|point| reading(point % 3, offset as f64 * 0.1, 40))
            .collect();
        if offset % 5 == 0 {
            records.push(transition(offset / 5 + 1, &mut dice));
        }
        let batch = batch(offset, Some(0), records);
        store.number(&batch);
        store.commit(&[batch], NOW).unwrap();
    }
    let written: Vec<_> = (0..40)
        .map(|offset| reader.batch(offset).unwrap())
        .collect();
    let files: Vec<(String, Vec<u8>)> = whole
        .names()
        .into_iter()
        .map(|name| (name.clone(), whole.content(&name)))
        .collect();
    assert!(files.len() >= 3, "{} segments", files.len());
    for (place, (name, bytes)) in files.iter().enumerate() {
        let header = Header::read(&whole, place as u64 + 1).unwrap().unwrap();
        let of_segment = |offset: u64| {
            let next = Header::read(&whole, place as u64 + 2)
                .ok()
                .flatten()
                .map_or(40, |(next, _)| next.first);
            (header.0.first..next).contains(&offset)
        };
        for at in 0..bytes.len() {
            for mask in [0x01, 0xff] {
                let disk = FaultyDisk::new(1);
                for (name, bytes) in &files {
                    disk.put(name, bytes.clone());
                }
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                disk.put(name, damaged);
                let (store, reader) = open(&disk, 700);
                let mut missing = Vec::new();
                for batch in &written {
                    match reader.batch(batch.offset) {
                        Some(found) => assert_eq!(&found, batch),
                        None => missing.push(batch.offset),
                    }
                }
                let in_header = (at as u64) < header.1;
                let allowed = if in_header {
                    missing.iter().all(|offset| of_segment(*offset))
                } else {
                    missing.len() <= 1
                };
                assert!(allowed, "byte {at} of {name}: {missing:?} missing");
                let index = lock(&store.index);
                assert!(
                    index.next >= 40,
                    "byte {at} of {name}: numbers would be used again"
                );
                for offset in missing {
                    assert!(
                        index.settled.contains(offset),
                        "byte {at} of {name}: {offset} is lost in silence"
                    );
                }
            }
        }
    }
}

#[test]
fn a_transition_survives_where_its_telemetry_makes_way_and_the_loss_is_told() {
    let disk = FaultyDisk::new(1);
    let small = Limits {
        max_bytes: 16 << 10,
        reserve_bytes: 4 << 10,
        segment_bytes: 1 << 10,
    };
    let mut store = Store::open(Arc::new(disk.clone()), small, names(), 1).0;
    let reader = Reader::new(Arc::new(disk.clone()), store.index.clone());
    let mut dice = Dice::new(3);
    for offset in 0..600 {
        let mut records: Vec<Record> = (0..8)
            .map(|point| reading(point % 3, offset as f64 * 0.1, 40))
            .collect();
        if offset == 5 {
            records.push(transition(1, &mut dice));
        }
        store
            .commit(&[batch(offset, Some(0), records)], NOW)
            .unwrap();
        assert!(lock(&store.index).bytes() <= 12 << 10);
    }
    assert!(reader.batch(5).is_some());
    assert!(reader.batch(599).is_some());
    assert_eq!(reader.batch(4), None);
    assert!(
        store
            .losses
            .iter()
            .any(|loss| (loss.from..=loss.to).contains(&4) && loss.readings >= 8)
    );
    assert!(
        store
            .losses
            .iter()
            .all(|loss| !(loss.from..=loss.to).contains(&5))
    );
    assert_eq!(lock(&store.index).next_open(0), Some(5));
}

#[test]
fn a_loss_is_told_again_if_its_record_was_torn_off_its_segments_header() {
    let disk = FaultyDisk::new(1);
    let (mut store, _) = open(&disk, 1 << 16);
    store
        .commit(&[batch(0, Some(0), vec![reading(0, 1.0, 0)])], NOW)
        .unwrap();
    store.seal();
    lose(&mut store, 1, 4);
    let lost = Record::Lost {
        from: 1,
        to: 4,
        readings: 9,
        time: NOW,
    };
    store.commit(&[batch(5, None, vec![lost])], NOW).unwrap();
    let (_, header) = Header::read(&disk, 2).unwrap().unwrap();
    let mut torn = disk.content("0000000000000002.seg");
    torn.truncate(header as usize);
    disk.put("0000000000000002.seg", torn);
    let (store, _) = open(&disk, 1 << 16);
    assert!(is_to_be_told(&store, 1, 4), "{:?}", store.losses);
}

/// As the writer does, before the record is on disk.
fn lose(store: &mut Store, from: u64, to: u64) {
    lock(&store.index).settled.insert(from, to);
    store.untold.push((from, to));
}

fn is_to_be_told(store: &Store, from: u64, to: u64) -> bool {
    let losses = store.losses.iter();
    losses
        .map(|loss| (loss.from, loss.to))
        .any(|loss| loss == (from, to))
}

/// Its record waits for a segment of its own, for the site file has changed.
#[test]
fn a_loss_is_told_again_if_a_segment_came_to_the_disk_before_its_record() {
    let disk = FaultyDisk::new(1);
    let (mut store, _) = open(&disk, 1 << 16);
    let readings = |offset| batch(offset, Some(0), vec![reading(0, 1.0, 0)]);
    store.commit(&[readings(0)], NOW).unwrap();
    store.seal();
    lose(&mut store, 1, 4);
    store.commit(&[readings(5)], NOW).unwrap();
    let (again, _) = open(&disk, 1 << 16);
    assert!(is_to_be_told(&again, 1, 4), "{:?}", again.losses);
    let lost = Record::Lost {
        from: 1,
        to: 4,
        readings: 9,
        time: NOW,
    };
    store.commit(&[batch(6, None, vec![lost])], NOW).unwrap();
    store.seal();
    store.commit(&[readings(7)], NOW).unwrap();
    let (again, _) = open(&disk, 1 << 16);
    assert!(again.losses.is_empty(), "told once: {:?}", again.losses);
}

/// Eight devices of sixteen points each, read every second: each value swings slowly and stirs by a count of its register.
#[test]
fn a_reading_of_a_slow_signal_takes_two_and_a_half_bytes_at_most() {
    let site = Arc::new(Names {
        points: (0..128).map(|point| format!("TT-{point}").into()).collect(),
        ..Names::clone(&names())
    });
    let disk = FaultyDisk::new(1);
    let names = site.clone();
    let (mut store, _) = Store::open(Arc::new(disk.clone()), limits(1 << 18), names, 7);
    let (mut dice, mut begun, mut readings) = (Dice::new(5), 0, 0_u32);
    for second in 0..1_600_u64 {
        let group: Vec<Arc<Batch>> = (0..8)
            .map(|device| slow_batch(&site, &mut dice, second, device))
            .collect();
        group.iter().for_each(|batch| store.number(batch));
        store.commit(&group, NOW).unwrap();
        if second >= 2 {
            lock(&store.index).settle(8 * (second - 2)..=8 * second - 9);
        }
        match second {
            0..800 => begun = disk.bytes(),
            _ => readings += 128,
        }
    }
    let each = (disk.bytes() - begun) as f64 / f64::from(readings);
    println!("{each:.2} bytes a reading with frames, settled offsets and headers");
    assert!(each <= 2.5, "{each:.2} bytes a reading");
}

fn slow_batch(site: &Arc<Names>, dice: &mut Dice, second: u64, device: u32) -> Arc<Batch> {
    let time = 1000 * second as i64 + 10 * i64::from(device);
    let records = (16 * device..16 * device + 16).map(|point| {
        let swing = 30.0 * (second as f64 / 500.0 + f64::from(point)).sin();
        let raw = 200 + 3 * i64::from(point) + swing as i64 + dice.below(3) as i64;
        reading(point, raw as f64 * 0.1, time)
    });
    Arc::new(Batch {
        offset: second * 8 + u64::from(device),
        made: WallMs(NOW.0 + time + 7),
        names: site.clone(),
        device: Some(device),
        records: records.collect(),
    })
}

fn base() -> Base {
    Base {
        first: 0,
        made: NOW,
        references: Arc::default(),
    }
}

proptest! {
    #[test]
    fn every_value_comes_back_to_the_bit(bits: u64, raw in -70_000_i64..70_000, scale in 0_usize..8) {
        let scaled = raw as f64 * [1.0, 0.1, 0.01, 0.001, 0.5, 0.25, 1.0 / 3.0, 0.0625][scale];
        for value in [f64::from_bits(bits), scaled, scaled as f32 as f64, raw as f64 / 10_f64.powi(scale as i32)] {
            let written = batch(1, None, vec![reading(0, value, 0)]);
            let mut out = Vec::new();
            encoding::encode(&mut out, &written, &base());
            let read = encoding::decode(&out, &base(), &names()).unwrap();
            let bits = |batch: &Batch| match &batch.records[0] {
                Record::Reading { reading, .. } => reading.value().map(f64::to_bits),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(bits(&read), bits(&written));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = encoding::decode(&bytes, &base(), &names());
        for version in 1..=VERSION {
            let _ = super::state::State::decode(&mut Bytes(&bytes), version);
        }
        let _ = super::settled::Settled::decode(&mut Bytes(&bytes));
        let disk = FaultyDisk::new(1);
        disk.put("0000000000000001.seg", bytes.clone());
        let mut behind = specimen_header();
        behind.extend(&bytes);
        disk.put("0000000000000002.seg", behind);
        let (store, reader) = open(&disk, 1 << 16);
        let next = lock(&store.index).next;
        prop_assert!((0..next.min(1000)).all(|offset| reader.batch(offset).is_none()));
        let _ = Summary::read(&disk, &Header::read(&disk, 2).unwrap().unwrap().0, bytes.len() as u64);
    }
}

fn specimen_header() -> Vec<u8> {
    let header = Header {
        stream: 5,
        number: 2,
        first: 0,
        made: NOW,
        version: VERSION,
        thinned: false,
        names: names(),
        state: super::state::State::default(),
        settled: super::settled::Settled::default(),
        references: Arc::default(),
    };
    header.encode()
}

async fn until(journal: &Journal, is: impl Fn(&JournalStats) -> bool) -> JournalStats {
    let waited = tokio::time::timeout(LIMIT, async {
        loop {
            let stats = journal.stats();
            if is(&stats) {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("never came: {:?}", journal.stats()))
}

#[tokio::test]
async fn a_disk_that_fails_is_told_and_recovers_by_itself_with_all_that_waited() {
    for kind in [
        io::ErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::StorageFull,
        io::ErrorKind::Other,
    ] {
        let disk = FaultyDisk::new(1);
        let (journal, _) =
            Journal::open_on(Arc::new(disk.clone()), &site(), Clock::start()).unwrap();
        journal.append(Some(DeviceIndex(0)), vec![reading(0, 1.0, 0)]);
        until(&journal, |stats| stats.next_offset == 1).await;
        disk.breaks(Some(kind));
        journal.append(Some(DeviceIndex(0)), vec![transition(1, &mut Dice::new(1))]);
        until(&journal, |stats| stats.failed.is_some()).await;
        journal.append(Some(DeviceIndex(1)), vec![reading(1, 2.0, 0)]);
        disk.breaks(None);
        let stats = until(&journal, |stats| stats.next_offset == 3).await;
        assert!(stats.synced && stats.lost_batches == 0, "{stats:?}");
        assert!(journal.batch(1).await.unwrap().is_urgent());
        assert!(journal.batch(2).await.is_some());
    }
}

#[tokio::test]
async fn a_disk_that_is_broken_from_the_start_stops_nothing() {
    let disk = FaultyDisk::new(1);
    disk.breaks(Some(io::ErrorKind::ReadOnlyFilesystem));
    let (journal, restored) =
        Journal::open_on(Arc::new(disk.clone()), &site(), Clock::start()).unwrap();
    assert!(restored.first_start);
    journal.append(None, vec![Record::Started { time: NOW }]);
    until(&journal, |stats| stats.failed.is_some()).await;
    disk.breaks(None);
    until(&journal, |stats| stats.next_offset == 1).await;
}

#[tokio::test]
async fn a_disk_that_others_filled_gets_what_the_cloud_has_back_and_then_old_telemetry() {
    let disk = FaultyDisk::new(1);
    let mut site = Site::clone(&site());
    (site.journal.max_bytes, site.journal.alarm_reserve_bytes) = (4 << 20, 1 << 20);
    let (journal, _) =
        Journal::open_on(Arc::new(disk.clone()), &Arc::new(site), Clock::start()).unwrap();
    let mut next = 0;
    let fill = |value: f64| {
        (0..4000)
            .map(|point| reading(point % 3, value + f64::from(point) / 7.0, 0))
            .collect::<Vec<_>>()
    };
    while disk.bytes() < 1 << 20 {
        journal.append(Some(DeviceIndex(0)), fill(next as f64));
        next += 1;
        until(&journal, |stats| stats.next_offset == next).await;
    }
    disk.quota(Some(disk.bytes() + 1000));
    journal.acknowledge(&[0..=3]);
    for _ in 0..20 {
        journal.append(Some(DeviceIndex(0)), fill(next as f64));
        next += 1;
        let reached = until(&journal, |stats| stats.next_offset >= next).await;
        next = reached.next_offset;
    }
    let stats = journal.stats();
    assert!(stats.lost_batches > 0, "{stats:?}");
    assert!(stats.failed.is_none());
    let newest = journal.batch(next - 1).await;
    assert!(newest.is_some());
}

#[tokio::test]
async fn a_hung_disk_drops_readings_by_record_and_keeps_transitions() {
    let disk = FaultyDisk::new(1);
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), &site(), Clock::start()).unwrap();
    disk.breaks(Some(io::ErrorKind::Other));
    for round in 0..40 {
        let readings = (0..1000)
            .map(|point| reading(point % 3, 1.0, round))
            .collect();
        journal.append(Some(DeviceIndex(0)), readings);
    }
    journal.append(Some(DeviceIndex(0)), vec![transition(1, &mut Dice::new(1))]);
    until(&journal, |stats| {
        stats.dropped_readings > 0 && stats.failed.is_some()
    })
    .await;
    disk.breaks(None);
    let told = async {
        loop {
            let mut urgent = Vec::new();
            for offset in journal.urgent(0, 100) {
                urgent.extend(journal.batch(offset).await.unwrap().records.clone());
            }
            let lost = |record: &Record| match record {
                Record::Lost { readings, .. } => *readings,
                _ => 0,
            };
            let told: u64 = urgent.iter().map(lost).sum();
            if told > 0 && told == journal.stats().dropped_readings {
                return urgent;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let urgent = tokio::time::timeout(LIMIT, told).await.unwrap();
    assert!(
        urgent
            .iter()
            .any(|record| matches!(record, Record::Transition(_)))
    );
}

#[tokio::test]
async fn the_past_is_answered_across_segments() {
    let disk = FaultyDisk::new(1);
    let site = site();
    let point = site.points[1].id.clone();
    let alarm = site.alarms[0].id.clone();
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), &site, Clock::start()).unwrap();
    let mut dice = Dice::new(3);
    for minute in 0..600_u64 {
        let mut records = vec![
            reading(1, minute as f64, minute as i64 * 60_000),
            reading(0, -1.0, minute as i64 * 60_000),
        ];
        if minute % 100 == 0 {
            records.push(transition(minute / 100 + 1, &mut dice));
        }
        journal.append(Some(DeviceIndex(0)), records);
    }
    until(&journal, |stats| {
        stats.failed.is_none() && stats.next_offset > 6
    })
    .await;
    assert!(journal.close(LIMIT).await);
    let (journal, _) = Journal::open_on(Arc::new(disk), &site, Clock::start()).unwrap();
    let few = journal
        .trend(&point, WallMs(NOW.0 + 60_000), WallMs(NOW.0 + 180_000), 10)
        .await;
    assert_eq!(few.step_ms, 0);
    assert_eq!(
        few.buckets
            .iter()
            .map(|bucket| bucket.values.unwrap().mean)
            .collect::<Vec<_>>(),
        [1.0, 2.0, 3.0]
    );
    let many = journal
        .trend(&point, NOW, WallMs(NOW.0 + 600 * 60_000 - 1), 10)
        .await;
    assert_eq!((many.step_ms, many.buckets.len()), (3_600_000, 10));
    let values = many.buckets[1].values.unwrap();
    assert_eq!(
        (values.min, values.max, values.mean, many.buckets[1].count),
        (60.0, 119.0, 89.5, 60)
    );
    assert!(
        journal
            .trend("nothing", NOW, WallMs(i64::MAX), 10)
            .await
            .buckets
            .is_empty()
    );
    let seqs = |found: Vec<(Arc<super::Names>, Transition)>| {
        found
            .into_iter()
            .map(|(_, transition)| transition.seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(seqs(journal.transitions(None, 3, None).await), [6, 5, 4]);
    assert_eq!(
        seqs(journal.transitions(Some(4), 500, None).await),
        [3, 2, 1]
    );
    let of_one = journal.transitions(None, 500, Some(alarm)).await;
    assert!(of_one.iter().all(|(_, transition)| transition.alarm == 0) && of_one.len() < 6);
}
