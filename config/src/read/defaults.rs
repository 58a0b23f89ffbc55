//! Delays, deadbands and priorities where the file gives none: alarm rule R23, and ISA-18.2's table by signal type (flow, level, pressure,
//! temperature, composition). Gas is not in that table: 2 % of span, and back to normal after 2 s, are ours.

use super::alarm::Kind;
use super::limits::GAS_ANSWER_MS;
use crate::site::PointKind;
use davy_alarm::Priority;

/// One shift, minutes (R15).
pub(super) const SHELVE_MAX_MINUTES: u16 = 480;
/// How long a reading must be bad, or a device silent, before its fault alarm, milliseconds.
pub(super) const FAULT_DELAY_MS: u32 = 4_000;
/// Longest delay of a fault alarm, seconds: beyond it the fault would as good as be turned off.
pub(super) const FAULT_DELAY_MAX_S: f64 = 3_600.0;
/// How long a value must stand still to be frozen, milliseconds.
const FROZEN_MS: u32 = 3_600_000;
/// Shortest default of the stale time, milliseconds.
const STALE_MIN_MS: u32 = 10_000;
/// Share of the span that a reading must move by to be journalled.
pub(super) const EXCEPTION_SHARE: f64 = 0.002;

/// Three polls, and never under ten seconds.
pub(super) const fn stale_ms(period_ms: u32) -> u32 {
    let three = 3 * period_ms;
    if three > STALE_MIN_MS {
        three
    } else {
        STALE_MIN_MS
    }
}

/// Share of the span.
pub(super) const fn deadband_share(kind: PointKind) -> f64 {
    match kind {
        PointKind::Flow | PointKind::Level => 0.05,
        PointKind::Pressure
        | PointKind::DifferentialPressure
        | PointKind::CombustibleGas
        | PointKind::ToxicGas => 0.02,
        PointKind::Oxygen | PointKind::Temperature | PointKind::Composition | PointKind::Other => {
            0.01
        }
        PointKind::Discrete => 0.0,
    }
}

pub(super) const fn off_delay_ms(kind: PointKind, alarm: Kind) -> u32 {
    match (alarm, kind) {
        (Kind::Bad | Kind::Stale | Kind::On | Kind::Frozen | Kind::Stel | Kind::Twa, _) => 0,
        (_, PointKind::Flow | PointKind::Pressure | PointKind::DifferentialPressure) => 15_000,
        (_, PointKind::Level | PointKind::Temperature) => 60_000,
        (_, PointKind::CombustibleGas | PointKind::ToxicGas | PointKind::Oxygen) => 2_000,
        (_, PointKind::Composition | PointKind::Discrete | PointKind::Other) => 0,
    }
}

/// As the off-delay, but at once for what is [`prompt`].
pub(super) const fn on_delay_ms(kind: PointKind, alarm: Kind, priority: Priority) -> u32 {
    match alarm {
        Kind::Bad => FAULT_DELAY_MS,
        Kind::Stale | Kind::Stel | Kind::Twa => 0,
        Kind::Frozen => FROZEN_MS,
        _ if prompt(alarm, priority) => 0,
        Kind::HighHigh
        | Kind::High
        | Kind::Low
        | Kind::LowLow
        | Kind::On
        | Kind::Deviation
        | Kind::RateOfChange => off_delay_ms(kind, alarm),
    }
}

/// Gas level 2, HH, LL and every P1 wait at most two seconds (R23).
pub(super) const fn prompt(alarm: Kind, priority: Priority) -> bool {
    match alarm {
        Kind::HighHigh | Kind::LowLow => true,
        Kind::High | Kind::Low | Kind::On | Kind::Deviation | Kind::RateOfChange => {
            matches!(priority, Priority::P1)
        }
        Kind::Frozen | Kind::Stel | Kind::Twa | Kind::Bad | Kind::Stale => false,
    }
}

/// HH and LL of gas are gas level 2: they latch, and nobody shelves or resets them from afar.
pub(super) const fn gas_level_2(kind: PointKind, alarm: Kind) -> bool {
    kind.is_gas() && matches!(alarm, Kind::HighHigh | Kind::LowLow)
}

/// Longest from the event to the alarm where the file says nothing, milliseconds. Gas has ten seconds with its on-delay (GB 16808, R23); all else has its
/// on-delay and, for being read, what R23 lets such a signal wait at most. Of exposures, of what stands still and of faults nothing is asked.
pub(super) const fn response_ms(kind: PointKind, alarm: Kind, on_delay_ms: u32) -> Option<u32> {
    match alarm {
        Kind::Frozen | Kind::Stel | Kind::Twa | Kind::Bad | Kind::Stale => None,
        Kind::HighHigh
        | Kind::High
        | Kind::Low
        | Kind::LowLow
        | Kind::On
        | Kind::Deviation
        | Kind::RateOfChange => Some(match kind {
            PointKind::CombustibleGas | PointKind::ToxicGas | PointKind::Oxygen => GAS_ANSWER_MS,
            PointKind::Discrete => on_delay_ms.saturating_add(10_000),
            PointKind::Flow | PointKind::Pressure | PointKind::DifferentialPressure => {
                on_delay_ms.saturating_add(15_000)
            }
            PointKind::Level
            | PointKind::Temperature
            | PointKind::Composition
            | PointKind::Other => on_delay_ms.saturating_add(60_000),
        }),
    }
}

pub(super) const fn priority(kind: PointKind, alarm: Kind) -> Priority {
    match (alarm, kind.is_gas()) {
        (Kind::HighHigh | Kind::LowLow, true) => Priority::P1,
        (Kind::High | Kind::Low | Kind::Stel | Kind::Twa, true)
        | (Kind::HighHigh | Kind::LowLow | Kind::On, _) => Priority::P2,
        (Kind::Bad | Kind::Stale | Kind::Frozen, gas) => fault_priority(gas),
        (Kind::High | Kind::Low | Kind::Stel | Kind::Twa, false)
        | (Kind::Deviation | Kind::RateOfChange, _) => Priority::P3,
    }
}

/// Of a system fault: higher where it blinds a gas alarm.
pub(super) const fn fault_priority(gas: bool) -> Priority {
    if gas { Priority::P2 } else { Priority::P3 }
}
