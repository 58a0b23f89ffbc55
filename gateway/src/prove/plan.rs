//! What a proof of a point expects, step by step, from the site alone.

use davy_alarm::{Alarm, Condition, Instant, Reading, WallMs};
use davy_config::site::{AlarmIndex, Point, PointKind, Scaling, Site};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Oxygen in clean air, % by volume.
const AIR_OXYGEN: f64 = 20.9;
/// How far the answer to a bump test may be from the gas on its bottle, share of the span: it shows that gas reaches the sensor, not how well it counts.
const BUMP_SHARE: f64 = 0.2;

/// How something is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A signal is put into the loop: zero, every limit, span, back.
    Loop,
    /// Gas is put on the sensor: clean, gas, clean.
    Bump,
    /// Zero and span, as found and as left.
    Calibration,
    /// An output does its work and ends it.
    Output,
    /// It was not proved, and somebody says why.
    None,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::Bump => "bump",
            Self::Calibration => "calibration",
            Self::Output => "output",
            Self::None => "none",
        }
    }

    /// Whether passing it answers for the alarms and outputs, as against the measuring alone.
    pub const fn proves(self) -> bool {
        match self {
            Self::Loop | Self::Bump | Self::Output => true,
            Self::Calibration | Self::None => false,
        }
    }
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    Zero,
    /// A limit's alarm must come.
    Limit,
    Span,
    /// Clean air, before and after.
    Clean,
    Gas,
    /// Back where it was: what came must go.
    Return,
    /// A switch stands in its ordinary state, or in its alarm's.
    Rest,
    Alarm,
}

/// Which values a limit's alarm is on for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    High,
    Low,
    /// A switch's.
    State,
}

/// A limit, and what its alarm must do at a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    pub alarm: String,
    #[serde(skip)]
    pub index: AlarmIndex,
    pub side: Side,
    pub set_point: f64,
    #[serde(skip)]
    definition: davy_alarm::Definition,
}

impl Bound {
    /// Whether its alarm must be on or off at a value; `None` inside the deadband, where either is right.
    pub fn must(&self, value: f64) -> Option<bool> {
        // The alarm itself is asked, without its delays, from both states: so this cannot differ from judgement.
        let at_once = davy_alarm::Definition {
            on_delay_ms: 0,
            off_delay_ms: 0,
            ..self.definition
        };
        let mut alarm = Alarm::new(at_once, Instant(0));
        let reading = Reading::measured(value, WallMs(0));
        alarm.observe(&reading, Instant(0));
        if alarm.is_active() {
            return Some(true);
        }
        let mut alarm = Alarm::new(at_once, Instant(0));
        alarm.observe(&Reading::measured(self.beyond(), WallMs(0)), Instant(0));
        alarm.observe(&reading, Instant(1));
        (!alarm.is_active()).then_some(false)
    }

    /// A value that its alarm is on for without doubt.
    fn beyond(&self) -> f64 {
        match self.side {
            Side::High => f64::MAX,
            Side::Low => f64::MIN,
            Side::State => self.set_point,
        }
    }
}

/// One step: what to apply, and what must be seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    pub kind: StepKind,
    /// Of a limit's step: its alarm.
    pub alarm: Option<String>,
    /// In the engineering unit.
    pub expected: f64,
    /// The same as a loop current, where the point has one.
    pub expected_ma: Option<f64>,
    pub tolerance: f64,
}

/// A proof as it is to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub kind: Kind,
    pub steps: Vec<Step>,
    /// Limits whose alarms must do as the value says; none of a calibration, which is of the measuring.
    pub bounds: Vec<Bound>,
}

impl Plan {
    /// The plan of a point; `None` if it cannot be proved so: a bump test is for gas, a calibration for what is measured.
    pub fn of(site: &Site, point: &Point, kind: Kind) -> Option<Self> {
        let discrete = point.kind == PointKind::Discrete;
        let bounds = bounds(site, point);
        let steps = match kind {
            Kind::Loop if discrete => states(&bounds),
            Kind::Loop => injected(point, &bounds),
            Kind::Bump if point.kind.is_gas() => gassed(point, &bounds),
            Kind::Calibration if !discrete => measured(point),
            Kind::Bump | Kind::Calibration | Kind::Output | Kind::None => return None,
        };
        let bounds = match kind {
            Kind::Calibration => Vec::new(),
            Kind::Loop | Kind::Bump | Kind::Output | Kind::None => bounds,
        };
        Some(Self {
            kind,
            steps,
            bounds,
        })
    }

    /// Every way in which a point can be proved.
    pub fn kinds(point: &Point) -> Vec<Kind> {
        match (point.kind == PointKind::Discrete, point.kind.is_gas()) {
            (true, _) => vec![Kind::Loop],
            (false, true) => vec![Kind::Loop, Kind::Bump, Kind::Calibration],
            (false, false) => vec![Kind::Loop, Kind::Calibration],
        }
    }
}

/// What a point's proof stands on: where it is read, how it is scaled, what its limits are. A proof given under another basis proves nothing of this one.
pub(super) fn basis(site: &Site, point: &Point) -> String {
    let device = &site.devices[point.device.0];
    let bus = &site.buses[device.bus.0];
    let mut hash = Sha256::new();
    hash.update(format!(
        "{:?} {} {:?} {:?} {} {:?} {:?}",
        bus.link, device.unit, point.register, point.scaling, point.unit, point.range, point.kind
    ));
    for bound in bounds(site, point) {
        hash.update(format!("{} {:?}", bound.alarm, bound.definition));
    }
    short(hash)
}

/// The same of an output.
pub(super) fn basis_of_output(site: &Site, output: &davy_config::site::Output) -> String {
    let device = &site.devices[output.device.0];
    let bus = &site.buses[device.bus.0];
    let mut hash = Sha256::new();
    hash.update(format!(
        "{:?} {} {:?} {} {} {:?}",
        bus.link, device.unit, output.register, output.on, output.off, output.feedback
    ));
    short(hash)
}

fn short(hash: Sha256) -> String {
    let bytes = hash.finalize();
    bytes[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn bounds(site: &Site, point: &Point) -> Vec<Bound> {
    let bound = |index: &AlarmIndex| {
        let alarm = &site.alarms[index.0];
        let (side, set_point) = match alarm.definition.condition {
            Condition::HiHi { set_point, .. } | Condition::Hi { set_point, .. } => {
                (Side::High, set_point)
            }
            Condition::Lo { set_point, .. } | Condition::LoLo { set_point, .. } => {
                (Side::Low, set_point)
            }
            Condition::Discrete { when } => (Side::State, f64::from(u8::from(when))),
            // Not to be shown by a value that stands still.
            Condition::Deviation { .. }
            | Condition::RateOfChange { .. }
            | Condition::Frozen
            | Condition::Stel { .. }
            | Condition::Twa { .. }
            | Condition::Bad
            | Condition::Stale { .. }
            | Condition::CommsLost
            | Condition::Vote
            | Condition::Degraded
            | Condition::Unmonitored
            | Condition::Discrepancy
            | Condition::OutputFailed
            | Condition::Manual
            | Condition::Unproved => return None,
        };
        Some(Bound {
            alarm: alarm.id.clone(),
            index: *index,
            side,
            set_point,
            definition: alarm.definition,
        })
    };
    let mut bounds: Vec<Bound> = point.alarms.iter().filter_map(bound).collect();
    bounds.sort_by(|one, other| one.set_point.total_cmp(&other.set_point));
    bounds
}

fn step(point: &Point, kind: StepKind, expected: f64, tolerance: f64) -> Step {
    let (low, high) = point.range;
    let is_loop = matches!(point.scaling, Scaling::CurrentLoop { .. });
    Step {
        kind,
        alarm: None,
        expected,
        expected_ma: is_loop.then(|| 4.0 + 16.0 * (expected - low) / (high - low)),
        tolerance,
    }
}

/// Zero, every limit from below, span, and back to where nothing is wrong.
fn injected(point: &Point, bounds: &[Bound]) -> Vec<Step> {
    let tolerance = point.proving.tolerance;
    let (low, high) = point.range;
    let mut steps = vec![step(point, StepKind::Zero, low, tolerance)];
    steps.extend(bounds.iter().map(|bound| Step {
        alarm: Some(bound.alarm.clone()),
        ..step(point, StepKind::Limit, tripping(point, bound), tolerance)
    }));
    steps.push(step(point, StepKind::Span, high, tolerance));
    steps.push(step(
        point,
        StepKind::Return,
        quiet(point, bounds),
        tolerance,
    ));
    steps
}

/// A value that trips a limit although it is read as far off as it may be.
fn tripping(point: &Point, bound: &Bound) -> f64 {
    let (low, high) = point.range;
    match bound.side {
        Side::High => (bound.set_point + point.proving.tolerance).min(high),
        Side::Low => (bound.set_point - point.proving.tolerance).max(low),
        Side::State => bound.set_point,
    }
}

/// Where no limit is reached: clean air for gas, half-way between the innermost limits for all else.
fn quiet(point: &Point, bounds: &[Bound]) -> f64 {
    match point.kind {
        PointKind::Oxygen => return AIR_OXYGEN.clamp(point.range.0, point.range.1),
        PointKind::CombustibleGas | PointKind::ToxicGas => return point.range.0,
        PointKind::Level
        | PointKind::Pressure
        | PointKind::Temperature
        | PointKind::Flow
        | PointKind::DifferentialPressure
        | PointKind::Composition
        | PointKind::Discrete
        | PointKind::Other => {}
    }
    let of = |side: Side| bounds.iter().filter(move |bound| bound.side == side);
    let lowest_high = of(Side::High).map(|bound| bound.set_point);
    let highest_low = of(Side::Low).map(|bound| bound.set_point);
    let top = lowest_high.fold(point.range.1, f64::min);
    let bottom = highest_low.fold(point.range.0, f64::max);
    (top + bottom) / 2.0
}

/// Clean air, gas beyond every limit, clean air.
fn gassed(point: &Point, bounds: &[Bound]) -> Vec<Step> {
    let (low, high) = point.range;
    let rough = (high - low) * BUMP_SHARE;
    let clean = quiet(point, bounds);
    let mut of_gas = bounds.iter().filter(|bound| match point.kind {
        // Oxygen is displaced by the gas of the bottle.
        PointKind::Oxygen => bound.side == Side::Low,
        _ => bound.side == Side::High,
    });
    let furthest = match point.kind {
        PointKind::Oxygen => of_gas.next(),
        _ => of_gas.next_back(),
    };
    let gas = furthest.map_or((low + high) / 2.0, |bound| tripping(point, bound));
    vec![
        step(point, StepKind::Clean, clean, point.proving.tolerance),
        step(point, StepKind::Gas, gas, rough),
        step(point, StepKind::Return, clean, point.proving.tolerance),
    ]
}

fn measured(point: &Point) -> Vec<Step> {
    let (low, high) = point.range;
    let tolerance = point.proving.tolerance;
    // Bottles of half the range are what is sold.
    let span = match point.kind.is_gas() {
        true => (low + high) / 2.0,
        false => high,
    };
    let zero = match point.kind {
        PointKind::Oxygen => AIR_OXYGEN.clamp(low, high),
        _ => low,
    };
    vec![
        step(point, StepKind::Zero, zero, tolerance),
        step(point, StepKind::Span, span, tolerance),
    ]
}

/// Both states of a switch, and back.
fn states(bounds: &[Bound]) -> Vec<Step> {
    let alarmed = bounds.first().map_or(1.0, |bound| bound.set_point);
    let rest = 1.0 - alarmed;
    let state = |kind, expected, alarm: Option<String>| Step {
        kind,
        alarm,
        expected,
        expected_ma: None,
        tolerance: 0.0,
    };
    let alarm = bounds.first().map(|bound| bound.alarm.clone());
    vec![
        state(StepKind::Rest, rest, None),
        state(StepKind::Alarm, alarmed, alarm),
        state(StepKind::Return, rest, None),
    ]
}
