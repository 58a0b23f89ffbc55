//! Buses and journal of a gateway whose site has one node, `node-1`, and what its journal holds of it.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each suite takes what it needs")]

use davy_config::site::Site;
use davy_gateway::acquire::{self, Acquisition, Demand, Lines};
use davy_gateway::clock::Clock;
use davy_gateway::journal::{Archive, Batch, Journal, Record};
use davy_gateway::node::{Nodes, Told};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// Unit id of the node.
pub(crate) const UNIT: u8 = 3;

/// The site whose node answers at this port, by a bus of this kind (`tcp`, `rtu-over-tcp`).
pub(crate) fn site(kind: &str, port: u16) -> Arc<Site> {
    let text = format!(
        r#"schema = 1
[site]
id = "s"
name = {{ zh = "站", en = "Site" }}
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = {{ zh = "区", en = "Area" }}
[[bus]]
id = "b"
kind = "{kind}"
address = "127.0.0.1:{port}"
timeout_ms = 1000
[[device]]
id = "node-1"
name = {{ zh = "节点", en = "Node" }}
bus = "b"
unit = {UNIT}
profile = "davy-node"
period_ms = 200
[[point]]
id = "p"
name = {{ zh = "点", en = "Point" }}
area = "a"
device = "node-1"
signal = "channel1"
kind = "other"
unit = "1"
range = [0, 100]
"#
    );
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site)
}

/// Buses and journal of a gateway.
pub(crate) struct Gateway {
    journal: Journal,
    pub(crate) nodes: Nodes,
    shutdown: CancellationToken,
    acquisition: Acquisition,
    _scans: mpsc::Receiver<davy_gateway::scan::Scan>,
    _demand: watch::Sender<Demand>,
}

impl Gateway {
    pub(crate) fn start(dir: &Path, site: &Arc<Site>) -> Self {
        let clock = Clock::start();
        let (journal, restored) = Journal::open(dir, site, clock).unwrap();
        let nodes = Nodes::new(journal.clone(), restored.nodes);
        let (scans, _scans) = mpsc::channel(64);
        let (_demand, asked) = watch::channel(Demand::new(site, Vec::new()));
        let shutdown = CancellationToken::new();
        let around = (&Lines::Machine, &nodes);
        let acquisition = acquire::spawn_on(around, clock, &scans, &asked, &shutdown);
        Self {
            acquisition,
            journal,
            nodes,
            shutdown,
            _scans,
            _demand,
        }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        for (_, task) in self.acquisition.tasks {
            task.await.unwrap();
        }
        assert!(self.journal.close(LIMIT).await);
    }
}

pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let turns = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, turns).await.is_ok(), "{what}");
}

/// What the journal holds of nodes, in its order.
pub(crate) fn told(dir: &Path) -> Vec<Told> {
    let mut told = Vec::new();
    let keep = |batch: &Batch| {
        for record in &batch.records {
            if let Record::Told(one) = record {
                assert!(batch.is_urgent());
                told.push((**one).clone());
            }
        }
        ControlFlow::Continue(())
    };
    Archive::open(dir).unwrap().each(0, keep).unwrap();
    told
}
