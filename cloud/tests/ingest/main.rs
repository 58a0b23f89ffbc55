//! Ingest as a gateway meets it: the real service and its real broker, or mosquitto, and an edge node of the test's own.

mod broker;
mod city;
mod conformance;
mod fleet;
mod journal;
mod live;
mod node;
mod order;
mod pressure;
mod program;
mod replicas;
mod session;
#[path = "../../../tests/small_disk.rs"]
mod small_disk;
#[path = "../store/mod.rs"]
mod store;
mod third_party;
mod watchers;
