//! What durability costs a gateway: readings through journal and uplink a second of its processor, bytes on disk and wire, wear of its flash, memory with a
//! backlog of thirty days, an alarm's way to the broker meanwhile; beside a script that publishes the same readings at QoS 1 and keeps nothing.
//!
//! `cargo run --release -p davy-gateway --example durability_bench -- FOLDER`: FOLDER is on the disk to measure. Lines of `name value unit`, where there is one
//! with its target (`<` at most, `>` at least). The broker and collector of the other end is a process of its own (`-- peer`), so that the figures of this one are the gateway's alone. Acquisition and judgement
//! are no part of it: neither side of the comparison reads a device.

#[path = "durability/bare.rs"]
mod bare;
#[path = "durability/drain.rs"]
mod drain;
#[path = "durability/peer.rs"]
mod peer;
#[path = "durability/process.rs"]
mod process;
#[path = "durability/rig.rs"]
mod rig;
#[path = "durability/wear.rs"]
mod wear;

use anyhow::{Context as _, Result};
use peer::Peer;
use process::Used;
use rig::{Plant, Rig};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let asked = std::env::args().nth(1).context("a folder, or `peer`")?;
    if asked == "peer" {
        return peer::serve();
    }
    let folder = Path::new(&asked);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        path(
            "full_batch",
            Plant {
                devices: 4,
                points: 1_000,
            },
            500,
            Some(1e6),
            folder,
        )
        .await?;
        path(
            "batch_of_16",
            Plant {
                devices: 63,
                points: 16,
            },
            1_000,
            None,
            folder,
        )
        .await?;
        bare::measure(
            Plant {
                devices: 4,
                points: 1_000,
            },
            100,
        )
        .await
    })?;
    wear::measure(folder)?;
    runtime.block_on(drain::measure(folder))
}

/// Readings journalled, synced, published and acknowledged: `rounds` times every point once, as fast as it goes.
async fn path(
    name: &str,
    plant: Plant,
    rounds: u64,
    target: Option<f64>,
    folder: &Path,
) -> Result<()> {
    let peer = Peer::start()?;
    let rig = Rig::start(plant, folder, Some(peer.port))?;
    rig.connected().await?;
    // Forms of values, caches and the allocator settle first.
    rig.rounds(0..rounds / 10).await?;
    rig.delivered().await?;
    let (before, bytes, wire, begun) =
        (Used::now()?, rig.written(), peer.received(), Instant::now());
    rig.rounds(rounds / 10..rounds / 10 + rounds).await?;
    rig.delivered().await?;
    let used = Used::now()?.since(&before);
    let readings = (rounds * plant.readings()) as f64;
    let target = target.map_or(String::new(), |target| format!(" >{target}"));
    println!(
        "{name}_readings_per_processor_second {:.0} 1/s{target}",
        readings / used.processor_s
    );
    println!(
        "{name}_readings_per_second {:.0} 1/s",
        readings / begun.elapsed().as_secs_f64()
    );
    println!(
        "{name}_bytes_on_disk {:.2} B <2.5",
        (rig.written() - bytes) as f64 / readings
    );
    println!(
        "{name}_bytes_on_the_wire {:.1} B",
        (peer.received() - wire) as f64 / readings
    );
    rig.stop().await
}
