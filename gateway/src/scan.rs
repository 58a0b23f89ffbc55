//! What acquisition hands to judgement: the outcome of one poll of one device.

use davy_alarm::{Instant, Reading};
use davy_config::site::{DeviceIndex, PointIndex};

/// One poll of one device: a reading, or the cause of its absence, for each point that was due.
#[derive(Clone, Debug)]
pub struct Scan {
    pub device: DeviceIndex,
    /// When the last answer arrived, or the time-out ended.
    pub at: Instant,
    /// Whether the device answered at all (an exception is an answer).
    pub answered: bool,
    pub readings: Vec<(PointIndex, Reading)>,
    /// Read-back of output registers: position in `Site::outputs` and what the register holds, where it could be read.
    pub outputs: Vec<(davy_config::site::OutputIndex, Option<bool>)>,
}
