//! A reading: a value, or the cause of its absence. A missing reading is never a number, never false, never normal.

use crate::time::WallMs;

/// Why there is no value. Each cause has a stable `code` for wire and disk and a stable `name` for files, API and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoValue {
    /// Never read since the gateway started.
    NotYetRead,
    /// The device did not answer within its time-out.
    Timeout,
    /// The answer failed its checks (CRC, length, unit, function, transaction).
    BadFrame,
    /// The link itself is down: port unplugged, connection refused or reset.
    LinkDown,
    /// The device answered with this Modbus exception code (1–255).
    Exception(u8),
    /// Not a number or infinite (alarm rule R6).
    NotFinite,
    /// Above the measuring range. Counts as ≥ every high set-point (R8).
    OverRange,
    /// Below the measuring range. Only bad (R8).
    UnderRange,
    /// The device reports, or its loop current shows, an instrument fault.
    SensorFault,
    /// Loop current far below the live zero: a broken wire.
    BrokenLoop,
    /// The device is inhibited by someone on site.
    Inhibit,
    /// The device is being calibrated.
    Calibration,
    /// The device is warming up.
    WarmUp,
    /// The register held a value that the profile does not know.
    UnknownCode,
}

impl NoValue {
    /// Stable number for wire and disk: the kind in the low byte, a Modbus exception's code in the next.
    pub const fn code(self) -> u16 {
        match self {
            Self::NotYetRead => 1,
            Self::Timeout => 2,
            Self::BadFrame => 3,
            Self::LinkDown => 4,
            Self::Exception(code) => 5 | (code as u16) << 8,
            Self::NotFinite => 6,
            Self::OverRange => 7,
            Self::UnderRange => 8,
            Self::SensorFault => 9,
            Self::BrokenLoop => 10,
            Self::Inhibit => 11,
            Self::Calibration => 12,
            Self::WarmUp => 13,
            Self::UnknownCode => 14,
        }
    }

    /// The cause behind a stable number, if it is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match (code & 0xff, (code >> 8) as u8) {
            (5, exception) => Self::Exception(exception),
            (1, 0) => Self::NotYetRead,
            (2, 0) => Self::Timeout,
            (3, 0) => Self::BadFrame,
            (4, 0) => Self::LinkDown,
            (6, 0) => Self::NotFinite,
            (7, 0) => Self::OverRange,
            (8, 0) => Self::UnderRange,
            (9, 0) => Self::SensorFault,
            (10, 0) => Self::BrokenLoop,
            (11, 0) => Self::Inhibit,
            (12, 0) => Self::Calibration,
            (13, 0) => Self::WarmUp,
            (14, 0) => Self::UnknownCode,
            _ => return None,
        })
    }

    /// Stable kebab-case name for files, API and logs. An exception's code is not part of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotYetRead => "not-yet-read",
            Self::Timeout => "timeout",
            Self::BadFrame => "bad-frame",
            Self::LinkDown => "link-down",
            Self::Exception(_) => "exception",
            Self::NotFinite => "not-finite",
            Self::OverRange => "over-range",
            Self::UnderRange => "under-range",
            Self::SensorFault => "sensor-fault",
            Self::BrokenLoop => "broken-loop",
            Self::Inhibit => "inhibit",
            Self::Calibration => "calibration",
            Self::WarmUp => "warm-up",
            Self::UnknownCode => "unknown-code",
        }
    }

    /// The cause with this name (an exception reads back as code 0).
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [NoValue; 14] = [
            NoValue::NotYetRead,
            NoValue::Timeout,
            NoValue::BadFrame,
            NoValue::LinkDown,
            NoValue::Exception(0),
            NoValue::NotFinite,
            NoValue::OverRange,
            NoValue::UnderRange,
            NoValue::SensorFault,
            NoValue::BrokenLoop,
            NoValue::Inhibit,
            NoValue::Calibration,
            NoValue::WarmUp,
            NoValue::UnknownCode,
        ];
        ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// Whether contact with the device itself is lost, as against a device that answers and says it cannot measure.
    pub const fn is_comms_lost(self) -> bool {
        matches!(self, Self::Timeout | Self::BadFrame | Self::LinkDown)
    }
}

/// How far a value may be trusted. Set once, at the source, and unchanged on its way to the regulator (invariant 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// Measured, inside the instrument's range and bands.
    Good,
    /// Measured, but in a band that the device's profile calls uncertain.
    Uncertain,
    /// Not measured: the reading carries a [`NoValue`].
    Bad,
    /// The last value is older than the point's stale time.
    Stale,
}

/// One reading of one point, in 24 bytes: a site holds a few of every point, and looks at them again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Nought where there is none.
    value: f64,
    absence: Option<NoValue>,
    uncertain: bool,
    source_time: WallMs,
}

impl Reading {
    /// A measured value. NaN and infinities become [`NoValue::NotFinite`] (R6): they are never a value.
    pub const fn measured(value: f64, source_time: WallMs) -> Self {
        if !value.is_finite() {
            return Self::absent(NoValue::NotFinite, source_time);
        }
        Self {
            value,
            absence: None,
            uncertain: false,
            source_time,
        }
    }

    /// A measured value in a band that the profile calls uncertain.
    pub const fn uncertain(value: f64, source_time: WallMs) -> Self {
        let mut reading = Self::measured(value, source_time);
        reading.uncertain = true;
        reading
    }

    /// No value, and why.
    pub const fn absent(cause: NoValue, source_time: WallMs) -> Self {
        Self {
            value: 0.0,
            absence: Some(cause),
            uncertain: false,
            source_time,
        }
    }

    /// The value in the point's engineering unit, or the cause of its absence.
    pub const fn value(&self) -> Result<f64, NoValue> {
        match self.absence {
            Some(cause) => Err(cause),
            None => Ok(self.value),
        }
    }

    /// Good, uncertain or bad. Staleness is a matter of time, which a reading does not know.
    pub const fn quality(&self) -> Quality {
        match (self.absence, self.uncertain) {
            (Some(_), _) => Quality::Bad,
            (None, true) => Quality::Uncertain,
            (None, false) => Quality::Good,
        }
    }

    /// When the answer arrived from the device.
    pub const fn source_time(&self) -> WallMs {
        self.source_time
    }
}

const _: () = assert!(size_of::<Reading>() == 24);
