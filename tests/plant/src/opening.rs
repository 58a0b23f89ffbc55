//! Opens the wires of a site: sockets, serial lines, the link to the city.

use crate::layout::Wire;
use crate::line::{Line, serve as serve_line};
use crate::pty::Pty;
use crate::running::{Address, Options, PlantError};
use crate::serve::{self, Units};
use crate::wan;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

async fn listen(port: Option<u16>) -> Result<(TcpListener, SocketAddr), PlantError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let failed = |source| PlantError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

pub(crate) async fn open(
    wire: &Wire,
    site: &str,
    bus: &str,
    port: &mut Option<u16>,
    options: &Options,
    units: &Arc<Units>,
    tasks: &mut JoinSet<()>,
) -> Result<Address, PlantError> {
    let units = units.clone();
    if let Wire::Pty { baud } = *wire {
        let path = options.dir.join(format!("{site}-{bus}"));
        let pty = Pty::open(&path).map_err(|source| PlantError::Pty {
            path: path.clone(),
            source,
        })?;
        tasks.spawn(async move {
            if let Err(error) = serve_line(Line::Pty(pty), baud, units).await {
                tracing::error!(%error, "serial line ended");
            }
        });
        return Ok(Address::Path(path));
    }
    let (listener, address) = listen(*port).await?;
    *port = port.map(|port| port + 1);
    match *wire {
        Wire::RtuOverTcp { baud } => tasks.spawn(serve::rtu_over_tcp(listener, baud, units)),
        Wire::Tcp | Wire::Pty { .. } => tasks.spawn(serve::tcp(listener, units)),
    };
    Ok(Address::Socket(address))
}

pub(crate) async fn open_wan(
    port: Option<u16>,
    broker: SocketAddr,
    cut: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, PlantError> {
    let (listener, address) = listen(port).await?;
    tasks.spawn(wan::relay(listener, broker, cut));
    Ok(address)
}
