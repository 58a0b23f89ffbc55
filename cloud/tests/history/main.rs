//! The history: what is committed once is there once, whatever order it came in, on every engine and however it lies on disk.

#![allow(clippy::unwrap_used)]

mod cluster;
mod copy;
mod crash;
mod damage;
mod engine;
mod full;
mod influx;
mod model;
mod retention;
mod schema;
mod sealing;
#[path = "../../../tests/small_disk.rs"]
mod small_disk;

use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::PointReading;

/// 2026-01-31T23:00:00Z: an hour before a month ends.
const START_MS: i64 = 1_769_900_400_000;

fn measured(point: &str, time_ms: i64, value: f64) -> PointReading {
    named(point, Reading::measured(value, WallMs(time_ms)))
}

fn absent(point: &str, time_ms: i64, cause: NoValue) -> PointReading {
    named(point, Reading::absent(cause, WallMs(time_ms)))
}

fn named(point: &str, reading: Reading) -> PointReading {
    PointReading {
        site: "plant-1".into(),
        point: point.into(),
        reading,
    }
}
