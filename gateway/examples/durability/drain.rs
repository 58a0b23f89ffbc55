//! How long an alarm takes from the journal to the broker while a million readings of backlog drain.

use super::peer::{Peer, now_us};
use super::rig::{Plant, Rig, raised};
use anyhow::{Context as _, Result};
use davy_config::site::DeviceIndex;
use std::path::Path;
use std::time::{Duration, Instant};

/// A thousand readings a second.
const PLANT: Plant = Plant {
    devices: 63,
    points: 16,
};
const ROUNDS: u64 = 1_000;
const BETWEEN: Duration = Duration::from_millis(20);
const MOST_ALARMS: u64 = 500;

pub(crate) async fn measure(folder: &Path) -> Result<()> {
    let rig = Rig::start(PLANT, folder, None)?;
    rig.rounds(0..ROUNDS).await?;
    let backlog = rig.close().await?;
    let peer = Peer::start()?;
    let rig = Rig::reopen(PLANT, backlog, Some(peer.port))?;
    rig.connected().await?;
    let begun = Instant::now();
    let mut sent = Vec::new();
    while rig.journal.backlog() > PLANT.devices as u64 && (sent.len() as u64) < MOST_ALARMS {
        let seq = sent.len() as u64 + 1;
        sent.push((seq, now_us()));
        rig.journal.append(Some(DeviceIndex(0)), vec![raised(seq)?]);
        tokio::time::sleep(BETWEEN).await;
    }
    let during = sent.len();
    rig.delivered().await?;
    let drained = begun.elapsed();
    let mut latencies = Vec::new();
    for (seq, at) in sent {
        let came = peer.alarm(seq).context("an alarm did not come")?;
        latencies.push(came.saturating_sub(at) as f64 / 1000.0);
    }
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!("drain_readings {} readings", ROUNDS * PLANT.readings());
    println!("drain_time {:.1} s", drained.as_secs_f64());
    println!("drain_alarms {during} alarms");
    println!("drain_alarm_to_broker_p50 {:.2} ms", at(0.5));
    println!("drain_alarm_to_broker_p99 {:.2} ms <50", at(0.99));
    println!("drain_alarm_to_broker_most {:.2} ms", at(1.0));
    rig.stop().await
}
