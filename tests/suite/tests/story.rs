//! The README's first command as it stands, and a leak on it in a real browser, at the plant and in the city, in both languages.

use davy_suite::daemon::{Daemon, binary};
use davy_suite::wait::{self, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Highest port of the demo, from its base.
const REACH: u16 = 320;
const START_LIMIT: Duration = Duration::from_secs(300);

#[test]
fn the_demo_shows_a_leak_to_the_plant_and_the_city_and_ends_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let base = base_port();
    let data = dir.path().join("data");
    let port = base.to_string();
    let args = [
        "demo",
        "--fresh",
        "--base-port",
        &port,
        "--data",
        &data.to_string_lossy(),
    ];
    let mut demo = Daemon::start("demo", binary("xtask"), &args, dir.path());
    demo.await_log("Ctrl-C ends every part", START_LIMIT);

    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let status = Command::new("npm")
        .args(["run", "--silent", "test:story"])
        .current_dir(web)
        .env("DAVY_CITY", address(base + 300))
        .env("DAVY_CONTROL", address(base + 320))
        .env("DAVY_PLANTS", plants(base))
        .status()
        .expect("npm starts");
    assert!(demo.runs(), "the demo ended by itself");
    if !status.success() {
        show_logs(&data.join("logs"));
    }
    assert!(status.success(), "the browser's story failed");
    assert!(demo.stop().success(), "the demo ended in order");
    wait::until("the end of every part", Duration::from_secs(10), || {
        std::net::TcpListener::bind(("127.0.0.1", base + 300))
            .ok()
            .map(|_| ())
    });
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn plants(base: u16) -> String {
    let sites = [
        "tank-farm",
        "dust-workshop",
        "cold-store",
        "solvent-warehouse",
    ];
    let pairs: Vec<String> = (301..)
        .zip(sites)
        .map(|(offset, site)| format!("{site}={}", address(base + offset)))
        .collect();
    pairs.join(",")
}

/// A base above which the demo's ports were free a moment ago; the demo itself names one that is not.
fn base_port() -> u16 {
    wait::until("a free range of ports", Duration::from_secs(5), || {
        let base = free_port().checked_sub(REACH)?;
        let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        (base > 1024 && (base + 100..=base + REACH).all(free)).then_some(base)
    })
}

fn show_logs(folder: &Path) {
    let logs = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for log in logs.map(|entry: std::fs::DirEntry| -> PathBuf { entry.path() }) {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(15).collect();
        eprintln!("--- {} ---", log.display());
        tail.iter().rev().for_each(|line| eprintln!("{line}"));
    }
}
