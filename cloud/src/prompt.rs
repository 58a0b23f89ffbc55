//! A password from a file, from a pipe, or typed unseen at a terminal.

use crate::message::{Language, Message};
use anyhow::{Context as _, Result, bail};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, stdin};
use std::path::Path;

/// One that is to be set: the first line of the file or pipe; at a terminal it is asked for twice.
pub(crate) fn password(file: Option<&Path>, language: Language) -> Result<String> {
    let first = known(file, language)?;
    if file.is_some() || !stdin().is_terminal() {
        return Ok(first);
    }
    let second = unseen(&Message::new("prompt-again").text(language))?;
    if first != second {
        bail!(Message::new("prompt-differ").text(language));
    }
    Ok(first)
}

/// One that is known: asked for once.
pub(crate) fn known(file: Option<&Path>, language: Language) -> Result<String> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if !stdin().is_terminal() {
        return line();
    }
    unseen(&Message::new("prompt-password").text(language))
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
