//! A case file: what the city holds of an incident at a site, for whoever was not there. A ZIP of
//!
//! - `case.pdf`: what happened, on paper, in one language (`pages`);
//! - `<question>.csv` and `readings.parquet`: the whole answers behind it;
//! - `audit-head.txt`: the newest signed head of the audit log, so that the log cannot be written anew under the case;
//! - `case.sig`: the signed list of their hashes (`davy_print::SignedList`).
//!
//! `davy-cloud verify FILE` checks one, with nothing but the file. Whose key signed is told by its fingerprint, which the reader compares.

mod alarmed;
mod chart;
mod pages;

pub(crate) use alarmed::{Alarmed, OfPoint, WITH_SET_POINT};
pub(crate) use chart::{BUCKETS, Chart, Charts, Limit, MOST_CHARTS};
pub(crate) use pages::{MOST_ROWS, Pages, Table};

use davy_print::{Key, SignedList, signed, text_of};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const TITLE: &str = "davy case file 1";
/// The signed list.
pub(crate) const LIST: &str = "case.sig";
/// A list is some kilobytes.
const LONGEST_LIST: u64 = 256 * 1024;
/// Entries of a case.
const MOST_ENTRIES: usize = 100;

/// Why a case file was not made or read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("the ZIP: {0}")]
    Zip(#[from] ZipError),
    #[error(transparent)]
    Print(#[from] davy_print::PrintError),
    #[error("no case file: there is no signed list {LIST} in it")]
    NoList,
}

/// What a case says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) site: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) made: String,
    pub(crate) by: String,
}

impl Facts {
    fn list(&self, key: &Key, entries: &[(String, String)]) -> String {
        let Self {
            site,
            from,
            to,
            made,
            by,
        } = self;
        let mut list = format!(
            "{TITLE}\nsite {site}\nfrom {from}\nto {to}\nmade {made}\nby {}\nkey {}\nfingerprint {}\n",
            one_line(by),
            key.public(),
            key.fingerprint()
        );
        for (name, hash) in entries {
            list += &format!("sha256 {hash} {name}\n");
        }
        list
    }
}

/// A fact is one line, whatever somebody is called.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A file of the case, with its hash.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) hash: String,
    file: File,
}

impl Part {
    /// Of a file that was written, from its beginning.
    pub(crate) fn of(name: &str, mut file: File) -> Result<Self, CaseError> {
        file.seek(SeekFrom::Start(0))?;
        let hash = hash(&mut file)?;
        Ok(Self {
            name: name.to_owned(),
            hash,
            file,
        })
    }

    /// Of bytes, which are put into a file of this folder.
    pub(crate) fn of_bytes(name: &str, bytes: &[u8], folder: &Path) -> Result<Self, CaseError> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(bytes)?;
        Self::of(name, file)
    }
}

/// Packs the parts with their signed list, into a file of this folder.
pub(crate) fn pack(
    facts: &Facts,
    parts: Vec<Part>,
    key: &Key,
    folder: &Path,
) -> Result<File, CaseError> {
    let named = |part: &Part| (part.name.clone(), part.hash.clone());
    let entries: Vec<_> = parts.iter().map(named).collect();
    let list = facts.list(key, &entries);
    let list = signed(&list, &key.sign(list.as_bytes()));
    let mut zip = ZipWriter::new(tempfile::tempfile_in(folder)?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    for mut part in parts {
        part.file.seek(SeekFrom::Start(0))?;
        zip.start_file(part.name, options)?;
        io::copy(&mut part.file, &mut zip)?;
    }
    zip.start_file(LIST, options)?;
    zip.write_all(list.as_bytes())?;
    Ok(zip.finish()?)
}

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Whole,
    Altered,
    Missing,
    /// It is in no list.
    Added,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub fingerprint: String,
    pub site: String,
    pub from: String,
    pub to: String,
    pub made: String,
    /// The list itself is as it was signed.
    pub is_signed: bool,
    pub files: Vec<(String, Found)>,
}

impl Verified {
    /// Signed, and every file is there as it was signed.
    pub fn is_good(&self) -> bool {
        self.is_signed && self.files.iter().all(|(_, found)| *found == Found::Whole)
    }
}

/// Checks a case file.
pub fn verify(path: &Path) -> Result<Verified, CaseError> {
    let mut zip = ZipArchive::new(File::open(path)?)?;
    let mut text = String::new();
    match zip.by_name(LIST) {
        Ok(list) => list.take(LONGEST_LIST).read_to_string(&mut text)?,
        Err(ZipError::FileNotFound) => return Err(CaseError::NoList),
        Err(error) => return Err(error.into()),
    };
    let list = SignedList::read(&text, TITLE).ok_or(CaseError::NoList)?;
    let mut files = Vec::new();
    for (wanted, name) in list.hashes().take(MOST_ENTRIES) {
        let found = match zip.by_name(name) {
            // What cannot be unpacked is altered, as what unpacks to something else.
            Ok(mut entry) => match hash(&mut entry) {
                Ok(hash) if hash == wanted => Found::Whole,
                _ => Found::Altered,
            },
            Err(_) => Found::Missing,
        };
        files.push((name.to_owned(), found));
    }
    let mut added = Vec::new();
    for name in zip.file_names() {
        // A name that cannot be read is none that was signed.
        let name = name.map_or_else(|error| error.to_string(), |name| name.into_owned());
        let is_listed = name == LIST || files.iter().any(|(known, _)| *known == name);
        if !is_listed {
            added.push((name, Found::Added));
        }
    }
    files.extend(added);
    let fact = |key| list.fact(key).unwrap_or_default().to_owned();
    Ok(Verified {
        site: fact("site"),
        from: fact("from"),
        to: fact("to"),
        made: fact("made"),
        is_signed: list.is_signed,
        fingerprint: list.fingerprint.clone(),
        files,
    })
}

fn hash(bytes: &mut impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = bytes.read(&mut piece)?;
        if length == 0 {
            return Ok(text_of(&digest.finalize()));
        }
        digest.update(&piece[..length]);
    }
}
