//! What the end-to-end suites share: the daemons as real processes, independent peers, free ports, and waits on conditions.
//!
//! Invariant: every process started here is ended by its own id when its guard is dropped, and everything listens on loopback.

pub mod bench;
pub mod cable;
pub mod city;
pub mod daemon;
pub mod http;
pub mod libmodbus;
pub mod node;
pub mod node_image;
pub mod node_site;
pub mod peers;
pub mod relay;
pub mod site;
pub mod wait;
