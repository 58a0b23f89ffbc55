//! `davy-gateway check --budget`: what each bus is asked for, what it can carry, and how soon its slowest alarm comes.

use crate::acquire::{Budget, Share};
use crate::admission::{Answer, seconds};
use crate::matrix::aligned;
use crate::message;
use davy_config::Language;
use davy_config::site::{Bus, Link, Site};
use serde::Serialize;
use std::time::Duration;

/// The table, as programs read it.
#[derive(Debug, Serialize)]
pub(crate) struct Table<'a> {
    site: &'a str,
    buses: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    bus: &'a str,
    kind: &'static str,
    /// Of the line, behind a converter too; null for TCP.
    baud: Option<u32>,
    /// All devices and outputs once.
    scan_ms: f64,
    /// The same while one unit is silent.
    scan_with_silence_ms: f64,
    /// Writing each output once and reading it back.
    outputs_ms: f64,
    /// Share of the line's time; beyond 1 it cannot be carried.
    load: f64,
    devices: Vec<Poll<'a>>,
    /// The alarm with the least to spare; null where none must come within a time, and on a bus that is asked for too much.
    tightest: Option<Tightest<'a>>,
}

#[derive(Debug, Serialize)]
struct Poll<'a> {
    device: &'a str,
    unit: u8,
    /// Requests of one poll.
    reads: usize,
    poll_ms: f64,
    period_ms: u32,
    load: f64,
}

#[derive(Debug, Serialize)]
struct Tightest<'a> {
    alarm: &'a str,
    worst_ms: f64,
    required_ms: f64,
}

impl<'a> Table<'a> {
    /// Of every bus, in the order of the site file.
    pub(crate) fn of(site: &'a Site) -> Self {
        let budgets = Budget::of_site(site);
        let rows = budgets.iter().map(|budget| row(site, &budgets, budget));
        Self {
            site: &site.id,
            buses: rows.collect(),
        }
    }

    /// The same for people: the buses, then their devices.
    pub(crate) fn text(&self, language: Language) -> String {
        let head = |keys: &[&str]| -> Vec<String> {
            let say = |key: &&str| message::text(&format!("budget-{key}"), language);
            keys.iter().map(say).collect()
        };
        let mut buses = vec![head(&[
            "bus", "line", "load", "scan", "silence", "tightest", "worst", "required",
        ])];
        buses.extend(self.buses.iter().map(Row::text));
        let mut devices = vec![head(&[
            "device", "bus", "unit", "reads", "poll", "period", "load",
        ])];
        for row in &self.buses {
            devices.extend(row.devices.iter().map(|poll| poll.text(row.bus)));
        }
        let legend = message::text("budget-legend", language);
        format!("{}\n{}\n{legend}\n", aligned(&buses), aligned(&devices))
    }
}

impl Row<'_> {
    fn text(&self) -> Vec<String> {
        let line = self.baud.map_or_else(
            || self.kind.to_owned(),
            |baud| format!("{} {baud}", self.kind),
        );
        let mut cells = vec![
            self.bus.to_owned(),
            line,
            percent(self.load),
            of_ms(self.scan_ms),
            of_ms(self.scan_with_silence_ms),
        ];
        if let Some(tightest) = &self.tightest {
            cells.extend([
                tightest.alarm.to_owned(),
                of_ms(tightest.worst_ms),
                of_ms(tightest.required_ms),
            ]);
        }
        cells
    }
}

impl Poll<'_> {
    fn text(&self, bus: &str) -> Vec<String> {
        vec![
            self.device.to_owned(),
            bus.to_owned(),
            self.unit.to_string(),
            self.reads.to_string(),
            format!("{:.1} ms", self.poll_ms),
            format!("{} ms", self.period_ms),
            percent(self.load),
        ]
    }
}

fn row<'a>(site: &'a Site, budgets: &[Budget], budget: &Budget) -> Row<'a> {
    let bus = &site.buses[budget.bus.0];
    let (kind, baud) = line(bus);
    let of_bus = Answer::of_site(site, budgets)
        .filter(|answer| site.devices[answer.device.0].bus == budget.bus);
    let spare = |answer: &Answer<'_>| {
        let (required, worst) = (answer.required.as_micros(), answer.worst.as_micros());
        required.cast_signed() - worst.cast_signed()
    };
    let tightest = of_bus.min_by_key(spare);
    Row {
        bus: &bus.id,
        kind,
        baud,
        scan_ms: ms(budget.scan),
        scan_with_silence_ms: ms(budget.scan_with_silence),
        outputs_ms: ms(budget.outputs),
        load: (budget.load * 1e4).round() / 1e4,
        devices: budget
            .shares
            .iter()
            .map(|share| poll(site, share))
            .collect(),
        tightest: tightest.map(|answer| Tightest {
            alarm: &answer.alarm.id,
            worst_ms: ms(answer.worst),
            required_ms: ms(answer.required),
        }),
    }
}

fn poll<'a>(site: &'a Site, share: &Share) -> Poll<'a> {
    let device = &site.devices[share.device.0];
    Poll {
        device: &device.id,
        unit: device.unit,
        reads: share.reads,
        poll_ms: ms(share.poll),
        period_ms: device.period_ms,
        load: (share.load() * 1e4).round() / 1e4,
    }
}

const fn line(bus: &Bus) -> (&'static str, Option<u32>) {
    match &bus.link {
        Link::Tcp { .. } => ("tcp", None),
        Link::RtuOverTcp { .. } => ("rtu-over-tcp", Some(bus.converter_baud)),
        Link::Rtu { baud, .. } => ("rtu", Some(*baud)),
    }
}

/// Milliseconds, to the hundredth.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

fn of_ms(ms: f64) -> String {
    format!("{} s", seconds(Duration::from_secs_f64(ms / 1000.0)))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
