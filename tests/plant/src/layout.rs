//! What stands where: buses, units on them, and what each channel looks at.

use crate::image::Model;
use crate::process::{Actuator, Process, Source};

/// How a bus is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Tcp,
    /// A converter that passes RTU frames through a socket; the line behind it runs at `baud`.
    RtuOverTcp {
        baud: u32,
    },
    /// A pseudo-terminal whose bytes take as long as on a real line.
    Pty {
        baud: u32,
    },
}

/// One instrument on one channel of a unit.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Point id of the site file.
    pub point: &'static str,
    /// Channel of the unit, from 1.
    pub at: u16,
    /// Measuring range, in the point's unit, low < high.
    pub range: (f64, f64),
    pub source: Source,
    /// Standard deviation of the noise, in the point's unit.
    pub noise: f64,
}

/// One unit.
#[derive(Clone, Debug)]
pub struct DeviceLayout {
    pub id: &'static str,
    pub unit: u8,
    pub model: Model,
    pub channels: Vec<Channel>,
    /// Coil address and what it acts on.
    pub actuators: Vec<(u16, Actuator)>,
}

/// One cable.
#[derive(Clone, Debug)]
pub struct BusLayout {
    pub id: &'static str,
    pub wire: Wire,
    pub devices: Vec<DeviceLayout>,
}

/// One site.
#[derive(Clone, Debug)]
pub struct Layout {
    pub id: &'static str,
    pub buses: Vec<BusLayout>,
    pub process: Process,
    /// The point that a leak without a named point strikes.
    pub leaks_at: &'static str,
}

/// A channel with noise of 0.1 % of its range; a contact has none.
pub fn channel(at: u16, point: &'static str, range: (f64, f64), source: Source) -> Channel {
    let noise = match source {
        Source::Contact(_) => 0.0,
        Source::Gas(_) | Source::Level(_) | Source::Head { .. } | Source::Filter(_) => {
            (range.1 - range.0) * 0.001
        }
        Source::Heat(_) | Source::Oxygen(_) | Source::Steady(_) => (range.1 - range.0) * 0.0005,
    };
    Channel {
        point,
        at,
        range,
        source,
        noise,
    }
}

/// A unit with instruments alone.
pub fn device(id: &'static str, unit: u8, model: Model, channels: Vec<Channel>) -> DeviceLayout {
    DeviceLayout {
        id,
        unit,
        model,
        channels,
        actuators: Vec::new(),
    }
}

/// A relay module: its contacts, and what its coils act on, from coil 0 up.
pub fn relays(
    id: &'static str,
    unit: u8,
    channels: Vec<Channel>,
    actuators: &[Actuator],
) -> DeviceLayout {
    let actuators = (0..).zip(actuators.iter().copied()).collect();
    DeviceLayout {
        id,
        unit,
        model: Model::RelayModule,
        channels,
        actuators,
    }
}
