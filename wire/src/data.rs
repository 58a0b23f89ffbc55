//! Data messages, read and written in bulk: most of their metrics are an alias, a time and a number, and those are read and written in place, without an
//! allocation for each.
//!
//! A metric with anything more is read as any other, and a message that this reader does not understand in every byte is left to protobuf's own: it
//! alone says what is wrong with it. So nothing is read otherwise than by [`Payload::from_bytes`], and what is written are the bytes of [`Payload::to_bytes`].

use crate::payload::{Metric, Payload, Raw, Value, long, signed_int};
use prost::{Message as _, encoding};

/// A time and a sequence number, each with its field's byte.
const HEAD_MAX: usize = 2 * 11;
/// Two numbers of ten bytes at most, a third of ten or eight, a flag, and a byte for each.
const PLAIN_MAX: usize = 3 * 11 + 2;
/// Its length is one byte.
const _: () = assert!(PLAIN_MAX < 128);
/// A number of ten bytes and one for its field.
const STAMP_MAX: usize = 11;
/// What one takes as a rule, with its length and its field's byte.
const PLAIN_USUAL: usize = 26;

/// A data message.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// When it was sent, UTC milliseconds.
    pub timestamp: Option<u64>,
    pub seq: Option<u64>,
    pub metrics: Vec<DataMetric>,
}

/// One metric of a data message.
#[derive(Clone, Debug, PartialEq)]
pub enum DataMetric {
    Plain(Plain),
    Full(Box<Metric>),
}

/// A metric of nothing but an alias, a time, whether it is history, and a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain {
    pub alias: u64,
    /// When it was sampled, UTC milliseconds.
    pub timestamp: Option<u64>,
    pub is_historical: Option<bool>,
    pub number: Number,
}

/// A number as protobuf carries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(u32),
    Long(u64),
    Float(f32),
    Double(f64),
    Boolean(bool),
}

impl Data {
    /// Reads bytes that came over the network; hostile ones are an error, never a panic.
    ///
    /// # Errors
    /// As [`Payload::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        match read(bytes) {
            Some(data) => Ok(data),
            None => Payload::from_bytes(bytes).map(Self::from),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = DataWriter::new(self.timestamp, self.metrics.len());
        for metric in &self.metrics {
            match metric {
                DataMetric::Plain(plain) => writer.plain(plain),
                DataMetric::Full(metric) => writer.full(metric),
            }
        }
        writer.end(self.seq)
    }
}

/// Writes a data message metric by metric.
#[derive(Debug)]
pub struct DataWriter {
    bytes: Vec<u8>,
    stamp: Stamp,
}

/// The field of the time that was written last: as a rule the next metric has the same.
#[derive(Debug)]
struct Stamp {
    timestamp: u64,
    bytes: [u8; STAMP_MAX],
    length: usize,
}

impl Stamp {
    fn of(timestamp: u64) -> Self {
        let mut bytes = [0; STAMP_MAX];
        let mut rest = &mut bytes[..];
        encoding::uint64::encode(3, &timestamp, &mut rest);
        let length = STAMP_MAX - rest.len();
        Self {
            timestamp,
            bytes,
            length,
        }
    }
}

impl DataWriter {
    /// Begins a message that was sent at `timestamp`, UTC milliseconds, and will have about so many metrics.
    pub fn new(timestamp: Option<u64>, metrics: usize) -> Self {
        let usual = HEAD_MAX + PLAIN_MAX + metrics * PLAIN_USUAL;
        let mut bytes = Vec::with_capacity(usual);
        if let Some(timestamp) = &timestamp {
            encoding::uint64::encode(1, timestamp, &mut bytes);
        }
        let stamp = Stamp::of(timestamp.unwrap_or_default());
        Self { bytes, stamp }
    }

    pub fn full(&mut self, metric: &Metric) {
        encoding::message::encode(2, metric, &mut self.bytes);
    }

    pub fn plain(&mut self, plain: &Plain) {
        // In place: what is put together elsewhere byte by byte is dear to move from there.
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2 + PLAIN_MAX]);
        let field = &mut self.bytes[start..];
        let mut rest = &mut field[2..];
        encoding::uint64::encode(2, &plain.alias, &mut rest);
        if let Some(timestamp) = plain.timestamp {
            if timestamp != self.stamp.timestamp {
                self.stamp = Stamp::of(timestamp);
            }
            rest[..STAMP_MAX].copy_from_slice(&self.stamp.bytes);
            rest = &mut rest[self.stamp.length..];
        }
        if let Some(is_historical) = &plain.is_historical {
            encoding::bool::encode(5, is_historical, &mut rest);
        }
        match &plain.number {
            Number::Int(bits) => encoding::uint32::encode(10, bits, &mut rest),
            Number::Long(bits) => encoding::uint64::encode(11, bits, &mut rest),
            Number::Float(value) => encoding::float::encode(12, value, &mut rest),
            Number::Double(value) => encoding::double::encode(13, value, &mut rest),
            Number::Boolean(value) => encoding::bool::encode(14, value, &mut rest),
        }
        let length = PLAIN_MAX - rest.len();
        (field[0], field[1]) = (0x12, length as u8);
        self.bytes.truncate(start + 2 + length);
    }

    /// Ends the message.
    pub fn end(mut self, seq: Option<u64>) -> Vec<u8> {
        if let Some(seq) = &seq {
            encoding::uint64::encode(3, seq, &mut self.bytes);
        }
        self.bytes
    }
}

impl From<Metric> for DataMetric {
    fn from(metric: Metric) -> Self {
        Self::Full(Box::new(metric))
    }
}

impl From<Plain> for DataMetric {
    fn from(plain: Plain) -> Self {
        Self::Plain(plain)
    }
}

impl From<Payload> for Data {
    fn from(payload: Payload) -> Self {
        let full = |metric| DataMetric::Full(Box::new(metric));
        Self {
            timestamp: payload.timestamp,
            seq: payload.seq,
            metrics: payload.metrics.into_iter().map(full).collect(),
        }
    }
}

impl From<Plain> for Metric {
    fn from(plain: Plain) -> Self {
        Self {
            alias: Some(plain.alias),
            timestamp: plain.timestamp,
            is_historical: plain.is_historical,
            raw: Some(plain.number.into()),
            ..Self::default()
        }
    }
}

impl Plain {
    /// The value, read by the datatype that the birth declared.
    pub fn value(&self, declared: Option<u32>) -> Value {
        let kind = declared.unwrap_or_default();
        match self.number {
            Number::Int(bits) => Value::Whole(signed_int(kind, bits)),
            Number::Long(bits) => long(kind, bits),
            Number::Float(value) => Value::Number(f64::from(value)),
            Number::Double(value) => Value::Number(value),
            Number::Boolean(value) => Value::Flag(value),
        }
    }
}

impl From<Number> for Raw {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(bits) => Self::Int(bits),
            Number::Long(bits) => Self::Long(bits),
            Number::Float(value) => Self::Float(value),
            Number::Double(value) => Self::Double(value),
            Number::Boolean(value) => Self::Boolean(value),
        }
    }
}

/// None for what is left to protobuf's own reader.
fn read(bytes: &[u8]) -> Option<Data> {
    let mut fields = Fields(bytes);
    let mut data = Data {
        timestamp: None,
        seq: None,
        // The shortest metric with an alias, a time and a number has some twenty bytes.
        metrics: Vec::with_capacity(bytes.len() / 20),
    };
    while !fields.0.is_empty() {
        match fields.byte()? {
            0x08 => data.timestamp = Some(fields.varint()?),
            0x12 => {
                let metric = fields.nested()?;
                data.metrics.push(match plain(metric) {
                    Some(plain) => DataMetric::Plain(plain),
                    None => DataMetric::Full(Box::new(Metric::decode(metric).ok()?)),
                });
            }
            0x18 => data.seq = Some(fields.varint()?),
            _ => return None,
        }
    }
    Some(data)
}

fn plain(metric: &[u8]) -> Option<Plain> {
    let mut fields = Fields(metric);
    let (mut alias, mut timestamp, mut is_historical, mut number) = (None, None, None, None);
    while !fields.0.is_empty() {
        match fields.byte()? {
            0x10 => alias = Some(fields.varint()?),
            0x18 => timestamp = Some(fields.varint()?),
            0x28 => is_historical = Some(fields.flag()?),
            0x50 => number = Some(Number::Int(u32::try_from(fields.varint()?).ok()?)),
            0x58 => number = Some(Number::Long(fields.varint()?)),
            0x65 => number = Some(Number::Float(f32::from_le_bytes(fields.take()?))),
            0x69 => number = Some(Number::Double(f64::from_le_bytes(fields.take()?))),
            0x70 => number = Some(Number::Boolean(fields.flag()?)),
            _ => return None,
        }
    }
    Some(Plain {
        alias: alias?,
        timestamp,
        is_historical,
        number: number?,
    })
}

/// Fields that are still to be read. Every step answers none where the bytes are not as a careful writer writes them.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let [byte] = self.take()?;
        Some(byte)
    }

    /// Of at most nine bytes: the tenth of a larger number is left to protobuf's own reader.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn nested(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (nested, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// What was read, in the form of the other reader.
    fn payload(data: Data) -> Payload {
        let metric = |metric| match metric {
            DataMetric::Plain(plain) => plain.into(),
            DataMetric::Full(metric) => *metric,
        };
        Payload {
            timestamp: data.timestamp,
            seq: data.seq,
            metrics: data.metrics.into_iter().map(metric).collect(),
        }
    }

    fn metric() -> impl Strategy<Value = Metric> {
        let value = prop_oneof![
            Just(None),
            any::<i64>().prop_map(|value| Some(Value::Whole(value))),
            any::<u64>().prop_map(|value| Some(Value::Unsigned(value))),
            (-1e9..1e9).prop_map(|value| Some(Value::Number(value))),
            any::<bool>().prop_map(|value| Some(Value::Flag(value))),
            "[a-z]{0,5}".prop_map(|value| Some(Value::Text(value))),
        ];
        let parts = (
            value,
            any::<u64>(),
            any::<Option<u64>>(),
            any::<Option<bool>>(),
            0..5_u8,
        );
        parts.prop_map(|(value, alias, timestamp, is_historical, more)| {
            let metric = Metric {
                timestamp,
                is_historical,
                ..Metric::aliased(alias >> (alias % 64), value)
            };
            match more {
                0 => metric.with("Quality", Value::Whole(0)),
                1 => Metric {
                    name: Some("a".into()),
                    ..metric
                },
                _ => metric,
            }
        })
    }

    #[test]
    fn an_alias_a_time_and_a_number_are_read_in_place() {
        let metrics = vec![
            Metric::aliased(1, Some(Value::Unsigned(7))),
            Metric::aliased(2, Some(Value::Number(-0.5))).at(1_700_000_000_000),
            Metric::aliased(3, None),
        ];
        let payload = Payload {
            timestamp: Some(5),
            seq: Some(9),
            metrics,
        };
        let data = Data::from_bytes(&payload.to_bytes()).expect("our own bytes read back");
        let are_plain = data
            .metrics
            .iter()
            .map(|one| matches!(one, DataMetric::Plain(_)));
        assert_eq!(are_plain.collect::<Vec<_>>(), [true, true, false]);
    }

    proptest! {
        #[test]
        fn both_writers_write_the_same(metrics in vec(metric(), 0..8), timestamp: Option<u64>, seq: Option<u64>) {
            let payload = Payload { timestamp, metrics, seq };
            let bytes = payload.to_bytes();
            let data = Data::from_bytes(&bytes).expect("our own bytes read back");
            prop_assert_eq!(data.to_bytes(), &bytes[..]);
            prop_assert_eq!(Data::from(payload).to_bytes(), bytes);
        }

        #[test]
        fn every_kind_of_number_is_written_as_protobuf_does(
            alias: u64, timestamp: Option<u64>, later: Option<u64>, is_historical: Option<bool>, kind in 0..5_u8, bits: u64,
        ) {
            let number = match kind {
                0 => Number::Int(bits as u32),
                1 => Number::Long(bits),
                2 => Number::Float(f32::from_bits(bits as u32)),
                3 => Number::Double(f64::from_bits(bits)),
                _ => Number::Boolean(bits % 2 == 0),
            };
            let plain = Plain { alias, timestamp, is_historical, number };
            // A time is written as it was before, until another comes.
            let three = [plain, plain, Plain { timestamp: later, ..plain }];
            let data = Data { timestamp, seq: None, metrics: three.map(DataMetric::from).into() };
            let payload = Payload { timestamp, metrics: three.map(Metric::from).into(), ..Payload::default() };
            prop_assert_eq!(data.to_bytes(), payload.to_bytes());
        }

        #[test]
        fn both_readers_read_the_same(metrics in vec(metric(), 0..8), timestamp: Option<u64>, seq: Option<u64>) {
            let written = Payload { timestamp, metrics, seq };
            let data = Data::from_bytes(&written.to_bytes()).expect("our own bytes read back");
            for (one, metric) in data.metrics.iter().zip(&written.metrics) {
                if let DataMetric::Plain(plain) = one {
                    for declared in [None, Some(2), Some(4), Some(8), Some(11)] {
                        prop_assert_eq!(Some(plain.value(declared)), metric.value(declared));
                    }
                }
            }
            prop_assert_eq!(payload(data), written);
        }

        #[test]
        fn both_readers_say_the_same_of_bytes_that_were_altered(
            metrics in vec(metric(), 0..4), at: prop::sample::Index, byte: u8, is_cut: bool,
        ) {
            let mut bytes = Payload { timestamp: Some(1), metrics, seq: Some(2) }.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if is_cut {
                bytes.truncate(at);
            }
            // By their writing: what is no number is not equal to itself.
            let said = |payload: Result<Payload, _>| payload.ok().map(|payload| payload.to_bytes());
            let ours = said(Data::from_bytes(&bytes).map(payload));
            prop_assert_eq!(ours, said(Payload::from_bytes(&bytes)));
        }
    }
}
