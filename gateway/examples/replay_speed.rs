//! How many events a second replay judges: `cargo run --release -p davy-gateway --example replay_speed`. Fails under 100,000.
//!
//! A million events on the tank farm of `config/examples`, every point once a second, with leaks that come and go, acknowledgements and resets; lines in and
//! out go through memory, so that no disk is measured.

use anyhow::{Context as _, Result, ensure};
use davy_config::site::Site;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const EVENTS: usize = 1_000_000;
const AT_LEAST: f64 = 100_000.0;

fn main() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/tank-farm.toml");
    let site = davy_config::load(&path)
        .ok()
        .context("the example site does not load")?
        .site;
    let site = Arc::new(site);
    let events = events(&site)?;
    let mut told = Vec::with_capacity(64 << 20);
    let started = Instant::now();
    let remarks = davy_gateway::replay::events(&site, events.as_bytes(), &mut told)?;
    let seconds = started.elapsed().as_secs_f64();
    let lines = told.iter().filter(|byte| **byte == b'\n').count();
    let rate = remarks.lines as f64 / seconds;
    println!(
        "{} events in {seconds:.2} s: {rate:.0} a second; {lines} lines out",
        remarks.lines
    );
    ensure!(rate >= AT_LEAST, "under {AT_LEAST} events a second");
    Ok(())
}

fn events(site: &Site) -> Result<String> {
    let mut text = String::with_capacity(EVENTS * 64);
    let mut written = 0;
    for second in 0_u64.. {
        for (position, point) in site.points.iter().enumerate() {
            if written == EVENTS {
                return Ok(text);
            }
            let (low, high) = point.range;
            // Up and down the whole range in ten minutes, each point at another place of it.
            let phase = (second as f64 / 600.0 + position as f64 / 7.0).fract();
            let value = low + (high - low) * (1.0 - (2.0 * phase - 1.0).abs());
            let t = second * 1000 + position as u64 * 10;
            writeln!(
                text,
                r#"{{"t":{t},"point":"{}","value":{value:.2}}}"#,
                point.id
            )?;
            written += 1;
            if (second + position as u64).is_multiple_of(50) && written < EVENTS {
                let alarm = &site.alarms[point.alarms[0].0].id;
                let action = ["acknowledge", "reset"][(second / 50 % 2) as usize];
                writeln!(
                    text,
                    r#"{{"t":{t},"action":"{action}","alarm":"{alarm}","actor":"wang"}}"#
                )?;
                written += 1;
            }
        }
    }
    Ok(text)
}
