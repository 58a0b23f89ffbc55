//! The life of the process: logging, the journal's state, judgement, acquisition, uplink, screen, ready; then a signal, and everything ends within a grace
//! period, or who did not is named.
//!
//! The order of the end is that of the pipeline: nothing is read any more, what was read is judged, what was judged is on disk, then the node says goodbye.

use crate::acquire::Lines;
use crate::clock::{Clock, Settings};
use crate::command_line::LogFormat;
use crate::journal::{Journal, Record};
use crate::screen::{self, Plant};
use crate::uplink::Line;
use crate::watch::Watch;
use crate::works::{Outside, Running, Stage, Works};
use anyhow::{Context as _, Result};
use davy_config::site::Site;
use metrics_exporter_prometheus::PrometheusBuilder;
use sd_notify::NotifyState;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long the parts may take to end, each stage.
const GRACE: Duration = Duration::from_secs(4);
/// The start is over and the births are sent, as a rule.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// Births are sent again after each loss of the broker.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Judgement and buses need one thread: what passes between them then wakes no other, and nothing else ever runs there.
const PIPELINE_WORKERS: usize = 1;

/// Runs until SIGTERM or SIGINT. Returns whether everything ended in time.
pub(crate) fn start(site: Site, data: &Path, log_format: LogFormat) -> Result<bool> {
    crate::memory::one_heap();
    logging(log_format)?;
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let pipeline = Builder::new_multi_thread()
        .worker_threads(PIPELINE_WORKERS)
        .thread_name("pipeline")
        .enable_all()
        .build()?;
    // Screens, uplink and watchdog share the main thread: a screen's largest request holds up neither a poll nor an alarm.
    let around = Builder::new_current_thread().enable_all().build()?;
    let outcome = around.block_on(async {
        let gateway = Gateway::start(Arc::new(site), data, pipeline.handle()).await?;
        let ended = asked_to_end()?;
        let _told = sd_notify::notify(&[NotifyState::Ready]);
        gateway.until(ended).await
    });
    // A blocking task that hangs must not keep the process.
    for runtime in [pipeline, around] {
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
    outcome
}

/// Logs to standard error. `DAVY_LOG` says how much: a level, or levels by target (`info,davy_gateway::uplink=debug`).
fn logging(format: LogFormat) -> Result<()> {
    let wanted = std::env::var_os("DAVY_LOG").unwrap_or_default();
    let filter = filter(&wanted.to_string_lossy())?;
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(log).init(),
        LogFormat::Json => registry.with(log.json()).init(),
    }
    Ok(())
}

/// What a value of `DAVY_LOG` lets through; nothing said is `info`.
fn filter(wanted: &str) -> Result<Targets> {
    if wanted.is_empty() {
        return Ok(Targets::new().with_default(LevelFilter::INFO));
    }
    let filter = wanted.parse();
    filter.with_context(|| {
        format!("DAVY_LOG=`{wanted}` names no levels: say `info`, or `warn,davy_gateway=debug`")
    })
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
struct Gateway {
    watch: Watch,
    acquiring: Stage,
    judging: Stage,
    showing: Stage,
    publishing: Stage,
}

impl Gateway {
    /// Judgement and acquisition run on `pipeline`, all else on the runtime that this is called on.
    async fn start(site: Arc<Site>, data: &Path, pipeline: &Handle) -> Result<Self> {
        let figures = PrometheusBuilder::new()
            .install_recorder()
            .context("metrics")?;
        // The port first: a second gateway on this site must not touch the journal.
        let listener = TcpListener::bind(site.http)
            .await
            .with_context(|| format!("cannot listen on {} ([screen] listen)", site.http))?;
        let clock = Clock::start();
        let (journal, restored) = Journal::open(&data.join("journal"), &site, clock)
            .with_context(|| format!("the journal in {}", data.display()))?;
        let outside = Outside {
            lines: Lines::Machine,
            line: Line::of_machine(data),
        };
        let Works {
            live,
            desk,
            pulse,
            stats,
            uplink,
            demanded: _,
            acquiring,
            judging,
            publishing,
        } = Works::start(&site, clock, (&journal, restored), outside, pipeline);
        let watch = Watch {
            site: site.clone(),
            clock,
            pulse,
            stats,
            journal,
            uplink,
            data: data.to_owned(),
            figures,
        };
        let showing = CancellationToken::new();
        let plant = Plant::new(
            site.clone(),
            live,
            desk,
            watch.clone(),
            clock,
            showing.clone(),
        );
        tracing::info!(site = site.id, listen = %listener.local_addr()?, "ready");
        let router = screen::router(Arc::new(plant));
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(showing.clone().cancelled_owned());
        let screen = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the screen has ended");
            }
        });
        Ok(Self {
            watch,
            acquiring,
            judging,
            showing: (showing, vec![("screen".into(), screen)]),
            publishing,
        })
    }

    /// Feeds the supervisor's watchdog while alarms are judged, until asked to end.
    async fn until(self, asked: impl Future<Output = ()>) -> Result<bool> {
        tokio::pin!(asked);
        let mut beat = tokio::time::interval(Duration::from_secs(1));
        let clock = self.watch.clock;
        let mut settings = Settings::new(clock.now(), clock.wall());
        let settled = tokio::time::Instant::now() + SETTLED_AFTER;
        let mut tidy = tokio::time::interval_at(settled, TIDY_EVERY);
        loop {
            tokio::select! {
                () = &mut asked => break,
                _ = beat.tick() => {
                    self.feed_watchdog();
                    self.look_at_clock(&mut settings);
                }
                _ = tidy.tick() => crate::memory::give_back(),
            }
        }
        tracing::info!("ending");
        let _told = sd_notify::notify(&[NotifyState::Stopping]);
        Ok(self.end().await)
    }

    fn feed_watchdog(&self) {
        if self.watch.pulse.age() < crate::judgement::HUNG_AFTER {
            let _told = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }

    /// Times that were told before stay as they are; the record says how far off they were.
    fn look_at_clock(&self, settings: &mut Settings) {
        let clock = self.watch.clock;
        let (now, time) = (clock.now(), clock.wall());
        if let Some(by_ms) = settings.look(now, time) {
            tracing::warn!(by_ms, "the wall clock was set");
            let record = Record::ClockSet { time, by_ms };
            self.watch.journal.append(None, vec![record]);
        }
    }

    async fn end(self) -> bool {
        let mut late = Vec::new();
        for (token, tasks) in [self.acquiring, self.judging, self.showing] {
            late.extend(ended(token, tasks).await);
        }
        if !self.watch.journal.close(GRACE).await {
            late.push("journal".to_owned());
        }
        late.extend(ended(self.publishing.0, self.publishing.1).await);
        if late.is_empty() {
            tracing::info!("ended");
        } else {
            tracing::error!(parts = late.join(", "), "did not stop in time");
        }
        late.is_empty()
    }
}

/// Ends a stage; answers who did not stop within the grace period.
async fn ended(token: CancellationToken, tasks: Vec<Running>) -> Vec<String> {
    token.cancel();
    let until = tokio::time::Instant::now() + GRACE;
    let mut late = Vec::new();
    for (name, task) in tasks {
        let abort = task.abort_handle();
        if tokio::time::timeout_at(until, task).await.is_err() {
            abort.abort();
            late.push(name);
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn the_log_says_info_and_above_unless_told_otherwise() {
        let silent = filter("").expect("nothing said is no error");
        assert!(silent.would_enable("rumqttc", &Level::INFO));
        assert!(!silent.would_enable("davy_gateway", &Level::DEBUG));
        let told = filter("warn,davy_gateway::uplink=debug").expect("levels by target");
        assert!(told.would_enable("davy_gateway::uplink::link", &Level::DEBUG));
        assert!(!told.would_enable("davy_gateway::act", &Level::INFO));
    }

    #[test]
    fn a_log_level_that_is_none_is_an_error_that_names_it() {
        let error = filter("davy_gateway=loud").expect_err("loud is no level");
        assert!(error.to_string().contains("davy_gateway=loud"), "{error}");
    }
}
