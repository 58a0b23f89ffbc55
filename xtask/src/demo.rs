//! `cargo xtask demo`: everything on one machine, healthy or told why not.

use crate::supervise::Parts;
use crate::{cloud_settings, ports, run, site_files, web};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Start with empty data
    #[arg(long)]
    fresh: bool,
    /// End by itself after so many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// Move all ports
    #[arg(long, default_value_t = ports::BASE)]
    base_port: u16,
    /// Keep the data here (default: target/demo)
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Builds, starts every part, and watches them until a signal or the time is up. An error names the parts that were not well.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let ended = signals()?;
    ports::check(options.base_port)?;
    build(root)?;
    let data = prepare(root, options)?;
    let mut parts = Parts::new();
    start(root, &data, options.base_port, &mut parts)?;
    print!("{}", welcome(options.base_port));
    watch(&mut parts, &ended, options.seconds)
}

/// SIGINT and SIGTERM as a message. Handlers and no mask: children would inherit a mask and never end.
fn signals() -> Result<Receiver<()>> {
    let (tell, told) = sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let guard = runtime.enter();
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    drop(guard);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        let _ = tell.send(());
    });
    Ok(told)
}

fn build(root: &Path) -> Result<()> {
    web::build(root)?;
    run::step("daemons");
    // The whole workspace: Cargo unifies features over what it builds together, and tests must not build all of it again.
    run::check(run::cargo(&["build", "--workspace", "--bins"]).current_dir(root))
}

/// The data folder with its site files; earlier data stays unless asked otherwise.
fn prepare(root: &Path, options: &Options) -> Result<PathBuf> {
    let data = match &options.data {
        Some(data) => std::path::absolute(data)?,
        None => root.join("target/demo"),
    };
    if options.fresh && data.exists() {
        std::fs::remove_dir_all(&data)
            .with_context(|| format!("cannot empty {}", data.display()))?;
    }
    for folder in ["logs", "plant"] {
        let folder = data.join(folder);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    for site in site_files::SITES {
        site_files::write(
            site,
            &root.join("config/examples"),
            &data,
            options.base_port,
        )?;
    }
    Ok(data)
}

fn start(root: &Path, data: &Path, base_port: u16, parts: &mut Parts) -> Result<()> {
    let (bin, logs) = (root.join("target/debug"), data.join("logs"));
    let control_port = base_port + ports::CONTROL;
    let (control, dir) = (
        format!("127.0.0.1:{control_port}"),
        data.join("plant").display().to_string(),
    );
    let base = base_port.to_string();
    let arguments = [
        "run",
        "--control",
        &control,
        "--dir",
        &dir,
        "--base-port",
        &base,
    ];
    parts.start(
        "plant",
        &bin.join("davy-plant"),
        &arguments,
        control_port,
        &logs,
    )?;
    let cloud = bin.join("davy-cloud");
    let settings = cloud_settings::write(&cloud, data, base_port)?;
    parts.start(
        "cloud",
        &cloud,
        &["run", &settings.display().to_string()],
        base_port + ports::CITY,
        &logs,
    )?;
    for (at, site) in (0..).zip(site_files::SITES) {
        let file = data.join(format!("{site}.toml")).display().to_string();
        let own = data.join(site).display().to_string();
        let arguments = ["run", &file, "--data", &own];
        let name = format!("gateway-{site}");
        parts.start(
            &name,
            &bin.join("davy-gateway"),
            &arguments,
            base_port + ports::SCREEN + at,
            &logs,
        )?;
    }
    Ok(())
}

/// Addresses and log-ins in both languages.
fn welcome(base_port: u16) -> String {
    let sites: String = (0..)
        .zip(site_files::SITES)
        .map(|(at, site)| {
            format!(
                "  http://127.0.0.1:{}  {site}\n",
                base_port + ports::SCREEN + at
            )
        })
        .collect();
    let city = format!("http://127.0.0.1:{}", base_port + ports::CITY);
    let control = format!("http://127.0.0.1:{}", base_port + ports::CONTROL);
    let texts = [
        include_str!("../messages/demo.zh.txt"),
        include_str!("../messages/demo.en.txt"),
    ];
    texts
        .map(|text| {
            text.replace("{sites}", sites.trim_end())
                .replace("{city}", &city)
                .replace("{password}", cloud_settings::PASSWORD)
                .replace("{plant}", &control)
        })
        .concat()
}

/// Asks every part for its health once a second until the end, and starts again what died. Whoever gave a time is told whether all was well in it.
fn watch(parts: &mut Parts, ended: &Receiver<()>, seconds: Option<u64>) -> Result<()> {
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    while until.is_none_or(|until| Instant::now() < until) {
        match ended.recv_timeout(Duration::from_secs(1)) {
            Err(RecvTimeoutError::Timeout) => parts.tend()?,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    parts.verdict()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_names_every_site_and_the_plant_in_both_languages() {
        let text = welcome(43_000);
        for port in [43_300, 43_301, 43_302, 43_303, 43_304, 43_320] {
            assert_eq!(
                text.matches(&format!("127.0.0.1:{port}")).count(),
                2,
                "{port}"
            );
        }
        assert!(!text.contains('{'));
    }
}
