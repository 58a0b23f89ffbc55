//! What outlives a reset, a power cut and another configuration, and what keeping it costs the flash.
#![allow(clippy::unwrap_used)]

mod rig;

use davy_alarm::Cause;
use davy_node::{Kept, PAGE_BYTES};
use davy_wire::node::{Event, Happening, Id, LimitKind, Settings, Why};
use rig::{Pages, Rig, at, gas};

const FAN: u8 = 1 << 1;
const REQUEST: u8 = 1 << 2;
const ON_SILENCE: u8 = 1 << 3;

/// Operations of flash for one record of alarm states: an erase, 304 bytes and a head, eight bytes each.
const RECORD: usize = 1 + 304 / 8 + 2;

#[test]
fn what_the_gateway_asked_for_and_its_silence_outlive_a_reset_and_no_power_cut() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.ask(&[15, 0, 0, 0, 4, 1, 0b0100]).unwrap();
    assert_eq!(rig.run(100).coils, FAN | REQUEST);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.node.relays().coils, FAN | REQUEST, "at once");
    assert_eq!(rig.run(11_000).coils, FAN | ON_SILENCE);

    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.node.relays().coils, FAN | ON_SILENCE, "silent still");
    // Without a question: a question is a sign of life.
    rig.run(1_000);
    assert_eq!(rig.node.relays().coils, FAN | ON_SILENCE);
    assert_eq!(rig.input(Id::GatewaySilent, 0), 1);
    assert_eq!(
        rig.run(100).coils,
        FAN | REQUEST,
        "heard, and asked for still"
    );

    let mut unpowered = Kept::NEW;
    let rig = Rig::start(&mut unpowered, &pages, 0);
    assert_eq!(rig.node.relays().coils, FAN);
}

fn committed(rig: &mut Rig<'_>, settings: &Settings) {
    rig.unlock();
    assert_eq!(rig.configure(settings), Ok(()));
}

#[test]
fn another_configuration_leaves_latches_and_running_delays_of_what_it_has_too() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(1, at(60));
    rig.run(2_000);
    rig.current(1, at(0));
    rig.run(2_000);
    assert_eq!(rig.state(5), 4, "latched");
    rig.unlock();
    // Level 1 of the other channel has half of its second behind it.
    rig.current(0, at(30));
    rig.run(500);
    let mut other = gas();
    for channel in other.channels.iter_mut().flatten() {
        channel.limits[0].as_mut().unwrap().set_point = 24_000;
        channel.limits[1].as_mut().unwrap().set_point = 48_000;
    }
    assert_eq!(rig.configure(&other), Ok(()));
    assert_eq!(rig.state(5), 4, "latched still");
    rig.run(520);
    assert_eq!(rig.state(0), 1, "a second after it was reached");
}

#[test]
fn a_limit_of_another_kind_is_another_alarm() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(100);
    rig.current(0, at(30));
    rig.run(2_000);
    assert_eq!(rig.state(1), 4, "latched");
    let mut other = gas();
    let limit = other.channels[0].as_mut().unwrap().limits[1].as_mut();
    let limit = limit.unwrap();
    (limit.kind, limit.set_point) = (LimitKind::Lo, 10_000);
    committed(&mut rig, &other);
    assert_eq!(rig.state(1), 0, "what was latched was a high limit");
    let ended = |event: &Event| matches!(event.what, Happening::Alarm { number: 1, transition } if transition.cause == Cause::Removed);
    assert_eq!(rig.events(0).iter().filter(|event| ended(event)).count(), 1);
    rig.current(0, at(5));
    rig.run(2_000);
    assert_eq!(rig.state(1), 1);
    assert_eq!(rig.input(Id::AlarmOccurrence, 1), 2, "not the old one's");
}

#[test]
fn the_first_number_since_power_came_is_known_over_resets() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    assert_eq!(rig.input(Id::EventFirst, 0), 1);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::EventFirst, 0), 1);
    rig.run(100);
    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    let first = rig.input(Id::EventFirst, 0);
    assert_eq!(first, rig.input(Id::EventOldest, 0));
    assert_eq!(rig.events(0)[0].what, Happening::Started { cause: 1 });
    // The ring overruns; the first number stays what it is.
    let clock = [0, 0, 1, 1];
    (0..300).for_each(|_| rig.write(Id::ClockSet, 0, &clock).unwrap());
    assert!(rig.input(Id::EventOldest, 0) > first);
    assert_eq!(rig.input(Id::EventFirst, 0), first);
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    assert_eq!(rig.input(Id::EventFirst, 0), first);
}

#[test]
fn so_many_events_cost_the_flash_so_many_writes_and_no_number_comes_twice() {
    const { assert!(304 + 16 <= PAGE_BYTES) };
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    let (clock, events) = ([0, 0, 1, 1], 150_000);
    for _ in 0..events / 100 {
        (0..100).for_each(|_| rig.write(Id::ClockSet, 0, &clock).unwrap());
        rig.node.store();
    }
    let writes = pages.operations.get() / RECORD;
    assert_eq!(pages.operations.get() % RECORD, 0);
    assert!(writes <= 7 + events / 32_768, "{writes} writes");
    let next = rig.input(Id::EventNext, 0);
    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    let first = rig.input(Id::EventFirst, 0);
    assert!(first >= next && first <= next + 65_536, "{next} {first}");
}

#[test]
fn a_brown_out_that_leaves_the_memory_as_it_was_is_power_lost_all_the_same() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::BootCount, 0), 1);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::BootCount, 0), 2, "a reset keeps it");
    kept.power_went();
    assert_eq!(kept.how_it_ended(), Why::Power);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::BootCount, 0), 1);
    assert_eq!(rig.input(Id::ResetCause, 0), 1);
}
