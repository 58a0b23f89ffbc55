//! `davy-cloud verify`: the audit log of these settings, from its first row to its end, against every signed head; or a case file.

use super::{open, read};
use crate::audit::head::{self, Head};
use crate::audit::{Fault, Verdict};
use crate::case::{self, Found};
use crate::message::{Language, Message};
use anyhow::{Context as _, Result, bail};
use davy_print::fingerprint_of;
use jiff::Timestamp;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks what the file is of, and says what was found.
pub(super) async fn answer(file: &Path, heads: &[PathBuf], language: Language) -> Result<ExitCode> {
    if is_zip(file)? {
        return case_file(file, language);
    }
    let Some(settings) = read(file, language)? else {
        bail!("{}", file.display())
    };
    let mut kept = head::kept(&settings)?;
    for path in heads {
        kept.push(head::read(path)?);
    }
    let verdict = open(&settings).await?.verify_audit_against(&kept).await?;
    println!("{}", told(&verdict).text(language));
    if let Some(signed) = signed(&verdict, &kept) {
        println!("{}", signed.text(language));
    }
    Ok(if verdict.fault.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// By its first bytes: a name can be anything.
fn is_zip(file: &Path) -> Result<bool> {
    let mut first = Vec::new();
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    opened.take(4).read_to_end(&mut first)?;
    Ok(first == *b"PK\x03\x04")
}

fn case_file(file: &Path, language: Language) -> Result<ExitCode> {
    let found = case::verify(file).with_context(|| file.display().to_string())?;
    if !found.is_signed {
        println!("{}", Message::new("verify-case-unsigned").text(language));
    }
    for (name, found) in &found.files {
        let key = match found {
            Found::Whole => continue,
            Found::Altered => "verify-case-altered",
            Found::Missing => "verify-case-missing",
            Found::Added => "verify-case-added",
        };
        println!("{}", Message::named(key).with("name", name).text(language));
    }
    if !found.is_good() {
        return Ok(ExitCode::FAILURE);
    }
    let whole = Message::new("verify-case-whole")
        .with("site", found.site)
        .with("from", found.from)
        .with("to", found.to)
        .with("files", found.files.len().to_string())
        .with("fingerprint", found.fingerprint);
    println!("{}", whole.text(language));
    Ok(ExitCode::SUCCESS)
}

fn told(verdict: &Verdict) -> Message {
    let rows = verdict.rows.to_string();
    let one = |key: &'static str, seq: &i64| Message::new(key).with("seq", seq.to_string());
    let head = |key, seq, made_ms| one(key, seq).with("made", time(made_ms));
    match &verdict.fault {
        None => Message::new("verify-whole").with("rows", rows),
        Some(Fault::Missing { seq }) => one("verify-missing", seq),
        Some(Fault::Altered { seq }) => one("verify-altered", seq),
        Some(Fault::Inserted { seq }) => one("verify-inserted", seq),
        Some(Fault::Rewritten { from, to }) => Message::new("verify-rewritten")
            .with("from", from.to_string())
            .with("to", to.to_string()),
        Some(Fault::Forged { seq, made_ms }) => head("verify-head-forged", seq, *made_ms),
        Some(Fault::HeadGone { seq, made_ms }) => head("verify-head-gone", seq, *made_ms),
    }
}

/// How far a signature reaches, and whose it is.
fn signed(verdict: &Verdict, kept: &[Head]) -> Option<Message> {
    let newest = kept.iter().max_by_key(|head| head.seq)?;
    let message = Message::new("verify-signed")
        .with("seq", verdict.signed_to.to_string())
        .with("fingerprint", fingerprint_of(&newest.public)?);
    (verdict.fault.is_none() && verdict.signed_to > 0).then_some(message)
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}
