//! The simulated plant: physics ([`process`]) seen by instruments ([`instrument`]), spelt into the registers of real devices ([`image`]),
//! and served over real Modbus links ([`serve`], [`line`]). [`running::Running`] is one site in-process; [`control`] is the whole plant with its page.
//!
//! It depends on no other crate of Davy: its reading of the manuals is its own, so that it can contradict the gateway's.

pub mod control;
pub mod image;
pub mod instrument;
pub mod layout;
pub mod line;
pub mod modbus;
pub mod noise;
mod opening;
pub mod page;
pub mod process;
pub mod pty;
pub mod running;
pub mod scenario;
pub mod serve;
pub mod sites;
mod state;
pub mod wan;

pub use image::{Model, Sensing, State};
pub use layout::{BusLayout, Channel, DeviceLayout, Layout, Wire};
pub use running::{Address, Options, PlantError, Running};
pub use scenario::{Kind, Scenario};
