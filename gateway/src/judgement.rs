//! The one task that owns judgement (docs/decisions/0001): scans, people's requests and timers arrive in one order, and [`Act`] carries out what is decided.

use crate::act::Act;
use crate::clock::Clock;
use crate::desk::Request;
use crate::journal::{Exception, Record};
use crate::judge::Judge;
use crate::live::{Live, ValueNow};
use crate::scan::Scan;
use davy_config::site::{DeviceIndex, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;
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

    fn beat(&self) {
        self.turned.store(self.clock.now().0, Relaxed);
    }
}

/// What comes to judgement.
#[derive(Debug)]
pub struct Inputs {
    pub scans: mpsc::Receiver<Scan>,
    pub requests: mpsc::Receiver<Request>,
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
}

impl Judgement {
    pub fn new(
        site: Arc<Site>,
        clock: Clock,
        judge: Judge,
        act: Act,
        live: Arc<Live>,
        pulse: Pulse,
    ) -> Self {
        Self {
            exceptions: site
                .points
                .iter()
                .map(|point| Exception::new(point.exception, point.heartbeat_ms))
                .collect(),
            site,
            clock,
            judge,
            act,
            live,
            pulse,
        }
    }

    /// Runs until shutdown. A scan or request that has arrived by then is still judged.
    pub async fn run(mut self, mut inputs: Inputs, shutdown: CancellationToken) {
        self.wake();
        loop {
            self.pulse.beat();
            let wake = self.next_wake();
            tokio::select! {
                biased;
                Some(request) = inputs.requests.recv() => self.answer(request),
                Some(scan) = inputs.scans.recv() => self.judge_scan(scan),
                () = sleep_until(wake) => self.wake(),
                () = shutdown.cancelled() => break,
            }
        }
        while let Ok(scan) = inputs.scans.try_recv() {
            self.judge_scan(scan);
        }
    }

    fn next_wake(&self) -> Timer {
        let latest = Timer::now() + TURN_AT_LEAST;
        let due = self.judge.next_due().map(|due| self.clock.when(due));
        due.map_or(latest, |due| due.min(latest))
    }

    /// Time alone has passed.
    fn wake(&mut self) {
        self.judge.advance(self.clock.now());
        self.finish(None, vec![], None);
    }

    fn judge_scan(&mut self, scan: Scan) {
        // A scan that waited is judged when it is taken: time never runs backwards.
        let now = self.clock.now().max(scan.at);
        let device = scan.device;
        let comms = self.site.devices[device.0].comms_alarm;
        self.judge.contact(comms, scan.answered, now);
        let mut kept = Vec::new();
        for (point, reading) in &scan.readings {
            self.judge.reading(*point, reading, now);
            if self.exceptions[point.0].take(reading, now) {
                kept.push(Record::Reading {
                    point: u32::try_from(point.0).expect("a site has fewer than 2^32 points"),
                    reading: *reading,
                });
            }
        }
        for (output, feedback) in &scan.outputs {
            self.judge.feedback(*output, *feedback, now);
        }
        self.finish(Some(device), kept, None);
        self.show(&scan);
    }

    fn answer(&mut self, request: Request) {
        let outcome = self.judge.act(&request.ask, self.clock.now());
        let command = request.command.as_deref().map(Arc::from);
        self.finish(None, vec![], command.as_ref());
        // Fails only if the asker has given up waiting.
        let _ = request.reply.send(outcome);
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
            let now = |&(point, reading)| ValueNow {
                point,
                reading,
                stale: false,
            };
            self.live
                .values(&scan.readings.iter().map(now).collect::<Vec<_>>());
        }
        for (output, feedback) in &scan.outputs {
            self.live.set_feedback(*output, *feedback);
        }
    }
}
