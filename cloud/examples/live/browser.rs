//! Browsers: connections that read an event stream as it comes, and note when an alarm's text is there.

use super::gateway::{GATEWAYS, site};
use super::server::{NAME, PASSWORD};
use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Connections that are being opened at once.
const AT_ONCE: usize = 100;
/// Longest that all alarms may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(60);

/// All of them; they end with this value.
pub(crate) struct Browsers {
    seen: Arc<Seen>,
    /// How long it took until each had its snapshot.
    pub(crate) opened: Duration,
    /// One that ends is a fault.
    running: JoinSet<Result<Infallible>>,
    _asleep: Vec<TcpStream>,
}

#[derive(Default)]
struct Seen {
    events: AtomicU64,
    alarms: AtomicU64,
    snapshots: AtomicU64,
    /// By site and number of the line.
    texts: Mutex<HashMap<(String, u64), Vec<Instant>>>,
    /// When each was about to be published.
    published: Mutex<Vec<((String, u64), Instant)>>,
}

pub(crate) async fn log_in(http: SocketAddr) -> Result<String> {
    let url = format!("http://{http}/api/session");
    let ask = move || -> Result<String> {
        let body = serde_json::json!({ "user": NAME, "password": PASSWORD });
        let answer = ureq::post(&url).send_json(body)?;
        let cookie = answer.headers().get("set-cookie").context("a session")?;
        Ok(cookie
            .to_str()?
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned())
    };
    tokio::task::spawn_blocking(ask).await?
}

async fn ask(http: SocketAddr, cookie: &str, number: usize) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(http).await?;
    let site = site(number as u64 % GATEWAYS);
    let request =
        format!("GET /api/events?site={site} HTTP/1.1\r\nhost: {http}\r\ncookie: {cookie}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    Ok(socket)
}

impl Browsers {
    pub(crate) async fn open(
        http: SocketAddr,
        cookie: &str,
        readers: usize,
        sleepers: usize,
    ) -> Result<Self> {
        let (seen, begun) = (Arc::new(Seen::default()), Instant::now());
        let mut running = JoinSet::new();
        let (ready, mut opened) = mpsc::channel(AT_ONCE);
        let turns = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        let mut asleep = Vec::new();
        for number in 0..sleepers {
            asleep.push(ask(http, cookie, number).await?);
        }
        for number in 0..readers {
            let turn = turns.clone().acquire_owned().await?;
            let (seen, ready, cookie) = (seen.clone(), ready.clone(), cookie.to_owned());
            running.spawn(async move {
                let read = async {
                    let socket = ask(http, &cookie, number).await?;
                    read(socket, &seen, (&ready, turn)).await
                };
                read.await.with_context(|| format!("browser {number}"))
            });
        }
        for _ in 0..readers {
            tokio::select! {
                opened = opened.recv() => opened.context("a browser has no stream")?,
                Some(ended) = running.join_next() => match ended?? {},
            }
        }
        Ok(Self {
            seen,
            opened: begun.elapsed(),
            running,
            _asleep: asleep,
        })
    }

    /// An alarm that was published just now.
    pub(crate) fn expect(&self, published: (String, u64), at: Instant) {
        let mut all = self
            .seen
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push((published, at));
    }

    pub(crate) fn events(&self) -> u64 {
        self.seen.events.load(Relaxed)
    }

    /// Snapshots beyond each browser's first.
    pub(crate) fn resyncs(&self, readers: usize) -> u64 {
        self.seen.snapshots.load(Relaxed) - readers as u64
    }

    /// Waits until so many texts of alarms have come.
    pub(crate) async fn until_heard(&mut self, texts: u64) -> Result<()> {
        let begun = Instant::now();
        while self.seen.alarms.load(Relaxed) < texts {
            if let Some(ended) = self.running.try_join_next() {
                match ended?? {}
            }
            if begun.elapsed() > PATIENCE {
                bail!("{} of {texts} alarms came", self.seen.alarms.load(Relaxed));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// From before an alarm was published until its text was read, of each alarm and browser, sorted.
    pub(crate) fn latency_ms(&self) -> Vec<f64> {
        let published = self
            .seen
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let texts = self
            .seen
            .texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of = |(key, at): &(_, Instant)| {
            let read = texts.get(key).into_iter().flatten();
            let at = *at;
            read.map(move |read| read.duration_since(at).as_secs_f64() * 1e3)
        };
        let mut all: Vec<f64> = published.iter().flat_map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    }
}

/// Reads until something goes wrong. Lines of chunks' lengths stand between those of the events and are none of theirs.
async fn read(
    socket: TcpStream,
    seen: &Seen,
    (ready, turn): (&mpsc::Sender<()>, tokio::sync::OwnedSemaphorePermit),
) -> Result<Infallible> {
    let mut lines = BufReader::with_capacity(64 << 10, socket);
    let (mut line, mut is_alarm, mut turn) = (Vec::new(), false, Some(turn));
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).await? == 0 {
            bail!("the stream ended");
        }
        if let Some(name) = line.strip_prefix(b"event: ") {
            seen.events.fetch_add(1, Relaxed);
            is_alarm = name.trim_ascii() == b"alarm";
            if name.trim_ascii() == b"snapshot" {
                seen.snapshots.fetch_add(1, Relaxed);
                if turn.take().is_some() {
                    ready.send(()).await?;
                }
            }
        } else if is_alarm && line.starts_with(b"data: ") {
            let at = Instant::now();
            let alarm: serde_json::Value = serde_json::from_slice(&line[6..])?;
            let site = alarm["site"].as_str().context("a site")?.to_owned();
            let seq = alarm["seq"].as_u64().context("a number")?;
            let mut texts = seen.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts.entry((site, seq)).or_default().push(at);
            seen.alarms.fetch_add(1, Relaxed);
        } else if line.starts_with(b"HTTP/1.1 ") && !line.starts_with(b"HTTP/1.1 200") {
            bail!("{}", String::from_utf8_lossy(&line).trim());
        }
    }
}
