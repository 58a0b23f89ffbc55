//! The other end in a process of its own: as much of an MQTT broker as one client needs, and twelve gateways behind it. What it costs is not the collector's.

use super::plant::{self, GATEWAYS};
use anyhow::Result;
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

/// Batches of all gateways on the way and not acknowledged.
const WINDOW: u64 = 1_000;

/// What gateways send.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each bench has its own")]
pub(crate) enum Form {
    /// Births, then batches that the collector acknowledges by its command.
    Sparkplug,
    /// InfluxDB's line protocol at QoS 1, for Telegraf, which acknowledges a message when its readings are written.
    Lines,
}

pub(crate) fn serve(form: Form) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let begin_ms = u64::try_from(since.as_millis())? - plant::AGO_MS;
    Feed {
        form,
        stream,
        begin_ms,
        sent: 0,
        acknowledged: 0,
        is_listened_to: false,
    }
    .run()
}

struct Feed {
    form: Form,
    stream: TcpStream,
    begin_ms: u64,
    sent: u64,
    acknowledged: u64,
    is_listened_to: bool,
}

impl Feed {
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
            self.fill()?;
        }
    }

    fn take(&mut self, first: u8, body: &[u8]) -> Result<()> {
        match first >> 4 {
            1 => self.stream.write_all(&[0x20, 2, 0, 0])?,
            8 => {
                let (mut at, mut answer) = (2, body[..2].to_vec());
                while at + 2 < body.len() {
                    at += 3 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
                    answer.push(1);
                }
                self.stream.write_all(&[0x90, answer.len() as u8])?;
                self.stream.write_all(&answer)?;
                if self.form == Form::Sparkplug {
                    self.bear()?;
                }
                self.is_listened_to = true;
            }
            4 => {
                self.acknowledged += 1;
                println!("{}", self.acknowledged);
            }
            12 => self.stream.write_all(&[0xd0, 0])?,
            3 => self.published(first >> 1 & 3, body)?,
            _ => {}
        }
        Ok(())
    }

    fn published(&mut self, qos: u8, body: &[u8]) -> Result<()> {
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let (_, rest) = body[2..].split_at(length);
        if qos > 0 {
            self.stream.write_all(&[0x40, 2, rest[0], rest[1]])?;
            return Ok(());
        }
        let payload = Payload::from_bytes(rest)?;
        let text = payload
            .metric(name::ACK)
            .and_then(|metric| metric.value(None));
        if let Some(ack) = text.as_ref().and_then(Value::as_text).map(Ack::parse) {
            let ranges = ack?.ranges;
            self.acknowledged += ranges
                .iter()
                .map(|range| range.end() - range.start() + 1)
                .sum::<u64>();
            println!("{}", self.acknowledged);
        }
        Ok(())
    }

    fn bear(&mut self) -> Result<()> {
        for gateway in 0..GATEWAYS {
            let edge = format!("site-{gateway}");
            let node = vec![
                Metric::named(name::BD_SEQ, DataType::Int64, Some(Value::Whole(0))),
                Metric::named(
                    name::STREAM,
                    DataType::UInt64,
                    Some(Value::Unsigned(7 + gateway)),
                ),
                Metric::named(name::OFFSET, DataType::UInt64, None).with_alias(1),
                Metric::named(name::MODEL, DataType::Text, Some(Value::Text("{}".into()))),
            ];
            self.publish(&Topic::node("g", Verb::NodeBirth, &edge), node)?;
            let points = (0..plant::points(gateway)).map(|point| {
                Metric::named(format!("P-{point}"), DataType::Double, None).with_alias(2 + point)
            });
            let topic = Topic::device("g", Verb::DeviceBirth, &edge, "D");
            self.publish(&topic, points.collect())?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        while self.is_listened_to && self.sent < self.acknowledged + WINDOW {
            let (gateway, offset) = (self.sent % GATEWAYS, self.sent / GATEWAYS);
            match self.form {
                Form::Sparkplug => {
                    let site = format!("site-{gateway}");
                    let topic = Topic::device("g", Verb::DeviceData, &site, "D").to_string();
                    let payload = plant::batch(gateway, offset, self.begin_ms);
                    self.send(&topic, None, &payload)?;
                }
                Form::Lines => {
                    let payload = plant::lines(gateway, offset, self.begin_ms);
                    let id = (self.sent % 65_535) as u16 + 1;
                    self.send(&format!("plant/site-{gateway}"), Some(id), &payload)?;
                }
            }
            self.sent += 1;
        }
        Ok(())
    }

    fn publish(&mut self, topic: &Topic, metrics: Vec<Metric>) -> Result<()> {
        let payload = Payload {
            timestamp: Some(self.begin_ms),
            metrics,
            seq: None,
        };
        self.send(&topic.to_string(), None, &payload.to_bytes())
    }

    /// At QoS 1 with an id, at QoS 0 without one.
    fn send(&mut self, topic: &str, id: Option<u16>, payload: &[u8]) -> Result<()> {
        let mut packet = vec![if id.is_some() { 0x32 } else { 0x30 }];
        let id = id.map(u16::to_be_bytes);
        let id = id.as_ref().map_or(&[][..], |id| &id[..]);
        let mut length = 2 + topic.len() + id.len() + payload.len();
        while length >= 0x80 {
            packet.push(length as u8 | 0x80);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend((topic.len() as u16).to_be_bytes());
        packet.extend(topic.as_bytes());
        packet.extend(id);
        packet.extend(payload);
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
