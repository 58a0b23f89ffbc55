//! Hazard presets: set-points as data, each with its source and its confidence.

use crate::site::PointKind;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

static EMBEDDED: LazyLock<Presets> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/presets.toml"))
        .expect("data/presets.toml is part of the program and a test reads it")
});

/// How sure a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confidence {
    /// Read in a stored copy of the standard.
    V,
    /// From memory: to be checked by whoever signs.
    M,
    /// Computed from another figure.
    C,
}

/// A figure of a substance, in the unit that its field names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub value: f64,
    pub confidence: Confidence,
}

/// One substance. Concentrations at 25 °C.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substance {
    pub id: String,
    pub name: Names,
    pub molar_mass_g_mol: f64,
    /// Lower explosive limit, % by volume, by NFPA's tables.
    pub lel_percent: Option<Figure>,
    /// The same by IEC, where it differs.
    pub lel_iec_percent: Option<Figure>,
    /// Maximum allowable concentration at any moment, mg/m³.
    pub mac_mg_m3: Option<Figure>,
    /// Time-weighted average over 8 h, mg/m³.
    pub twa_mg_m3: Option<Figure>,
    /// Short-term exposure limit over 15 min, mg/m³.
    pub stel_mg_m3: Option<Figure>,
    /// 100 % of the occupational exposure limit.
    pub level_1_ppm: Option<Figure>,
    /// 200 % of the occupational exposure limit.
    pub level_2_ppm: Option<Figure>,
    /// Immediately dangerous to life or health.
    pub idlh_ppm: Option<Figure>,
}

/// A name in both languages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub zh: String,
    pub en: String,
}

/// One limit of a preset.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// In the preset's unit.
    pub set_point: Option<f64>,
    /// Level 1 or 2 of the point's substance.
    pub oel_level: Option<u8>,
    /// The state of a discrete point that is the alarm.
    pub when: Option<bool>,
    /// The standard.
    pub source: String,
    /// The same in Chinese, where it is more than a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_zh: Option<String>,
    pub confidence: Confidence,
}

/// Set-points for one kind of point. A level without a figure is demanded by its source, and its figure is the site's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub id: String,
    pub name: Names,
    /// Names of [`PointKind`]s.
    pub kinds: Vec<String>,
    /// `None`: the site's.
    pub unit: Option<String>,
    #[serde(rename = "LL")]
    pub low_low: Option<Level>,
    #[serde(rename = "L")]
    pub low: Option<Level>,
    #[serde(rename = "H")]
    pub high: Option<Level>,
    #[serde(rename = "HH")]
    pub high_high: Option<Level>,
    #[serde(rename = "ON")]
    pub on: Option<Level>,
}

impl Preset {
    pub fn suits(&self, kind: PointKind) -> bool {
        self.kinds.iter().any(|name| name == kind.name())
    }

    /// Whether it takes its figures from the point's substance.
    pub fn needs_substance(&self) -> bool {
        let levels = [&self.low_low, &self.low, &self.high, &self.high_high];
        levels
            .into_iter()
            .flatten()
            .any(|level| level.oel_level.is_some())
    }
}

/// What the source of a limit is called beside it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Comes from no preset and no site.
    pub(crate) built_in: Names,
    /// The site file gives it.
    pub(crate) site: Names,
    #[serde(rename = "V")]
    read: Names,
    #[serde(rename = "M")]
    remembered: Names,
    #[serde(rename = "C")]
    computed: Names,
}

impl Words {
    pub(crate) const fn confidence(&self, confidence: Confidence) -> &Names {
        match confidence {
            Confidence::V => &self.read,
            Confidence::M => &self.remembered,
            Confidence::C => &self.computed,
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    /// Rises with every change of the figures.
    pub version: u32,
    #[serde(skip_serializing)]
    pub(crate) words: Words,
    #[serde(rename = "substance")]
    pub substances: Vec<Substance>,
    #[serde(rename = "preset")]
    pub presets: Vec<Preset>,
}

impl Presets {
    /// The data that comes with Davy.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    pub fn substance(&self, id: &str) -> Option<&Substance> {
        self.substances.iter().find(|substance| substance.id == id)
    }

    pub fn preset(&self, id: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_five_substances_carry_the_figures_of_the_standards() {
        let presets = Presets::embedded();
        assert_eq!(presets.substances.len(), 25);
        let value = |figure: Option<Figure>| figure.map(|figure| figure.value);
        let ammonia = presets.substance("ammonia").unwrap();
        assert_eq!(value(ammonia.level_1_ppm), Some(29.0));
        assert_eq!(value(ammonia.idlh_ppm), Some(300.0));
        let methane = presets.substance("methane").unwrap();
        assert_eq!(value(methane.lel_percent), Some(5.0));
        assert_eq!(value(methane.lel_iec_percent), Some(4.4));
    }

    /// 25 °C: mg/m³ × 24.45 ÷ molar mass; MAC before TWA before STEL. The table prints two or three digits.
    #[test]
    fn levels_are_one_and_two_times_the_exposure_limit() {
        for substance in &Presets::embedded().substances {
            let limit = substance
                .mac_mg_m3
                .or(substance.twa_mg_m3)
                .or(substance.stel_mg_m3);
            let ppm = limit.map(|limit| limit.value * 24.45 / substance.molar_mass_g_mol);
            for (times, level) in [(1.0, substance.level_1_ppm), (2.0, substance.level_2_ppm)] {
                let (wanted, printed) =
                    (ppm.map(|ppm| ppm * times), level.map(|level| level.value));
                let near = match (wanted, printed) {
                    (Some(wanted), Some(printed)) => (printed / wanted - 1.0).abs() < 0.05,
                    (wanted, printed) => wanted.is_none() && printed.is_none(),
                };
                assert!(near, "{}: {wanted:?} and {printed:?}", substance.id);
            }
        }
    }

    #[test]
    fn every_preset_names_kinds_that_exist_and_figures_in_a_unit() {
        for preset in &Presets::embedded().presets {
            for kind in &preset.kinds {
                assert!(
                    PointKind::from_name(kind).is_some(),
                    "{}: {kind}",
                    preset.id
                );
            }
            let levels = [
                &preset.low_low,
                &preset.low,
                &preset.high,
                &preset.high_high,
            ];
            for level in levels.into_iter().flatten() {
                assert!(
                    !level.source.is_empty() && level.when.is_none(),
                    "{}",
                    preset.id
                );
                let figure = level.set_point.is_some() || level.oel_level.is_some();
                assert!(!figure || preset.unit.is_some(), "{}", preset.id);
            }
        }
    }

    #[test]
    fn presets_hold_the_set_points_of_their_standards() {
        let levels = |id: &str| {
            let preset = Presets::embedded().preset(id).unwrap();
            let of = |level: &Option<Level>| level.as_ref().and_then(|level| level.set_point);
            (of(&preset.low), of(&preset.high), of(&preset.high_high))
        };
        assert_eq!(levels("combustible-gas"), (None, Some(25.0), Some(50.0)));
        assert_eq!(levels("oxygen"), (Some(19.5), Some(23.5), None));
        assert_eq!(levels("ammonia"), (None, Some(25.0), Some(150.0)));
        assert_eq!(levels("ammonia-alarm"), (None, Some(100.0), Some(150.0)));
        assert_eq!(levels("ammonia-power-cut"), (None, None, Some(25.0)));
        assert_eq!(levels("dust-inlet-temperature"), (None, None, Some(70.0)));
    }
}
