//! A serial line with true timing: a request ends after t3.5 of silence, and every byte takes its time on the wire, both ways.

use crate::modbus::{open_rtu, seal_rtu};
use crate::pty::Pty;
use crate::serve::Units;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a unit thinks before it answers.
const THINKING: Duration = Duration::from_millis(4);
/// Longest RTU frame, bytes; a longer run of bytes is noise and dropped whole.
const FRAME_MAX: usize = 256;

/// The two ends that a serial line may have at the plant.
#[derive(Debug)]
pub enum Line {
    Pty(Pty),
    Socket(TcpStream),
}

impl Line {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pty(pty) => pty.read(buffer).await,
            Self::Socket(socket) => socket.read(buffer).await,
        }
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Pty(pty) => pty.write_all(bytes).await,
            Self::Socket(socket) => socket.write_all(bytes).await,
        }
    }
}

/// Time of `bytes` characters of ten bits (8N1) on the wire.
pub fn wire_time(bytes: usize, baud: u32) -> Duration {
    Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(baud))
}

/// Silence that ends a frame: 3.5 characters of eleven bits, fixed at 1.75 ms above 19,200 baud (Modbus over serial line V1.02, 2.5.1.1).
pub fn frame_gap(baud: u32) -> Duration {
    if baud > 19_200 {
        return Duration::from_micros(1750);
    }
    Duration::from_secs_f64(3.5 * 11.0 / f64::from(baud))
}

/// Answers requests until the line ends. Frames that are broken, for absent units or broadcast get no answer.
pub async fn serve(mut line: Line, baud: u32, units: Arc<Units>) -> io::Result<()> {
    let mut frame = Vec::with_capacity(FRAME_MAX);
    loop {
        receive(&mut line, baud, &mut frame).await?;
        let Some((unit, pdu)) = open_rtu(&frame) else {
            continue;
        };
        if let Some(response) = units.answer(unit, pdu) {
            let start = Instant::now() + THINKING;
            if unit != 0 {
                send(&mut line, baud, &seal_rtu(unit, &response), start).await?;
            }
        }
    }
}

/// Reads one frame: whatever comes until the line is silent for t3.5, and no earlier than the bytes would have taken to arrive.
async fn receive(line: &mut Line, baud: u32, frame: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0u8; FRAME_MAX];
    frame.clear();
    let count = line.read(&mut buffer).await?;
    let begun = Instant::now();
    let (mut count, mut total) = (count, 0);
    loop {
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        total += count;
        if total <= FRAME_MAX {
            frame.extend_from_slice(&buffer[..count]);
        } else {
            frame.clear();
        }
        match timeout(frame_gap(baud), line.read(&mut buffer)).await {
            Ok(more) => count = more?,
            Err(_) => break,
        }
    }
    sleep_until(begun + wire_time(total, baud) + frame_gap(baud)).await;
    Ok(())
}

/// Writes each byte when its last bit would have left the wire; bytes due at once go together.
async fn send(line: &mut Line, baud: u32, bytes: &[u8], start: Instant) -> io::Result<()> {
    let mut sent = 0;
    while sent < bytes.len() {
        sleep_until(start + wire_time(sent + 1, baud)).await;
        let passed = start.elapsed().as_secs_f64() * f64::from(baud) / 10.0;
        let due = (passed as usize).clamp(sent + 1, bytes.len());
        line.write_all(&bytes[sent..due]).await?;
        sent = due;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_at_9600_takes_a_little_over_a_millisecond() {
        assert_eq!(wire_time(96, 9600), Duration::from_millis(100));
        assert!((3.9e-3..4.1e-3).contains(&frame_gap(9600).as_secs_f64()));
        assert_eq!(frame_gap(115_200), Duration::from_micros(1750));
    }
}
