//! The edge daemon. The pipeline, in the order a reading takes it: `acquire` → `decode` → `judge` → `act` → `journal` → `uplink`; `screen` looks on.
//!
//! Invariant: the path acquire → decode → judge → act never waits for disk, network or screen. What leaves it sideways does so through
//! bounded queues whose policy when full is written at the queue.

pub mod acquire;
pub mod act;
mod admission;
mod budget;
mod caller;
mod check;
pub mod clock;
pub mod command_line;
mod commission;
mod current;
pub mod decode;
pub mod desk;
mod diff;
pub mod health;
pub mod journal;
pub mod judge;
pub mod judgement;
pub mod live;
mod matrix;
mod memory;
mod message;
pub mod model;
pub mod node;
mod pin;
mod pipeline;
pub mod prove;
pub mod reload;
pub mod replay;
mod run;
pub mod scan;
pub mod screen;
mod status;
pub mod succession;
mod take_over;
pub mod uplink;
pub mod watch;
pub mod works;
