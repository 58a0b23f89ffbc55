//! A relay in front of a Modbus server that says how it was used: how often somebody connected, and when requests came.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A relay on loopback; its threads end with the test's process.
#[derive(Clone, Debug)]
pub struct Relay {
    pub port: u16,
    used: Arc<Mutex<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    connections: usize,
    requests: Vec<Instant>,
}

impl Relay {
    /// To the server at a loopback port.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let relay = Self {
            port,
            used: Arc::default(),
        };
        let used = relay.used.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                lock(&used).connections += 1;
                carry(client, upstream, &used);
            }
        });
        relay
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        lock(&self.used).connections
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        lock(&self.used).requests.len()
    }

    /// The longest time between two requests, of those from the `from`-th on.
    pub fn longest_gap(&self, from: usize) -> Duration {
        let used = lock(&self.used);
        let requests = used.requests[from..].windows(2);
        let gaps = requests.map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap_or_default()
    }
}

fn lock(used: &Mutex<Used>) -> std::sync::MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry(client: TcpStream, upstream: TcpStream, used: &Arc<Mutex<Used>>) {
    for stream in [&client, &upstream] {
        // Only a matter of pace.
        let _ = stream.set_nodelay(true);
    }
    let copy = |stream: &TcpStream| stream.try_clone().expect("a socket can be doubled");
    let (back_to, back_from) = (copy(&client), copy(&upstream));
    let used = used.clone();
    std::thread::spawn(move || {
        pump(client, upstream, || {
            lock(&used).requests.push(Instant::now());
        })
    });
    std::thread::spawn(move || pump(back_from, back_to, || {}));
}

fn pump(mut from: TcpStream, mut to: TcpStream, note: impl Fn()) {
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        note();
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
