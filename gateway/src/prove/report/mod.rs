//! The report of what is proved: a PDF and a CSV in each language, and a signed list of their hashes (docs/proving.md).
//!
//! `content` gathers → `sheet` lays out for `davy_print`, `csv` writes → `manifest` signs and verifies. Files lie in `<data>/prove/reports/<number>/`.

mod content;
mod csv;
mod manifest;
mod sheet;
#[cfg(test)]
mod tests;

pub(super) use content::Content;
pub(super) use content::day;
pub use manifest::{Found, Verified, verify};

use davy_config::Language;
use davy_print::{PrintError, Type, sha256};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the gateway has no key to sign with: {0}")]
    NoKey(String),
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("{0} is no list of a report")]
    Manifest(PathBuf),
}

/// What a report says of itself.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub number: u64,
    /// A person's id and name.
    pub by: String,
    pub name: String,
    pub made_ms: i64,
    pub clock: String,
    /// The public key, hexadecimal.
    pub public: String,
}

/// A report that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub number: u64,
    pub by: String,
    pub name: String,
    pub made_ms: i64,
    pub clock: String,
    pub fingerprint: String,
    /// SHA-256 of the signed list, hexadecimal.
    pub digest: String,
    /// Names of its files, the signed list last.
    pub files: Vec<String>,
}

/// Makes the files of a report and signs them.
pub(super) fn make(
    data: &Path,
    content: &Content,
    facts: Facts,
    sign: impl Fn(&[u8]) -> Option<String>,
) -> Result<Made, ReportError> {
    let stem = format!("proof-{}-{}", content.site, facts.number);
    let fingerprint = davy_print::fingerprint_of(&facts.public).unwrap_or_default();
    let mut files = Vec::new();
    // The tables first: their hashes stand on the printed pages.
    for language in [Language::Zh, Language::En] {
        let table = csv::table(content, &facts, &fingerprint, language);
        files.push((format!("{stem}.{}.csv", code(language)), table.into_bytes()));
    }
    let hashes: Vec<(String, String)> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), sha256(bytes)))
        .collect();
    let type_face = type_of_reports()?;
    for language in [Language::Zh, Language::En] {
        let sheet = sheet::Sheet {
            content,
            facts: &facts,
            fingerprint: &fingerprint,
            hashes: &hashes,
            language,
        };
        let bytes = sheet.print(&type_face)?;
        files.push((format!("{stem}.{}.pdf", code(language)), bytes));
    }
    drop(type_face);
    let list = manifest::text(&content.site, &facts, &fingerprint, &files);
    let signature = sign(list.as_bytes()).ok_or_else(|| ReportError::NoKey(String::new()))?;
    let digest = sha256(list.as_bytes());
    files.push((
        format!("{stem}.sig"),
        davy_print::signed(&list, &signature).into_bytes(),
    ));
    write(&folder(data, facts.number), &files)?;
    Ok(Made {
        number: facts.number,
        by: facts.by,
        name: facts.name,
        made_ms: facts.made_ms,
        clock: facts.clock,
        fingerprint,
        digest,
        files: files.into_iter().map(|(name, _)| name).collect(),
    })
}

/// Where the files of a report lie.
pub fn folder(data: &Path, number: u64) -> PathBuf {
    data.join("prove/reports").join(number.to_string())
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ReportError> {
    let trouble = |path: &Path| {
        let path = path.to_owned();
        |source| ReportError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(trouble(folder))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        davy_print::replace(&path, bytes).map_err(trouble(&path))?;
    }
    Ok(())
}

/// Unpacked for one report and given back afterwards, the pages of the program that held it too: a gateway is small all the time.
fn type_of_reports() -> Result<Type, ReportError> {
    let packed = davy_print::packed()?;
    let unpacked = Type::unpack(&packed);
    if let Cow::Borrowed(packed) = packed {
        crate::memory::leave(packed);
    }
    Ok(unpacked?)
}

const fn code(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh",
        Language::En => "en",
    }
}
