//! Standing alarms: active for more than 24 hours (R9), suppressed or not, for the condition is there either way.

use crate::DAY_MS;
use crate::line::{Held, Line, Period};
use crate::target::STANDING_MS;
use davy_alarm::{Cause, Priority};
use std::collections::BTreeMap;

/// A span in which an alarm was active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spell<'a> {
    pub(crate) alarm: &'a str,
    pub(crate) priority: Priority,
    /// `None` = before anything that is known.
    pub(crate) since_ms: Option<i64>,
    /// `None` = still active when the period ends.
    pub(crate) until_ms: Option<i64>,
}

/// The spells in which an alarm stood for more than 24 h at some time of the period, the longest first.
pub(crate) fn standing<'a>(
    lines: &[Line<'a>],
    held: &[Held<'a>],
    period: &Period,
) -> Vec<Spell<'a>> {
    let mut found: Vec<_> = spells(lines, held, period)
        .into_iter()
        .filter(|spell| stands(spell, period).is_some())
        .collect();
    found.sort_by_key(|spell| (spell.since_ms, spell.alarm));
    found
}

/// Most alarms that stood on one day of the period; its days are of 24 h from `start`.
pub(crate) fn worst_day(spells: &[Spell<'_>], period: &Period, start: i64) -> usize {
    let stood: Vec<_> = spells
        .iter()
        .filter_map(|spell| stands(spell, period))
        .collect();
    let mut worst = 0;
    let mut day = start;
    while day < period.to_ms {
        let end = day.saturating_add(DAY_MS).min(period.to_ms);
        let on_day = stood.iter().filter(|(from, to)| *from < end && *to > day);
        worst = worst.max(on_day.count());
        day = end;
    }
    worst
}

/// From when to when within the period it was a standing alarm.
fn stands(spell: &Spell<'_>, period: &Period) -> Option<(i64, i64)> {
    let since = spell.since_ms.unwrap_or(period.known_from_ms());
    let from = since.saturating_add(STANDING_MS).max(period.from_ms);
    let to = spell.until_ms.unwrap_or(period.to_ms).min(period.to_ms);
    (from < to).then_some((from, to))
}

struct Track {
    priority: Priority,
    active: bool,
    since_ms: Option<i64>,
}

fn spells<'a>(lines: &[Line<'a>], held: &[Held<'a>], period: &Period) -> Vec<Spell<'a>> {
    let mut tracks: BTreeMap<&'a str, Track> = BTreeMap::new();
    let mut spells = Vec::new();
    for held in held {
        let track = Track {
            priority: held.priority,
            active: true,
            since_ms: Some(held.since_ms),
        };
        tracks.insert(held.alarm, track);
    }
    for line in lines.iter().filter(|line| line.time_ms < period.to_ms) {
        let begins = match line.cause {
            Cause::Active => true,
            Cause::Clear | Cause::Removed => false,
            Cause::Acknowledge
            | Cause::Reset
            | Cause::ReAlarm
            | Cause::StepUp
            | Cause::Shelve
            | Cause::Unshelve
            | Cause::ShelveExpired
            | Cause::OutOfService
            | Cause::InService
            | Cause::Suppress
            | Cause::Unsuppress => continue,
        };
        let track = tracks.entry(line.alarm).or_insert(Track {
            priority: line.priority,
            // Its first line says that it cleared: it was active before.
            active: !begins,
            since_ms: None,
        });
        if begins {
            // Also of one that is active: the line of its clearing was lost.
            (track.active, track.since_ms) = (true, Some(line.time_ms));
        } else if std::mem::replace(&mut track.active, false) {
            spells.push(Spell {
                alarm: line.alarm,
                priority: track.priority,
                since_ms: track.since_ms.take(),
                until_ms: Some(line.time_ms),
            });
        }
    }
    let open = tracks.iter().filter(|(_, track)| track.active);
    spells.extend(open.map(|(alarm, track)| Spell {
        alarm,
        priority: track.priority,
        since_ms: track.since_ms,
        until_ms: None,
    }));
    spells
}
