//! The API as a browser meets it: every route, every role, real records.

mod access;
mod case;
mod city;
mod events;
mod export;
mod kpi;
mod login;
mod openapi;
mod orders;
mod questions;
mod record;
mod screen;
#[path = "../store/mod.rs"]
mod store;
