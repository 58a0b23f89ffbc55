//! The one task that owns judgement (docs/decisions/0001): scans, people's requests and timers arrive in one order, and [`Act`] carries out what is decided.

use crate::acquire::Stats;
use crate::act::Act;
use crate::clock::Clock;
use crate::desk::Request;
use crate::journal::{Exception, Record, Reloaded};
use crate::judge::Judge;
use crate::live::Live;
use crate::scan::Scan;
use crate::succession::Succession;
use davy_alarm::Reading;
use davy_config::site::{DeviceIndex, PointIndex, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant as Timer, sleep_until};
use tokio_util::sync::CancellationToken;

/// At least one turn in this time, so that a judgement that hangs is seen.
const TURN_AT_LEAST: Duration = Duration::from_secs(1);
/// Without a turn for this long, judgement counts as failed.
pub const HUNG_AFTER: Duration = Duration::from_secs(5);

/// The sign of life of judgement.
#[derive(Clone, Debug)]
pub struct Pulse {
    clock: Clock,
    /// Milliseconds of the clock at the last turn.
    turned: Arc<AtomicU64>,
}

impl Pulse {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            turned: Arc::new(AtomicU64::new(clock.now().0)),
        }
    }

    /// How long ago judgement turned.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.clock.now().0.saturating_sub(self.turned.load(Relaxed)))
    }

    fn beat(&self, now: Timer) {
        self.turned.store(self.clock.then(now).0, Relaxed);
    }
}

/// What comes to judgement.
#[derive(Debug)]
pub struct Inputs {
    pub scans: mpsc::Receiver<Scan>,
    pub requests: mpsc::Receiver<Request>,
    pub changes: mpsc::Receiver<Change>,
}

/// Another site file is to take the place of the one that is judged by.
#[derive(Debug)]
pub struct Change {
    pub site: Arc<Site>,
    pub record: Reloaded,
    pub reply: oneshot::Sender<Result<Changed, Held>>,
}

/// The site is judged by the other file.
#[derive(Debug)]
pub struct Changed {
    pub live: Arc<Live>,
    pub stats: Arc<Stats>,
}

/// Outputs that the other file would switch off or let go of while they are on, by id: nothing was changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    pub outputs: Vec<String>,
}

/// Judgement with its hands and senses.
#[derive(Debug)]
pub struct Judgement {
    site: Arc<Site>,
    clock: Clock,
    judge: Judge,
    act: Act,
    live: Arc<Live>,
    /// By point.
    exceptions: Vec<Exception>,
    pulse: Pulse,
    stats: Arc<Stats>,
    /// How the present site follows the one before: scans of that one may still come.
    succession: Option<Succession>,
}

impl Judgement {
    pub fn new(
        site: Arc<Site>,
        clock: Clock,
        judge: Judge,
        act: Act,
        live: Arc<Live>,
        pulse: Pulse,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            exceptions: exceptions(&site).collect(),
            site,
            clock,
            judge,
            act,
            live,
            pulse,
            stats,
            succession: None,
        }
    }

    /// Runs until shutdown. A scan or request that has arrived by then is still judged.
    pub async fn run(mut self, mut inputs: Inputs, shutdown: CancellationToken) {
        self.wake();
        loop {
            let now = Timer::now();
            self.pulse.beat(now);
            let wake = self.next_wake(now);
            tokio::select! {
                biased;
                Some(request) = inputs.requests.recv() => self.answer(request),
                Some(change) = inputs.changes.recv() => self.change(change),
                Some(scan) = inputs.scans.recv() => self.judge_scan(scan),
                () = sleep_until(wake) => self.wake(),
                () = shutdown.cancelled() => break,
            }
        }
        while let Ok(scan) = inputs.scans.try_recv() {
            self.judge_scan(scan);
        }
    }

    fn next_wake(&self, now: Timer) -> Timer {
        let latest = now + TURN_AT_LEAST;
        let due = self.judge.next_due().map(|due| self.clock.when(due));
        due.map_or(latest, |due| due.min(latest))
    }

    /// Time alone has passed.
    fn wake(&mut self) {
        self.judge.advance(self.clock.now());
        self.finish(None, vec![], None);
    }

    fn judge_scan(&mut self, scan: Scan) {
        let Some(scan) = self.of_present_site(scan) else {
            return;
        };
        // A scan that waited is judged when it is taken: time never runs backwards.
        let now = self.clock.now().max(scan.at);
        let device = scan.device;
        let comms = self.site.devices[device.0].comms_alarm;
        self.judge.contact(comms, scan.answered, now);
        let (mut kept, mut first_kept) = (Vec::with_capacity(scan.readings.len()), 0);
        for (place, (point, reading)) in scan.readings.iter().enumerate() {
            self.judge.reading(*point, reading, now);
            if !self.exceptions[point.0].take(reading, now) {
                kept.extend(records(&scan.readings[first_kept..place]));
                first_kept = place + 1;
            }
        }
        kept.extend(records(&scan.readings[first_kept..]));
        for (output, feedback) in &scan.outputs {
            self.judge.feedback(*output, *feedback, now);
        }
        self.finish(Some(device), kept, None);
        self.show(&scan);
    }

    fn answer(&mut self, request: Request) {
        if !Arc::ptr_eq(&request.site, &self.site) {
            // Its positions are another file's: whoever asked hears that it was not done.
            return;
        }
        let outcome = self.judge.act(&request.ask, self.clock.now());
        let command = request.command.as_deref().map(Arc::from);
        self.finish(None, vec![], command.as_ref());
        // Fails only if the asker has given up waiting.
        let _ = request.reply.send(outcome);
    }

    /// A scan that waited while the file changed, in the present positions; what is not as it was then is not in it.
    fn of_present_site(&self, scan: Scan) -> Option<Scan> {
        if Arc::ptr_eq(&scan.site, &self.site) {
            return Some(scan);
        }
        let change = self.succession.as_ref();
        let change = change.filter(|change| Arc::ptr_eq(&change.before, &scan.site))?;
        let readings = scan.readings.iter();
        let readings = readings.filter_map(|(point, it)| Some((change.point_now(*point)?, *it)));
        let outputs = scan.outputs.iter();
        let outputs = outputs.filter_map(|(output, it)| Some((change.output_now(*output)?, *it)));
        Some(Scan {
            device: change.device_now(scan.device)?,
            at: scan.at,
            answered: scan.answered,
            readings: readings.collect(),
            outputs: outputs.collect(),
            site: self.site.clone(),
        })
    }

    /// Goes over to another file, whole or not at all.
    fn change(&mut self, change: Change) {
        self.wake();
        let succession = Succession::of(&self.site, &change.site);
        let wall = self.clock.wall();
        let mut next = self.judge.under(&succession, wall);
        next.settle();
        let lost = self.judge.loses(&next, &succession);
        if !lost.is_empty() {
            let id =
                |output: &davy_config::site::OutputIndex| self.site.outputs[output.0].id.clone();
            let outputs = lost.iter().map(id).collect();
            let _gone = change.reply.send(Err(Held { outputs }));
            return;
        }
        self.judge.retire(&succession, &mut next, wall);
        self.finish(None, vec![], None);
        let stats = Arc::new(self.stats.under(&self.site, &change.site));
        self.live = (self.act).follow(&succession, &next, stats.clone(), change.record);
        self.exceptions = self.exceptions_under(&succession);
        self.site = change.site;
        self.stats = stats.clone();
        self.judge = next;
        self.succession = Some(succession);
        self.finish(None, vec![], None);
        let live = self.live.clone();
        let _gone = change.reply.send(Ok(Changed { live, stats }));
    }

    /// What was journalled last of each point goes on where the point is the same.
    fn exceptions_under(&self, change: &Succession) -> Vec<Exception> {
        let points = exceptions(&change.after).enumerate();
        let known = |point: usize| change.point(PointIndex(point));
        points
            .map(|(point, fresh)| match known(point) {
                Some(known) => fresh.going_on(&self.exceptions[known.0]),
                None => fresh,
            })
            .collect()
    }

    fn finish(
        &mut self,
        device: Option<DeviceIndex>,
        readings: Vec<Record>,
        command: Option<&Arc<str>>,
    ) {
        self.judge.settle();
        let happenings = self.judge.take_happenings();
        self.act
            .carry_out(&self.judge, happenings, device, readings, command);
    }

    fn show(&self, scan: &Scan) {
        if !scan.readings.is_empty() {
            self.live.values(&scan.readings);
        }
        for (output, feedback) in &scan.outputs {
            self.live.set_feedback(*output, *feedback);
        }
    }
}

/// Of neighbours, so that they go from one list into the other.
fn records(readings: &[(PointIndex, Reading)]) -> impl Iterator<Item = Record> {
    readings.iter().map(|(point, reading)| Record::Reading {
        point: u32::try_from(point.0).expect("a site has fewer than 2^32 points"),
        reading: *reading,
    })
}

fn exceptions(site: &Site) -> impl Iterator<Item = Exception> {
    let points = site.points.iter();
    points.map(|point| Exception::new(point.exception, point.heartbeat_ms))
}
