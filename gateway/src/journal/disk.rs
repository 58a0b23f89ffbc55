//! The file layer: one directory of append-only files. A seam, so that tests can cut the power, fill the disk and break it.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One directory.
pub trait Disk: Send + Sync + Debug {
    /// Every file's name and length in bytes, in no order.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
    /// Makes a new, empty file to append to; one of this name is emptied.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Cuts a file to `length` bytes and opens it to append to.
    fn reopen(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>>;
    /// Up to `length` bytes from byte `from` on; fewer at the end of the file alone.
    fn read(&self, name: &str, from: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Gives a file another's name, which it replaces.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable: what was made, renamed or removed.
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file, written at its end alone.
pub trait DiskFile: Send + Debug {
    /// Writes all bytes; after an error any part of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory of the machine's file system.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Holds the lock (`flock`) against a second process for as long as it is open; `None` for one that only reads.
    _lock: Option<File>,
}

impl Directory {
    /// Locks the directory itself, not a file in it: that works on a full or read-only disk too.
    pub(super) fn lock(path: &Path) -> io::Result<Self> {
        let lock = File::open(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: Some(lock),
            }),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// A directory that another process may have: to read, and nothing else.
    pub(super) fn look(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            _lock: None,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() => files.push((name, metadata.len())),
                Ok(_) => {}
                // Removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        Ok(Box::new(options.open(self.at(name))?))
    }

    fn reopen(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut file = OpenOptions::new().write(true).open(self.at(name))?;
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Box::new(file))
    }

    fn read(&self, name: &str, from: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.at(name))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
