//! The uplink's surroundings in tests: mosquitto, a collector that commits and acknowledges, and a gateway's uplink on a journal in memory.

use davy_alarm::{Reading, WallMs};
use davy_config::site::{AlarmIndex, Site};
use davy_gateway::clock::Clock;
use davy_gateway::desk::{Desk, Request};
use davy_gateway::journal::{Batch, Journal, Names, Record};
use davy_gateway::judge::Switched;
use davy_gateway::live::{AlarmNow, Live};
use davy_gateway::uplink::{Batches, Offsets, Parts, Uplink};
use davy_wire::{Ack, DataType, Metric, Payload, Value, name};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const STREAM: u64 = 77;
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until the condition holds; at most a minute.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(LIMIT, wait).await.is_ok(),
        "in vain: {what}"
    );
}

/// A mosquitto of this test alone.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    process: Child,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::fs::File::create(folder.path().join("mosquitto.conf")).unwrap();
        writeln!(
            file,
            "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true"
        )
        .unwrap();
        let process = Self::spawn(folder.path());
        Self {
            port,
            folder,
            process,
        }
    }

    fn spawn(folder: &Path) -> Child {
        let programs = ["mosquitto", "/usr/sbin/mosquitto"];
        let start = |program: &&str| {
            Command::new(program)
                .arg("-c")
                .arg(folder.join("mosquitto.conf"))
                .stderr(std::process::Stdio::null())
                .spawn()
                .ok()
        };
        programs
            .iter()
            .find_map(start)
            .expect("this test needs mosquitto")
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.process = Self::spawn(self.folder.path());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One message that the collector got.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) verb: String,
    pub(crate) payload: Payload,
}

/// Which acknowledgements are lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lossy {
    Never,
    /// The first acknowledgement of every tenth batch.
    Tenth,
    /// All: a host that knows nothing of them.
    Always,
}

/// Commits and acknowledges.
pub(crate) struct Collector {
    heard: Arc<Mutex<Vec<Heard>>>,
    committed: watch::Receiver<BTreeSet<u64>>,
    client: AsyncClient,
    task: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    /// Listens when this returns.
    pub(crate) async fn start(port: u16, lossy: Lossy) -> Self {
        let mut options = MqttOptions::new("collector", "127.0.0.1", port);
        options.set_max_packet_size(1 << 24, 1 << 24);
        let (client, mut events) = AsyncClient::new(options, 100);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (commit, committed) = watch::channel(BTreeSet::new());
        let (log, publisher) = (heard.clone(), client.clone());
        let (listen, mut listens) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut stream = 0;
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        publisher
                            .try_subscribe("spBv1.0/#", QoS::AtLeastOnce)
                            .unwrap();
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let verb = publish.topic.split('/').nth(2).unwrap().to_owned();
                        let payload = Payload::from_bytes(&publish.payload);
                        let Ok(payload) = payload else { continue };
                        let offset = payload
                            .metric(name::OFFSET)
                            .and_then(|metric| metric.value(None));
                        let born = payload
                            .metric(name::STREAM)
                            .and_then(|metric| metric.value(None));
                        if let Some(born) = born.and_then(|born| born.as_u64()) {
                            stream = born;
                        }
                        log.lock().unwrap().push(Heard {
                            verb: verb.clone(),
                            payload,
                        });
                        if let Some(offset) = offset
                            .and_then(|offset| offset.as_u64())
                            .filter(|_| verb.ends_with("DATA"))
                        {
                            let mut fresh = false;
                            commit.send_modify(|all| fresh = all.insert(offset));
                            let is_told = match lossy {
                                Lossy::Never => true,
                                Lossy::Tenth => !fresh || offset % 10 != 0,
                                Lossy::Always => false,
                            };
                            if is_told {
                                let text = Ack::of(stream, &[offset]).to_string();
                                let ack = Metric::named(
                                    name::ACK,
                                    DataType::Text,
                                    Some(Value::Text(text)),
                                );
                                let _ = publisher.try_publish(
                                    "spBv1.0/330283/NCMD/solvent-warehouse",
                                    QoS::AtMostOnce,
                                    false,
                                    bytes(ack),
                                );
                            }
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => drop(listen.send_replace(true)),
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        let listening = listens.wait_for(|listens| *listens);
        tokio::time::timeout(LIMIT, listening)
            .await
            .expect("the broker takes it")
            .unwrap();
        Self {
            heard,
            committed,
            client,
            task,
        }
    }

    pub(crate) fn offsets(&self) -> BTreeSet<u64> {
        self.committed.borrow().clone()
    }

    pub(crate) async fn committed(&self, offset: u64) {
        let mut committed = self.committed.clone();
        let wait = committed.wait_for(|all| all.contains(&offset));
        tokio::time::timeout(LIMIT, wait)
            .await
            .expect("committed in time")
            .unwrap();
    }

    pub(crate) fn of(&self, verb: &str) -> Vec<Heard> {
        self.heard
            .lock()
            .unwrap()
            .iter()
            .filter(|heard| heard.verb == verb)
            .cloned()
            .collect()
    }

    pub(crate) fn births(&self) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter(|heard| heard.verb.ends_with("BIRTH"))
            .cloned()
            .collect()
    }

    pub(crate) async fn command(&self, topic: &str, metric: Metric) {
        self.publish(topic, bytes(metric)).await;
    }

    pub(crate) async fn publish(&self, topic: &str, bytes: Vec<u8>) {
        self.client
            .publish(topic, QoS::AtMostOnce, false, bytes)
            .await
            .unwrap();
    }

    /// Says, as a host does, whether it is online; retained.
    pub(crate) async fn state(&self, host: &str, online: bool, timestamp: u64) {
        let body = format!("{{\"online\":{online},\"timestamp\":{timestamp}}}");
        self.client
            .publish(
                format!("spBv1.0/STATE/{host}"),
                QoS::AtLeastOnce,
                true,
                body,
            )
            .await
            .unwrap();
    }

    /// Every message after a birth has the next number; data come after all births. A collector that was away may have missed the beginning.
    pub(crate) fn keeps_order(&self) {
        let mut last: Option<u64> = None;
        for heard in self.heard.lock().unwrap().iter() {
            match heard.verb.as_str() {
                "NBIRTH" => assert_eq!(heard.payload.seq, Some(0)),
                "NDEATH" => {
                    last = None;
                    continue;
                }
                "DBIRTH" | "DDATA" | "NDATA" => {
                    if let Some(last) = last {
                        assert_eq!(heard.payload.seq, Some((last + 1) % 256), "{heard:?}");
                    }
                }
                _ => continue,
            }
            if heard.verb == "NBIRTH" || last.is_some() {
                last = heard.payload.seq;
            }
        }
    }
}

fn bytes(metric: Metric) -> Vec<u8> {
    let payload = Payload {
        timestamp: Some(1),
        metrics: vec![metric],
        seq: None,
    };
    payload.to_bytes()
}

/// A journal in memory; every tenth batch is urgent.
#[derive(Debug)]
pub(crate) struct Memory {
    names: Arc<Names>,
    synced: watch::Sender<u64>,
    acknowledged: Mutex<BTreeSet<u64>>,
}

impl Memory {
    pub(crate) fn append(&self, batches: u64) {
        self.synced.send_modify(|synced| *synced += batches);
    }

    fn open(&self, from: u64) -> impl Iterator<Item = u64> {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        (from..*self.synced.borrow()).filter(move |offset| !acknowledged.contains(offset))
    }
}

impl Offsets for Memory {
    fn synced(&self) -> u64 {
        *self.synced.borrow()
    }

    fn urgent(&self, from: u64, limit: usize) -> Vec<u64> {
        self.open(from)
            .filter(|offset| offset % 10 == 9)
            .take(limit)
            .collect()
    }

    fn next_unacknowledged(&self, from: u64) -> Option<u64> {
        self.open(from).next()
    }
}

impl Batches for Memory {
    fn watch(&self) -> watch::Receiver<u64> {
        self.synced.subscribe()
    }

    async fn batch(&self, offset: u64) -> Option<Arc<Batch>> {
        let reading = Reading::measured(offset as f64, WallMs(1_000));
        Some(Arc::new(Batch {
            offset,
            made: WallMs(1_000),
            names: self.names.clone(),
            device: Some(0),
            records: vec![Record::Reading { point: 0, reading }],
        }))
    }

    fn acknowledge(&self, ranges: &[RangeInclusive<u64>]) {
        self.acknowledged
            .lock()
            .unwrap()
            .extend(ranges.iter().cloned().flatten());
    }

    fn backlog(&self) -> u64 {
        self.open(0).count() as u64
    }

    fn stream(&self) -> u64 {
        STREAM
    }

    fn lost(&self) -> u64 {
        0
    }
}

/// The uplink of the example site.
pub(crate) struct Gateway<B = Memory> {
    pub(crate) journal: Arc<B>,
    pub(crate) uplink: Uplink<B>,
    pub(crate) site: Arc<Site>,
    requests: mpsc::Receiver<Request>,
    task: JoinHandle<()>,
    shutdown: CancellationToken,
    data: tempfile::TempDir,
}

impl Gateway {
    /// On a journal in memory.
    pub(crate) fn start(port: u16) -> Self {
        Self::start_with(port, "")
    }

    /// With further lines in the table `[uplink]`.
    pub(crate) fn start_with(port: u16, uplink: &str) -> Self {
        let open = |_: &Path, site: &Arc<Site>, _| Memory {
            names: Arc::new(Names::of(site)),
            synced: watch::Sender::new(0),
            acknowledged: Mutex::default(),
        };
        Self::on(port, uplink, open)
    }
}

impl Gateway<Journal> {
    /// On the journal that the product has.
    pub(crate) fn start_on_disk(port: u16) -> Self {
        let open = |data: &Path, site: &Arc<Site>, clock| {
            let (journal, _) = Journal::open(&data.join("journal"), site, clock).unwrap();
            journal
        };
        Self::on(port, "", open)
    }
}

impl<B: Batches> Gateway<B> {
    fn on(port: u16, uplink: &str, open: impl FnOnce(&Path, &Arc<Site>, Clock) -> B) -> Self {
        let (site, clock) = (site(port, uplink), Clock::start());
        let (desk, requests) = Desk::new(site.clone());
        let data = tempfile::tempdir().unwrap();
        let journal = Arc::new(open(data.path(), &site, clock));
        let parts = Parts {
            site: site.clone(),
            journal: journal.clone(),
            live: Arc::new(live(&site, clock)),
            desk,
            clock,
            version: "test".into(),
        };
        let shutdown = CancellationToken::new();
        let (uplink, task) = Uplink::start(parts, data.path(), shutdown.clone());
        let task = task.expect("the example has an uplink");
        Self {
            journal,
            uplink,
            site,
            requests,
            task,
            shutdown,
            data,
        }
    }

    pub(crate) fn devices(&self) -> usize {
        self.site.devices.len()
    }

    pub(crate) async fn asked(&mut self) -> Request {
        let request = tokio::time::timeout(LIMIT, self.requests.recv()).await;
        request.expect("asked in time").unwrap()
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(LIMIT, self.task).await;
        ended.expect("it stops").unwrap();
        drop(self.data);
    }
}

fn site(port: u16, uplink: &str) -> Arc<Site> {
    let text = include_str!("../../../config/examples/solvent-warehouse.toml");
    let text = text.replace("127.0.0.1:42203", &format!("127.0.0.1:{port}"));
    let text = text.replace("[uplink]\n", &format!("[uplink]\n{uplink}\n"));
    Arc::new(
        davy_config::parse("site.toml", &text, Path::new("."))
            .unwrap()
            .site,
    )
}

fn live(site: &Site, clock: Clock) -> Live {
    let normal = |alarm| AlarmNow {
        alarm: AlarmIndex(alarm),
        shown: davy_alarm::Shown::Normal,
        active: false,
        acknowledged: true,
        latched: false,
        shelved: false,
        suppressed_by_design: false,
        out_of_service: false,
        occurrence: 0,
        seq: 0,
        raised: None,
        changed: None,
        cleared: None,
        acknowledged_at: None,
        shelved_until: None,
        value_then: None,
        actor: None,
        reason: None,
    };
    let alarms = (0..site.alarms.len()).map(normal).collect();
    Live::new(
        site,
        alarms,
        &vec![Switched::default(); site.outputs.len()],
        clock.wall(),
    )
}
