//! An InfluxDB 2 server for tests and benches: built once from its Go module, kept outside the repository by its version, and run in a folder of its own on a
//! free loopback port until the value goes.

use crate::run::{check, step};
use crate::{machine, ports};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const VERSION: &str = "2.7.12";
/// InfluxData's own wrapper, which builds the Rust part; it goes by the real program's name.
const PKG_CONFIG: &str = "github.com/influxdata/pkg-config@v0.2.7";
/// Its own profile optimizes its Rust part for size over the whole program, which takes longer than all else of it together.
const QUICKLY_BUILT: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];
const START_LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// As [`SETUP`] has it.
pub(crate) const TOKEN: &str = "davy-test-token";
/// What the suites expect: one organisation, one bucket, one token.
const SETUP: &str = r#"{"username":"davy","password":"davy-test","org":"davy","bucket":"davy","token":"davy-test-token"}"#;

/// A running server; it ends with this value.
pub(crate) struct InfluxDb {
    server: Child,
    folder: PathBuf,
    port: u16,
}

/// Builds the server where it is not built yet; answers its path.
fn build() -> Result<PathBuf> {
    let home = machine::cache()?.join(format!("influxdb-{VERSION}"));
    let program = home.join("influxd");
    if program.exists() {
        return Ok(program);
    }
    check(Command::new("go").arg("version").stdout(Stdio::null())).context("Go is missing")?;
    machine::install(&[
        ("/usr/bin/clang", "clang"),
        ("/usr/bin/protoc", "protobuf-compiler"),
        ("/usr/bin/pkg-config", "pkg-config"),
    ])?;
    step(&format!("InfluxDB {VERSION}: built once, some minutes"));
    let (module, bin) = (home.join("module"), home.join("bin"));
    for folder in [&module, &bin] {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let go_mod = format!(
        "module davy.invalid/influxd\n\ngo 1.22\n\nrequire github.com/influxdata/influxdb/v2 v{VERSION}\n"
    );
    std::fs::write(module.join("go.mod"), go_mod)?;
    check(
        Command::new("go")
            .args(["install", PKG_CONFIG])
            .env("GOBIN", &bin),
    )?;
    let unfinished = home.join("influxd.unfinished");
    check(
        Command::new("go")
            .args([
                "build",
                "-mod=mod",
                "-tags",
                "sqlite_foreign_keys,sqlite_json",
                "-o",
            ])
            .arg(&unfinished)
            .arg("github.com/influxdata/influxdb/v2/cmd/influxd")
            .current_dir(&module)
            .env("PATH", first_on_path(&bin)?)
            .env("RUSTUP_TOOLCHAIN", toolchain()?)
            .envs(QUICKLY_BUILT)
            .env("RUSTC_WRAPPER", lenient(&bin)?),
    )?;
    std::fs::rename(&unfinished, &program)?;
    Ok(program)
}

/// Its wrapper of pkg-config shadows the real one, for this build alone.
fn first_on_path(bin: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

/// Its Rust part asks for an old toolchain; the one at hand builds it too, with warnings.
fn toolchain() -> Result<String> {
    let told = Command::new("rustc").arg("--print=sysroot").output()?;
    let sysroot = String::from_utf8(told.stdout)?;
    let name = Path::new(sysroot.trim())
        .file_name()
        .and_then(|name| name.to_str());
    Ok(name.context("rustc has no sysroot")?.to_owned())
}

/// A compiler's wrapper under which warnings are no errors.
fn lenient(bin: &Path) -> Result<PathBuf> {
    let wrapper = bin.join("rustc-lenient");
    std::fs::write(&wrapper, "#!/bin/sh\nexec \"$@\" --cap-lints warn\n")?;
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755))?;
    Ok(wrapper)
}

impl InfluxDb {
    /// Starts one with the suites' organisation, bucket and token.
    pub(crate) fn start() -> Result<Self> {
        let program = build()?;
        let folder = std::env::temp_dir().join(format!("davy-influxdb-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let port = ports::free()?;
        let server = Command::new(program)
            .arg("run")
            .arg("--bolt-path")
            .arg(folder.join("bolt"))
            .arg("--sqlite-path")
            .arg(folder.join("sqlite"))
            .arg("--engine-path")
            .arg(folder.join("engine"))
            .arg(format!("--http-bind-address=127.0.0.1:{port}"))
            .arg("--reporting-disabled")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start InfluxDB")?;
        let mut started = Self {
            server,
            folder,
            port,
        };
        started.set_up()?;
        Ok(started)
    }

    /// Address and port, for `DAVY_INFLUXDB`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process id.
    pub(crate) fn processes(&self) -> String {
        self.server.id().to_string()
    }

    fn set_up(&mut self) -> Result<()> {
        let began = Instant::now();
        loop {
            let url = format!("http://{}/api/v2/setup", self.address());
            let asked = ureq::post(url)
                .header("content-type", "application/json")
                .send(SETUP);
            let Err(error) = asked else { return Ok(()) };
            if let Some(status) = self.server.try_wait()? {
                bail!("InfluxDB ended with {status}");
            }
            if began.elapsed() > START_LIMIT {
                bail!("InfluxDB does not answer: {error}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for InfluxDb {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
