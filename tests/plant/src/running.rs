//! One site that runs: its buses served, its process stepped, its scenarios acting.

use crate::image::State;
use crate::instrument::Instrument;
use crate::layout::Layout;
use crate::noise::Noise;
use crate::opening::{open, open_wan};
use crate::scenario::{Kind, Scenario};
use crate::serve::Units;
use crate::state::{DeviceNow, Now, Shared, pass_time};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinSet;

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

    /// The leaks that may stay below every limit, since a fan that runs already draws their gas off.
    pub fn drawn_off(&self) -> Vec<u64> {
        let now = self.shared.lock();
        now.drawn_off(&self.shared.actuators(&now))
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
