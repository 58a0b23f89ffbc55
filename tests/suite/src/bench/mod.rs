//! Benchmarks: what of ours is measured beside what of others does the same job, in one run on one machine.
//!
//! Invariant: a figure never fails a run. What misses its target is printed as missed; only a bench that could not be run is an error.

pub mod edge;
pub mod figure;
pub mod flat;
pub mod outcome;
pub mod process;
pub mod reader;
pub mod serial;
pub mod served;
pub mod site;
pub mod statistics;
pub mod telegraf;

/// Devices of `bench edge`, unit ids from 1.
pub const UNITS: usize = 10;
/// Holding registers of each, from 0.
pub const REGISTERS: usize = 100;
/// Answers of one unit that a run may have: register values must not wrap. Eighteen hours at 1 Hz.
pub const READ_ANSWERS_MAX: usize = 65_535 - REGISTERS;
