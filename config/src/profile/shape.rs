//! A profile as a scan sees it: what its device must answer to, so that an unknown unit can be told by its registers.

use super::{Choice, embedded, parse};
use crate::preset::Names;
use crate::site::{Register, StatusRule};

/// What can be read of a profile's device.
#[derive(Clone, Debug)]
pub struct Shape {
    /// As people call the device.
    pub name: Names,
    /// Where its map was read.
    pub source: String,
    pub signals: Vec<SignalShape>,
}

/// One signal of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalShape {
    /// As a point names it.
    pub id: String,
    pub register: Register,
    /// What takes the value away, the first that holds.
    pub status: Vec<StatusRule>,
    /// It can be an output.
    pub writable: bool,
}

/// What a profile says of itself.
#[derive(serde::Deserialize)]
struct Called {
    name: Names,
    source: String,
}

/// The shape of an embedded profile with its own base and order; `None` if there is none of this name.
pub fn shape(name: &str) -> Option<Shape> {
    let text = embedded(name)?;
    let (profile, _) = parse(name, text, &Choice::default()).ok()?;
    let called: Called = toml::from_str(text).ok()?;
    let signals = profile.signals.into_iter().map(|signal| SignalShape {
        id: signal.id,
        register: signal.register,
        status: signal.status,
        writable: signal.write.is_some(),
    });
    Some(Shape {
        name: called.name,
        source: called.source,
        signals: signals.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_has_a_shape_and_an_unknown_one_none() {
        for name in super::super::names() {
            let shape = shape(name).unwrap_or_else(|| panic!("{name}"));
            assert!(!shape.signals.is_empty(), "{name}");
            assert!(!shape.name.zh.is_empty() && !shape.source.is_empty());
        }
        assert!(shape("no-such-profile").is_none());
    }
}
