//! Points: what is measured, where it lies, and how its raw number becomes a value.

use super::{Names, alarm, id, name, resolve, text, unique};
use crate::problem::Code;
use crate::profile::{self, Context, Signal};
use crate::section::{At, Section, nearest};
use crate::site::{
    self, BandMeaning, Device, DeviceIndex, Encoding, Point, PointIndex, PointKind, Register,
    Scaling, StatusRule,
};

const KINDS: &[(&str, PointKind)] = &[
    ("combustible-gas", PointKind::CombustibleGas),
    ("toxic-gas", PointKind::ToxicGas),
    ("oxygen", PointKind::Oxygen),
    ("level", PointKind::Level),
    ("pressure", PointKind::Pressure),
    ("temperature", PointKind::Temperature),
    ("flow", PointKind::Flow),
    ("differential-pressure", PointKind::DifferentialPressure),
    ("composition", PointKind::Composition),
    ("discrete", PointKind::Discrete),
    ("other", PointKind::Other),
];

/// Share of the span that a reading must move by to be journalled, unless the file says otherwise.
const EXCEPTION_SHARE: f64 = 0.002;

pub(super) fn points(
    root: &Section<'_, '_>,
    names: &Names,
    devices: &[Device],
    alarms: &mut Vec<site::Alarm>,
) -> Vec<Point> {
    unique(root, "point");
    let mut points: Vec<Point> = Vec::new();
    for section in root.sections("point") {
        if let Some(mut point) = point(&section, names, devices) {
            conflict(&section, &points, &point);
            point.alarms = alarm::of_point(
                &section,
                names,
                &point,
                PointIndex(points.len()),
                devices[point.device.0].period_ms,
                alarms,
            );
            points.push(point);
        } else {
            // Asked for, so that they are not reported as unknown on top of what is wrong.
            for key in ["alarms", "preset", "substance", "stale_s"] {
                section.ignore(key);
            }
        }
        section.finish();
    }
    points
}

fn point(section: &Section<'_, '_>, names: &Names, devices: &[Device]) -> Option<Point> {
    let id = id(section);
    let name = name(section);
    let area = section
        .need_text("area")
        .and_then(|at| resolve(section, &at, &names.areas));
    let device = section
        .need_text("device")
        .and_then(|at| resolve(section, &at, &names.devices));
    let kind = section.need_one_of("kind", KINDS).map(|at| at.value);
    let discrete = kind == Some(PointKind::Discrete);
    let unit = if discrete {
        section.text("unit")
    } else {
        section.need_text("unit")
    };
    let range = range(section, discrete);
    let decimals = section
        .whole("decimals", 0..=6)
        .map_or(if discrete { 0 } else { 1 }, |at| at.value as u8);
    let source = device.and_then(|device| source(section, names, device));
    let bands = section.text("bands");
    let scaling = source
        .as_ref()
        .and_then(|source| scaling(section, source, bands));
    let (over, under) = (
        section.number("over_range_at"),
        section.number("under_range_at"),
    );
    let exception = section.number("exception").map(|at| at.value.max(0.0));
    let heartbeat_ms = section
        .whole("heartbeat_s", 1..=86_400)
        .map_or(60_000, |at| at.value as u32 * 1000);
    let states = states(section);
    let (source, range) = (source?, range?);
    debug_assert!(devices.get(device?).is_some());
    Some(Point {
        id: id?,
        name: name?,
        area: area?,
        device: DeviceIndex(device?),
        kind: kind?,
        unit: unit.map(|at| at.value).unwrap_or_default(),
        range,
        decimals,
        register: source.register,
        scaling: scaling?,
        status: source.status,
        over_range_at: over.map(|at| at.value),
        under_range_at: under.map(|at| at.value),
        exception: exception.unwrap_or(if discrete {
            0.0
        } else {
            (range.1 - range.0) * EXCEPTION_SHARE
        }),
        heartbeat_ms,
        alarms: Vec::new(),
        states,
    })
}

fn range(section: &Section<'_, '_>, discrete: bool) -> Option<(f64, f64)> {
    if discrete {
        section.ignore("range");
        return Some((0.0, 1.0));
    }
    if !section.has("range") {
        section.missing("range", "[low, high]");
    }
    let range = section.pair("range")?;
    if range.value.0 < range.value.1 {
        return Some(range.value);
    }
    section.at(
        &range,
        Code::Range,
        vec![
            ("low", range.value.0.to_string()),
            ("high", range.value.1.to_string()),
        ],
    );
    None
}

/// Where the raw number comes from: a signal of the device's profile, or a register that the point names.
struct Source {
    register: Register,
    scale: f64,
    offset: f64,
    bands: Option<String>,
    status: Vec<StatusRule>,
}

fn source(section: &Section<'_, '_>, names: &Names, device: usize) -> Option<Source> {
    let (signal, own) = (section.text("signal"), section.section("register"));
    if let Some(own) = own {
        let register = profile::read_register(
            &own,
            &Context {
                base: 0,
                order: None,
            },
        );
        let (scale, offset) = (own.number("scale"), own.number("offset"));
        let bands = own.text("current_ma").map(|at| at.value);
        own.finish();
        let value = |at: Option<At<f64>>, default| at.map_or(default, |at| at.value);
        return Some(Source {
            register: register?,
            scale: value(scale, 1.0),
            offset: value(offset, 0.0),
            bands,
            status: Vec::new(),
        });
    }
    let Some(signal) = signal else {
        section.missing("signal", "string");
        return None;
    };
    let found = find_signal(section, names, device, &signal)?;
    Some(Source {
        register: found.register,
        scale: found.scale,
        offset: found.offset,
        bands: found.bands.clone(),
        status: found.status.clone(),
    })
}

/// A signal of a device's profile, or a problem with the nearest name. A profile that could not be read has its own problem already.
pub(super) fn find_signal<'p>(
    section: &Section<'_, '_>,
    names: &'p Names,
    device: usize,
    at: &At<String>,
) -> Option<&'p Signal> {
    let signals = names
        .profiles
        .get(device)?
        .as_ref()
        .map_or(&[][..], |profile| &profile.signals);
    let found = signals.iter().find(|signal| signal.id == at.value);
    if found.is_none() {
        let ids = signals.iter().map(|signal| signal.id.as_str());
        let near = nearest(&at.value, ids.clone())
            .unwrap_or_else(|| ids.take(12).collect::<Vec<_>>().join(", "));
        section.at(
            at,
            Code::UnknownReference,
            vec![("value", at.value.clone()), ("near", near)],
        );
    }
    found
}

fn scaling(
    section: &Section<'_, '_>,
    source: &Source,
    bands: Option<At<String>>,
) -> Option<Scaling> {
    let scale = section
        .number("scale")
        .map_or(source.scale, |at| at.value * source.scale);
    let offset = section
        .number("offset")
        .map_or(source.offset, |at| at.value + source.offset);
    let Some(default) = &source.bands else {
        return Some(Scaling::Linear { scale, offset });
    };
    let named = bands.as_ref().map_or(default, |at| &at.value);
    match profile::bands(named) {
        Ok(bands) => Some(Scaling::CurrentLoop {
            scale: source.scale,
            offset: source.offset,
            bands,
        }),
        Err(near) => {
            let args = vec![("value", named.clone()), ("near", near)];
            match &bands {
                Some(at) => section.at(at, Code::UnknownName, args),
                None => section.problem(Code::UnknownName, args),
            }
            None
        }
    }
}

fn states(section: &Section<'_, '_>) -> Option<(site::Text, site::Text)> {
    let mut states = section.sections("states").into_iter().map(text);
    Some((states.next()??, states.next()??))
}

/// Two points on one register that read it differently: one of them is likely wrong.
fn conflict(section: &Section<'_, '_>, points: &[Point], point: &Point) {
    let place = |register: &Register| (register.table, register.address);
    let whole =
        |encoding: Encoding| !matches!(encoding, Encoding::Bit { .. } | Encoding::BitField { .. });
    let other = points.iter().find(|other| {
        other.device == point.device
            && place(&other.register) == place(&point.register)
            && whole(other.register.encoding)
            && whole(point.register.encoding)
            && (other.register.encoding != point.register.encoding
                || different_bands(&other.scaling, &point.scaling))
    });
    if let Some(other) = other {
        section.problem(Code::Conflict, vec![("first", other.id.clone())]);
    }
}

fn different_bands(one: &Scaling, other: &Scaling) -> bool {
    let meanings = |scaling: &Scaling| match scaling {
        Scaling::Linear { .. } => Vec::new(),
        Scaling::CurrentLoop { bands, .. } => bands
            .iter()
            .map(|band| band.meaning)
            .collect::<Vec<BandMeaning>>(),
    };
    meanings(one) != meanings(other)
}
