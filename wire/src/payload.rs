//! The Sparkplug B protobuf messages, written by hand from the specification's field numbers (§6.4), and typed access to them.

use prost::Message;

/// One Sparkplug message.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, UTC milliseconds.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

impl Payload {
    /// Reads bytes that came over the network; hostile ones are an error, never a panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        Self::decode(bytes)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// The first metric with this name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics
            .iter()
            .find(|metric| metric.name.as_deref() == Some(name))
    }
}

/// One value of one metric. Births carry name, alias and datatype; data the alias alone.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When it was sampled, UTC milliseconds.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub is_transient: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    #[prost(oneof = "Raw", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub raw: Option<Raw>,
}

/// A metric's value as protobuf carries it.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Raw {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Boolean(bool),
    #[prost(string, tag = "15")]
    Text(String),
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<PropertyValue>,
}

/// One property of a metric.
#[derive(Clone, PartialEq, Message)]
pub struct PropertyValue {
    #[prost(uint32, optional, tag = "1")]
    pub kind: Option<u32>,
    #[prost(bool, optional, tag = "2")]
    pub is_null: Option<bool>,
    #[prost(oneof = "RawProperty", tags = "3, 4, 5, 6, 7, 8")]
    pub raw: Option<RawProperty>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum RawProperty {
    #[prost(uint32, tag = "3")]
    Int(u32),
    #[prost(uint64, tag = "4")]
    Long(u64),
    #[prost(float, tag = "5")]
    Float(f32),
    #[prost(double, tag = "6")]
    Double(f64),
    #[prost(bool, tag = "7")]
    Boolean(bool),
    #[prost(string, tag = "8")]
    Text(String),
}

/// The datatypes that Davy sends (specification §6.4.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum DataType {
    Int32 = 3,
    Int64 = 4,
    UInt32 = 7,
    UInt64 = 8,
    Float = 9,
    Double = 10,
    Boolean = 11,
    Text = 12,
}

/// A typed value. Integers are widened; Sparkplug spells negative ones by two's complement in the unsigned field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Whole(i64),
    /// Beyond `i64`, or declared unsigned 64-bit.
    Unsigned(u64),
    Number(f64),
    Flag(bool),
    Text(String),
}

impl Value {
    /// As a number: a flag is 0 or 1, a text none.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Whole(value) => Some(*value as f64),
            Self::Unsigned(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Flag(value) => Some(f64::from(u8::from(*value))),
            Self::Text(_) => None,
        }
    }

    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Whole(value) => u64::try_from(*value).ok(),
            Self::Unsigned(value) => Some(*value),
            Self::Number(_) | Self::Flag(_) | Self::Text(_) => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Whole(value) => Some(*value),
            Self::Unsigned(value) => i64::try_from(*value).ok(),
            Self::Number(_) | Self::Flag(_) | Self::Text(_) => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(value) => write!(formatter, "{value}"),
            Self::Unsigned(value) => write!(formatter, "{value}"),
            Self::Number(value) => write!(formatter, "{value}"),
            Self::Flag(value) => write!(formatter, "{value}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

impl Metric {
    /// A metric by name, as births and node control carry it.
    pub fn named(name: impl Into<String>, kind: DataType, value: Option<Value>) -> Self {
        let mut metric = Self {
            name: Some(name.into()),
            datatype: Some(kind as u32),
            ..Self::default()
        };
        metric.set(value);
        metric
    }

    /// A metric by alias, as data carries it.
    pub fn aliased(alias: u64, value: Option<Value>) -> Self {
        let mut metric = Self {
            alias: Some(alias),
            ..Self::default()
        };
        metric.set(value);
        metric
    }

    pub fn at(mut self, timestamp_ms: i64) -> Self {
        self.timestamp = u64::try_from(timestamp_ms).ok();
        self
    }

    pub fn with_alias(mut self, alias: u64) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Adds a property.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        let set = self.properties.get_or_insert_default();
        set.keys.push(key.to_owned());
        set.values.push(PropertyValue::of(value));
        self
    }

    /// Adds a property if there is a value.
    pub fn with_some(self, key: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The value, read by the datatype that the birth declared (`declared` where the metric itself carries none).
    pub fn value(&self, declared: Option<u32>) -> Option<Value> {
        if self.is_null == Some(true) {
            return None;
        }
        let kind = self.datatype.or(declared).unwrap_or_default();
        Some(match self.raw.as_ref()? {
            Raw::Int(bits) => Value::Whole(signed_int(kind, *bits)),
            Raw::Long(bits) => long(kind, *bits),
            Raw::Float(value) => Value::Number(f64::from(*value)),
            Raw::Double(value) => Value::Number(*value),
            Raw::Boolean(value) => Value::Flag(*value),
            Raw::Text(text) => Value::Text(text.clone()),
            Raw::Bytes(_) => return None,
        })
    }

    /// A property by its key.
    pub fn property(&self, key: &str) -> Option<Value> {
        let set = self.properties.as_ref()?;
        let position = set.keys.iter().position(|known| known == key)?;
        set.values.get(position)?.value()
    }

    /// Every property that has a value.
    pub fn properties(&self) -> impl Iterator<Item = (&str, Value)> {
        let sets = self.properties.iter();
        let pairs = sets.flat_map(|set| set.keys.iter().zip(&set.values));
        pairs.filter_map(|(key, value)| Some((key.as_str(), value.value()?)))
    }

    fn set(&mut self, value: Option<Value>) {
        self.raw = value.map(|value| match value {
            Value::Whole(value) => match i32::try_from(value) {
                Ok(small) if self.datatype != Some(DataType::Int64 as u32) => {
                    Raw::Int(small as u32)
                }
                _ => Raw::Long(value as u64),
            },
            Value::Unsigned(value) => Raw::Long(value),
            Value::Number(value) => Raw::Double(value),
            Value::Flag(value) => Raw::Boolean(value),
            Value::Text(text) => Raw::Text(text),
        });
        self.is_null = self.raw.is_none().then_some(true);
    }
}

/// Int64 alone is signed; UInt64 and DateTime may pass i64.
pub(crate) fn long(kind: u32, bits: u64) -> Value {
    if kind == DataType::Int64 as u32 {
        Value::Whole(bits as i64)
    } else {
        Value::Unsigned(bits)
    }
}

/// Int8 to Int32 are sign-extended from their width; unsigned types are not.
pub(crate) fn signed_int(kind: u32, bits: u32) -> i64 {
    match kind {
        1 => i64::from(bits as u8 as i8),
        2 => i64::from(bits as u16 as i16),
        5..=7 => i64::from(bits),
        _ => i64::from(bits as i32),
    }
}

impl PropertyValue {
    fn of(value: Value) -> Self {
        let (kind, raw) = match value {
            Value::Whole(value) => match i32::try_from(value) {
                Ok(small) => (DataType::Int32, RawProperty::Int(small as u32)),
                Err(_) => (DataType::Int64, RawProperty::Long(value as u64)),
            },
            Value::Unsigned(value) => (DataType::UInt64, RawProperty::Long(value)),
            Value::Number(value) => (DataType::Double, RawProperty::Double(value)),
            Value::Flag(value) => (DataType::Boolean, RawProperty::Boolean(value)),
            Value::Text(text) => (DataType::Text, RawProperty::Text(text)),
        };
        Self {
            kind: Some(kind as u32),
            is_null: None,
            raw: Some(raw),
        }
    }

    fn value(&self) -> Option<Value> {
        let kind = self.kind.unwrap_or_default();
        Some(match self.raw.as_ref()? {
            RawProperty::Int(bits) => Value::Whole(signed_int(kind, *bits)),
            RawProperty::Long(bits) => long(kind, *bits),
            RawProperty::Float(value) => Value::Number(f64::from(*value)),
            RawProperty::Double(value) => Value::Number(*value),
            RawProperty::Boolean(value) => Value::Flag(*value),
            RawProperty::Text(text) => Value::Text(text.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_negative_whole_number_and_its_properties_survive_the_wire() {
        let metric = Metric::named("a", DataType::Int32, Some(Value::Whole(-5)))
            .at(7)
            .with("Quality", Value::Whole(0))
            .with("cause", Value::Text("timeout".into()));
        let payload = Payload {
            timestamp: Some(1),
            metrics: vec![metric],
            seq: Some(255),
        };
        let back = Payload::from_bytes(&payload.to_bytes()).expect("our own bytes read back");
        assert_eq!(back.metrics[0].value(None), Some(Value::Whole(-5)));
        assert_eq!(
            back.metrics[0].property("cause"),
            Some(Value::Text("timeout".into()))
        );
        assert_eq!(back.metrics[0].property("nothing"), None);
    }

    #[test]
    fn no_value_is_a_null_metric() {
        let metric = Metric::aliased(3, None);
        assert_eq!(metric.is_null, Some(true));
        assert_eq!(metric.value(Some(10)), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(payload) = Payload::from_bytes(&bytes) {
                for metric in &payload.metrics {
                    let _ = (metric.value(Some(2)), metric.property("Quality"));
                }
            }
        }
    }
}
