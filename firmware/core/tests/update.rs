//! A node that gets other firmware: received, tried, confirmed or gone back from, with the power cut at every write of flash.
#![allow(clippy::unwrap_used)]

mod rig;

use davy_node::{ImageRecord, Images, Kept, PROVE_S, SLOTS, Slots, Started, TRIAL_S, choose};
use davy_wire::node::{
    BLOCK_BYTES, Happening, IMAGE_HEAD, Id, ImageHead, OFFER_BYTES, SelfTest, Slot, SlotState,
    Trust, Why, crc32,
};
use rig::{Pages, ROOM, Rig, SLOT_BYTES, at, gas};

const OLD: [u16; 3] = [0, 1, 0];
const NEW: [u16; 3] = [0, 2, 0];
/// More than a page, and no whole number of blocks.
const LENGTH: usize = IMAGE_HEAD + 4_200;
const SIGNED: u8 = 0x51;

/// The first byte of its signature says whether it is one: the real ones are tried in QEMU.
fn image(slot: Slot, version: [u16; 3], signed: bool) -> Vec<u8> {
    let seed = version[1] as u8;
    let body: Vec<u8> = (0..LENGTH - IMAGE_HEAD)
        .map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed))
        .collect();
    let head = ImageHead {
        board: ROOM.board,
        version,
        flags: 0,
        address: ROOM.address(slot),
        length: LENGTH as u32,
        crc: crc32(body.iter().copied()),
    };
    with_head(&head, signed, &body)
}

fn with_head(head: &ImageHead, signed: bool, body: &[u8]) -> Vec<u8> {
    let mut image = vec![if signed { SIGNED } else { 0 }; 64];
    image.extend(head.to_bytes());
    image.resize(IMAGE_HEAD, 0xff);
    image.extend(body);
    image
}

/// What a boot stage looks at.
struct Held<'a>(&'a Pages);

impl Held<'_> {
    fn bytes(&self, slot: Slot, from: usize, to: usize) -> Vec<u8> {
        self.0.images.borrow()[usize::from(slot.number())][from..to].to_vec()
    }
}

impl Images for Held<'_> {
    fn head(&self, slot: Slot) -> Option<ImageHead> {
        let offer = self.bytes(slot, 0, OFFER_BYTES).try_into().unwrap();
        ImageHead::read(&offer).filter(|head| head.length as usize <= SLOT_BYTES)
    }
    fn is_whole(&self, slot: Slot, head: &ImageHead) -> bool {
        crc32(self.bytes(slot, IMAGE_HEAD, head.length as usize)) == head.crc
    }
    fn is_signed(&self, slot: Slot, _: &ImageHead) -> bool {
        self.bytes(slot, 0, 1) == [SIGNED]
    }
}

/// A board as it was made: the old image in slot A, and no record.
fn made() -> Pages {
    made_of(Pages::new())
}

fn made_of(pages: Pages) -> Pages {
    pages.images.borrow_mut()[0][..LENGTH].copy_from_slice(&image(Slot::A, OLD, true));
    pages
}

fn slots(pages: &Pages) -> Option<Slots> {
    let (_, bytes) = SLOTS.load(pages)?;
    Slots::of_bytes(&bytes)
}

/// As a board's boot stage does it.
fn boot(pages: &Pages, ended: Why) -> Option<Started> {
    let (slot, verdict) = choose(&mut pages.clone(), ended, &Held(pages));
    Some(Started {
        slot: slot?,
        trust: Trust::Test,
        verdict,
    })
}

fn started<'k>(pages: &Pages, by: Started) -> Rig<'k> {
    let kept = Box::leak(Box::new(Kept::NEW));
    Rig::started(kept, pages, 0, Some(by))
}

fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

fn offer(rig: &mut Rig<'_>, image: &[u8]) -> Result<(), u8> {
    rig.write(Id::UpdateOffer, 0, &words(&image[..OFFER_BYTES]))
}

fn block(rig: &mut Rig<'_>, image: &[u8], at: usize) -> Result<(), u8> {
    let mut bytes = [0xff; BLOCK_BYTES];
    let rest = &image[at..image.len().min(at + BLOCK_BYTES)];
    bytes[..rest.len()].copy_from_slice(rest);
    let place = [(at >> 16) as u16, at as u16];
    rig.write(Id::UpdateBlock, 0, &[&place[..], &words(&bytes)].concat())
}

/// Sends it from where the node is, and has it summed.
fn send(rig: &mut Rig<'_>, image: &[u8]) -> Result<(), u8> {
    offer(rig, image)?;
    while (rig.input(Id::UpdateNext, 0) as usize) < image.len() {
        let next = rig.input(Id::UpdateNext, 0) as usize;
        block(rig, image, next)?;
    }
    rig.run(1_000);
    Ok(())
}

fn order(rig: &mut Rig<'_>) -> Result<(), u8> {
    let crc = rig.input(Id::UpdateCrc, 0);
    rig.write(Id::UpdateCommit, 0, &[(crc >> 16) as u16, crc as u16])
}

fn receive(rig: &mut Rig<'_>, image: &[u8]) -> Result<(), u8> {
    rig.unlock();
    send(rig, image)?;
    order(rig)?;
    assert!(!rig.node.restart_is_due(), "the answer goes first");
    rig.run(500);
    assert!(rig.node.restart_is_due());
    Ok(())
}

/// Runs so long, with few rounds.
fn pass(rig: &mut Rig<'_>, seconds: u64) {
    for _ in 0..seconds {
        rig.now += 1_000;
        rig.run(0);
    }
}

fn state(rig: &mut Rig<'_>, slot: u16) -> (u64, u64) {
    (
        rig.input(Id::SlotStates, slot),
        rig.input(Id::SlotWhy, slot),
    )
}

const CONFIRMED: (u64, u64) = (5, 0);

/// From the old image to the new one, confirmed; an error where flash stopped it.
fn update(pages: &Pages) -> Result<(), u8> {
    let by = boot(pages, Why::Power).ok_or(0_u8)?;
    if by.slot == Slot::A {
        receive(&mut started(pages, by), &image(Slot::B, NEW, true))?;
    }
    let by = boot(pages, Why::Reset).ok_or(0_u8)?;
    let mut rig = started(pages, by);
    rig.input(Id::MapVersion, 0);
    pass(&mut rig, PROVE_S + 1);
    let slots = slots(pages).ok_or(0_u8)?;
    if slots.active == Slot::B && by.slot == Slot::B {
        Ok(())
    } else {
        Err(0)
    }
}

#[test]
fn power_that_goes_at_any_write_of_an_update_leaves_a_whole_image_and_an_update_that_can_be_finished()
 {
    let whole = [
        (Slot::A, image(Slot::A, OLD, true)),
        (Slot::B, image(Slot::B, NEW, true)),
    ];
    let (mut cuts, mut on_new) = (0, 0);
    for operations in 0.. {
        // How much of the write that the cut meets is done, in eighths.
        let done = operations % 8;
        // Every other one on flash that tears what the cut meets.
        let pages = made_of(if operations % 2 == 0 {
            Pages::new()
        } else {
            Pages::tearing()
        });
        pages.cut_after(operations, done);
        if update(&pages).is_ok() && pages.operations.get() <= operations {
            break;
        }
        cuts += 1;
        pages.power();
        let by = boot(&pages, Why::Power).expect("something starts, wherever it was cut");
        let (_, image) = &whole[usize::from(by.slot.number())];
        let cut = format!("cut at write {operations}, {done} of 8 done");
        assert_eq!(Held(&pages).bytes(by.slot, 0, LENGTH), *image, "{cut}");
        let tried = by
            .verdict
            .is_some_and(|(_, state, _)| state == SlotState::Trial);
        assert!(!tried || by.slot == Slot::B, "{cut}");
        on_new += u32::from(by.slot == Slot::B);
        assert_eq!(update(&pages), Ok(()), "{cut}");
    }
    assert!(
        cuts > 500 && on_new > 3,
        "{cuts} cuts, {on_new} of them behind the proof"
    );
}

#[test]
fn an_image_that_proves_itself_is_confirmed_and_starts_from_then_on() {
    let pages = made();
    let by = boot(&pages, Why::Power).unwrap();
    assert_eq!((by.slot, by.verdict), (Slot::A, None));
    let mut rig = started(&pages, by);
    assert_eq!(receive(&mut rig, &image(Slot::B, NEW, true)), Ok(()));
    let by = boot(&pages, Why::Reset).unwrap();
    assert_eq!(
        (by.slot, by.verdict),
        (Slot::B, Some((Slot::B, SlotState::Trial, None)))
    );
    let mut rig = started(&pages, by);
    rig.run(100);
    assert_eq!(rig.input(Id::TrialS, 0), TRIAL_S);
    rig.unlock();
    assert_eq!(
        offer(&mut rig, &image(Slot::A, NEW, true)),
        Err(1),
        "the way back is not written over"
    );
    assert_eq!(rig.input(Id::Refusal, 0), 18);
    pass(&mut rig, PROVE_S);
    assert_eq!(
        [state(&mut rig, 0), state(&mut rig, 1)],
        [CONFIRMED, CONFIRMED]
    );
    assert_eq!(rig.input(Id::TrialS, 0), 0);
    let confirmed = Happening::Updated {
        slot: Slot::B,
        state: SlotState::Confirmed,
        why: None,
    };
    assert!(rig.events(0).iter().any(|event| event.what == confirmed));
    let by = boot(&pages, Why::Watchdog).unwrap();
    assert_eq!((by.slot, by.verdict), (Slot::B, None));
    // And back into slot A, by the same way; but nothing older than what was confirmed.
    let mut rig = started(&pages, by);
    rig.unlock();
    assert_eq!(offer(&mut rig, &image(Slot::A, OLD, true)), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 13);
    assert_eq!(offer(&mut rig, &image(Slot::A, NEW, true)), Ok(()));
}

#[test]
fn an_image_that_does_not_prove_itself_is_gone_back_from_with_its_cause_and_never_started_again() {
    for (ended, code) in [
        (Why::Watchdog, 4),
        (Why::Panic, 5),
        (Why::Fault, 6),
        (Why::Power, 7),
    ] {
        let pages = made();
        let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
        receive(&mut rig, &image(Slot::B, NEW, true)).unwrap();
        assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::B);
        let by = boot(&pages, ended).unwrap();
        assert_eq!(by.slot, Slot::A);
        let mut rig = started(&pages, by);
        assert_eq!(state(&mut rig, 1), (6, code));
        let gone_back = Happening::Updated {
            slot: Slot::B,
            state: SlotState::Rejected,
            why: Some(ended),
        };
        assert!(rig.events(0).iter().any(|event| event.what == gone_back));
        assert_eq!(boot(&pages, Why::Watchdog).unwrap().slot, Slot::A);
    }
}

#[test]
fn a_trial_ends_with_its_time_where_no_master_asks_or_a_test_fails_that_held_before() {
    for (asked, fails, why) in [(false, false, Why::NoMaster), (true, true, Why::SelfTest)] {
        let pages = made();
        let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
        rig.node.tell_test(SelfTest::Ram, false);
        receive(&mut rig, &image(Slot::B, NEW, true)).unwrap();
        let mut rig = started(&pages, boot(&pages, Why::Reset).unwrap());
        rig.node.tell_test(SelfTest::Ram, false);
        rig.node.tell_test(SelfTest::Flash, !fails);
        if asked {
            rig.input(Id::MapVersion, 0);
        }
        pass(&mut rig, TRIAL_S - 1);
        assert!(!rig.node.restart_is_due());
        pass(&mut rig, 2);
        assert!(rig.node.restart_is_due());
        let by = boot(&pages, Why::Reset).unwrap();
        assert_eq!(by.slot, Slot::A);
        assert_eq!(slots(&pages).unwrap().image(Slot::B).why, Some(why));
    }
}

/// The old image, started, with the new one ordered by it and then on trial.
fn on_trial<'k>(pages: &Pages) -> Rig<'k> {
    let mut rig = started(pages, boot(pages, Why::Power).unwrap());
    receive(&mut rig, &image(Slot::B, NEW, true)).unwrap();
    started(pages, boot(pages, Why::Reset).unwrap())
}

#[test]
fn an_alarm_that_is_active_never_keeps_a_failed_image_running() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    rig.unlock();
    rig.configure(&gas()).unwrap();
    let mut rig = on_trial(&pages);
    rig.input(Id::MapVersion, 0);
    rig.node.tell_test(SelfTest::Flash, false);
    rig.current(0, at(60));
    pass(&mut rig, TRIAL_S - 1);
    assert!(!rig.node.restart_is_due());
    assert_eq!(rig.state(1), 1, "level 2 is active");
    pass(&mut rig, 2);
    assert_eq!(rig.state(1), 1, "and still is");
    assert!(rig.node.restart_is_due());
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::A);
}

#[test]
fn nothing_that_comes_after_it_has_failed_makes_an_image_good() {
    let pages = made();
    let mut rig = on_trial(&pages);
    pass(&mut rig, TRIAL_S + 1);
    assert_eq!(state(&mut rig, 1), (6, 10), "nobody asked it until now");
    assert!(rig.node.restart_is_due());
    pass(&mut rig, PROVE_S);
    assert_eq!(state(&mut rig, 1), (6, 10), "although a master has");
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::A);
}

#[test]
fn a_proof_that_flash_does_not_take_is_told_as_such() {
    let pages = made();
    let mut rig = on_trial(&pages);
    rig.input(Id::MapVersion, 0);
    // Its numbers for events are reserved: no self-test of flash fails before.
    pass(&mut rig, 1);
    pages.cut_after(0, 0);
    pass(&mut rig, TRIAL_S);
    let failed = Happening::Updated {
        slot: Slot::B,
        state: SlotState::Rejected,
        why: Some(Why::Flash),
    };
    assert!(rig.events(0).iter().any(|event| event.what == failed));
    assert!(rig.node.restart_is_due());
    pages.power();
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::A);
}

#[test]
fn a_sum_that_flash_does_not_take_is_given_up_with_its_cause_and_the_image_can_be_sent_again() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    let good = image(Slot::B, NEW, true);
    rig.unlock();
    offer(&mut rig, &good).unwrap();
    while (rig.input(Id::UpdateNext, 0) as usize) < good.len() {
        let next = rig.input(Id::UpdateNext, 0) as usize;
        block(&mut rig, &good, next).unwrap();
    }
    pages.cut_after(0, 0);
    rig.run(1_000);
    assert_eq!(state(&mut rig, 1), (6, 11));
    let operations = pages.operations.get();
    rig.run(1_000);
    assert_eq!(pages.operations.get(), operations, "not tried for ever");
    pages.power();
    assert_eq!(receive(&mut rig, &good), Ok(()));
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::B);
}

#[test]
fn an_image_that_the_boot_stage_cannot_write_down_as_on_trial_stays_ordered_and_that_is_told() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    receive(&mut rig, &image(Slot::B, NEW, true)).unwrap();
    pages.cut_after(0, 0);
    let by = boot(&pages, Why::Reset).unwrap();
    assert_eq!(
        (by.slot, by.verdict),
        (
            Slot::A,
            Some((Slot::B, SlotState::Ordered, Some(Why::Flash)))
        )
    );
    pages.power();
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::B);
}

#[test]
fn a_boot_stage_that_was_flashed_before_any_image_starts_the_one_that_comes() {
    let pages = Pages::new();
    assert_eq!(boot(&pages, Why::Power), None);
    assert_eq!(slots(&pages), None, "nothing was written");
    let flash = |version| {
        pages.images.borrow_mut()[0][..LENGTH].copy_from_slice(&image(Slot::A, version, true));
    };
    flash(OLD);
    assert_eq!(boot(&pages, Why::Power).unwrap().slot, Slot::A);

    // Where both have come to nothing, by the record too, the same.
    assert_eq!(update(&pages), Ok(()));
    for slot in 0..2 {
        pages.images.borrow_mut()[slot][2_000] ^= 1;
    }
    assert_eq!(boot(&pages, Why::Power), None);
    flash(OLD);
    assert_eq!(boot(&pages, Why::Power).unwrap().slot, Slot::A);
}

#[test]
fn what_was_flashed_by_wire_starts_where_nothing_of_the_record_may_and_what_was_rejected_never() {
    let pages = made();
    let mut rig = on_trial(&pages);
    pass(&mut rig, TRIAL_S + 1);
    let record = slots(&pages).unwrap();
    for (a, starts) in [
        (ImageRecord::EMPTY, true),
        (
            ImageRecord {
                state: SlotState::Rejected,
                ..*record.image(Slot::A)
            },
            false,
        ),
        (
            ImageRecord {
                state: SlotState::Receiving,
                crc: 1,
                ..ImageRecord::EMPTY
            },
            false,
        ),
    ] {
        let mut record = record;
        record.images[0] = a;
        SLOTS.store(&mut pages.clone(), &record.to_bytes()).unwrap();
        assert_eq!(boot(&pages, Why::Power).is_some(), starts, "{a:?}");
    }
}

#[test]
fn an_image_flashed_over_the_one_that_ran_is_the_one_that_the_record_tells_of() {
    let pages = made();
    assert_eq!(boot(&pages, Why::Power).unwrap().slot, Slot::A);
    let before = slots(&pages).unwrap();
    let flashed = image(Slot::A, NEW, true);
    pages.images.borrow_mut()[0][..LENGTH].copy_from_slice(&flashed);
    assert_eq!(boot(&pages, Why::Power).unwrap().slot, Slot::A);
    let after = slots(&pages).unwrap();
    assert_eq!(before.image(Slot::A).version, OLD);
    assert_eq!((after.image(Slot::A).version, after.floor), (NEW, NEW));
    assert_ne!(after.image(Slot::A).crc, before.image(Slot::A).crc);
}

#[test]
fn an_image_whose_signature_or_sum_is_wrong_is_never_started() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    receive(&mut rig, &image(Slot::B, NEW, false)).unwrap();
    let by = boot(&pages, Why::Reset).unwrap();
    assert_eq!(by.slot, Slot::A);
    assert_eq!(
        by.verdict,
        Some((Slot::B, SlotState::Rejected, Some(Why::Signature)))
    );

    let mut rig = started(&pages, by);
    let mut torn = image(Slot::B, NEW, true);
    torn[LENGTH - 1] ^= 1;
    rig.unlock();
    send(&mut rig, &torn).unwrap();
    assert_eq!(state(&mut rig, 1), (6, 1));
    assert_eq!(order(&mut rig), Err(3));
    assert_eq!(rig.input(Id::Refusal, 0), 17);
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::A);
}

#[test]
fn what_may_not_be_received_is_refused_with_its_reason() {
    let pages = made();
    let by = boot(&pages, Why::Power).unwrap();
    let mut rig = started(&pages, by);
    let good = image(Slot::B, NEW, true);
    assert_eq!(
        (offer(&mut rig, &good), rig.input(Id::Refusal, 0)),
        (Err(1), 1),
        "locked"
    );
    rig.unlock();
    let head = ImageHead::read(good[..OFFER_BYTES].try_into().unwrap()).unwrap();
    let other = |change: &dyn Fn(&mut ImageHead)| {
        let mut head = head;
        change(&mut head);
        with_head(&head, true, &[])
    };
    let mut noise = good.clone();
    noise[70] ^= 1;
    for (image, refusal) in [
        (noise, 10),
        (other(&|head| head.board = 3), 11),
        (other(&|head| head.address = ROOM.address(Slot::A)), 12),
        (other(&|head| head.version = [0, 0, 9]), 13),
        (other(&|head| head.length = SLOT_BYTES as u32 + 8), 14),
    ] {
        assert_eq!(
            (offer(&mut rig, &image), rig.input(Id::Refusal, 0)),
            (Err(3), refusal)
        );
    }
    assert_eq!(state(&mut rig, 1), (0, 0), "nothing was begun");
    let mut bare = Rig::start(Box::leak(Box::new(Kept::NEW)), &pages, 0);
    bare.unlock();
    assert_eq!(
        (offer(&mut bare, &good), bare.input(Id::Refusal, 0)),
        (Err(1), 9),
        "no boot stage"
    );
}

#[test]
fn blocks_are_taken_in_order_and_again_only_if_they_are_the_same() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    let good = image(Slot::B, NEW, true);
    rig.unlock();
    assert_eq!(block(&mut rig, &good, 0), Err(3), "none was offered");
    assert_eq!(offer(&mut rig, &good), Ok(()));
    let mut other = good.clone();
    other[3] ^= 1;
    assert_eq!(
        (block(&mut rig, &other, 0), rig.input(Id::Refusal, 0)),
        (Err(3), 16),
        "not what was offered"
    );
    assert_eq!(block(&mut rig, &good, 0), Ok(()));
    assert_eq!(
        (block(&mut rig, &good, 256), rig.input(Id::Refusal, 0)),
        (Err(3), 15)
    );
    assert_eq!(block(&mut rig, &good, 0), Ok(()), "an answer was lost");
    assert_eq!(
        (block(&mut rig, &other, 0), rig.input(Id::Refusal, 0)),
        (Err(3), 16)
    );
    assert_eq!(offer(&mut rig, &good), Ok(()), "the same again");
    assert_eq!(rig.input(Id::UpdateNext, 0), 128);
    // A reset in the midst of the second page: what was marked is there.
    while rig.input(Id::UpdateNext, 0) < 4_096 + 256 {
        let next = rig.input(Id::UpdateNext, 0) as usize;
        block(&mut rig, &good, next).unwrap();
    }
    let mut rig = started(&pages, boot(&pages, Why::Watchdog).unwrap());
    assert_eq!(rig.input(Id::UpdateNext, 0), 4_096);
    assert_eq!(receive(&mut rig, &good), Ok(()));
    assert_eq!(boot(&pages, Why::Reset).unwrap().slot, Slot::B);
}

#[test]
fn nothing_is_received_and_nothing_restarts_while_an_alarm_is_active() {
    let pages = made();
    let mut rig = started(&pages, boot(&pages, Why::Power).unwrap());
    rig.unlock();
    rig.configure(&gas()).unwrap();
    let good = image(Slot::B, NEW, true);
    rig.unlock();
    rig.current(0, at(60));
    rig.run(2_000);
    assert_eq!(
        (offer(&mut rig, &good), rig.input(Id::Refusal, 0)),
        (Err(1), 8)
    );
    rig.current(0, at(0));
    rig.run(3_000);
    send(&mut rig, &good).unwrap();
    order(&mut rig).unwrap();
    // A leak comes between the order and the restart.
    rig.current(0, at(60));
    rig.run(2_000);
    assert!(!rig.node.restart_is_due());
    rig.current(0, at(0));
    rig.run(3_000);
    assert!(rig.node.restart_is_due());
}

#[test]
fn an_active_image_that_rots_gives_way_to_the_other() {
    let pages = made();
    assert_eq!(update(&pages), Ok(()));
    pages.images.borrow_mut()[1][2_000] ^= 1;
    let by = boot(&pages, Why::Watchdog).unwrap();
    assert_eq!(by.slot, Slot::A);
    assert_eq!(
        by.verdict,
        Some((Slot::B, SlotState::Rejected, Some(Why::Crc)))
    );
    pages.images.borrow_mut()[0][2_000] ^= 1;
    assert_eq!(boot(&pages, Why::Watchdog), None, "nothing that is whole");
}

#[test]
fn an_image_that_hangs_before_it_takes_the_cause_of_its_start_is_found_hung() {
    let mut kept = Kept::NEW;
    assert_eq!(kept.how_it_ended(), Why::Power);
    Rig::start(&mut kept, &Pages::new(), 0);
    kept.resets_because(5);
    assert_eq!(kept.how_it_ended(), Why::Reset);
    kept.was_asked();
    assert_eq!(
        kept.how_it_ended(),
        Why::Watchdog,
        "it hung at its very begin"
    );
    kept.resets_because(3);
    assert_eq!(kept.how_it_ended(), Why::Panic);
    kept.was_asked();
    let mut rig = Rig::start(&mut kept, &Pages::new(), 0);
    assert_eq!(
        rig.input(Id::ResetCause, 0),
        3,
        "the image is told it all the same"
    );
}
