//! The whole system in one process, on a virtual clock, by one seed: plants, gateways, broker, collectors and stores, under every fault at once.
//!
//! The parts are the product's own: `davy_gateway::works` (buses with real Modbus TCP bytes, decoding, judgement, journal, uplink with its session) on a disk
//! in memory that fails as disks do, and the collector's ingest, records (SQLite) and history on stores that fail, and kill it in the middle of a commit. Ours
//! are the plant, the network with its broker, the people and the clocks. Nothing waits for real time: when nobody has anything to do, the clock jumps to the
//! next timer. Everything happens in one order on one thread, so that a seed tells the same story to the bit.
//!
//! `plant` (with its `truth`) → `gateway` (with the `witness` of its journal) → `broker` → `city` (with the `doom` of its collectors), and `people` on both
//! sides; `weather` says what goes wrong, `world` turns all of it a step at a time, and `invariants` are held after each.
//!
//! README.md says how to run it, what it holds, and which deliberate mistakes ([`Mutant`]) it must find.

mod births;
mod broker;
mod chronicle;
mod city;
mod dice;
mod doom;
mod file;
mod gateway;
mod invariants;
mod ledger;
mod liar;
mod mutant;
mod people;
mod plant;
mod standing;
mod truth;
mod weather;
mod witness;
mod world;

pub use mutant::Mutant;
pub use world::{Account, Plan, run};
