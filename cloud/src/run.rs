//! The life of the process: logging, records, parts, the listener, ready; then a signal, or a part that failed; then everything ends within a grace period, and
//! who did not is named.

use crate::api::{self, Health, Parts};
use crate::collector::{self, Collector, Means, Task};
use crate::command_line::{self, LogFormat};
use crate::history::History;
use crate::live::Live;
use crate::settings::Settings;
use anyhow::{Context as _, Result};
use axum::serve::ListenerExt as _;
use davy_print::Key;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// How long parts may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// A browser that takes nothing of what waits for it for so long, of events or of a file, is cut off: it holds memory and sees nothing.
pub(crate) const TAKES_NOTHING: Duration = Duration::from_secs(30);

/// The present, UTC milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Runs until SIGTERM or SIGINT; failure if a part failed.
pub(crate) fn start(settings: Settings, log_format: LogFormat) -> Result<ExitCode> {
    logging(log_format);
    raise_files();
    let figures = PrometheusBuilder::new()
        .install_recorder()
        .context("metrics")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        let service = Service::start(&settings, figures).await?;
        tracing::info!(listen = %service.listen, "ready");
        let _told = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        service.until(asked_to_end()?).await
    });
    // A blocking task that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map(|()| ExitCode::SUCCESS)
}

fn logging(format: LogFormat) {
    let filter = EnvFilter::try_from_env("DAVY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Each browser and each gateway of the embedded broker is a file, and the usual soft limit of 1,024 leaves next to nothing beside a thousand streams. The hard
/// limit is for whoever runs us to set.
fn raise_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map(|()| hard));
    match raised {
        Ok(files) => tracing::debug!(files, "open files at most"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it was"),
    }
}

/// An event goes out when it is written, not when the one before it was acknowledged.
fn prepare(socket: &mut TcpStream) {
    let at_once = socket.set_nodelay(true);
    let patience_ms = TAKES_NOTHING.as_millis() as u32;
    let patience = setsockopt(&*socket, sockopt::TcpUserTimeout, &patience_ms);
    if let Some(error) = at_once.err().or(patience.err().map(Into::into)) {
        tracing::debug!(%error, "a browser's socket keeps its defaults");
    }
}

fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Every part, running.
#[derive(Debug)]
pub struct Service {
    /// Where API and screens listen; with port 0 in the settings, the port that was had.
    pub listen: SocketAddr,
    /// Where the embedded broker listens, if there is one.
    pub broker: Option<SocketAddr>,
    ending: CancellationToken,
    tasks: JoinSet<Result<()>>,
    names: HashMap<tokio::task::Id, &'static str>,
}

impl Service {
    /// Opens the stores, builds the parts, then opens the port.
    pub async fn start(settings: &Settings, figures: PrometheusHandle) -> Result<Self> {
        let health = Health::default();
        let history = collector::history(settings, &health).await?;
        Self::start_with(settings, figures, health, history).await
    }

    /// As [`Self::start`], around a history that was opened elsewhere.
    pub async fn start_with(
        settings: &Settings,
        figures: PrometheusHandle,
        health: Health,
        history: Arc<dyn History>,
    ) -> Result<Self> {
        let (live, ending) = (Live::default(), CancellationToken::new());
        let records = command_line::open(settings).await?;
        let means = Means {
            records,
            live,
            health,
            ending: ending.clone(),
            clock: now_ms,
        };
        let Collector {
            history,
            courier,
            tasks,
            broker,
        } = collector::assemble(settings, &means, history).await?;
        let listener = TcpListener::bind(settings.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", settings.listen))?;
        let mut service = Self {
            listen: listener.local_addr()?,
            broker,
            ending: ending.clone(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        };
        tasks.into_iter().for_each(|task| service.spawn(task));
        let Means {
            records,
            live,
            health,
            ..
        } = means;
        let keeping = crate::upkeep::tasks(settings, &records, &history, &health, &ending)?;
        let (zone, secure_cookie) = (settings.zone, settings.secure_cookie);
        let parts = Parts {
            records,
            history,
            courier,
            live,
            health,
            metrics: figures,
            zone,
            secure_cookie,
            spool: settings.exports_folder(),
            key: Arc::new(Key::open(&settings.key_file())?),
            clock: now_ms,
            ending,
        };
        keeping.into_iter().for_each(|task| service.spawn(task));
        service.serve(listener, parts);
        Ok(service)
    }

    fn serve(&mut self, listener: TcpListener, parts: Parts) {
        let ending = self.ending.clone();
        let router = api::router(parts).into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener.tap_io(prepare), router)
            .with_graceful_shutdown(ending.cancelled_owned());
        self.spawn(Task {
            name: "http",
            run: Box::pin(async move { Ok(serving.await?) }),
        });
    }

    fn spawn(&mut self, task: Task) {
        let handle = self.tasks.spawn(task.run);
        self.names.insert(handle.id(), task.name);
    }

    /// Runs until `asked`, or until a part ends by itself, which is a failure.
    pub async fn until(mut self, asked: impl Future<Output = ()>) -> Result<()> {
        let failed = tokio::select! {
            () = asked => None,
            Some(ended) = self.tasks.join_next_with_id() => Some(self.describe(ended)),
        };
        tracing::info!(failed, "ending");
        let _told = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.ending.cancel();
        let stragglers = self.drain().await;
        match (failed, stragglers.is_empty()) {
            (Some(failed), _) => Err(anyhow::anyhow!(failed)),
            (None, true) => Ok(()),
            (None, false) => Err(anyhow::anyhow!(
                "did not stop within {GRACE:?}: {}",
                stragglers.join(", ")
            )),
        }
    }

    fn describe(
        &self,
        ended: Result<(tokio::task::Id, Result<()>), tokio::task::JoinError>,
    ) -> String {
        let name = |id| self.names.get(&id).copied().unwrap_or("a part");
        match ended {
            Ok((id, Ok(()))) => format!("{} ended by itself", name(id)),
            Ok((id, Err(error))) => format!("{}: {error:#}", name(id)),
            Err(error) => format!("{}: {error}", name(error.id())),
        }
    }

    /// Waits for the parts; answers the names of those that did not end in time.
    async fn drain(&mut self) -> Vec<&'static str> {
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let id = ended
                    .as_ref()
                    .map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
                let name = self.names.remove(&id);
                if let Ok((_, Err(error))) = ended {
                    tracing::warn!(name, %error, "a part ended badly");
                }
            }
        };
        let _in_time = tokio::time::timeout(GRACE, all).await;
        let mut stragglers: Vec<_> = self
            .tasks
            .is_empty()
            .then(Vec::new)
            .unwrap_or_else(|| self.names.values().copied().collect());
        stragglers.sort_unstable();
        if !stragglers.is_empty() {
            tracing::error!(?stragglers, "did not stop in time");
        }
        stragglers
    }
}
