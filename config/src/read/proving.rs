//! How often points and outputs are proved: as the site file says, a device's for all its points, else as is usual for their kind. Only a file that
//! says something of it arms `<id>.PROOF`.

use super::UNSET;
use super::alarm::Alarms;
use super::derived::Derived;
use super::limits::priority;
use super::names::Names;
use super::output::Read as OutputRead;
use crate::section::Section;
use crate::site::{
    AlarmIndex, Every, OutputIndex, Point, PointIndex, PointKind, Proving, Subject, Text,
};
use davy_alarm::{Condition, Priority};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Longest interval, days: ten years.
const LONGEST: i64 = 3650;

static PRACTICE: LazyLock<HashMap<String, Practice>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/proving.toml"))
        .expect("data/proving.toml is part of the program and a test reads it")
});

/// What is usual for one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Practice {
    proof_every_days: u32,
    calibrate_every_days: Option<u32>,
    tolerance_percent: f64,
    #[serde(deserialize_with = "shared")]
    source: Arc<Text>,
    #[expect(dead_code, reason = "for whoever reads the data")]
    confidence: crate::preset::Confidence,
}

/// Every point of a kind has it.
fn shared<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Arc<Text>, D::Error> {
    Ok(Arc::new(Said::deserialize(from)?.into()))
}

/// In both languages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    zh: String,
    en: String,
}

impl From<Said> for Text {
    fn from(said: Said) -> Self {
        Self {
            zh: said.zh,
            en: said.en,
        }
    }
}

/// What a part of the file says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Intervals {
    proof_days: Option<u32>,
    calibration_days: Option<u32>,
}

impl Intervals {
    /// Both, of a point or of what many points share.
    pub(super) fn read(section: &Section<'_, '_>) -> Self {
        let calibration = section.whole("calibrate_every_days", 1..=LONGEST);
        Self {
            calibration_days: calibration.map(|at| at.value as u32),
            ..Self::of_proof(section)
        }
    }

    /// What is on or off has nothing to calibrate.
    fn of_proof(section: &Section<'_, '_>) -> Self {
        let proof = section.whole("proof_every_days", 1..=LONGEST);
        Self {
            proof_days: proof.map(|at| at.value as u32),
            calibration_days: None,
        }
    }

    /// What is not said here is as there.
    fn or(self, there: Self) -> Self {
        Self {
            proof_days: self.proof_days.or(there.proof_days),
            calibration_days: self.calibration_days.or(there.calibration_days),
        }
    }

    const fn says_something(self) -> bool {
        self.proof_days.is_some() || self.calibration_days.is_some()
    }
}

/// `[proving]`: intervals of the whole site, and that every point and output is alarmed by them.
#[derive(Debug, Default)]
pub(super) struct OfSite {
    intervals: Intervals,
    armed: bool,
    priority: Option<Priority>,
}

impl OfSite {
    pub(super) fn read(section: Section<'_, '_>) -> Self {
        let read = Self {
            intervals: Intervals::read(&section),
            armed: section.flag("alarm").is_none_or(|at| at.value),
            priority: priority(&section),
        };
        section.finish();
        read
    }
}

/// A point's, whose device says what the point does not.
pub(super) fn of_point(
    section: &Section<'_, '_>,
    names: &Names,
    device: Option<usize>,
    kind: Option<PointKind>,
    range: Option<(f64, f64)>,
) -> Proving {
    let discrete = kind == Some(PointKind::Discrete);
    let own = match discrete {
        true => Intervals::of_proof(section),
        false => Intervals::read(section),
    };
    let shared = device.and_then(|device| names.intervals.get(device));
    let said = own.or(shared.copied().unwrap_or_default());
    let kind = kind.map_or(PointKind::Other.name(), PointKind::name);
    let mut proving = settled(&names.proving, said, kind);
    proving.tolerance *= range.map_or(0.0, |(low, high)| high - low) / 100.0;
    if discrete {
        proving.calibration = None;
    }
    proving
}

/// An output's.
pub(super) fn of_output(section: &Section<'_, '_>, names: &Names) -> Proving {
    settled(&names.proving, Intervals::of_proof(section), "output")
}

/// As said, else as for the whole site, else as is usual. The tolerance is in percent; an alarm that is to be has no position yet.
fn settled(site: &OfSite, said: Intervals, kind: &str) -> Proving {
    let usual = &PRACTICE[kind];
    let every = |own: Option<u32>, practice: Option<u32>| {
        let own = own.map(|days| Every {
            days,
            practice: None,
        });
        own.or(practice.map(|days| Every {
            days,
            practice: Some(usual.source.clone()),
        }))
    };
    let own = said.or(site.intervals);
    Proving {
        proof: every(own.proof_days, Some(usual.proof_every_days)),
        calibration: every(own.calibration_days, usual.calibrate_every_days),
        tolerance: usual.tolerance_percent,
        alarm: (site.armed || said.says_something()).then_some(UNSET),
    }
}

/// Adds the alarms that the file arms, behind all others: what stood before keeps its position.
pub(super) fn arm(
    names: &Names,
    points: &mut [Point],
    outputs: &mut [OutputRead],
    alarms: &mut Alarms,
) {
    let priority = names.proving.priority.unwrap_or(Priority::P4);
    let mut add = |proving: &mut Proving, id: &str, subject: Subject| {
        if proving.alarm.is_none() {
            return;
        }
        let derived = Derived {
            condition: Condition::Unproved,
            priority,
            on_delay_ms: 0,
            latching: false,
            gas_level_2: false,
            fault: true,
        };
        proving.alarm = Some(AlarmIndex(alarms.list.len()));
        alarms.push(derived.alarm(id, subject, None));
    };
    for (position, point) in points.iter_mut().enumerate() {
        let subject = Subject::Point(PointIndex(position));
        add(&mut point.proving, &point.id, subject);
    }
    for (position, read) in outputs.iter_mut().enumerate() {
        let subject = Subject::Output(OutputIndex(position));
        add(&mut read.output.proving, &read.output.id, subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_usual_practice_with_a_source() {
        for kind in PointKind::ALL
            .map(PointKind::name)
            .into_iter()
            .chain(["output"])
        {
            let practice = &PRACTICE[kind];
            assert!(
                !practice.source.zh.is_empty() && !practice.source.en.is_empty(),
                "{kind}"
            );
            assert!(practice.proof_every_days > 0, "{kind}");
        }
    }
}
