//! A pseudo-terminal that stands for an RS-485 line: the gateway opens the slave's path, the plant holds the master.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{read, ttyname, write};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use tokio::io::unix::AsyncFd;

/// The master's side. The slave is kept open too, so that a gateway that comes and goes never hangs the line up.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    _slave: OwnedFd,
    link: PathBuf,
}

impl Pty {
    /// Opens a raw pair and points the symlink `link` at its slave, in place of an older link.
    pub fn open(link: &Path) -> io::Result<Self> {
        let OpenptyResult { master, slave } = openpty(None, None)?;
        let mut settings = tcgetattr(&slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&slave, SetArg::TCSANOW, &settings)?;
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        match std::fs::remove_file(link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::os::unix::fs::symlink(ttyname(&slave)?, link)?,
        }
        #[expect(
            deprecated,
            reason = "an OwnedFd keeps the descriptor that the safe constructor cannot ask for"
        )]
        Ok(Self {
            master: AsyncFd::new(master)?,
            _slave: slave,
            link: link.to_owned(),
        })
    }

    /// What has come, at least one byte.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            if let Ok(result) = ready.try_io(|fd| read(fd.get_ref(), buffer).map_err(Into::into)) {
                return result;
            }
        }
    }

    /// Hands all bytes to the line.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.master.writable().await?;
            if let Ok(result) = ready.try_io(|fd| write(fd.get_ref(), bytes).map_err(Into::into)) {
                bytes = &bytes[result?..];
            }
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.link);
    }
}
