//! One request and its answer over a wire. Every frame is verified before it is read: on TCP transaction, protocol, length, unit and function; on RTU
//! unit, function, length and CRC. After anything unexpected a TCP connection is dropped, since a late answer would poison the next request; a serial line
//! is drained until it is silent.

use super::pdu::{Fault, Request, crc};
use davy_config::site::{Bus, Link, Parity};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_serial::SerialPortBuilderExt;

/// Longest that a babbling line is drained before the next request is tried all the same.
const DRAIN_MAX: Duration = Duration::from_millis(200);
/// RTU's longest frame.
const FRAME_MAX: usize = 256;

/// An open wire.
#[derive(Debug)]
pub(super) enum Wire {
    Tcp { stream: TcpStream, transaction: u16 },
    Rtu(Rtu),
}

/// A serial line, or a converter that passes its frames on.
pub(super) struct Rtu {
    stream: Box<dyn Stream>,
    /// A silence this long ends a frame (3.5 characters; 1.75 ms above 19,200 baud), plus the bus's own turnaround.
    silence: Duration,
    free_at: Instant,
}

impl std::fmt::Debug for Rtu {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Rtu")
            .field("silence", &self.silence)
            .finish_non_exhaustive()
    }
}

/// Anything that bytes go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

impl Wire {
    /// Opens the bus's link, within its time-out.
    pub(super) async fn open(bus: &Bus) -> io::Result<Self> {
        let limit = Duration::from_millis(u64::from(bus.timeout_ms).max(500));
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        match &bus.link {
            Link::Tcp { host, port } => {
                let stream = timeout(limit, TcpStream::connect((host.as_str(), *port)))
                    .await
                    .map_err(late)??;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp {
                    stream,
                    transaction: 0,
                })
            }
            Link::RtuOverTcp { host, port } => {
                let stream = timeout(limit, TcpStream::connect((host.as_str(), *port)))
                    .await
                    .map_err(late)??;
                stream.set_nodelay(true)?;
                Ok(Self::Rtu(Rtu::new(
                    stream,
                    Duration::from_millis(u64::from(bus.turnaround_ms)),
                )))
            }
            Link::Rtu {
                path,
                baud,
                parity,
                stop_bits,
            } => {
                let parity_setting = match parity {
                    Parity::None => tokio_serial::Parity::None,
                    Parity::Even => tokio_serial::Parity::Even,
                    Parity::Odd => tokio_serial::Parity::Odd,
                };
                let stop = if *stop_bits == 2 {
                    tokio_serial::StopBits::Two
                } else {
                    tokio_serial::StopBits::One
                };
                let port = tokio_serial::new(path.to_string_lossy(), *baud)
                    .parity(parity_setting)
                    .stop_bits(stop);
                let bits = 9 + u32::from(*stop_bits) + u32::from(*parity != Parity::None);
                let silence =
                    silence(*baud, bits) + Duration::from_millis(u64::from(bus.turnaround_ms));
                Ok(Self::Rtu(Rtu::new(port.open_native_async()?, silence)))
            }
        }
    }

    /// Sends a request and reads its answer. After an error other than an exception on TCP, the wire must be opened anew: see [`Wire::is_spent`].
    pub(super) async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        limit: Duration,
    ) -> Result<Vec<u16>, Fault> {
        match self {
            Self::Tcp {
                stream,
                transaction,
            } => {
                *transaction = transaction.wrapping_add(1);
                tcp(stream, *transaction, unit, request, limit).await
            }
            Self::Rtu(rtu) => rtu.exchange(unit, request, limit).await,
        }
    }

    /// Whether a fault has spoilt the wire for further requests.
    pub(super) const fn is_spent(&self, fault: Fault) -> bool {
        match (self, fault) {
            (_, Fault::Exception(_)) => false,
            (_, Fault::LinkDown) | (Self::Tcp { .. }, Fault::Timeout | Fault::BadFrame) => true,
            (Self::Rtu(_), Fault::Timeout | Fault::BadFrame) => false,
        }
    }
}

/// 3.5 characters at the line's speed; above 19,200 baud a fixed 1.75 ms (Modbus over serial line 1.02 §2.5.1.1).
fn silence(baud: u32, bits_per_character: u32) -> Duration {
    if baud > 19_200 {
        Duration::from_micros(1750)
    } else {
        Duration::from_secs_f64(3.5 * f64::from(bits_per_character) / f64::from(baud))
    }
}

async fn tcp(
    stream: &mut TcpStream,
    transaction: u16,
    unit: u8,
    request: &Request,
    limit: Duration,
) -> Result<Vec<u16>, Fault> {
    let mut frame = Vec::with_capacity(16);
    frame.extend(transaction.to_be_bytes());
    frame.extend([0, 0, 0, 0, unit]);
    request.encode(&mut frame);
    let length = (frame.len() - 6) as u16;
    frame[4..6].copy_from_slice(&length.to_be_bytes());
    let talk = async {
        stream.write_all(&frame).await?;
        let mut head = [0; 7];
        stream.read_exact(&mut head).await?;
        let [t1, t2, p1, p2, l1, l2, answering] = head;
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let matches =
            u16::from_be_bytes([t1, t2]) == transaction && (p1, p2) == (0, 0) && answering == unit;
        if !matches || !(2..=254).contains(&length) {
            return Ok(None);
        }
        let mut answer = vec![0; length - 1];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(Some(answer))
    };
    match timeout(limit, talk).await {
        Err(_) => Err(Fault::Timeout),
        Ok(Err(_)) => Err(Fault::LinkDown),
        Ok(Ok(None)) => Err(Fault::BadFrame),
        Ok(Ok(Some(answer))) => request.decode(&answer),
    }
}

impl Rtu {
    /// A line that must be silent for `silence` between an answer and the next request.
    pub(super) fn new(stream: impl Stream + 'static, silence: Duration) -> Self {
        Self {
            stream: Box::new(stream),
            silence,
            free_at: Instant::now(),
        }
    }

    async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        limit: Duration,
    ) -> Result<Vec<u16>, Fault> {
        tokio::time::sleep_until(self.free_at).await;
        self.discard_pending().await?;
        let mut frame = Vec::with_capacity(16);
        frame.push(unit);
        request.encode(&mut frame);
        frame.extend(crc(&frame).to_le_bytes());
        let end = Instant::now() + limit;
        let result = match timeout_at(end, self.talk(&frame, unit, request)).await {
            Err(_) => Err(Fault::Timeout),
            Ok(result) => result,
        };
        if matches!(result, Err(Fault::BadFrame | Fault::Timeout)) {
            self.drain().await?;
        }
        self.free_at = Instant::now() + self.silence;
        result
    }

    async fn talk(&mut self, frame: &[u8], unit: u8, request: &Request) -> Result<Vec<u16>, Fault> {
        self.stream
            .write_all(frame)
            .await
            .map_err(|_| Fault::LinkDown)?;
        self.stream.flush().await.map_err(|_| Fault::LinkDown)?;
        let mut answer = [0_u8; FRAME_MAX];
        self.fill(&mut answer[..2]).await?;
        let length = match answer[1] {
            function if answer[0] == unit && function == request.function() => {
                request.answer_length() + 3
            }
            function if answer[0] == unit && function == request.function() | 0x80 => 5,
            _ => return Err(Fault::BadFrame),
        };
        self.fill(&mut answer[2..length]).await?;
        let (body, check) = answer[..length].split_at(length - 2);
        if check != crc(body).to_le_bytes() {
            return Err(Fault::BadFrame);
        }
        request.decode(&body[1..])
    }

    async fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        self.stream
            .read_exact(buffer)
            .await
            .map(|_| ())
            .map_err(|_| Fault::LinkDown)
    }

    /// What lies in the input before a request answers none of ours.
    async fn discard_pending(&mut self) -> Result<(), Fault> {
        let mut waste = [0; FRAME_MAX];
        loop {
            match timeout(Duration::ZERO, self.stream.read(&mut waste)).await {
                Err(_) => return Ok(()),
                Ok(Ok(0) | Err(_)) => return Err(Fault::LinkDown),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// Reads until the line is silent, or for [`DRAIN_MAX`].
    async fn drain(&mut self) -> Result<(), Fault> {
        let end = Instant::now() + DRAIN_MAX;
        let quiet = self.silence.max(Duration::from_millis(2));
        let mut waste = [0; FRAME_MAX];
        while Instant::now() < end {
            match timeout(quiet, self.stream.read(&mut waste)).await {
                Err(_) => return Ok(()),
                Ok(Ok(0) | Err(_)) => return Err(Fault::LinkDown),
                Ok(Ok(_)) => {}
            }
        }
        Ok(())
    }
}
