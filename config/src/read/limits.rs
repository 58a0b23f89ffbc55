//! What an alarm may be given in the file, and whether it can do its duty.

use super::alarm::{Kind, On};
use super::defaults::{self, FAULT_DELAY_MAX_S, SHELVE_MAX_MINUTES};
use super::names::text;
use crate::problem::{Args, Code, Word};
use crate::section::{At, Either, Section};
use crate::site::{Alarm, Input, Moves, Text};
use davy_alarm::{Condition, Priority};

/// Longest that a gas alarm may take from the gas to the alarm: delay and poll together (GB 16808; R23), milliseconds.
pub(super) const GAS_ANSWER_MS: u32 = 10_000;
/// Longest on-delay of gas level 2, HH, LL and P1 (R23), milliseconds.
pub(super) const PROMPT_DELAY_MS: u32 = 2_000;
/// Longest until a gas instrument's fault is announced (GB 16808), milliseconds.
const GAS_FAULT_MS: u32 = 100_000;
/// Longest delay of a limit, seconds.
const DELAY_MAX_S: f64 = 86_400.0;

const MOVES: &[(&str, Moves)] = &[
    ("up", Moves::Up),
    ("down", Moves::Down),
    ("either", Moves::Either),
];

/// One alarm as the file gives it; every key may be absent.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) here: At<()>,
    pub(super) set_point: Option<At<f64>>,
    pub(super) deadband: Option<At<f64>>,
    pub(super) when: Option<bool>,
    /// DEV: a number, or another point's id.
    pub(super) from: Option<At<Either>>,
    /// ROC, STEL and TWA: how far back it looks, milliseconds.
    pub(super) window_ms: Option<u32>,
    pub(super) moves: Option<Moves>,
    /// FROZEN: what does not count as a movement.
    pub(super) band: Option<f64>,
    pub(super) priority: Option<Priority>,
    pub(super) on_delay: Option<At<u32>>,
    /// Longest from the event to the alarm, milliseconds.
    pub(super) response: Option<At<u32>>,
    pub(super) off_delay_ms: Option<u32>,
    pub(super) latching: Option<bool>,
    pub(super) re_alarm_ms: Option<u32>,
    pub(super) shelve_max_minutes: Option<u16>,
    pub(super) remote_reset: Option<At<bool>>,
    pub(super) guidance: Option<Text>,
}

/// Reads `[point.alarms.…]`, asking for the keys that an alarm of this kind has. `span`: of the measuring range, for a deadband that is a share of it.
pub(super) fn given(section: Section<'_, '_>, span: f64, kind: Kind) -> Given {
    let limit = kind.has_set_point();
    let longest = if kind.is_fault() {
        FAULT_DELAY_MAX_S
    } else {
        DELAY_MAX_S
    };
    let own = |wanted: bool| wanted.then_some(&section);
    let given = Given {
        here: section.here(),
        set_point: own(limit).and_then(|section| section.number("set_point")),
        deadband: own(limit).and_then(|section| deadband(section, span)),
        when: own(kind == Kind::On).and_then(|section| Some(section.flag("when")?.value)),
        from: own(kind == Kind::Deviation).and_then(|section| section.text_or_number("from")),
        window_ms: own(kind.window_s().is_some()).and_then(|section| {
            let longest = kind.window_s().map_or(0.0, |(_, longest)| longest);
            Some(section.seconds("window_s", 1.0..=longest)?.value)
        }),
        moves: own(kind == Kind::RateOfChange)
            .and_then(|section| Some(section.one_of("moves", MOVES)?.value)),
        band: own(kind == Kind::Frozen)
            .and_then(|section| Some(section.number_in("band", 0.0..=f64::MAX)?.value)),
        priority: priority(&section),
        on_delay: own(kind != Kind::Stale)
            .and_then(|section| section.seconds("on_delay_s", 0.0..=longest)),
        response: own(!kind.is_fault() && kind != Kind::Frozen)
            .and_then(|section| section.seconds("response_s", 0.1..=DELAY_MAX_S)),
        // A value that has moved is not frozen.
        off_delay_ms: own(kind != Kind::Frozen)
            .and_then(|section| Some(section.seconds("off_delay_s", 0.0..=longest)?.value)),
        latching: own(!kind.is_fault()).and_then(|section| Some(section.flag("latching")?.value)),
        re_alarm_ms: section
            .whole("re_alarm_min", 1..=1440)
            .map(|at| at.value as u32 * 60_000),
        shelve_max_minutes: section
            .whole("shelve_max_min", 1..=i64::from(SHELVE_MAX_MINUTES))
            .map(|at| at.value as u16),
        remote_reset: own(!kind.is_fault()).and_then(|section| section.flag("remote_reset")),
        guidance: section.section("guidance").and_then(text),
    };
    section.finish();
    given
}

/// `1` to `4`, 1 the highest.
pub(super) fn priority(section: &Section<'_, '_>) -> Option<Priority> {
    let at = section.whole("priority", 1..=4)?;
    Priority::from_number(at.value as u8)
}

/// In the engineering unit, or as a share of the span: `"2 %"`.
fn deadband(section: &Section<'_, '_>, span: f64) -> Option<At<f64>> {
    let at = section.text_or_number("deadband")?;
    let (found, written) = match &at.value {
        Either::Number(number) => (Some(*number), number.to_string()),
        Either::Text(text) => {
            let share = text
                .strip_suffix('%')
                .and_then(|share| share.trim().parse::<f64>().ok());
            (share.map(|share| span * share / 100.0), text.clone())
        }
    };
    match found.filter(|deadband| deadband.is_finite() && *deadband >= 0.0) {
        Some(deadband) => Some(at.with(deadband)),
        None => {
            section.wrong(&at, Word::Deadband, &written);
            None
        }
    }
}

/// Refuses an alarm that could not do its duty, and warns of one that would do it late.
pub(super) fn check(on: &On<'_, '_, '_>, kind: Kind, alarm: &Alarm, given: Option<&Given>) {
    check_range(on, alarm, given);
    check_deadband(on, kind, alarm, given);
    check_delay(on, kind, alarm, given);
    if on.point.kind.is_gas() {
        check_gas_fault(on, kind, alarm, given);
        check_gas_response(on, given);
    }
    let remote = given.and_then(|given| given.remote_reset.as_ref());
    if let Some(remote) = remote.filter(|remote| remote.value && alarm.definition.gas_level_2) {
        let args = vec![("name", alarm.id.as_str().into())];
        on.section.at(remote, Code::RemoteReset, args);
    }
}

/// An instrument never shows a value outside its range, so a limit there never alarms.
fn check_range(on: &On<'_, '_, '_>, alarm: &Alarm, given: Option<&Given>) {
    let Some(set_point) = alarm.definition.condition.set_point() else {
        return;
    };
    let (low, high) = match alarm.input {
        Input::Value | Input::Exposure { .. } | Input::Stands { .. } => on.point.range,
        // Nothing moves or strays further than the instrument reaches.
        Input::Deviation(_) | Input::Moved { .. } => (0.0, on.point.range.1 - on.point.range.0),
    };
    if set_point < low || set_point > high {
        let args: Args = vec![
            ("name", alarm.id.as_str().into()),
            ("value", set_point.into()),
            ("low", low.into()),
            ("high", high.into()),
        ];
        let at = given.and_then(|given| given.set_point.as_ref());
        on.blame(at, Code::LimitOutsideRange, args);
    }
}

/// A deadband that no value in range can clear keeps the alarm for ever (R23).
fn check_deadband(on: &On<'_, '_, '_>, kind: Kind, alarm: &Alarm, given: Option<&Given>) {
    let (low, high) = on.point.range;
    let (set_point, deadband, never) = match alarm.definition.condition {
        Condition::HiHi {
            set_point,
            deadband,
        }
        | Condition::Hi {
            set_point,
            deadband,
        } => (set_point, deadband, set_point - deadband <= low),
        Condition::LoLo {
            set_point,
            deadband,
        }
        | Condition::Lo {
            set_point,
            deadband,
        } => (set_point, deadband, set_point + deadband >= high),
        Condition::Deviation { limit, deadband } | Condition::RateOfChange { limit, deadband } => {
            (limit, deadband, limit - deadband <= 0.0)
        }
        Condition::Stel { limit, deadband } | Condition::Twa { limit, deadband } => {
            (limit, deadband, limit - deadband <= low)
        }
        Condition::Discrete { .. }
        | Condition::Frozen
        | Condition::Bad
        | Condition::Stale { .. }
        | Condition::CommsLost
        | Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed
        | Condition::Manual
        | Condition::Unproved => return,
    };
    if never {
        let args: Args = vec![
            ("name", kind.name().into()),
            ("value", deadband.into()),
            ("limit", set_point.into()),
        ];
        let own = given.and_then(|given| given.deadband.as_ref().or(given.set_point.as_ref()));
        on.blame(own, Code::Deadband, args);
    }
}

/// R23: gas is known within ten seconds, its level 2 within two of its reading; so should be every HH, LL and P1.
fn check_delay(on: &On<'_, '_, '_>, kind: Kind, alarm: &Alarm, given: Option<&Given>) {
    let definition = &alarm.definition;
    // That a value stands still takes its time to tell, on gas too.
    if kind.is_fault() || kind == Kind::Frozen {
        return;
    }
    let at = given.and_then(|given| given.on_delay.as_ref());
    let args: Args = vec![
        ("name", alarm.id.as_str().into()),
        ("value", definition.on_delay_ms.into()),
        ("period", on.point.period_ms.into()),
    ];
    let slow = definition.on_delay_ms > PROMPT_DELAY_MS;
    if slow && definition.gas_level_2 {
        on.blame(at, Code::GasLevel2Delay, args);
    } else if on.point.kind.is_gas() && definition.on_delay_ms + on.point.period_ms > GAS_ANSWER_MS
    {
        on.blame(at, Code::GasDelay, args);
    } else if slow && defaults::prompt(kind, definition.priority) {
        on.blame(at, Code::SlowLimit, args);
    }
}

/// A gas instrument's fault is announced within 100 s.
fn check_gas_fault(on: &On<'_, '_, '_>, kind: Kind, alarm: &Alarm, given: Option<&Given>) {
    let (after_ms, at) = match alarm.definition.condition {
        Condition::Bad => (
            alarm
                .definition
                .on_delay_ms
                .saturating_add(on.point.period_ms),
            given.and_then(|given| given.on_delay.as_ref()),
        ),
        Condition::Stale { after_ms } => (after_ms, on.stale.as_ref()),
        Condition::HiHi { .. }
        | Condition::Hi { .. }
        | Condition::Lo { .. }
        | Condition::LoLo { .. }
        | Condition::Discrete { .. }
        | Condition::Deviation { .. }
        | Condition::RateOfChange { .. }
        | Condition::Frozen
        | Condition::Stel { .. }
        | Condition::Twa { .. }
        | Condition::CommsLost
        | Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed
        | Condition::Manual
        | Condition::Unproved => return,
    };
    debug_assert!(kind.is_fault());
    if after_ms > GAS_FAULT_MS {
        let args: Args = vec![
            ("name", alarm.id.as_str().into()),
            ("value", after_ms.into()),
        ];
        on.blame(at, Code::GasFaultDelay, args);
    }
}

/// What the standard gives gas, no file may stretch.
fn check_gas_response(on: &On<'_, '_, '_>, given: Option<&Given>) {
    let response = given.and_then(|given| given.response.as_ref());
    if let Some(at) = response.filter(|at| at.value > GAS_ANSWER_MS) {
        let seconds = |ms: u32| f64::from(ms) / 1000.0;
        let args: Args = vec![
            ("value", seconds(at.value).into()),
            ("low", 0.1.into()),
            ("high", seconds(GAS_ANSWER_MS).into()),
        ];
        on.section.at(at, Code::OutOfRange, args);
    }
}

/// LL < L < H < HH, among those that the point has.
pub(super) fn check_order(on: &On<'_, '_, '_>, alarms: &[(Kind, &Alarm, Option<At<f64>>)]) {
    let mut limits: Vec<(Kind, f64, Option<&At<f64>>)> = alarms
        .iter()
        .filter(|(kind, ..)| kind.is_limit())
        .filter_map(|(kind, alarm, at)| {
            Some((*kind, alarm.definition.condition.set_point()?, at.as_ref()))
        })
        .collect();
    limits.sort_by_key(|(kind, ..)| std::cmp::Reverse(kind.rank()));
    for pair in limits.windows(2) {
        let [(lower, low, low_at), (higher, high, high_at)] = pair else {
            continue;
        };
        if low >= high {
            let args: Args = vec![
                ("low", format!("{} {low}", lower.name()).into()),
                ("high", format!("{} {high}", higher.name()).into()),
            ];
            on.blame(high_at.or(*low_at), Code::LimitOrder, args);
        }
    }
}
