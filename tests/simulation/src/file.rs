//! Site files of one plant: what people change in them while the gateway runs, or while it is down.

use crate::dice::Dice;
use davy_config::site::Site;
use std::path::Path;
use std::sync::Arc;

const TEXT: &str = include_str!("site.toml");
/// A point that is there or not. It stands before all others, so that every position behind it moves.
const PRESSURE: &str = include_str!("pressure.toml");

/// Of a site of two devices.
const USUAL_WINDOW: u64 = 32;

/// One file, by what differs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File {
    period_ms: u64,
    window: u64,
    journal_bytes: u64,
    /// Set-point of GT-1.H, %LEL.
    gas_high: u64,
    has_pressure: bool,
    has_level_low: bool,
    /// Whether a spark sounds the siren.
    has_siren: bool,
}

impl File {
    /// The file of a plant's first day.
    pub(crate) fn first(dice: &Dice) -> Self {
        let one_of = |of: [u64; 3]| of[usize::try_from(dice.below(3)).unwrap_or_default()];
        Self {
            period_ms: one_of([2000, 5000, 10_000]),
            window: one_of([1, 4, USUAL_WINDOW]),
            // Small enough that a long outage fills it.
            journal_bytes: one_of([60_000, 400_000, 4_000_000]),
            gas_high: 20,
            has_pressure: false,
            has_level_low: true,
            has_siren: true,
        }
    }

    /// The file with one or two changes.
    pub(crate) fn changed(mut self, dice: &Dice) -> Self {
        for _ in 0..dice.between(1, 2) {
            match dice.below(5) {
                0 => self.has_pressure = !self.has_pressure,
                1 => self.has_level_low = !self.has_level_low,
                2 => self.has_siren = !self.has_siren,
                3 => self.gas_high = 45 - self.gas_high,
                _ => self.period_ms = if self.period_ms == 2000 { 5000 } else { 2000 },
            }
        }
        self
    }

    /// The file without an alarm that is active from the start on.
    pub(crate) const fn without_level_low(mut self) -> Self {
        self.has_level_low = false;
        self
    }

    pub(crate) fn site(&self, name: &str) -> Arc<Site> {
        let loaded = davy_config::parse("site.toml", &self.text(name), Path::new("."));
        let mut site = loaded
            .expect("the site files of the simulation are valid")
            .site;
        site.journal.max_bytes = self.journal_bytes;
        site.journal.alarm_reserve_bytes = self.journal_bytes / 4;
        Arc::new(site)
    }

    /// The usual one is not said.
    fn window(&self) -> String {
        match self.window {
            USUAL_WINDOW => String::new(),
            said => format!("window = {said}\n"),
        }
    }

    fn text(&self, name: &str) -> String {
        let text = TEXT
            .replace("\"NAME\"", &format!("\"{name}\""))
            .replace("PERIOD", &self.period_ms.to_string())
            .replace("window = WINDOW\n", &self.window())
            .replace("GAS_HIGH", &self.gas_high.to_string())
            .replace("# PRESSURE", if self.has_pressure { PRESSURE } else { "" });
        let parts = [
            (self.has_level_low, "[point.alarms.L]\n"),
            (self.has_siren, "[[effect]]\ncauses = [\"XS-1.ON\"]"),
        ];
        let gone = parts.into_iter().filter(|(is_there, _)| !is_there);
        gone.fold(text, |text, (_, part)| without(&text, part))
    }
}

/// The text without the table that begins so, up to the next one.
fn without(text: &str, begins: &str) -> String {
    let start = text.find(begins).expect("the table is in the file");
    let rest = &text[start + 1..];
    let end = rest.find("\n[").map_or(text.len(), |end| start + end + 2);
    format!("{}{}", &text[..start], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_makes_another_valid_file() {
        let dice = Dice::new(1);
        let mut file = File::first(&dice);
        let mut digests = std::collections::BTreeSet::new();
        for _ in 0..100 {
            file = file.changed(&dice);
            let site = file.site("plant");
            let has = |id: &str| site.points.iter().any(|point| point.id == id);
            assert_eq!(has("PT-1"), file.has_pressure);
            let has = |id: &str| site.alarms.iter().any(|alarm| alarm.id == id);
            assert_eq!(has("LT-1.L"), file.has_level_low);
            assert_eq!(site.effects.len(), 1 + usize::from(file.has_siren));
            assert!(has("GT-1.H") && has("GT-1.HH"));
            digests.insert(site.digest.clone());
        }
        assert!(digests.len() > 8);
    }
}
