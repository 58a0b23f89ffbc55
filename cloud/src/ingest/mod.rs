//! From the broker to the stores: `session` listens, `worker` decodes (`decode`, `edge`, `alarm`, `birth`, `lives`) and commits (`store`), `outbox` acknowledges,
//! `replay` puts quarantined messages through again, `orders` carries commands the other way.
//!
//! The socket is read by one task into one queue, bounded in messages and bytes; when it is full the socket is not read. A batch is acknowledged after
//! history and records have it on disk, a message that cannot be read after it was put aside whole. A store that fails acknowledges nothing.

mod alarm;
mod birth;
mod decode;
mod edge;
mod link;
mod lives;
mod orders;
mod outbox;
mod replay;
mod sequence;
mod session;
mod store;
mod tables;
mod worker;

pub(crate) use link::Address;

use crate::collector::{Means, Task};
use crate::history::History;
use crate::order::Courier;
use orders::Orders;
use outbox::Outbox;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sequence::Sequences;
use session::Session;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tables::{Tables, Trust};
use tokio::sync::{Semaphore, mpsc};
use worker::Worker;

/// What a collector listens to.
pub(crate) const EVERYTHING: &str = "spBv1.0/#";

/// Messages that wait to be committed.
const MOST_QUEUED: usize = 2_048;

/// Bytes of them.
const MOST_QUEUED_BYTES: usize = 64 << 20;

/// How ingest is to run.
pub(crate) struct Plan {
    pub(crate) address: Address,
    /// The Sparkplug host's name; its STATE tells gateways whether it is on line.
    pub(crate) host_id: Option<String>,
    /// The group of a shared subscription.
    pub(crate) share: Option<String>,
    pub(crate) late_after_ms: i64,
    /// How long a message that is missing between others is waited for.
    pub(crate) reorder_timeout: Duration,
}

/// Builds ingest: the courier, and the tasks that must run.
pub(crate) async fn build(
    plan: Plan,
    means: &Means,
    history: Arc<dyn History>,
) -> anyhow::Result<(Arc<dyn Courier>, Vec<Task>)> {
    let trust = match plan.share {
        Some(_) => Trust::Stored,
        None => {
            // The only collector was away: nobody was heard.
            means.records.nobody_heard(crate::run::now_ms()).await?;
            Trust::Heard
        }
    };
    let space = Arc::new(Semaphore::new(MOST_QUEUED_BYTES));
    let (sender, queue) = mpsc::channel(MOST_QUEUED);
    let (session, speaker) = Session::open(&plan, unique()?, means, sender, space);
    let orders = Orders::new(means.records.clone(), means.live.clone(), speaker.clone());
    let outbox = Outbox::default();
    let ending = means.ending.clone();
    let worker = Worker {
        store: Store::new(
            means.records.clone(),
            history,
            means.health.clone(),
            ending.clone(),
        ),
        live: means.live.clone(),
        tables: Tables::new(means.records.clone(), trust),
        outbox: outbox.clone(),
        orders: orders.clone(),
        late_after_ms: plan.late_after_ms,
        sequences: Sequences::new(trust, plan.reorder_timeout),
        deferred: HashMap::new(),
    };
    let tasks = vec![
        task("ingest", session.run(ending.clone())),
        task("commit", worker.run(queue, ending.clone())),
        task("acknowledge", outbox.run(speaker, ending)),
    ];
    Ok((Arc::new(orders), tasks))
}

fn task(name: &'static str, run: impl Future<Output = ()> + Send + 'static) -> Task {
    Task {
        name,
        run: Box::pin(async move {
            run.await;
            Ok(())
        }),
    }
}

/// Tells this process from every other one on the same broker.
fn unique() -> anyhow::Result<String> {
    let mut bytes = [0; 6];
    SysRng.try_fill_bytes(&mut bytes)?;
    Ok(crate::audit::hex(&bytes))
}
