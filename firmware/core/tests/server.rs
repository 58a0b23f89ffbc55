//! The Modbus server: exact answers, exact exceptions, silence for what is not its own, and no bytes that upset it.
#![allow(clippy::unwrap_used)]

mod rig;

use davy_alarm::Instant;
use davy_node::{Frames, GAP_MS, Heard, Kept, crc16};
use proptest::prelude::*;
use rig::{Pages, Rig, UNIT, framed, gas};

#[test]
fn each_wrong_request_has_its_exception() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    for (pdu, wanted) in [
        (&[1, 0, 0, 0, 4][..], Ok(())),
        (&[2, 0, 0, 0, 73], Ok(())),
        (&[4, 0, 100, 0, 33], Ok(())),
        (&[3, 0, 0, 0, 5], Ok(())),
        // Quantities (value), then addresses.
        (&[1, 0, 0, 0, 0], Err(3)),
        (&[1, 0, 0, 7, 0xd1], Err(3)),
        (&[3, 0, 0, 0, 126], Err(3)),
        (&[4, 0, 0, 0, 0], Err(3)),
        (&[4, 0xff, 0xff, 0, 2], Err(2)),
        (&[4, 0, 99, 0, 1], Err(2)),
        (&[4, 0, 60, 0, 8], Ok(())),
        (&[4, 0, 60, 0, 9], Err(2)),
        (&[1, 0, 0, 0, 5], Err(2)),
        (&[2, 0, 72, 0, 2], Err(2)),
        // A coil is on or off.
        (&[5, 0, 2, 0xff, 0], Ok(())),
        (&[5, 0, 2, 0, 0], Ok(())),
        (&[5, 0, 2, 0x12, 0x34], Err(3)),
        (&[5, 0, 4, 0xff, 0], Err(2)),
        (&[6, 0, 0, 0, 7], Ok(())),
        (&[6, 0, 9, 0, 7], Err(2)),
        // Never half of what belongs together.
        (&[6, 0, 1, 0, 7], Err(3)),
        (&[16, 0, 5, 0, 1, 2, 0, 1], Err(3)),
        (&[16, 0, 0, 0, 2, 4, 0, 1, 0, 2], Err(2)),
        (&[16, 0, 0, 0, 1, 2, 0, 8], Ok(())),
        // Counts that do not agree.
        (&[16, 0, 0, 0, 2, 2, 0, 1], Err(3)),
        (&[16, 0, 0, 0, 0, 0], Err(3)),
        (&[15, 0, 0, 0, 4, 1, 0], Ok(())),
        (&[15, 0, 0, 0, 9, 1, 0], Err(3)),
        (&[15, 0, 1, 0, 4, 1, 0], Err(2)),
        (&[43, 14, 5, 0], Err(3)),
        (&[43, 14, 4, 3], Err(2)),
        (&[43, 13, 1, 0], Err(1)),
    ] {
        assert_eq!(rig.ask(pdu).map(|_| ()), wanted, "{pdu:?}");
    }
}

#[test]
fn it_says_what_it_is() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::of_version(&mut kept, &pages, [3, 20, 65_535]);
    let answer = rig.ask(&[43, 14, 1, 0]).unwrap();
    let mut wanted = vec![14, 1, 0x81, 0, 0, 3];
    for (object, text) in [
        (0, "Davy"),
        (1, "davy-node"),
        // Of the image that runs, not of the sources.
        (2, "3.20.65535"),
    ] {
        wanted.extend([object, text.len() as u8]);
        wanted.extend(text.as_bytes());
    }
    assert_eq!(answer, wanted);
    assert_eq!(
        rig.ask(&[43, 14, 4, 1]).unwrap()[5..],
        [
            1, 1, 9, b'd', b'a', b'v', b'y', b'-', b'n', b'o', b'd', b'e'
        ]
    );
}

#[test]
fn a_function_that_it_does_not_know_is_refused_after_the_silence_that_ends_it() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    assert_eq!(rig.send(&framed(UNIT, &[7])), None);
    assert!(rig.node.quiet(Instant(0)).is_none());
    let answer = rig.node.quiet(Instant(GAP_MS)).map(<[u8]>::to_vec);
    assert_eq!(answer, Some(framed(UNIT, &[0x87, 1])));
}

#[test]
fn an_exception_on_the_line_is_an_answer_and_is_not_answered() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    // Of the exception's length, and of none that an exception has.
    for pdu in [
        &[0x84, 2][..],
        &[0x87, 1],
        &[0x80, 0],
        &[0x84],
        &[0x84, 2, 0],
    ] {
        assert_eq!(rig.send(&framed(UNIT, pdu)), None, "{pdu:?}");
        assert!(rig.node.quiet(Instant(0)).is_none());
        assert!(rig.node.quiet(Instant(GAP_MS)).is_none(), "{pdu:?}");
    }
    // And it ends where it ends: what follows at once is heard.
    assert_eq!(rig.send(&framed(UNIT, &[0x84, 2])), None);
    assert!(rig.ask(&[4, 0, 0, 0, 1]).is_ok());
}

#[test]
fn it_is_silent_for_others_for_all_and_for_a_wrong_sum() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    let read = [4, 0, 0, 0, 1];
    assert_eq!(rig.send(&framed(2, &read)), None);
    // The other's answer.
    assert_eq!(rig.send(&framed(2, &[4, 2, 0, 9])), None);
    // A heartbeat for all is taken, not answered.
    assert_eq!(rig.send(&framed(0, &[6, 0, 0, 0, 42])), None);
    assert_eq!(rig.read(3, 0, 1), Ok(vec![42]));
    let mut wrong = framed(UNIT, &read);
    wrong[7] ^= 1;
    assert_eq!(rig.send(&wrong), None);
    // Nothing is believed until the line was silent.
    assert_eq!(rig.send(&framed(UNIT, &read)), None);
    assert!(rig.node.quiet(Instant(0)).is_none());
    assert!(rig.node.quiet(Instant(GAP_MS)).is_none());
    assert!(rig.send(&framed(UNIT, &read)).is_some());
}

#[test]
fn a_request_inside_anothers_answer_is_no_request() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::start(&mut kept, &pages, 0);
    let hidden = framed(UNIT, &[5, 0, 2, 0xff, 0]);
    let answer = [&[3, 8][..], &hidden].concat();
    assert_eq!(rig.send(&framed(7, &answer)), None);
    // The same answer, spoilt: in the midst of noise nothing is believed either.
    let mut spoilt = framed(7, &answer);
    *spoilt.last_mut().unwrap() ^= 1;
    assert_eq!(rig.send(&spoilt), None);
    assert!(rig.node.quiet(Instant(0)).is_none());
    assert!(rig.node.quiet(Instant(GAP_MS)).is_none());
    assert_eq!(rig.ask(&[1, 0, 2, 0, 1]), Ok(vec![1, 0]));
}

#[test]
fn bytes_that_come_late_and_together_are_one_frame() {
    let mut frames = Frames::new();
    let frame = framed(UNIT, &[4, 0, 0, 0, 1]);
    let (last, first) = frame.split_last().unwrap();
    for byte in first {
        assert_eq!(frames.byte(*byte, UNIT), Heard::Nothing);
    }
    // The reader was busy for a second, and found the last byte waiting.
    assert_eq!(frames.byte(*last, UNIT), Heard::Request);
}

/// A small generator, so that a million frames take seconds; its seed is its state.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A hostile frame: random, or nearly right, mostly with a right sum.
    fn frame(&mut self) -> Vec<u8> {
        let random = self.next();
        let functions = [1, 2, 3, 4, 5, 6, 15, 16, 43, 7, 0x83, random as u8];
        let function = functions[(random >> 8) as usize % functions.len()];
        let unit = [UNIT, UNIT, UNIT, 0, 2][(random >> 16) as usize % 5];
        let length = (random >> 24) as usize % 24;
        let mut pdu = vec![function];
        pdu.extend((0..length).map(|_| self.next() as u8 >> (random >> 32 & 7)));
        if matches!(function, 15 | 16) && length > 5 && random >> 40 & 1 == 0 {
            pdu[5] = (length - 5) as u8;
        }
        let mut frame = framed(unit, &pdu);
        if random >> 41 & 7 == 0 {
            frame.truncate(frame.len() / 2);
        }
        frame
    }
}

/// A million frames; the work for each is bounded by construction (`SLIDES`), so that the whole takes as long as its bytes.
#[test]
fn a_hostile_master_of_a_million_frames_changes_nothing_that_it_may_not() {
    let (mut kept, pages) = (Kept::NEW, Pages::new());
    let mut rig = Rig::configured(&mut kept, &pages, &gas());
    let before = rig.read(4, 1000, 125).unwrap();
    let operations = pages.operations.get();
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    let (mut answers, mut now) = (0_u32, 1_000_000);
    for frame in (0..1_000_000).map(|_| noise.frame()) {
        for byte in &frame {
            if let Some(answer) = rig.node.byte(*byte, Instant(now)) {
                assert!(answer.len() <= 256 && answer[0] == UNIT);
                let (body, sum) = answer.split_at(answer.len() - 2);
                assert_eq!(crc16(body).to_le_bytes(), sum);
                answers += 1;
            }
        }
        rig.node.quiet(Instant(now));
        now += GAP_MS;
        answers += u32::from(rig.node.quiet(Instant(now)).is_some());
    }
    assert!(answers > 100_000, "{answers}: most must reach the decoder");
    rig.now = now;
    assert_eq!(rig.read(4, 1000, 125).unwrap(), before);
    assert_eq!(pages.operations.get(), operations, "flash was touched");
    assert_eq!(rig.input(davy_wire::node::Id::UnlockedS, 0), 0);
}

proptest! {
    #[test]
    fn after_any_noise_and_a_silence_the_next_request_is_answered(noise in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut frames = Frames::new();
        for byte in &noise {
            frames.byte(*byte, UNIT);
        }
        frames.idle(UNIT, Instant(0));
        frames.idle(UNIT, Instant(GAP_MS));
        let request = framed(UNIT, &[4, 0, 0, 0, 1]);
        let heard: Vec<Heard> = request.iter().map(|byte| frames.byte(*byte, UNIT)).collect();
        prop_assert_eq!(heard.last(), Some(&Heard::Request));
        prop_assert_eq!(frames.request(), &request[..6]);
    }

    #[test]
    fn a_bus_that_is_never_silent_comes_back_into_step_by_whole_frames_of_others(noise in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut frames = Frames::new();
        for byte in &noise {
            frames.byte(*byte, UNIT);
        }
        let (others, own) = (framed(9, &[3, 0, 0, 0, 2]), framed(UNIT, &[4, 0, 0, 0, 1]));
        // A frame that noise began may swallow what it says its length is.
        for byte in (0..40).flat_map(|_| &others) {
            frames.byte(*byte, UNIT);
        }
        let heard = own.iter().map(|byte| frames.byte(*byte, UNIT)).last();
        prop_assert_eq!(heard, Some(Heard::Request));
    }
}
