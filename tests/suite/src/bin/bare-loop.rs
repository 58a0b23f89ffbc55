//! The first peer of `bench edge`: as little as reads ten units with tokio-modbus once a second and publishes with rumqttc. It decodes nothing,
//! judges nothing, keeps nothing and has no answer to a fault.
//!
//! usage: bare-loop MODBUS_PORT MQTT_PORT PHASE_MS

use anyhow::{Context, Result, anyhow};
use davy_suite::bench::{REGISTERS, UNITS};
use rumqttc::{AsyncClient, Event, MqttOptions, QoS};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_modbus::prelude::{Reader as _, Slave, SlaveContext as _, tcp};

#[derive(serde::Serialize)]
struct Body {
    time_ms: u128,
    registers: Vec<u16>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut number = || {
        args.next()
            .context("usage: bare-loop MODBUS_PORT MQTT_PORT PHASE_MS")
    };
    let (modbus, broker, phase_ms): (u16, u16, u64) =
        (number()?.parse()?, number()?.parse()?, number()?.parse()?);
    let mut bus = tcp::connect(([127, 0, 0, 1], modbus).into()).await?;
    let (client, mut events) =
        AsyncClient::new(MqttOptions::new("bare-loop", "127.0.0.1", broker), 64);
    tokio::spawn(async move {
        while let Ok(Event::Incoming(_) | Event::Outgoing(_)) = events.poll().await {}
    });
    let mut ticks = tokio::time::interval_at(next(phase_ms)?, Duration::from_secs(1));
    loop {
        ticks.tick().await;
        for unit in 1..=UNITS {
            bus.set_slave(Slave(unit as u8));
            let registers = bus
                .read_holding_registers(0, REGISTERS as u16)
                .await?
                .map_err(|code| anyhow!("unit {unit} answers with exception {code}"))?;
            let time_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
            let body = serde_json::to_vec(&Body { time_ms, registers })?;
            client
                .publish(format!("bare/{unit}"), QoS::AtMostOnce, false, body)
                .await?;
        }
    }
}

/// The next moment that lies so many milliseconds after a full second.
fn next(phase_ms: u64) -> Result<tokio::time::Instant> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let wait_ms = (phase_ms + 1000 - now_ms % 1000) % 1000;
    Ok(tokio::time::Instant::now() + Duration::from_millis(wait_ms))
}
