//! What the slaves of these tests speak over, and the CRC by the book, written apart from the one under test.

use davy_plant::pty::Pty;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where bytes come from and go to.
#[derive(Debug)]
pub(crate) enum Wire {
    Tcp(TcpStream),
    Pty(Pty),
}

impl Wire {
    pub(crate) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into).await,
            Self::Pty(pty) => pty.read(into).await,
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes).await,
            Self::Pty(pty) => pty.write_all(bytes).await,
        }
    }
}

/// The check of an RTU frame, low byte first.
pub(crate) fn crc(bytes: &[u8]) -> [u8; 2] {
    davy_plant::modbus::crc(bytes).to_le_bytes()
}
