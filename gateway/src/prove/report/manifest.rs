//! The signed list of a report, `proof-<site>-<number>.sig`: what the files are, by their hashes. Text, one fact a line, in this order:
//!
//! ```text
//! davy proof report 1
//! site tank-farm
//! number 7
//! made 2026-11-28 23:50:00 +08:00
//! clock synchronised
//! by wang
//! key <public key, 64 hexadecimal digits>
//! fingerprint 0123 4567 89ab cdef 0123 4567 89ab cdef
//! sha256 <64 hexadecimal digits> proof-tank-farm-7.zh.csv
//! …
//! signature <128 hexadecimal digits>
//! ```
//!
//! The signature is Ed25519 over every byte before the last line. Any program that knows Ed25519 and SHA-256 can check it.

use super::content::moment;
use super::{Facts, ReportError};
use davy_print::{SignedList, sha256};
use std::path::{Path, PathBuf};

const TITLE: &str = "davy proof report 1";
/// A list is a few hundred bytes.
const LONGEST: u64 = 64 << 10;

/// The list without its signature.
pub(super) fn text(
    site: &str,
    facts: &Facts,
    fingerprint: &str,
    files: &[(String, Vec<u8>)],
) -> String {
    let mut text = format!(
        "{TITLE}\nsite {site}\nnumber {}\nmade {} +08:00\nclock {}\nby {}\nkey {}\nfingerprint {fingerprint}\n",
        facts.number,
        moment(facts.made_ms),
        facts.clock,
        facts.by,
        facts.public,
    );
    for (name, bytes) in files {
        text += &format!("sha256 {} {name}\n", sha256(bytes));
    }
    text
}

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Whole,
    Altered,
    Missing,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub fingerprint: String,
    pub site: String,
    pub made: String,
    /// The list itself is as it was signed.
    pub signature: bool,
    pub files: Vec<(String, Found)>,
}

impl Verified {
    /// Nothing was altered. A file that is not there is not altered: somebody may have been sent one of them.
    pub fn is_good(&self) -> bool {
        let altered = |(_, found): &(String, Found)| *found == Found::Altered;
        let any = self.files.iter().any(|(_, found)| *found == Found::Whole);
        self.signature && any && !self.files.iter().any(altered)
    }
}

/// Checks a report by any of its files: the list lies beside it.
pub fn verify(path: &Path) -> Result<Verified, ReportError> {
    let list = list_of(path);
    let trouble = |source| ReportError::File {
        path: list.clone(),
        source,
    };
    let size = std::fs::metadata(&list).map_err(trouble)?.len();
    let text = std::fs::read(&list).map_err(trouble)?;
    let text = String::from_utf8(text).ok().filter(|_| size <= LONGEST);
    let no_list = || ReportError::Manifest(list.clone());
    let text = text.ok_or_else(no_list)?;
    let read = SignedList::read(&text, TITLE).ok_or_else(no_list)?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let mut files: Vec<(String, Found)> = read
        .hashes()
        .map(|(hash, name)| (name.to_owned(), held_against(folder, name, hash)))
        .collect();
    let asked = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    // A file under another name is none that was signed.
    if let Some(asked) =
        asked.filter(|asked| path != list && !files.iter().any(|(name, _)| name == asked))
    {
        files.push((asked, Found::Altered));
    }
    Ok(Verified {
        site: read.fact("site").unwrap_or_default().to_owned(),
        made: read.fact("made").unwrap_or_default().to_owned(),
        signature: read.is_signed,
        // Of the key that is used, never as the list says.
        fingerprint: read.fingerprint,
        files,
    })
}

/// `proof-x-7.zh.pdf` and its like belong to `proof-x-7.sig`.
fn list_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let known = [".zh.pdf", ".en.pdf", ".zh.csv", ".en.csv"];
    let stem = known.iter().find_map(|end| name.strip_suffix(end));
    match stem {
        Some(stem) => path.with_file_name(format!("{stem}.sig")),
        None => path.to_owned(),
    }
}

fn held_against(folder: &Path, name: &str, hash: &str) -> Found {
    // A list names files beside it, whatever somebody wrote into it.
    if name.contains(['/', '\\']) {
        return Found::Altered;
    }
    match std::fs::read(folder.join(name)) {
        Ok(bytes) if sha256(&bytes) == hash => Found::Whole,
        Ok(_) => Found::Altered,
        Err(_) => Found::Missing,
    }
}
