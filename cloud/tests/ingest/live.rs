//! From a gateway's session to fifty browsers, one of which reads nothing: the others hear of an alarm while it sleeps, and when it wakes it is told that it fell
//! behind.

use crate::city::{City, PASSWORD, until, within};
use crate::node::{HIGH, Node, OFFSET, line, message};
use davy_wire::{DataType, Metric, Value, Verb};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

const READERS: usize = 49;
/// Of these so many look at the site's values.
const WATCHERS: usize = 5;
const TIME_MS: i64 = 1_795_500_000_000;
const POINTS: u64 = 200;
const FIRST_POINT: u64 = 100;
/// More text than sockets, connection and hub hold for a reader: 20 kB each.
const BATCHES: u64 = 500;

pub(crate) async fn cookie(city: &City) -> String {
    let _made = city.operator().await;
    let url = format!("http://{}/api/session", city.http);
    let ask = move || {
        let body = serde_json::json!({ "user": "wang", "password": PASSWORD });
        let answer = ureq::post(&url).send_json(body).expect("a log-in");
        let cookie = answer.headers().get("set-cookie").expect("a session");
        let cookie = cookie.to_str().expect("a text").split(';').next();
        cookie.expect("a name").to_owned()
    };
    tokio::task::spawn_blocking(ask).await.expect("no panic")
}

/// A connection that takes little ahead of its reader.
pub(crate) async fn browser(http: SocketAddr, cookie: &str, watched: bool) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(8 << 10).expect("a size");
    let mut socket = socket.connect(http).await.expect("a connection");
    let query = if watched { "?site=tank-farm" } else { "" };
    let request =
        format!("GET /api/events{query} HTTP/1.1\r\nhost: {http}\r\ncookie: {cookie}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("room");
    BufReader::new(socket)
}

/// Reads until an event has this in its data.
pub(crate) async fn read_until(browser: &mut BufReader<TcpStream>, name: &str, held: &str) {
    let (mut text, mut is_it) = (Vec::new(), false);
    loop {
        text.clear();
        let read = browser.read_until(b'\n', &mut text).await.expect("a line");
        assert!(read > 0, "the stream ended before {name}");
        let written = String::from_utf8_lossy(&text);
        if let Some(event) = written.strip_prefix("event: ") {
            is_it = event.trim() == name;
        } else if is_it && written.starts_with("data: ") && written.contains(held) {
            return;
        }
    }
}

async fn be_born(node: &Node) {
    node.be_born_without_its_device().await;
    let alarm = Metric::named("Alarms/GT-101/HIHI", DataType::Int32, Some(Value::Whole(0)))
        .with_alias(HIGH)
        .with("priority", Value::Whole(1));
    let points = (0..POINTS).map(|point| {
        Metric::named(format!("PT-{point}"), DataType::Double, None).with_alias(FIRST_POINT + point)
    });
    let device = std::iter::once(alarm).chain(points).collect();
    node.publish(Verb::DeviceBirth, "GD-01", message(device).to_bytes())
        .await;
}

async fn values(node: &Node, offset: u64) {
    let time_ms = TIME_MS + i64::try_from(offset).expect("a small number");
    let mut all = vec![Metric::aliased(OFFSET, Some(Value::Unsigned(offset)))];
    let value = |point| Metric::aliased(FIRST_POINT + point, Some(Value::Number(point as f64)));
    all.extend((0..POINTS).map(|point| value(point).at(time_ms)));
    node.publish(Verb::NodeData, "", message(all).to_bytes())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_reaches_everybody_while_one_reads_nothing_and_that_one_is_told_that_it_fell_behind()
 {
    let city = City::new().await;
    let node = Node::connect(city.broker, "tank-farm", 0).await;
    be_born(&node).await;
    until(async || city.is_online("tank-farm").await).await;
    let cookie = cookie(&city).await;
    let mut sleeper = browser(city.http, &cookie, true).await;
    let (ready, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut readers = tokio::task::JoinSet::new();
    for number in 0..READERS {
        let mut reader = browser(city.http, &cookie, number < WATCHERS).await;
        let (ready, heard) = (ready.clone(), heard.clone());
        readers.spawn(async move {
            read_until(&mut reader, "snapshot", "\"resync\":false").await;
            ready.fetch_add(1, Relaxed);
            read_until(&mut reader, "alarm", "\"seq\":1,").await;
            heard.fetch_add(1, Relaxed);
            // It reads on, as a browser does.
            read_until(&mut reader, "never", "").await;
        });
    }
    until(async || ready.load(Relaxed) == READERS).await;
    for offset in 1..=BATCHES {
        values(&node, offset).await;
        if offset == BATCHES / 2 {
            let raised = line(1, 0, 1, "active", TIME_MS);
            node.batch(BATCHES + 1, vec![raised]).await;
        }
    }
    until(async || heard.load(Relaxed) == READERS).await;
    until(async || city.shelf.of("tank-farm", "PT-0").len() as u64 == BATCHES).await;
    within(read_until(&mut sleeper, "snapshot", "\"resync\":true")).await;
}
