//! The collector: ingest, records, history, API and the city screens. Stores transitions and never re-judges them.

pub mod api;
pub mod audit;
pub mod auth;
mod broker;
pub mod case;
pub mod collector;
pub mod command_line;
pub mod history;
mod ingest;
pub mod live;
pub mod message;
pub mod order;
mod prompt;
mod questions;
pub mod records;
mod replicas;
pub mod retention;
pub mod run;
mod screen;
pub mod settings;
mod table;
mod upkeep;
