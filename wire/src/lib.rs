//! Sparkplug B 3.0 payloads and topics, and the commit acknowledgement that rides on them (docs/wire.md). Bytes in, values out; no MQTT client.
//!
//! The commit acknowledgement: every data message is one immutable batch of the gateway's journal and its first metric is `Store/Offset`. The
//! collector answers with the node command `Node Control/Ack`, `<stream>:<ranges>`, after it has committed. What is not acknowledged is sent again.
//!
//! Without the feature `std` there is [`node`] alone, the registers of Davy's own node: that is what a firmware takes.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
mod ack;
#[cfg(feature = "std")]
mod data;
pub mod node;
#[cfg(feature = "std")]
mod payload;
#[cfg(feature = "std")]
mod topic;

#[cfg(feature = "std")]
pub use ack::{Ack, AckError};
#[cfg(feature = "std")]
pub use data::{Data, DataMetric, DataWriter, Number, Plain};
#[cfg(feature = "std")]
pub use payload::{DataType, Metric, Payload, PropertyValue, Value};
#[cfg(feature = "std")]
pub use topic::{Topic, TopicError, Verb};

/// Names of the metrics that carry the commit acknowledgement and node control.
pub mod name {
    pub const BD_SEQ: &str = "bdSeq";
    pub const REBIRTH: &str = "Node Control/Rebirth";
    pub const ACK: &str = "Node Control/Ack";
    pub const STREAM: &str = "Store/Stream";
    pub const OFFSET: &str = "Store/Offset";
    /// Property of [`OFFSET`]: the payload timestamp of the node's birth whose aliases the message uses, or that a device's birth is a part of.
    pub const BIRTH: &str = "birth";
    pub const MODEL: &str = "Node Info/Model";
    pub const NAME_ZH: &str = "Node Info/Name zh";
    pub const NAME_EN: &str = "Node Info/Name en";
    pub const VERSION: &str = "Node Info/Version";
    pub const DIGEST: &str = "Node Info/Digest";
    pub const LOST: &str = "Node Info/Lost";
    pub const REFUSAL: &str = "Node Info/Refusal";
    /// What somebody did at the plant, beside what alarms tell.
    pub const ACT: &str = "Node Info/Act";
    /// By how many milliseconds the gateway's wall clock was set while it ran; its time is when, by the clock as it then was.
    pub const CLOCK_SET: &str = "Node Info/Clock set";
    /// What a node (a device with a record of its own) told of the time before it was asked: never of now.
    pub const TOLD: &str = "Node Info/Told by device";
    /// Followed by the output's id.
    pub const OUTPUTS: &str = "Outputs/";
    /// Followed by `<point or device>/<condition>`.
    pub const ALARMS: &str = "Alarms/";
}

/// Sparkplug's quality codes, property `Quality`.
pub mod quality {
    pub const BAD: i64 = 0;
    pub const UNCERTAIN: i64 = 64;
    pub const GOOD: i64 = 192;
    pub const STALE: i64 = 500;
}
