//! The ledger: every proof and report that ever ended, in `<data>/prove/ledger`, beside the proofs under way in `<data>/prove/drafts`.
//!
//! It is apart from the journal because the journal forgets what the city has, and a gateway must know its due dates for ever. Both hold every proof: the
//! ledger first, synced, then the journal; what was not certainly journalled when the power went is journalled again at the next start.
//!
//! Text, so that an auditor needs no program of ours: UTF-8, a line each, `1 <crc> <entry>\n`: the version of this format; CRC-32C of the entry's bytes, eight
//! hexadecimal digits; the entry, one line of JSON, externally tagged: `{"proof": {…}}`, `{"report": {…}}`, `{"journalled": n}` (everything up to number
//! n is in the journal's file). A line is only ever appended. A torn last line is passed over, and ended when the next is written; any other line
//! that is damaged is passed over and counted. `drafts` holds one line of the same form, `{"drafts": […]}`, replaced whole by a rename.
//!
//! Bound: [`MOST_BYTES`]. Beyond it nothing more is proved here until somebody files the ledger away: it is never shortened by itself.

use super::draft::Draft;
use super::due::Standing;
use super::proof::{Of, Proof};
use super::report::Made;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// A proof takes two to four kilobytes: twenty thousand of them.
const MOST_BYTES: u64 = 64 << 20;
/// Longest line that is read, bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// What goes wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is full ({MOST_BYTES} bytes): file it away and start the gateway again")]
    Full { path: PathBuf },
    #[error("the site file has just changed: ask again")]
    Closed,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    Proof(Box<Proof>),
    Report(Box<Made>),
    Journalled(u64),
    Drafts(Vec<Draft>),
}

/// The ledger and what it comes to.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    standings: BTreeMap<(Of, String), Standing>,
    next: u64,
    /// Entries that may not be in the journal yet.
    unjournalled: Vec<Entry>,
    damaged: usize,
    /// The file ends inside a line.
    torn: bool,
    /// Another ledger has taken over: this one writes no more.
    closed: bool,
}

impl Ledger {
    /// Opens or makes the ledger of a gateway's data.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        let folder = data.join("prove");
        fs::create_dir_all(&folder).map_err(|source| LedgerError::File {
            path: folder.clone(),
            source,
        })?;
        let mut ledger = Self {
            folder,
            standings: BTreeMap::new(),
            next: 1,
            unjournalled: Vec::new(),
            damaged: 0,
            torn: false,
            closed: false,
        };
        let file = ledger.file();
        let (damaged, torn) = each(&file, |entry| ledger.follow(entry))
            .map_err(|source| ledger.trouble(&file, source))?;
        (ledger.damaged, ledger.torn) = (damaged, torn);
        Ok(ledger)
    }

    /// The number that the next proof or report gets.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Lines that could not be read.
    pub const fn damaged(&self) -> usize {
        self.damaged
    }

    /// The newest proofs of a point or output.
    pub fn standing(&self, of: Of, id: &str) -> Standing {
        let found = self.standings.get(&(of, id.to_owned()));
        found.cloned().unwrap_or_default()
    }

    /// The newest moment that it knows.
    pub fn newest_ms(&self) -> Option<i64> {
        let each = self.standings.values();
        each.filter_map(Standing::latest_ms).max()
    }

    /// What may not be in the journal yet, oldest first.
    pub fn unjournalled(&self) -> &[Entry] {
        &self.unjournalled
    }

    /// Appends an entry; it is on disk when this returns.
    pub fn append(&mut self, entry: Entry) -> Result<(), LedgerError> {
        self.is_open()?;
        let path = self.file();
        let length = fs::metadata(&path).map_or(0, |file| file.len());
        if length > MOST_BYTES {
            return Err(LedgerError::Full { path });
        }
        let mut text = line(&entry);
        if self.torn {
            text.insert(0, '\n');
        }
        self.write(&path, text.as_bytes())
            .map_err(|source| self.trouble(&path, source))?;
        self.torn = false;
        self.follow(entry);
        Ok(())
    }

    /// From now on it refuses to write.
    pub fn close(&mut self) {
        self.closed = true;
    }

    fn is_open(&self) -> Result<(), LedgerError> {
        if self.closed {
            Err(LedgerError::Closed)
        } else {
            Ok(())
        }
    }

    /// Every entry, oldest first, for a report. Lines that are damaged are passed over.
    pub fn read(data: &Path, take: impl FnMut(Entry)) -> io::Result<()> {
        each(&data.join("prove/ledger"), take).map(|_| ())
    }

    /// The proofs under way when the gateway ended.
    pub fn drafts(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let read = each(&self.folder.join("drafts"), |entry| {
            if let Entry::Drafts(found) = entry {
                drafts = found;
            }
        });
        if let Err(error) = read {
            tracing::warn!(%error, "cannot read the proofs under way");
        }
        drafts
    }

    /// Keeps the proofs under way, whole.
    pub fn keep(&self, drafts: &[Draft]) -> Result<(), LedgerError> {
        self.is_open()?;
        let path = self.folder.join("drafts");
        let text = line(&Entry::Drafts(drafts.to_vec()));
        davy_print::replace(&path, text.as_bytes()).map_err(|source| self.trouble(&path, source))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    fn trouble(&self, path: &Path, source: io::Error) -> LedgerError {
        LedgerError::File {
            path: path.to_owned(),
            source,
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let before = file.seek(io::SeekFrom::End(0))?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a line must not stand before the next one.
            file.set_len(before)?;
        }
        written?;
        if is_new {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }

    fn follow(&mut self, entry: Entry) {
        match &entry {
            Entry::Proof(proof) => {
                self.next = self.next.max(proof.number + 1);
                let standing = self.standings.entry((proof.of, proof.subject.clone()));
                standing.or_default().follow(proof);
                self.unjournalled.push(entry);
            }
            Entry::Report(made) => {
                self.next = self.next.max(made.number + 1);
                self.unjournalled.push(entry);
            }
            Entry::Journalled(number) => self.unjournalled.retain(|waiting| match waiting {
                Entry::Proof(proof) => proof.number > *number,
                Entry::Report(made) => made.number > *number,
                Entry::Journalled(_) | Entry::Drafts(_) => false,
            }),
            Entry::Drafts(_) => {}
        }
    }
}

/// One line of the format.
fn line(entry: &Entry) -> String {
    // Structures of strings and numbers always have JSON.
    let json = serde_json::to_string(entry).unwrap_or_default();
    format!("1 {:08x} {json}\n", crc32c::crc32c(json.as_bytes()))
}

/// The entry of a line; `None` for one that we never wrote.
fn entry(line: &str) -> Option<Entry> {
    let (crc, json) = line.strip_prefix("1 ")?.split_once(' ')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (crc32c::crc32c(json.as_bytes()) == crc).then_some(())?;
    serde_json::from_str(json).ok()
}

/// Walks a file of lines; answers how many were damaged, and whether the last is torn. A file that is not there is empty.
fn each(path: &Path, mut take: impl FnMut(Entry)) -> io::Result<(usize, bool)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, false)),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::new(file);
    let (mut damaged, mut bytes) = (0, Vec::new());
    loop {
        bytes.clear();
        let read = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok((damaged, false));
        }
        let Some(text) = bytes.strip_suffix(b"\n") else {
            if read as u64 == LONGEST_LINE {
                damaged += 1;
                continue;
            }
            return Ok((damaged, true));
        };
        match std::str::from_utf8(text).ok().and_then(entry) {
            Some(entry) => take(entry),
            None if text.is_empty() => {}
            None => damaged += 1,
        }
    }
}
