//! The bytes of one batch, without its frame. Pieces are those of [`super::bytes`].
//!
//! | Bytes | Content |
//! |---|---|
//! | 1 | flags: bits 0–1 kind of the frame, 0 = batch; bit 2 urgent (see [`Batch::is_urgent`]); bit 3 of a device; 4–7 zero |
//! | varint | offset − first offset of the segment |
//! | zigzag | made − made of the segment, ms |
//! | varint | position of the device, if bit 3 |
//! | varint | number of records |
//! | … | the records, each a tag byte `form << 2 \| bits` and what its form says |
//!
//! A time is the zigzag difference to the time before it in the batch; the first to the batch's own.
//!
//! | Form | Record | Content after the tag |
//! |---|---|---|
//! | 0–18 | reading; bit 0 uncertain, bit 1 another time than the one before | zigzag position of the point − (position before + 1), where −1 stands before the first; time, if bit 1; value in this form |
//! | 32 | transition | see below |
//! | 33 | output; bit 0 on | varint position, time |
//! | 34 | loss | varint from, varint to − from, varint readings, time |
//! | 35 | start | time |
//! | 36 | act; bits 0–1: 0 silence, 1 reset of an output, 2 test of an output | varint position of the output, if 1 or 2; varint milliseconds, if 2; time; text actor |
//! | 37 | three or more readings that follow one another, since version 3 | see [`super::columns`] |
//! | 38 | the clock was set, since version 3 | time, zigzag by how many ms |
//! | 39 | another site file, since version 3 | time; texts actor, digest before, digest now, changes |
//! | 40 | proof; bits 0–1: 0 of a point, 1 of an output, 2 of the site (a report) | varint position, if 0 or 1; varint number; time; texts actor, kind, outcome, digest, detail |
//! | 41 | told by a node, since version 4; bits 0–1: 0 event, 1 missed, 2 numbered anew | time of its collection; text device; 0: the event's 24 bytes as in its registers, byte clock ([`EventClock::code`]), zigzag its time − that of its collection; 1: varint from, varint to − from; 2: varint expected, varint from |
//!
//! Values have the forms of [`super::values`].
//!
//! A transition: varint seq; varint alarm; byte from, byte to, byte cause ([`Shown::code`], [`Cause::code`]); byte priority; varint occurrence; time;
//! byte flags (bit 0 person, 1 reason, 2 second, 3 command, 4 shelved until); byte form and value; byte form and limit; then text actor, text
//! reason, text second, text command, zigzag shelved until − the transition's time, as the flags say; 24 bytes [`Saved`].

use super::bytes::{Bytes, put_text, put_varint, put_zigzag};
use super::columns::{self, COLUMNS};
use super::record::{Act, Batch, Names, Proof, Proved, Record, Reloaded, Transition};
use super::reference::References;
use super::values::{NONE, optional_value, put_optional_value, put_value, value};
use crate::judge::Person;
use crate::node::{EventClock, Told, What};
use davy_alarm::{Cause, Quality, Reading, Saved, Shown, WallMs};
use davy_wire::node::EVENT_WORDS;
use std::sync::Arc;

/// Most records of one batch.
pub(super) const MOST_RECORDS: usize = 4096;

pub(super) const KIND: u8 = 0b11;
pub(super) const BATCH: u8 = 0;
pub(super) const URGENT: u8 = 1 << 2;
const OF_DEVICE: u8 = 1 << 3;

const TRANSITION: u8 = 32;
const OUTPUT: u8 = 33;
const LOST: u8 = 34;
const STARTED: u8 = 35;
const ACT: u8 = 36;
/// 37 are columns of readings.
const CLOCK_SET: u8 = 38;
const RELOADED: u8 = 39;
const SILENCE: u8 = 0;
const RESET_OUTPUT: u8 = 1;
const TEST_OUTPUT: u8 = 2;
const PROOF: u8 = 40;
const OF_POINT: u8 = 0;
const OF_OUTPUT: u8 = 1;
const OF_SITE: u8 = 2;
const TOLD: u8 = 41;
const EVENT: u8 = 0;
const MISSED: u8 = 1;
const RENUMBERED: u8 = 2;

/// What a segment's header says that its batches are read with.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// First offset.
    pub(super) first: u64,
    pub(super) made: WallMs,
    pub(super) references: Arc<References>,
}

/// What stands before a batch's records: enough to pass over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) offset: u64,
    pub(super) made: WallMs,
    pub(super) urgent: bool,
    pub(super) device: Option<u32>,
    pub(super) records: usize,
}

/// Appends the bytes of a batch, whose offset is not below the base's.
pub(super) fn encode(out: &mut Vec<u8>, batch: &Batch, base: &Base) {
    let mut flags = BATCH;
    if batch.is_urgent() {
        flags |= URGENT;
    }
    if batch.device.is_some() {
        flags |= OF_DEVICE;
    }
    out.push(flags);
    put_varint(out, batch.offset.saturating_sub(base.first));
    put_zigzag(out, batch.made.0.wrapping_sub(base.made.0));
    if let Some(device) = batch.device {
        put_varint(out, u64::from(device));
    }
    put_varint(out, batch.records.len() as u64);
    let mut last = Last::new(batch.made);
    let is_reading = |record: &Record| matches!(record, Record::Reading { .. });
    let alike = |one: &Record, next: &Record| is_reading(one) && is_reading(next);
    for run in batch.records.chunk_by(alike) {
        if run.len() >= columns::FEWEST {
            columns::put(out, &mut last, run, &base.references);
        } else {
            run.iter().for_each(|record| last.put_record(out, record));
        }
    }
}

/// Reads what stands before the records; `None` for bytes that we never wrote.
pub(super) fn head(bytes: &mut Bytes<'_>, base: &Base) -> Option<Head> {
    let flags = bytes.byte()?;
    if flags & KIND != BATCH || flags & !(KIND | URGENT | OF_DEVICE) != 0 {
        return None;
    }
    let offset = base.first.checked_add(bytes.varint()?)?;
    let made = WallMs(base.made.0.wrapping_add(bytes.zigzag()?));
    let device = if flags & OF_DEVICE != 0 {
        Some(bytes.varint_u32()?)
    } else {
        None
    };
    let records = usize::try_from(bytes.varint()?).ok()?;
    (records <= MOST_RECORDS).then_some(Head {
        offset,
        made,
        urgent: flags & URGENT != 0,
        device,
        records,
    })
}

/// Reads a batch whole; `None` for bytes that we never wrote.
pub(super) fn decode(body: &[u8], base: &Base, names: &Arc<Names>) -> Option<Batch> {
    let mut bytes = Bytes(body);
    let head = head(&mut bytes, base)?;
    let mut records = Vec::with_capacity(head.records.min(body.len()));
    let mut last = Last::new(head.made);
    while records.len() < head.records {
        let tag = bytes.byte()?;
        if tag >> 2 == COLUMNS {
            let left = head.records - records.len();
            let run = columns::decode(&mut bytes, tag & 3, &mut last, left, &base.references)?;
            if !run.iter().all(|record| names.know(record)) {
                return None;
            }
            records.extend(run);
        } else {
            records.push(last.record(&mut bytes, tag, names)?);
        }
    }
    bytes.is_empty().then(|| Batch {
        offset: head.offset,
        made: head.made,
        names: names.clone(),
        device: head.device,
        records,
    })
}

/// What the next record is told as a difference to.
pub(super) struct Last {
    time: WallMs,
    pub(super) point: i64,
}

impl Last {
    const fn new(made: WallMs) -> Self {
        Self {
            time: made,
            point: -1,
        }
    }

    pub(super) fn put_time(&mut self, out: &mut Vec<u8>, time: WallMs) {
        put_zigzag(out, time.0.wrapping_sub(self.time.0));
        self.time = time;
    }

    pub(super) fn time(&mut self, bytes: &mut Bytes<'_>) -> Option<WallMs> {
        self.time = WallMs(self.time.0.wrapping_add(bytes.zigzag()?));
        Some(self.time)
    }

    fn put_record(&mut self, out: &mut Vec<u8>, record: &Record) {
        match record {
            Record::Reading { point, reading } => self.put_reading(out, *point, reading),
            Record::Transition(transition) => self.put_transition(out, transition),
            Record::Output { output, on, time } => {
                out.push(OUTPUT << 2 | u8::from(*on));
                put_varint(out, u64::from(*output));
                self.put_time(out, *time);
            }
            Record::Lost {
                from,
                to,
                readings,
                time,
            } => {
                out.push(LOST << 2);
                put_varint(out, *from);
                put_varint(out, to.saturating_sub(*from));
                put_varint(out, *readings);
                self.put_time(out, *time);
            }
            Record::ClockSet { time, by_ms } => {
                out.push(CLOCK_SET << 2);
                self.put_time(out, *time);
                put_zigzag(out, *by_ms);
            }
            Record::Started { time } => {
                out.push(STARTED << 2);
                self.put_time(out, *time);
            }
            Record::Reloaded(reloaded) => {
                out.push(RELOADED << 2);
                self.put_time(out, reloaded.time);
                let Reloaded {
                    actor,
                    from,
                    to,
                    changes,
                    time: _,
                } = &**reloaded;
                for text in [actor, from, to, changes] {
                    put_text(out, text);
                }
            }
            Record::Act { act, actor, time } => {
                match act {
                    Act::Silence => out.push(ACT << 2 | SILENCE),
                    Act::ResetOutput(output) => {
                        out.push(ACT << 2 | RESET_OUTPUT);
                        put_varint(out, u64::from(*output));
                    }
                    Act::TestOutput { output, for_ms } => {
                        out.push(ACT << 2 | TEST_OUTPUT);
                        put_varint(out, u64::from(*output));
                        put_varint(out, u64::from(*for_ms));
                    }
                }
                self.put_time(out, *time);
                put_text(out, actor);
            }
            Record::Proof(proof) => self.put_proof(out, proof),
            Record::Told(told) => self.put_told(out, told),
        }
    }

    fn put_told(&mut self, out: &mut Vec<u8>, told: &Told) {
        out.push(
            TOLD << 2
                | match told.what {
                    What::Event { .. } => EVENT,
                    What::Missed { .. } => MISSED,
                    What::Renumbered { .. } => RENUMBERED,
                },
        );
        self.put_time(out, told.collected);
        put_text(out, &told.device);
        match &told.what {
            What::Event { words, time, clock } => {
                words.iter().for_each(|word| out.extend(word.to_be_bytes()));
                out.push(clock.code());
                put_zigzag(out, time.0.wrapping_sub(told.collected.0));
            }
            What::Missed { from, to } => {
                put_varint(out, u64::from(*from));
                put_varint(out, u64::from(to.saturating_sub(*from)));
            }
            What::Renumbered { expected, from } => {
                put_varint(out, u64::from(*expected));
                put_varint(out, u64::from(*from));
            }
        }
    }

    fn put_proof(&mut self, out: &mut Vec<u8>, proof: &Proof) {
        let (bits, position) = match proof.of {
            Proved::Point(position) => (OF_POINT, Some(position)),
            Proved::Output(position) => (OF_OUTPUT, Some(position)),
            Proved::Site => (OF_SITE, None),
        };
        out.push(PROOF << 2 | bits);
        if let Some(position) = position {
            put_varint(out, u64::from(position));
        }
        put_varint(out, proof.number);
        self.put_time(out, proof.time);
        for text in [
            &proof.actor,
            &proof.kind,
            &proof.outcome,
            &proof.digest,
            &proof.detail,
        ] {
            put_text(out, text);
        }
    }

    fn put_reading(&mut self, out: &mut Vec<u8>, point: u32, reading: &Reading) {
        let time = reading.source_time();
        let moved = time != self.time;
        let tag = out.len();
        out.push(0);
        put_zigzag(out, i64::from(point) - (self.point + 1));
        self.point = i64::from(point);
        if moved {
            self.put_time(out, time);
        }
        let form = put_value(out, reading.value());
        let uncertain = reading.quality() == Quality::Uncertain;
        out[tag] = form << 2 | u8::from(moved) << 1 | u8::from(uncertain);
    }

    fn put_transition(&mut self, out: &mut Vec<u8>, transition: &Transition) {
        out.push(TRANSITION << 2);
        put_varint(out, transition.seq);
        put_varint(out, u64::from(transition.alarm));
        out.extend([
            transition.from.code(),
            transition.to.code(),
            transition.cause.code(),
            transition.priority,
        ]);
        put_varint(out, u64::from(transition.occurrence));
        self.put_time(out, transition.time);
        let person = transition.person.as_ref();
        let reason = person.and_then(|person| person.reason.as_deref());
        let second = person.and_then(|person| person.second.as_deref());
        let present = [
            person.is_some(),
            reason.is_some(),
            second.is_some(),
            transition.command.is_some(),
            transition.shelved_until.is_some(),
        ];
        out.push(
            present
                .iter()
                .rev()
                .fold(0, |bits, present| bits << 1 | u8::from(*present)),
        );
        put_optional_value(out, transition.value);
        put_optional_value(out, transition.limit.map(Ok));
        let actor = person.map(|person| &*person.actor);
        for text in [actor, reason, second, transition.command.as_deref()]
            .into_iter()
            .flatten()
        {
            put_text(out, text);
        }
        if let Some(until) = transition.shelved_until {
            put_zigzag(out, until.0.wrapping_sub(transition.time.0));
        }
        out.extend(transition.saved.to_bytes());
    }

    fn record(&mut self, bytes: &mut Bytes<'_>, tag: u8, names: &Names) -> Option<Record> {
        let record = match (tag >> 2, tag & 3) {
            (TRANSITION, 0) => Record::Transition(Box::new(self.transition(bytes)?)),
            (OUTPUT, on @ 0..=1) => Record::Output {
                output: bytes.varint_u32()?,
                on: on == 1,
                time: self.time(bytes)?,
            },
            (LOST, 0) => {
                let from = bytes.varint()?;
                Record::Lost {
                    from,
                    to: from.checked_add(bytes.varint()?)?,
                    readings: bytes.varint()?,
                    time: self.time(bytes)?,
                }
            }
            (STARTED, 0) => Record::Started {
                time: self.time(bytes)?,
            },
            (RELOADED, 0) => Record::Reloaded(Box::new(Reloaded {
                time: self.time(bytes)?,
                actor: bytes.text()?,
                from: bytes.text()?,
                to: bytes.text()?,
                changes: bytes.text()?,
            })),
            (CLOCK_SET, 0) => Record::ClockSet {
                time: self.time(bytes)?,
                by_ms: bytes.zigzag()?,
            },
            (ACT, what @ SILENCE..=TEST_OUTPUT) => Record::Act {
                act: match what {
                    TEST_OUTPUT => Act::TestOutput {
                        output: bytes.varint_u32()?,
                        for_ms: bytes.varint_u32()?,
                    },
                    RESET_OUTPUT => Act::ResetOutput(bytes.varint_u32()?),
                    _ => Act::Silence,
                },
                time: self.time(bytes)?,
                actor: bytes.text()?,
            },
            (PROOF, of @ OF_POINT..=OF_SITE) => Record::Proof(Box::new(self.proof(bytes, of)?)),
            (TOLD, what @ EVENT..=RENUMBERED) => Record::Told(Box::new(self.told(bytes, what)?)),
            (form @ 0..NONE, bits) => {
                let (point, reading) = self.reading(bytes, form, bits)?;
                Record::Reading { point, reading }
            }
            _ => return None,
        };
        names.know(&record).then_some(record)
    }

    fn told(&mut self, bytes: &mut Bytes<'_>, what: u8) -> Option<Told> {
        let collected = self.time(bytes)?;
        Some(Told {
            collected,
            device: bytes.text()?,
            what: match what {
                EVENT => What::Event {
                    words: words(bytes)?,
                    clock: EventClock::from_code(bytes.byte()?)?,
                    time: WallMs(collected.0.wrapping_add(bytes.zigzag()?)),
                },
                MISSED => {
                    let from = bytes.varint_u32()?;
                    let to = from.checked_add(bytes.varint_u32()?)?;
                    What::Missed { from, to }
                }
                _ => What::Renumbered {
                    expected: bytes.varint_u32()?,
                    from: bytes.varint_u32()?,
                },
            },
        })
    }

    fn proof(&mut self, bytes: &mut Bytes<'_>, of: u8) -> Option<Proof> {
        let of = match of {
            OF_POINT => Proved::Point(bytes.varint_u32()?),
            OF_OUTPUT => Proved::Output(bytes.varint_u32()?),
            _ => Proved::Site,
        };
        Some(Proof {
            of,
            number: bytes.varint()?,
            time: self.time(bytes)?,
            actor: bytes.text()?,
            kind: bytes.text()?,
            outcome: bytes.text()?,
            digest: bytes.text()?,
            detail: bytes.text()?,
        })
    }

    fn reading(&mut self, bytes: &mut Bytes<'_>, form: u8, bits: u8) -> Option<(u32, Reading)> {
        let point = bytes.zigzag()?.checked_add(self.point + 1)?;
        let position = u32::try_from(point).ok()?;
        self.point = point;
        let time = if bits & 2 != 0 {
            self.time(bytes)?
        } else {
            self.time
        };
        let reading = match (value(bytes, form)?, bits & 1 != 0) {
            (Ok(value), true) => Reading::uncertain(value, time),
            (Ok(value), false) => Reading::measured(value, time),
            (Err(cause), _) => Reading::absent(cause, time),
        };
        Some((position, reading))
    }

    fn transition(&mut self, bytes: &mut Bytes<'_>) -> Option<Transition> {
        let seq = bytes.varint()?;
        let alarm = bytes.varint_u32()?;
        let [from, to, cause, priority] = bytes.array()?;
        let occurrence = bytes.varint_u32()?;
        let time = self.time(bytes)?;
        let flags = bytes.byte()?;
        if flags & 0b1110_0000 != 0 {
            return None;
        }
        let is = |bit: u8| flags & 1 << bit != 0;
        let value = optional_value(bytes)?;
        let limit = match optional_value(bytes)? {
            None => None,
            Some(limit) => Some(limit.ok()?),
        };
        let mut text = |bit: u8| {
            if is(bit) {
                bytes.text().map(Some)
            } else {
                Some(None)
            }
        };
        let (actor, reason, second, command) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let shelved_until = if is(4) {
            Some(WallMs(time.0.wrapping_add(bytes.zigzag()?)))
        } else {
            None
        };
        Some(Transition {
            seq,
            alarm,
            from: Shown::from_code(from)?,
            to: Shown::from_code(to)?,
            cause: Cause::from_code(cause)?,
            occurrence,
            time,
            value,
            limit,
            priority,
            person: actor.map(|actor| Person {
                actor,
                reason,
                second,
            }),
            command,
            shelved_until,
            saved: Saved::from_bytes(bytes.take(Saved::BYTES)?)?,
        })
    }
}

/// An event's registers, each most significant byte first as on its wire.
fn words(bytes: &mut Bytes<'_>) -> Option<[u16; EVENT_WORDS]> {
    let mut words = [0; EVENT_WORDS];
    for word in &mut words {
        *word = u16::from_be_bytes(bytes.array()?);
    }
    Some(words)
}
