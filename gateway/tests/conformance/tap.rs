//! A wire-tap between a gateway and its broker: what the gateway sends, packet by packet.

use bytes::BytesMut;
use rumqttc::Packet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Larger than any birth.
const PACKET_MAX: usize = 16 << 20;

/// One connection: every packet with when it came.
pub(crate) type Packets = Vec<(Instant, Packet)>;

#[derive(Clone, Default)]
pub(crate) struct Tap {
    connections: Arc<Mutex<Vec<Packets>>>,
    cut: Arc<tokio::sync::Notify>,
}

impl Tap {
    /// Listens on a port of its own and passes everything on to the broker's.
    pub(crate) async fn start(broker: u16) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tap = Self::default();
        let own = tap.clone();
        tokio::spawn(async move {
            while let Ok((gateway, _)) = listener.accept().await {
                // A broker that is gone hangs up on its gateway.
                if let Ok(broker) = TcpStream::connect(("127.0.0.1", broker)).await {
                    tokio::spawn(own.clone().carry(gateway, broker));
                }
            }
        });
        (tap, port)
    }

    /// Every connection so far.
    pub(crate) fn connections(&self) -> Vec<Packets> {
        self.connections.lock().unwrap().clone()
    }

    /// Cuts the connections that stand, without a word.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    async fn carry(self, gateway: TcpStream, broker: TcpStream) {
        gateway.set_nodelay(true).unwrap();
        broker.set_nodelay(true).unwrap();
        let number = {
            let mut connections = self.connections.lock().unwrap();
            connections.push(Vec::new());
            connections.len() - 1
        };
        let (mut from_gateway, mut to_gateway) = gateway.into_split();
        let (mut from_broker, mut to_broker) = broker.into_split();
        let down = async move { tokio::io::copy(&mut from_broker, &mut to_gateway).await };
        let up = async {
            let (mut chunk, mut held) = ([0; 4096], BytesMut::new());
            while let Ok(count @ 1..) = from_gateway.read(&mut chunk).await {
                held.extend_from_slice(&chunk[..count]);
                self.note(number, &mut held);
                if to_broker.write_all(&chunk[..count]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            _ = down => {}
            () = up => {}
            () = self.cut.notified() => {}
        }
    }

    fn note(&self, number: usize, held: &mut BytesMut) {
        while let Ok(packet) = Packet::read(held, PACKET_MAX) {
            let mut connections = self.connections.lock().unwrap();
            connections[number].push((Instant::now(), packet));
        }
    }

    /// Waits until a connection's packets are as wanted.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&[Packets]) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !holds(&self.connections()) {
            assert!(Instant::now() < end, "in vain: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
