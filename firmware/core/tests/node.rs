//! A node as its site sees it: it judges, drives, remembers and is configured.
#![allow(clippy::unwrap_used)]

mod rig;

use davy_node::{Bank, Kept, SAMPLE_MS};
use davy_wire::node::{Block, Happening, Id, Life, TimeQuality};
use rig::{Pages, Rig, at, gas};

const SIREN: u8 = 1;
const FAN: u8 = 1 << 1;
const REQUEST: u8 = 1 << 2;
const ON_SILENCE: u8 = 1 << 3;

const NORM: u8 = 0;
const UNACK: u8 = 1;
const LATCH_UNACK: u8 = 4;
const LATCH_ACK: u8 = 5;

#[test]
fn a_leak_trips_its_relays_within_one_round_and_level_1_after_its_delay() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    // The fan's relay is fail-safe: driven while all is well.
    assert_eq!(rig.run(100).coils, FAN);
    rig.current(0, at(60));
    rig.now += SAMPLE_MS;
    assert_eq!(rig.run(0).coils, SIREN, "level 2 acts at once");
    assert_eq!(rig.state(1), UNACK);
    assert_eq!(rig.state(0), NORM);
    rig.run(1_000);
    assert_eq!(rig.state(0), UNACK);
    assert_eq!(rig.input(Id::Horn, 0), 1);
}

#[test]
fn a_group_trips_with_its_second_member_and_with_the_only_one_left() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(30));
    assert_eq!(rig.run(2_000).coils & ON_SILENCE, 0);
    rig.current(1, at(30));
    assert_ne!(rig.run(2_000).coils & ON_SILENCE, 0);
    rig.current(1, at(0));
    assert_eq!(rig.run(2_000).coils & ON_SILENCE, 0);
    // A broken wire: of two one is lost, and safety needs one less.
    rig.current(1, 0);
    assert_ne!(rig.run(3_000).coils & ON_SILENCE, 0);
    assert_eq!(rig.state(44), UNACK, "degraded");
}

#[test]
fn a_latched_alarm_is_acknowledged_then_reset_at_the_node_and_never_from_the_line() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(100);
    rig.current(0, at(0));
    rig.run(3_000);
    assert_eq!(rig.state(1), LATCH_UNACK);
    assert_eq!(rig.write(Id::Acknowledge, 0, &[1, 2]), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 6, "another occurrence");
    assert_eq!(rig.write(Id::Acknowledge, 0, &[60, 1]), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 5, "no such alarm");
    assert_eq!(rig.write(Id::Acknowledge, 0, &[1, 1]), Ok(()));
    assert_eq!(rig.state(1), LATCH_ACK);
    assert_eq!(rig.write(Id::Acknowledge, 0, &[1, 1]), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 7, "acknowledged already");
    assert_eq!(rig.run(100).coils & FAN, 0, "the latch holds the fan");
    rig.press(500);
    assert_eq!(rig.state(1), NORM);
    assert_eq!(rig.run(100).coils, FAN);
}

#[test]
fn a_press_of_the_key_acknowledges_all_that_sounds_and_the_next_resets() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.current(1, at(60));
    rig.run(2_000);
    rig.press(20);
    assert_eq!(rig.state(1), UNACK, "a bounce means nothing");
    rig.press(500);
    assert_eq!([rig.state(0), rig.state(1), rig.state(5)], [2, 2, 2]);
    assert_eq!(rig.run(100).coils & SIREN, 0);
    rig.press(500);
    assert_eq!(rig.state(1), 2, "what is active is not reset");
}

#[test]
fn a_latched_alarm_outlives_a_reset_and_a_power_cut() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(100);
    rig.current(0, at(0));
    rig.run(3_000);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::ResetCause, 0), 2, "nobody said why");
    assert_eq!(rig.state(1), LATCH_UNACK);
    assert_eq!(rig.run(100).coils, SIREN);
    rig.press(500);

    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    assert_eq!(rig.input(Id::ResetCause, 0), 1);
    assert_eq!(rig.state(1), LATCH_ACK, "the acknowledgement too");
    assert_eq!(rig.run(100).coils & FAN, 0);
}

#[test]
fn after_a_power_cut_only_what_is_latched_comes_back_and_holds_its_relays_at_once() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(2_000);
    // Acknowledged, level 2's latch is written to flash, beside a level 1 that is active.
    rig.press(500);
    rig.current(0, at(0));
    rig.run(3_000);
    assert_eq!([rig.state(0), rig.state(1)], [NORM, LATCH_ACK]);

    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    assert_eq!(rig.node.relays().coils & FAN, 0, "before the first sample");
    assert_eq!(rig.state(0), NORM, "it had ended, and flash does not know");
    assert_eq!(rig.input(Id::AlarmOccurrence, 0), 1, "its number goes on");
    rig.run(3_000);
    assert_eq!([rig.state(0), rig.state(1)], [NORM, LATCH_ACK]);
}

#[test]
fn the_relays_stand_as_they_should_before_the_first_sample() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    Rig::configured(&mut kept, &pages, &gas());
    let rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(
        rig.node.relays().coils,
        FAN,
        "nothing demands: it is driven"
    );
}

#[test]
fn what_is_due_by_its_delay_comes_before_an_acknowledgement_at_that_time() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(30));
    rig.run(0);
    // Level 1 is due after a second; the line is served before the next round.
    rig.now += 1_001;
    assert_eq!(rig.write(Id::Acknowledge, 0, &[0, 1]), Ok(()));
    assert_eq!(rig.state(0), 2);
}

#[test]
fn a_press_acknowledges_the_vote_too_that_was_due_before_it() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(30));
    rig.current(1, at(30));
    rig.sample.key = true;
    rig.run(0);
    rig.now += 1_001;
    rig.sample.key = false;
    rig.run(0);
    let states = [0, 4, 40].map(|alarm| rig.state(alarm));
    assert_eq!(states, [2; 3], "both members, and their group");
    assert_eq!(rig.run(0).coils, FAN | ON_SILENCE);
}

#[test]
fn the_cause_of_a_reset_is_told_once() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    Rig::start(&mut kept, &pages, 0);
    kept.resets_because(3);
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.input(Id::ResetCause, 0), 3);
    assert_eq!(rig.input(Id::BootCount, 0), 2);
    let started = rig.events(2);
    assert_eq!(started[0].what, Happening::Started { cause: 3 });
}

#[test]
fn nothing_is_configured_before_the_key_unlocks_and_after_its_time() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.configure(&gas()), Err(1));
    assert_eq!(rig.input(Id::Refusal, 0), 1);
    rig.press(2_900);
    assert_eq!(rig.configure(&gas()), Err(1), "held too short");
    rig.unlock();
    assert_eq!(rig.input(Id::UnlockedS, 0), 600);
    let block = Block::of(&gas());
    assert_eq!(rig.stage(&block), Ok(()));
    assert_eq!(rig.commit(block.crc() ^ 1), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 2);
    rig.now += 600_000;
    rig.run(0);
    assert_eq!(rig.commit(block.crc()), Err(1));
    rig.unlock();
    assert_eq!(rig.commit(block.crc()), Ok(()));
    assert_eq!(rig.input(Id::ConfigVersion, 0), 1);
    assert_eq!(rig.input(Id::ConfigCrc, 0), u64::from(block.crc()));
    assert_eq!(rig.configure(&gas()), Err(1), "a commit locks again");
}

#[test]
fn a_block_that_cannot_be_is_refused_with_its_word() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    rig.unlock();
    let mut block = Block::of(&gas());
    block.0[1] = 9;
    rig.stage(&block).unwrap();
    assert_eq!(rig.commit(block.crc()), Err(3));
    assert_eq!(
        (rig.input(Id::Refusal, 0), rig.input(Id::BadField, 0)),
        (3, 1)
    );
    assert_eq!(rig.input(Id::ConfigVersion, 0), 0);
}

#[test]
fn a_power_cut_at_any_moment_of_a_commit_leaves_the_old_configuration_or_the_new() {
    cut_at_every_moment_of_a_commit(Pages::new);
}

#[test]
fn a_power_cut_that_tears_what_it_meets_leaves_the_old_configuration_or_the_new() {
    cut_at_every_moment_of_a_commit(Pages::tearing);
}

fn cut_at_every_moment_of_a_commit(flash: fn() -> Pages) {
    let old = gas();
    let mut new = gas();
    new.channels[0].as_mut().unwrap().limits[1]
        .as_mut()
        .unwrap()
        .set_point = 40_000;
    let (mut olds, mut news) = (0, 0);
    for operation in 0..120 {
        for done in [0, 3, 7] {
            let (mut kept, pages) = (Kept::NEW, flash());
            let mut rig = Rig::configured(&mut kept, &pages, &old);
            rig.unlock();
            rig.stage(&Block::of(&new)).unwrap();
            pages.cut_after(operation, done);
            let committed = rig.commit(Block::of(&new).crc());
            pages.power();
            let mut unpowered = Kept::NEW;
            let mut rig = Rig::start(&mut unpowered, &pages, 0);
            let crc = rig.input(Id::ConfigCrc, 0) as u32;
            let is_new = crc == Block::of(&new).crc();
            assert!(is_new || crc == Block::of(&old).crc(), "{operation} {done}");
            assert!(
                is_new || committed.is_err(),
                "{operation} {done}: told and not kept"
            );
            assert_eq!(rig.input(Id::SelfTest, 0), 0);
            *(if is_new { &mut news } else { &mut olds }) += 1;
            // And it can be done again.
            rig.unlock();
            assert_eq!(rig.configure(&new), Ok(()));
        }
    }
    assert!(
        olds > 300 && news > 3,
        "{olds} {news}: the cuts fell on both sides"
    );
}

#[test]
fn a_page_that_rots_gives_way_to_the_older_one() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    let mut newer = gas();
    newer.unit = 1;
    newer.silent_after_s = 11;
    rig.unlock();
    rig.configure(&newer).unwrap();
    pages.flip(Bank::Config1, 500);
    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    assert_eq!(
        rig.input(Id::ConfigCrc, 0),
        u64::from(Block::of(&gas()).crc())
    );
}

#[test]
fn flash_that_fails_refuses_the_commit_and_leaves_the_configuration() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    let before = rig.input(Id::ConfigCrc, 0);
    let mut new = gas();
    new.silent_after_s = 60;
    rig.unlock();
    pages.cut_after(20, 0);
    assert_eq!(rig.configure(&new), Err(4));
    assert_eq!(rig.input(Id::Refusal, 0), 4);
    assert_eq!(rig.input(Id::ConfigCrc, 0), before);
    rig.current(0, at(60));
    assert_eq!(rig.run(100).coils, SIREN, "judgement goes on");
    assert_ne!(
        rig.input(Id::SelfTest, 0) & 1 << 6,
        0,
        "and the latch that could not be kept is told"
    );
}

#[test]
fn events_bear_numbers_without_gaps_over_resets_and_a_gap_over_a_power_cut() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    let wall: i64 = 1_795_000_000_000;
    let words = [48, 32, 16, 0].map(|shift| (wall >> shift) as u16);
    rig.write(Id::ClockSet, 0, &words).unwrap();
    rig.current(0, at(60));
    rig.run(2_000);
    let events = rig.events(1);
    let alarms = events
        .iter()
        .filter(|event| matches!(event.what, Happening::Alarm { .. }));
    assert_eq!(alarms.clone().count(), 2);
    assert!(
        alarms
            .clone()
            .all(|event| event.quality == TimeQuality::SetByGateway && event.time_ms >= wall)
    );
    assert_eq!(events[0].quality, TimeQuality::SinceStart);
    let next = rig.input(Id::EventNext, 0) as u32;
    let mut rig = Rig::start(&mut kept, &pages, 0);
    let all = rig.events(1);
    assert_eq!(all[..events.len()], events);
    assert_eq!(all[events.len()].number, next);
    assert_eq!(
        (all[events.len()].boot, all[events.len()].quality),
        (2, TimeQuality::SinceStart)
    );
    let next = rig.input(Id::EventNext, 0);
    let mut unpowered = Kept::NEW;
    let mut rig = Rig::start(&mut unpowered, &pages, 0);
    assert!(
        rig.input(Id::EventOldest, 0) >= next,
        "no number comes twice"
    );
    // What it drives for its latch comes after the start.
    let [started, siren, fan] = &rig.events(0)[..] else {
        panic!("{:?}", rig.events(0));
    };
    assert_eq!(started.what, Happening::Started { cause: 1 });
    for (event, number) in [(siren, 0), (fan, 1)] {
        let demanded = true;
        assert_eq!(event.what, Happening::Relay { number, demanded });
    }
}

#[test]
fn a_delay_ends_at_its_own_time_however_late_the_round() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(30));
    rig.run(0);
    let risen = rig.now;
    rig.now += 5_000;
    rig.run(0);
    let times = rig.events(0).into_iter().filter_map(|event| {
        let is = matches!(event.what, Happening::Alarm { number: 0, .. });
        is.then_some(event.time_ms)
    });
    assert_eq!(times.collect::<Vec<_>>(), [risen as i64 + 1_000]);
}

#[test]
fn a_full_ring_keeps_the_newest_and_says_where_it_begins() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    for _ in 0..100 {
        rig.current(0, at(60));
        rig.run(20);
        rig.current(0, at(0));
        rig.run(1_100);
    }
    let (oldest, next) = (rig.input(Id::EventOldest, 0), rig.input(Id::EventNext, 0));
    assert_eq!(next - oldest, 128);
    assert_eq!(rig.events(0).len(), 128);
}

#[test]
fn a_silent_gateway_leaves_each_relay_to_its_policy() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    // Function 15: relay 2 requested; relay 1 may not be, whatever is asked.
    rig.ask(&[15, 0, 0, 0, 4, 1, 0b0110]).unwrap();
    assert_eq!(rig.run(1_000).coils, FAN | REQUEST);
    assert_eq!(rig.run(10_000).coils, FAN | ON_SILENCE);
    assert_eq!(rig.input(Id::GatewaySilent, 0), 1);
    // The question was a sign of life.
    assert_eq!(rig.run(100).coils, FAN | REQUEST);
    let silences = rig
        .events(0)
        .into_iter()
        .filter_map(|event| match event.what {
            Happening::GatewaySilent(silent) => Some(silent),
            _ => None,
        });
    assert_eq!(silences.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_heartbeat_is_a_changed_value_and_no_other_question() {
    let mut settings = gas();
    settings.life = Life::Heartbeat;
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &settings);
    for beat in 1..5 {
        rig.write(Id::Heartbeat, 0, &[beat]).unwrap();
        rig.run(9_000);
        assert_eq!(rig.input(Id::GatewaySilent, 0), 0);
    }
    rig.write(Id::Heartbeat, 0, &[4]).unwrap();
    rig.run(2_000);
    assert_eq!(
        rig.input(Id::GatewaySilent, 0),
        1,
        "a value that stands is no life"
    );
}

#[test]
fn a_relay_whose_contact_does_not_follow_has_failed() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.run(100);
    rig.contacts = false;
    rig.sample.feedback = 0;
    rig.run(1_000);
    assert_eq!(rig.state(57), UNACK);
    assert_eq!(rig.input(Id::SelfTest, 0), 1 << 2);
}

#[test]
fn a_front_end_that_is_silent_or_off_its_reference_is_told() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.sample.reference_ua = Some(10_200);
    rig.run(100);
    assert_eq!(rig.input(Id::SelfTest, 0), 1 << 4);
    // So far off that the board believes no loop.
    (rig.sample.reference_ua, rig.sample.currents_ua) = (Some(12_000), None);
    rig.run(3_000);
    assert_eq!(rig.input(Id::SelfTest, 0), 1 << 4);
    rig.sample.reference_ua = None;
    rig.run(100);
    assert_eq!(rig.input(Id::SelfTest, 0), 0);
    assert_eq!(rig.input(Id::ChannelStatus, 0), 2);
    assert_eq!(rig.state(32), UNACK, "the channel is bad");
}

#[test]
fn an_alarm_that_a_configuration_no_longer_has_ends_and_says_so() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(2_000);
    let mut without = gas();
    without.groups = [None; 4];
    without.channels[0] = None;
    rig.unlock();
    rig.configure(&without).unwrap();
    assert_eq!(rig.run(100).coils, FAN);
    assert_eq!(rig.input(Id::ChannelStatus, 0), 15);
    let removed = rig.events(0).into_iter().filter(|event| {
        matches!(event.what, Happening::Alarm { transition, .. } if transition.cause == davy_alarm::Cause::Removed)
    });
    assert_eq!(removed.count(), 2, "level 1 and level 2");
}

#[test]
fn an_acknowledgement_of_an_alarm_that_ended_never_meets_one_that_a_later_configuration_brings() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut without = gas();
    without.groups = [None; 4];
    without.channels[0] = None;
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    rig.current(0, at(60));
    rig.run(100);
    let seen = rig.input(Id::AlarmOccurrence, 1) as u16;
    rig.unlock();
    rig.configure(&without).unwrap();
    rig.run(100);
    let now = rig.now;
    // Over a reset in between, too.
    let mut rig = Rig::start(&mut kept, &pages, now);
    rig.current(0, at(60));
    rig.unlock();
    rig.configure(&gas()).unwrap();
    rig.run(100);
    assert_eq!(rig.state(1), UNACK);
    assert_eq!(rig.write(Id::Acknowledge, 0, &[1, seen]), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 6, "another occurrence");
    assert_eq!(rig.write(Id::Acknowledge, 0, &[1, seen + 1]), Ok(()));
}

#[test]
fn the_watchdog_is_fed_only_when_all_three_made_progress() {
    let mut progress = davy_node::Progress::default();
    progress.sampled();
    progress.judged();
    assert!(!progress.take());
    progress.served();
    assert!(progress.take());
    for one_lacks in 0..3 {
        if one_lacks != 0 {
            progress.sampled();
        }
        if one_lacks != 1 {
            progress.judged();
        }
        if one_lacks != 2 {
            progress.served();
        }
        assert!(!progress.take());
        progress = davy_node::Progress::default();
    }
}
