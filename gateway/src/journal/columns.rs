//! The bytes of readings that stand together in a batch, told column by column; since version 3.
//!
//! | Bytes | Content |
//! |---|---|
//! | 1 | tag: form 37 `<< 2`; bit 0: the points follow one another by position; bit 1: all have one time |
//! | varint | n, how many readings, at least 1 |
//! | … | points: zigzag first position − (position before + 1), as in a reading's own form; without bit 0 then varint length of this run, and so on, until n points are told |
//! | … | times: zigzag difference to the time before; without bit 1 then varint how many readings have it, and so on, until n |
//! | … | shapes: varint how many readings (0: all that are left), byte shape: form `<< 1`, bit 0 uncertain; until n. Form 63: as the segment's header refers to |
//! | … | the values of all other forms, in order |
//! | … | the values of form 63, in order: zigzag difference of the number to the reference's, in nibbles, low one of each byte first: three bits, low ones first, and 8 if more follow. The last byte is filled up with 0 |

use super::bytes::{Bytes, put_varint, put_zigzag};
use super::encoding::Last;
use super::record::Record;
use super::reference::References;
use super::values::{put_value, value};
use davy_alarm::{NoValue, Quality, Reading, WallMs};

pub(super) const COLUMNS: u8 = 37;
/// Fewer are told one by one.
pub(super) const FEWEST: usize = 3;
const ONE_RUN: u8 = 1;
const ONE_TIME: u8 = 2;
const REFERRED: u8 = 63;
/// A difference beyond it takes no fewer bytes than the value itself.
const FURTHEST: u64 = 1 << 24;

/// Appends readings; whatever else is among the records is left out.
pub(super) fn put(out: &mut Vec<u8>, last: &mut Last, run: &[Record], references: &References) {
    let tag = out.len();
    out.push(COLUMNS << 2);
    put_varint(out, readings(run).count() as u64);
    if put_points(out, last, run) {
        out[tag] |= ONE_RUN;
    }
    if put_times(out, last, run) {
        out[tag] |= ONE_TIME;
    }
    let (mut plain, mut nibbles) = (Vec::new(), Nibbles::default());
    let mut shapes = Runs::default();
    for (point, reading) in readings(run) {
        let referred = reading.value().ok().and_then(|value| {
            let reference = references.of(point)?;
            let moved = zigzag(reference.number(value)?.wrapping_sub(reference.number));
            (moved < FURTHEST).then_some(moved)
        });
        let form = match referred {
            Some(moved) => {
                nibbles.put(moved);
                REFERRED
            }
            None => put_value(&mut plain, reading.value()),
        };
        let uncertain = reading.quality() == Quality::Uncertain;
        shapes.take(out, form << 1 | u8::from(uncertain));
    }
    shapes.end(out);
    out.extend(plain);
    out.extend(nibbles.bytes);
}

fn readings(run: &[Record]) -> impl Iterator<Item = (u32, &Reading)> {
    run.iter().filter_map(|record| match record {
        Record::Reading { point, reading } => Some((*point, reading)),
        _ => None,
    })
}

/// Answers whether they follow one another.
fn put_points(out: &mut Vec<u8>, last: &mut Last, run: &[Record]) -> bool {
    let mut points = readings(run).map(|(point, _)| i64::from(point)).peekable();
    let mut is_one = true;
    while let Some(first) = points.next() {
        put_zigzag(out, first - (last.point + 1));
        last.point = first;
        while points.next_if_eq(&(last.point + 1)).is_some() {
            last.point += 1;
        }
        is_one &= points.peek().is_none();
        if !is_one {
            put_varint(out, (last.point + 1 - first) as u64);
        }
    }
    is_one
}

/// Answers whether they have one time.
fn put_times(out: &mut Vec<u8>, last: &mut Last, run: &[Record]) -> bool {
    let mut times = readings(run)
        .map(|(_, reading)| reading.source_time())
        .peekable();
    let mut is_one = true;
    while let Some(time) = times.next() {
        last.put_time(out, time);
        let mut count = 1;
        while times.next_if_eq(&time).is_some() {
            count += 1;
        }
        is_one &= times.peek().is_none();
        if !is_one {
            put_varint(out, count);
        }
    }
    is_one
}

/// Reads the readings that a tag's bits begin; at most `most`.
pub(super) fn decode(
    bytes: &mut Bytes<'_>,
    bits: u8,
    last: &mut Last,
    most: usize,
    references: &References,
) -> Option<Vec<Record>> {
    let count = usize::try_from(bytes.varint()?).ok()?;
    if count == 0 || count > most {
        return None;
    }
    let points = points(bytes, bits & ONE_RUN != 0, last, count)?;
    let times = times(bytes, bits & ONE_TIME != 0, last, count)?;
    let shapes = shapes(bytes, count)?;
    let values = values(bytes, &shapes, &points, references)?;
    let told = points.into_iter().zip(times).zip(shapes).zip(values);
    let records = told.map(|(((point, time), shape), value)| {
        let reading = match value {
            Ok(value) if shape & 1 != 0 => Reading::uncertain(value, time),
            Ok(value) => Reading::measured(value, time),
            Err(cause) => Reading::absent(cause, time),
        };
        Record::Reading { point, reading }
    });
    Some(records.collect())
}

fn points(bytes: &mut Bytes<'_>, is_one: bool, last: &mut Last, count: usize) -> Option<Vec<u32>> {
    let mut points = Vec::with_capacity(count);
    while points.len() < count {
        let first = u32::try_from(bytes.zigzag()?.checked_add(last.point + 1)?).ok()?;
        let length = run_length(bytes, is_one, count - points.len())?;
        let end = first.checked_add(u32::try_from(length).ok()?)?;
        points.extend(first..end);
        last.point = i64::from(end) - 1;
    }
    Some(points)
}

fn times(
    bytes: &mut Bytes<'_>,
    is_one: bool,
    last: &mut Last,
    count: usize,
) -> Option<Vec<WallMs>> {
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let time = last.time(bytes)?;
        let length = run_length(bytes, is_one, count - times.len())?;
        times.resize(times.len() + length, time);
    }
    Some(times)
}

fn run_length(bytes: &mut Bytes<'_>, is_one: bool, left: usize) -> Option<usize> {
    if is_one {
        return Some(left);
    }
    let length = usize::try_from(bytes.varint()?).ok()?;
    (1..=left).contains(&length).then_some(length)
}

fn shapes(bytes: &mut Bytes<'_>, count: usize) -> Option<Vec<u8>> {
    let mut shapes = Vec::with_capacity(count);
    while shapes.len() < count {
        let left = count - shapes.len();
        let length = match usize::try_from(bytes.varint()?).ok()? {
            0 => left,
            length => length,
        };
        let shape = bytes.byte()?;
        if length > left {
            return None;
        }
        shapes.resize(shapes.len() + length, shape);
    }
    Some(shapes)
}

fn values(
    bytes: &mut Bytes<'_>,
    shapes: &[u8],
    points: &[u32],
    references: &References,
) -> Option<Vec<Result<f64, NoValue>>> {
    let mut values = Vec::with_capacity(shapes.len());
    for shape in shapes {
        values.push(match shape >> 1 {
            REFERRED => Ok(0.0),
            form => value(bytes, form)?,
        });
    }
    let mut nibbles = Reader::new(bytes);
    for ((value, shape), point) in values.iter_mut().zip(shapes).zip(points) {
        if shape >> 1 == REFERRED {
            let (reference, moved) = (references.of(*point)?, nibbles.next()?);
            *value = Ok(reference.value(reference.number.wrapping_add(moved))?);
        }
    }
    nibbles.is_filled_up().then_some(values)
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Equal shapes that follow one another.
#[derive(Default)]
struct Runs(Option<(u8, u64)>);

impl Runs {
    fn take(&mut self, out: &mut Vec<u8>, shape: u8) {
        match &mut self.0 {
            Some((same, count)) if *same == shape => *count += 1,
            before => {
                if let Some((shape, count)) = before.replace((shape, 1)) {
                    put_varint(out, count);
                    out.push(shape);
                }
            }
        }
    }

    fn end(self, out: &mut Vec<u8>) {
        if let Some((shape, _)) = self.0 {
            out.extend([0, shape]);
        }
    }
}

#[derive(Default)]
struct Nibbles {
    bytes: Vec<u8>,
    is_half: bool,
}

impl Nibbles {
    fn put(&mut self, mut number: u64) {
        while number >= 8 {
            self.nibble(number as u8 & 7 | 8);
            number >>= 3;
        }
        self.nibble(number as u8);
    }

    fn nibble(&mut self, nibble: u8) {
        match self.bytes.last_mut().filter(|_| self.is_half) {
            Some(byte) => *byte |= nibble << 4,
            None => self.bytes.push(nibble),
        }
        self.is_half = !self.is_half;
    }
}

struct Reader<'b, 'a> {
    bytes: &'b mut Bytes<'a>,
    high: Option<u8>,
}

impl<'b, 'a> Reader<'b, 'a> {
    const fn new(bytes: &'b mut Bytes<'a>) -> Self {
        Self { bytes, high: None }
    }

    fn next(&mut self) -> Option<i64> {
        let mut number = 0_u64;
        for shift in (0..63).step_by(3) {
            let nibble = self.nibble()?;
            number |= u64::from(nibble & 7) << shift;
            if nibble & 8 == 0 {
                return Some((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        None
    }

    fn nibble(&mut self) -> Option<u8> {
        if let Some(high) = self.high.take() {
            return Some(high);
        }
        let byte = self.bytes.byte()?;
        self.high = Some(byte >> 4);
        Some(byte & 15)
    }

    /// Whether nothing stands in the half of a byte that is left.
    fn is_filled_up(&self) -> bool {
        self.high.is_none_or(|high| high == 0)
    }
}
