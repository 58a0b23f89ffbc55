//! A journal on a real disk and the uplink behind it, fed as judgement feeds them.

use anyhow::{Context as _, Result, ensure};
use davy_alarm::{Cause, Reading, Saved, Shown, WallMs};
use davy_config::site::{DeviceIndex, Site};
use davy_gateway::clock::Clock;
use davy_gateway::desk::Desk;
use davy_gateway::journal::{Journal, Record, Transition};
use davy_gateway::judge::Switched;
use davy_gateway::live::{AlarmNow, Live};
use davy_gateway::uplink::{LinkState, Parts, Uplink};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(120);
/// What waits for the journal's thread at most: its inbox takes twice as much.
const TOGETHER: u64 = 4_000;

/// So many devices of so many points each.
#[derive(Clone, Copy)]
pub(crate) struct Plant {
    pub(crate) devices: u32,
    pub(crate) points: u32,
}

impl Plant {
    /// Of one round.
    pub(crate) const fn readings(self) -> u64 {
        self.devices as u64 * self.points as u64
    }

    /// What one device answers in one round: every value swings slowly and stirs by a count of its register.
    pub(crate) fn answer(self, device: u32, round: u64) -> Vec<Record> {
        let time = Clock::start().wall();
        let first = device * self.points;
        (first..first + self.points)
            .map(|point| Record::Reading {
                point,
                reading: Reading::measured(value(point, round), time),
            })
            .collect()
    }
}

/// What a register of tenths holds.
pub(crate) fn value(point: u32, round: u64) -> f64 {
    let swing = 30.0 * (round as f64 / 500.0 + f64::from(point)).sin();
    let noise = (round.wrapping_mul(6_364_136_223_846_793_005) >> (point % 31 + 32)) % 3;
    (200 + 3 * i64::from(point % 500) + swing as i64 + noise as i64) as f64 * 0.1
}

/// What is measured.
pub(crate) struct Rig {
    plant: Plant,
    pub(crate) journal: Journal,
    uplink: Uplink<Journal>,
    task: Option<tokio::task::JoinHandle<()>>,
    shutdown: CancellationToken,
    folder: tempfile::TempDir,
}

impl Rig {
    /// Without a broker's port the gateway stands alone, and its journal only grows.
    pub(crate) fn start(plant: Plant, folder: &Path, broker: Option<u16>) -> Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        Self::reopen(plant, folder, broker)
    }

    pub(crate) fn reopen(
        plant: Plant,
        folder: tempfile::TempDir,
        broker: Option<u16>,
    ) -> Result<Self> {
        let (site, clock) = (Arc::new(site(plant, broker)?), Clock::start());
        let (journal, _) = Journal::open(&folder.path().join("journal"), &site, clock)?;
        let switched = vec![Switched::default(); site.outputs.len()];
        let alarms = (0..site.alarms.len()).map(normal).collect();
        let (desk, _requests) = Desk::new(site.clone());
        let parts = Parts {
            live: Arc::new(Live::new(&site, alarms, &switched, clock.wall())),
            site,
            journal: Arc::new(journal.clone()),
            desk,
            clock,
            version: "bench".into(),
        };
        let shutdown = CancellationToken::new();
        let (uplink, task) = Uplink::start(parts, folder.path(), shutdown.clone());
        Ok(Self {
            plant,
            journal,
            uplink,
            task,
            shutdown,
            folder,
        })
    }

    pub(crate) async fn connected(&self) -> Result<()> {
        let mut links = self.uplink.watch();
        let up = links.wait_for(|links| links.broker.state == LinkState::Up);
        tokio::time::timeout(PATIENCE, up)
            .await
            .context("no connection")??;
        Ok(())
    }

    /// Appends rounds as fast as the journal syncs them.
    pub(crate) async fn rounds(&self, rounds: std::ops::Range<u64>) -> Result<()> {
        let mut synced = self.journal.synced();
        for round in rounds {
            let mut waiting = 0;
            let mut before = *synced.borrow_and_update();
            for device in 0..self.plant.devices {
                self.append(device, round);
                waiting += u64::from(self.plant.points);
                if waiting >= TOGETHER || device + 1 == self.plant.devices {
                    let reached = synced.wait_for(|next| *next > before);
                    before = *tokio::time::timeout(PATIENCE, reached).await??;
                    waiting = 0;
                }
            }
        }
        ensure!(
            self.journal.stats().dropped_readings == 0,
            "readings were dropped"
        );
        Ok(())
    }

    pub(crate) fn append(&self, device: u32, round: u64) {
        self.journal.append(
            Some(DeviceIndex(device as usize)),
            self.plant.answer(device, round),
        );
    }

    /// Until everything is acknowledged.
    pub(crate) async fn delivered(&self) -> Result<()> {
        let wait = async {
            while self.journal.backlog() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .context("not delivered in time")
    }

    /// Bytes of every segment ever written, as far as they are still there: none is forgotten in a run this short.
    pub(crate) fn written(&self) -> u64 {
        self.journal.stats().bytes
    }

    /// Ends it and keeps what is on disk.
    pub(crate) async fn close(self) -> Result<tempfile::TempDir> {
        self.shutdown.cancel();
        if let Some(task) = self.task {
            task.await?;
        }
        ensure!(
            self.journal.close(PATIENCE).await,
            "the journal does not end"
        );
        Ok(self.folder)
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.close().await.map(drop)
    }
}

/// The first point's alarm goes off.
pub(crate) fn raised(seq: u64) -> Result<Record> {
    let mut saved = [0; Saved::BYTES];
    (saved[0], saved[1], saved[4]) = (1, 1, 1);
    saved[8..16].copy_from_slice(&i64::MIN.to_le_bytes());
    saved[16..24].copy_from_slice(&i64::MIN.to_le_bytes());
    Ok(Record::Transition(Box::new(Transition {
        seq,
        alarm: 0,
        from: Shown::Normal,
        to: Shown::Unacknowledged,
        cause: Cause::Active,
        occurrence: 1,
        time: WallMs(1_795_000_000_000),
        value: Some(Ok(95.0)),
        limit: Some(90.0),
        priority: 1,
        person: None,
        command: None,
        shelved_until: None,
        saved: Saved::from_bytes(&saved).context("a saved state")?,
    })))
}

fn normal(alarm: usize) -> AlarmNow {
    AlarmNow {
        alarm: davy_config::site::AlarmIndex(alarm),
        shown: Shown::Normal,
        active: false,
        acknowledged: true,
        latched: false,
        shelved: false,
        suppressed_by_design: false,
        out_of_service: false,
        occurrence: 0,
        seq: 0,
        raised: None,
        changed: None,
        cleared: None,
        acknowledged_at: None,
        shelved_until: None,
        value_then: None,
        actor: None,
        reason: None,
    }
}

fn site(plant: Plant, broker: Option<u16>) -> Result<Site> {
    let mut text = String::from(
        r#"schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[journal]
max_mb = 4096
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:502"
"#,
    );
    if let Some(port) = broker {
        writeln!(
            text,
            "[uplink]\nbroker = \"127.0.0.1:{port}\"\ngroup = \"g\""
        )?;
    }
    for device in 0..plant.devices {
        writeln!(
            text,
            "[[device]]\nid = \"d{device}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b\"\nunit = {}",
            device + 1
        )?;
        for register in 0..plant.points {
            write_point(
                &mut text,
                device,
                device * plant.points + register,
                register,
            )?;
        }
    }
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    Ok(loaded
        .map_err(|problems| anyhow::anyhow!("{problems}"))?
        .site)
}

fn write_point(text: &mut String, device: u32, point: u32, register: u32) -> Result<()> {
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
range = [0, 500]
[point.alarms.H]
set_point = 400"#
    )?;
    Ok(())
}
