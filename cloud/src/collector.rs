//! The collector's moving parts behind the API, assembled from the settings: where readings are kept, who carries orders, and the tasks that must run.

use crate::api::{Health, Status};
use crate::broker;
use crate::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use crate::ingest::{self, Address};
use crate::live::Live;
use crate::order::Courier;
use crate::records::Records;
use crate::settings::{Broker, Settings};
use anyhow::Context as _;
use davy_alarm::Reading;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;

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

/// Opens the history of the settings.
pub(crate) async fn history(
    _settings: &Settings,
    health: &Health,
) -> anyhow::Result<Arc<dyn History>> {
    health.say("history", Status::Degraded, "not part of this build");
    Ok(Arc::new(Absent))
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

/// Stands where a part is missing, and says so.
struct Absent;

impl History for Absent {
    fn commit(&self, _readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn series(&self, _query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn readings(
        &self,
        _site: &str,
        _point: &str,
        _from_ms: i64,
        _to_ms: i64,
        _limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn latest(&self, _site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn forget_before(&self, _before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }
}
