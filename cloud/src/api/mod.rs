//! The city's API (docs/api.md). Each call passes [`access`], which alone decides who may; the OpenAPI document is made from the handlers themselves.

pub(crate) mod access;
mod address;
mod admin;
mod asked;
mod audit;
mod case;
mod error;
mod events;
mod export;
mod frame;
mod health;
mod history;
mod kpi;
mod kpi_csv;
mod orders;
mod overview;
mod quarantine;
mod query;
mod questions;
mod scene;
mod session;
mod shapes;
mod signal;
mod site;
mod spool;
mod trend;

pub use error::ApiError;
pub use health::{Health, Status};
pub(crate) use query::{occurrence_cursor, read_occurrence_cursor};
pub(crate) use shapes::{is_output, model, named, quality_name};

use crate::auth::Passwords;
use crate::history::History;
use crate::live::Live;
use crate::order::Courier;
use crate::records::Records;
use crate::screen;
use asked::Asked;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use davy_print::Key;
use davy_throttle::{Bounds, Throttle};
use jiff::tz::Offset;
use metrics_exporter_prometheus::PrometheusHandle;
use scene::Scenes;
use spool::Spool;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of a call, bytes: the registry of a site with its contacts is the largest thing that anybody sends.
const MOST_BODY: usize = 64 * 1024;
/// Log-ins of a city's people.
const LOG_INS: Bounds = Bounds {
    strangers: 120,
    pairs: 20_000,
};
/// Event streams at once; the next is told to come later.
const MOST_STREAMS: usize = 1_000;

/// What the API stands on.
pub struct Parts {
    pub records: Records,
    pub history: Arc<dyn History>,
    pub courier: Arc<dyn Courier>,
    pub live: Live,
    pub health: Health,
    pub metrics: PrometheusHandle,
    /// Offset that exports show times with, unless the caller names another.
    pub zone: Offset,
    pub secure_cookie: bool,
    /// Where exports lie while they are made and fetched; made where it is missing.
    pub spool: PathBuf,
    /// Signs case files.
    pub key: Arc<Key>,
    /// UTC milliseconds; a test has its own.
    pub clock: fn() -> i64,
    /// Cancelled when the service ends: event streams end with it.
    pub ending: CancellationToken,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Parts")
    }
}

/// The state behind every handler; cheap to clone.
#[derive(Clone)]
pub(crate) struct City(Arc<Inner>);

pub(crate) struct Inner {
    parts: Parts,
    passwords: Passwords,
    throttle: Throttle,
    asked: Asked,
    streams: Arc<Semaphore>,
    scenes: Scenes,
    reckoning: Arc<Semaphore>,
    spool: Spool,
}

impl std::ops::Deref for City {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl City {
    fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn asked(&self) -> &Asked {
        &self.0.asked
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    fn scenes(&self) -> &Scenes {
        &self.0.scenes
    }

    fn reckoning(&self) -> &Arc<Semaphore> {
        &self.0.reckoning
    }

    fn spool(&self) -> &Spool {
        &self.0.spool
    }
}

/// The API's routes, ready to serve.
pub fn router(parts: Parts) -> Router {
    let (router, document) = routes().split_for_parts();
    let city = City(Arc::new(Inner {
        spool: Spool::new(parts.spool.clone()),
        parts,
        asked: Asked::of(&document),
        passwords: Passwords::default(),
        throttle: Throttle::new(LOG_INS),
        streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        scenes: Scenes::default(),
        reckoning: Arc::new(Semaphore::new(kpi::MOST_AT_ONCE)),
    }));
    router
        .route_layer(from_fn_with_state(city.clone(), access::guard))
        .fallback(screen::serve)
        .layer(from_fn(error::render))
        .layer(CompressionLayer::new().gzip(true))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .with_state(city)
}

/// The OpenAPI document, pretty-printed.
pub fn openapi() -> String {
    let (_, document) = routes().split_for_parts();
    document.to_pretty_json().unwrap_or_default() + "\n"
}

fn routes() -> OpenApiRouter<City> {
    let mut document = utoipa::openapi::OpenApi::default();
    document.info = utoipa::openapi::InfoBuilder::new()
        .title("Davy city")
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    OpenApiRouter::with_openapi(document)
        .routes(routes!(health::healthz))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        .routes(routes!(session::begin, session::show, session::end))
        .routes(routes!(overview::overview))
        .routes(routes!(overview::alarms))
        .routes(routes!(events::events))
        .routes(routes!(site::site))
        .routes(routes!(trend::trend))
        .routes(routes!(history::alarms))
        .routes(routes!(export::alarms_csv))
        .routes(routes!(history::transitions))
        .routes(routes!(export::readings_csv))
        .routes(routes!(questions::question))
        .routes(routes!(questions::export))
        .routes(routes!(case::case))
        .routes(routes!(kpi::kpi))
        .routes(routes!(kpi::kpi_csv))
        .routes(routes!(orders::acknowledge))
        .routes(routes!(orders::shelve))
        .routes(routes!(orders::unshelve))
        .routes(routes!(audit::audit))
        .routes(routes!(admin::users, admin::add_user))
        .routes(routes!(admin::change_user, admin::remove_user))
        .routes(routes!(admin::registry, admin::put_registry))
        .routes(routes!(quarantine::quarantine))
        .routes(routes!(quarantine::show))
        .routes(routes!(quarantine::replay))
}
