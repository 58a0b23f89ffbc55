//! What one site is at a moment: its process, its instruments with what ails them, and how both show on its buses.

use crate::image::{Sensing, State, show};
use crate::instrument::{Ailment, Instrument};
use crate::layout::DeviceLayout;
use crate::noise::Noise;
use crate::process::{Actuator, Disturbance, Process, Source};
use crate::scenario::{DRIFT_PER_S, Kind, Scenario};
use crate::serve::Units;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The process moves this often.
const STEP: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) buses: Vec<(&'static str, Arc<Units>)>,
    pub(crate) state: Mutex<Now>,
    pub(crate) wan_cut: watch::Sender<bool>,
}

#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) process: Process,
    pub(crate) devices: Vec<DeviceNow>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) cut_by_hand: Vec<&'static str>,
    pub(crate) noise: Noise,
}

#[derive(Debug)]
pub(crate) struct DeviceNow {
    pub(crate) layout: DeviceLayout,
    pub(crate) bus: usize,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) dead_by_hand: bool,
}

impl DeviceNow {
    pub(crate) fn new(layout: DeviceLayout, bus: usize) -> Self {
        let instruments = layout
            .channels
            .iter()
            .cloned()
            .map(Instrument::new)
            .collect();
        Self {
            layout,
            bus,
            instruments,
            dead_by_hand: false,
        }
    }

    pub(crate) fn strikes(&self, scenario: &Scenario) -> bool {
        self.instruments
            .iter()
            .any(|instrument| instrument.channel.point == scenario.point)
    }
}

impl Now {
    pub(crate) fn instrument(&mut self, point: &str) -> Option<&mut Instrument> {
        let instruments = self
            .devices
            .iter_mut()
            .flat_map(|device| &mut device.instruments);
        instruments
            .into_iter()
            .find(|instrument| instrument.channel.point == point)
    }

    /// The leaks whose gas a running fan draws off as it comes.
    pub(crate) fn drawn_off(&self, on: &[Actuator]) -> Vec<u64> {
        let instruments = || self.devices.iter().flat_map(|device| &device.instruments);
        let has_fan = |leak: &&Scenario| {
            let at = instruments().find(|instrument| instrument.channel.point == leak.point);
            at.is_some_and(|instrument| match instrument.channel.source.root() {
                Source::Gas(cell) => on.contains(&Actuator::Fan(cell)),
                _ => false,
            })
        };
        let leaks = self.scenarios.iter().filter(|one| one.kind == Kind::Leak);
        leaks.filter(has_fan).map(|leak| leak.id).collect()
    }

    fn disturbances(&self) -> Vec<Disturbance> {
        let leaks = self
            .scenarios
            .iter()
            .filter(|scenario| scenario.kind == Kind::Leak);
        let instruments = || self.devices.iter().flat_map(|device| &device.instruments);
        leaks
            .filter_map(|leak| {
                instruments().find(|instrument| instrument.channel.point == leak.point)
            })
            .map(|instrument| Disturbance(instrument.channel.source.root()))
            .collect()
    }
}

/// What the running scenarios do to one instrument.
fn ailment(scenarios: &[Scenario], instrument: &Instrument) -> Ailment {
    let span = instrument.channel.range.1 - instrument.channel.range.0;
    let mut ailment = Ailment::default();
    for scenario in scenarios
        .iter()
        .filter(|scenario| scenario.point == instrument.channel.point)
    {
        match scenario.kind {
            Kind::SlowDrift => ailment.drift += span * DRIFT_PER_S * scenario.elapsed_s,
            Kind::StuckSensor => ailment.stuck = true,
            Kind::BrokenLoop => ailment.state = State::BrokenLoop,
            Kind::WarmUp => ailment.state = State::WarmUp,
            Kind::Leak | Kind::DeadDevice | Kind::CutCable | Kind::CloudOffline => {}
        }
    }
    ailment
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Now> {
        // The state is numbers and lists that stay whole between statements: a panic elsewhere does not end the plant.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn coil(&self, device: &DeviceNow, address: u16) -> bool {
        let units = &self.buses[device.bus].1;
        units.with(device.layout.unit, |unit| {
            unit.registers.coils.get(&address).copied().unwrap_or(false)
        })
    }

    /// Lets `seconds` pass and shows the result on every bus.
    pub(crate) fn step(&self, seconds: f64) {
        let mut guard = self.lock();
        let now = &mut *guard;
        for scenario in &mut now.scenarios {
            scenario.elapsed_s += seconds;
        }
        now.scenarios.retain(|scenario| !scenario.over());
        let on = self.actuators(now);
        let disturbances = now.disturbances();
        now.process.step(seconds, &on, &disturbances);
        self.show(now);
        self.links(now);
    }

    pub(crate) fn actuators(&self, now: &Now) -> Vec<Actuator> {
        let all = now.devices.iter().flat_map(|device| {
            device
                .layout
                .actuators
                .iter()
                .map(move |(coil, actuator)| (device, *coil, *actuator))
        });
        all.filter(|(device, coil, _)| self.coil(device, *coil))
            .map(|(_, _, actuator)| actuator)
            .collect()
    }

    fn show(&self, now: &mut Now) {
        let Now {
            process,
            devices,
            scenarios,
            noise,
            ..
        } = now;
        for device in devices {
            let dead = device.dead_by_hand
                || scenarios
                    .iter()
                    .any(|scenario| scenario.kind == Kind::DeadDevice && device.strikes(scenario));
            let sensings: Vec<Sensing> = device
                .instruments
                .iter_mut()
                .map(|instrument| {
                    let ailment = ailment(scenarios, instrument);
                    instrument.sense(process.value(instrument.channel.source), ailment, noise)
                })
                .collect();
            self.buses[device.bus].1.with(device.layout.unit, |unit| {
                unit.dead = dead;
                show(device.layout.model, 0, &sensings, &mut unit.registers);
            });
        }
    }

    fn links(&self, now: &Now) {
        for (at, (id, units)) in self.buses.iter().enumerate() {
            let struck = |scenario: &Scenario| {
                scenario.kind == Kind::CutCable
                    && now
                        .devices
                        .iter()
                        .any(|device| device.bus == at && device.strikes(scenario))
            };
            units.cut(now.cut_by_hand.contains(id) || now.scenarios.iter().any(struck));
        }
        let offline = now
            .scenarios
            .iter()
            .any(|scenario| scenario.kind == Kind::CloudOffline);
        self.wan_cut
            .send_if_modified(|cut| std::mem::replace(cut, offline) != offline);
    }
}

pub(crate) async fn pass_time(shared: Arc<Shared>, time_factor: f64) {
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = tokio::time::Instant::now();
    loop {
        ticks.tick().await;
        let passed = last.elapsed();
        last += passed;
        shared.step(passed.as_secs_f64() * time_factor);
    }
}
