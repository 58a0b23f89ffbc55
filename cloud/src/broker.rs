//! The embedded MQTT broker (rumqttd) for one machine: a demo, a test, a small city without a broker of its own.
//!
//! What reading rumqttd 0.20 showed, and what is done about it:
//! - It keeps messages in a log of segments for each subscription filter. A subscriber that falls more than the log behind jumps to the oldest
//!   segment, with a warning in its log and nothing else. What a Davy gateway lost that way is not acknowledged and comes again; what a node without a
//!   journal lost is lost. So that log is large, and those of gateways' commands are small, since a log frees nothing until it is full.
//! - It forgets everything when it ends. Gateways connect anew and are born anew.
//! - A connection beyond the limit is dropped without an answer, and the same client id coming again after that may poison a lock in the acceptor;
//!   a topic that begins with a character of several bytes makes the router panic. Either leaves a broker that answers nobody. So it is asked every few
//!   seconds, and started again when it is silent: gateways connect anew and send again what was not acknowledged.
//! - A connection that meets the router in its last moment waits for it for ever, and keeps one of the broker's threads; with two such none is left, and nobody
//!   ends what the others do. So connections are accepted on a thread of their own: it lets go of the port whatever became of the rest, which is left behind.
//! - `Broker::start` reports no failed bind and cannot be ended. So router and server are started here, on a runtime of their own that ends with us.
//! - It has neither rights by topic nor, here, passwords: docs/cloud.md says where it may listen.

use crate::api::{Health, Status};
use crate::collector::Task;
use rumqttd::protocol::v4::V4;
use rumqttd::{
    ConnectionSettings, LinkType, Router, RouterConfig, SegmentConfig, Server, ServerSettings,
};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
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

/// How often the broker is asked whether it answers, how long it may take, and how many silences in a row are too many.
const ASK_EVERY: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const UNANSWERED: u32 = 2;

/// How long one that was started again may take to answer: everybody connects anew.
const ANSWERS_AGAIN_WITHIN: Duration = Duration::from_secs(30);

/// More restarts than this in this time end the service: whoever supervises it decides.
const MOST_RESTARTS: usize = 5;
const RESTARTS_WITHIN: Duration = Duration::from_secs(300);

/// How long a port may stay taken by what has just ended.
const LET_GO_WITHIN: Duration = Duration::from_secs(10);

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
    #[error("the broker on {listen} does not work: {why}")]
    Unwell { listen: SocketAddr, why: String },
}

/// Starts the broker and waits until it answers; answers where it listens, and the task that ends when it does.
pub(crate) async fn start(
    listen: SocketAddr,
    health: Health,
    ending: CancellationToken,
) -> Result<(SocketAddr, Task), BrokerError> {
    start_watched(listen, health, ending, ASK_EVERY).await
}

async fn start_watched(
    listen: SocketAddr,
    health: Health,
    ending: CancellationToken,
    ask_every: Duration,
) -> Result<(SocketAddr, Task), BrokerError> {
    let listen = free(listen)?;
    let threads = Threads::start(listen)?.ready(listen, ANSWER_WITHIN).await?;
    health.say("broker", Status::Ok, format!("embedded, on {listen}"));
    let run = async move {
        tokio::select! {
            () = ending.cancelled() => Ok(()),
            error = keep(threads, listen, &health, ask_every) => {
                health.say("broker", Status::Failed, error.to_string());
                Err(error.into())
            }
        }
    };
    let task = Task {
        name: "broker",
        run: Box::pin(run),
    };
    Ok((listen, task))
}

/// Starts the broker again whenever it has ended or answers nobody; returns when that happens too often.
async fn keep(
    threads: Threads,
    listen: SocketAddr,
    health: &Health,
    ask_every: Duration,
) -> BrokerError {
    let mut starts = VecDeque::from([Instant::now()]);
    let mut started = Ok(threads);
    loop {
        let why = match started {
            Ok(mut threads) => tokio::select! {
                why = threads.ended() => why,
                why = unanswered(listen, ask_every) => why,
            },
            Err(why) => why,
        };
        tracing::error!(%listen, why, "the embedded broker is started again");
        metrics::counter!("davy_broker_restarts_total").increment(1);
        let detail = format!("embedded, on {listen}; started again: {why}");
        health.say("broker", Status::Degraded, detail);
        starts.retain(|start| start.elapsed() < RESTARTS_WITHIN);
        if starts.len() > MOST_RESTARTS {
            return BrokerError::Unwell { listen, why };
        }
        starts.push_back(Instant::now());
        started = match again(listen).await {
            Ok(threads) => Ok(threads),
            Err(BrokerError::Unwell { why, .. }) => Err(why),
            Err(error) => return error,
        };
    }
}

/// Starts the threads once the old ones have let go of the port, and waits until they answer: one that is just coming up is not a silent one.
async fn again(listen: SocketAddr) -> Result<Threads, BrokerError> {
    let begun = Instant::now();
    loop {
        match free(listen) {
            Ok(_) => {
                return Threads::start(listen)?
                    .ready(listen, ANSWERS_AGAIN_WITHIN)
                    .await;
            }
            Err(error) if begun.elapsed() > LET_GO_WITHIN => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Returns when the broker has not answered a CONNECT several times in a row.
async fn unanswered(listen: SocketAddr, ask_every: Duration) -> String {
    let mut failures = 0;
    for number in 0_u32.. {
        tokio::time::sleep(ask_every).await;
        let asked = ask(listen, format!("davy-watch-{number}"));
        let asked = tokio::time::timeout(ANSWER_WITHIN, asked).await;
        failures = match asked {
            Ok(Ok(())) => 0,
            Ok(Err(_)) | Err(_) => failures + 1,
        };
        if failures >= UNANSWERED {
            break;
        }
    }
    "it answers no CONNECT".to_owned()
}

/// Connects as a client of this name, which nobody else bears at the time, and leaves.
async fn ask(listen: SocketAddr, client_id: String) -> std::io::Result<()> {
    const DISCONNECT: [u8; 2] = [0xe0, 0];
    let mut socket = TcpStream::connect((inside(listen), listen.port())).await?;
    socket.write_all(&connect_packet(&client_id)).await?;
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await?;
    if answer != [0x20, 2, 0, 0] {
        return Err(std::io::Error::other("no CONNACK"));
    }
    socket.write_all(&DISCONNECT).await
}

/// CONNECT of MQTT 3.1.1: clean session, keep alive 10 s.
fn connect_packet(client_id: &str) -> Vec<u8> {
    let length = u8::try_from(client_id.len()).unwrap_or(u8::MAX);
    let mut packet = vec![0x10, 12 + length];
    packet.extend([0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 10, 0, length]);
    packet.extend(client_id.as_bytes());
    packet
}

/// How this process itself reaches a broker that listens there.
pub(crate) fn inside(listen: SocketAddr) -> IpAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Router and server on a runtime of their own, which ends with this value.
struct Threads {
    end: oneshot::Receiver<String>,
    /// Heard when it is gone.
    _stop: oneshot::Sender<()>,
    #[cfg(test)]
    workers: tokio::runtime::Handle,
}

impl Threads {
    fn start(listen: SocketAddr) -> Result<Self, BrokerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("broker")
            .enable_all()
            .build()
            .map_err(BrokerError::Threads)?;
        let router = Router::new(0, router_settings()).spawn();
        let mut server = Server::new(server_settings(listen), router, V4);
        let (say_end, end) = oneshot::channel();
        let (_stop, stopped) = oneshot::channel();
        #[cfg(test)]
        let workers = runtime.handle().clone();
        let accept = move || {
            let why = runtime.block_on(async {
                tokio::select! {
                    _ = stopped => "it was stopped".to_owned(),
                    ended = server.start(LinkType::Remote) => match ended {
                        Ok(()) => "it ended by itself".to_owned(),
                        Err(error) => error.to_string(),
                    }
                }
            });
            runtime.shutdown_background();
            let _heard = say_end.send(why);
        };
        std::thread::Builder::new()
            .name("broker-accept".to_owned())
            .spawn(accept)
            .map_err(BrokerError::Threads)?;
        Ok(Self {
            end,
            _stop,
            #[cfg(test)]
            workers,
        })
    }

    /// Returns when the broker answers.
    async fn ready(mut self, listen: SocketAddr, within: Duration) -> Result<Self, BrokerError> {
        let answers = async {
            for number in 0_u32.. {
                let asked = ask(listen, format!("davy-start-{number}"));
                let asked = tokio::time::timeout(ANSWER_WITHIN, asked).await;
                if matches!(asked, Ok(Ok(()))) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let why = tokio::select! {
            () = answers => return Ok(self),
            why = self.ended() => why,
            () = tokio::time::sleep(within) => "it answers no CONNECT".to_owned(),
        };
        Err(BrokerError::Unwell { listen, why })
    }

    async fn ended(&mut self) -> String {
        let end = (&mut self.end).await;
        end.unwrap_or_else(|_| "its task is gone".to_owned())
    }
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
    use rumqttc::{AsyncClient, MqttOptions, QoS};
    use tokio::task::JoinHandle;

    fn anywhere() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// What must come comes within it, on a machine that is busy with other tests too; else the test fails and names what it waited for.
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
        let came = tokio::time::timeout(PATIENCE, coming).await;
        came.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
    }

    async fn answers(address: SocketAddr) {
        within("an answer of the broker", async {
            for number in 0_u32.. {
                // One that a dying router took is never answered: another is asked in its place.
                let asked = ask(address, format!("davy-test-{number}"));
                let asked = tokio::time::timeout(Duration::from_secs(1), asked).await;
                if matches!(asked, Ok(Ok(()))) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Ends a broker, which must be clean.
    async fn end(ending: &CancellationToken, run: JoinHandle<anyhow::Result<()>>) {
        ending.cancel();
        let ended = within("the broker's end", run).await;
        ended.expect("no panic").expect("a clean end");
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_a_named_error() {
        let taken = std::net::TcpListener::bind(anywhere()).expect("a port");
        let address = taken.local_addr().expect("its address");
        let error = start(address, Health::default(), CancellationToken::new()).await;
        let error = error.expect_err("a taken port").to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }

    #[tokio::test]
    async fn it_lets_go_of_its_port_when_it_ends() {
        let ending = CancellationToken::new();
        let (address, task) = start(anywhere(), Health::default(), ending.clone())
            .await
            .expect("a broker");
        let run = tokio::spawn(task.run);
        answers(address).await;
        end(&ending, run).await;
        within("a port that is let go of", async {
            while free(address).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// As connections do that meet the router in its last moment.
    #[tokio::test]
    async fn it_lets_go_of_its_port_when_its_threads_wait_for_ever() {
        let address = free(anywhere()).expect("a port");
        let threads = Threads::start(address).expect("a broker");
        let threads = threads.ready(address, PATIENCE).await;
        let threads = threads.expect("one that answers");
        let (ends, waits) = std::sync::mpsc::channel::<()>();
        let waits = std::sync::Arc::new(std::sync::Mutex::new(waits));
        let (says, waiting) = std::sync::mpsc::channel();
        for _ in 0..2 {
            let (waits, says) = (waits.clone(), says.clone());
            threads.workers.spawn(async move {
                let _heard = says.send(());
                let _ended = waits.lock().map(|waits| waits.recv());
            });
        }
        for _ in 0..2 {
            waiting.recv_timeout(PATIENCE).expect("a thread that waits");
        }
        drop(threads);
        let again = within("the broker anew", again(address)).await;
        drop(again.expect("a free port, and one that answers"));
        drop(ends);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_topic_that_kills_the_router_costs_a_restart_and_not_the_broker() {
        let ending = CancellationToken::new();
        let ask_every = Duration::from_millis(50);
        let (address, task) =
            start_watched(anywhere(), Health::default(), ending.clone(), ask_every)
                .await
                .expect("a broker");
        let run = tokio::spawn(task.run);
        answers(address).await;
        let options = MqttOptions::new("third-party", address.ip().to_string(), address.port());
        let (client, mut events) = AsyncClient::new(options, 10);
        client.subscribe("#", QoS::AtMostOnce).await.expect("room");
        // Again and again: a message that overtook its subscription kills nobody.
        let mut again = tokio::time::interval(ask_every);
        let killed = async {
            loop {
                tokio::select! {
                    event = events.poll() => if event.is_err() { return },
                    _ = again.tick() => {
                        // With no room there is one on its way.
                        let _full = client.try_publish("气体", QoS::AtMostOnce, false, "1");
                    }
                }
            }
        };
        within("a router that dies of it", killed).await;
        answers(address).await;
        end(&ending, run).await;
    }
}
