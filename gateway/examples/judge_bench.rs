//! What judgement costs: one reading with four limits, and a point of a site of 1,000, 10,000 and 100,000 that is read once a second.
//!
//! `cargo run --release -p davy-gateway --example judge_bench`; lines of `name value unit`, where there is one with the most that the figure should be. Time is
//! that of the processor, of which other work on the machine takes nothing; each figure is the median of several windows.

use anyhow::{Context as _, Result, ensure};
use davy_alarm::{Alarm, Condition, Definition, Instant, Priority, Reading, WallMs};
use davy_config::site::{PointIndex, Site};
use davy_gateway::judge::Judge;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

const WINDOWS: usize = 9;
/// Readings of one window.
const READINGS: usize = 2_000_000;
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Points of one device, judged as one scan.
const SCAN: usize = 200;
const DEVICES_OF_A_BUS: usize = 200;

fn main() -> Result<()> {
    println!("reading_four_limits {:.1} ns 50", four_limits()?);
    let mut costs = Vec::new();
    for points in SIZES {
        let cost = of_a_point(points)?;
        println!("point_of_{points} {cost:.1} ns/s");
        costs.push(cost);
    }
    // A small site fits the processor's caches and a large one does not; other work on the machine that takes of them shows here too.
    println!("point_100000_to_1000 {:.2} ratio 2", costs[2] / costs[0]);
    println!(
        "point_100000_to_10000 {:.2} ratio 1.25",
        costs[2] / costs[1]
    );
    Ok(())
}

/// LL, L, H, HH and a reading that wanders through all of them: it trips and clears something every hundred readings or so.
fn four_limits() -> Result<f64> {
    let mut alarms = limits().map(|condition| Alarm::new(definition(condition), Instant(0)));
    let readings: Vec<Reading> = (0..1024)
        .map(|step| Reading::measured(wander(step, 0), WallMs(0)))
        .collect();
    let mut now = 0;
    median(|| {
        for step in 0..READINGS {
            let reading = black_box(&readings[step % readings.len()]);
            now += 1;
            for alarm in &mut alarms {
                black_box(alarm.observe(reading, Instant(now)));
            }
        }
        READINGS
    })
}

/// Nanoseconds that a second of one point costs: every point once, by scans, with what each brings to an end.
fn of_a_point(points: usize) -> Result<f64> {
    let site = Arc::new(site(points)?);
    let mut judge = Judge::new(site, &[], &[], Instant(0), WallMs(0));
    let seconds = (READINGS / points).max(4);
    let mut second = 0_usize;
    // Every point is known before anything is measured.
    live(&mut judge, points, &mut second, 2);
    median(|| {
        live(&mut judge, points, &mut second, seconds);
        seconds * points
    })
}

fn live(judge: &mut Judge, points: usize, second: &mut usize, seconds: usize) {
    for _ in 0..seconds {
        *second += 1;
        for first in (0..points).step_by(SCAN) {
            // The scans of a site are spread over the second.
            let now = Instant((*second * 1000 + first * 1000 / points) as u64);
            for point in first..(first + SCAN).min(points) {
                let reading = Reading::measured(wander(*second, point), WallMs(0));
                judge.reading(PointIndex(point), &reading, now);
            }
            judge.settle();
            black_box(judge.take_happenings());
        }
    }
}

/// A slow wave through the whole range, each point at another place of it: at 1 Hz it takes seventeen minutes.
fn wander(step: usize, point: usize) -> f64 {
    let phase = ((step + point * 37) % 1024) as f64 / 1024.0;
    100.0 * (1.0 - (2.0 * phase - 1.0).abs())
}

fn limits() -> [Condition; 4] {
    let deadband = 1.0;
    [
        Condition::LoLo {
            set_point: 5.0,
            deadband,
        },
        Condition::Lo {
            set_point: 10.0,
            deadband,
        },
        Condition::Hi {
            set_point: 90.0,
            deadband,
        },
        Condition::HiHi {
            set_point: 95.0,
            deadband,
        },
    ]
}

const fn definition(condition: Condition) -> Definition {
    Definition {
        condition,
        priority: Priority::P2,
        on_delay_ms: 0,
        off_delay_ms: 0,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 480,
        remote_reset: false,
    }
}

/// Nanoseconds of the processor for one of what `window` says that it did.
fn median(mut window: impl FnMut() -> usize) -> Result<f64> {
    let mut costs = Vec::new();
    for _ in 0..WINDOWS {
        let before = processor_ns()?;
        let done = window();
        costs.push((processor_ns()? - before) as f64 / done as f64);
    }
    costs.sort_by(f64::total_cmp);
    Ok(costs[costs.len() / 2])
}

/// What this thread has had of the processor.
fn processor_ns() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")
        .context("this kernel does not say what a thread has run")?;
    let ran = text.split_whitespace().next().context("an empty figure")?;
    Ok(ran.parse()?)
}

/// Each point with four limits, a fault and a silence.
fn site(points: usize) -> Result<Site> {
    let mut text = String::from(
        r#"schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
"#,
    );
    let devices = points.div_ceil(SCAN);
    for bus in 0..devices.div_ceil(DEVICES_OF_A_BUS) {
        let port = 10_000 + bus;
        writeln!(
            text,
            "[[bus]]\nid = \"b{bus}\"\nkind = \"tcp\"\naddress = \"127.0.0.1:{port}\""
        )?;
    }
    for device in 0..devices {
        let (bus, unit) = (device / DEVICES_OF_A_BUS, device % DEVICES_OF_A_BUS);
        writeln!(
            text,
            "[[device]]\nid = \"d{device}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b{bus}\"\nunit = {unit}"
        )?;
    }
    for point in 0..points {
        write_point(&mut text, point)?;
    }
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    let site = loaded.ok().context("the site is not valid")?.site;
    ensure!(site.points.len() == points, "a point is missing");
    Ok(site)
}

fn write_point(text: &mut String, point: usize) -> Result<()> {
    let (device, register) = (point / SCAN, point % SCAN);
    writeln!(
        text,
        r#"[[point]]
id = "p{point}"
name = {{ zh = "p{point}", en = "p{point}" }}
area = "a"
device = "d{device}"
register = {{ table = "holding", address = {register} }}
kind = "other"
unit = "%"
range = [0, 100]
stale_s = 10"#
    )?;
    for (limit, set_point) in [("LL", 5), ("L", 10), ("H", 90), ("HH", 95)] {
        writeln!(
            text,
            "[point.alarms.{limit}]\nset_point = {set_point}\ndeadband = 1\npriority = 3\non_delay_s = 2\noff_delay_s = 5"
        )?;
    }
    Ok(())
}
