//! A profile as a scan sees it: what its device must answer to, so that an unknown unit can be told by its registers.

use super::{Choice, embedded, parse};
use crate::site::{Register, StatusRule};

/// What can be read of a profile's device.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
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

/// The shape of an embedded profile with its own base and order; `None` if there is none of this name.
pub fn shape(name: &str) -> Option<Shape> {
    let (profile, _) = parse(name, embedded(name)?, &Choice::default()).ok()?;
    let signals = profile.signals.into_iter().map(|signal| SignalShape {
        id: signal.id,
        register: signal.register,
        status: signal.status,
        writable: signal.write.is_some(),
    });
    Some(Shape {
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
        }
        assert_eq!(shape("no-such-profile"), None);
    }
}
