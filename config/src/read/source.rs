//! Where a point's raw number comes from, and how it becomes a value.

use super::names::{Names, Profiled};
use crate::problem::{Code, Word};
use crate::profile::{self, Context, Signal};
use crate::section::{At, Section};
use crate::site::{Register, Scaling, StatusRule};

/// A signal of the device's profile, or a register that the point names.
pub(super) struct Source {
    pub(super) register: Register,
    scale: f64,
    offset: f64,
    bands: Option<String>,
    pub(super) status: Vec<StatusRule>,
}

/// Reads `signal` or `register`; `device` is `None` where the device has problems of its own.
pub(super) fn read(
    section: &Section<'_, '_>,
    names: &Names,
    device: Option<usize>,
) -> Option<Source> {
    let signal = section.text("signal");
    match (section.section("register"), signal) {
        (Some(own), signal) => {
            if let Some(signal) = signal {
                section.exclusive("register", &signal);
            }
            own_register(own)
        }
        (None, Some(signal)) => of_signal(find(section, names, device?, &signal)?),
        (None, None) => {
            if !section.has("signal") && !section.has("register") {
                section.missing("signal", Word::Text);
            }
            None
        }
    }
}

fn own_register(own: Section<'_, '_>) -> Option<Source> {
    let register = profile::read_register(&own, &Context::OWN);
    own.offers("current_ma", profile::band_names());
    let current = own.text("current_ma").filter(|at| known_bands(&own, at));
    let (scale, offset) = (own.number("scale"), own.number("offset"));
    own.finish();
    let value = |at: Option<At<f64>>, default| at.map_or(default, |at| at.value);
    Some(Source {
        register: register?,
        scale: value(scale, 1.0),
        offset: value(offset, 0.0),
        bands: current.map(|at| at.value),
        status: Vec::new(),
    })
}

fn of_signal(signal: &Signal) -> Option<Source> {
    Some(Source {
        register: signal.register,
        scale: signal.scale,
        offset: signal.offset,
        bands: signal.bands.clone(),
        status: signal.status.clone(),
    })
}

/// A signal of a device's profile, or a problem with the nearest name. A profile that could not be read has its own problem already.
pub(super) fn find<'p>(
    section: &Section<'_, '_>,
    names: &'p Names,
    device: usize,
    at: &At<String>,
) -> Option<&'p Signal> {
    let signals = match names.profiles.get(device)? {
        Profiled::Known(profile) => profile.signals.as_slice(),
        Profiled::Broken => return None,
        Profiled::Without => &[],
    };
    let found = signals.iter().find(|signal| signal.id == at.value);
    if found.is_none() {
        let known = signals.iter().map(|signal| signal.id.as_str());
        section.unknown(at, Code::UnknownReference, known);
    }
    found
}

/// The source's scaling, and the point's `scale`, `offset` and `bands` upon it.
pub(super) fn scaling(section: &Section<'_, '_>, source: Option<&Source>) -> Option<Scaling> {
    section.offers("bands", profile::band_names());
    let bands = section.text("bands").filter(|at| known_bands(section, at));
    let (scale, offset) = (section.number("scale"), section.number("offset"));
    for at in scale.iter().filter(|at| at.value == 0.0) {
        section.at(at, Code::LoopScaling, vec![("how", "zero".into())]);
    }
    let source = source?;
    let Some(default) = &source.bands else {
        if let Some(bands) = &bands {
            section.at(bands, Code::LoopScaling, vec![("how", "bands".into())]);
        }
        let (scale, offset) = (
            scale.map_or(1.0, |at| at.value),
            offset.map_or(0.0, |at| at.value),
        );
        return Some(Scaling::Linear {
            scale: source.scale * scale,
            offset: source.offset * scale + offset,
        });
    };
    for at in [&scale, &offset].into_iter().flatten() {
        section.at(at, Code::LoopScaling, vec![("how", "loop".into())]);
    }
    let named = bands.as_ref().map_or(default, |at| &at.value);
    Some(Scaling::CurrentLoop {
        scale: source.scale,
        offset: source.offset,
        bands: profile::bands(named)?,
    })
}

fn known_bands(section: &Section<'_, '_>, at: &At<String>) -> bool {
    let known = profile::bands(&at.value).is_some();
    if !known {
        section.unknown(at, Code::UnknownName, profile::band_names());
    }
    known
}
