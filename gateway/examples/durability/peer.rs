//! The other end in a process of its own: as much of an MQTT broker as one client needs, and a collector that acknowledges all that it reads.

use anyhow::{Context as _, Result, bail};
use davy_wire::{Ack, DataType, Metric, Payload, Value, name};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// The process, as the bench sees it.
pub(crate) struct Peer {
    pub(crate) port: u16,
    child: Child,
    received: Arc<AtomicU64>,
    /// Sequence number of each transition that came, and when, microseconds since 1970.
    alarms: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Peer {
    pub(crate) fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("peer")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let peer = Self {
            port: first.trim().parse().context("the peer's port")?,
            child,
            received: Arc::default(),
            alarms: Arc::default(),
        };
        let (received, alarms) = (peer.received.clone(), peer.alarms.clone());
        thread::spawn(move || follow(lines, &received, &alarms));
        Ok(peer)
    }

    /// Bytes of published messages so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// When the transition with this number came.
    pub(crate) fn alarm(&self, seq: u64) -> Option<u64> {
        let alarms = self.alarms.lock().ok()?;
        alarms
            .iter()
            .find(|alarm| alarm.0 == seq)
            .map(|alarm| alarm.1)
    }
}

fn follow(lines: BufReader<ChildStdout>, received: &AtomicU64, alarms: &Mutex<Vec<(u64, u64)>>) {
    for line in lines.lines().map_while(Result::ok) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("bytes"), Some(bytes), _) => {
                received.store(bytes.parse().unwrap_or_default(), Ordering::Relaxed);
            }
            (Some("alarm"), Some(seq), Some(at)) => {
                let alarm = (
                    seq.parse().unwrap_or_default(),
                    at.parse().unwrap_or_default(),
                );
                if let Ok(mut alarms) = alarms.lock() {
                    alarms.push(alarm);
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The process itself.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    Connection::new(stream).run()
}

struct Connection {
    stream: TcpStream,
    journal: u64,
    command: String,
    committed: Vec<u64>,
    bytes: u64,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            journal: 0,
            command: String::new(),
            committed: Vec::new(),
            bytes: 0,
        }
    }

    fn run(mut self) -> Result<()> {
        let mut waiting = Vec::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = self.stream.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            waiting.extend_from_slice(&piece[..read]);
            let mut done = 0;
            while let Some((start, end)) = packet(&waiting[done..]) {
                let first = waiting[done];
                let body = waiting[done + start..done + end].to_vec();
                self.take(first, &body)?;
                done += end;
            }
            waiting.drain(..done);
            self.acknowledge()?;
        }
    }

    fn take(&mut self, first: u8, body: &[u8]) -> Result<()> {
        match first >> 4 {
            1 => self.stream.write_all(&[0x20, 2, 0, 0])?,
            8 => {
                // Packet id, then filters: a length, the text, the QoS.
                let (mut at, mut answer) = (2, body[..2].to_vec());
                while at + 2 < body.len() {
                    at += 3 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
                    answer.push(1);
                }
                self.stream.write_all(&[0x90, answer.len() as u8])?;
                self.stream.write_all(&answer)?;
            }
            12 => self.stream.write_all(&[0xd0, 0])?,
            3 => self.published(first >> 1 & 3, body)?,
            14 => {}
            other => bail!("packet {other}"),
        }
        Ok(())
    }

    fn published(&mut self, qos: u8, body: &[u8]) -> Result<()> {
        self.bytes += body.len() as u64;
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let (topic, rest) = body[2..].split_at(length);
        let topic = std::str::from_utf8(topic)?;
        let payload = if qos > 0 {
            self.stream.write_all(&[0x40, 2, rest[0], rest[1]])?;
            &rest[2..]
        } else {
            rest
        };
        let parts: Vec<&str> = topic.split('/').collect();
        if let ["spBv1.0", group, verb, edge, ..] = parts[..] {
            if verb == "NBIRTH" {
                self.born(group, edge, payload)?;
            } else if verb.ends_with("DATA") {
                self.data(payload)?;
            }
        }
        Ok(())
    }

    fn born(&mut self, group: &str, edge: &str, payload: &[u8]) -> Result<()> {
        let birth = Payload::from_bytes(payload)?;
        let stream = birth
            .metric(name::STREAM)
            .and_then(|metric| metric.value(None));
        self.journal = stream
            .and_then(|stream| stream.as_u64())
            .context("no stream")?;
        self.command = format!("spBv1.0/{group}/NCMD/{edge}");
        Ok(())
    }

    fn data(&mut self, payload: &[u8]) -> Result<()> {
        let at = now_us();
        let data = Payload::from_bytes(payload)?;
        for seq in data
            .metrics
            .iter()
            .filter_map(|metric| metric.property("seq"))
        {
            println!("alarm {} {at}", seq.as_u64().unwrap_or_default());
        }
        let offset = data
            .metric(name::OFFSET)
            .and_then(|metric| metric.value(None));
        self.committed
            .extend(offset.and_then(|offset| offset.as_u64()));
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<()> {
        if self.committed.is_empty() {
            return Ok(());
        }
        let text = Ack::of(self.journal, &std::mem::take(&mut self.committed)).to_string();
        let metric = Metric::named(name::ACK, DataType::Text, Some(Value::Text(text)));
        let payload = Payload {
            timestamp: Some(1),
            metrics: vec![metric],
            seq: None,
        }
        .to_bytes();
        let mut packet = vec![0x30];
        let mut length = 2 + self.command.len() + payload.len();
        while length >= 0x80 {
            packet.push(length as u8 | 0x80);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend((self.command.len() as u16).to_be_bytes());
        packet.extend(self.command.as_bytes());
        packet.extend(payload);
        // Said before it is acknowledged, so that whoever waits for that may look.
        println!("bytes {}", self.bytes);
        self.stream.write_all(&packet)?;
        Ok(())
    }
}

/// Where the body of the first packet begins and ends, once it is whole.
fn packet(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        if byte & 0x80 == 0 {
            return (bytes.len() > at + length).then_some((at + 1, at + 1 + length));
        }
    }
    None
}
