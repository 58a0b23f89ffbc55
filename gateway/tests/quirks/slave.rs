//! A slave that holds to the protocol but for the quirk that a list gives it.

use crate::wire::{Wire, crc};
use davy_plant::modbus::{Registers, answer};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpListener;

/// How a slave behaves; what is left out is as the protocol has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quirk {
    /// Holding and input registers alike, by address; those that are left out are refused with exception 2.
    registers: BTreeMap<String, u16>,
    /// Functions that it knows; others are refused with exception 1.
    functions: Option<Vec<u8>>,
    /// Registers that it gives in one answer; more are refused.
    max_count: Option<u16>,
    /// The exception for more than that.
    too_many: Option<u8>,
    /// Requests that are refused with exception 6 before the first is answered.
    busy: usize,
    /// Requests that are not answered at all before the first that is.
    deaf: usize,
    /// Only this unit is answered; to others it says nothing, or this exception.
    only_unit: Option<u8>,
    other_units: Option<u8>,
    /// The unit that every answer carries.
    answers_as: Option<u8>,
    /// The function that every answer with data carries.
    answers_function: Option<u8>,
    /// Exceptions carry the plain function.
    plain_exceptions: bool,
    /// Registers that follow those that were asked for, counted in the answer.
    longer_by: u16,
    /// Registers that are missing from the answer, counted so.
    shorter_by: u16,
    /// Bytes behind the data, inside the frame and not counted by the byte count.
    padding: usize,
    /// What the length field says beside the truth.
    length_off: i16,
    /// The transaction and the protocol that every answer carries.
    transaction: Option<u16>,
    protocol: u16,
    /// Raw bytes around the frame.
    before: Vec<u8>,
    behind: Vec<u8>,
    /// The request comes back before the answer.
    echo: bool,
    crc_swapped: bool,
    delay_ms: u64,
    /// Between two bytes of an answer.
    gap_ms: u64,
    /// It hangs up after each answer.
    hangs_up: bool,
    /// Whoever comes while another is connected is hung up on.
    one_connection: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Tcp,
    Rtu,
}

/// Serves connections for ever.
pub(crate) async fn serve_tcp(listener: TcpListener, framing: Framing, quirk: Quirk) {
    let asked = Arc::new(AtomicUsize::new(0));
    let open = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a socket takes the option");
        let mut slave = Slave::new(Wire::Tcp(stream), framing, quirk.clone(), asked.clone());
        let open = open.clone();
        if open.fetch_add(1, Relaxed) > 0 && quirk.one_connection {
            open.fetch_sub(1, Relaxed);
            continue;
        }
        tokio::spawn(async move {
            // It ends with the connection; the next one is served.
            let _ = slave.serve().await;
            open.fetch_sub(1, Relaxed);
        });
    }
}

/// Serves a serial line for ever.
pub(crate) async fn serve_line(wire: Wire, quirk: Quirk) {
    let mut slave = Slave::new(wire, Framing::Rtu, quirk, Arc::default());
    // It ends with the test.
    let _ = slave.serve().await;
}

struct Slave {
    wire: Wire,
    framing: Framing,
    quirk: Quirk,
    registers: Registers,
    received: Vec<u8>,
    /// Requests over all connections.
    asked: Arc<AtomicUsize>,
}

impl Slave {
    fn new(wire: Wire, framing: Framing, quirk: Quirk, asked: Arc<AtomicUsize>) -> Self {
        let held = quirk.registers.iter();
        let words: BTreeMap<u16, u16> = held
            .map(|(at, word)| (at.parse().expect("an address"), *word))
            .collect();
        let registers = Registers {
            inputs: words.clone(),
            holdings: words,
            ..Registers::default()
        };
        Self {
            wire,
            framing,
            quirk,
            registers,
            received: Vec::new(),
            asked,
        }
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let request = self.request().await?;
            let body = match self.framing {
                Framing::Tcp => &request[6..],
                Framing::Rtu => &request[..request.len() - 2],
            };
            let nth = self.asked.fetch_add(1, Relaxed);
            let (unit, pdu) = (body[0], body[1..].to_vec());
            let Some(answer) = self.answer(nth, unit, &pdu) else {
                continue;
            };
            tokio::time::sleep(Duration::from_millis(self.quirk.delay_ms)).await;
            let frame = self.frame(&request, self.quirk.answers_as.unwrap_or(unit), &answer);
            self.send(&request, &frame).await?;
            if self.quirk.hangs_up {
                return Ok(());
            }
        }
    }

    /// The next whole request: a read, on either framing of one length.
    async fn request(&mut self) -> io::Result<Vec<u8>> {
        let length = match self.framing {
            Framing::Tcp => 12,
            Framing::Rtu => 8,
        };
        let mut chunk = [0; 64];
        while self.received.len() < length {
            match self.wire.read(&mut chunk).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.received.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(self.received.drain(..length).collect())
    }

    /// The PDU of the answer; none where it keeps silent.
    fn answer(&mut self, nth: usize, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
        let quirk = &self.quirk;
        let (function, count) = (pdu[0], u16::from_be_bytes([pdu[3], pdu[4]]));
        let refused = |code: u8| {
            let bit = if quirk.plain_exceptions { 0 } else { 0x80 };
            Some(vec![function | bit, code])
        };
        if quirk.only_unit.is_some_and(|only| only != unit) {
            return quirk.other_units.and_then(refused);
        }
        if nth < quirk.deaf {
            return None;
        }
        if nth < quirk.busy {
            return refused(6);
        }
        if quirk
            .functions
            .as_ref()
            .is_some_and(|known| !known.contains(&function))
        {
            return refused(1);
        }
        if quirk.max_count.is_some_and(|most| count > most) {
            return refused(quirk.too_many.unwrap_or(3));
        }
        let mut answer = answer(&mut self.registers, pdu);
        if answer[0] & 0x80 != 0 {
            return refused(answer[1]);
        }
        let words = usize::from(count + quirk.longer_by - quirk.shorter_by);
        answer[0] = quirk.answers_function.unwrap_or(function);
        answer[1] = (2 * words) as u8;
        answer.resize(2 + 2 * words, 0xee);
        answer.resize(answer.len() + quirk.padding, 0);
        Some(answer)
    }

    fn frame(&self, request: &[u8], unit: u8, pdu: &[u8]) -> Vec<u8> {
        let body = [&[unit], pdu].concat();
        if self.framing == Framing::Rtu {
            let mut check = crc(&body);
            if self.quirk.crc_swapped {
                check.reverse();
            }
            return [&body[..], &check].concat();
        }
        let asked = u16::from_be_bytes([request[0], request[1]]);
        let length = (body.len() as u16).wrapping_add_signed(self.quirk.length_off);
        let head = [
            self.quirk.transaction.unwrap_or(asked),
            self.quirk.protocol,
            length,
        ];
        let head = head.into_iter().flat_map(u16::to_be_bytes);
        head.chain(body).collect()
    }

    async fn send(&mut self, request: &[u8], frame: &[u8]) -> io::Result<()> {
        let echo = if self.quirk.echo { request } else { &[] };
        let bytes = [echo, &self.quirk.before, frame, &self.quirk.behind].concat();
        if self.quirk.gap_ms == 0 {
            return self.wire.write(&bytes).await;
        }
        for byte in bytes {
            self.wire.write(&[byte]).await?;
            tokio::time::sleep(Duration::from_millis(self.quirk.gap_ms)).await;
        }
        Ok(())
    }
}
