//! The units of one bus, and the Modbus TCP server in front of them.

use crate::modbus::{Mbap, Registers, answer};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Clients that one bus serves at once; more wait in the listener's queue.
const CLIENTS_MAX: usize = 16;

/// One unit: its registers, and whether it has power.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    pub registers: Registers,
    pub dead: bool,
}

/// The units of a bus by unit id. Shared by the server that answers and the process that shows.
#[derive(Debug, Default)]
pub struct Units(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    units: BTreeMap<u8, Unit>,
    cut: bool,
}

impl Units {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Registers are plain numbers: a holder that panicked leaves none of them half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of a unit; `None` from a dead or absent one and over a cut cable. Unit 0 is all units, and answers to nobody.
    pub fn answer(&self, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
        let mut inner = self.lock();
        if inner.cut {
            return None;
        }
        if unit == 0 {
            for unit in inner.units.values_mut().filter(|unit| !unit.dead) {
                answer(&mut unit.registers, pdu);
            }
            return None;
        }
        let unit = inner.units.get_mut(&unit).filter(|unit| !unit.dead)?;
        Some(answer(&mut unit.registers, pdu))
    }

    /// Lets the caller change one unit, which is created on first use.
    pub fn with<T>(&self, unit: u8, change: impl FnOnce(&mut Unit) -> T) -> T {
        change(self.lock().units.entry(unit).or_default())
    }

    /// Cuts or mends the cable of all units.
    pub fn cut(&self, cut: bool) {
        self.lock().cut = cut;
    }
}

/// Serves Modbus TCP. A client that sends what is no Modbus is hung up on; a silent unit leaves the request unanswered.
pub async fn tcp(listener: TcpListener, units: Arc<Units>) {
    accept(listener, move |socket| client(socket, units.clone())).await;
}

/// Serves RTU frames through a socket, one line shared by its clients as a converter does.
pub async fn rtu_over_tcp(listener: TcpListener, baud: u32, units: Arc<Units>) {
    accept(listener, move |socket| {
        crate::line::serve(crate::line::Line::Socket(socket), baud, units.clone())
    })
    .await;
}

async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    let mut clients = tokio::task::JoinSet::new();
    while let Ok(place) = places.clone().acquire_owned().await {
        while clients.try_join_next().is_some() {}
        let Ok((socket, peer)) = listener.accept().await else {
            // Out of descriptors, say: the next round tries again, after a breath.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let _ = socket.set_nodelay(true);
        let served = serve(socket);
        clients.spawn(async move {
            if let Err(error) = served.await {
                tracing::debug!(%peer, %error, "client left");
            }
            drop(place);
        });
    }
}

async fn client(mut socket: TcpStream, units: Arc<Units>) -> io::Result<()> {
    loop {
        let mut header = [0u8; 7];
        socket.read_exact(&mut header).await?;
        let Some(header) = Mbap::open(header) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut pdu = vec![0u8; header.pdu_length];
        socket.read_exact(&mut pdu).await?;
        if let Some(response) = units.answer(header.unit, &pdu) {
            socket.write_all(&header.seal(&response)).await?;
        }
    }
}
