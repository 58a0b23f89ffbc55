//! The node's map is one table: the shipped profile, the manual's page and the layouts say what it says.
#![allow(clippy::unwrap_used)]

use davy_alarm::{Cause, FaultPolicy, NoValue, Priority, Scheme, Shown, Transition};
use davy_wire::node::{
    ALARMS, AlarmId, BLOCK_WORDS, Band, Block, BlockError, Channel, EVENT_WORDS, Event, Group,
    Happening, Id, Life, Limit, LimitKind, Meaning, REGISTERS, Refusal, Relay, RelayFlags,
    STAGED_AT, Settings, Silence, SlotState, Table, TimeQuality, WHAT, Why, crc32, locate, manual,
    place_after, profile,
};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn file(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The part of a file that the map makes, from `begin` to `end`; with DAVY_WRITE set it is written anew.
fn agrees(name: &str, begin: &str, end: &str, made: &str) {
    let (path, text) = file(name);
    let from = text.find(begin).unwrap();
    let to = from + text[from..].find(end).unwrap();
    if std::env::var_os("DAVY_WRITE").is_some() {
        std::fs::write(path, format!("{}{made}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert!(
            text[from..to] == *made,
            "{name} is not what the map makes; run this test with DAVY_WRITE=1, and look at the difference"
        );
    }
}

#[test]
fn the_shipped_profile_is_what_the_map_makes() {
    let made = profile() + "\n";
    agrees(
        "config/profiles/davy-node.toml",
        "id = ",
        "[[example]]",
        &made,
    );
}

#[test]
fn the_manuals_table_is_what_the_map_makes() {
    agrees("docs/node.md", "| Table | Address", "\n## ", &manual());
}

#[test]
fn every_address_of_the_map_leads_to_its_register_and_no_other_leads_anywhere() {
    for table in [
        Table::Coil,
        Table::DiscreteInput,
        Table::Holding,
        Table::Input,
    ] {
        for address in 0..=u16::MAX {
            let mut own = REGISTERS.iter().filter(|register| {
                register.table == table && (register.address..register.end()).contains(&address)
            });
            let (place, found) = (locate(table, address), own.next());
            assert_eq!(
                place.map(|place| place.id),
                found.map(|register| register.id)
            );
            if let (Some(place), Some(register)) = (place, found) {
                let width = register.spelling.width();
                assert_eq!(
                    register.address + place.element * width + place.word,
                    address
                );
                assert!(place.word < width && place.element < register.count);
                let after = address.checked_add(1).and_then(|next| locate(table, next));
                assert_eq!(place_after(place), after, "after {table:?} {address}");
            }
            assert!(own.next().is_none(), "{table:?} {address} has two");
        }
    }
}

#[test]
fn every_alarm_number_is_one_alarm() {
    for number in 0..=u8::MAX {
        match AlarmId::from_number(number) {
            Some(id) => assert_eq!(id.number(), number),
            None => assert!(usize::from(number) >= ALARMS),
        }
    }
}

#[test]
fn the_checksum_is_the_one_of_zip_and_ethernet() {
    assert_eq!(crc32(*b"123456789"), 0xcbf4_3926);
}

/// Every field says something that no other says.
fn settings() -> Settings {
    let mut settings = Settings::EMPTY;
    (settings.life, settings.silent_after_s, settings.unit) = (Life::Heartbeat, 30, 9);
    settings.channels[2] = Some(Channel {
        low: -40_000,
        high: 120_000,
        filter_ms: 500,
        bad_delay_ds: 40,
        warm_up_s: 60,
        bands: [
            band(1000, Meaning::Absent(NoValue::BrokenLoop)),
            band(3600, Meaning::Absent(NoValue::SensorFault)),
            band(3800, Meaning::Uncertain),
            band(20_500, Meaning::Measures),
            band(u16::MAX, Meaning::Absent(NoValue::OverRange)),
            band(0, Meaning::Measures),
        ],
        limits: [
            Some(Limit {
                kind: LimitKind::HiHi,
                priority: Priority::P2,
                latching: true,
                gas_level_2: true,
                set_point: 100_000,
                deadband: 1_000,
                on_delay_ds: 20,
                off_delay_ds: 50,
            }),
            None,
            None,
            None,
        ],
    });
    settings.groups[1] = Some(Group {
        members: 0b100,
        limit: 0,
        scheme: Scheme {
            needed: 1,
            fault: FaultPolicy::VoteTrip,
            safety: true,
        },
        latching: true,
        on_delay_ds: 3,
        discrepancy_ds: 70,
    });
    settings.relays[3] = Relay {
        causes: 1 << 59 | 1 << 8,
        flags: RelayFlags {
            normally_energised: true,
            horn: false,
            gateway_may_request: true,
            demanded_when_failed: true,
        },
        when_silent: Silence::Demand,
        run_s: 300,
    };
    settings
}

fn band(below_ua: u16, means: Meaning) -> Band {
    Band { below_ua, means }
}

#[test]
fn a_block_says_what_it_was_made_of() {
    let wanted = settings();
    assert_eq!(Block::of(&wanted).settings(), Ok(wanted));
    assert_eq!(Block::of(&Settings::EMPTY).settings(), Ok(Settings::EMPTY));
}

#[test]
fn a_block_that_cannot_be_names_its_first_wrong_word() {
    const CHANNEL: usize = 4 + 2 * 48;
    for (word, value) in [
        (0, 2),
        (1, 3),
        (2, 0),
        (3, 0),
        (3, 248),
        (4, 2),
        (5, 1),
        // The value at 20 mA lies above the one at 4 mA.
        (CHANNEL + 3, 0x8000),
        (CHANNEL + 9, 2),
        // Bands rise, and reach the end.
        (CHANNEL + 10, 1000),
        (CHANNEL + 16, 20_501),
        (CHANNEL + 18, 7),
        (CHANNEL + 20, 0x8301),
        (CHANNEL + 20, 0x0305),
        // Some value of the range clears the limit.
        (CHANNEL + 23, 0x7fff),
        // Gas level 2 acts within two seconds.
        (CHANNEL + 25, 21),
        (CHANNEL + 27, 0x100),
        // A member has the limit that the group is of.
        (388 + 6, 0x1c02),
        (388 + 6, 0x1d04),
        (388 + 7, 2),
        (412 + 21, 0x8000),
        (412 + 25, 16),
        (412 + 26, 3),
    ] {
        let mut block = Block::of(&settings());
        block.0[word] = value;
        let found = block.settings().map_err(|error| usize::from(error.word));
        // A sixth band would have to follow.
        let wanted = if word == CHANNEL + 16 { word + 2 } else { word };
        assert_eq!(found, Err(wanted), "word {word} = {value:#x}");
    }
}

#[test]
fn a_wrong_word_is_told_with_its_part_and_its_field() {
    for (word, wanted) in [
        (2, "silent after"),
        (4, "channel 1, in use"),
        (4 + 48, "channel 2, in use"),
        (4 + 7 * 48 + 3, "channel 8, value at 20 mA"),
        (4 + 18, "channel 1, band 6, below"),
        (4 + 19, "channel 1, band 6, meaning"),
        (4 + 20 + 7, "channel 1, limit 2, kind and priority"),
        (4 + 20 + 3 * 7 + 6, "channel 1, limit 4, off-delay"),
        (388 + 6 + 1, "group 2, needed"),
        (412 + 3 * 7 + 6, "relay 4, minimum run"),
    ] {
        let told = BlockError { word }.to_string();
        assert!(told.contains(&format!("word {word} ")), "{told}");
        let register = format!("({wanted}; holding register {})", 1000 + word);
        assert!(told.contains(&register), "{told}");
    }
    let staged = REGISTERS.iter().find(|register| register.id == Id::Staged);
    assert_eq!(staged.map(|register| register.address), Some(STAGED_AT));
}

#[test]
fn a_gateway_is_not_silent_before_three_of_its_heartbeats_are_missing() {
    let mut quick = settings();
    for (life, seconds, is_valid) in [
        (Life::Heartbeat, 5, false),
        (Life::Heartbeat, 6, true),
        (Life::Request, 5, false),
        (Life::None, 0, true),
    ] {
        (quick.life, quick.silent_after_s) = (life, seconds);
        let found = Block::of(&quick).settings();
        let wanted = if is_valid {
            Ok(quick.clone())
        } else {
            Err(BlockError { word: 2 })
        };
        assert_eq!(found, wanted, "{life:?} {seconds}");
    }
}

/// The tables at the top of the sources are the manual's.
#[test]
fn the_manual_has_the_layouts_of_block_and_event() {
    let (_, manual) = file("docs/node.md");
    for source in ["wire/src/node/block.rs", "wire/src/node/event.rs"] {
        let (_, text) = file(source);
        let table: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("//! |"))
            .collect();
        let table = format!("|{}\n", table.join("\n|"));
        assert!(
            manual.contains(&table),
            "docs/node.md lacks the table of {source}"
        );
    }
}

#[test]
fn codes_are_read_back_as_what_they_say_and_the_map_tells_as_many() {
    for (at, refusal) in (1..).zip(Refusal::ALL) {
        assert_eq!(
            (refusal.code(), Refusal::from_code(at)),
            (at, Some(refusal))
        );
    }
    for (at, why) in (1..).zip(Why::ALL) {
        assert_eq!((why.code(), Why::from_code(at)), (at, Some(why)));
    }
    for (at, state) in (0..).zip(SlotState::ALL) {
        assert_eq!((state.code(), SlotState::from_code(at)), (at, Some(state)));
    }
    let (refusals, whys) = (Refusal::ALL.len(), Why::ALL.len());
    assert_eq!(Refusal::from_code(0), None);
    assert_eq!(Refusal::from_code(refusals as u16 + 1), None);
    let told = |id| {
        let pairs = REGISTERS.iter().zip(WHAT);
        let found = pairs.into_iter().find(|(register, _)| register.id == id);
        found.expect("it is in the map").1.matches(", ").count()
    };
    assert_eq!(told(Id::Refusal), refusals);
    assert_eq!(told(Id::SlotWhy), whys);
}

proptest! {
    #[test]
    fn a_block_with_any_one_word_changed_is_refused_or_says_something_else(word in 0..BLOCK_WORDS, value: u16) {
        let block = Block::of(&settings());
        let mut changed = block.clone();
        changed.0[word] = value;
        if let Ok(said) = changed.settings() {
            prop_assert_eq!(changed == block, said == settings());
            prop_assert_eq!(Block::of(&said), changed);
        }
    }

    #[test]
    fn an_event_reads_back_as_it_was_written(number in 1_u32.., boot: u16, time_ms: i64, set: bool, of in 0_u8..60, occurrence: u32, pick in 0_usize..8) {
        let alarm = |from, to, cause| Happening::Alarm { number: of, transition: Transition { from, to, cause, occurrence } };
        let what = [
            alarm(Shown::Normal, Shown::LatchedUnacknowledged, Cause::Clear),
            alarm(Shown::OutOfService, Shown::Normal, Cause::Removed),
            Happening::Started { cause: 2 },
            Happening::Configured { version: boot },
            Happening::Relay { number: 3, demanded: set },
            Happening::GatewaySilent(set),
            Happening::Unlocked(set),
            Happening::ClockSet,
        ][pick];
        let quality = if set { TimeQuality::SetByGateway } else { TimeQuality::SinceStart };
        let event = Event { number, boot, quality, time_ms, what };
        prop_assert_eq!(Event::from_words(&event.to_words()), Some(event));
    }

    #[test]
    fn no_words_upset_the_reader_of_events(words: [u16; EVENT_WORDS]) {
        if let Some(event) = Event::from_words(&words) {
            prop_assert_eq!(Event::from_words(&event.to_words()), Some(event));
        }
    }
}
