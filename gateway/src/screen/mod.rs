//! The plant screen: docs/api.md's plant interface and the embedded face. It looks on; judgement never waits for it.

mod acts;
mod asked;
mod assets;
mod commission;
mod kpi;
mod prove;
mod reads;
mod refusal;
mod reload;
mod session;
pub mod shapes;
mod stage;
mod stream;
mod system;

use crate::clock::Clock;
use crate::commission::Commission;
use crate::desk::Desk;
use crate::live::Live;
use crate::prove::Bench;
use crate::reload::Reload;
use crate::watch::Watch;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use davy_config::site::Site;
use davy_kpi::FloodNow;
use session::Sessions;
pub use stage::Stage;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

/// The largest request body that is read: every act is a few hundred bytes.
const BODY_MAX: usize = 16 * 1024;

/// What the screen looks at and hands requests to.
#[derive(Debug)]
pub struct Plant {
    pub site: Arc<Site>,
    pub live: Arc<Live>,
    pub desk: Desk,
    pub watch: Watch,
    pub bench: Bench,
    /// Takes a changed site file over.
    pub reload: Reload,
    pub clock: Clock,
    pub shutdown: CancellationToken,
    commission: Arc<Commission>,
    sessions: Sessions,
    streams: Arc<Semaphore>,
    /// PINs that are checked at one time: each costs 19 MiB of memory and tens of milliseconds.
    verifying: Arc<Semaphore>,
    /// Alarm figures that are made at one time: each may read much of the journal.
    reckoning: Arc<Semaphore>,
}

impl Plant {
    /// A screen on these parts, nobody logged in.
    pub(crate) fn new(
        site: Arc<Site>,
        live: Arc<Live>,
        desk: Desk,
        watch: Watch,
        bench: Bench,
        (reload, commission): (Reload, Arc<Commission>),
        shutdown: CancellationToken,
    ) -> Self {
        let sessions = Sessions::new(site.people.clone());
        Self {
            site,
            live,
            desk,
            bench,
            reload,
            clock: watch.clock,
            watch,
            shutdown,
            commission,
            sessions,
            streams: Arc::new(Semaphore::new(stream::STREAMS_MAX)),
            verifying: Arc::new(Semaphore::new(1)),
            reckoning: Arc::new(Semaphore::new(1)),
        }
    }

    /// The screen of the site that takes this one's place: who is logged in stays so, as far as the file still has them, and each stream begins anew.
    pub fn under(
        &self,
        site: Arc<Site>,
        live: Arc<Live>,
        watch: Watch,
        bench: Bench,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            bench,
            sessions: self.sessions.under(site.people.clone()),
            desk: self.desk.of(site.clone()),
            reload: self.reload.clone(),
            commission: self.commission.clone(),
            clock: self.clock,
            streams: self.streams.clone(),
            verifying: self.verifying.clone(),
            reckoning: self.reckoning.clone(),
            site,
            live,
            watch,
            shutdown,
        }
    }

    fn flood(&self) -> FloodNow {
        self.live.flood(self.clock.now())
    }

    fn links(&self) -> shapes::Links {
        shapes::Links::of(&self.watch.links())
    }
}

/// Every address of the plant interface.
pub fn router(plant: Arc<Plant>) -> Router {
    let compressed = Router::new()
        .route("/api/site", get(reads::site))
        .route("/api/live", get(reads::live))
        .route("/api/trend", get(reads::trend))
        .route("/api/transitions", get(reads::transitions))
        .route("/api/kpi", get(kpi::kpi))
        .route("/api/system", get(reads::system))
        .route("/api/prove", get(prove::all))
        .route("/api/prove/{of}/{id}", get(prove::one))
        .route(
            "/api/prove/reports",
            get(prove::reports).post(prove::report),
        )
        .fallback(assets::serve)
        .layer(CompressionLayer::new());
    Router::new()
        .route("/healthz", get(reads::healthz))
        .route("/metrics", get(reads::metrics))
        .route("/api/events", get(stream::events))
        .route(
            "/api/session",
            get(acts::who).post(acts::log_in).delete(acts::log_out),
        )
        .route("/api/reload", post(reload::reload))
        .route("/api/silence", post(acts::silence))
        .route("/api/alarms/{id}/acknowledge", post(acts::acknowledge))
        .route("/api/alarms/{id}/reset", post(acts::reset))
        .route("/api/alarms/{id}/shelve", post(acts::shelve))
        .route("/api/alarms/{id}/unshelve", post(acts::unshelve))
        .route(
            "/api/alarms/{id}/out-of-service",
            post(acts::out_of_service),
        )
        .route("/api/alarms/{id}/in-service", post(acts::in_service))
        .route("/api/alarms/{id}/demand", post(acts::demand))
        .route("/api/alarms/{id}/withdraw", post(acts::withdraw))
        .route("/api/outputs/{id}/reset", post(acts::reset_output))
        .route("/api/prove/{of}/{id}/start", post(prove::start))
        .route("/api/prove/{of}/{id}/take", post(prove::take))
        .route("/api/prove/{of}/{id}/skip-step", post(prove::skip_step))
        .route("/api/prove/{of}/{id}/finish", post(prove::finish))
        .route("/api/prove/{of}/{id}/abandon", post(prove::abandon))
        .route("/api/prove/{of}/{id}/skip", post(prove::skip))
        .route("/api/prove/reports/{number}/{file}", get(prove::file))
        .merge(compressed)
        .merge(commission::routes())
        .layer(axum::middleware::from_fn(asked::guard))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(plant)
}
