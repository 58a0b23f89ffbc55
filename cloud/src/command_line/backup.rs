//! `davy-cloud backup` and `davy-cloud restore`: a copy of everything that the collector keeps, taken while it runs.
//!
//! The records are copied before the history. So whatever the records say is committed is in the copied history too, and a gateway that was told so before
//! the backup began may have forgotten it: nothing that was acknowledged before is lost. What came meanwhile may be in the history alone; it comes again, or
//! stands there already, and changes nothing.
//!
//! - records: SQLite by `VACUUM INTO` on a read transaction; PostgreSQL by `pg_dump`, which must be on this machine;
//! - history: each month's file by `VACUUM INTO`. Of one in another engine the command refuses, says how that engine is backed up, and goes on only when it is
//!   told that the readings are seen to (`--without-readings`);
//! - `key`, `audit-heads`, the settings, and `backup.sig`, the signed list of hashes, by which `restore` looks before it touches anything.
//!
//! The folder is for its owner alone: it holds the key, and the hashes of passwords.

use super::{open, read, remember};
use crate::message::{Language, Message};
use crate::run::now_ms;
use crate::settings::{Engine, Postgres, Settings, Store};
use anyhow::{Context as _, Result, bail};
use davy_print::{Key, SignedList, signed, text_of};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TITLE: &str = "davy backup 1";
const LIST: &str = "backup.sig";
const RECORDS: &str = "records.db";
const DUMP: &str = "records.pgdump";
const HISTORY: &str = "history";
const HEADS: &str = "audit-heads";
const KEY: &str = "key";

/// Copies everything into a new folder.
pub(super) async fn backup(
    file: &Path,
    folder: &Path,
    without_readings: bool,
    language: Language,
) -> Result<ExitCode> {
    let Some(settings) = read(file, language)? else {
        bail!("{}", file.display())
    };
    if let Some(guidance) = elsewhere(&settings).filter(|_| !without_readings) {
        eprintln!("{}", guidance.text(language));
        return Ok(ExitCode::FAILURE);
    }
    make_folder(folder)?;
    let records = open(&settings).await?;
    let detail = serde_json::json!({ "folder": folder.display().to_string() });
    remember(&records, "backup", "", detail).await?;
    match &settings.records {
        Store::Embedded => copy_database(&settings.records_file(), &folder.join(RECORDS))?,
        Store::Postgres(postgres) => dump(postgres, &folder.join(DUMP))?,
    }
    if matches!(settings.history, Engine::Embedded) && !without_readings {
        copy_history(&settings, &folder.join(HISTORY))?;
    } else {
        println!("{}", Message::new("backup-no-readings").text(language));
    }
    copy_folder(&settings.heads_folder(), &folder.join(HEADS))?;
    let key = Key::open(&settings.key_file())?;
    copy(&settings.key_file(), &folder.join(KEY))?;
    copy(file, &folder.join("CLOUD.toml"))?;
    let files = files(folder)?;
    let list = list(folder, &files, &key)?;
    fs::write(folder.join(LIST), list)?;
    let told = Message::new("backup-made")
        .with("files", files.len().to_string())
        .with("folder", folder.display().to_string())
        .with("fingerprint", key.fingerprint());
    println!("{}", told.text(language));
    Ok(ExitCode::SUCCESS)
}

/// Puts everything of a backup where the settings say; refuses where something lies there already, and where the backup is not as it was signed.
pub(super) async fn restore(folder: &Path, file: &Path, language: Language) -> Result<ExitCode> {
    let Some(settings) = read(file, language)? else {
        bail!("{}", file.display())
    };
    if let Some(wrong) = wrong(folder)? {
        let told = Message::new("restore-altered").with("name", wrong);
        eprintln!("{}", told.text(language));
        return Ok(ExitCode::FAILURE);
    }
    let taken = [
        settings.records_file(),
        settings.history_folder(),
        settings.key_file(),
    ];
    if let Some(path) = taken.iter().find(|path| path.exists()) {
        let told = Message::new("restore-taken").with("path", path.display().to_string());
        eprintln!("{}", told.text(language));
        return Ok(ExitCode::FAILURE);
    }
    make_folder_all(&settings.data)?;
    match &settings.records {
        Store::Embedded => copy(&folder.join(RECORDS), &settings.records_file())?,
        Store::Postgres(postgres) => undump(postgres, &folder.join(DUMP))?,
    }
    if folder.join(HISTORY).exists() {
        copy_folder(&folder.join(HISTORY), &settings.history_folder())?;
    }
    copy_folder(&folder.join(HEADS), &settings.heads_folder())?;
    copy(&folder.join(KEY), &settings.key_file())?;
    let records = open(&settings).await?;
    let detail = serde_json::json!({ "folder": folder.display().to_string(), "made_ms": fact(folder, "made_ms")? });
    remember(&records, "restore", "", detail).await?;
    println!("{}", Message::new("restore-done").text(language));
    Ok(ExitCode::SUCCESS)
}

/// How readings that lie in another engine are backed up: not by us, and a backup that left them out in silence would be found out when it is needed.
fn elsewhere(settings: &Settings) -> Option<Message> {
    match &settings.history {
        Engine::Embedded => None,
        Engine::Influx(address) => {
            let told = Message::new("backup-influx").with("url", address.url.clone());
            Some(told.with("bucket", address.bucket.clone()))
        }
        Engine::Cassandra(address) => {
            let told = Message::new("backup-cassandra");
            Some(told.with("keyspace", address.keyspace.clone()))
        }
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    made.with_context(|| folder.display().to_string())
}

fn make_folder_all(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.with_context(|| folder.display().to_string())
}

/// A whole copy as of one moment, while others write.
fn copy_database(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("{} → {}", from.display(), to.display());
    let connection =
        rusqlite::Connection::open_with_flags(from, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.with_context(context)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    let name = to.to_str().with_context(|| to.display().to_string())?;
    connection
        .execute("VACUUM INTO ?1", [name])
        .with_context(context)?;
    fs::File::open(to)?.sync_all().with_context(context)
}

fn copy_history(settings: &Settings, to: &Path) -> Result<()> {
    make_folder(to)?;
    let from = settings.history_folder();
    if !from.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "sqlite") {
            copy_database(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// The files of a folder, which has no folders in it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    make_folder_all(to)?;
    if !from.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// With its permissions, on disk when it returns.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("{} → {}", from.display(), to.display());
    fs::copy(from, to).with_context(context)?;
    fs::File::open(to)?.sync_all().with_context(context)
}

fn dump(postgres: &Postgres, to: &Path) -> Result<()> {
    let mut program = client("pg_dump", postgres)?;
    program.arg("--format=custom").arg("--file").arg(to);
    done(program, "pg_dump")
}

fn undump(postgres: &Postgres, from: &Path) -> Result<()> {
    let mut program = client("pg_restore", postgres)?;
    program.args(["--exit-on-error", "--single-transaction", "--no-owner"]);
    program.arg(from);
    done(program, "pg_restore")
}

fn client(name: &str, postgres: &Postgres) -> Result<Command> {
    let mut program = Command::new(name);
    program
        .args(["--host", &postgres.host])
        .args(["--port", &postgres.port.to_string()])
        .args(["--username", &postgres.username])
        .args(["--dbname", &postgres.database, "--no-password"]);
    if let Some(password) = postgres.password()? {
        program.env("PGPASSWORD", password);
    }
    Ok(program)
}

fn done(mut program: Command, name: &str) -> Result<()> {
    let output = program.output();
    let output = output.with_context(|| format!("{name}: PostgreSQL's own programs are needed on this machine (Debian: postgresql-client)"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Every file but the list, by its path in the folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(one) = folders.pop() {
        for entry in fs::read_dir(&one).with_context(|| one.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder)
                && inside != Path::new(LIST)
            {
                files.push(inside.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn list(folder: &Path, files: &[PathBuf], key: &Key) -> Result<String> {
    let mut list = format!("{TITLE}\nmade_ms {}\nkey {}\n", now_ms(), key.public());
    for file in files {
        let hash = hash(&folder.join(file))?;
        list += &format!("sha256 {hash} {}\n", file.display());
    }
    Ok(signed(&list, &key.sign(list.as_bytes())))
}

/// The first thing of a backup that is not as it was signed.
fn wrong(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(LIST);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let Some(list) = SignedList::read(&text, TITLE).filter(|list| list.is_signed) else {
        return Ok(Some(LIST.to_owned()));
    };
    for (wanted, name) in list.hashes() {
        let path = folder.join(name);
        if !path.exists() || hash(&path)? != wanted {
            return Ok(Some(name.to_owned()));
        }
    }
    let listed = |file: &&PathBuf| {
        list.hashes()
            .any(|(_, name)| Path::new(name) == file.as_path())
    };
    let files = files(folder)?;
    let added = files.iter().find(|file| !listed(file));
    Ok(added.map(|file| file.display().to_string()))
}

fn fact(folder: &Path, key: &str) -> Result<Option<String>> {
    let text = fs::read_to_string(folder.join(LIST))?;
    let list = SignedList::read(&text, TITLE);
    Ok(list.and_then(|list| list.fact(key).map(str::to_owned)))
}

fn hash(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(text_of(&digest.finalize()));
        }
        digest.update(&piece[..length]);
    }
}
