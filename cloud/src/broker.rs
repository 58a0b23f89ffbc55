//! The embedded MQTT broker (rumqttd) for one machine: a demo, a test, a small city without a broker of its own.
//!
//! What reading rumqttd 0.20 showed, and what is done about it:
//! - It keeps messages in a log of segments for each subscription filter. A subscriber that falls more than the log behind jumps to the oldest
//!   segment, with a warning in its log and nothing else. What a Davy gateway lost that way is not acknowledged and comes again; what a node without a
//!   journal lost is lost. So that log is large, and those of gateways' commands are small, since a log frees nothing until it is full.
//! - It forgets everything when it ends. Gateways connect anew and are born anew.
//! - A connection beyond the limit is dropped without an answer, and the same client id coming again after that may poison a lock in the acceptor.
//!   So the limit is far above what the process may open, and [`crate::ingest`] sees a broker that answers nobody, since it is its client too.
//! - `Broker::start` reports no failed bind and cannot be ended. So router and server are started here, on a runtime of their own that ends with us.
//! - It has neither rights by topic nor, here, passwords: docs/cloud.md says where it may listen.

use crate::api::{Health, Status};
use crate::collector::Task;
use rumqttd::protocol::v4::V4;
use rumqttd::{
    ConnectionSettings, LinkType, Router, RouterConfig, SegmentConfig, Server, ServerSettings,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Largest message, bytes. A gateway's batches are far smaller; its birth, with the model in it, is the largest.
pub(crate) const LARGEST_MESSAGE: usize = 2 << 20;

/// Connections at once; one file each.
const MOST_CONNECTIONS: usize = 10_000;

/// QoS 1 messages in flight to one subscriber, and packets taken from one socket at a time.
const MOST_IN_FLIGHT: usize = 200;

/// Packets handed to one connection before it must have written them.
const MOST_OUTGOING: u64 = 200;

/// How long a socket may be silent before its CONNECT, milliseconds.
const CONNECT_WITHIN_MS: u16 = 5_000;

/// The log of a filter, the collector's above all: up to 128 MiB behind.
const LOG: SegmentConfig = SegmentConfig {
    max_segment_size: 16 << 20,
    max_segment_count: 8,
};

/// The log of one gateway's commands: up to 128 KiB behind. A lost acknowledgement costs a batch sent twice.
const COMMAND_LOG: SegmentConfig = SegmentConfig {
    max_segment_size: 64 << 10,
    max_segment_count: 2,
};

/// What gateways subscribe to.
const COMMAND_FILTERS: [&str; 2] = ["spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#"];

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    #[error("the broker cannot listen on {listen}: {source}")]
    Bind {
        listen: SocketAddr,
        source: std::io::Error,
    },
    #[error("the broker cannot start its threads: {0}")]
    Threads(std::io::Error),
}

/// Starts the broker; answers where it listens, and the task that ends when it does.
pub(crate) fn start(
    listen: SocketAddr,
    health: Health,
    ending: CancellationToken,
) -> Result<(SocketAddr, Task), BrokerError> {
    let listen = free(listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("broker")
        .enable_all()
        .build()
        .map_err(BrokerError::Threads)?;
    let router = Router::new(0, router_settings()).spawn();
    let mut server = Server::new(server_settings(listen), router, V4);
    let (say_end, end) = oneshot::channel();
    runtime.spawn(async move {
        let why = match server.start(LinkType::Remote).await {
            Ok(()) => "it ended by itself".to_owned(),
            Err(error) => error.to_string(),
        };
        let _heard = say_end.send(why);
    });
    health.say("broker", Status::Ok, format!("embedded, on {listen}"));
    let run = async move {
        let why = tokio::select! {
            () = ending.cancelled() => None,
            why = end => Some(why.unwrap_or_else(|_| "its task is gone".to_owned())),
        };
        runtime.shutdown_background();
        match why {
            None => Ok(()),
            Some(why) => {
                health.say("broker", Status::Failed, why.clone());
                Err(anyhow::anyhow!("the broker on {listen}: {why}"))
            }
        }
    };
    let task = Task {
        name: "broker",
        run: Box::pin(run),
    };
    Ok((listen, task))
}

/// The address with its port, 0 replaced by a free one; an error that names the address if it is taken.
fn free(listen: SocketAddr) -> Result<SocketAddr, BrokerError> {
    std::net::TcpListener::bind(listen)
        .and_then(|listener| listener.local_addr())
        .map_err(|source| BrokerError::Bind { listen, source })
}

fn router_settings() -> RouterConfig {
    RouterConfig {
        max_connections: MOST_CONNECTIONS,
        max_outgoing_packet_count: MOST_OUTGOING,
        max_segment_size: LOG.max_segment_size,
        max_segment_count: LOG.max_segment_count,
        custom_segment: Some(HashMap::from(
            COMMAND_FILTERS.map(|filter| (filter.to_owned(), COMMAND_LOG)),
        )),
        ..RouterConfig::default()
    }
}

fn server_settings(listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: "mqtt".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: CONNECT_WITHIN_MS,
            max_payload_size: LARGEST_MESSAGE,
            max_inflight_count: MOST_IN_FLIGHT,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn an_address_that_is_taken_is_a_named_error() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("its address");
        let error = start(address, Health::default(), CancellationToken::new());
        let error = error.expect_err("a taken port").to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }

    #[tokio::test]
    async fn it_lets_go_of_its_port_when_it_ends() {
        let ending = CancellationToken::new();
        let listen = "127.0.0.1:0".parse().expect("an address");
        let (address, task) = start(listen, Health::default(), ending.clone()).expect("a broker");
        let run = tokio::spawn(task.run);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ending.cancel();
        run.await.expect("no panic").expect("a clean end");
        while free(address).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
