//! What a fresh machine lacks: Debian packages and a Python with the peers. Installed once, outside the repository.

use crate::postgres;
use crate::run::{self, step};
use anyhow::{Context, Result, bail};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 5] = [
    ("/usr/sbin/mosquitto", "mosquitto"),
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/pdftotext", "poppler-utils"),
    ("/usr/bin/mbpoll", "mbpoll"),
    ("/usr/bin/cc", "gcc"),
];
/// A file and the Debian package that brings it.
const FILES: [(&str, &str); 2] = [
    (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "fonts-noto-cjk",
    ),
    ("/usr/include/modbus/modbus.h", "libmodbus-dev"),
];

/// Installs the Debian packages that the suites need and this machine lacks.
pub(crate) fn install_packages() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .chain(&FILES)
        .filter(|(path, _)| !Path::new(path).exists())
        .map(|(_, package)| *package)
        .chain(postgres::programs().is_none().then_some("postgresql"))
        .collect();
    bring(&missing)
}

/// Installs the Debian packages of the programs that this machine lacks: (path, package).
pub(crate) fn install(programs: &[(&str, &str)]) -> Result<()> {
    let lacks = |(path, _): &&(&str, &str)| !Path::new(path).exists();
    let missing: Vec<&str> = programs
        .iter()
        .filter(lacks)
        .map(|(_, package)| *package)
        .collect();
    bring(&missing)
}

fn bring(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    step(&format!("Debian packages: {names}"));
    apt(&["update", "-q"])
        .with_context(|| format!("the package lists cannot be read; install by hand: {names}"))?;
    let install: Vec<&str> = ["install", "-y", "-q", "--no-install-recommends"]
        .into_iter()
        .chain(packages.iter().copied())
        .collect();
    apt(&install)
}

/// apt collides with itself: it waits for its own lock.
fn apt(args: &[&str]) -> Result<()> {
    let root = nix::unistd::geteuid().is_root();
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.arg("apt-get");
    }
    command
        .args(["-o", "DPkg::Lock::Timeout=500"])
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::io::stderr());
    run::check(&mut command)
}

/// A Python with `tests/suite/peers/requirements.txt` installed, kept by the content of that file.
pub(crate) fn python(root: &Path) -> Result<PathBuf> {
    let requirements = root.join("tests/suite/peers/requirements.txt");
    let text = std::fs::read_to_string(&requirements)
        .with_context(|| requirements.display().to_string())?;
    let venv = cache()?.join(format!("python-{}", digest(&text)));
    let (python, done) = (venv.join("bin/python"), venv.join(".complete"));
    if done.exists() {
        return Ok(python);
    }
    step("Python peers: pymodbus, pysparkplug, paho-mqtt");
    if run::check(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    )
    .is_err()
    {
        apt(&[
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
            "python3-venv",
        ])?;
        run::check(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
    }
    run::check(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&requirements),
    )?;
    std::fs::write(&done, "")?;
    Ok(python)
}

/// Where what is costly to fetch or build is kept between runs, outside the repository.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let Some(base) = base else {
        bail!(
            "neither XDG_CACHE_HOME nor HOME is set: there is nowhere to keep what the suites need"
        )
    };
    let dir = base.join("davy");
    std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    Ok(dir)
}

fn digest(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
