//! The collector: ingest, records, history, API and the city screens. Stores transitions and never re-judges them.

pub mod api;
pub mod audit;
pub mod auth;
mod broker;
pub mod collector;
pub mod command_line;
pub mod history;
mod ingest;
pub mod live;
pub mod message;
pub mod order;
mod prompt;
pub mod records;
pub mod run;
mod screen;
pub mod settings;
