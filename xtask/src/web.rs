//! The screens: built when their sources changed, by the Node that is there.

use crate::run;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Oldest Node that the screens build with.
const NODE_MAJOR: u32 = 20;

/// Builds the screens. Cargo's own stamp of a build is not enough: `npm ci` takes longer than all the rest, so both run only when a source is younger than the last build.
pub(crate) fn build(root: &Path) -> Result<()> {
    let web = &root.join("web");
    check_node()?;
    let stamp = web.join("dist/.built");
    if fresh(web, &stamp) {
        return Ok(());
    }
    run::step("screens");
    run::check(Command::new("npm").arg("ci").current_dir(web))?;
    run::check(Command::new("npm").args(["run", "build"]).current_dir(web))?;
    Ok(std::fs::write(stamp, "")?)
}

fn check_node() -> Result<()> {
    let output = Command::new("node")
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    let major = output.ok().and_then(|output| {
        let version = String::from_utf8(output.stdout).ok()?;
        version
            .trim()
            .strip_prefix('v')?
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    });
    match major {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        Some(major) => {
            bail!("Node {major} is too old for the screens; install Node {NODE_MAJOR} or newer")
        }
        None => bail!(
            "Node is not there; install Node {NODE_MAJOR} or newer with npm (https://nodejs.org)"
        ),
    }
}

/// True where no source of the screens is younger than the stamp.
fn fresh(web: &Path, stamp: &Path) -> bool {
    let Ok(built) = stamp.metadata().and_then(|stamp| stamp.modified()) else {
        return false;
    };
    !younger(web, built)
}

fn younger(folder: &Path, than: std::time::SystemTime) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return true;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" {
            return false;
        }
        if entry.path().is_dir() {
            return younger(&entry.path(), than);
        }
        entry
            .metadata()
            .and_then(|file| file.modified())
            .map_or(true, |time| time > than)
    })
}
