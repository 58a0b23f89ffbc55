//! The Modbus TCP server that all three read: one listener a client, the same registers behind each, and a log of what was answered when.
//!
//! A register's value tells which answer carried it: register `r` of the `n`th answer of a unit holds `n + r`. So each answer is new to the client
//! (nothing can be left out as unchanged), and whatever arrives at the broker names the answer it came from.

use super::{READ_ANSWERS_MAX, REGISTERS, UNITS};
use anyhow::{Context, Result};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Function, address and quantity of a read of registers.
const REQUEST_BYTES: usize = 5;
const READ_HOLDINGS: u8 = 3;
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;

/// One client's view of the simulated devices.
#[derive(Debug)]
pub struct Served {
    port: u16,
    answers: Answers,
    task: JoinHandle<()>,
}

/// When each answer of each unit was sent.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<[Vec<Instant>; UNITS]>>);

impl Served {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no loopback port is free")?;
        let (port, answers) = (listener.local_addr()?.port(), Answers::default());
        let task = tokio::spawn(accept(listener, answers.clone()));
        Ok(Self {
            port,
            answers,
            task,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn answers(&self) -> Answers {
        self.answers.clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, [Vec<Instant>; UNITS]> {
        // Times are only ever appended: a holder that panicked leaves a whole list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the `number`th answer of a unit (both from 1) was sent.
    pub fn at(&self, unit: usize, number: usize) -> Option<Instant> {
        let position = number.checked_sub(1)?;
        self.lock()
            .get(unit.checked_sub(1)?)?
            .get(position)
            .copied()
    }

    /// When a unit answered, in order.
    pub fn of(&self, unit: usize) -> Vec<Instant> {
        unit.checked_sub(1)
            .and_then(|position| self.lock().get(position).cloned())
            .unwrap_or_default()
    }

    /// Notes an answer sent at a moment and returns its number, from 1; `None` when the log is full, and for a unit that is none.
    pub fn note_at(&self, unit: usize, at: Instant) -> Option<usize> {
        let mut all = self.lock();
        let own = all.get_mut(unit.checked_sub(1)?)?;
        if own.len() >= READ_ANSWERS_MAX {
            return None;
        }
        own.push(at);
        Some(own.len())
    }
}

async fn accept(listener: TcpListener, answers: Answers) {
    // One client a listener, and it may come back: one connection at a time is enough.
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        // A client that leaves or sends what is no Modbus is hung up on.
        let _ = serve(socket, &answers).await;
    }
}

async fn serve(mut socket: TcpStream, answers: &Answers) -> io::Result<()> {
    loop {
        let mut frame = [0_u8; 7 + REQUEST_BYTES];
        socket.read_exact(&mut frame).await?;
        if frame[2..6] != [0, 0, 0, 1 + REQUEST_BYTES as u8] {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let body = respond(&frame[7..], usize::from(frame[6]), answers);
        let length = u16::try_from(body.len() + 1).map_err(io::Error::other)?;
        let mut response = frame[..4].to_vec();
        response.extend(length.to_be_bytes());
        response.push(frame[6]);
        response.extend(body);
        socket.write_all(&response).await?;
    }
}

fn respond(request: &[u8], unit: usize, answers: &Answers) -> Vec<u8> {
    let word = |at: usize| usize::from(u16::from_be_bytes([request[at], request[at + 1]]));
    let (function, from, count) = (request[0], word(1), word(3));
    if function != READ_HOLDINGS {
        return vec![function | 0x80, ILLEGAL_FUNCTION];
    }
    if count == 0 || count > 125 || from + count > REGISTERS {
        return vec![function | 0x80, ILLEGAL_ADDRESS];
    }
    let Some(number) = answers.note_at(unit, Instant::now()) else {
        return vec![function | 0x80, ILLEGAL_ADDRESS];
    };
    let values = (from..from + count).map(|register| (number + register) as u16);
    let mut response = vec![function, (count * 2) as u8];
    response.extend(values.flat_map(u16::to_be_bytes));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_names_the_answer_that_carried_it() {
        let answers = Answers::default();
        let read = [3, 0, 2, 0, 2];
        assert_eq!(respond(&read, 4, &answers), [3, 4, 0, 3, 0, 4]);
        assert_eq!(respond(&read, 4, &answers), [3, 4, 0, 4, 0, 5]);
        assert_eq!(respond(&read, 5, &answers), [3, 4, 0, 3, 0, 4]);
        assert_eq!(answers.of(4).len(), 2);
        assert!(answers.at(4, 2) >= answers.at(4, 1));
        assert_eq!(answers.at(4, 3), None);
    }

    #[test]
    fn what_it_does_not_have_is_an_exception_and_counts_as_no_answer() {
        let answers = Answers::default();
        assert_eq!(respond(&[3, 0, 0, 0, 101], 1, &answers), [0x83, 2]);
        assert_eq!(respond(&[4, 0, 0, 0, 1], 1, &answers), [0x84, 1]);
        assert_eq!(respond(&[3, 0, 0, 0, 1], 11, &answers), [0x83, 2]);
        assert!(answers.of(1).is_empty());
    }
}
