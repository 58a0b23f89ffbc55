//! `davy-cloud export` and `davy-cloud case`: asks the collector that runs on this machine as a person, so that an export bears a name in the audit log and holds what that person
//! may see. The answer is streamed into its file.

use super::read;
use crate::message::{Language, Message};
use crate::prompt;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where and as whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct As {
    settings: PathBuf,
    #[arg(long)]
    user: String,
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
}

/// Asks for a file and writes it; the password is asked for where no file holds it.
pub(super) fn answer(
    by: &As,
    path: &str,
    query: &[(&str, Option<String>)],
    language: Language,
) -> Result<ExitCode> {
    let Some(settings) = read(&by.settings, language)? else {
        bail!("{}", by.settings.display())
    };
    let base = format!("http://{}", reached(settings.listen));
    let password = prompt::known(by.password_file.as_deref(), language)?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let login = serde_json::json!({ "user": by.user, "password": password });
    let session = agent.post(format!("{base}/api/session")).send_json(&login);
    let session = session.with_context(|| base.clone())?;
    if session.status() == 401 {
        let told = Message::new("export-no-login").with("user", by.user.clone());
        eprintln!("{}", told.text(language));
        return Ok(ExitCode::FAILURE);
    }
    let cookie = session.headers().get("set-cookie");
    let cookie =
        cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned));
    let Some(cookie) = cookie.filter(|_| session.status().is_success()) else {
        return Ok(refused(session, language));
    };
    let mut request = agent.get(format!("{base}{path}")).header("cookie", &cookie);
    for (name, value) in query {
        if let Some(value) = value {
            request = request.query(name, value);
        }
    }
    let request = request.query(
        "lang",
        match language {
            Language::Zh => "zh",
            Language::En => "en",
        },
    );
    let done = request
        .call()
        .with_context(|| base.clone())
        .and_then(|answer| taken(answer, &by.out, language));
    let ended = agent
        .delete(format!("{base}/api/session"))
        .header("cookie", &cookie)
        .call();
    if let Err(error) = ended {
        eprintln!("davy-cloud: {base}/api/session: {error}");
    }
    done
}

/// Writes what was answered, or tells why nothing was.
fn taken(answer: Answered, out: &Path, language: Language) -> Result<ExitCode> {
    if !answer.status().is_success() {
        return Ok(refused(answer, language));
    }
    let bytes = written(out, &mut answer.into_body().into_reader())?;
    let told = Message::new("export-written")
        .with("file", out.display().to_string())
        .with("bytes", bytes.to_string());
    println!("{}", told.text(language));
    Ok(ExitCode::SUCCESS)
}

type Answered = ureq::http::Response<ureq::Body>;

fn refused(answer: Answered, language: Language) -> ExitCode {
    let status = answer.status();
    let told = answer.into_body().read_to_string().unwrap_or_default();
    let refused = Message::new("export-refused")
        .with("status", status.as_str())
        .with("told", told);
    eprintln!("{}", refused.text(language));
    ExitCode::FAILURE
}

/// A file that is there in whole or not at all.
fn written(path: &Path, from: &mut impl io::Read) -> Result<u64> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let mut write = || -> io::Result<u64> {
        let mut file = File::create(&beside)?;
        let bytes = io::copy(from, &mut file)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        Ok(bytes)
    };
    let written = write();
    if written.is_err() {
        // What is left of it is of no use; that it cannot be removed either tells nothing new.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| path.display().to_string())
}

/// How this machine reaches what listens there.
fn reached(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], listen.port()))
    } else {
        listen
    }
}

/// UTC milliseconds of `2026-11-24T14:00:00+08:00`.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| time.as_millisecond())
        .map_err(|error| error.to_string())
}
