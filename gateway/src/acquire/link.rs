//! A bus's link: opened within its time-out, spoken over by one exchange at a time, opened anew when it is spoilt.

use super::pdu::{Fault, Request};
use super::rtu::{self, Rtu};
use super::tcp::Tcp;
use davy_config::site::{self, Bus, Parity};
use futures_util::future::BoxFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

/// Over a converter no line speed is known: this much silence ends a frame, besides the bus's turnaround.
pub(super) const CONVERTER_SILENCE: Duration = Duration::from_millis(2);

/// Opens one end of a stream to a bus's server; the other end is in somebody else's hands.
pub type Plug = Arc<dyn Fn(&Bus) -> BoxFuture<'static, io::Result<DuplexStream>> + Send + Sync>;

/// Where buses are.
#[derive(Clone)]
pub enum Lines {
    /// At this machine's ports and network.
    Machine,
    /// Streams in memory that carry Modbus TCP: a simulation's plant.
    Given(Plug),
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Machine => "Machine",
            Self::Given(_) => "Given",
        })
    }
}

impl Lines {
    /// Opens a bus's link.
    pub(super) async fn open(&self, bus: &Bus) -> io::Result<Link> {
        match self {
            Self::Machine => Link::open(bus).await,
            Self::Given(plug) => Ok(Link::Memory(Tcp::new(plug(bus).await?))),
        }
    }
}

/// An open link.
#[derive(Debug)]
pub(crate) enum Link {
    Tcp(Tcp<TcpStream>),
    Converter(Rtu<TcpStream>),
    Serial(Rtu<SerialStream>),
    Memory(Tcp<DuplexStream>),
}

impl Link {
    /// Opens the bus's link. TCP may take the bus's time-out; a serial port is there or is not.
    pub(crate) async fn open(bus: &Bus) -> io::Result<Self> {
        let limit = Duration::from_millis(u64::from(bus.timeout_ms));
        let turnaround = Duration::from_millis(u64::from(bus.turnaround_ms));
        Ok(match &bus.link {
            site::Link::Tcp { host, port } => {
                Self::Tcp(Tcp::new(connect(host, *port, limit).await?))
            }
            site::Link::RtuOverTcp { host, port } => Self::Converter(Rtu::new(
                connect(host, *port, limit).await?,
                CONVERTER_SILENCE + turnaround,
            )),
            site::Link::Rtu {
                path,
                baud,
                parity,
                stop_bits,
            } => {
                let bits = bits_per_character(*parity, *stop_bits);
                let port = tokio_serial::new(path.to_string_lossy(), *baud)
                    .parity(parity_setting(*parity))
                    .stop_bits(stop_bits_setting(*stop_bits));
                let silence = rtu::silence(*baud, bits) + turnaround;
                Self::Serial(
                    Rtu::new(port.open_native_async()?, silence).with_byte(rtu::byte(*baud, bits)),
                )
            }
        })
    }

    /// Sends a request and reads its answer into `words`.
    pub(crate) async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        limit: Duration,
        words: &mut Vec<u16>,
    ) -> Result<(), Fault> {
        match self {
            Self::Tcp(tcp) => tcp.exchange(unit, request, limit, words).await,
            Self::Converter(rtu) => rtu.exchange(unit, request, limit, words).await,
            Self::Serial(rtu) => rtu.exchange(unit, request, limit, words).await,
            Self::Memory(tcp) => tcp.exchange(unit, request, limit, words).await,
        }
    }

    /// Whether the link must be opened anew after this outcome.
    pub(crate) const fn is_spent(&self, outcome: Result<(), Fault>) -> bool {
        match (self, outcome) {
            (_, Err(Fault::LinkDown)) => true,
            (Self::Tcp(tcp), _) => tcp.is_spent(),
            (Self::Memory(tcp), _) => tcp.is_spent(),
            // A converter may have lost the connection without a word; of a line nothing is won by opening it anew.
            (Self::Converter(rtu), _) => rtu.is_silent(),
            (Self::Serial(_), _) => false,
        }
    }

    /// Whether the last request went out, where that matters: where answers have no number.
    pub(super) const fn has_sent(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Memory(_) => true,
            Self::Converter(rtu) => rtu.has_sent(),
            Self::Serial(rtu) => rtu.has_sent(),
        }
    }

    /// Discarded answers since this was last called.
    pub(super) fn take_strays(&mut self) -> u64 {
        match self {
            Self::Tcp(tcp) => tcp.take_strays(),
            Self::Converter(rtu) => rtu.take_strays(),
            Self::Serial(rtu) => rtu.take_strays(),
            Self::Memory(tcp) => tcp.take_strays(),
        }
    }
}

/// A start bit, eight of data, the parity bit if there is one, and the stop bits.
pub(super) fn bits_per_character(parity: Parity, stop_bits: u8) -> u32 {
    9 + u32::from(stop_bits) + u32::from(parity != Parity::None)
}

/// Whether answers carry no transaction number, so that a late one could be taken for another's.
pub(crate) const fn is_untagged(link: &site::Link) -> bool {
    match link {
        site::Link::Tcp { .. } => false,
        site::Link::RtuOverTcp { .. } | site::Link::Rtu { .. } => true,
    }
}

async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let stream = timeout(limit, TcpStream::connect((host, port)))
        .await
        .map_err(io::Error::from)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

const fn parity_setting(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

const fn stop_bits_setting(bits: u8) -> tokio_serial::StopBits {
    if bits == 2 {
        tokio_serial::StopBits::Two
    } else {
        tokio_serial::StopBits::One
    }
}
