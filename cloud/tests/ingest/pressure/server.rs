//! As much of an InfluxDB as a collector writes to, which can go away, have no room, or be slow.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A group of 256 messages takes one request.
const SLOW: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Well,
    /// Nobody listens, and connections are gone.
    Away,
    /// It refuses what it is to keep, as a server whose disk is full does.
    Full,
    Slow,
}

/// By site, point and source time.
type Points = BTreeMap<(String, String, i64), f64>;

#[derive(Clone)]
struct Shelf(Arc<Mutex<(Mode, Points)>>);

/// The server; its runtime is its own, so that it can go as a process does.
pub(super) struct Server {
    shelf: Shelf,
    address: SocketAddr,
    running: Mutex<Option<Runtime>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go();
    }
}

impl Server {
    pub(super) fn start() -> Self {
        let shelf = Shelf(Arc::new(Mutex::new((Mode::Well, Points::new()))));
        let (runtime, address) = shelf.listen(([127, 0, 0, 1], 0).into());
        Self {
            shelf,
            address,
            running: Mutex::new(Some(runtime)),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn be(&self, mode: Mode) {
        self.shelf.0.lock().expect("a lock").0 = mode;
        if mode == Mode::Away {
            self.go();
        } else {
            let mut running = self.running.lock().expect("a lock");
            running.get_or_insert_with(|| self.shelf.listen(self.address).0);
        }
    }

    fn go(&self) {
        let running = self.running.lock().expect("a lock").take();
        running.into_iter().for_each(Runtime::shutdown_background);
    }

    /// How many readings it holds.
    pub(super) fn kept(&self) -> usize {
        self.shelf.0.lock().expect("a lock").1.len()
    }

    /// The readings of a point, by time.
    pub(super) fn of(&self, site: &str, point: &str) -> Vec<(i64, f64)> {
        let held = self.shelf.0.lock().expect("a lock");
        let key = |time_ms| (site.to_owned(), point.to_owned(), time_ms);
        let found = held.1.range(key(i64::MIN)..=key(i64::MAX));
        found.map(|((_, _, time), value)| (*time, *value)).collect()
    }
}

impl Shelf {
    fn listen(&self, address: SocketAddr) -> (Runtime, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a listener");
        let router = Router::new()
            .route("/api/v2/write", post(write))
            .route("/query", get(async || ""))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(self.clone());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await
        });
        (runtime, address)
    }
}

async fn write(State(shelf): State<Shelf>, body: String) -> (StatusCode, &'static str) {
    let mode = shelf.0.lock().expect("a lock").0;
    match mode {
        Mode::Full => {
            let told = "unexpected error writing points to database: no space left on device";
            return (StatusCode::INTERNAL_SERVER_ERROR, told);
        }
        Mode::Slow => tokio::time::sleep(SLOW).await,
        Mode::Well | Mode::Away => {}
    }
    let mut held = shelf.0.lock().expect("a lock");
    for line in body.lines() {
        let (key, value, time) = read(line).expect("a line of a reading");
        held.1.insert((key.0, key.1, time), value);
    }
    (StatusCode::NO_CONTENT, "")
}

/// `reading,point=P,site=S good=1i,value=V T`.
fn read(line: &str) -> Option<((String, String), f64, i64)> {
    let mut parts = line.split(' ');
    let (tags, fields, time) = (parts.next()?, parts.next()?, parts.next()?);
    let of = |text: &str, name: &str| {
        let mut all = text.split(',').filter_map(|one| one.split_once('='));
        all.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
    };
    let key = (of(tags, "site")?, of(tags, "point")?);
    Some((key, of(fields, "value")?.parse().ok()?, time.parse().ok()?))
}
