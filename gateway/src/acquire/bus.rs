//! The task of one bus: whose turn it is, one exchange at a time. It owns the link; what it decides by stands in `station` and `outputs`.
//!
//! Order of precedence: an output whose demand changed, before every single exchange; then devices whose period has come, the longest due
//! first and those that fell silent last; then outputs to be written again and errands at nodes, one exchange between two polls.

use super::Demand;
use super::link::{self, Lines, Link};
use super::outputs::{self, Outputs, Written};
use super::pdu::{Fault, Request};
use super::station::{self, PROBE_MAX, Station};
use super::stats::{BusStats, Stats, WINDOW};
use crate::clock::Clock;
use crate::node::{Errands, Nodes};
use crate::scan::Scan;
use crate::succession::Succession;
use davy_alarm::{NoValue, WallMs};
use davy_config::site::{Bus, BusIndex, Device, DeviceIndex, OutputIndex, Site};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Before the second attempt to open a link; doubled up to [`REOPEN_MAX`].
const REOPEN: Duration = Duration::from_millis(250);
const REOPEN_MAX: Duration = Duration::from_secs(5);
/// A scan that judgement had no room for is offered again after this.
const OFFER_AGAIN: Duration = Duration::from_millis(10);

pub(super) struct BusTask {
    site: Arc<Site>,
    bus: BusIndex,
    clock: Clock,
    scans: mpsc::Sender<Scan>,
    demand: watch::Receiver<Demand>,
    stats: Arc<Stats>,
    stations: Vec<Station>,
    outputs: Outputs,
    errands: Errands,
    /// By station: the newest scan that judgement had no room for.
    waiting: Vec<Option<Scan>>,
    lines: Lines,
    link: Option<Link>,
    /// It has brought an answer.
    answered: bool,
    /// The last one broke after it had.
    hung_up: bool,
    reopen_at: Instant,
    reopen_wait: Duration,
    timeout: Duration,
    /// The last answer's words.
    words: Vec<u16>,
    /// When it came, or was waited for no longer, by both clocks.
    ended: (Instant, WallMs),
    window_start: Instant,
    window_busy: Duration,
}

impl BusTask {
    pub(super) fn new(
        bus: BusIndex,
        clock: Clock,
        scans: mpsc::Sender<Scan>,
        demand: watch::Receiver<Demand>,
        served: &Demand,
        (lines, nodes): (Lines, Nodes),
    ) -> Self {
        let now = Instant::now();
        let (site, stats) = (served.site.clone(), served.stats.clone());
        let untagged = link::is_untagged(&site.buses[bus.0].link);
        let own = site
            .devices
            .iter()
            .enumerate()
            .filter(|(_, device)| device.bus == bus);
        let stations: Vec<Station> = own
            .map(|(position, _)| Station::new(&site, DeviceIndex(position), untagged, now))
            .collect();
        Self {
            outputs: Outputs::new(driven(&site, &stations), now),
            errands: Errands::new(nodes, devices(&site, &stations), now),
            waiting: stations.iter().map(|_| None).collect(),
            timeout: Duration::from_millis(u64::from(site.buses[bus.0].timeout_ms)),
            site,
            bus,
            clock,
            scans,
            demand,
            stats,
            stations,
            lines,
            link: None,
            answered: false,
            hung_up: false,
            reopen_at: now,
            reopen_wait: REOPEN,
            words: Vec::with_capacity(2000),
            ended: (now, clock.wall()),
            window_start: now,
            window_busy: Duration::ZERO,
        }
    }

    /// Runs until shutdown; no fault of a device or a link ends it.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut between_next = false;
        while !shutdown.is_cancelled() && self.follow_site() {
            self.offer_waiting();
            self.write_fresh().await;
            let now = Instant::now();
            self.note_window(now);
            let station = self.due_station(now);
            match (station, self.due_between(now, station.is_none())) {
                (_, Some(Between::Output(output))) if between_next || station.is_none() => {
                    between_next = false;
                    self.write(output).await;
                }
                (_, Some(Between::Errand(errand))) if between_next || station.is_none() => {
                    between_next = false;
                    self.run_errand(errand).await;
                }
                (Some(station), _) => {
                    between_next = true;
                    self.poll(station, now).await;
                }
                (None, _) => self.idle(&shutdown).await,
            }
        }
    }

    /// Goes over to another site if judgement has. Returns whether the bus is still part of it.
    fn follow_site(&mut self) -> bool {
        let (site, stats) = {
            let asked = self.demand.borrow_and_update();
            if Arc::ptr_eq(&asked.site, &self.site) {
                return true;
            }
            (asked.site.clone(), asked.stats.clone())
        };
        let Some(bus) = site.bus(&self.site.buses[self.bus.0].id) else {
            return false;
        };
        self.follow_link(&site.buses[bus.0]);
        self.follow_devices(&site, bus);
        let change = Succession::of(&self.site, &site);
        let kept = |output: OutputIndex| change.output(output);
        self.outputs
            .follow(driven(&site, &self.stations), kept, Instant::now());
        self.errands
            .follow(devices(&site, &self.stations), Instant::now());
        (self.site, self.bus, self.stats) = (site, bus, stats);
        true
    }

    /// A link that is defined otherwise is opened anew.
    fn follow_link(&mut self, bus: &Bus) {
        let before = &self.site.buses[self.bus.0];
        if (&before.link, before.turnaround_ms) != (&bus.link, bus.turnaround_ms) {
            (self.link, self.reopen_at, self.reopen_wait) = (None, Instant::now(), REOPEN);
            self.answered = false;
        }
        self.timeout = Duration::from_millis(u64::from(bus.timeout_ms));
    }

    fn follow_devices(&mut self, site: &Site, bus: BusIndex) {
        let (now, untagged) = (Instant::now(), link::is_untagged(&site.buses[bus.0].link));
        let before = self.stations.drain(..).zip(self.waiting.drain(..));
        let mut before: Vec<(Station, Option<Scan>)> = before.collect();
        for (position, device) in site.devices.iter().enumerate() {
            if device.bus != bus {
                continue;
            }
            let known = before
                .iter()
                .position(|(station, _)| self.site.devices[station.device.0].id == device.id);
            let (station, waiting) = match known.map(|known| before.swap_remove(known)) {
                Some((mut station, waiting)) => {
                    station.follow(site, DeviceIndex(position), untagged, now);
                    (station, waiting)
                }
                None => {
                    let station = Station::new(site, DeviceIndex(position), untagged, now);
                    (station, None)
                }
            };
            self.stations.push(station);
            self.waiting.push(waiting);
        }
    }

    async fn idle(&mut self, shutdown: &CancellationToken) {
        let wake = self.next_wake();
        // Without anybody left to ask, only time brings work.
        let listens = self.demand.has_changed().is_ok();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            _ = self.demand.changed(), if listens => {}
            () = tokio::time::sleep_until(wake) => {}
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let offer = self
            .waiting
            .iter()
            .any(Option::is_some)
            .then(|| now + OFFER_AGAIN);
        let polls = self.stations.iter().map(Station::due);
        polls
            .chain(self.outputs.next_wake(silent(&self.stations)))
            .chain(self.errands.next_wake())
            .chain(offer)
            .min()
            .unwrap_or(now + PROBE_MAX)
    }

    fn due_station(&self, now: Instant) -> Option<usize> {
        let due = self
            .stations
            .iter()
            .enumerate()
            .filter(|(_, station)| station.due() <= now);
        due.min_by_key(|(_, station)| (station.gives_way(now), station.due()))
            .map(|(position, _)| position)
    }

    /// What is longest due of that which goes between two polls.
    fn due_between(&mut self, now: Instant, is_idle: bool) -> Option<Between> {
        let output = self.outputs.next_due(now, silent(&self.stations));
        let errand = self.errands.next_due(now, is_idle);
        match (output, errand) {
            (Some(output), Some(errand))
                if self.errands.due(errand) < self.outputs.drive(output).due =>
            {
                Some(Between::Errand(errand))
            }
            (Some(output), _) => Some(Between::Output(output)),
            (None, errand) => errand.map(Between::Errand),
        }
    }

    /// One exchange of an errand at a node, if it answers its polls and owes no answer.
    async fn run_errand(&mut self, errand: usize) {
        let position = self.errands.station(errand);
        let station = &self.stations[position];
        let device = &self.stats.devices[station.device.0];
        if station.is_suspect() || !device.answering.load(Relaxed) {
            self.errands.pass(errand, Instant::now());
            return;
        }
        let request = self.errands.request(errand, self.clock.wall());
        let outcome = self.exchange(position, &request).await;
        let words = outcome.map(|()| self.words.as_slice());
        self.errands
            .take(errand, words, Instant::now(), self.clock.wall());
    }

    async fn poll(&mut self, position: usize, now: Instant) {
        let missed = self.stations[position].advance_due(now);
        self.counters().overruns.fetch_add(missed, Relaxed);
        let is_open = self.ensure_link().await;
        self.ended = self.look();
        if is_open {
            self.stations[position].begin(self.ended.0, self.ended.1);
            if self.write_to_silent(position).await {
                self.read_round(position).await;
            }
        } else {
            self.stations[position].link_down(self.ended.1);
        }
        let answered = self.stations[position].finish(self.ended.0);
        self.note_contact(position, answered);
        self.tell(position, answered);
    }

    /// Where a silent device also drives outputs, a write that is due takes every other of its turns: it costs its bus one time-out, whichever it is. Returns
    /// whether the device may be read: nothing was written, or it has answered.
    async fn write_to_silent(&mut self, position: usize) -> bool {
        let Some(output) = self.outputs.due_of(position, self.ended.0) else {
            return true;
        };
        if !self.stations[position].takes_a_write() {
            return true;
        }
        let silence = self.write(output).await;
        if let Some(cause) = silence {
            self.stations[position].give_up(cause, self.ended.1);
        }
        silence.is_none()
    }

    async fn read_round(&mut self, position: usize) {
        // However often a unit refuses: it costs the others one time-out at most.
        let end = self.ended.0 + self.timeout;
        loop {
            // A write in between may have brought a doubt.
            while let Some(probe) = self.stations[position].probe() {
                let outcome = self.exchange(position, &probe).await;
                let (now, at) = self.ended;
                if !self.stations[position].take_probe(outcome, (now, end), at) {
                    return;
                }
            }
            let Some((block, request)) = self.stations[position].next() else {
                self.stations[position].leave(self.ended.1);
                return;
            };
            let outcome = self.exchange(position, &request).await;
            let words = outcome.map(|()| self.words.as_slice());
            self.stations[position].take(block, words, self.ended.0, self.ended.1);
            self.write_fresh().await;
        }
    }

    fn look(&self) -> (Instant, WallMs) {
        (Instant::now(), self.clock.wall())
    }

    /// One exchange; its words are in `self.words`, and its end in `self.ended`. Devices that hang up after an answer, or when they have heard nothing for a while, are found to have
    /// done so only by the next request: over a new link it is sent again, once. A read changes nothing, and a write names a state, not a step.
    async fn exchange(&mut self, position: usize, request: &Request) -> Result<(), Fault> {
        let outcome = self.exchange_once(position, request).await;
        if outcome == Err(Fault::LinkDown) && self.hung_up {
            return self.exchange_once(position, request).await;
        }
        outcome
    }

    async fn exchange_once(&mut self, position: usize, request: &Request) -> Result<(), Fault> {
        let (unit, device) = (self.stations[position].unit, self.stations[position].device);
        self.hung_up = false;
        let is_open = self.ensure_link().await;
        let Some(link) = self.link.as_mut().filter(|_| is_open) else {
            self.ended = self.look();
            return Err(Fault::LinkDown);
        };
        let start = Instant::now();
        let outcome = link
            .exchange(unit, request, self.timeout, &mut self.words)
            .await;
        let (strays, spent) = (link.take_strays(), link.is_spent(outcome));
        let was_sent = link.has_sent();
        self.ended = self.look();
        let busy = self.ended.0.saturating_duration_since(start);
        self.window_busy += busy;
        self.counters().late_replies.fetch_add(strays, Relaxed);
        self.answered |= matches!(outcome, Ok(()) | Err(Fault::Exception(_)));
        if spent {
            self.drop_link(outcome);
        }
        self.stations[position].note(request, outcome, was_sent);
        // Of a hang-up the new connection tells.
        if outcome != Err(Fault::LinkDown) || !self.hung_up {
            self.stats
                .count(self.bus.0, device.0, outcome, busy, self.ended.1);
        }
        outcome
    }

    /// A link that only fell silent, or broke after an answer, is opened anew at once; one that broke before it brought any, after a while.
    fn drop_link(&mut self, outcome: Result<(), Fault>) {
        self.link = None;
        self.hung_up = std::mem::take(&mut self.answered);
        if outcome != Err(Fault::LinkDown) || self.hung_up {
            return;
        }
        self.reopen_at = Instant::now() + self.reopen_wait;
        self.reopen_wait = (self.reopen_wait * 2).min(REOPEN_MAX);
        if self.counters().up.swap(false, Relaxed) {
            tracing::warn!(bus = self.site.buses[self.bus.0].id, "link lost");
        }
    }

    /// Opens the link if it is not open and its time has come. Returns whether it is open.
    async fn ensure_link(&mut self) -> bool {
        if self.link.is_some() {
            return true;
        }
        if Instant::now() < self.reopen_at {
            return false;
        }
        let bus = &self.site.buses[self.bus.0];
        match self.lines.open(bus).await {
            Ok(link) => {
                self.link = Some(link);
                self.counters().connects.fetch_add(1, Relaxed);
                if !self.counters().up.swap(true, Relaxed) {
                    tracing::info!(bus = bus.id, "link up");
                    // What was to be written while it was down has lost its attempts to that.
                    for station in 0..self.stations.len() {
                        self.outputs.station_is_back(station, Instant::now());
                    }
                }
            }
            Err(error) => {
                if self.reopen_wait == REOPEN {
                    tracing::warn!(bus = bus.id, %error, "link cannot be opened");
                }
                self.drop_link(Err(Fault::LinkDown));
            }
        }
        self.link.is_some()
    }

    fn note_contact(&mut self, position: usize, answered: bool) {
        let device = self.stations[position].device;
        let before = self.stats.devices[device.0]
            .answering
            .swap(answered, Relaxed);
        if answered {
            self.reopen_wait = REOPEN;
        }
        if before == answered {
            return;
        }
        let id = &self.site.devices[device.0].id;
        if answered {
            tracing::info!(device = id, "answers");
            self.outputs.station_is_back(position, Instant::now());
        } else {
            tracing::warn!(device = id, "does not answer");
        }
    }

    /// Decodes a device's image and hands it to judgement.
    fn tell(&mut self, position: usize, answered: bool) {
        let station = &self.stations[position];
        let feedback: Vec<_> = station
            .plan
            .outputs
            .iter()
            .map(|(output, span)| {
                let word = station.image.words(*span).ok().and_then(<[u16]>::first);
                (
                    *output,
                    word.and_then(|word| outputs::state(&self.site.outputs[output.0], *word)),
                )
            })
            .collect();
        for (output, state) in &feedback {
            self.outputs.seen(*output, *state, self.ended.0);
        }
        let scan = Scan {
            site: self.site.clone(),
            device: station.device,
            at: self.clock.then(self.ended.0),
            answered,
            readings: station.plan.readings(&station.image),
            outputs: feedback,
        };
        self.offer(position, scan);
    }

    /// Offers a scan to judgement. If there is no room, the device's newest readings and read-backs wait and older ones are replaced.
    fn offer(&mut self, position: usize, scan: Scan) {
        let scan = match self.waiting[position].take() {
            None => scan,
            Some(older) => {
                self.counters().scans_replaced.fetch_add(1, Relaxed);
                merged(older, scan)
            }
        };
        if let Err(TrySendError::Full(scan)) = self.scans.try_send(scan) {
            self.waiting[position] = Some(scan);
        }
    }

    fn offer_waiting(&mut self) {
        for slot in &mut self.waiting {
            if let Some(scan) = slot.take()
                && let Err(TrySendError::Full(scan)) = self.scans.try_send(scan)
            {
                *slot = Some(scan);
            }
        }
    }

    /// Writes the outputs whose demand has changed.
    async fn write_fresh(&mut self) {
        if self.outputs.is_empty() {
            return;
        }
        {
            let asked = self.demand.borrow();
            // Of another site: it is gone over to before the next device's turn.
            if !Arc::ptr_eq(&asked.site, &self.site) {
                return;
            }
            self.outputs.ask(&asked.on);
        }
        while let Some(output) = self.outputs.next_fresh() {
            self.write(output).await;
        }
    }

    /// Returns what the device's silence means, if it was silent.
    async fn write(&mut self, position: usize) -> Option<NoValue> {
        let drive = self.outputs.drive(position);
        let (output, station, asked) = (drive.output, drive.station, drive.asked);
        let request = outputs::write_request(&self.site.outputs[output.0], asked);
        let outcome = self.exchange(station, &request).await;
        let (written, silence) = match (outcome, station::silence(outcome)) {
            (Ok(()), _) => self.read_back(station, output).await,
            (Err(_), None) => (Written::Failed, None),
            (Err(_), silence) => (Written::Silent, silence),
        };
        if self.outputs.written(position, written, Instant::now()) {
            let id = &self.site.outputs[output.0].id;
            tracing::warn!(
                output = id,
                asked,
                ?written,
                ?outcome,
                "output does not follow its demand"
            );
        }
        let scan = Scan {
            site: self.site.clone(),
            device: self.stations[station].device,
            at: self.clock.now(),
            answered: station::silence(outcome).is_none(),
            readings: Vec::new(),
            outputs: vec![(output, written.state())],
        };
        self.offer(station, scan);
        silence
    }

    /// How the write ended, and what the device's silence means, if it was silent now.
    async fn read_back(
        &mut self,
        station: usize,
        output: OutputIndex,
    ) -> (Written, Option<NoValue>) {
        // After a silence a late answer could pass for the read-back: the next poll clears that up and reads it.
        if self.stations[station].is_suspect() {
            return (Written::Failed, None);
        }
        let request = outputs::read_request(&self.site.outputs[output.0]);
        let outcome = self.exchange(station, &request).await;
        let silence = station::silence(outcome);
        let written = match outcome {
            Ok(()) => {
                let state = self
                    .words
                    .first()
                    .and_then(|word| outputs::state(&self.site.outputs[output.0], *word));
                state.map_or(Written::Failed, Written::ReadBack)
            }
            Err(Fault::Exception(1..=3)) => Written::Unreadable,
            Err(_) => Written::Failed,
        };
        (written, silence)
    }

    fn note_window(&mut self, now: Instant) {
        let window = now.saturating_duration_since(self.window_start);
        if window >= WINDOW {
            self.counters().note_window(self.window_busy, window);
            (self.window_start, self.window_busy) = (now, Duration::ZERO);
        }
    }

    fn counters(&self) -> &BusStats {
        &self.stats.buses[self.bus.0]
    }
}

/// Which of them do not answer their polls.
fn silent(stations: &[Station]) -> impl Fn(usize) -> bool {
    |station| stations[station].is_silent()
}

/// What goes between two polls, by its position.
#[derive(Clone, Copy, Debug)]
enum Between {
    Output(usize),
    Errand(usize),
}

/// The devices of these stations.
fn devices<'a>(site: &'a Site, stations: &'a [Station]) -> impl Iterator<Item = &'a Device> {
    stations
        .iter()
        .map(|station| &site.devices[station.device.0])
}

/// The outputs of these stations, each with the position of its own.
fn driven<'a>(
    site: &'a Site,
    stations: &'a [Station],
) -> impl Iterator<Item = (OutputIndex, usize)> + 'a {
    let outputs = site.outputs.iter().enumerate();
    outputs.filter_map(|(position, output)| {
        let station = stations
            .iter()
            .position(|station| station.device == output.device)?;
        Some((OutputIndex(position), station))
    })
}

/// The newer of two scans of a device, with what only the older one holds: a write's scan has no readings and one output.
fn merged(older: Scan, mut newer: Scan) -> Scan {
    // Of another site, whose positions mean something else now.
    if !Arc::ptr_eq(&older.site, &newer.site) {
        return newer;
    }
    if newer.readings.is_empty() {
        newer.readings = older.readings;
    }
    for output in older.outputs {
        if !newer.outputs.iter().any(|(known, _)| *known == output.0) {
            newer.outputs.push(output);
        }
    }
    newer
}
