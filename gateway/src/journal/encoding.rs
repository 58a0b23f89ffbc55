//! The bytes of one batch, without its frame. Pieces are those of [`super::bytes`].
//!
//! | Bytes | Content |
//! |---|---|
//! | 1 | flags: bits 0–1 kind of the frame, 0 = batch; bit 2 urgent (holds a transition, an act, a loss or another site file); bit 3 of a device; 4–7 zero |
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
//! | 36 | act; bits 0–1: 0 silence, 1 reset of an output | varint position of the output, if 1; time; text actor |
//! | 37 | another site file | time; texts actor, digest before, digest now, changes |
//!
//! | Form of a value | Content |
//! |---|---|
//! | 0 absent | varint [`NoValue::code`] |
//! | 1 | 4 bytes f32, exact |
//! | 2 | 8 bytes f64 |
//! | 3–10 | zigzag n; value = n / 10^(form − 3) |
//! | 11–17 | zigzag n; value = n × 0.1, 0.01, … 0.0000001: what scaling a register computes |
//! | 18 none | of a transition alone: there is no value |
//!
//! Values are exact to the bit: the shortest form that gives the same bits back is taken.
//!
//! A transition: varint seq; varint alarm; byte from, byte to, byte cause ([`Shown::code`], [`Cause::code`]); byte priority; varint occurrence; time;
//! byte flags (bit 0 person, 1 reason, 2 second, 3 command, 4 shelved until); byte form and value; byte form and limit; then text actor, text
//! reason, text second, text command, zigzag shelved until − the transition's time, as the flags say; 24 bytes [`Saved`].

use super::bytes::{Bytes, put_text, put_varint, put_zigzag};
use super::record::{Act, Batch, Names, Record, Reloaded, Transition};
use crate::judge::Person;
use davy_alarm::{Cause, NoValue, Quality, Reading, Saved, Shown, WallMs};
use std::sync::Arc;

/// Most records of one batch.
pub(super) const MOST_RECORDS: usize = 4096;

pub(super) const KIND: u8 = 0b11;
pub(super) const BATCH: u8 = 0;
pub(super) const URGENT: u8 = 1 << 2;
const OF_DEVICE: u8 = 1 << 3;

const F32: u8 = 1;
const F64: u8 = 2;
const QUOTIENT: u8 = 3;
const PRODUCT: u8 = 11;
const NONE: u8 = 18;
const TRANSITION: u8 = 32;
const OUTPUT: u8 = 33;
const LOST: u8 = 34;
const STARTED: u8 = 35;
const ACT: u8 = 36;
const RELOADED: u8 = 37;
const SILENCE: u8 = 0;
const RESET_OUTPUT: u8 = 1;

const POWERS: [f64; 8] = [1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
const SCALES: [f64; 7] = [0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6, 1e-7];
/// Whole numbers up to here are exact in an f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a segment's header says that its batches are read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    /// First offset.
    pub(super) first: u64,
    pub(super) made: WallMs,
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
pub(super) fn encode(out: &mut Vec<u8>, batch: &Batch, base: Base) {
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
    for record in &batch.records {
        last.put_record(out, record);
    }
}

/// Reads what stands before the records; `None` for bytes that we never wrote.
pub(super) fn head(bytes: &mut Bytes<'_>, base: Base) -> Option<Head> {
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
pub(super) fn decode(body: &[u8], base: Base, names: &Arc<Names>) -> Option<Batch> {
    let mut bytes = Bytes(body);
    let head = head(&mut bytes, base)?;
    let mut records = Vec::with_capacity(head.records.min(body.len()));
    let mut last = Last::new(head.made);
    for _ in 0..head.records {
        records.push(last.record(&mut bytes, names)?);
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
struct Last {
    time: WallMs,
    point: i64,
}

impl Last {
    const fn new(made: WallMs) -> Self {
        Self {
            time: made,
            point: -1,
        }
    }

    fn put_time(&mut self, out: &mut Vec<u8>, time: WallMs) {
        put_zigzag(out, time.0.wrapping_sub(self.time.0));
        self.time = time;
    }

    fn time(&mut self, bytes: &mut Bytes<'_>) -> Option<WallMs> {
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
                }
                self.put_time(out, *time);
                put_text(out, actor);
            }
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

    fn record(&mut self, bytes: &mut Bytes<'_>, names: &Names) -> Option<Record> {
        let tag = bytes.byte()?;
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
            (ACT, what @ SILENCE..=RESET_OUTPUT) => Record::Act {
                act: match what {
                    RESET_OUTPUT => Act::ResetOutput(bytes.varint_u32()?),
                    _ => Act::Silence,
                },
                time: self.time(bytes)?,
                actor: bytes.text()?,
            },
            (form @ 0..NONE, bits) => {
                let (point, reading) = self.reading(bytes, form, bits)?;
                Record::Reading { point, reading }
            }
            _ => return None,
        };
        names.know(&record).then_some(record)
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

/// Appends a value in the shortest exact form, which it answers.
fn put_value(out: &mut Vec<u8>, value: Result<f64, NoValue>) -> u8 {
    let value = match value {
        Ok(value) => value,
        Err(cause) => {
            put_varint(out, u64::from(cause.code()));
            return 0;
        }
    };
    let narrow = value as f32;
    let is_narrow = f64::from(narrow).to_bits() == value.to_bits();
    match decimal(value) {
        // Four bytes of zigzag hold 28 bits.
        Some((form, number)) if !is_narrow || number.unsigned_abs() < 1 << 27 => {
            put_zigzag(out, number);
            form
        }
        _ if is_narrow => {
            out.extend(narrow.to_le_bytes());
            F32
        }
        _ => {
            out.extend(value.to_le_bytes());
            F64
        }
    }
}

/// The form and whole number that give the value back, bit by bit, if any does in fewer bytes than eight.
fn decimal(value: f64) -> Option<(u8, i64)> {
    let exact =
        |number: f64, back: f64| number.abs() < EXACT / 64.0 && back.to_bits() == value.to_bits();
    for (place, power) in (0_u8..).zip(POWERS) {
        let number = (value * power).round();
        if exact(number, number / power) {
            return Some((QUOTIENT + place, number as i64));
        }
        if let Some(scale) = place.checked_sub(1).map(|place| SCALES[usize::from(place)])
            && exact(number, number * scale)
        {
            return Some((PRODUCT + place - 1, number as i64));
        }
    }
    None
}

fn value(bytes: &mut Bytes<'_>, form: u8) -> Option<Result<f64, NoValue>> {
    Some(Ok(match form {
        0 => {
            let code = u16::try_from(bytes.varint()?).ok()?;
            return NoValue::from_code(code).map(Err);
        }
        F32 => f64::from(f32::from_le_bytes(bytes.array()?)),
        F64 => f64::from_le_bytes(bytes.array()?),
        QUOTIENT..PRODUCT => bytes.zigzag()? as f64 / POWERS[usize::from(form - QUOTIENT)],
        PRODUCT..NONE => bytes.zigzag()? as f64 * SCALES[usize::from(form - PRODUCT)],
        _ => return None,
    }))
}

pub(super) fn put_optional_value(out: &mut Vec<u8>, value: Option<Result<f64, NoValue>>) {
    let form = out.len();
    out.push(NONE);
    if let Some(value) = value {
        out[form] = put_value(out, value);
    }
}

#[expect(clippy::option_option, reason = "outer: whether the bytes are ours")]
pub(super) fn optional_value(bytes: &mut Bytes<'_>) -> Option<Option<Result<f64, NoValue>>> {
    match bytes.byte()? {
        NONE => Some(None),
        form => value(bytes, form).map(Some),
    }
}
