//! The task of one bus: who is polled when, what a silent device costs the others (one time-out, then ever rarer probes), and outputs before
//! everything else.

use super::link::Wire;
use super::pdu::{Fault, Request};
use super::plan::{Image, Plan};
use super::stats::Stats;
use crate::clock::Clock;
use crate::decode;
use crate::scan::Scan;
use davy_alarm::NoValue;
use davy_config::site::{BusIndex, DeviceIndex, OutputIndex, Site, Table};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A silent device is probed at least this often.
const PROBE_MAX: Duration = Duration::from_secs(30);
/// Between two attempts to open a link that is down.
const REOPEN: Duration = Duration::from_secs(1);
/// An output whose read-back agrees is written anew this often all the same: a relay module may restart unseen.
const REWRITE: Duration = Duration::from_secs(5);
/// An output that could not be written, or whose read-back disagrees, is written again after this.
const RETRY: Duration = Duration::from_millis(500);
/// A block refused with exception 2 or 3 that cannot be halved further is asked again after this.
const QUARANTINE: Duration = Duration::from_secs(60);

/// One device as its bus sees it.
#[derive(Debug)]
struct Station {
    device: DeviceIndex,
    unit: u8,
    period: Duration,
    plan: Plan,
    due: Instant,
    /// An output of it was just written: read it back without waiting for the period.
    read_back: bool,
    /// Polls in a row without any answer.
    silent: u32,
    /// While silent: when it is next asked.
    probe_at: Instant,
    /// By block: refused until then, with the exception's code.
    refused: Vec<Option<(Instant, u8)>>,
}

/// One output as its bus drives it.
#[derive(Debug)]
struct Drive {
    output: OutputIndex,
    station: usize,
    asked: bool,
    feedback: Option<bool>,
    write_at: Instant,
}

pub(super) struct BusTask {
    site: Arc<Site>,
    bus: BusIndex,
    clock: Clock,
    scans: mpsc::Sender<Scan>,
    demand: watch::Receiver<Vec<bool>>,
    stats: Arc<Stats>,
    stations: Vec<Station>,
    drives: Vec<Drive>,
    wire: Option<Wire>,
    reopen_at: Instant,
    timeout: Duration,
}

impl BusTask {
    pub(super) fn new(
        site: Arc<Site>,
        bus: BusIndex,
        clock: Clock,
        scans: mpsc::Sender<Scan>,
        demand: watch::Receiver<Vec<bool>>,
        stats: Arc<Stats>,
    ) -> Self {
        let now = Instant::now();
        let own = site
            .devices
            .iter()
            .enumerate()
            .filter(|(_, device)| device.bus == bus);
        let stations: Vec<Station> = own
            .map(|(position, _)| Station::new(&site, DeviceIndex(position), now))
            .collect();
        let drive = |(position, output): (usize, &davy_config::site::Output)| {
            let station = stations
                .iter()
                .position(|station| station.device == output.device)?;
            Some(Drive {
                output: OutputIndex(position),
                station,
                asked: false,
                feedback: None,
                write_at: now,
            })
        };
        let drives = site.outputs.iter().enumerate().filter_map(drive).collect();
        let timeout = Duration::from_millis(u64::from(site.buses[bus.0].timeout_ms));
        Self {
            site,
            bus,
            clock,
            scans,
            demand,
            stats,
            stations,
            drives,
            wire: None,
            reopen_at: now,
            timeout,
        }
    }

    /// Runs until shutdown; no fault of a device or a link ends it.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let wake = self.next_wake();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                changed = self.demand.changed(), if !self.drives.is_empty() => if changed.is_err() { return },
                () = tokio::time::sleep_until(wake) => {}
            }
            self.write_outputs().await;
            if let Some(station) = self.due_station() {
                self.poll(station).await;
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let polls = self.stations.iter().map(|station| {
            if station.read_back {
                Instant::now()
            } else {
                station.due
            }
        });
        let writes = self.drives.iter().map(|drive| drive.write_at);
        polls
            .chain(writes)
            .min()
            .unwrap_or_else(|| Instant::now() + PROBE_MAX)
    }

    fn due_station(&self) -> Option<usize> {
        let now = Instant::now();
        let due = self
            .stations
            .iter()
            .enumerate()
            .filter(|(_, station)| station.read_back || station.due <= now);
        due.min_by_key(|(_, station)| station.due)
            .map(|(position, _)| position)
    }

    async fn poll(&mut self, position: usize) {
        let station = &mut self.stations[position];
        if station.due <= Instant::now() {
            station.advance_due();
        }
        station.read_back = false;
        let image = if station.silent > 0 && Instant::now() < station.probe_at {
            None
        } else {
            Some(self.read_blocks(position).await)
        };
        let (image, answered) = match image {
            // Silent, and not yet to be asked again: its points say so at every period.
            None => (
                vec![Err(NoValue::Timeout); self.stations[position].plan.blocks.len()],
                false,
            ),
            Some((image, answered)) => {
                self.note_contact(position, answered);
                (image, answered)
            }
        };
        self.tell(position, &image, answered);
    }

    /// Reads a device's blocks. The first that times out ends it: a silent device costs one time-out.
    async fn read_blocks(&mut self, position: usize) -> (Image, bool) {
        let mut image = Image::new();
        let (mut answered, mut block) = (false, 0);
        while block < self.stations[position].plan.blocks.len() {
            let station = &self.stations[position];
            if let Some((until, code)) = station.refused[block]
                && Instant::now() < until
            {
                image.push(Err(NoValue::Exception(code)));
                block += 1;
                continue;
            }
            let plan = &station.plan.blocks[block];
            let request = Request::Read {
                table: plan.table,
                start: plan.start,
                count: plan.count,
            };
            match self.exchange(position, &request).await {
                Ok(words) => {
                    answered = true;
                    image.push(Ok(words));
                }
                Err(Fault::Exception(2 | 3)) if self.stations[position].split(block) => {
                    answered = true;
                    continue;
                }
                Err(Fault::Exception(code)) => {
                    answered = true;
                    if matches!(code, 2 | 3) {
                        self.stations[position].refused[block] =
                            Some((Instant::now() + QUARANTINE, code));
                    }
                    image.push(Err(NoValue::Exception(code)));
                }
                Err(fault) => {
                    let cause = cause(fault);
                    let missing = self.stations[position].plan.blocks.len() - block;
                    image.extend(std::iter::repeat_n(Err(cause), missing));
                    break;
                }
            }
            block += 1;
        }
        (image, answered)
    }

    /// One exchange, on a wire that is opened first if it is not.
    async fn exchange(&mut self, position: usize, request: &Request) -> Result<Vec<u16>, Fault> {
        let (unit, device) = (self.stations[position].unit, self.stations[position].device);
        let (start, limit) = (Instant::now(), self.timeout);
        let result = match self.open_wire().await {
            Some(wire) => wire.exchange(unit, request, limit).await,
            None => Err(Fault::LinkDown),
        };
        let fault = result.as_ref().err().copied();
        self.stats.count(
            self.bus.0,
            device.0,
            fault,
            start.elapsed().as_micros() as u64,
            self.clock.wall(),
        );
        if let (Some(fault), Some(wire)) = (fault, &self.wire)
            && wire.is_spent(fault)
        {
            self.wire = None;
            self.stats.buses[self.bus.0]
                .up
                .store(fault != Fault::LinkDown, Relaxed);
            if fault == Fault::LinkDown {
                tracing::warn!(bus = self.site.buses[self.bus.0].id, "link lost");
                self.reopen_at = Instant::now();
            }
        }
        result
    }

    async fn open_wire(&mut self) -> Option<&mut Wire> {
        if self.wire.is_none() && Instant::now() >= self.reopen_at {
            let bus = &self.site.buses[self.bus.0];
            match Wire::open(bus).await {
                Ok(wire) => {
                    self.wire = Some(wire);
                    if !self.stats.buses[self.bus.0].up.swap(true, Relaxed) {
                        tracing::info!(bus = bus.id, "link up");
                    }
                }
                Err(error) => {
                    if self.stats.buses[self.bus.0].up.swap(false, Relaxed) {
                        tracing::warn!(bus = bus.id, %error, "link down");
                    }
                    self.reopen_at = Instant::now() + REOPEN;
                }
            }
        }
        self.wire.as_mut()
    }

    fn note_contact(&mut self, position: usize, answered: bool) {
        let station = &mut self.stations[position];
        let device = &self.site.devices[station.device.0];
        let before = self.stats.devices[station.device.0]
            .answering
            .swap(answered, Relaxed);
        if answered {
            station.silent = 0;
            if !before {
                tracing::info!(device = device.id, "answers");
            }
            return;
        }
        if before {
            tracing::warn!(device = device.id, "does not answer");
        }
        station.silent = station.silent.saturating_add(1);
        // The first silence is asked again at the next period, then ever more rarely.
        let wait = station
            .period
            .saturating_mul(1 << station.silent.saturating_sub(2).min(5))
            .min(PROBE_MAX.max(station.period));
        station.probe_at = if station.silent < 2 {
            Instant::now()
        } else {
            Instant::now() + wait - station.period / 2
        };
    }

    /// Hands the outcome to judgement; a full queue drops it, for newer ones follow.
    fn tell(&mut self, position: usize, image: &Image, answered: bool) {
        let station = &self.stations[position];
        let at = self.clock.wall();
        let plan = &station.plan;
        let reading = |items: &super::plan::PointItems| {
            let point = &self.site.points[items.point.0];
            let status = items.status.iter().map(|item| plan.words(image, *item));
            (
                items.point,
                decode::reading(point, plan.words(image, items.value), status, at),
            )
        };
        let readings = plan.points.iter().map(reading).collect();
        let feedback: Vec<(OutputIndex, Option<bool>)> = plan
            .outputs
            .iter()
            .map(|(output, item)| (*output, self.read_back(*output, plan.words(image, *item))))
            .collect();
        for (output, state) in &feedback {
            self.note_feedback(*output, *state);
        }
        let scan = Scan {
            device: self.stations[position].device,
            at: self.clock.now(),
            answered,
            readings,
            outputs: feedback,
        };
        if self.scans.try_send(scan).is_err() {
            metrics::counter!("davy_scans_dropped_total").increment(1);
        }
    }

    fn read_back(&self, output: OutputIndex, words: Result<&[u16], NoValue>) -> Option<bool> {
        let output = &self.site.outputs[output.0];
        let word = *words.ok()?.first()?;
        match output.register.table {
            Table::Coil | Table::DiscreteInput => Some(word != 0),
            Table::Holding | Table::Input if word == output.on => Some(true),
            Table::Holding | Table::Input if word == output.off => Some(false),
            Table::Holding | Table::Input => None,
        }
    }

    /// A read-back that disagrees is written again soon.
    fn note_feedback(&mut self, output: OutputIndex, feedback: Option<bool>) {
        if let Some(drive) = self.drives.iter_mut().find(|drive| drive.output == output) {
            drive.feedback = feedback;
            if feedback.is_some_and(|state| state != drive.asked) {
                drive.write_at = drive.write_at.min(Instant::now() + RETRY);
            }
        }
    }

    /// Writes what changed, what disagrees and what is due, highest need first: on before off.
    async fn write_outputs(&mut self) {
        let demand = self.demand.borrow_and_update().clone();
        for drive in &mut self.drives {
            let asked = demand.get(drive.output.0).copied().unwrap_or(false);
            if asked != drive.asked {
                (drive.asked, drive.write_at) = (asked, Instant::now());
            }
        }
        let now = Instant::now();
        let mut due: Vec<usize> = (0..self.drives.len())
            .filter(|position| self.drives[*position].write_at <= now)
            .collect();
        due.sort_by_key(|position| !self.drives[*position].asked);
        for position in due {
            self.write_output(position).await;
        }
    }

    async fn write_output(&mut self, position: usize) {
        let (station, asked) = (self.drives[position].station, self.drives[position].asked);
        // A silent device is written when it answers again; its change of demand is tried at once all the same.
        let silent =
            self.stations[station].silent > 1 && Instant::now() < self.stations[station].probe_at;
        let changed = self.drives[position]
            .feedback
            .is_none_or(|state| state != asked);
        if silent && !changed {
            self.drives[position].write_at = Instant::now() + REWRITE;
            return;
        }
        let request = self.write_request(position);
        let written = self.exchange(station, &request).await;
        let wait = if written.is_ok() {
            REWRITE
        } else if silent {
            REWRITE
        } else {
            RETRY
        };
        self.drives[position].write_at = Instant::now() + wait;
        if let Err(fault) = written {
            tracing::warn!(output = self.site.outputs[self.drives[position].output.0].id, %fault, "output not written");
        } else if self.drives[position].feedback != Some(asked) {
            // Read back with the next turn, not with the next period.
            self.stations[station].read_back = true;
        }
    }

    fn write_request(&self, position: usize) -> Request {
        let drive = &self.drives[position];
        let output = &self.site.outputs[drive.output.0];
        let (address, multiple) = (output.register.address, output.write_multiple);
        match output.register.table {
            Table::Coil | Table::DiscreteInput => Request::WriteCoil {
                address,
                on: drive.asked == (output.on != 0),
                multiple,
            },
            Table::Holding | Table::Input => Request::WriteRegister {
                address,
                value: if drive.asked { output.on } else { output.off },
                multiple,
            },
        }
    }
}

impl Station {
    fn new(site: &Site, device: DeviceIndex, now: Instant) -> Self {
        let settings = &site.devices[device.0];
        let plan = Plan::new(site, device);
        let refused = vec![None; plan.blocks.len()];
        let period = Duration::from_millis(u64::from(settings.period_ms));
        Self {
            device,
            unit: settings.unit,
            period,
            plan,
            due: now,
            read_back: false,
            silent: 0,
            probe_at: now,
            refused,
        }
    }

    /// The next due time is a whole number of periods after the last: polls do not drift. Missed periods are skipped.
    fn advance_due(&mut self) {
        let now = Instant::now();
        self.due += self.period;
        if self.due <= now {
            let behind =
                now.duration_since(self.due).as_nanos() / self.period.as_nanos().max(1) + 1;
            self.due += self
                .period
                .saturating_mul(u32::try_from(behind).unwrap_or(u32::MAX));
        }
    }

    fn split(&mut self, block: usize) -> bool {
        let split = self.plan.split(block);
        if split {
            self.refused.insert(block, None);
        }
        split
    }
}

const fn cause(fault: Fault) -> NoValue {
    match fault {
        Fault::Timeout => NoValue::Timeout,
        Fault::BadFrame => NoValue::BadFrame,
        Fault::LinkDown => NoValue::LinkDown,
        Fault::Exception(code) => NoValue::Exception(code),
    }
}
