//! Ingest as a gateway meets it: the real service and its real broker, or mosquitto, and an edge node of the test's own.

mod broker;
mod city;
mod conformance;
mod journal;
mod node;
mod order;
mod session;
#[path = "../store/mod.rs"]
mod store;
mod third_party;
