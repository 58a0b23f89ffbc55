//! What a day of 1,000 points read every second costs a flash, and whether memory stays flat while thirty days pile up.

use super::process::{Used, resident_mib};
use super::rig::{Plant, Rig};
use anyhow::Result;
use std::path::Path;

/// 1,008 points.
const PLANT: Plant = Plant {
    devices: 63,
    points: 16,
};
const SECONDS: u64 = 600;
const DAY_S: f64 = 86_400.0;
/// A plant whose 1,000 points are journalled every five minutes: 288 rounds a day.
const SLOW: Plant = Plant {
    devices: 40,
    points: 25,
};
const ROUNDS_A_DAY: u64 = 288;

pub(crate) fn measure(folder: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(wear(folder))?;
    runtime.block_on(backlog(folder))
}

/// Every round is one group and one sync, as it is when a second passes between them.
async fn wear(folder: &Path) -> Result<()> {
    let rig = Rig::start(PLANT, folder, None)?;
    rig.rounds(0..SECONDS / 2).await?;
    let (before, bytes) = (Used::now()?, rig.written());
    rig.rounds(SECONDS / 2..SECONDS + SECONDS / 2).await?;
    let used = Used::now()?.since(&before);
    let days = SECONDS as f64 / DAY_S / (1_008.0 / 1_000.0);
    println!(
        "wear_appended_a_day {:.0} MB",
        (rig.written() - bytes) as f64 / 1e6 / days
    );
    println!(
        "wear_written_a_day {:.0} MB",
        used.disk_bytes as f64 / 1e6 / days
    );
    println!("wear_syncs_a_day {DAY_S:.0} syncs");
    rig.stop().await
}

async fn backlog(folder: &Path) -> Result<()> {
    let rig = Rig::start(SLOW, folder, None)?;
    rig.rounds(0..ROUNDS_A_DAY).await?;
    let day = resident_mib()?;
    rig.rounds(ROUNDS_A_DAY..30 * ROUNDS_A_DAY).await?;
    let month = resident_mib()?;
    let readings = 30 * ROUNDS_A_DAY * SLOW.readings();
    println!("memory_of_1_day_of_backlog {day:.1} MiB");
    println!(
        "memory_of_30_days_of_backlog {month:.1} MiB <{:.1}",
        day + 4.0
    );
    println!(
        "disk_of_30_days_of_backlog {:.1} MB",
        rig.written() as f64 / 1e6
    );
    println!("readings_in_30_days_of_backlog {readings} readings");
    rig.stop().await
}
