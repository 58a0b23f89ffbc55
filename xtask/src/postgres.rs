//! A PostgreSQL server for the tests: in a folder of its own, on a free loopback port, ended by who started it.

use crate::ports;
use crate::run::check;
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian puts its versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Longest that the server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Every test has pools of its own.
const CONNECTIONS: &str = "max_connections=400";

/// A running server; it ends with this value.
pub(crate) struct Postgres {
    server: Child,
    folder: PathBuf,
    port: u16,
}

/// The programs of the newest version that is installed.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    programs
        .filter(|bin| bin.join("postgres").exists())
        .max_by_key(|bin| {
            let version = bin.parent().and_then(Path::file_name)?.to_str()?;
            version.parse::<u32>().ok()
        })
}

impl Postgres {
    /// Starts one, whose user `davy` needs no password.
    pub(crate) fn start() -> Result<Self> {
        let bin = programs().with_context(|| format!("there is no PostgreSQL in {VERSIONS}"))?;
        let folder = std::env::temp_dir().join(format!("davy-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let user = servant()?;
        if let Some(user) = &user {
            chown(&folder, Some(user.uid), Some(user.gid))?;
        }
        let data = folder.join("data");
        check(
            as_servant(&bin.join("initdb"), user.as_ref())
                .args(["-A", "trust", "-U", "davy", "-D"])
                .arg(&data)
                .stdout(Stdio::null()),
        )?;
        let port = ports::free()?;
        let server = as_servant(&bin.join("postgres"), user.as_ref())
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", CONNECTIONS])
            .args(["-c", "listen_addresses=127.0.0.1", "-c"])
            .arg(format!("unix_socket_directories={}", folder.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start PostgreSQL")?;
        let mut started = Self {
            server,
            folder,
            port,
        };
        started.wait(&bin)?;
        Ok(started)
    }

    /// Address and port, for `DAVY_POSTGRES`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn wait(&mut self, bin: &Path) -> Result<()> {
        let began = Instant::now();
        loop {
            let asked = Command::new(bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()?;
            if asked.success() {
                return Ok(());
            }
            if let Some(status) = self.server.try_wait()? {
                bail!("PostgreSQL ended with {status}");
            }
            if began.elapsed() > START_LIMIT {
                bail!("PostgreSQL does not answer");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Fast shutdown: what is connected is cut off.
        if let Ok(id) = i32::try_from(self.server.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGINT);
        }
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to be root.
fn servant() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?;
    Ok(Some(user.context("there is no user `postgres`")?))
}

fn as_servant(program: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new(program);
    // The folder of the caller may be closed to that user.
    command.current_dir("/");
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}
