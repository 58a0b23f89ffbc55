//! The engine against an independent reference that was written from the alarm rules: random walks, every short walk, and groups that vote.

mod calm;
mod definitions;
mod every_walk;
mod group;
mod properties;
mod random_walks;
mod reference;
mod walk;
