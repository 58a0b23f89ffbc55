//! The alarms of a point: from its preset, from the file, and the two that every point has.
//!
//! Default delays and deadbands are those of alarm rule R23 and ISA-18.2's table by signal type (safety facts §5).

use super::{Names, text};
use crate::preset::{Preset, Substance};
use crate::problem::Code;
use crate::section::{At, Either, Section, nearest};
use crate::site::{Alarm, AlarmIndex, Point, PointIndex, PointKind, Subject, Text};
use davy_alarm::{Condition, Definition, Priority};

/// Longest that a gas alarm may take from the gas to the alarm: delay and poll together (GB 16808; R23), milliseconds.
const GAS_ANSWER_MS: u32 = 10_000;
/// Longest on-delay of gas level 2 (R23), milliseconds.
const GAS_LEVEL_2_DELAY_MS: u32 = 2_000;
/// One shift, minutes (R15).
const SHELVE_MAX_MINUTES: i64 = 480;

/// The limits in order of danger, and how each is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    HighHigh,
    High,
    Low,
    LowLow,
    Discrete,
    Bad,
    Stale,
}

const KINDS: [(&str, Kind); 7] = [
    ("HH", Kind::HighHigh),
    ("H", Kind::High),
    ("L", Kind::Low),
    ("LL", Kind::LowLow),
    ("ON", Kind::Discrete),
    ("BAD", Kind::Bad),
    ("STALE", Kind::Stale),
];

/// One alarm as the file gives it; every key may be absent.
#[derive(Debug, Default)]
struct Given {
    set_point: Option<At<f64>>,
    deadband: Option<f64>,
    when: Option<bool>,
    priority: Option<Priority>,
    on_delay_ms: Option<u32>,
    off_delay_ms: Option<u32>,
    latching: Option<bool>,
    re_alarm_ms: Option<u32>,
    shelve_max_minutes: Option<u16>,
    remote_reset: Option<bool>,
    guidance: Option<Text>,
}

/// Reads a point's alarms, appends them to `alarms` and returns their positions.
pub(super) fn of_point(
    section: &Section<'_, '_>,
    names: &Names,
    point: &Point,
    index: PointIndex,
    period_ms: u32,
    alarms: &mut Vec<Alarm>,
) -> Vec<AlarmIndex> {
    let substance = substance(section, names);
    let preset = preset(section, names, point);
    let stale_ms = section
        .whole("stale_s", 1..=86_400)
        .map_or((3 * period_ms).max(10_000), |at| at.value as u32 * 1000);
    let own = section.section("alarms");
    let mut found = Vec::new();
    for (name, kind) in KINDS {
        let given = own
            .as_ref()
            .and_then(|own| own.section(name))
            .map(|section| given(section, point));
        let from_preset = preset
            .as_ref()
            .and_then(|preset| preset_level(&preset.value, substance, kind));
        let Some(alarm) = alarm(
            section,
            point,
            index,
            kind,
            name,
            given,
            preset.as_ref().map(|at| &at.value).zip(from_preset),
            stale_ms,
        ) else {
            continue;
        };
        if is_gas(point.kind) {
            check_gas(section, &alarm, period_ms);
        }
        found.push(AlarmIndex(alarms.len()));
        alarms.push(alarm);
    }
    if let Some(own) = own {
        own.finish();
    }
    check_order(
        section,
        &found
            .iter()
            .map(|index| &alarms[index.0])
            .collect::<Vec<_>>(),
    );
    if !found.iter().any(|index| {
        !matches!(
            alarms[index.0].definition.condition,
            Condition::Bad | Condition::Stale { .. }
        )
    }) {
        section.problem(Code::NoAlarm, vec![]);
    }
    found
}

fn substance<'n>(section: &Section<'_, '_>, names: &'n Names) -> Option<&'n Substance> {
    let at = section.text("substance")?;
    match names.presets.substance(&at.value) {
        Ok(substance) => Some(substance),
        Err(near) => {
            section.at(
                &at,
                Code::UnknownName,
                vec![("value", at.value.clone()), ("near", near)],
            );
            None
        }
    }
}

/// The point's preset; armed only with the site's sign-off.
fn preset(section: &Section<'_, '_>, names: &Names, point: &Point) -> Option<At<Preset>> {
    let at = section.text("preset")?;
    let preset = match names.presets.preset(&at.value) {
        Ok(preset) => preset.clone(),
        Err(near) => {
            section.at(
                &at,
                Code::UnknownName,
                vec![("value", at.value.clone()), ("near", near)],
            );
            return None;
        }
    };
    if !names.signed_off {
        section.at(&at, Code::NotSignedOff, vec![("value", at.value.clone())]);
    }
    if preset.unit != point.unit {
        section.at(
            &at,
            Code::PresetUnit,
            vec![("unit", preset.unit.clone()), ("found", point.unit.clone())],
        );
        return None;
    }
    Some(at.with(preset))
}

fn preset_level(preset: &Preset, substance: Option<&Substance>, kind: Kind) -> Option<f64> {
    match kind {
        Kind::HighHigh if preset.by_substance => substance?.level_2_ppm,
        Kind::High if preset.by_substance => substance?.level_1_ppm,
        Kind::HighHigh => preset.high_high,
        Kind::High => preset.high,
        Kind::Low => preset.low,
        Kind::LowLow => preset.low_low,
        Kind::Discrete | Kind::Bad | Kind::Stale => None,
    }
}

fn given(section: Section<'_, '_>, point: &Point) -> Given {
    let delay = |key| {
        section
            .number(key)
            .map(|at| (at.value.clamp(0.0, 86_400.0) * 1000.0).round() as u32)
    };
    let given = Given {
        set_point: section.number("set_point"),
        deadband: deadband(&section, point),
        when: section.flag("when").map(|at| at.value),
        priority: priority(&section),
        on_delay_ms: delay("on_delay_s"),
        off_delay_ms: delay("off_delay_s"),
        latching: section.flag("latching").map(|at| at.value),
        re_alarm_ms: section
            .whole("re_alarm_min", 1..=1440)
            .map(|at| at.value as u32 * 60_000),
        shelve_max_minutes: section
            .whole("shelve_max_min", 1..=SHELVE_MAX_MINUTES)
            .map(|at| at.value as u16),
        remote_reset: section.flag("remote_reset").map(|at| at.value),
        guidance: section.section("guidance").and_then(text),
    };
    section.finish();
    given
}

/// `1` to `4`, 1 the highest.
pub(super) fn priority(section: &Section<'_, '_>) -> Option<Priority> {
    section
        .whole("priority", 1..=4)
        .and_then(|at| Priority::from_number(at.value as u8))
}

/// In the engineering unit, or as a share of the span: `"2 %"`.
fn deadband(section: &Section<'_, '_>, point: &Point) -> Option<f64> {
    let at = section.text_or_number("deadband")?;
    let deadband = match &at.value {
        Either::Number(number) => Some(*number),
        Either::Text(text) => {
            let share = text
                .strip_suffix('%')
                .and_then(|share| share.trim().parse::<f64>().ok());
            share.map(|share| (point.range.1 - point.range.0) * share / 100.0)
        }
    };
    let found = deadband.filter(|deadband| deadband.is_finite() && *deadband >= 0.0);
    if found.is_none() {
        section.at(
            &at,
            Code::WrongType,
            vec![
                ("type", "2.0, \"2 %\"".into()),
                ("found", format!("{:?}", at.value)),
            ],
        );
    }
    found
}

#[allow(clippy::too_many_arguments)]
fn alarm(
    section: &Section<'_, '_>,
    point: &Point,
    index: PointIndex,
    kind: Kind,
    name: &str,
    given: Option<Given>,
    preset: Option<(&Preset, f64)>,
    stale_ms: u32,
) -> Option<Alarm> {
    let exists = given.is_some() || preset.is_some() || matches!(kind, Kind::Bad | Kind::Stale);
    if !exists {
        return None;
    }
    let given = given.unwrap_or_default();
    let set_point = limit(section, point, kind, name, &given, preset)?;
    let deadband = given
        .deadband
        .unwrap_or((point.range.1 - point.range.0) * deadband_share(point.kind));
    let condition = match kind {
        Kind::HighHigh => Condition::HiHi {
            set_point,
            deadband,
        },
        Kind::High => Condition::Hi {
            set_point,
            deadband,
        },
        Kind::Low => Condition::Lo {
            set_point,
            deadband,
        },
        Kind::LowLow => Condition::LoLo {
            set_point,
            deadband,
        },
        Kind::Discrete => Condition::Discrete {
            when: given.when.unwrap_or(true),
        },
        Kind::Bad => Condition::Bad,
        Kind::Stale => Condition::Stale { after_ms: stale_ms },
    };
    check_deadband(section, point, name, set_point, deadband, kind);
    let gas_level_2 = is_gas(point.kind) && matches!(kind, Kind::HighHigh | Kind::LowLow);
    let priority = given.priority.unwrap_or(default_priority(point.kind, kind));
    let off_delay_ms = given
        .off_delay_ms
        .unwrap_or(default_delay_ms(point.kind, kind));
    let prompt =
        gas_level_2 || priority == Priority::P1 || matches!(kind, Kind::HighHigh | Kind::LowLow);
    let on_default = match kind {
        Kind::Bad => 4000,
        _ if prompt => 0,
        _ => default_delay_ms(point.kind, kind),
    };
    Some(Alarm {
        id: format!("{}.{name}", point.id),
        subject: Subject::Point(index),
        definition: Definition {
            condition,
            priority,
            on_delay_ms: given.on_delay_ms.unwrap_or(on_default),
            off_delay_ms,
            latching: given.latching.unwrap_or(gas_level_2),
            gas_level_2,
            re_alarm_ms: given.re_alarm_ms,
            shelve_max_minutes: given
                .shelve_max_minutes
                .unwrap_or(SHELVE_MAX_MINUTES as u16),
            remote_reset: given.remote_reset.unwrap_or(false),
        },
        guidance: given.guidance,
        source: match (preset, &given.set_point) {
            (Some((preset, _)), None) => {
                format!("{}: {} ({:?})", preset.id, preset.source, preset.confidence)
            }
            _ => "site".into(),
        },
    })
}

/// The set-point: the site's own, or the preset's. Warns where the site's is laxer.
fn limit(
    section: &Section<'_, '_>,
    point: &Point,
    kind: Kind,
    name: &str,
    given: &Given,
    preset: Option<(&Preset, f64)>,
) -> Option<f64> {
    if matches!(kind, Kind::Discrete | Kind::Bad | Kind::Stale) {
        return Some(0.0);
    }
    let Some(own) = &given.set_point else {
        if preset.is_none() {
            section.problem(
                Code::MissingKey,
                vec![
                    ("name", format!("alarms.{name}.set_point")),
                    ("type", "number".into()),
                ],
            );
        }
        return preset.map(|(_, level)| level);
    };
    if own.value < point.range.0 || own.value > point.range.1 {
        let args = vec![
            ("value", own.value.to_string()),
            ("low", point.range.0.to_string()),
            ("high", point.range.1.to_string()),
        ];
        section.at(own, Code::LimitOutsideRange, args);
    }
    if let Some((preset, level)) = preset
        && (matches!(kind, Kind::HighHigh | Kind::High) && own.value > level
            || matches!(kind, Kind::Low | Kind::LowLow) && own.value < level)
    {
        section.at(
            own,
            Code::Laxer,
            vec![
                ("value", own.value.to_string()),
                ("preset", level.to_string()),
                ("source", preset.source.clone()),
            ],
        );
    }
    Some(own.value)
}

/// A deadband that no value in range can clear keeps the alarm for ever (R23).
fn check_deadband(
    section: &Section<'_, '_>,
    point: &Point,
    name: &str,
    set_point: f64,
    deadband: f64,
    kind: Kind,
) {
    let never = match kind {
        Kind::HighHigh | Kind::High => set_point - deadband <= point.range.0,
        Kind::Low | Kind::LowLow => set_point + deadband >= point.range.1,
        Kind::Discrete | Kind::Bad | Kind::Stale => false,
    };
    if never {
        section.problem(
            Code::Deadband,
            vec![
                ("name", name.to_owned()),
                ("value", deadband.to_string()),
                ("limit", set_point.to_string()),
            ],
        );
    }
}

/// R23: gas is known within ten seconds, and level 2 within two of its reading.
fn check_gas(section: &Section<'_, '_>, alarm: &Alarm, period_ms: u32) {
    let definition = &alarm.definition;
    if definition.condition.set_point().is_none() {
        return;
    }
    if definition.gas_level_2 && definition.on_delay_ms > GAS_LEVEL_2_DELAY_MS {
        section.problem(
            Code::GasLevel2Delay,
            vec![
                ("name", alarm.id.clone()),
                ("value", definition.on_delay_ms.to_string()),
            ],
        );
    } else if definition.on_delay_ms.saturating_add(period_ms) > GAS_ANSWER_MS {
        let args = vec![
            ("name", alarm.id.clone()),
            ("value", definition.on_delay_ms.to_string()),
            ("period", period_ms.to_string()),
        ];
        section.problem(Code::GasDelay, args);
    }
}

/// LL < L < H < HH.
fn check_order(section: &Section<'_, '_>, alarms: &[&Alarm]) {
    let rank = |condition: &Condition| match condition {
        Condition::LoLo { .. } => 0,
        Condition::Lo { .. } => 1,
        Condition::Hi { .. } => 2,
        Condition::HiHi { .. } => 3,
        Condition::Discrete { .. }
        | Condition::Bad
        | Condition::Stale { .. }
        | Condition::CommsLost => 4,
    };
    let mut limits: Vec<(i32, f64, &str)> = alarms
        .iter()
        .filter_map(|alarm| {
            Some((
                rank(&alarm.definition.condition),
                alarm.definition.condition.set_point()?,
                alarm.id.as_str(),
            ))
        })
        .collect();
    limits.sort_by_key(|(rank, ..)| *rank);
    for pair in limits.windows(2) {
        if pair[0].1 >= pair[1].1 {
            let args = vec![
                ("low", format!("{} {}", pair[0].2, pair[0].1)),
                ("high", format!("{} {}", pair[1].2, pair[1].1)),
            ];
            section.problem(Code::LimitOrder, args);
        }
    }
}

const fn is_gas(kind: PointKind) -> bool {
    matches!(
        kind,
        PointKind::CombustibleGas | PointKind::ToxicGas | PointKind::Oxygen
    )
}

/// Share of the span.
const fn deadband_share(kind: PointKind) -> f64 {
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

const fn default_delay_ms(kind: PointKind, alarm: Kind) -> u32 {
    match (alarm, kind) {
        (Kind::Bad | Kind::Stale | Kind::Discrete, _) => 0,
        (_, PointKind::Flow | PointKind::Pressure | PointKind::DifferentialPressure) => 15_000,
        (_, PointKind::Level | PointKind::Temperature) => 60_000,
        (_, PointKind::CombustibleGas | PointKind::ToxicGas | PointKind::Oxygen) => 2_000,
        (_, PointKind::Composition | PointKind::Discrete | PointKind::Other) => 0,
    }
}

const fn default_priority(kind: PointKind, alarm: Kind) -> Priority {
    match (alarm, is_gas(kind)) {
        (Kind::HighHigh | Kind::LowLow, true) => Priority::P1,
        (Kind::High | Kind::Low | Kind::Bad | Kind::Stale, true)
        | (Kind::HighHigh | Kind::LowLow | Kind::Discrete, _) => Priority::P2,
        (Kind::High | Kind::Low | Kind::Bad | Kind::Stale, false) => Priority::P3,
    }
}

/// Names for messages about causes that no alarm has.
pub(super) fn near(alarms: &[Alarm], id: &str) -> String {
    nearest(id, alarms.iter().map(|alarm| alarm.id.as_str())).unwrap_or_else(|| "<point>.HH".into())
}
