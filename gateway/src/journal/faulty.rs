//! A disk in memory that fails as real ones do: it loses what was not synced, tears what was half written, fills up, and forgets pages after a
//! failed `fsync` while it still shows them to readers. All by one seed.

use super::disk::{Disk, DiskFile};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A small generator of which a failing test only needs the seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end.max(1)
    }

    pub fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// What readers see.
    seen: Vec<u8>,
    /// What survives a power cut for certain.
    durable: Vec<u8>,
    /// Written, and forgotten by a failed sync: a later sync does not bring it back.
    forgotten: Vec<std::ops::Range<usize>>,
    /// Cut shorter since it was last synced.
    cut: bool,
}

#[derive(Clone, Copy, Debug)]
enum Naming {
    Set(usize),
    Removed,
}

#[derive(Debug)]
struct Sim {
    dice: Dice,
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Name changes since they were last synced, in order.
    namings: Vec<(String, Naming)>,
    /// Changes until the power goes.
    until_cut: Option<u64>,
    /// One in so many syncs fails; 0 = none.
    failing_syncs: u64,
    /// Every change fails with this.
    broken: Option<io::ErrorKind>,
    /// Bytes of all files together.
    quota: Option<usize>,
}

/// Cheap to clone; every clone is the same disk.
#[derive(Clone, Debug)]
pub struct FaultyDisk(Arc<Mutex<Sim>>);

#[derive(Debug)]
struct FaultyFile(FaultyDisk, usize);

impl FaultyDisk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Sim {
            dice: Dice::new(seed ^ 0xd15c),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            namings: Vec::new(),
            until_cut: None,
            failing_syncs: 0,
            broken: None,
            quota: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Sim> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn cut_after(&self, changes: u64) {
        self.lock().until_cut = Some(changes);
    }

    pub fn is_cut(&self) -> bool {
        self.lock().until_cut == Some(0)
    }

    pub fn fail_syncs(&self, one_in: u64) {
        self.lock().failing_syncs = one_in;
    }

    pub fn breaks(&self, kind: Option<io::ErrorKind>) {
        self.lock().broken = kind;
    }

    pub fn quota(&self, bytes: Option<usize>) {
        self.lock().quota = bytes;
    }

    /// Bytes of all files as readers see them.
    pub fn bytes(&self) -> usize {
        self.lock().used()
    }

    pub fn names(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }

    pub fn content(&self, name: &str) -> Vec<u8> {
        let sim = self.lock();
        sim.files[sim.names[name]].seen.clone()
    }

    /// Puts a file there as if it always had been.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut sim = self.lock();
        sim.files.push(Content {
            durable: bytes.clone(),
            seen: bytes,
            ..Content::default()
        });
        let file = sim.files.len() - 1;
        sim.names.insert(name.to_owned(), file);
        sim.durable_names.insert(name.to_owned(), file);
    }

    /// The power is back: what is left is what was durable, and whatever chance adds of the rest.
    pub fn power_on(&self) {
        let mut sim = self.lock();
        let sim = &mut *sim;
        let kept = sim.dice.below(sim.namings.len() as u64 + 1) as usize;
        for (name, naming) in sim.namings.drain(..).take(kept) {
            match naming {
                Naming::Set(file) => sim.durable_names.insert(name, file),
                Naming::Removed => sim.durable_names.remove(&name),
            };
        }
        sim.names = sim.durable_names.clone();
        for file in &mut sim.files {
            file.survive(&mut sim.dice);
        }
        sim.until_cut = None;
    }
}

impl Content {
    /// Of the unsynced bytes a part of chance length is left, some of its sectors never written.
    fn survive(&mut self, dice: &mut Dice) {
        let mut seen = std::mem::take(&mut self.seen);
        if !seen.starts_with(&self.durable) {
            // Cut shorter, or forgotten in between.
            seen = if dice.one_in(2) {
                self.synced(seen)
            } else {
                self.durable.clone()
            };
        }
        let unsynced = seen.len().saturating_sub(self.durable.len()) as u64;
        let length = self.durable.len() + dice.below(unsynced + 1) as usize;
        let durable = self.durable.len();
        for sector in (durable..length).step_by(64) {
            if dice.one_in(4) {
                seen[sector..length.min(sector + 64)].fill(0);
            }
        }
        seen.truncate(length.max(durable.min(seen.len())));
        self.durable.clone_from(&seen);
        self.seen = seen;
        self.forgotten.clear();
        self.cut = false;
    }

    fn sync(&mut self) {
        if self.cut || !self.forgotten.is_empty() {
            self.durable = self.synced(self.seen.clone());
            self.cut = false;
        } else {
            let durable = self.durable.len();
            self.durable.extend_from_slice(&self.seen[durable..]);
        }
    }

    fn synced(&self, mut seen: Vec<u8>) -> Vec<u8> {
        for range in &self.forgotten {
            let end = range.end.min(seen.len());
            if range.start < end {
                seen[range.start..end].fill(0);
            }
        }
        seen
    }
}

impl Sim {
    fn used(&self) -> usize {
        self.names
            .values()
            .map(|file| self.files[*file].seen.len())
            .sum()
    }

    /// Whether a change may happen.
    fn change(&mut self) -> io::Result<()> {
        if let Some(kind) = self.broken {
            return Err(kind.into());
        }
        match &mut self.until_cut {
            Some(0) => Err(io::Error::other("no power")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn name(&mut self, name: &str, naming: Naming) {
        match naming {
            Naming::Set(file) => self.names.insert(name.to_owned(), file),
            Naming::Removed => self.names.remove(name),
        };
        self.namings.push((name.to_owned(), naming));
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let sim = self.lock();
        let length = |file: &usize| sim.files[*file].seen.len() as u64;
        Ok(sim
            .names
            .iter()
            .map(|(name, file)| (name.clone(), length(file)))
            .collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut sim = self.lock();
        sim.change()?;
        sim.files.push(Content::default());
        let file = sim.files.len() - 1;
        sim.name(name, Naming::Set(file));
        Ok(Box::new(FaultyFile(self.clone(), file)))
    }

    fn reopen(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut sim = self.lock();
        sim.change()?;
        let file = sim.find(name)?;
        let file_now = &mut sim.files[file];
        file_now.cut |= (length as usize) < file_now.seen.len();
        file_now.seen.resize(length as usize, 0);
        Ok(Box::new(FaultyFile(self.clone(), file)))
    }

    fn read(&self, name: &str, from: u64, length: usize) -> io::Result<Vec<u8>> {
        let sim = self.lock();
        let seen = &sim.files[sim.find(name)?].seen;
        let from = (from as usize).min(seen.len());
        Ok(seen[from..seen.len().min(from.saturating_add(length))].to_vec())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut sim = self.lock();
        sim.change()?;
        let file = sim.find(from)?;
        // One step, as journalling file systems do it.
        sim.names.remove(from);
        sim.name(to, Naming::Set(file));
        sim.namings.push((from.to_owned(), Naming::Removed));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut sim = self.lock();
        sim.change()?;
        sim.find(name)?;
        sim.name(name, Naming::Removed);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut sim = self.lock();
        sim.change()?;
        sim.namings.clear();
        sim.durable_names = sim.names.clone();
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sim = self.0.lock();
        let allowed = sim.change();
        let mut room = bytes.len();
        if let Some(quota) = sim.quota {
            room = room.min(quota.saturating_sub(sim.used()));
        }
        if allowed.is_err() {
            room = sim.dice.below(room as u64 + 1) as usize;
        }
        sim.files[self.1].seen.extend_from_slice(&bytes[..room]);
        allowed?;
        if room < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut sim = self.0.lock();
        sim.change()?;
        let one_in = sim.failing_syncs;
        let fails = one_in > 0 && sim.dice.one_in(one_in);
        let file = &mut sim.files[self.1];
        if fails {
            let from = file.durable.len().min(file.seen.len());
            file.forgotten.push(from..file.seen.len());
            return Err(io::Error::other("the device failed"));
        }
        file.sync();
        Ok(())
    }
}
