//! The collector's moving parts behind the API, assembled from the settings: where readings are kept, who carries orders, and the tasks that must run.

use crate::api::{Health, Status};
use crate::broker;
use crate::history::History;
use crate::history::cassandra::Awaited;
use crate::history::embedded::Embedded;
use crate::history::influx::Influx;
use crate::ingest::{self, Address, Way};
use crate::live::Live;
use crate::order::Courier;
use crate::records::Records;
use crate::replicas;
use crate::settings::{Broker, Engine, Settings};

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use crate::ingest::{Connection, Dial};

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
    /// The present, UTC milliseconds.
    pub clock: fn() -> i64,
}

/// Opens the engine that the settings name. A server that does not answer yet is told of, and asked again by whoever commits.
pub(crate) async fn history(
    settings: &Settings,
    health: &Health,
) -> anyhow::Result<Arc<dyn History>> {
    match &settings.history {
        Engine::Embedded => embedded(settings, health).await,
        Engine::Influx(address) => {
            let history = Influx::new(address)?;
            match history.check().await {
                Ok(()) => health.say("history", Status::Ok, &address.url),
                Err(error) => {
                    tracing::error!(%error, "the history does not answer");
                    health.say("history", Status::Degraded, error.to_string());
                }
            }
            Ok(Arc::new(history))
        }
        Engine::Cassandra(address) => {
            let (health, place) = (health.clone(), address.to_string());
            let history = Awaited::connect(address, move |error| match error {
                None => health.say("history", Status::Ok, &place),
                Some(error) => {
                    tracing::error!(%error, "the history does not answer; nothing is acknowledged until it does");
                    health.say("history", Status::Degraded, error.to_string());
                }
            });
            Ok(Arc::new(history.await?))
        }
    }
}

/// A month that cannot be read is put aside and told; the rest goes on.
async fn embedded(settings: &Settings, health: &Health) -> anyhow::Result<Arc<dyn History>> {
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
        way: Way::Socket,
        host_id: None,
        share,
        late_after_ms: settings.late_after_ms,
        reorder_timeout: Duration::from_millis(settings.reorder_timeout_ms),
    };
    let (courier, own) = ingest::build(plan, means, history.clone()).await?;
    tasks.extend(own);
    tasks.extend(replicas::task(means));
    Ok(Collector {
        history,
        courier,
        tasks,
        broker,
    })
}

/// Builds a collector that is one of several, on a broker that is in somebody else's hands: a simulation's. `name` tells it from the others.
///
/// # Errors
/// As the records'.
pub async fn assemble_on(
    dial: Dial,
    (name, share): (&str, Option<&str>),
    late_after_ms: i64,
    means: &Means,
    history: Arc<dyn History>,
) -> anyhow::Result<Collector> {
    let plan = ingest::Plan {
        address: Address {
            host: "given".to_owned(),
            port: 0,
            login: None,
        },
        way: Way::Given {
            name: name.to_owned(),
            dial,
        },
        host_id: None,
        share: share.map(str::to_owned),
        late_after_ms,
        reorder_timeout: Duration::from_secs(5),
    };
    let (courier, tasks) = ingest::build(plan, means, history.clone()).await?;
    Ok(Collector {
        history,
        courier,
        tasks,
        broker: None,
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
