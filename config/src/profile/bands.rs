//! Bands of loop current: what a current outside 4–20 mA means, transmitter by transmitter.

use crate::site::{Band, BandMeaning};
use davy_alarm::NoValue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static FILE: LazyLock<BandFile> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/bands.toml"))
        .expect("data/bands.toml is part of the program and a test reads it")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandFile {
    bands: BTreeMap<String, BandSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandSet {
    #[cfg_attr(not(test), expect(dead_code, reason = "kept in the file for people"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "kept in the file for people"))]
    confidence: crate::preset::Confidence,
    band: Vec<BandLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandLine {
    from_ma: f64,
    to_ma: f64,
    means: Meaning,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Meaning {
    Uncertain,
    BrokenLoop,
    SensorFault,
    Calibration,
    WarmUp,
    Inhibit,
    OverRange,
    UnderRange,
}

impl Meaning {
    const fn resolve(self) -> BandMeaning {
        BandMeaning::Absent(match self {
            Self::Uncertain => return BandMeaning::Uncertain,
            Self::BrokenLoop => NoValue::BrokenLoop,
            Self::SensorFault => NoValue::SensorFault,
            Self::Calibration => NoValue::Calibration,
            Self::WarmUp => NoValue::WarmUp,
            Self::Inhibit => NoValue::Inhibit,
            Self::OverRange => NoValue::OverRange,
            Self::UnderRange => NoValue::UnderRange,
        })
    }
}

/// The bands of this name.
pub(crate) fn bands(name: &str) -> Option<Vec<Band>> {
    let band = |line: &BandLine| Band {
        from_ma: line.from_ma,
        to_ma: line.to_ma,
        meaning: line.means.resolve(),
    };
    let set = FILE.bands.get(name)?;
    Some(set.band.iter().map(band).collect())
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILE.bands.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(name: &str, current_ma: f64) -> Option<BandMeaning> {
        let holds = |band: &&Band| current_ma >= band.from_ma && current_ma < band.to_ma;
        bands(name)
            .unwrap()
            .iter()
            .find(holds)
            .map(|band| band.meaning)
    }

    #[test]
    fn bands_rise_leave_the_live_span_free_and_reach_past_every_current() {
        for (name, set) in &FILE.bands {
            assert!(!set.source.is_empty(), "{name}");
            assert_ne!(set.confidence, crate::preset::Confidence::C, "{name}");
            let edges: Vec<(f64, f64)> = set
                .band
                .iter()
                .map(|band| (band.from_ma, band.to_ma))
                .collect();
            assert!(edges.iter().all(|(from, to)| from < to), "{name}");
            assert!(
                edges.windows(2).all(|pair| pair[0].1 <= pair[1].0),
                "{name}"
            );
            assert!(
                edges[0].0 <= -30.0 && edges[edges.len() - 1].1 >= 30.0,
                "{name}"
            );
            for live in [4.0, 12.0, 20.0] {
                assert_eq!(meaning(name, live), None, "{name} at {live} mA");
            }
        }
    }

    #[test]
    fn the_currents_that_manuals_print_mean_what_they_say() {
        let absent = |cause| Some(BandMeaning::Absent(cause));
        for (name, current_ma, wanted) in [
            ("ne43", 3.5, absent(NoValue::SensorFault)),
            ("ne43", 3.7, Some(BandMeaning::Uncertain)),
            ("ne43", 3.8, None),
            ("ne43", 20.4, None),
            ("ne43", 20.6, Some(BandMeaning::Uncertain)),
            ("ne43", 21.1, absent(NoValue::SensorFault)),
            ("ne43", 0.0, absent(NoValue::BrokenLoop)),
            ("msa-ultima-x", 3.0, absent(NoValue::SensorFault)),
            ("msa-ultima-x", 3.75, absent(NoValue::Calibration)),
            ("msa-ultima-x", 21.0, absent(NoValue::OverRange)),
            ("msa-ultima-x-o2", 21.0, absent(NoValue::Calibration)),
            ("rki-m2", 2.3, absent(NoValue::SensorFault)),
            ("rki-m2", 3.5, absent(NoValue::Calibration)),
            ("oldham-ctx300", 1.0, absent(NoValue::SensorFault)),
            ("oldham-ctx300", 2.0, absent(NoValue::Calibration)),
            ("pemtech-pt295", 0.9, absent(NoValue::SensorFault)),
            ("honeywell-xnx", 1.0, absent(NoValue::SensorFault)),
            ("honeywell-xnx", 2.0, absent(NoValue::Inhibit)),
            ("honeywell-xnx", 3.0, Some(BandMeaning::Uncertain)),
            ("honeywell-xnx", 21.0, absent(NoValue::OverRange)),
        ] {
            assert_eq!(
                meaning(name, current_ma),
                wanted,
                "{name} at {current_ma} mA"
            );
        }
    }
}
