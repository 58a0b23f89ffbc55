//! What passes between a node (firmware/) and whoever asks it over Modbus: the register map, the configuration block and the event record. For both sides, and
//! without std: the node's server, the gateway's shipped profile and the manual's table (docs/node.md) all come from here.

mod alarms;
mod block;
mod crc;
mod event;
mod field;
mod image;
mod map;
mod refusal;
#[cfg(feature = "std")]
mod render;
mod settings;
mod state;
mod update;

pub use alarms::AlarmId;
pub use block::{BLOCK_WORDS, Block, BlockError};
pub use crc::{Crc32, Nibbles, crc32};
pub use event::{EVENT_WORDS, Event, Happening, TimeQuality};
pub use field::BlockWord;
pub use image::{
    BLOCK_BYTES, BLOCK_REGISTERS, Board, IMAGE_HEAD, ImageHead, OFFER_BYTES, OFFER_WORDS,
    SIGNATURE_BYTES, Version, image_flag,
};
pub use map::{COUNT, Id, Place, REGISTERS, Register, Spelling, Table, WHAT, locate, place_after};
pub use refusal::Refusal;
#[cfg(feature = "std")]
pub use render::{manual, profile};
pub use settings::{
    Band, Channel, Group, Life, Limit, LimitKind, Meaning, Relay, RelayFlags, Settings, Silence,
};
pub use state::{ResetCause, SelfTest, channel_status};
pub use update::{Slot, SlotState, Trust, Why};

/// Version of the map: a gateway that knows another must not guess.
pub const MAP_VERSION: u16 = 2;
/// 4–20 mA channels of a node.
pub const CHANNELS: usize = 8;
/// Limits of a channel.
pub const LIMITS: usize = 4;
/// Voting groups.
pub const GROUPS: usize = 4;
/// Relays: siren, beacon, fan and valve request, in whatever order the site wires them.
pub const RELAYS: usize = 4;
/// Alarms of a node, see [`AlarmId`].
pub const ALARMS: usize = 60;
/// Events that the ring keeps; the oldest makes place, and the gap in the numbers tells.
pub const EVENTS: usize = 128;
/// Holding register of the staged block's first word.
pub const STAGED_AT: u16 = 1000;
/// A node may not take its gateway for silent in less, seconds: three of the gateway's heartbeats, which come every two seconds.
pub const LEAST_SILENT_S: u16 = 6;
/// Steps of loop current of a channel, see [`Band`].
pub const BANDS: usize = 6;
