//! A site's link to the city: a relay between gateway and broker that a scenario can cut.

use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections relayed at once; more wait in the listener's queue.
const RELAYS_MAX: usize = 8;

/// Relays every connection to `broker` for as long as `cut` says false. A cut ends those that stand and refuses new ones.
pub async fn relay(listener: TcpListener, broker: SocketAddr, cut: watch::Receiver<bool>) {
    let mut relays = JoinSet::new();
    loop {
        if relays.len() >= RELAYS_MAX {
            relays.join_next().await;
        }
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        while relays.try_join_next().is_some() {}
        if *cut.borrow() {
            continue;
        }
        let mut cut = cut.clone();
        relays.spawn(async move {
            tokio::select! {
                _ = cut.wait_for(|cut| *cut) => {}
                result = pass(socket, broker) => {
                    if let Err(error) = result {
                        tracing::debug!(%error, "link to the city ended");
                    }
                }
            }
        });
    }
}

async fn pass(mut site: TcpStream, broker: SocketAddr) -> io::Result<()> {
    let mut city = TcpStream::connect(broker).await?;
    tokio::io::copy_bidirectional(&mut site, &mut city).await?;
    Ok(())
}
