//! The collector: ingest, records, history, API and the city screens. Stores transitions and never re-judges them.

pub mod message;
pub mod records;
pub mod settings;
