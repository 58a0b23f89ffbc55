//! The peer of `bench edge`: the least that a Rust program can do. It reads ten units with tokio-modbus once a second and publishes each
//! answer as a JSON array with rumqttc. No alarms, no journal, no retry: what Davy's gateway does beyond this is what it costs.
//!
//! usage: bare_loop MODBUS_PORT MQTT_PORT

use anyhow::{Context, Result};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_modbus::client::{Reader, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};

const UNITS: u8 = 10;
const REGISTERS: u16 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u16>());
    let modbus = args
        .next()
        .context("usage: bare_loop MODBUS_PORT MQTT_PORT")??;
    let mqtt = args
        .next()
        .context("usage: bare_loop MODBUS_PORT MQTT_PORT")??;
    let (client, mut events) =
        AsyncClient::new(MqttOptions::new("bare-loop", "127.0.0.1", mqtt), 64);
    tokio::spawn(async move { while events.poll().await.is_ok() {} });
    let mut bus = tcp::connect(SocketAddr::from(([127, 0, 0, 1], modbus))).await?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        second.tick().await;
        for unit in 1..=UNITS {
            bus.set_slave(Slave(unit));
            let registers = bus.read_holding_registers(0, REGISTERS).await??;
            client
                .publish(
                    format!("bare/{unit}"),
                    QoS::AtMostOnce,
                    false,
                    serde_json::to_vec(&registers)?,
                )
                .await?;
        }
    }
}
