//! A disk that says that it has synced, and has not.

use davy_gateway::journal::faulty::FaultyDisk;
use davy_gateway::journal::{Disk, DiskFile};
use std::io;

#[derive(Debug)]
pub(crate) struct Liar(pub(crate) FaultyDisk);

#[derive(Debug)]
struct LyingFile(Box<dyn DiskFile>);

impl Disk for Liar {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(LyingFile(self.0.create(name)?)))
    }

    fn reopen(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(LyingFile(self.0.reopen(name, length)?)))
    }

    fn read(&self, name: &str, from: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read(name, from, length)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }
}

impl DiskFile for LyingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
