//! What acquisition hands to judgement: the outcome of one poll of one device.

use davy_alarm::{Instant, Reading};
use davy_config::site::{DeviceIndex, PointIndex, Site};
use std::sync::Arc;

/// One poll of one device: a reading, or the cause of its absence, for each point that was due.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The site whose positions it speaks in: a file that is taken over while it waits has others.
    pub site: Arc<Site>,
    pub device: DeviceIndex,
    /// When the last answer arrived, or the time-out ended.
    pub at: Instant,
    /// Whether the device answered at all. An exception is an answer, but for 10 and 11: they are a gateway's words for a device that it cannot reach.
    pub answered: bool,
    pub readings: Vec<(PointIndex, Reading)>,
    /// Read-back of output registers: position in `Site::outputs` and what the register holds, where it could be read.
    pub outputs: Vec<(davy_config::site::OutputIndex, Option<bool>)>,
}
