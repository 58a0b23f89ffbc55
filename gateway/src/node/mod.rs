//! Davy's own nodes, seen from the gateway: units that go on judging when the gateway is gone, and remember what they saw (docs/node.md).
//!
//! `errand` asks a node what it has beside its points, one exchange at a time when its bus has time: it feeds the heartbeat and the wall clock, reads how the
//! node does, and collects the ring of events by their numbers. What it brings enters the journal by [`Nodes`], which also keeps the picture for screens.
//!
//! What a node tells is of the past. It is kept with its own time, marked by how far that time can be trusted ([`EventClock`]) and by when it was collected;
//! it raises no alarm, sounds no horn and switches no output here: what the node sees now comes by its points, and is judged like any other's.
//!
//! `command` is `davy-gateway node`, for whoever stands beside a node.

mod clock;
pub(crate) mod command;
mod configure;
mod errand;
mod nodes;
mod registers;
mod slots;
mod status;
mod talk;
mod update;
mod wiring;

pub use clock::EventClock;
pub(crate) use errand::{ERRAND_EVERY, Errands, round};
pub use nodes::{Mark, NodeNow, Nodes, Told, What};
pub use status::Status;

use davy_wire::node::Happening;
pub(crate) use wiring::alarm_name;

/// The kind of an event, as wire, screens and commands spell it.
pub(crate) const fn kind(what: Happening) -> &'static str {
    match what {
        Happening::Alarm { .. } => "alarm",
        Happening::Started { .. } => "start",
        Happening::Configured { .. } => "configuration",
        Happening::Relay { .. } => "relay",
        Happening::GatewaySilent(_) => "gateway-silent",
        Happening::Unlocked(_) => "unlock",
        Happening::ClockSet => "clock-set",
        Happening::Updated { .. } => "update",
    }
}
