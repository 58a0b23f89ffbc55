//! The collector's moving parts behind the API, assembled from the settings: where readings are kept, who carries orders, and the tasks that must run.

use crate::api::{Health, Status};
use crate::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use crate::live::Live;
use crate::order::{Courier, CourierError, Order};
use crate::records::Records;
use crate::settings::Settings;
use davy_alarm::Reading;
use futures_util::future::BoxFuture;
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

/// Builds the parts. This build has neither broker nor history: calls that need them are told so (503), and health says degraded.
pub(crate) async fn assemble(_settings: &Settings, means: &Means) -> anyhow::Result<Collector> {
    means
        .health
        .say("ingest", Status::Degraded, "not part of this build");
    Ok(Collector {
        history: Arc::new(Absent),
        courier: Arc::new(Absent),
        tasks: vec![],
    })
}

/// Stands where a part is missing, and says so.
struct Absent;

impl Courier for Absent {
    fn send(&self, _order: Order) -> BoxFuture<'_, Result<(), CourierError>> {
        Box::pin(async { Err(CourierError::Down) })
    }
}

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
