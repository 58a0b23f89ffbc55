//! Points: what is measured, where it lies, and how it is shown and kept.

use super::alarm::{self, Alarms, Basis};
use super::device::Read as DeviceRead;
use super::names::{Index, Names, id, list, name, reference, text};
use super::{arming, defaults, proving, source};
use crate::problem::{Code, Word};
use crate::section::{At, Section};
use crate::site::{
    BandMeaning, DeviceIndex, Encoding, Point, PointIndex, PointKind, Scaling, Table, Text,
};
use std::collections::HashMap;

pub(super) fn points(
    root: &Section<'_, '_>,
    names: &mut Names,
    devices: &[DeviceRead],
    alarms: &mut Alarms,
) -> Vec<Point> {
    let mut decoded = Decoded::default();
    let mut index = 0;
    let mut above = Index::new();
    let (points, ids) = list(root, "point", |section| {
        let mut point = match point(section, names) {
            Ok(point) => point,
            Err(broken) => {
                broken.judge(section, names, devices, &above);
                // A point below may name it without that being wrong too.
                if let Some(id) = section.text("id") {
                    above.entry(id.value).or_insert(None);
                }
                return None;
            }
        };
        decoded.check(section, &point);
        point.alarms = alarm::of_point(
            section,
            names,
            basis(&point, devices),
            PointIndex(index),
            &above,
            alarms,
        );
        above.insert(point.id.clone(), Some(index));
        index += 1;
        Some(point)
    });
    names.points = ids;
    points
}

fn basis<'p>(point: &'p Point, devices: &[DeviceRead]) -> Basis<'p> {
    Basis {
        id: &point.id,
        kind: point.kind,
        unit: &point.unit,
        range: point.range,
        period_ms: devices[point.device.0].device.period_ms,
    }
}

/// What a point measures; each part by itself, since the alarms of a point that is wrong elsewhere hang on these alone.
struct Measure {
    kind: Option<PointKind>,
    unit: Option<String>,
    range: Option<(f64, f64)>,
    decimals: u8,
}

/// What is known of a point that is wrong.
struct Broken {
    id: Option<String>,
    device: Option<usize>,
    measure: Measure,
}

impl Broken {
    /// Finds what is wrong with its alarms too, as far as that can be known: every problem at once.
    fn judge(
        &self,
        section: &Section<'_, '_>,
        names: &Names,
        devices: &[DeviceRead],
        above: &Index,
    ) {
        let period_ms = self
            .device
            .map_or(0, |device| devices[device].device.period_ms);
        let Measure {
            kind: Some(kind),
            unit: Some(unit),
            range: Some(range),
            ..
        } = &self.measure
        else {
            return alarm::keys_alone(section, names, period_ms);
        };
        let here = section.here().key;
        let basis = Basis {
            id: self.id.as_deref().unwrap_or(&here),
            kind: *kind,
            unit,
            range: *range,
            period_ms,
        };
        // Nothing of it is kept: the file is refused.
        let index = PointIndex(usize::MAX);
        alarm::of_point(section, names, basis, index, above, &mut Alarms::default());
    }
}

fn point(section: &Section<'_, '_>, names: &Names) -> Result<Point, Broken> {
    let id = id(section);
    let name = name(section);
    let area = reference(section, "area", &names.areas);
    let device = reference(section, "device", &names.devices);
    let measure = measure(section);
    let source = source::read(section, names, device);
    let scaling = source::scaling(section, source.as_ref());
    let (over, under) = spans(section, measure.range);
    let exception = section.number_in("exception", 0.0..=f64::MAX);
    let heartbeat_ms = section
        .whole("heartbeat_s", 1..=86_400)
        .map_or(60_000, |at| at.value as u32 * 1000);
    let states = states(section);
    let arming = arming::read(section, id.as_deref());
    let proving = proving::of_point(section, names, device, measure.kind, measure.range);
    let whole = || {
        let (range, kind) = (measure.range?, measure.kind?);
        let usual = default_exception(range, kind == PointKind::Discrete);
        let source = source?;
        Some(Point {
            id: id.clone()?,
            name: name?,
            area: area?,
            device: DeviceIndex(device?),
            kind,
            unit: measure.unit.clone()?,
            range,
            decimals: measure.decimals,
            register: source.register,
            scaling: scaling?,
            status: source.status,
            over_range_at: over,
            under_range_at: under,
            exception: exception.map_or(usual, |at| at.value),
            heartbeat_ms,
            alarms: Vec::new(),
            proving,
            states: states.map(Box::new),
            armed: arming.armed,
            unproved: arming.unproved.clone().map(Box::new),
        })
    };
    whole().ok_or(Broken {
        id,
        device,
        measure,
    })
}

fn measure(section: &Section<'_, '_>) -> Measure {
    let kind = section.need_one_of("kind", KINDS).map(|at| at.value);
    let discrete = kind == Some(PointKind::Discrete);
    let unit = match discrete {
        true => Some(String::new()),
        false => section.need_text("unit").map(|at| at.value),
    };
    Measure {
        kind,
        unit,
        range: range(section, kind),
        decimals: decimals(section, discrete),
    }
}

const KINDS: &[(&str, PointKind)] = &{
    let mut kinds = [("", PointKind::Other); PointKind::ALL.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = (PointKind::ALL[at].name(), PointKind::ALL[at]);
        at += 1;
    }
    kinds
};

/// Any change of a discrete point counts.
fn default_exception(range: (f64, f64), discrete: bool) -> f64 {
    if discrete {
        0.0
    } else {
        (range.1 - range.0) * defaults::EXCEPTION_SHARE
    }
}

fn decimals(section: &Section<'_, '_>, discrete: bool) -> u8 {
    if discrete {
        return 0;
    }
    section
        .whole("decimals", 0..=6)
        .map_or(1, |at| at.value as u8)
}

/// The measuring range; a discrete point has none to give.
fn range(section: &Section<'_, '_>, kind: Option<PointKind>) -> Option<(f64, f64)> {
    if kind == Some(PointKind::Discrete) {
        return Some((0.0, 1.0));
    }
    let range = section.pair("range");
    if range.is_none() && !section.has("range") && kind.is_some() {
        section.missing("range", Word::Pair);
    }
    let range = range?;
    let (low, high) = range.value;
    if low < high {
        return Some(range.value);
    }
    section.at(
        &range,
        Code::Range,
        vec![("low", low.into()), ("high", high.into())],
    );
    None
}

/// `over_range_at` and `under_range_at`: outside the measuring range, or good values would be taken for none.
fn spans(section: &Section<'_, '_>, range: Option<(f64, f64)>) -> (Option<f64>, Option<f64>) {
    let over = section.number("over_range_at");
    let under = section.number("under_range_at");
    if let Some((low, high)) = range {
        let inside = |at: &At<f64>, bounds: (f64, f64)| {
            let args = vec![("low", bounds.0.into()), ("high", bounds.1.into())];
            section.at(at, Code::Range, args);
        };
        if let Some(over) = over.as_ref().filter(|over| over.value < high) {
            inside(over, (high, over.value));
        }
        if let Some(under) = under.as_ref().filter(|under| under.value > low) {
            inside(under, (under.value, low));
        }
    }
    (over.map(|at| at.value), under.map(|at| at.value))
}

/// What 0 and 1 are called.
fn states(section: &Section<'_, '_>) -> Option<(Text, Text)> {
    let named = section.sections("states");
    if named.is_empty() {
        return None;
    }
    let mut texts: Vec<Option<Text>> = named.into_iter().map(text).collect();
    if texts.len() != 2 {
        let found = texts.len().to_string();
        let args = vec![("type", Word::StatePair.into()), ("found", found.into())];
        section.problem(Code::WrongType, args);
        return None;
    }
    let one = texts.pop().flatten();
    Some((texts.pop().flatten()?, one?))
}

/// How each register was read before: two points that read one register differently cannot both be right.
#[derive(Default)]
struct Decoded(HashMap<(DeviceIndex, Table, u16), First>);

/// The point that first read a register, and how.
struct First {
    point: String,
    encoding: Encoding,
    meanings: Vec<BandMeaning>,
}

impl Decoded {
    fn check(&mut self, section: &Section<'_, '_>, point: &Point) {
        let register = point.register;
        // Bits of one register mean different things by design.
        if matches!(
            register.encoding,
            Encoding::Bit { .. } | Encoding::BitField { .. }
        ) {
            return;
        }
        let place = (point.device, register.table, register.address);
        let meanings = meanings(&point.scaling);
        let first = self.0.entry(place).or_insert_with(|| First {
            point: point.id.clone(),
            encoding: register.encoding,
            meanings: meanings.clone(),
        });
        if first.encoding != register.encoding || first.meanings != meanings {
            section.problem(Code::Conflict, vec![("first", first.point.as_str().into())]);
        }
    }
}

fn meanings(scaling: &Scaling) -> Vec<BandMeaning> {
    match scaling {
        Scaling::Linear { .. } => Vec::new(),
        Scaling::CurrentLoop { bands, .. } => bands.iter().map(|band| band.meaning).collect(),
    }
}
