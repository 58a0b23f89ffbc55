//! Gateways with a journal, as a collector meets them: each sends its batches through a window, and again what is not acknowledged in time, until the city has
//! everything. What it then holds is known to the reading and to the alarm line.

use crate::node::{Node, STREAM, level, line};
use davy_cloud::history::History;
use davy_cloud::records::{Records, Scope, Transition, TransitionFilter};
use davy_wire::{Ack, Payload, Value, name};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

const TIME_MS: i64 = 1_795_500_000_000;
pub(crate) const GATEWAYS: u64 = 5;
/// Readings of a batch, and batches from one alarm line to the next.
const READINGS: u64 = 5;
const LINE_EVERY: u64 = 4;
/// How long a gateway waits until it sends a batch again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How much they send.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Tells the sites of one test from those of another.
    pub(crate) name: &'static str,
    /// Of each gateway.
    pub(crate) batches: u64,
    /// Batches that a gateway sends before the first of them is acknowledged.
    pub(crate) window: usize,
}

/// Sending gateways; they end with this value.
pub(crate) struct Fleet {
    plan: Plan,
    acknowledged: Arc<AtomicU64>,
    gateways: JoinSet<()>,
}

impl Fleet {
    pub(crate) async fn start(plan: Plan, broker: SocketAddr) -> Self {
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut gateways = JoinSet::new();
        for number in 0..GATEWAYS {
            let node = Node::connect(broker, &edge(plan, number), 0).await;
            gateways.spawn(gateway(node, plan, acknowledged.clone()));
        }
        Self {
            plan,
            acknowledged,
            gateways,
        }
    }

    /// Batches of all gateways that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed)
    }

    /// Waits until this share of all batches is acknowledged.
    pub(crate) async fn reached(&self, share: f64) {
        let wanted = (share * (GATEWAYS * self.plan.batches) as f64) as u64;
        while self.acknowledged() < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.acknowledged() >= GATEWAYS * self.plan.batches
    }

    /// Waits until every batch is acknowledged.
    pub(crate) async fn done(mut self) {
        while let Some(ended) = self.gateways.join_next().await {
            ended.expect("every batch is acknowledged");
        }
    }
}

pub(crate) fn edge(plan: Plan, gateway: u64) -> String {
    format!("{}-{}-{gateway}", plan.name, std::process::id())
}

/// The readings of a batch, and their times.
fn readings(offset: u64) -> impl Iterator<Item = (i64, f64)> {
    (0..READINGS).map(move |at| {
        let number = offset * READINGS + at;
        let time_ms = TIME_MS + i64::try_from(number).expect("a small number") * 200;
        (time_ms, number as f64 / 8.0)
    })
}

/// Every reading of one gateway.
pub(crate) fn all_readings(plan: Plan) -> Vec<(i64, f64)> {
    (1..=plan.batches).flat_map(readings).collect()
}

async fn send(node: &Node, offset: u64) {
    let mut metrics: Vec<_> = readings(offset)
        .map(|(time_ms, value)| level(value, time_ms))
        .collect();
    if offset.is_multiple_of(LINE_EVERY) {
        let seq = offset / LINE_EVERY;
        let time_ms = TIME_MS + i64::try_from(offset).expect("a small number") * 1_000;
        metrics.push(match seq {
            1 => line(seq, 0, 1, "active", time_ms),
            _ if seq.is_multiple_of(2) => line(seq, 1, 3, "clear", time_ms),
            _ => line(seq, 3, 1, "active", time_ms),
        });
    }
    node.batch(offset, metrics).await;
}

/// The alarm's state once this batch was sent: what a birth that comes then must say, for a birth tells what is.
const fn state_after(offset: u64) -> i64 {
    match offset / LINE_EVERY {
        0 => 0,
        seq if seq.is_multiple_of(2) => 3,
        _ => 1,
    }
}

/// Sends every batch until it is acknowledged, as a gateway's uplink does.
async fn gateway(mut node: Node, plan: Plan, acknowledged: Arc<AtomicU64>) {
    node.be_born().await;
    let mut open: BTreeMap<u64, Instant> = BTreeMap::new();
    let mut next = 1;
    let mut looks = tokio::time::interval(AGAIN_AFTER / 4);
    while next <= plan.batches || !open.is_empty() {
        while next <= plan.batches && open.len() < plan.window {
            send(&node, next).await;
            open.insert(next, Instant::now());
            next += 1;
        }
        tokio::select! {
            (_, payload) = node.command() => {
                if asks_for_birth(&payload) {
                    node.be_born_with(state_after(next - 1)).await;
                }
                for offset in kept(&payload) {
                    if open.remove(&offset).is_some() {
                        acknowledged.fetch_add(1, Relaxed);
                    }
                }
            }
            _ = looks.tick() => {
                for (offset, sent) in &mut open {
                    if sent.elapsed() >= AGAIN_AFTER {
                        send(&node, *offset).await;
                        *sent = Instant::now();
                    }
                }
            }
        }
    }
}

fn asks_for_birth(payload: &Payload) -> bool {
    let asked = payload.metric(name::REBIRTH);
    asked.is_some_and(|metric| metric.value(None) == Some(Value::Flag(true)))
}

fn kept(payload: &Payload) -> Vec<u64> {
    let Some(text) = payload
        .metric(name::ACK)
        .and_then(|metric| metric.value(None))
    else {
        return Vec::new();
    };
    let ack = Ack::parse(text.as_text().expect("a text")).expect("an acknowledgement");
    assert_eq!(ack.stream, STREAM);
    ack.ranges.into_iter().flatten().collect()
}

async fn transitions(records: &Records, site: &str) -> Vec<Transition> {
    let filter = TransitionFilter {
        scope: Scope::All,
        site: Some(site.to_owned()),
        alarm: None,
        subjects: vec![],
        from_ms: None,
        to_ms: None,
        after: None,
        limit: 1_000,
    };
    let mut found = records.transitions(&filter).await.expect("transitions");
    found.sort_by_key(|one| one.line.seq);
    found
}

/// Nothing is lost, doubled or reordered of what lines tell: they are all there once, and the alarm is as the last of them left it.
pub(crate) async fn check_lines(records: &Records, plan: Plan) {
    for site in (0..GATEWAYS).map(|gateway| edge(plan, gateway)) {
        let lines = transitions(records, &site).await;
        let numbers: Vec<u64> = lines.iter().map(|one| one.line.seq).collect();
        let expected: Vec<u64> = (1..=plan.batches / LINE_EVERY).collect();
        assert!(numbers == expected, "{site}: {} lines", numbers.len());
        let alarm = records.alarm(&site, "GT-101.HH").await.expect("records");
        let last = lines.last().expect("lines");
        assert_eq!(alarm.expect("the alarm").state, last.line.to);
    }
    let audited = records.verify_audit().await.expect("a verdict");
    assert_eq!(audited.fault, None);
}

/// The same of readings.
pub(crate) async fn check_readings(history: &dyn History, plan: Plan) {
    for site in (0..GATEWAYS).map(|gateway| edge(plan, gateway)) {
        let found = history.readings(&site, "GT-101", 0, i64::MAX, usize::MAX);
        let found: Vec<_> = found
            .await
            .expect("readings")
            .iter()
            .map(|one| (one.source_time().0, one.value().expect("a value")))
            .collect();
        assert!(
            found == all_readings(plan),
            "{site}: {} readings",
            found.len()
        );
    }
}
