//! `davy-gateway pin`: the hash of a person's PIN for the site file, so that no PIN stands anywhere in the clear.

use crate::message;
use anyhow::{Context as _, Result, bail};
use argon2::{Argon2, PasswordHasher};
use davy_config::Language;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, stdin};
use std::path::Path;

/// Characters of a PIN.
const LENGTH: std::ops::RangeInclusive<usize> = 4..=32;

/// Reads a PIN and returns its argon2id hash in PHC form.
pub(crate) fn hash(file: Option<&Path>, language: Language) -> Result<String> {
    let pin = read(file, language)?;
    if !is_long_enough(&pin) {
        bail!(message::text("pin-short", language));
    }
    hash_of(&pin).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Whether a PIN has as many characters as one needs.
pub(crate) fn is_long_enough(pin: &str) -> bool {
    LENGTH.contains(&pin.chars().count())
}

/// Costs tens of milliseconds by design: call it off the async threads.
pub(crate) fn hash_of(pin: &str) -> Result<String, argon2::password_hash::Error> {
    let hash = Argon2::default().hash_password(pin.as_bytes())?;
    Ok(hash.to_string())
}

/// A PIN that exists: the first line of the file or pipe; at a terminal it is asked for.
pub(crate) fn ask(file: Option<&Path>, language: Language) -> Result<String> {
    if file.is_none() && stdin().is_terminal() {
        return unseen(&message::text("pin-prompt", language));
    }
    read(file, language)
}

/// The first line of the file or pipe; at a terminal it is asked for twice.
fn read(file: Option<&Path>, language: Language) -> Result<String> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if !stdin().is_terminal() {
        return line();
    }
    let first = unseen(&message::text("pin-prompt", language))?;
    if first != unseen(&message::text("pin-again", language))? {
        bail!(message::text("pin-differ", language));
    }
    Ok(first)
}

fn line() -> Result<String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn unseen(prompt: &str) -> Result<String> {
    eprint!("{prompt}");
    let before = tcgetattr(stdin())?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(stdin(), SetArg::TCSANOW, &silent)?;
    let line = line();
    tcsetattr(stdin(), SetArg::TCSANOW, &before)?;
    eprintln!();
    line
}
