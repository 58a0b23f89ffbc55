//! One site that runs: its buses served, its process stepped, its scenarios acting.

use crate::image::{Sensing, State, show};
use crate::instrument::{Ailment, Instrument};
use crate::layout::{DeviceLayout, Layout, Wire};
use crate::line::{Line, serve as serve_line};
use crate::noise::Noise;
use crate::process::{Actuator, Disturbance, Process};
use crate::pty::Pty;
use crate::scenario::{DRIFT_PER_S, Kind, Scenario};
use crate::serve::{self, Units};
use crate::wan;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The process moves this often.
const STEP: Duration = Duration::from_millis(100);
/// Scenarios that one site runs at once; one more is refused.
const SCENARIOS_MAX: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    #[error("no site `{0}`")]
    NoSite(String),
    #[error("site `{site}` has no point `{point}`")]
    NoPoint { site: String, point: String },
    #[error("site `{site}` has no bus `{bus}`")]
    NoBus { site: String, bus: String },
    #[error("site `{site}` has no device `{device}`")]
    NoDevice { site: String, device: String },
    #[error("no scenario {0}")]
    NoScenario(u64),
    #[error("{SCENARIOS_MAX} scenarios run already; end one first")]
    TooMany,
    #[error("a duration must be a number of seconds above 0")]
    Duration,
    #[error("cannot listen at {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot make the serial line {path}: {source}")]
    Pty { path: PathBuf, source: io::Error },
}

/// Where a bus is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Socket(SocketAddr),
    /// Path of a serial device.
    Path(PathBuf),
}

/// How a site is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the serial lines' paths are made; must exist.
    pub dir: PathBuf,
    /// Port of the first socket bus, the next ones follow; `None` takes free ports.
    pub first_port: Option<u16>,
    /// Port of the site's link to the city (`None`: a free one), and the broker behind it. Without it there is no such link.
    pub wan: Option<(Option<u16>, SocketAddr)>,
    /// Process seconds a real second, > 0.
    pub time_factor: f64,
    pub seed: u64,
}

impl Options {
    /// Free ports, real time, no link to the city: what tests want.
    pub fn free(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            first_port: None,
            wan: None,
            time_factor: 1.0,
            seed: 1,
        }
    }
}

/// A running site; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    id: &'static str,
    leaks_at: &'static str,
    addresses: BTreeMap<&'static str, Address>,
    wan: Option<SocketAddr>,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    buses: Vec<(&'static str, Arc<Units>)>,
    state: Mutex<Now>,
    wan_cut: watch::Sender<bool>,
}

#[derive(Debug)]
struct Now {
    process: Process,
    devices: Vec<DeviceNow>,
    scenarios: Vec<Scenario>,
    cut_by_hand: Vec<&'static str>,
    noise: Noise,
}

#[derive(Debug)]
struct DeviceNow {
    layout: DeviceLayout,
    bus: usize,
    instruments: Vec<Instrument>,
    dead_by_hand: bool,
}

/// What a status page shows of one instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct PointNow {
    pub point: &'static str,
    pub device: &'static str,
    /// As sensed, in the point's unit.
    pub value: f64,
}

impl Running {
    /// Opens every bus, shows the first values and starts the process. Must be called within a tokio runtime.
    pub async fn start(layout: Layout, options: Options) -> Result<Self, PlantError> {
        let mut tasks = JoinSet::new();
        let (mut addresses, mut buses, mut devices) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut port = options.first_port;
        for bus in layout.buses {
            let units = Arc::new(Units::default());
            let address = open(
                &bus.wire, layout.id, bus.id, &mut port, &options, &units, &mut tasks,
            )
            .await?;
            addresses.insert(bus.id, address);
            let at = buses.len();
            devices.extend(
                bus.devices
                    .into_iter()
                    .map(|device| DeviceNow::new(device, at)),
            );
            buses.push((bus.id, units));
        }
        let (wan_cut, cut) = watch::channel(false);
        let wan = match options.wan {
            Some((port, broker)) => Some(open_wan(port, broker, cut, &mut tasks).await?),
            None => None,
        };
        let state = Mutex::new(Now {
            process: layout.process,
            devices,
            scenarios: Vec::new(),
            cut_by_hand: Vec::new(),
            noise: Noise::seeded(options.seed),
        });
        let shared = Arc::new(Shared {
            buses,
            state,
            wan_cut,
        });
        shared.step(0.0);
        tasks.spawn(pass_time(shared.clone(), options.time_factor));
        Ok(Self {
            id: layout.id,
            leaks_at: layout.leaks_at,
            addresses,
            wan,
            shared,
            _tasks: tasks,
        })
    }

    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Where a bus is reached.
    pub fn address(&self, bus: &str) -> Result<&Address, PlantError> {
        self.addresses.get(bus).ok_or_else(|| PlantError::NoBus {
            site: self.id.into(),
            bus: bus.into(),
        })
    }

    /// The point that a scenario without a named point strikes.
    pub fn leaks_at(&self) -> &'static str {
        self.leaks_at
    }

    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        self.addresses.iter().map(|(bus, address)| (*bus, address))
    }

    /// The site's link to the city, for the gateway's `uplink.broker`.
    pub fn wan(&self) -> Option<SocketAddr> {
        self.wan
    }

    /// Holds a point at a value, in its unit and without noise, from now on.
    pub fn hold(&self, point: &str, value: f64) -> Result<(), PlantError> {
        self.change(point, |instrument| instrument.held = Some(value))
    }

    /// Puts a point's instrument into a state, from now on.
    pub fn hold_state(&self, point: &str, state: State) -> Result<(), PlantError> {
        self.change(point, |instrument| instrument.held_state = Some(state))
    }

    /// Gives a point back to the process and the scenarios.
    pub fn release(&self, point: &str) -> Result<(), PlantError> {
        self.change(point, |instrument| {
            instrument.held = None;
            instrument.held_state = None;
        })
    }

    /// Takes a device's power away, or gives it back.
    pub fn kill(&self, device: &str, dead: bool) -> Result<(), PlantError> {
        let mut now = self.shared.lock();
        let found = now
            .devices
            .iter_mut()
            .find(|found| found.layout.id == device);
        found.ok_or_else(|| self.no_device(device))?.dead_by_hand = dead;
        drop(now);
        self.shared.step(0.0);
        Ok(())
    }

    /// Cuts a bus for all its units, or mends it.
    pub fn cut(&self, bus: &str, cut: bool) -> Result<(), PlantError> {
        self.address(bus)?;
        let (id, _) = self
            .shared
            .buses
            .iter()
            .find(|(id, _)| *id == bus)
            .expect("every address is a bus's");
        let mut now = self.shared.lock();
        now.cut_by_hand.retain(|other| other != id);
        if cut {
            now.cut_by_hand.push(id);
        }
        drop(now);
        self.shared.step(0.0);
        Ok(())
    }

    /// A coil of a device as last written.
    pub fn coil(&self, device: &str, address: u16) -> Result<bool, PlantError> {
        let now = self.shared.lock();
        let found = now.devices.iter().find(|found| found.layout.id == device);
        let found = found.ok_or_else(|| self.no_device(device))?;
        Ok(self.shared.coil(found, address))
    }

    /// What every instrument senses now.
    pub fn points(&self) -> Vec<PointNow> {
        let now = self.shared.lock();
        now.devices
            .iter()
            .flat_map(|device| {
                device.instruments.iter().map(|instrument| PointNow {
                    point: instrument.channel.point,
                    device: device.layout.id,
                    value: instrument.value(),
                })
            })
            .collect()
    }

    /// The outputs that the gateway has switched on, as (device, coil).
    pub fn outputs_on(&self) -> Vec<(&'static str, u16)> {
        let now = self.shared.lock();
        let coils = now.devices.iter().flat_map(|device| {
            device
                .layout
                .actuators
                .iter()
                .map(move |(coil, _)| (device, *coil))
        });
        coils
            .filter(|(device, coil)| self.shared.coil(device, *coil))
            .map(|(device, coil)| (device.layout.id, coil))
            .collect()
    }

    /// Starts a scenario at a point, or at the site's own leak point; `for_s` ends it by itself.
    pub fn begin(
        &self,
        id: u64,
        kind: Kind,
        point: Option<&str>,
        for_s: Option<f64>,
    ) -> Result<(), PlantError> {
        let point = point.unwrap_or(self.leaks_at);
        if for_s.is_some_and(|for_s| !for_s.is_finite() || for_s <= 0.0) {
            return Err(PlantError::Duration);
        }
        let mut now = self.shared.lock();
        now.instrument(point).ok_or_else(|| self.no_point(point))?;
        if now.scenarios.len() >= SCENARIOS_MAX {
            return Err(PlantError::TooMany);
        }
        let site = self.id.to_owned();
        now.scenarios.push(Scenario {
            id,
            kind,
            site,
            point: point.into(),
            elapsed_s: 0.0,
            for_s,
        });
        drop(now);
        self.shared.step(0.0);
        Ok(())
    }

    /// Ends a scenario; false where there is none of that id.
    pub fn end(&self, id: u64) -> bool {
        let mut now = self.shared.lock();
        let before = now.scenarios.len();
        now.scenarios.retain(|scenario| scenario.id != id);
        let ended = now.scenarios.len() < before;
        drop(now);
        self.shared.step(0.0);
        ended
    }

    pub fn scenarios(&self) -> Vec<Scenario> {
        self.shared.lock().scenarios.clone()
    }

    fn change(&self, point: &str, change: impl FnOnce(&mut Instrument)) -> Result<(), PlantError> {
        let mut now = self.shared.lock();
        change(now.instrument(point).ok_or_else(|| self.no_point(point))?);
        drop(now);
        self.shared.step(0.0);
        Ok(())
    }

    fn no_point(&self, point: &str) -> PlantError {
        PlantError::NoPoint {
            site: self.id.into(),
            point: point.into(),
        }
    }

    fn no_device(&self, device: &str) -> PlantError {
        PlantError::NoDevice {
            site: self.id.into(),
            device: device.into(),
        }
    }
}

impl DeviceNow {
    fn new(layout: DeviceLayout, bus: usize) -> Self {
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

    fn strikes(&self, scenario: &Scenario) -> bool {
        self.instruments
            .iter()
            .any(|instrument| instrument.channel.point == scenario.point)
    }
}

impl Now {
    fn instrument(&mut self, point: &str) -> Option<&mut Instrument> {
        let instruments = self
            .devices
            .iter_mut()
            .flat_map(|device| &mut device.instruments);
        instruments
            .into_iter()
            .find(|instrument| instrument.channel.point == point)
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
    fn lock(&self) -> MutexGuard<'_, Now> {
        // The state is numbers and lists that stay whole between statements: a panic elsewhere does not end the plant.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn coil(&self, device: &DeviceNow, address: u16) -> bool {
        let units = &self.buses[device.bus].1;
        units.with(device.layout.unit, |unit| {
            unit.registers.coils.get(&address).copied().unwrap_or(false)
        })
    }

    /// Lets `seconds` pass and shows the result on every bus.
    fn step(&self, seconds: f64) {
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

    fn actuators(&self, now: &Now) -> Vec<Actuator> {
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

async fn pass_time(shared: Arc<Shared>, time_factor: f64) {
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

async fn listen(port: Option<u16>) -> Result<(TcpListener, SocketAddr), PlantError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let failed = |source| PlantError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn open(
    wire: &Wire,
    site: &str,
    bus: &str,
    port: &mut Option<u16>,
    options: &Options,
    units: &Arc<Units>,
    tasks: &mut JoinSet<()>,
) -> Result<Address, PlantError> {
    let units = units.clone();
    if let Wire::Pty { baud } = *wire {
        let path = options.dir.join(format!("{site}-{bus}"));
        let pty = Pty::open(&path).map_err(|source| PlantError::Pty {
            path: path.clone(),
            source,
        })?;
        tasks.spawn(async move {
            if let Err(error) = serve_line(Line::Pty(pty), baud, units).await {
                tracing::error!(%error, "serial line ended");
            }
        });
        return Ok(Address::Path(path));
    }
    let (listener, address) = listen(*port).await?;
    *port = port.map(|port| port + 1);
    match *wire {
        Wire::RtuOverTcp { baud } => tasks.spawn(serve::rtu_over_tcp(listener, baud, units)),
        Wire::Tcp | Wire::Pty { .. } => tasks.spawn(serve::tcp(listener, units)),
    };
    Ok(Address::Socket(address))
}

async fn open_wan(
    port: Option<u16>,
    broker: SocketAddr,
    cut: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, PlantError> {
    let (listener, address) = listen(port).await?;
    tasks.spawn(wan::relay(listener, broker, cut));
    Ok(address)
}
