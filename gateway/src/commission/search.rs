//! The search itself, for the command line and for the screen's pages: what answers on a serial line or at TCP addresses, and who it is.

use super::identify::{self, Identity, Match, Presence};
use super::{Line, target};
use davy_config::site::{Bus, Link};
use serde::Serialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Unit ids that a unit may have (Modbus over serial line 1.02 §2.2).
const UNITS: RangeInclusive<u8> = 1..=247;
/// Those that are tried first on a line of unknown settings: devices are delivered with 1, and few lines have more.
const USUAL: RangeInclusive<u8> = 1..=16;
/// Reserved: who answers to it answers to every id.
const NOBODYS: u8 = 248;

/// Which units are asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// These alone; none: the usual ones, and all where one answers.
    pub(super) units: Option<RangeInclusive<u8>>,
    pub(super) thorough: bool,
}

/// A unit that answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    #[serde(skip)]
    pub(super) bus: Bus,
    /// As people write it.
    pub(super) at: String,
    pub(super) unit: u8,
    /// It answers to every unit id: a device with an address of its own, not one of several behind a gateway.
    pub(super) any_unit: bool,
    pub(super) identity: Option<Identity>,
    pub(super) profiles: Vec<Match>,
    /// The longest that it thought before an answer, whole milliseconds; a site file reckons with it.
    pub(super) answer_ms: u32,
}

/// Settings or hosts where something came that was no frame.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Garbled {
    pub(super) at: String,
    pub(super) units: Vec<u8>,
}

/// What a search found so far.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(super) found: Vec<Found>,
    pub(super) garbled: Vec<Garbled>,
    /// Links that could not be opened, with the reason.
    pub(super) closed: Vec<String>,
}

/// Where a search is: which of how many settings or hosts, and the unit that is being asked.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Step {
    pub(super) number: usize,
    pub(super) count: usize,
    pub(super) at: String,
    pub(super) unit: u8,
}

/// A unit, or a range of them, as people write it: `5` or `1-32`.
pub(super) fn units(text: &str) -> Result<RangeInclusive<u8>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last))
            if first <= last && UNITS.contains(&first) && UNITS.contains(&last) =>
        {
            Ok(first..=last)
        }
        _ => Err("1-247, 5".to_owned()),
    }
}

/// Looks at each bus in turn, and tells before every question where it is and what it has. May be dropped at any point: it holds nothing but its link.
pub(super) async fn search(
    buses: Vec<Bus>,
    asked: &Asked,
    mut tell: impl FnMut(&Step, &Report),
) -> Report {
    let mut report = Report::default();
    let count = buses.len();
    for (number, bus) in (1..).zip(buses) {
        let before = report.found.len();
        let is_line = matches!(bus.link, Link::Rtu { .. });
        let mut look = Look {
            step: Step {
                number,
                count,
                at: target::spelt(&bus.link),
                unit: 0,
            },
            line: Line::new(bus),
            nobody: Presence::Silent,
            asks_more: asked.thorough && (asked.units.is_some() || !is_line),
            tell: &mut tell,
            report: &mut report,
        };
        look.all(asked).await;
        // A line has one setting; another could only garble what was found. A port that cannot be opened cannot be with any.
        let is_known = report.found.len() > before && !asked.thorough;
        if is_line && (is_known || !report.closed.is_empty()) {
            break;
        }
    }
    report
}

/// One bus under search.
struct Look<'a, T> {
    line: Line,
    /// What a unit that cannot be there answers; some gateways refuse in its name.
    nobody: Presence,
    /// Of silent units, where that would not take an hour: not of every unit at every setting of a line.
    asks_more: bool,
    step: Step,
    tell: &'a mut T,
    report: &'a mut Report,
}

impl<T: FnMut(&Step, &Report)> Look<'_, T> {
    async fn all(
        &mut self,
        Asked {
            units: asked,
            thorough,
        }: &Asked,
    ) {
        let Some(nobody) = self.there(NOBODYS).await else {
            return;
        };
        self.nobody = nobody;
        let first = match (asked, self.any_unit(), *thorough) {
            (Some(range), ..) => range.clone(),
            (None, true, _) => 1..=1,
            (None, false, true) => UNITS,
            (None, false, false) => USUAL,
        };
        let before = self.report.found.len();
        let (lowest, ended) = (*first.start(), first.end() + 1);
        self.units(first).await;
        let is_alone = self.refuses_for_all() && self.report.found.len() == before;
        if is_alone && self.there(lowest).await == Some(self.nobody) {
            self.found(lowest, true).await;
            return;
        }
        // Where one is there may be others: the settings are right.
        let more = asked.is_none() && !self.any_unit() && self.report.found.len() > before;
        if more && ended <= *UNITS.end() {
            self.units(ended..=*UNITS.end()).await;
        }
    }

    fn any_unit(&self) -> bool {
        self.nobody == Presence::Answers
    }

    /// A gateway says of a unit that is not there that it cannot reach it (10, 11); who refuses in a device's words whatever unit is asked may be a device that
    /// heeds no unit id and has nothing at its first registers.
    fn refuses_for_all(&self) -> bool {
        let is_host = matches!(self.line.bus.link, Link::Tcp { .. });
        is_host && matches!(self.nobody, Presence::Refuses(1..=3))
    }

    async fn units(&mut self, units: RangeInclusive<u8>) {
        let mut garbled = Vec::new();
        for unit in units {
            match self.there(unit).await {
                None => break,
                Some(Presence::Answers) => self.found(unit, self.any_unit()).await,
                Some(refused @ Presence::Refuses(_)) if refused != self.nobody => {
                    self.found(unit, self.any_unit()).await;
                }
                Some(Presence::Garbled) => garbled.push(unit),
                Some(Presence::Silent | Presence::Gone | Presence::Refuses(_)) => {}
            }
        }
        if !garbled.is_empty() {
            self.report.garbled.push(Garbled {
                at: self.step.at.clone(),
                units: garbled,
            });
        }
    }

    /// Asks a unit; none if the link cannot be opened, which is reported.
    async fn there(&mut self, unit: u8) -> Option<Presence> {
        self.step.unit = unit;
        (self.tell)(&self.step, self.report);
        match identify::is_there(&mut self.line, unit, self.asks_more).await {
            Ok(presence) => Some(presence),
            Err(error) => {
                let closed = format!("{}: {error}", self.step.at);
                if self.report.closed.last() != Some(&closed) {
                    self.report.closed.push(closed);
                }
                None
            }
        }
    }

    async fn found(&mut self, unit: u8, any_unit: bool) {
        self.line.thought = Duration::ZERO;
        // A link that broke in between leaves the unit unnamed and not unfound.
        let identity = identify::identity(&mut self.line, unit)
            .await
            .ok()
            .flatten();
        let profiles = identify::matches(&mut self.line, unit)
            .await
            .unwrap_or_default();
        self.report.found.push(Found {
            bus: self.line.bus.clone(),
            at: self.step.at.clone(),
            unit,
            any_unit,
            identity,
            profiles,
            answer_ms: whole_ms(std::mem::take(&mut self.line.thought)),
        });
    }
}

/// Rounded up: who is reckoned too quick would be late.
fn whole_ms(thought: Duration) -> u32 {
    u32::try_from(thought.as_micros().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_a_number_or_a_range_from_1_to_247() {
        assert_eq!(units("5"), Ok(5..=5));
        assert_eq!(units("1-247"), Ok(1..=247));
        for text in ["0", "248", "9-3", "x", "1-", ""] {
            assert!(units(text).is_err(), "{text}");
        }
    }
}
