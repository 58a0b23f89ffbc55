//! A bus's errands without a bus: each exchange is answered by what a node would say.

use super::super::registers::register;
use super::*;
use crate::journal::Journal;
use davy_config::site::Site;
use davy_wire::node::{Happening, MAP_VERSION, TimeQuality};
use std::path::Path;

const WALL: WallMs = WallMs(1_800_000_000_000);

fn site() -> Arc<Site> {
    let text = include_str!("site.toml");
    let loaded = davy_config::parse("site.toml", text, Path::new("."));
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

/// The errands of a bus with one node, `node-1`.
fn errands(nodes: &Nodes, now: Instant) -> Errands {
    Errands::new(nodes.clone(), site().devices.iter(), now)
}

/// The front of the registers of a node whose ring holds events 1 to 100, with a clock that is right.
fn front() -> Vec<u16> {
    let mut words = vec![0; usize::from(status::length())];
    let mut put = |id, value: u64| {
        let register = register(id);
        let width = register.spelling.width();
        for word in 0..width {
            let bits = value >> (16 * (width - 1 - word));
            words[usize::from(register.address + word)] = bits as u16;
        }
    };
    put(Id::MapVersion, u64::from(MAP_VERSION));
    put(Id::BootCount, 1);
    put(Id::UptimeMs, 60_000);
    put(Id::TimeQuality, 1);
    put(Id::WallMs, WALL.0.cast_unsigned());
    put(Id::EventOldest, 1);
    put(Id::EventNext, 101);
    put(Id::EventFirst, 1);
    words
}

fn event(number: u32) -> [u16; EVENT_WORDS] {
    let event = Event {
        number,
        boot: 1,
        quality: TimeQuality::SinceStart,
        time_ms: 10_000,
        what: Happening::ClockSet,
    };
    event.to_words()
}

/// What the node answers.
fn answer(request: &Request, next: u32) -> Vec<u16> {
    match request {
        Request::Read { count, .. } if *count == status::length() => front(),
        Request::Read { count, .. } => {
            let events = u32::from(*count) / EVENT_WORDS as u32;
            (next..next + events).flat_map(event).collect()
        }
        _ => Vec::new(),
    }
}

/// One exchange, if one is due.
fn one(
    errands: &mut Errands,
    nodes: &Nodes,
    is_idle: bool,
    now: Instant,
    wall: WallMs,
) -> Option<Request> {
    let errand = errands.next_due(now, is_idle)?;
    let request = errands.request(errand, wall);
    let words = answer(&request, nodes.next("node-1").unwrap_or(1));
    errands.take(errand, Ok(&words), now, wall);
    Some(request)
}

fn is_beat(request: &Request) -> bool {
    let heartbeat = register(Id::Heartbeat).address;
    matches!(request, Request::WriteRegisters { address, .. } if *address == heartbeat)
}

#[test]
fn a_backlog_that_finds_no_idle_moment_costs_no_heartbeat() {
    let (began, nodes) = (Instant::now(), Nodes::default());
    let mut errands = errands(&nodes, began);
    let mut beats = Vec::new();
    for tick in 0..500 {
        let now = began + Duration::from_millis(tick * 20);
        let wall = WallMs(WALL.0 + tick as i64 * 20);
        let request = one(&mut errands, &nodes, false, now, wall);
        if request.is_some_and(|request| is_beat(&request)) {
            beats.push(tick * 20);
        }
    }
    let longest = beats.windows(2).map(|two| two[1] - two[0]).max();
    assert_eq!(beats.len(), 5, "{beats:?}");
    assert!(longest < Some(2_100), "{beats:?}");
    let collected = nodes.now("node-1").mark.map(|mark| mark.collected);
    assert_eq!(collected, Some(5 * u64::from(EVENTS_A_READ)));
}

#[test]
fn a_time_is_reckoned_from_when_the_node_told_its_uptime() {
    let (began, nodes) = (Instant::now(), Nodes::default());
    let mut errands = errands(&nodes, began);
    // A slow line: each exchange comes a second after the one before.
    for second in 0..3 {
        let now = began + Duration::from_secs(second);
        let wall = WallMs(WALL.0 + second as i64 * 1_000);
        one(&mut errands, &nodes, true, now, wall);
    }
    let told = nodes.now("node-1").recent;
    let newest = told.back().map(|told| (told.time(), told.collected));
    let (time, collected) = (WallMs(WALL.0 - 50_000), WallMs(WALL.0 + 2_000));
    assert_eq!(newest, Some((time, collected)));
}

#[test]
fn a_node_that_answers_no_errand_is_asked_more_and_more_seldom_and_at_once_again_when_it_does() {
    let (began, nodes) = (Instant::now(), Nodes::default());
    let mut errands = errands(&nodes, began);
    let mut asked = Vec::new();
    for second in 0..600 {
        let now = began + Duration::from_secs(second);
        if let Some(errand) = errands.next_due(now, true) {
            errands.take(errand, Err(Fault::Timeout), now, WALL);
            asked.push(second);
        }
    }
    let waits: Vec<u64> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(waits[..8], [2, 2, 4, 8, 16, 32, 60, 60]);

    let now = began + Duration::from_secs(1_000);
    let steps = std::iter::from_fn(|| one(&mut errands, &nodes, true, now, WALL));
    assert!(steps.count() > 2, "a whole round");
    let now = now + ERRAND_EVERY;
    assert!(errands.next_due(now, true).is_some());
}

#[tokio::test]
async fn a_record_that_does_not_keep_up_leaves_events_at_their_node() {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, writer) = Journal::held_back(dir.path(), &site());
    let nodes = Nodes::new(journal.clone(), std::collections::BTreeMap::new());
    let other: Arc<str> = "other".into();
    let missed = |number| What::Missed {
        from: number,
        to: number,
    };
    nodes.tell(&other, (1..2_100).map(missed).collect(), WALL);
    assert!(journal.is_behind());

    let began = Instant::now();
    let mut errands = errands(&nodes, began);
    let collected = || nodes.now("node-1").mark.map_or(0, |mark| mark.collected);
    let round = |errands: &mut Errands, after: Duration| {
        while one(errands, &nodes, true, began + after, WALL).is_some() {}
    };
    round(&mut errands, Duration::ZERO);
    assert_eq!(collected(), 0);

    let writer = tokio::spawn(writer);
    while journal.is_behind() {
        tokio::task::yield_now().await;
    }
    round(&mut errands, ERRAND_EVERY);
    assert_eq!(collected(), 100);
    assert!(journal.close(Duration::from_secs(10)).await);
    writer.await.expect("the writer ends");
}
