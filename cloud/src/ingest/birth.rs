//! Births to what the records keep of them. Pure.

use super::alarm;
use super::decode::{self, Data};
use super::edge::{self, Edge, Meaning};
use super::outbox::EdgeName;
use super::worker::Message;
use crate::records::{DeviceBirth, NodeBirth, Text};
use davy_wire::{DataType, Payload, name};

/// A node's birth.
pub(crate) fn node(edge: &EdgeName, payload: &Payload, message: &Message) -> NodeBirth {
    NodeBirth {
        group: edge.group.clone(),
        edge: edge.edge.clone(),
        received_ms: message.received_ms,
        bd_seq: bd_seq(payload),
        name: Text {
            zh: text(payload, name::NAME_ZH).unwrap_or_default(),
            en: text(payload, name::NAME_EN).unwrap_or_default(),
        },
        version: text(payload, name::VERSION).unwrap_or_default(),
        digest: text(payload, name::DIGEST).unwrap_or_default(),
        model: text(payload, name::MODEL),
        stream: edge::stream(payload),
        payload: message.payload.to_vec(),
    }
}

/// A device's birth, and what of it could not be read.
pub(crate) fn device(
    edge: &Edge,
    device: &str,
    payload: &Payload,
    message: &Message,
) -> (DeviceBirth, Vec<String>) {
    let (mut alarms, mut faults) = (Vec::new(), Vec::new());
    for metric in &payload.metrics {
        let Some(known) = edge.resolve(device, metric) else {
            continue;
        };
        let Meaning::Alarm(declared) = &known.meaning else {
            continue;
        };
        let born = decode::time(metric.timestamp.or(payload.timestamp), message.received_ms)
            .and_then(|time_ms| alarm::born(metric, declared, time_ms));
        match born {
            Ok(born) => alarms.push(born),
            Err(fault) => faults.push(fault),
        }
    }
    let birth = DeviceBirth {
        site: edge.site.to_string(),
        device: device.to_owned(),
        received_ms: message.received_ms,
        stream: edge.stream,
        alarms,
        payload: message.payload.to_vec(),
    };
    (birth, faults)
}

/// Which values of a birth are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Everything,
    /// Of outputs alone.
    Demands,
}

/// The values that a birth gives.
pub(crate) fn values(
    payload: &Payload,
    device: &str,
    edge: &Edge,
    received_ms: i64,
    kept: Kept,
) -> Data {
    let is_kept = |point: &str| kept == Kept::Everything || point.starts_with(name::OUTPUTS);
    let is_point = |metric: &&davy_wire::Metric| {
        edge.resolve(device, metric)
            .is_some_and(|known| matches!(&known.meaning, Meaning::Point(point) if is_kept(point)))
    };
    let points = Payload {
        timestamp: payload.timestamp,
        metrics: payload.metrics.iter().filter(is_point).cloned().collect(),
        seq: payload.seq,
    };
    decode::data(&points, device, edge, received_ms)
}

/// `bdSeq`, which joins a death to its birth.
pub(crate) fn bd_seq(payload: &Payload) -> Option<u64> {
    let metric = payload.metric(name::BD_SEQ)?;
    metric.value(Some(DataType::Int64 as u32))?.as_u64()
}

fn text(payload: &Payload, name: &str) -> Option<String> {
    let value = payload.metric(name)?.value(Some(DataType::Text as u32))?;
    value.as_text().map(str::to_owned)
}
