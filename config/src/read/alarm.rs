//! The alarms of a point: from its preset, from the file, and the two that every point has.

use super::defaults;
use super::limits::{self, Given};
use super::names::{Index, Names};
use super::preset::{self, Armed};
use crate::preset::{Level, Preset};
use crate::problem::{Args, Code, Word};
use crate::section::{At, Either, Section};
use crate::site::{Alarm, AlarmIndex, Input, Moves, PointIndex, PointKind, Reference, Subject};
use davy_alarm::{Condition, Definition};

/// Every alarm of the site, and by id where it is; `None` for one that has problems of its own.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    pub(super) list: Vec<Alarm>,
    pub(super) index: Index,
}

impl Alarms {
    pub(super) fn push(&mut self, alarm: Alarm) {
        self.index.insert(alarm.id.clone(), Some(self.list.len()));
        self.list.push(alarm);
    }
}

/// What a point can be alarmed on, the highest limit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    HighHigh,
    High,
    Low,
    LowLow,
    On,
    Deviation,
    RateOfChange,
    Frozen,
    Stel,
    Twa,
    Bad,
    Stale,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::HighHigh,
        Self::High,
        Self::Low,
        Self::LowLow,
        Self::On,
        Self::Deviation,
        Self::RateOfChange,
        Self::Frozen,
        Self::Stel,
        Self::Twa,
        Self::Bad,
        Self::Stale,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::HighHigh => "HH",
            Self::High => "H",
            Self::Low => "L",
            Self::LowLow => "LL",
            Self::On => "ON",
            Self::Deviation => "DEV",
            Self::RateOfChange => "ROC",
            Self::Frozen => "FROZEN",
            Self::Stel => "STEL",
            Self::Twa => "TWA",
            Self::Bad => "BAD",
            Self::Stale => "STALE",
        }
    }

    /// Position in [`Self::ALL`]: limits fall with it.
    pub(super) const fn rank(self) -> u8 {
        self as u8
    }

    pub(super) const fn is_limit(self) -> bool {
        matches!(self, Self::HighHigh | Self::High | Self::Low | Self::LowLow)
    }

    pub(super) const fn has_set_point(self) -> bool {
        self.is_limit()
            || matches!(
                self,
                Self::Deviation | Self::RateOfChange | Self::Stel | Self::Twa
            )
    }

    /// The window unless the file says, and the longest, seconds.
    pub(super) const fn window_s(self) -> Option<(u32, f64)> {
        match self {
            Self::RateOfChange => Some((60, 86_400.0)),
            Self::Stel => Some((900, 3_600.0)),
            Self::Twa => Some((28_800, 86_400.0)),
            Self::HighHigh
            | Self::High
            | Self::Low
            | Self::LowLow
            | Self::On
            | Self::Deviation
            | Self::Frozen
            | Self::Bad
            | Self::Stale => None,
        }
    }

    pub(super) const fn is_fault(self) -> bool {
        matches!(self, Self::Bad | Self::Stale)
    }

    /// Limits are for what is measured, ON for what is on or off.
    const fn suits(self, kind: PointKind) -> bool {
        match (self, kind) {
            (Self::Bad | Self::Stale, _) => true,
            (Self::On, kind) => matches!(kind, PointKind::Discrete),
            // A counter of a heartbeat or an air sample: what stands still is told of any of them.
            (
                Self::HighHigh
                | Self::High
                | Self::Low
                | Self::LowLow
                | Self::Deviation
                | Self::RateOfChange
                | Self::Frozen,
                kind,
            ) => !matches!(kind, PointKind::Discrete),
            // Exposure is of people to what they breathe.
            (Self::Stel | Self::Twa, kind) => {
                matches!(kind, PointKind::ToxicGas | PointKind::Other)
            }
        }
    }

    const fn level(self, preset: &Preset) -> Option<&Level> {
        match self {
            Self::HighHigh => preset.high_high.as_ref(),
            Self::High => preset.high.as_ref(),
            Self::Low => preset.low.as_ref(),
            Self::LowLow => preset.low_low.as_ref(),
            Self::On => preset.on.as_ref(),
            Self::Deviation
            | Self::RateOfChange
            | Self::Frozen
            | Self::Stel
            | Self::Twa
            | Self::Bad
            | Self::Stale => None,
        }
    }
}

/// What of a point its alarms are judged by; known also of one that is wrong elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basis<'p> {
    pub(super) id: &'p str,
    pub(super) kind: PointKind,
    pub(super) unit: &'p str,
    pub(super) range: (f64, f64),
    /// How often it is read; 0 where that is not known: what is too slow even so is too slow for certain.
    pub(super) period_ms: u32,
}

impl Basis<'_> {
    fn span(&self) -> f64 {
        self.range.1 - self.range.0
    }
}

/// The point whose alarms are read.
pub(super) struct On<'r, 's, 't> {
    pub(super) section: &'r Section<'s, 't>,
    pub(super) point: Basis<'r>,
    pub(super) index: PointIndex,
    /// `stale_s` if the file gives it.
    pub(super) stale: Option<At<u32>>,
    armed: Option<Armed>,
    /// Points that stand above in the file.
    above: &'r Index,
}

impl On<'_, '_, '_> {
    /// A problem with a value of the file; with the preset that armed it, or the point, if the file gives no such value.
    pub(super) fn blame<T>(&self, at: Option<&At<T>>, code: Code, args: Args) {
        match (at, &self.armed) {
            (Some(at), _) => self.section.at(at, code, args),
            (None, Some(armed)) => self.section.at(&armed.at, code, args),
            (None, None) => self.section.problem(code, args),
        }
    }
}

/// Reads a point's alarms, adds them to `alarms` and returns their positions.
pub(super) fn of_point(
    section: &Section<'_, '_>,
    names: &Names,
    point: Basis<'_>,
    index: PointIndex,
    above: &Index,
    alarms: &mut Alarms,
) -> Vec<AlarmIndex> {
    let on = On {
        section,
        point,
        index,
        stale: stale(section, point.period_ms),
        armed: preset::read(section, names, &point),
        above,
    };
    let own = section.section("alarms");
    let (mut found, mut broken) = (Vec::new(), false);
    for kind in Kind::ALL {
        let given = own.as_ref().and_then(|own| own.section(kind.name()));
        let given = given.map(|section| limits::given(section, point.span(), kind));
        let Some(alarm) = alarm(&on, kind, given.as_ref()) else {
            if given.is_some() {
                let id = format!("{}.{}", point.id, kind.name());
                alarms.index.insert(id, None);
                broken = true;
            }
            continue;
        };
        limits::check(&on, kind, &alarm, given.as_ref());
        found.push((kind, alarm, given.and_then(|given| given.set_point)));
    }
    if let Some(own) = own {
        own.finish();
    }
    let borrowed: Vec<_> = found
        .iter()
        .map(|(kind, alarm, at)| (*kind, alarm, at.clone()))
        .collect();
    limits::check_order(&on, &borrowed);
    // One that is told to be wrong is not missing too.
    if !broken && found.iter().all(|(kind, ..)| kind.is_fault()) {
        section.problem(Code::NoAlarm, vec![("value", point.id.into())]);
    }
    let first = alarms.list.len();
    let positions = (first..first + found.len()).map(AlarmIndex).collect();
    found
        .into_iter()
        .for_each(|(_, alarm, _)| alarms.push(alarm));
    positions
}

/// Of a point whose kind, unit or range is wrong, what can be judged without them: keys, types, ranges of delays and priorities, names, texts.
pub(super) fn keys_alone(section: &Section<'_, '_>, names: &Names, period_ms: u32) {
    let _stale = stale(section, period_ms);
    preset::names_alone(section, names);
    let Some(own) = section.section("alarms") else {
        return;
    };
    for kind in Kind::ALL {
        if let Some(given) = own.section(kind.name()) {
            // A deadband that is a share is one of any span.
            let _given = limits::given(given, 1.0, kind);
        }
    }
    own.finish();
}

/// `stale_s`: longer than two polls, or one late answer would be stale.
fn stale(section: &Section<'_, '_>, period_ms: u32) -> Option<At<u32>> {
    let at = section.seconds("stale_s", 1.0..=86_400.0)?;
    if at.value < 2 * period_ms {
        let args = vec![("value", at.value.into()), ("period", period_ms.into())];
        section.at(&at, Code::StalePeriod, args);
    }
    Some(at)
}

fn alarm(on: &On<'_, '_, '_>, kind: Kind, given: Option<&Given>) -> Option<Alarm> {
    let level = on
        .armed
        .as_ref()
        .and_then(|armed| kind.level(armed.at.value));
    if given.is_none() && level.is_none() && !kind.is_fault() {
        return None;
    }
    if let Some(given) = given.filter(|_| !kind.suits(on.point.kind)) {
        let args = vec![
            ("name", kind.name().into()),
            ("found", on.point.kind.name().into()),
        ];
        on.section.at(&given.here, Code::AlarmKind, args);
        return None;
    }
    let own = given.and_then(|given| given.set_point.as_ref());
    let condition = condition(on, kind, given, level)?;
    let definition = definition(on, kind, given, condition);
    let response = given.and_then(|given| given.response.as_ref());
    Some(Alarm {
        id: format!("{}.{}", on.point.id, kind.name()),
        subject: Subject::Point(on.index),
        input: input(on, kind, given)?,
        response_ms: response
            .map(|at| at.value)
            .or_else(|| defaults::response_ms(on.point.kind, kind, definition.on_delay_ms)),
        definition,
        guidance: given.and_then(|given| given.guidance.clone().map(Box::new)),
        source: match (&on.armed, level) {
            _ if kind.is_fault() => preset::built_in(),
            (Some(armed), Some(level)) if own.is_none() => {
                preset::source(armed.at.value, level, armed.substance)
            }
            _ => preset::of_site(),
        },
    })
}

fn condition(
    on: &On<'_, '_, '_>,
    kind: Kind,
    given: Option<&Given>,
    level: Option<&Level>,
) -> Option<Condition> {
    let stale_ms = on.stale.as_ref().map(|at| at.value);
    match kind {
        Kind::Bad => return Some(Condition::Bad),
        Kind::Stale => {
            let after_ms = stale_ms.unwrap_or(defaults::stale_ms(on.point.period_ms));
            return Some(Condition::Stale { after_ms });
        }
        Kind::On => {
            let own = given.and_then(|given| given.when);
            let when = own.or(level.and_then(|level| level.when)).unwrap_or(true);
            return Some(Condition::Discrete { when });
        }
        Kind::Frozen => return Some(Condition::Frozen),
        Kind::HighHigh
        | Kind::High
        | Kind::Low
        | Kind::LowLow
        | Kind::Deviation
        | Kind::RateOfChange
        | Kind::Stel
        | Kind::Twa => {}
    }
    let set_point = set_point(on, kind, given, level)?;
    let span = on.point.span();
    let own = given.and_then(|given| given.deadband.as_ref());
    let deadband = own.map_or(span * defaults::deadband_share(on.point.kind), |at| {
        at.value
    });
    Some(match kind {
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
        Kind::Deviation => Condition::Deviation {
            limit: set_point,
            deadband,
        },
        Kind::RateOfChange => Condition::RateOfChange {
            limit: set_point,
            deadband,
        },
        Kind::Stel => Condition::Stel {
            limit: set_point,
            deadband,
        },
        Kind::Twa => Condition::Twa {
            limit: set_point,
            deadband,
        },
        Kind::On | Kind::Frozen | Kind::Bad | Kind::Stale => return None,
    })
}

/// What the alarm looks at. A DEV may name a point that stands above it in the file.
fn input(on: &On<'_, '_, '_>, kind: Kind, given: Option<&Given>) -> Option<Input> {
    let window_ms = || {
        let own = given.and_then(|given| given.window_ms);
        own.or(kind.window_s().map(|(usual, _)| usual * 1000))
    };
    Some(match kind {
        Kind::Deviation => {
            let given = given?;
            let Some(from) = &given.from else {
                let args = vec![("name", "from".into()), ("type", Word::TextOrNumber.into())];
                on.section.at(&given.here, Code::MissingKey, args);
                return None;
            };
            match &from.value {
                Either::Number(number) => Input::Deviation(Reference::Fixed(*number)),
                Either::Text(id) => {
                    let at = from.with(id.clone());
                    let point = super::names::resolve(on.section, &at, on.above)?;
                    Input::Deviation(Reference::Point(PointIndex(point)))
                }
            }
        }
        Kind::RateOfChange => Input::Moved {
            window_ms: window_ms()?,
            moves: given.and_then(|given| given.moves).unwrap_or(Moves::Either),
        },
        Kind::Frozen => Input::Stands {
            band: given.and_then(|given| given.band).unwrap_or(0.0),
        },
        Kind::Stel | Kind::Twa => Input::Exposure {
            window_ms: window_ms()?,
        },
        Kind::HighHigh
        | Kind::High
        | Kind::Low
        | Kind::LowLow
        | Kind::On
        | Kind::Bad
        | Kind::Stale => Input::Value,
    })
}

/// The set-point: the site's own, or the preset's. Warns where the site's is laxer; refuses a limit that has none.
fn set_point(
    on: &On<'_, '_, '_>,
    kind: Kind,
    given: Option<&Given>,
    level: Option<&Level>,
) -> Option<f64> {
    let armed = on.armed.as_ref();
    let figure = level.and_then(|level| preset::figure(level, armed?.substance));
    let own = given.and_then(|given| given.set_point.as_ref());
    match (own, figure, level) {
        (Some(own), Some(figure), Some(level)) => {
            let laxer = match kind {
                Kind::HighHigh | Kind::High => own.value > figure,
                Kind::Low | Kind::LowLow => own.value < figure,
                Kind::On
                | Kind::Deviation
                | Kind::RateOfChange
                | Kind::Frozen
                | Kind::Stel
                | Kind::Twa
                | Kind::Bad
                | Kind::Stale => false,
            };
            if laxer {
                let args: Args = vec![
                    ("value", own.value.into()),
                    ("preset", figure.into()),
                    ("source", level.source.as_str().into()),
                ];
                on.section.at(own, Code::Laxer, args);
            }
        }
        // A substance that is missing or lacks the figure is a problem already.
        (None, None, Some(level)) if level.oel_level.is_none() => {
            let args: Args = vec![
                ("name", kind.name().into()),
                ("id", on.point.id.into()),
                ("source", level.source.as_str().into()),
            ];
            on.blame(given.map(|given| &given.here), Code::PresetLimit, args);
        }
        (None, None, None) => {
            let here = given.map(|given| &given.here);
            let args = vec![("name", "set_point".into()), ("type", Word::Number.into())];
            on.blame(here, Code::MissingKey, args);
        }
        _ => {}
    }
    own.map(|own| own.value).or(figure)
}

fn definition(
    on: &On<'_, '_, '_>,
    kind: Kind,
    given: Option<&Given>,
    condition: Condition,
) -> Definition {
    let point = on.point.kind;
    let gas_level_2 = defaults::gas_level_2(point, kind);
    let priority = given
        .and_then(|given| given.priority)
        .unwrap_or(defaults::priority(point, kind));
    let on_delay = given.and_then(|given| given.on_delay.as_ref());
    Definition {
        condition,
        priority,
        on_delay_ms: on_delay.map_or(defaults::on_delay_ms(point, kind, priority), |at| at.value),
        off_delay_ms: given
            .and_then(|given| given.off_delay_ms)
            .unwrap_or(defaults::off_delay_ms(point, kind)),
        latching: given
            .and_then(|given| given.latching)
            .unwrap_or(gas_level_2),
        gas_level_2,
        re_alarm_ms: given.and_then(|given| given.re_alarm_ms),
        shelve_max_minutes: given
            .and_then(|given| given.shelve_max_minutes)
            .unwrap_or(defaults::SHELVE_MAX_MINUTES),
        remote_reset: given
            .and_then(|given| given.remote_reset.as_ref())
            .is_some_and(|at| at.value),
    }
}
