//! Hazard presets: set-points as data, each with its source and its confidence.

use crate::section::nearest;
use serde::Deserialize;

const DATA: &str = include_str!("../data/presets.toml");

/// How sure a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Confidence {
    /// Read in a stored copy of the standard.
    V,
    /// From memory: to be checked by whoever signs.
    M,
    /// Computed from another figure.
    C,
}

/// One substance. Concentrations at 25 °C.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substance {
    pub id: String,
    pub name: Names,
    /// Lower explosive limit, % by volume.
    pub lel_percent: Option<f64>,
    pub lel_confidence: Option<Confidence>,
    /// Occupational exposure limit as the standard gives it.
    pub oel_mg_m3: Option<String>,
    pub level_1_ppm: Option<f64>,
    pub level_2_ppm: Option<f64>,
    pub level_confidence: Option<Confidence>,
    /// Immediately dangerous to life or health.
    pub idlh_ppm: Option<f64>,
    pub idlh_confidence: Option<Confidence>,
}

/// A name in both languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub zh: String,
    pub en: String,
}

/// Set-points for one kind of point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub id: String,
    pub unit: String,
    pub source: String,
    pub confidence: Confidence,
    /// Takes its levels from the point's substance.
    #[serde(default)]
    pub by_substance: bool,
    #[serde(rename = "LL")]
    pub low_low: Option<f64>,
    #[serde(rename = "L")]
    pub low: Option<f64>,
    #[serde(rename = "H")]
    pub high: Option<f64>,
    #[serde(rename = "HH")]
    pub high_high: Option<f64>,
}

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    /// Rises with every change of the data.
    pub version: u32,
    #[serde(rename = "substance")]
    pub substances: Vec<Substance>,
    #[serde(rename = "preset")]
    pub presets: Vec<Preset>,
}

impl Presets {
    /// The data that comes with Davy.
    pub fn embedded() -> Self {
        // A test reads the file; an empty set refuses every preset by name.
        toml::from_str(DATA).unwrap_or(Self {
            version: 0,
            substances: Vec::new(),
            presets: Vec::new(),
        })
    }

    /// The substance with this id, or the nearest id.
    pub fn substance(&self, id: &str) -> Result<&Substance, String> {
        find(&self.substances, id, |substance| &substance.id)
    }

    /// The preset with this id, or the nearest id.
    pub fn preset(&self, id: &str) -> Result<&Preset, String> {
        find(&self.presets, id, |preset| &preset.id)
    }
}

fn find<'i, T>(items: &'i [T], id: &str, name: impl Fn(&T) -> &str) -> Result<&'i T, String> {
    items.iter().find(|item| name(item) == id).ok_or_else(|| {
        let names: Vec<&str> = items.iter().map(&name).collect();
        nearest(id, names.iter().copied()).unwrap_or_else(|| names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_five_substances_and_the_presets_read() {
        let presets = Presets::embedded();
        assert_eq!(presets.substances.len(), 25);
        assert_eq!(
            presets.substance("ammonia").unwrap().level_1_ppm,
            Some(29.0)
        );
        assert_eq!(
            presets.preset("combustible-gas").unwrap().high_high,
            Some(50.0)
        );
    }

    #[test]
    fn level_2_is_twice_level_1_within_rounding() {
        for substance in Presets::embedded().substances {
            if let (Some(one), Some(two)) = (substance.level_1_ppm, substance.level_2_ppm) {
                assert!(
                    (two / one - 2.0).abs() < 0.12,
                    "{}: {one} and {two}",
                    substance.id
                );
            }
        }
    }
}
