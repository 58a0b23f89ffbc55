//! Acquisition against slaves that lie, stammer, mix up, fall silent and hang up: no answer of theirs may become another value than the one that they
//! were asked for, and once they behave every point is read again within its bound.
//!
//! A million frames in all; `DAVY_FRAMES` asks for another number a link, `DAVY_SEED` for another game.
#![allow(clippy::unwrap_used, missing_debug_implementations)]

#[path = "hostile/slave.rs"]
mod slave;
#[path = "hostile/wire.rs"]
mod wire;

use davy_alarm::Reading;
use davy_config::site::{PointIndex, Site};
use davy_gateway::acquire::{self, Demand};
use davy_gateway::clock::Clock;
use davy_gateway::scan::Scan;
use davy_plant::pty::Pty;
use slave::{BLOCKS, Book, DISTANCE, Framing, TIMEOUT, UNITS};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Frames on each of the three links unless told otherwise.
const FRAMES: u64 = 350_000;
/// Nobody waits longer for them.
const GAME_LIMIT: Duration = Duration::from_secs(400);
/// A silent unit is asked again after ten seconds at the latest, and a value behind a silent block takes one more. An answer that a busy machine brings late
/// costs another ten, and among thousands of points there is one that it meets again; the figure is printed.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    RtuOverTcp,
    Rtu,
}

impl Kind {
    /// Most of the time passes in waiting, on TCP for the next try of a connection: many buses make the game short.
    const fn buses(self) -> usize {
        match self {
            Self::Tcp => 320,
            Self::RtuOverTcp | Self::Rtu => 160,
        }
    }
}

#[test]
fn over_tcp_no_answer_of_a_hostile_slave_becomes_a_wrong_value() {
    play(Kind::Tcp);
}

#[test]
fn over_a_converter_no_answer_of_a_hostile_slave_becomes_a_wrong_value() {
    play(Kind::RtuOverTcp);
}

#[test]
fn over_a_serial_line_no_answer_of_a_hostile_slave_becomes_a_wrong_value() {
    play(Kind::Rtu);
}

fn number(name: &str, default: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(default, |told| told.parse().expect("a number"))
}

fn play(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (frames, seed) = (
        number("DAVY_FRAMES", FRAMES),
        number("DAVY_SEED", 0x9e37_79b9_7f4a_7c15),
    );
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let mut game = Game::start(kind, dir.path(), seed).await;
        game.until_frames(frames).await;
        let recovered = game.until_recovered().await;
        println!(
            "{} frames, {} values, all true; every point read again after {} ms",
            game.frames(),
            game.accepted,
            recovered.as_millis()
        );
        game.stop().await;
    });
    runtime.shutdown_background();
}

struct Game {
    site: Arc<Site>,
    /// By bus.
    books: Vec<Arc<Book>>,
    scans: mpsc::Receiver<Scan>,
    shutdown: CancellationToken,
    acquisition: acquire::Acquisition,
    _demand: watch::Sender<Demand>,
    /// By point: the request whose value was last accepted.
    last: Vec<Option<u32>>,
    accepted: u64,
}

impl Game {
    async fn start(kind: Kind, dir: &Path, seed: u64) -> Self {
        let mut text = HEAD.to_owned();
        let mut books = Vec::new();
        for bus in 0..kind.buses() {
            let book = Arc::new(Book::new());
            let seed = seed.wrapping_add(bus as u64 * 0x1234_5678_9abd).max(1);
            let link = serve(kind, &dir.join(format!("tty{bus}")), seed, &book).await;
            describe(&mut text, bus, &link);
            books.push(book);
        }
        let loaded = davy_config::parse("site.toml", &text, Path::new("."));
        let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
        let (to_judge, scans) = mpsc::channel(1024);
        let (demand, asked) = watch::channel(Demand::new(&site, Vec::new()));
        let shutdown = CancellationToken::new();
        let clock = Clock::start();
        Self {
            acquisition: acquire::spawn(clock, &to_judge, &asked, &shutdown),
            last: vec![None; site.points.len()],
            site,
            books,
            scans,
            shutdown,
            _demand: demand,
            accepted: 0,
        }
    }

    fn frames(&self) -> u64 {
        let frames = self.books.iter().map(|book| book.frames.load(Relaxed));
        frames.sum()
    }

    async fn until_frames(&mut self, frames: u64) {
        let end = Instant::now() + GAME_LIMIT;
        while self.frames() < frames {
            assert!(
                Instant::now() < end,
                "{} frames in {GAME_LIMIT:?}",
                self.frames()
            );
            let scan = self.scans.recv().await.expect("the buses run");
            self.check(&scan);
        }
    }

    /// From now on the slaves behave; returns how long it takes until every point was read.
    async fn until_recovered(&mut self) -> Duration {
        let begun = Instant::now();
        for book in &self.books {
            book.calm.store(true, Relaxed);
        }
        // What waits in the queue was read before.
        while let Ok(scan) = self.scans.try_recv() {
            self.check(&scan);
        }
        let mut unread: std::collections::BTreeSet<usize> = (0..self.site.points.len()).collect();
        while !unread.is_empty() {
            let scan = tokio::time::timeout(RECOVERY_LIMIT, self.scans.recv()).await;
            let scan = scan.ok().flatten().expect("the buses run");
            for read in self.check(&scan) {
                unread.remove(&read);
            }
            let elapsed = begun.elapsed();
            assert!(
                elapsed < RECOVERY_LIMIT,
                "not read after {elapsed:?}: {unread:?}"
            );
        }
        begun.elapsed()
    }

    /// Every value must be its point's own, of a request whose answer may be believed, and of a later one than the last. Returns the points with values.
    fn check(&mut self, scan: &Scan) -> Vec<usize> {
        let values: Vec<(PointIndex, u32)> = (scan.readings.iter())
            .filter_map(|(point, reading)| Some((*point, raw(reading)?)))
            .collect();
        for (point, value) in &values {
            let (unit, block, nth) = slave::owner(*value);
            let id = &self.site.points[point.0].id;
            let bus = self.site.devices[scan.device.0].bus.0;
            assert_eq!(
                *id,
                name(bus, unit, block),
                "a value of another register: {value:#x}"
            );
            assert_eq!(
                self.books[bus].may(unit, block, nth),
                Some(true),
                "{id} believed what was no answer in time to request {nth}"
            );
            let last = self.last[point.0].replace(nth);
            assert!(
                last < Some(nth),
                "{id} believed the answer to request {nth} after {last:?}"
            );
            self.accepted += 1;
        }
        values.into_iter().map(|(point, _)| point.0).collect()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        drop(self.scans);
        for (bus, task) in self.acquisition.tasks {
            task.await
                .unwrap_or_else(|error| panic!("{bus} ended by {error}"));
        }
    }
}

fn raw(reading: &Reading) -> Option<u32> {
    reading.value().ok().map(|value| value as u32)
}

/// Starts a slave; returns how a bus reaches it.
async fn serve(kind: Kind, path: &Path, seed: u64, book: &Arc<Book>) -> String {
    let own = book.clone();
    let (name, framing) = match kind {
        Kind::Rtu => {
            let pty = Pty::open(path).unwrap();
            tokio::spawn(async move { slave::serve_pty(pty, seed, &own).await });
            return format!(
                "kind = \"rtu\"\npath = \"{}\"\nbaud = 115200\nparity = \"none\"\nstop_bits = 1",
                path.display()
            );
        }
        Kind::Tcp => ("tcp", Framing::Tcp),
        Kind::RtuOverTcp => ("rtu-over-tcp", Framing::Rtu),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { slave::serve_tcp(listener, framing, seed, &own).await });
    format!("kind = \"{name}\"\naddress = \"{address}\"")
}

const HEAD: &str = r#"
schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
"#;

fn name(bus: usize, unit: u8, block: u16) -> String {
    format!("p{bus}-{unit}-{block}")
}

fn describe(text: &mut String, bus: usize, link: &str) {
    let timeout = TIMEOUT.as_millis();
    write!(
        text,
        "[[bus]]\nid = \"b{bus}\"\n{link}\ntimeout_ms = {timeout}\n"
    )
    .unwrap();
    for unit in 1..=UNITS {
        write!(
            text,
            "[[device]]\nid = \"d{bus}-{unit}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b{bus}\"\nunit = {unit}\nperiod_ms = 50\n"
        )
        .unwrap();
        for block in 0..BLOCKS {
            let (id, address) = (name(bus, unit, block), block * DISTANCE);
            write!(
                text,
                "[[point]]\nid = \"{id}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d{bus}-{unit}\"\nkind = \"other\"\nunit = \"1\"\nrange = [0, 4294967295]\nregister = {{ table = \"holding\", address = {address}, as = \"u32\" }}\n"
            )
            .unwrap();
        }
    }
}
