//! The collector's moving parts behind the API, assembled from the settings: where readings are kept, who carries orders, and the tasks that must run.

use crate::api::{Health, Status};
use crate::broker;
use crate::history::History;
use crate::history::embedded::Embedded;
use crate::ingest::{self, Address};
use crate::live::Live;
use crate::order::Courier;
use crate::records::Records;
use crate::settings::{Broker, Settings};
use anyhow::Context as _;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A task with its name; it ends when the service's token is cancelled, and an error ends the service.
pub struct Task {
    pub name: &'static str,
    pub run: BoxFuture<'static, anyhow::Result<()>>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Task({})", self.name)
    }
}

/// What the API stands on and what must run beside it.
pub struct Collector {
    pub history: Arc<dyn History>,
    pub courier: Arc<dyn Courier>,
    pub tasks: Vec<Task>,
    /// Where the embedded broker listens, if there is one.
    pub broker: Option<SocketAddr>,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Collector({:?})", self.tasks)
    }
}

/// What every part is given.
#[derive(Clone, Debug)]
pub struct Means {
    pub records: Records,
    pub live: Live,
    pub health: Health,
    /// Cancelled when the service ends.
    pub ending: tokio_util::sync::CancellationToken,
}

/// Opens the embedded history. A month that cannot be read is put aside and told; the rest goes on.
pub(crate) async fn history(
    settings: &Settings,
    health: &Health,
) -> anyhow::Result<Arc<dyn History>> {
    let folder = settings.history_folder();
    let history = tokio::task::spawn_blocking(move || Embedded::open(folder)).await??;
    match history.damaged() {
        [] => health.say("history", Status::Ok, ""),
        [first, ..] => {
            for month in history.damaged() {
                tracing::error!(path = %month.path.display(), what = month.what, "a month of readings is put aside");
            }
            let told = format!("{}: {}", first.path.display(), first.what);
            health.say("history", Status::Degraded, told);
        }
    }
    Ok(Arc::new(history))
}

/// Builds the parts around a history.
pub(crate) async fn assemble(
    settings: &Settings,
    means: &Means,
    history: Arc<dyn History>,
) -> anyhow::Result<Collector> {
    let (broker, address, share, mut tasks) = match &settings.broker {
        Broker::Embedded { listen } => {
            let (listen, task) =
                broker::start(*listen, means.health.clone(), means.ending.clone()).await?;
            (Some(listen), inside(listen), None, vec![task])
        }
        Broker::External { share, .. } => {
            let address = outside(&settings.broker)?;
            means
                .health
                .say("broker", Status::Ok, format!("external, {address}"));
            (None, address, share.clone(), vec![])
        }
    };
    let plan = ingest::Plan {
        address,
        host_id: None,
        share,
        late_after_ms: settings.late_after_ms,
        reorder_timeout: Duration::from_millis(settings.reorder_timeout_ms),
    };
    let (courier, own) = ingest::build(plan, means, history.clone()).await?;
    tasks.extend(own);
    Ok(Collector {
        history,
        courier,
        tasks,
        broker,
    })
}

fn inside(listen: SocketAddr) -> Address {
    Address {
        host: broker::inside(listen).to_string(),
        port: listen.port(),
        login: None,
    }
}

fn outside(broker: &Broker) -> anyhow::Result<Address> {
    let Broker::External {
        host,
        port,
        username,
        password_file,
        ..
    } = broker
    else {
        anyhow::bail!("the broker is our own");
    };
    let password = match password_file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the broker's password in {}", path.display()))?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    };
    Ok(Address {
        host: host.clone(),
        port: *port,
        login: username.clone().map(|user| (user, password)),
    })
}
