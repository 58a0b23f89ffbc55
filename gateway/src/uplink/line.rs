//! What the uplink touches outside of the process: a socket, a file for one number, and chance. The seam at which a simulation puts a world of its own.

use super::bdseq::BdSeq;
use futures_util::stream::{self, BoxStream, StreamExt};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use std::path::Path;
use std::sync::Arc;

/// What a client's connection tells; it ends with an error.
pub type Events = BoxStream<'static, Result<Event, ConnectionError>>;

/// Makes a client, in whose queue so many requests may wait, and its connection, which is made when it is first asked.
pub type Dial = Arc<dyn Fn(MqttOptions, usize) -> (AsyncClient, Events) + Send + Sync>;

/// The outside.
pub struct Line {
    pub numbers: Numbers,
    pub dial: Dial,
    /// By how much the pause before the next connection is stretched, 0 to 1: gateways that lost a broker together do not come back together.
    pub spread: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// Who counts connections (`bdSeq`).
pub enum Numbers {
    File(Counter),
    /// A simulation, which answers at once.
    Given(Box<dyn FnMut() -> u8 + Send>),
}

/// The counter in its file.
#[derive(Debug)]
pub struct Counter(pub(super) BdSeq);

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Line")
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(counter) => counter.fmt(formatter),
            Self::Given(_) => formatter.write_str("Given"),
        }
    }
}

impl Line {
    /// This machine's network, and the counter in its data folder.
    pub fn of_machine(data: &Path) -> Self {
        Self {
            numbers: Numbers::File(Counter(BdSeq::open(data))),
            dial: Arc::new(socket),
            spread: Arc::new(|| rand::random_range(0.0..1.0)),
        }
    }
}

impl Numbers {
    /// The next connection's number, on disk.
    pub(super) async fn next(self) -> (Self, u8) {
        match self {
            Self::File(Counter(mut counter)) => {
                let advance = move || {
                    let number = counter.advance();
                    (Self::File(Counter(counter)), number)
                };
                tokio::task::spawn_blocking(advance)
                    .await
                    .expect("counting does not panic")
            }
            Self::Given(mut next) => {
                let number = next();
                (Self::Given(next), number)
            }
        }
    }
}

/// Bytes that may wait in the socket, about (Linux sets twice as much aside and takes the half for itself): an alarm waits behind no more, however many
/// batches are on their way. On a link of 1 Mbit/s that is half a second.
const SOCKET_BYTES: u32 = 64 << 10;

fn socket(options: MqttOptions, queue: usize) -> (AsyncClient, Events) {
    let (client, mut events) = AsyncClient::new(options, queue);
    let mut network = events.network_options();
    network.set_tcp_nodelay(true);
    network.set_tcp_send_buffer_size(SOCKET_BYTES);
    events.set_network_options(network);
    (client, events_of(events))
}

/// The client's events as a stream, which keeps a poll that was begun: one that is dropped half-way could leave a message unflushed.
fn events_of(events: EventLoop) -> Events {
    stream::unfold(events, |mut events| async move {
        let event = events.poll().await;
        Some((event, events))
    })
    .boxed()
}
