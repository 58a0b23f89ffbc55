//! The preset that a point takes its limits from, and the substance that the preset may need.

use super::alarm::Basis;
use super::names::Names;
use crate::preset::{self, Level, Preset, Presets, Substance};
use crate::problem::{Code, Word};
use crate::section::{At, Section};
use crate::site::{PointKind, Text};
use std::sync::{Arc, LazyLock};

/// What arms a point beside its own alarms.
pub(super) struct Armed {
    pub(super) at: At<&'static Preset>,
    pub(super) substance: Option<&'static Substance>,
}

/// Reads `preset` and `substance`.
pub(super) fn read(section: &Section<'_, '_>, names: &Names, point: &Basis<'_>) -> Option<Armed> {
    let substance = substance(section, names, point);
    let (at, preset) = named(section, names)?;
    if !preset.suits(point.kind) {
        let args = vec![
            ("value", at.value.as_str().into()),
            ("kinds", preset.kinds.join(", ").into()),
            ("found", point.kind.name().into()),
        ];
        section.at(&at, Code::PresetKind, args);
        return None;
    }
    if let Some(unit) = preset.unit.as_ref().filter(|unit| *unit != point.unit) {
        let args = vec![
            ("value", at.value.as_str().into()),
            ("unit", unit.as_str().into()),
            ("found", point.unit.into()),
        ];
        section.at(&at, Code::PresetUnit, args);
        return None;
    }
    let substance = match substance {
        Asked::Known(substance) => Some(substance),
        Asked::Broken => None,
        Asked::Absent if preset.needs_substance() => {
            section.missing("substance", Word::Text);
            None
        }
        Asked::Absent => None,
    };
    Some(Armed {
        at: at.with(preset),
        substance: substance.map(|substance| substance.value),
    })
}

/// Of a point whose kind, unit or range is wrong: whether preset and substance exist, and whether somebody answers for the preset.
pub(super) fn names_alone(section: &Section<'_, '_>, names: &Names) {
    let _preset = named(section, names);
    let _substance = known_substance(section, names);
}

fn named(section: &Section<'_, '_>, names: &Names) -> Option<(At<String>, &'static Preset)> {
    let known = || (names.presets.presets.iter()).map(|preset| preset.id.as_str());
    section.offers("preset", known());
    let at = section.text("preset")?;
    let Some(preset) = names.presets.preset(&at.value) else {
        section.unknown(&at, Code::UnknownName, known());
        return None;
    };
    if !names.signed_off {
        section.at(
            &at,
            Code::NotSignedOff,
            vec![("value", at.value.as_str().into())],
        );
    }
    Some((at, preset))
}

fn known_substance(
    section: &Section<'_, '_>,
    names: &Names,
) -> Option<(At<String>, &'static Substance)> {
    let known = || (names.presets.substances.iter()).map(|substance| substance.id.as_str());
    section.offers("substance", known());
    let at = section.text("substance")?;
    let substance = names.presets.substance(&at.value);
    if substance.is_none() {
        section.unknown(&at, Code::UnknownName, known());
    }
    Some((at, substance?))
}

enum Asked {
    Known(At<&'static Substance>),
    Broken,
    Absent,
}

fn substance(section: &Section<'_, '_>, names: &Names, point: &Basis<'_>) -> Asked {
    if !section.has("substance") {
        section.ignore(&["substance"]);
        return Asked::Absent;
    }
    let Some((at, substance)) = known_substance(section, names) else {
        return Asked::Broken;
    };
    let lacks = match point.kind {
        PointKind::CombustibleGas if substance.lel_percent.is_none() => "LEL",
        PointKind::ToxicGas if substance.level_1_ppm.is_none() => "OEL",
        _ => return Asked::Known(at.with(substance)),
    };
    let args = vec![
        ("value", at.value.as_str().into()),
        ("figure", lacks.into()),
    ];
    section.at(&at, Code::Substance, args);
    Asked::Broken
}

/// The level's set-point, if the preset or its substance gives one.
pub(super) fn figure(level: &Level, substance: Option<&Substance>) -> Option<f64> {
    let of_substance = || {
        let substance = substance?;
        let figure = match level.oel_level? {
            1 => substance.level_1_ppm,
            _ => substance.level_2_ppm,
        };
        figure.map(|figure| figure.value)
    };
    level.set_point.or_else(of_substance)
}

/// Where a limit comes from: preset, substance, standard, confidence.
pub(super) fn source(preset: &Preset, level: &Level, substance: Option<&Substance>) -> Arc<Text> {
    let of = level.oel_level.and(substance);
    let sure = Presets::embedded().words.confidence(level.confidence);
    let said = |name: &str, of: Option<&str>, source: &str, sure: &str| {
        let of = of.map(|of| format!(" {of}")).unwrap_or_default();
        format!("{name}{of}: {source} [{sure}]")
    };
    let zh = level.source_zh.as_ref().unwrap_or(&level.source);
    let (of_zh, of_en) = (of.map(|of| &*of.name.zh), of.map(|of| &*of.name.en));
    Arc::new(Text {
        zh: said(&preset.name.zh, of_zh, zh, &sure.zh),
        en: said(&preset.name.en, of_en, &level.source, &sure.en),
    })
}

/// The source of what comes from no preset and no site.
pub(super) fn built_in() -> Arc<Text> {
    static SHARED: LazyLock<Arc<Text>> =
        LazyLock::new(|| shared(&Presets::embedded().words.built_in));
    SHARED.clone()
}

/// The source of what the site file gives.
pub(super) fn of_site() -> Arc<Text> {
    static SHARED: LazyLock<Arc<Text>> = LazyLock::new(|| shared(&Presets::embedded().words.site));
    SHARED.clone()
}

fn shared(names: &preset::Names) -> Arc<Text> {
    Arc::new(Text {
        zh: names.zh.clone(),
        en: names.en.clone(),
    })
}
