//! The life of the process: logging, the journal's state, judgement, acquisition, uplink, screen, ready; then a signal, and everything ends within a grace
//! period, or who did not is named.
//!
//! The order of the end is that of the pipeline: nothing is read any more, what was read is judged, what was judged is on disk, then the node says goodbye.

use crate::acquire::{Acquisition, Lines};
use crate::clock::{Clock, Settings};
use crate::command_line::LogFormat;
use crate::commission::{Commission, opening};
use crate::journal::{Journal, Record, Reloaded};
use crate::judgement::{Change, Changed, Pulse};
use crate::live::Live;
use crate::message;
use crate::pipeline::Pipeline;
use crate::prove::{self, Bench, Ledger};
use crate::reload::{self, Applied, BY_SIGNAL, Refused, Reload};
use crate::screen::{Plant, Stage};
use crate::uplink::{self, Line, Scene};
use crate::watch::Watch;
use crate::works::{self, Outside, Part, Running, Works};
use anyhow::{Context as _, Result};
use davy_alarm::WallMs;
use davy_config::Today;
use davy_config::site::Site;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sd_notify::NotifyState;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
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
/// An uplink that ends of itself is started again at most this often.
const PUBLISH_AGAIN: Duration = Duration::from_secs(60);
/// How long a blocking task that hangs may keep the process.
const HUNG: Duration = Duration::from_secs(1);

/// What the process begins with.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The site file; where there is none, the commissioning pages write it.
    pub(crate) file: PathBuf,
    pub(crate) site: First,
}

#[derive(Debug)]
pub(crate) enum First {
    Site(Arc<Site>),
    /// No site file yet: the commissioning pages alone, at this address.
    Blank(SocketAddr),
}

/// Runs until SIGTERM or SIGINT. Returns whether everything ended in time.
pub(crate) fn start(beginning: Beginning, data: &Path, log_format: LogFormat) -> Result<bool> {
    crate::memory::one_heap();
    logging(log_format)?;
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let pipeline = Pipeline::start()?;
    // Screens, uplink and watchdog share the main thread: a screen's largest request holds up neither a poll nor an alarm.
    let around = Builder::new_current_thread().enable_all().build()?;
    let outcome = around.block_on(async {
        // From the first moment: until somebody listens, either would kill the process.
        let asked = Asked {
            ended: asked_to_end()?,
            hung_up: signal(SignalKind::hangup())?,
        };
        sites(beginning, data, log_format, pipeline.handle(), asked).await
    });
    pipeline.end(HUNG);
    around.shutdown_timeout(HUNG);
    outcome
}

/// What is asked by signals.
struct Asked<E> {
    ended: E,
    hung_up: Signal,
}

/// What runs now: a site, or the pages that make one.
#[derive(Clone)]
struct Present {
    site: Arc<Site>,
    is_blank: bool,
}

/// One site after another, until asked to end. A site that cannot start leaves the one before it.
async fn sites(
    beginning: Beginning,
    data: &Path,
    log_format: LogFormat,
    pipeline: &Handle,
    Asked { ended, mut hung_up }: Asked<impl Future<Output = ()>>,
) -> Result<bool> {
    let figures = PrometheusBuilder::new()
        .install_recorder()
        .context("metrics")?;
    tokio::pin!(ended);
    let (applied, mut next) = mpsc::channel(1);
    let mut before: Option<Present> = None;
    let mut present = first(&beginning, data)?;
    loop {
        let commission = Commission::open(&beginning.file, data, present.is_blank, applied.clone())
            .with_context(|| format!("the draft in {}", data.display()))?;
        let commission = Arc::new(commission);
        // What is monitored by nobody must not begin the record of a site.
        let store = match present.is_blank {
            true => data.join("commission"),
            false => data.to_owned(),
        };
        let parts = (figures.clone(), commission.clone());
        let site = present.site.clone();
        let started = Gateway::start(site, &beginning.file, &store, parts, pipeline).await;
        let gateway = match (started, before.take()) {
            (Ok(gateway), _) => gateway,
            (Err(error), Some(back)) => {
                tracing::error!(%error, "the applied site cannot start; the one before goes on");
                // Who let himself in since the start is kept beside the blank pages.
                present = match back.is_blank {
                    true => first(&beginning, data)?,
                    false => back,
                };
                continue;
            }
            (Err(error), None) => return Err(error),
        };
        let _told = sd_notify::notify(&[NotifyState::Ready]);
        if !present.is_blank {
            gateway.keep_current().await;
        }
        tell_of_blank(&present, &commission, log_format);
        match gateway.until(&mut ended, &mut hung_up, &mut next).await? {
            Until::Ended { in_time } => return Ok(in_time),
            Until::Applied(site) => {
                let new = Present {
                    site,
                    is_blank: false,
                };
                before = Some(std::mem::replace(&mut present, new));
            }
        }
    }
}

fn first(beginning: &Beginning, data: &Path) -> Result<Present> {
    Ok(match &beginning.site {
        First::Site(site) => Present {
            site: site.clone(),
            is_blank: false,
        },
        First::Blank(listen) => Present {
            site: Arc::new(opening::kept_site(*listen, data)?),
            is_blank: true,
        },
    })
}

/// Whoever commissions sees the console: it says where to go, and lets the first one in.
fn tell_of_blank(present: &Present, commission: &Commission, log_format: LogFormat) {
    if !present.is_blank {
        return;
    }
    let listen = present.site.http;
    let code = commission.code.printed();
    match log_format {
        LogFormat::Json => tracing::warn!(%listen, code, "no site file yet: nothing is monitored"),
        LogFormat::Text => {
            let key = if code.is_some() {
                "commission-code"
            } else {
                "commission-open"
            };
            let values = [
                ("listen", listen.to_string()),
                ("code", code.unwrap_or_default()),
            ];
            let language = message::language();
            eprintln!("{}", message::text_with(key, &values, language));
        }
    }
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
    /// Where the site file lies: a change of it is taken over from there.
    path: PathBuf,
    site: Arc<Site>,
    watch: Watch,
    plant: Arc<Plant>,
    stage: Stage,
    changes: mpsc::Sender<Change>,
    requests: mpsc::Receiver<reload::Request>,
    acquiring: (CancellationToken, Acquisition),
    judging: Part,
    proving: Part,
    showing: Part,
    publishing: Part,
    /// Before this it is not started again.
    publish_again: tokio::time::Instant,
}

impl Gateway {
    /// Judgement and acquisition run on `pipeline`, all else on the runtime that this is called on.
    async fn start(
        site: Arc<Site>,
        path: &Path,
        data: &Path,
        (figures, commission): (PrometheusHandle, Arc<Commission>),
        pipeline: &Handle,
    ) -> Result<Self> {
        // The port first: a second gateway on this site must not touch the journal.
        let listener = TcpListener::bind(site.http)
            .await
            .with_context(|| format!("cannot listen on {} ([screen] listen)", site.http))?;
        let clock = Clock::start();
        let (journal, restored) = Journal::open(&data.join("journal"), &site, clock)
            .with_context(|| format!("the journal in {}", data.display()))?;
        let ledger =
            Ledger::open(data).with_context(|| format!("the proofs in {}", data.display()))?;
        let listen = listener.local_addr()?;
        let outside = Outside {
            lines: Lines::Machine,
            line: Line::of_machine(data),
        };
        // From here on nothing fails: works that run would go on without a screen.
        let works = Works::start(&site, clock, (&journal, restored), outside, pipeline);
        let Works {
            live,
            desk,
            changes,
            pulse,
            nodes,
            uplink,
            demanded: _,
            acquiring,
            judging,
            publishing,
        } = works;
        let stats = acquiring.1.stats.clone();
        tokio::spawn(resume_load(live.clone(), journal.clone(), clock));
        let watch = Watch {
            site: site.clone(),
            clock,
            pulse,
            stats,
            journal,
            nodes,
            uplink,
            data: data.to_owned(),
            figures,
        };
        let showing = CancellationToken::new();
        let parts = prove::Parts {
            site: site.clone(),
            live: live.clone(),
            desk: desk.clone(),
            journal: watch.journal.clone(),
            clock,
            data: data.to_owned(),
        };
        let bench = Bench::with(parts, ledger);
        let proving = prove(&bench);
        let (reload, requests) = Reload::new();
        let plant = Arc::new(Plant::new(
            site.clone(),
            live,
            desk,
            watch.clone(),
            bench,
            (reload, commission),
            showing.child_token(),
        ));
        tracing::info!(site = site.id, %listen, "ready");
        let stage = Stage::new(plant.clone());
        let router = stage.router();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(showing.clone().cancelled_owned());
        let screen = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the screen has ended");
            }
        });
        Ok(Self {
            path: path.to_owned(),
            site,
            watch,
            plant,
            stage,
            changes,
            requests,
            acquiring,
            judging,
            proving,
            showing: (showing, vec![("screen".into(), screen)]),
            publishing,
            publish_again: tokio::time::Instant::now(),
        })
    }

    /// Feeds the supervisor's watchdog while alarms are judged, and takes changed site files over, until asked to end or to make room for another site.
    async fn until(
        mut self,
        mut asked: impl Future<Output = ()> + Unpin,
        hung_up: &mut Signal,
        next: &mut mpsc::Receiver<Arc<Site>>,
    ) -> Result<Until> {
        let watchdog = tokio::spawn(feed_watchdog(self.watch.pulse.clone()));
        let mut beat = tokio::time::interval(Duration::from_secs(1));
        let clock = self.watch.clock;
        let mut settings = Settings::new(clock.now(), clock.wall());
        let settled = tokio::time::Instant::now() + SETTLED_AFTER;
        let mut tidy = tokio::time::interval_at(settled, TIDY_EVERY);
        let mut program = Some(crate::memory::program_pages());
        let applied = loop {
            tokio::select! {
                () = &mut asked => break None,
                Some(site) = next.recv() => break Some(site),
                _ = hung_up.recv() => self.hung_up().await,
                Some(request) = self.requests.recv() => {
                    let outcome = self.reload(&request.actor).await;
                    reload::log(&outcome, &request.actor);
                    // Fails only if the asker has given up waiting.
                    let _ = request.reply.send(outcome);
                }
                _ = beat.tick() => {
                    self.look_at_clock(&mut settings);
                    self.tend();
                }
                _ = tidy.tick() => {
                    crate::memory::give_back();
                    if let Some(program) = program.take() {
                        crate::memory::leave_start(&program);
                    }
                }
            }
        };
        watchdog.abort();
        let Some(site) = applied else {
            tracing::info!("ending");
            let _told = sd_notify::notify(&[NotifyState::Stopping]);
            let in_time = self.end().await;
            return Ok(Until::Ended { in_time });
        };
        tracing::info!(digest = site.digest, "a first site is applied");
        // Whoever does not end in time is named in the log; the site's journal and port are opened all the same, or refused.
        self.end().await;
        Ok(Until::Applied(site))
    }

    /// Starts again what has ended of itself; of judgement, which cannot be, the watchdog tells.
    fn tend(&mut self) {
        for bus in self.acquiring.1.tend() {
            tracing::error!(bus, "its task has ended of itself and is started again");
        }
        let now = tokio::time::Instant::now();
        let has_ended = self.publishing.1.iter().any(|(_, task)| task.is_finished());
        // Every page is loaded anew with it, which must not happen every second.
        if has_ended && now >= self.publish_again {
            self.publish_again = now + PUBLISH_AGAIN;
            tracing::error!("the uplink has ended of itself and is started again");
            let (site, live) = (self.site.clone(), self.plant.live.clone());
            self.publish_anew(&site, live.clone());
            self.raise(live, self.plant.bench.clone());
        }
        if self.proving.1.iter().any(|(_, task)| task.is_finished()) {
            tracing::error!("the watch of proofs has ended of itself and is started again");
            self.proving = prove(&self.plant.bench);
        }
    }

    /// Keeps the text of what runs, for whoever compares a change with it.
    async fn keep_current(&self) {
        let (data, file) = (self.watch.data.clone(), self.path.clone());
        crate::current::keep(data, file, self.site.digest.clone()).await;
    }

    async fn hung_up(&mut self) {
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now().ok());
        let _told = sd_notify::notify(&states);
        let outcome = self.reload(&BY_SIGNAL.into()).await;
        reload::log(&outcome, BY_SIGNAL);
        let _told = sd_notify::notify(&[NotifyState::Ready]);
    }

    /// Goes over to what the site file says now: judgement first, which may refuse, then buses, screen and uplink.
    async fn reload(&mut self, actor: &Arc<str>) -> Result<Applied, Refused> {
        let path = self.path.clone();
        let load = move || crate::admission::load(&path, Today::Doubtful(crate::check::day()));
        let loaded = tokio::task::spawn_blocking(load).await;
        let site = loaded
            .map_err(|_| Refused::Busy)?
            .map_err(Refused::Invalid)?
            .site;
        if site == *self.site {
            return Ok(Applied::Unchanged);
        }
        let keys = reload::needs_restart(&self.site, &site);
        if !keys.is_empty() {
            return Err(Refused::NeedsRestart(keys));
        }
        let (site, differences) = (
            Arc::new(site.clone()),
            davy_config::differences(&self.site, &site),
        );
        let record = Reloaded {
            actor: actor.clone(),
            from: self.site.digest.as_str().into(),
            to: site.digest.as_str().into(),
            changes: reload::told(&differences).into(),
            time: self.watch.clock.wall(),
        };
        let changed = self.judge_by(&site, record).await?;
        let late = self.acquiring.1.follow(GRACE).await;
        self.publish(&site, &changed).await;
        self.show(&site, changed).await;
        self.site = site;
        self.keep_current().await;
        if !late.is_empty() {
            tracing::error!(buses = late.join(", "), "did not stop in time");
        }
        Ok(Applied::Changed(differences))
    }

    async fn judge_by(&self, site: &Arc<Site>, record: Reloaded) -> Result<Changed, Refused> {
        let (reply, answer) = oneshot::channel();
        let change = Change {
            site: site.clone(),
            record,
            reply,
        };
        self.changes.send(change).await.map_err(|_| Refused::Busy)?;
        Ok(answer.await.map_err(|_| Refused::Busy)??)
    }

    /// The same connection tells of the new site, unless the file says otherwise of the uplink itself.
    async fn publish(&mut self, site: &Arc<Site>, changed: &Changed) {
        let desk = self.plant.desk.of(site.clone());
        if site.uplink == self.site.uplink {
            self.watch.uplink.follow(Scene {
                site: site.clone(),
                live: changed.live.clone(),
                desk,
            });
            return;
        }
        let (token, tasks) = std::mem::take(&mut self.publishing);
        let late = ended(token, tasks).await;
        if !late.is_empty() {
            tracing::error!(parts = late.join(", "), "did not stop in time");
        }
        self.publish_anew(site, changed.live.clone());
    }

    fn publish_anew(&mut self, site: &Arc<Site>, live: Arc<Live>) {
        let parts = uplink::Parts {
            site: site.clone(),
            journal: Arc::new(self.watch.journal.clone()),
            live,
            desk: self.plant.desk.of(site.clone()),
            clock: self.watch.clock,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        (self.watch.uplink, self.publishing) =
            works::publish(parts, Line::of_machine(&self.watch.data));
    }

    /// Screens begin anew with the new site; nobody is logged out.
    async fn show(&mut self, site: &Arc<Site>, changed: Changed) {
        self.watch.site = site.clone();
        self.watch.stats = changed.stats;
        let (journal, clock) = (self.watch.journal.clone(), self.watch.clock);
        tokio::spawn(resume_load(changed.live.clone(), journal, clock));
        let bench = self.prove_under(site, &changed.live).await;
        self.raise(changed.live, bench);
    }

    /// Screens go over to the present watch.
    fn raise(&mut self, live: Arc<Live>, bench: Bench) {
        let (site, shown) = (self.watch.site.clone(), self.showing.0.child_token());
        let next = self
            .plant
            .under(site, live, self.watch.clone(), bench, shown);
        let before = std::mem::replace(&mut self.plant, Arc::new(next));
        self.stage.set(self.plant.clone());
        before.shutdown.cancel();
    }

    /// The bench of the new site, which reads from its ledger what is proved and under way; two never write one.
    async fn prove_under(&mut self, site: &Arc<Site>, live: &Arc<Live>) -> Bench {
        self.plant.bench.close();
        let (token, tasks) = std::mem::take(&mut self.proving);
        let late = ended(token, tasks).await;
        if !late.is_empty() {
            tracing::error!(parts = late.join(", "), "did not stop in time");
        }
        let opened = Bench::open(prove::Parts {
            site: site.clone(),
            live: live.clone(),
            desk: self.plant.desk.of(site.clone()),
            journal: self.watch.journal.clone(),
            clock: self.watch.clock,
            data: self.watch.data.clone(),
        });
        match opened {
            Ok(bench) => {
                self.proving = prove(&bench);
                bench
            }
            Err(error) => {
                tracing::error!(%error, "proofs cannot be gone on with before a restart");
                self.plant.bench.clone()
            }
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
        let acquiring = (self.acquiring.0, self.acquiring.1.tasks);
        for (token, tasks) in [acquiring, self.judging, self.proving, self.showing] {
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

/// Why a gateway ended.
enum Until {
    Ended { in_time: bool },
    Applied(Arc<Site>),
}

/// The supervisor's watchdog is fed while alarms are judged.
async fn feed_watchdog(pulse: Pulse) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        beat.tick().await;
        if pulse.age() < crate::judgement::HUNG_AFTER {
            let _told = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}

/// The bench's watch, running, with the token that ends it.
fn prove(bench: &Bench) -> Part {
    let token = CancellationToken::new();
    let task = tokio::spawn(bench.clone().run(token.clone()));
    (token, vec![("proofs".to_owned(), task)])
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

/// The load of before now, by the record, so that a flood outlasts a restart and a change of the site file; nothing waits for it.
async fn resume_load(live: Arc<Live>, journal: Journal, clock: Clock) {
    let start = clock.wall();
    let from = WallMs(start.0.saturating_sub(davy_kpi::FLOOD_LEAD_MS));
    let before = journal.alarm_lines(from, start).await;
    let lines = before.lines.iter();
    let annunciations = lines.filter(|line| davy_kpi::annunciates(line.cause, line.to));
    let mut times: Vec<i64> = annunciations.map(|line| line.time.0).collect();
    // A clock that was set back in between leaves them out of order.
    times.sort_unstable();
    live.resume(&times, clock.now(), clock.wall());
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
