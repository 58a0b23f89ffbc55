//! The durable record on the gateway's disk.

mod record;
mod story;

pub use record::{Batch, Names, Record, Transition};
pub use story::Story;
