//! A node without a board: flash in memory that can lose its power, a line, a clock that the test winds.
#![allow(dead_code, reason = "each suite takes what it needs")]

use davy_alarm::{FaultPolicy, Instant, NoValue, Priority, Scheme};
use davy_node::{
    Bank, Boot, Flash, FlashFailed, IMAGE_PAGE, Kept, Node, PAGE_BYTES, Relays, Room, SAMPLE_MS,
    Sample, Started, UNLOCK_HOLD_MS, crc16,
};
use davy_wire::node::{
    Band, Block, Channel, EVENT_WORDS, Event, Group, Id, Life, Limit, LimitKind, Meaning,
    REGISTERS, Relay, RelayFlags, Settings, Silence, Slot, Version,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Bytes of a slot.
pub(crate) const SLOT_BYTES: usize = 4 * IMAGE_PAGE as usize;
pub(crate) const ROOM: Room = Room {
    board: 1,
    addresses: [0x1_0000, 0x2_0000],
    bytes: SLOT_BYTES as u32,
};

/// Six pages and two slots, shared between what runs before a cut and after it.
#[derive(Clone)]
pub(crate) struct Pages {
    bytes: Rc<RefCell<[[u8; PAGE_BYTES]; 6]>>,
    pub(crate) images: Rc<RefCell<[Vec<u8>; 2]>>,
    /// Operations until the power goes, and how much of the one that it meets is done, of 8 bytes or of an erase's eighths.
    left: Rc<Cell<Option<(usize, usize)>>>,
    pub(crate) operations: Rc<Cell<usize>>,
    /// Flash with a sum of errors for each eight bytes: what a cut meets does not fit its sum, and reads as nothing that was ever there.
    tears: Rc<Cell<bool>>,
}

/// As the board of the STM32G474 has a torn place read.
const TORN: u8 = 0x5a;

impl Pages {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Rc::new(RefCell::new([[0xff; PAGE_BYTES]; 6])),
            images: Rc::new(RefCell::new([
                vec![0xff; SLOT_BYTES],
                vec![0xff; SLOT_BYTES],
            ])),
            left: Rc::default(),
            operations: Rc::default(),
            tears: Rc::default(),
        }
    }

    /// The same of flash whose eight bytes are torn, all of them, by a cut in their midst; a page that was being erased is torn wherever it was not yet.
    pub(crate) fn tearing() -> Self {
        let pages = Self::new();
        pages.tears.set(true);
        pages
    }

    /// What a cut that left `done` eighths makes of the rest of an erase, or of eight bytes.
    fn tear(&self, rest: &mut [u8], done: usize) {
        if self.tears.get() && (1..8).contains(&done) {
            rest.fill(TORN);
        }
    }

    pub(crate) fn cut_after(&self, operations: usize, done: usize) {
        self.left.set(Some((operations, done)));
    }

    pub(crate) fn power(&self) {
        self.left.set(None);
    }

    pub(crate) fn flip(&self, bank: Bank, offset: usize) {
        self.bytes.borrow_mut()[usize::from(bank.number())][offset] ^= 0x10;
    }

    /// How much of the next operation is done, in eighths.
    fn done(&self) -> usize {
        self.operations.set(self.operations.get() + 1);
        match self.left.get() {
            None => 8,
            Some((0, done)) => {
                self.left.set(Some((0, 0)));
                done
            }
            Some((left, done)) => {
                self.left.set(Some((left - 1, done)));
                8
            }
        }
    }
}

impl Flash for Pages {
    fn read(&self, bank: Bank, offset: usize) -> [u8; 8] {
        let pages = self.bytes.borrow();
        pages[usize::from(bank.number())][offset..offset + 8]
            .try_into()
            .unwrap()
    }

    fn erase(&mut self, bank: Bank) -> Result<(), FlashFailed> {
        let done = self.done();
        let mut pages = self.bytes.borrow_mut();
        let (erased, rest) = pages[usize::from(bank.number())].split_at_mut(PAGE_BYTES / 8 * done);
        erased.fill(0xff);
        self.tear(rest, done);
        if done == 8 { Ok(()) } else { Err(FlashFailed) }
    }

    fn program(&mut self, bank: Bank, offset: usize, bytes: [u8; 8]) -> Result<(), FlashFailed> {
        let done = self.done();
        let mut pages = self.bytes.borrow_mut();
        let place = &mut pages[usize::from(bank.number())][offset..offset + 8];
        for (at, byte) in place.iter_mut().zip(bytes).take(done) {
            assert_eq!(*at, 0xff, "programmed twice");
            *at = byte;
        }
        self.tear(place, done);
        if done == 8 { Ok(()) } else { Err(FlashFailed) }
    }

    fn read_image(&self, slot: Slot, offset: u32) -> [u8; 8] {
        let images = self.images.borrow();
        let at = offset as usize;
        images[usize::from(slot.number())][at..at + 8]
            .try_into()
            .unwrap()
    }

    fn erase_image(&mut self, slot: Slot, offset: u32) -> Result<(), FlashFailed> {
        assert!(offset.is_multiple_of(IMAGE_PAGE));
        let done = self.done();
        let (at, length) = (offset as usize, IMAGE_PAGE as usize / 8 * done);
        let mut images = self.images.borrow_mut();
        let page = &mut images[usize::from(slot.number())][at..at + IMAGE_PAGE as usize];
        let (erased, rest) = page.split_at_mut(length);
        erased.fill(0xff);
        self.tear(rest, done);
        if done == 8 { Ok(()) } else { Err(FlashFailed) }
    }

    fn program_image(
        &mut self,
        slot: Slot,
        offset: u32,
        bytes: [u8; 8],
    ) -> Result<(), FlashFailed> {
        let done = self.done();
        let at = offset as usize;
        let mut images = self.images.borrow_mut();
        let place = &mut images[usize::from(slot.number())][at..at + 8];
        for (at, byte) in place.iter_mut().zip(bytes).take(done) {
            assert_eq!(*at, 0xff, "programmed twice");
            *at = byte;
        }
        self.tear(place, done);
        if done == 8 { Ok(()) } else { Err(FlashFailed) }
    }
}

pub(crate) const UNIT: u8 = 1;

/// A node at work.
pub(crate) struct Rig<'k> {
    pub(crate) node: &'k mut Node<'k, Pages>,
    pub(crate) now: u64,
    pub(crate) sample: Sample,
    /// Feedback follows the coils unless this is false.
    pub(crate) contacts: bool,
}

impl<'k> Rig<'k> {
    pub(crate) fn start(kept: &'k mut Kept, pages: &Pages, now: u64) -> Self {
        Self::started(kept, pages, now, None)
    }

    /// By a boot stage, if one says how.
    pub(crate) fn started(
        kept: &'k mut Kept,
        pages: &Pages,
        now: u64,
        started: Option<Started>,
    ) -> Self {
        let boot = Boot {
            now: Instant(now),
            firmware: [0, 1, 0],
            room: ROOM,
            started,
        };
        Self::booted(kept, pages, boot)
    }

    pub(crate) fn of_version(kept: &'k mut Kept, pages: &Pages, firmware: Version) -> Self {
        let boot = Boot {
            now: Instant(0),
            firmware,
            room: ROOM,
            started: None,
        };
        Self::booted(kept, pages, boot)
    }

    fn booted(kept: &'k mut Kept, pages: &Pages, boot: Boot) -> Self {
        let now = boot.now.0;
        Self {
            node: Node::start(
                Box::leak(Box::new(std::mem::MaybeUninit::uninit())),
                kept,
                pages.clone(),
                boot,
            ),
            now,
            sample: Sample {
                currents_ua: Some([4_000; 8]),
                reference_ua: Some(10_000),
                feedback: 0,
                key: false,
            },
            contacts: true,
        }
    }

    /// With these settings, committed as an installer does.
    pub(crate) fn configured(kept: &'k mut Kept, pages: &Pages, settings: &Settings) -> Self {
        let mut rig = Self::start(kept, pages, 0);
        rig.unlock();
        assert_eq!(rig.configure(settings), Ok(()));
        rig
    }

    pub(crate) fn unlock(&mut self) {
        self.press(UNLOCK_HOLD_MS);
    }

    pub(crate) fn press(&mut self, ms: u64) {
        self.sample.key = true;
        self.run(ms);
        self.sample.key = false;
        self.run(SAMPLE_MS);
    }

    /// Runs for so long.
    pub(crate) fn run(&mut self, ms: u64) -> Relays {
        let end = self.now + ms;
        loop {
            let relays = self.node.round(&self.sample, Instant(self.now));
            if self.contacts {
                self.sample.feedback = relays.coils;
            }
            self.node.store();
            self.quiet();
            if self.now >= end {
                return relays;
            }
            self.now = end.min(self.now + SAMPLE_MS);
        }
    }

    fn quiet(&mut self) {
        assert!(self.node.quiet(Instant(self.now)).is_none());
    }

    pub(crate) fn current(&mut self, channel: usize, ua: u16) {
        self.sample.currents_ua.as_mut().unwrap()[channel] = ua;
    }

    /// The answer to a request of this function and data, without unit and sum; the error is the exception's code.
    pub(crate) fn ask(&mut self, pdu: &[u8]) -> Result<Vec<u8>, u8> {
        let answer = self.send(&framed(UNIT, pdu)).expect("an answer");
        let (body, sum) = answer.split_at(answer.len() - 2);
        assert_eq!(crc16(body).to_le_bytes(), sum);
        assert_eq!(body[0], UNIT);
        if body[1] == pdu[0] {
            Ok(body[2..].to_vec())
        } else {
            assert_eq!(body[1], pdu[0] | 0x80);
            assert_eq!(body.len(), 3);
            Err(body[2])
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut answer = None;
        for byte in bytes {
            if let Some(bytes) = self.node.byte(*byte, Instant(self.now)) {
                answer = Some(bytes.to_vec());
            }
        }
        answer
    }

    pub(crate) fn read(&mut self, function: u8, address: u16, count: u16) -> Result<Vec<u16>, u8> {
        let answer = self.ask(
            &[
                &[function],
                &address.to_be_bytes()[..],
                &count.to_be_bytes(),
            ]
            .concat(),
        )?;
        assert_eq!(usize::from(answer[0]), answer.len() - 1);
        let words = answer[1..].as_chunks().0.iter();
        Ok(words.map(|word| u16::from_be_bytes(*word)).collect())
    }

    /// One element of a register of the input table, as the map has it.
    pub(crate) fn input(&mut self, id: Id, element: u16) -> u64 {
        let register = REGISTERS.iter().find(|register| register.id == id).unwrap();
        let width = register.spelling.width();
        let words = self.read(4, register.address + element * width, width);
        let words = words.unwrap().into_iter();
        words.fold(0, |value, word| value << 16 | u64::from(word))
    }

    pub(crate) fn write(&mut self, id: Id, first: u16, words: &[u16]) -> Result<(), u8> {
        let register = REGISTERS.iter().find(|register| register.id == id).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let head = [
            &[16],
            &(register.address + first).to_be_bytes()[..],
            &(words.len() as u16).to_be_bytes(),
            &[bytes.len() as u8],
        ];
        self.ask(&[head.concat(), bytes].concat()).map(|_| ())
    }

    pub(crate) fn stage(&mut self, block: &Block) -> Result<(), u8> {
        for (nth, words) in block.0.chunks(100).enumerate() {
            self.write(Id::Staged, nth as u16 * 100, words)?;
        }
        Ok(())
    }

    pub(crate) fn commit(&mut self, crc: u32) -> Result<(), u8> {
        self.write(Id::Commit, 0, &[(crc >> 16) as u16, crc as u16])
    }

    pub(crate) fn configure(&mut self, settings: &Settings) -> Result<(), u8> {
        let block = Block::of(settings);
        self.stage(&block)?;
        self.commit(block.crc())
    }

    /// Every event from `from` on that the ring has.
    pub(crate) fn events(&mut self, from: u32) -> Vec<Event> {
        let (oldest, next) = (self.input(Id::EventOldest, 0), self.input(Id::EventNext, 0));
        let numbers = (oldest as u32).max(from)..next as u32;
        numbers
            .map(|number| {
                let element = (number % 128) as u16;
                let words = self.read(4, 4096 + element * EVENT_WORDS as u16, EVENT_WORDS as u16);
                let event = Event::from_words(&words.unwrap().try_into().unwrap()).unwrap();
                assert_eq!(event.number, number);
                event
            })
            .collect()
    }

    pub(crate) fn state(&mut self, alarm: u16) -> u8 {
        self.input(Id::AlarmState, alarm) as u8
    }
}

pub(crate) fn framed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let body = [&[unit], pdu].concat();
    [body.clone(), crc16(&body).to_le_bytes().to_vec()].concat()
}

/// Two gas channels of 0–100 with level 1 at 25 and a latching level 2 at 50, voting 1 of 2; relay 0 is a siren (horn), 1 a fail-safe fan, 2 a request of the
/// gateway that drops with it, 3 one that is demanded while it is silent.
pub(crate) fn gas() -> Settings {
    let mut settings = Settings::EMPTY;
    (settings.life, settings.silent_after_s) = (Life::Request, 10);
    let limit = |kind, set_point, latching, gas_level_2| Limit {
        kind,
        priority: Priority::P1,
        latching,
        gas_level_2,
        set_point,
        deadband: 1_000,
        on_delay_ds: if gas_level_2 { 0 } else { 10 },
        off_delay_ds: 10,
    };
    for channel in &mut settings.channels[..2] {
        *channel = Some(Channel {
            low: 0,
            high: 100_000,
            filter_ms: 0,
            bad_delay_ds: 20,
            warm_up_s: 0,
            bands: ne43(),
            limits: [
                Some(limit(LimitKind::Hi, 25_000, false, false)),
                Some(limit(LimitKind::HiHi, 50_000, true, true)),
                None,
                None,
            ],
        });
    }
    settings.groups[0] = Some(Group {
        members: 0b11,
        limit: 0,
        scheme: Scheme {
            needed: 2,
            fault: FaultPolicy::Exclude,
            safety: true,
        },
        latching: false,
        on_delay_ds: 0,
        discrepancy_ds: 600,
    });
    let relay = |causes, normally_energised, horn, when_silent: Option<Silence>| Relay {
        causes,
        flags: RelayFlags {
            normally_energised,
            horn,
            gateway_may_request: when_silent.is_some(),
            demanded_when_failed: horn,
        },
        when_silent: when_silent.unwrap_or(Silence::Keep),
        run_s: 0,
    };
    settings.relays = [
        relay(0, false, true, None),
        relay(1 << 1 | 1 << 5, true, false, None),
        relay(0, false, false, Some(Silence::Drop)),
        relay(1 << 40, false, false, Some(Silence::Demand)),
    ];
    settings
}

/// NE43 as the gateway has it (config/data/bands.toml).
pub(crate) fn ne43() -> [Band; 6] {
    let band = |below_ua, means| Band { below_ua, means };
    [
        band(1_000, Meaning::Absent(NoValue::BrokenLoop)),
        band(3_600, Meaning::Absent(NoValue::SensorFault)),
        band(3_800, Meaning::Uncertain),
        band(20_500, Meaning::Measures),
        band(21_000, Meaning::Uncertain),
        band(u16::MAX, Meaning::Absent(NoValue::SensorFault)),
    ]
}

/// The current for a value of 0–100.
pub(crate) fn at(percent: u16) -> u16 {
    4_000 + percent * 160
}
