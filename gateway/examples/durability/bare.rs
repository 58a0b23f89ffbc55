//! What people write without durability: `rumqttc`, one JSON message a device at QoS 1, and nothing kept.

use super::peer::Peer;
use super::process::Used;
use super::rig::{Plant, value};
use anyhow::{Context as _, Result};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn measure(plant: Plant, rounds: u64) -> Result<()> {
    let peer = Peer::start()?;
    let mut options = MqttOptions::new("bare", "127.0.0.1", peer.port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut events) = AsyncClient::new(options, 16);
    let messages = rounds * u64::from(plant.devices);
    let confirmed = tokio::spawn(async move {
        let mut confirmed = 0;
        while confirmed < messages {
            if let Event::Incoming(Packet::PubAck(_)) = events.poll().await? {
                confirmed += 1;
            }
        }
        Ok::<(), rumqttc::ConnectionError>(())
    });
    let before = Used::now()?;
    for round in 0..rounds {
        for device in 0..plant.devices {
            let topic = format!("plant/d{device}");
            client
                .publish(
                    topic,
                    QoS::AtLeastOnce,
                    false,
                    message(plant, device, round),
                )
                .await?;
        }
    }
    tokio::time::timeout(PATIENCE, confirmed)
        .await
        .context("not confirmed")???;
    let used = Used::now()?.since(&before);
    let readings = (rounds * plant.readings()) as f64;
    println!(
        "bare_qos1_readings_per_processor_second {:.0} 1/s",
        readings / used.processor_s
    );
    println!(
        "bare_qos1_bytes_on_the_wire {:.1} B",
        bytes(plant, rounds) as f64 / readings
    );
    Ok(())
}

fn message(plant: Plant, device: u32, round: u64) -> Vec<u8> {
    let first = device * plant.points;
    let values: serde_json::Map<_, _> = (first..first + plant.points)
        .map(|point| (format!("p{point}"), value(point, round).into()))
        .collect();
    let message =
        serde_json::json!({ "ts": 1_795_000_000_000_u64 + round * 1000, "values": values });
    message.to_string().into_bytes()
}

fn bytes(plant: Plant, rounds: u64) -> usize {
    let all = (0..rounds).flat_map(|round| (0..plant.devices).map(move |device| (device, round)));
    all.map(|(device, round)| message(plant, device, round).len())
        .sum()
}
